"""A second opinion on every order: plain lists, whole sums and written-out tables, slow and easy to believe."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from messages import (
    ApprovedOrder,
    ApprovedReplace,
    Designation,
    Instrument,
    Kind,
    Market,
    OrderIntent,
    Purpose,
    ReplaceIntent,
    Session,
    Side,
)

_SECOND: Final = 1_000_000_000
_PRICED: Final = (Kind.LIMIT, Kind.CONDITIONAL)
_FOR_EXITS: Final = (Session.OPENING_AUCTION, Session.CONTINUOUS, Session.CLOSING_AUCTION)


@dataclass(slots=True)
class Known:
    """An order as the second opinion remembers it."""

    number: int
    strategy: str
    symbol: str
    side: Side
    kind: Kind
    quantity: int
    price: int
    entry: bool
    time: int
    last: int
    """The last price when it was approved."""
    approved_terms: tuple[str, Side, int, int]
    """Issue, side, quantity and price, whatever changes came later."""
    accepted: bool = False
    unknown: bool = False
    dead: bool = False
    filled: int = 0
    amount: int = 0
    commission: int = 0
    tax: int = 0
    change: int = 0
    """The price it shall have, while a change is under way."""
    left: int = 0
    """What that change leaves open."""

    @property
    def open(self) -> int:
        return 0 if self.dead else self.quantity - self.filled


@dataclass(slots=True)
class Seen:
    """Prices of one issue."""

    last: int = 0
    ask: int = 0
    bid: int = 0
    volume: int = 0
    received: int = 0
    reference: int = 0


@dataclass(slots=True)
class Trade:
    """One fill: shares and won, bought above 0, sold below; `costs` are commission and tax."""

    symbol: str
    owner: str
    shares: int
    won: int
    costs: int


@dataclass(slots=True)
class Wanted:
    """What is asked for, new or as a change of order `replaces`."""

    strategy: str
    symbol: str
    side: Side
    kind: Kind
    quantity: int
    price: int
    entry: bool
    replaces: int = 0


@dataclass(slots=True)
class Naive:
    """Everything that was ever said, and nothing derived from it kept."""

    limits: dict[str, Any]
    cash: int = 0
    reconciled: bool = False
    halted: bool = False
    session: Session | None = None
    high: int = 0
    opening: int = 0
    instruments: dict[str, Instrument] = field(default_factory=dict[str, Instrument])
    seen: dict[str, Seen] = field(default_factory=dict[str, Seen])
    prices: dict[str, int] = field(default_factory=dict[str, int])
    orders: list[Known] = field(default_factory=list[Known])
    trades: list[Trade] = field(default_factory=list[Trade])
    sent: list[int] = field(default_factory=list[int])
    suspended: set[str] = field(default_factory=set[str])
    resumed: set[str] = field(default_factory=set[str])
    interrupted: set[str] = field(default_factory=set[str])
    gaps: set[str] = field(default_factory=set[str])
    down: set[str] = field(default_factory=set[str])
    """Links and feeds."""
    disabled: set[str] = field(default_factory=set[str])
    enabled_at: int = 0
    """How many orders there were when a person last resumed."""

    def order(self, number: int) -> Known | None:
        return next((order for order in self.orders if order.number == number), None)

    def shares(self, symbol: str, owner: str | None = None) -> int:
        return sum(t.shares for t in self.trades if t.symbol == symbol and owner in (None, t.owner))

    @property
    def worths(self) -> dict[str, int]:
        symbols = sorted({trade.symbol for trade in self.trades})
        return {symbol: self.shares(symbol) * self.prices.get(symbol, 0) for symbol in symbols}

    @property
    def equity(self) -> int:
        return self.cash + sum(self.worths.values())

    @property
    def losers(self) -> int:
        """Round trips in a row that lost money."""
        running: dict[tuple[str, str], list[int]] = {}
        losers = 0
        for trade in self.trades:
            shares, won = running.setdefault((trade.symbol, trade.owner), [0, 0])
            shares, won = shares + trade.shares, won - trade.won - trade.costs
            running[trade.symbol, trade.owner] = [shares, won]
            if not shares:
                losers = losers + 1 if won < 0 else 0
                running[trade.symbol, trade.owner] = [0, 0]
        return losers

    def approved(self, message: ApprovedOrder | ApprovedReplace, now: int) -> None:
        self.sent.append(now)
        if isinstance(message, ApprovedReplace):
            order = self.order(message.order)
            assert order is not None
            order.change, order.left = message.price, message.quantity
            return
        entry = message.purpose is Purpose.ENTRY
        self.orders.append(
            Known(
                message.order,
                message.strategy,
                message.symbol,
                message.side,
                message.kind,
                message.quantity,
                message.price,
                entry,
                now,
                self.seen[message.symbol].last if message.symbol in self.seen else 0,
                (message.symbol, message.side, message.quantity, message.price),
            )
        )

    def peak(self) -> None:
        self.high = max(self.high, self.equity)

    def bound(self, order: Known) -> int:
        """Won that the rest of an order binds, commission included."""
        if order.side is Side.SELL:
            return 0
        limit = self.instruments[order.symbol].upper_limit
        price = max(order.price, order.change) if order.kind in _PRICED else limit
        return self.cost(price * order.open)

    def cost(self, amount: int) -> int:
        rate = round(self.limits["commission"] * 100_000)
        return amount + amount * rate // 1_000_000 * 10

    def asked(self, intent: OrderIntent) -> Wanted:
        entry = intent.purpose is Purpose.ENTRY
        return Wanted(intent.strategy, intent.symbol, intent.side, intent.kind, intent.quantity, intent.price, entry)

    def changed(self, intent: ReplaceIntent) -> Wanted | None:
        """None where the order is not one that may be changed so."""
        order = self.order(intent.order)
        if order is None or order.dead or order.filled >= order.quantity or order.change:
            return None
        if not (order.accepted or order.filled) or order.strategy != intent.strategy or intent.quantity != order.open:
            return None
        if intent.price == order.price:
            return None
        terms = order.strategy, order.symbol, order.side, order.kind
        return Wanted(*terms, intent.quantity, intent.price, order.entry, order.number)


def allowed_sessions(naive: Naive, *, entry: bool) -> tuple[Session, ...]:
    own: tuple[Session, ...] = naive.limits["sessions"]
    return own if entry else (*own, *_FOR_EXITS)


def forbidden(naive: Naive, symbol: str) -> bool:
    marks: tuple[Designation, ...] = naive.limits["forbidden"]
    return symbol in naive.instruments and naive.instruments[symbol].designation in marks


def tick(price: int, market: Market) -> int:
    """Steps of prices as they are since 2023, fund steps as since December of it."""
    if market is Market.ETF:
        return 1 if price < 2_000 else 5
    for below, step in ((2_000, 1), (5_000, 5), (20_000, 10), (50_000, 50), (200_000, 100), (500_000, 500)):
        if price < below:
            return step
    return 1_000


def steps(start: int, count: int, market: Market) -> int:
    """The price so many steps away, walked one by one."""
    for _ in range(abs(count)):
        start = start + tick(start, market) if count > 0 else start - tick(start - 1, market)
    return start


def age(naive: Naive, symbol: str, now: int) -> Fraction:
    return Fraction(now - naive.seen[symbol].received if symbol in naive.seen else now, _SECOND)
