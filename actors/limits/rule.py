"""What a rule of risk is: a pure function from a wish and the state of the world to a refusal or nothing."""

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache

from actors.account.ledger import Ledger
from actors.account.order import Order
from actors.limits.activity import Activity, korean_day
from actors.limits.clocks import Clocks
from actors.market.time import SECOND
from actors.market.venues import HOME
from messages import (
    Designation,
    Instrument,
    Kind,
    OrderIntent,
    Purpose,
    Record,
    ReplaceIntent,
    Session,
    Side,
    Symbol,
    Venue,
)

_ENTRY, _BUY = Purpose.ENTRY, Side.BUY
_PRIORITY, _CONDITIONAL = Kind.PRIORITY, Kind.CONDITIONAL
"""By name: looking a member up in its class costs ten times as much."""

Figures = dict[str, int | float | str]


class Refusal(Record):
    """A rule's no: what it weighed, and where the limit lies."""

    rule: str
    figures: Figures
    limit: int | float | str


class Limits(Record):
    """The limits of one account; percents are of 100, seconds may be fractions, 0 seconds turn a window off."""

    max_order_value: int
    """Won of one entry."""
    max_quantity: int
    """Shares of one entry."""
    max_volume_percent: float
    """Of the day's volume so far, in one entry."""
    max_listed_percent: float
    """Of the listed shares, in one entry."""
    collar_percent: float
    """How far an entry's limit may reach through the last price."""
    collar_ticks: int
    """The same in price steps."""
    max_orders_second: int
    max_orders_minute: int
    max_orders_day: int
    """Entries count against these, everything sent counts for them."""
    cancel_reserve: int
    """Of the orders a second, those that entries leave for cancels and exits."""
    duplicate_seconds: float
    """Within which an entry alike in issue, side, quantity and price is refused, whoever asks."""
    max_alike_day: int
    """Such entries a day; 0 is no limit."""
    max_repeats: int
    """Entries of a strategy in one issue at one last price within the next; one more disables it. 0 is no limit."""
    repeat_seconds: float
    max_position_value: int
    """Won in one issue, open buys included."""
    max_sector_value: int
    max_gross_value: int
    max_positions: int
    """Issues held or being bought."""
    max_daily_loss_percent: float
    """Of the equity at the day's start."""
    max_drawdown_percent: float
    """Of the day's highest equity."""
    max_losers: int
    """Losing round trips in a row."""
    stale_seconds: float
    """Age of the newest price."""
    max_clock_difference: float
    """Seconds between the clock here and the exchange's; 0 is no limit."""
    sessions: tuple[Session, ...]
    """In which entries may be made."""
    entries_until: str
    """KST as HH:MM, blank for no such time."""
    forbidden: tuple[Designation, ...]
    adopt: bool
    """Whether shares that no strategy bought may be sold."""


@dataclass(slots=True)
class Quote:
    """The newest prices of an issue; 0 where none came."""

    last: int = 0
    ask: int = 0
    bid: int = 0
    volume: int = 0
    """Of the day so far."""
    received: int = 0
    """When the newest of them was received."""
    reference: int = 0
    """Of the static volatility band: the last auction's price; 0 until the next print tells it."""


UNSEEN = Quote()
"""Of an issue without any price."""


class Wish(Record):
    """An intent, new or to change an order, in the one form that rules weigh, with what is known of its issue."""

    strategy: str
    source: str
    """The part that said it."""
    symbol: Symbol
    venue: Venue
    side: Side
    kind: Kind
    quantity: int
    price: int
    entry: bool
    """Whether it may add exposure; exits pass many rules."""
    quote: Quote
    instrument: Instrument | None
    value: int
    """Won it will cost, about: at its limit, else at the newest price, and at the dearer for 조건부지정가."""
    beyond: int
    """Won by which it reaches through the last price, at worst; 0 or less where it does not."""
    replaces: int = 0
    """The order to change."""
    releases: int = 0
    """Won that order binds now: it will bind others instead."""


