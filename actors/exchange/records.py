"""What the simulated exchange and broker answer when they are asked."""

import datetime as dt

from messages import Action, Instrument, Kind, Nanoseconds, Record, Session, Shares, Side, Symbol, Validity, Won


class Refusal(Record):
    """The broker's server said no before the order reached the exchange; there is no order number and no report."""

    code: str
    """Kiwoom's style: `00Z217`."""
    reason: str


class Halt(Record, forbid_unknown_fields=True):
    """A halt of an issue planned for the day, in Korean time; without an end it lasts to the close."""

    symbol: Symbol
    at: dt.time
    until: dt.time | None = None
    reason: str = ""


class BookSnapshot(Record):
    """Ten levels a side, best first; a level without orders is price 0, size 0.

    In a call auction it shows what would stay after matching at the expected price.
    """

    symbol: Symbol
    time: Nanoseconds
    ask_prices: tuple[int, ...]
    ask_sizes: tuple[int, ...]
    bid_prices: tuple[int, ...]
    bid_sizes: tuple[int, ...]
    ask_total: Shares
    bid_total: Shares
    expected_price: Won
    """Of the running auction, 0 outside."""
    expected_size: Shares


class Statistics(Record):
    """An issue's day so far; prices are 0 before the first print, `last` is then the base price."""

    instrument: Instrument
    session: Session
    halted: bool
    interrupted: bool
    """In a volatility interruption."""
    last: Won
    ask: Won
    bid: Won
    open: Won
    high: Won
    low: Won
    volume: Shares
    value: Won
    bought: Shares
    sold: Shares
    strength: float
    prints: int
    last_size: Shares
    time: Nanoseconds
    """Of the last print, 0 before it."""
    static_reference: Won
    interruptions: int


class ViRecord(Record):
    """One volatility interruption of the day; `ended` is 0 while it runs."""

    symbol: Symbol
    started: Nanoseconds
    release: Nanoseconds
    ended: Nanoseconds
    kind: str
    trigger_price: Won
    static_reference: Won
    dynamic_reference: Won
    upward: bool
    count: int


class Holding(Record):
    """Shares the account has; `cost` is what was paid for them without fees."""

    symbol: Symbol
    quantity: Shares
    sellable: Shares
    cost: Won
    last: Won
    bought_today: Shares
    sold_today: Shares
    overnight: Shares
    """Held at the start of the day."""


class OrderRecord(Record):
    """A request as the broker keeps it, whatever became of it."""

    number: str
    original: str
    first: str
    """모주문번호: the first of a chain of modifications, the order itself where there is none."""
    tag: str
    action: Action
    symbol: Symbol
    side: Side
    kind: Kind
    validity: Validity
    quantity: Shares
    price: Won
    open: Shares
    filled: Shares
    amount: Won
    commission: Won
    tax: Won
    status: str
    """접수, 체결, 확인, 거부."""
    sent: Nanoseconds
    time: Nanoseconds
    """Of the newest change."""
    reason: str


class FillRecord(Record):
    """One fill of ours, which only checks read."""

    fill: str
    number: str
    symbol: Symbol
    side: Side
    time: Nanoseconds
    price: Won
    quantity: Shares


class AccountState(Record):
    """Everything the broker knows of an account at this instant; money in won."""

    account: str
    time: Nanoseconds
    deposit: Won
    """예수금: today's trades not yet settled."""
    deposit_next: Won
    """d+1."""
    deposit_settled: Won
    """d+2추정예수금: today's trades, fees and tax counted."""
    reserved: Won
    """Bound by open buy orders, commission included."""
    orderable: Won
    """100%종목주문가능금액: what the broker checks an order against; sale proceeds count."""
    orderable_deposit: Won
    """주문가능금액: sale proceeds pay today's purchases, but add nothing beyond the deposit."""
    bought: Won
    sold: Won
    realised: Won
    """Of today's sales against their cost, before fees and tax."""
    commission: Won
    tax: Won
    holdings: tuple[Holding, ...]
    orders: tuple[OrderRecord, ...]
    """All requests of today, oldest first; open ones have `open` > 0."""
    fills: tuple[FillRecord, ...]
    earlier: tuple[OrderRecord, ...] = ()
    """All requests of the days before that are remembered, oldest first."""
