"""What a rule of risk is: a pure function from a wish and the state of the world to a refusal or nothing."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from actors.account.ledger import Ledger
from actors.account.order import Order
from actors.market.time import SECOND
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

_EAST = 9 * 3_600 * SECOND
_DAY = 86_400 * SECOND

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
    """Within which an entry alike in strategy, issue, side, quantity and price is refused."""
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
    sessions: tuple[Session, ...]
    """In which entries may be made."""
    entries_until: str
    """KST as HH:MM, blank for no such time."""
    forbidden: tuple[Designation, ...]
    adopt: bool
    """Whether shares that no strategy bought may be sold."""


class Wish(Record):
    """An intent, new or to change an order, in the one form that rules weigh."""

    strategy: str
    source: str
    """The part that said it."""
    symbol: Symbol
    venue: Venue
    side: Side
    kind: Kind
    quantity: int
    price: int
    purpose: Purpose
    replaces: int = 0
    """The order to change; its own binding is left out of account."""

    @property
    def entry(self) -> bool:
        return self.purpose is Purpose.ENTRY


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
    sent: list[int] = field(default_factory=list[int])
    """When orders and changes were approved and cancels asked for, the day's, oldest first."""
    entries: list[tuple[int, Wish]] = field(default_factory=list[tuple[int, Wish]])
    """Entries approved, with their times, the newest last."""

    @property
    def date(self) -> dt.date:
        return _date((self.now + _EAST) // _DAY)

    @property
    def minute(self) -> int:
        """Of the Korean day."""
        return (self.now + _EAST) % _DAY // (60 * SECOND)

    def quote(self, symbol: Symbol) -> Quote:
        return self.quotes.get(symbol) or Quote()

    def sector(self, symbol: Symbol) -> str:
        """Blank where it is not known."""
        instrument = self.instruments.get(symbol)
        return instrument.sector if instrument else ""

    def since(self, seconds: float) -> int:
        """The instant that many seconds ago."""
        return self.now - round(seconds * SECOND)


Rule = Callable[[Wish, Ledger, View, Limits], Refusal | None]


@lru_cache(maxsize=8)
def minute_of(time: str) -> int:
    """Minute of the day that HH:MM means. Raises ValueError for anything else."""
    if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", time) is None:
        raise ValueError(f"{time!r} is no time of day: write it as HH:MM")
    return int(time[:2]) * 60 + int(time[3:])


@lru_cache(maxsize=2)
def _date(days: int) -> dt.date:
    return dt.date(1970, 1, 1) + dt.timedelta(days=days)


def price_of(wish: Wish, view: View) -> int:
    """Won a share that the wish will trade at, about: its limit, else the newest price."""
    quote = view.quote(wish.symbol)
    return wish.price or quote.last or max(quote.ask, quote.bid)


def others(wish: Wish, ledger: Ledger, symbol: Symbol | None = None) -> Iterator[Order]:
    """Live orders, the one to be changed left out."""
    return (order for order in ledger.live(symbol) if order.number != wish.replaces)


def unsettled(wish: Wish, ledger: Ledger, symbol: Symbol | None = None) -> Iterator[Order]:
    """Orders that bind won or shares, the one to be changed left out."""
    return (order for order in ledger.unsettled(symbol) if order.number != wish.replaces)


def of_intent(intent: OrderIntent, source: str) -> Wish:
    """A new order as a wish."""
    return Wish(
        strategy=intent.strategy,
        source=source,
        symbol=intent.symbol,
        venue=intent.venue,
        side=intent.side,
        kind=intent.kind,
        quantity=intent.quantity,
        price=intent.price,
        purpose=intent.purpose,
    )


def of_change(intent: ReplaceIntent, order: Order, source: str) -> Wish:
    """A change of an order as a wish."""
    return Wish(
        strategy=intent.strategy,
        source=source,
        symbol=order.symbol,
        venue=order.venue,
        side=order.side,
        kind=order.kind,
        quantity=intent.quantity,
        price=intent.price,
        purpose=order.purpose,
        replaces=order.number,
    )