@dataclass(slots=True)
class View:
    """The world as risk sees it."""

    now: int = 0
    judge: str = "risk"
    """Name of the actor that looks."""
    reconciled: bool = False
    halted: str = ""
    """Why trading is halted; blank while it is not."""
    sessions: dict[Venue, Session] = field(default_factory=dict[Venue, Session])
    quotes: dict[Symbol, Quote] = field(default_factory=dict[Symbol, Quote])
    elsewhere: dict[Venue, dict[Symbol, Quote]] = field(
        default_factory=lambda: {venue: {} for venue in Venue if venue is not HOME}
    )
    """The same of other venues than the one holdings are valued at."""
    instruments: dict[Symbol, Instrument] = field(default_factory=dict[Symbol, Instrument])
    suspended: dict[Symbol, str] = field(default_factory=dict[Symbol, str])
    """Issues whose trading stands still (거래정지), and why."""
    interrupted: dict[Symbol, int] = field(default_factory=dict[Symbol, int])
    """Issues in a volatility interruption, and since when."""
    links: dict[str, str] = field(default_factory=dict[str, str])
    """Order links that are down, and why."""
    feeds: dict[str, str] = field(default_factory=dict[str, str])
    gaps: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    """Refused messages of (actor, subject) that it has not caught up with."""
    losses: dict[tuple[Symbol, Venue], int] = field(default_factory=dict[tuple[Symbol, Venue], int])
    """Shares lost today, by issues whose prints are not complete now."""
    activity: Activity = field(default_factory=Activity)
    clocks: Clocks = field(default_factory=Clocks)
    date: dt.date = field(init=False)
    _day: int = field(init=False, default=-1)

    def __post_init__(self) -> None:
        self.look_at(self.now)

    @property
    def minute(self) -> int:
        """Of the Korean day."""
        return (self.now // (60 * SECOND) + 540) % 1_440

    def quote(self, symbol: Symbol, venue: Venue) -> Quote:
        """Of the venue an order goes to."""
        return (self.quotes if venue is HOME else self.elsewhere[venue]).get(symbol, UNSEEN)

    def look_at(self, now: int) -> None:
        """Judge as of this instant."""
        self.now = now
        day = korean_day(now)
        if day != self._day:
            self._day = day
            self.date = dt.date(1970, 1, 1) + dt.timedelta(days=day)
            self.activity.begin(now)


Rule = Callable[[Wish, Ledger, View, Limits], Refusal | None]


@lru_cache(maxsize=8)
def minute_of(time: str) -> int:
    """Minute of the day that HH:MM means. Raises ValueError for anything else."""
    if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", time) is None:
        raise ValueError(f"{time!r} is no time of day: write it as HH:MM")
    return int(time[:2]) * 60 + int(time[3:])


def of_intent(intent: OrderIntent, source: str, view: View) -> Wish:
    """A new order as a wish."""
    quote, price, side = view.quote(intent.symbol, intent.venue), intent.price, intent.side
    return Wish(
        strategy=intent.strategy,
        source=source,
        symbol=intent.symbol,
        venue=intent.venue,
        side=side,
        kind=intent.kind,
        quantity=intent.quantity,
        price=price,
        entry=intent.purpose is _ENTRY,
        quote=quote,
        instrument=view.instruments.get(intent.symbol),
        value=_each(intent.kind, price, quote) * intent.quantity,
        beyond=_beyond(side, intent.kind, price, quote),
    )


def of_change(intent: ReplaceIntent, order: Order, source: str, view: View, releases: int) -> Wish:
    """A change of an order, which binds `releases` won now, as a wish."""
    quote = view.quote(order.symbol, order.venue)
    return Wish(
        strategy=intent.strategy,
        source=source,
        symbol=order.symbol,
        venue=order.venue,
        side=order.side,
        kind=order.kind,
        quantity=intent.quantity,
        price=intent.price,
        entry=order.purpose is _ENTRY,
        quote=quote,
        instrument=view.instruments.get(order.symbol),
        value=_each(order.kind, intent.price, quote) * intent.quantity,
        beyond=_beyond(order.side, order.kind, intent.price, quote),
        replaces=order.number,
        releases=releases,
    )


def _each(kind: Kind, price: int, quote: Quote) -> int:
    """Won a share; a limit that the closing auction turns into a market order is none."""
    if kind is _CONDITIONAL:
        return max(price, quote.last)
    return price or quote.last or max(quote.ask, quote.bid)


def _beyond(side: Side, kind: Kind, price: int, quote: Quote) -> int:
    """Without a price of its own it trades at the best of the other side; one that only joins its own side waits."""
    if side is _BUY:
        reach = price or (0 if kind is _PRIORITY else quote.ask)
        return reach - quote.last if reach and quote.last else 0
    reach = price or (0 if kind is _PRIORITY else quote.bid)
    return quote.last - reach if reach and quote.last else 0
