"""What the simulated exchange says, in exact order: market events and reports on our own orders."""

from enum import StrEnum

from messages import Action, Aggressor, Kind, Nanoseconds, Record, Session, Shares, Side, Symbol, Validity, ViKind, Won


class Print(Record):
    """One match, with the day's figures after it; an auction is a single print of its whole volume."""

    symbol: Symbol
    time: Nanoseconds
    price: Won
    size: Shares
    side: Aggressor
    volume: Shares
    value: Won
    """Exact won, not Kiwoom's millions."""
    ask: Won
    bid: Won
    open: Won
    high: Won
    low: Won
    strength: float
    """체결강도; 0 while nothing was sold."""


class BookChanged(Record):
    """The book of an issue changed since the last slice; ask `Exchange.book` for it."""

    symbol: Symbol
    time: Nanoseconds


class AuctionEstimate(Record):
    """What the running call auction would give now; price 0, size 0 where nothing would match."""

    symbol: Symbol
    time: Nanoseconds
    price: Won
    size: Shares


class AfterHoursWaiting(Record):
    """What waits to trade at the close's price, once that trades; one side is always 0."""

    symbol: Symbol
    time: Nanoseconds
    asks: Shares
    bids: Shares


class PhaseChanged(Record):
    """The market entered a session, or announces the next one in `remaining` seconds."""

    time: Nanoseconds
    session: Session
    code: str
    """Kiwoom's value of FID 215."""
    remaining: int = 0


class ViStarted(Record):
    """A volatility interruption began; the order that caused it waits in the auction."""

    symbol: Symbol
    time: Nanoseconds
    kind: ViKind
    trigger_price: Won
    static_reference: Won
    dynamic_reference: Won
    upward: bool
    count: int
    release: Nanoseconds
    """When the auction will end, its random part included (Kiwoom's first record names a time as well)."""


class ViEnded(Record):
    """The interruption is over; `price` is the auction's and the new static reference, 0 where nothing matched."""

    symbol: Symbol
    time: Nanoseconds
    started: ViStarted
    price: Won


class Halted(Record):
    """Trading of an issue stopped or resumed."""

    symbol: Symbol
    time: Nanoseconds
    halted: bool
    reason: str = ""


class Report(StrEnum):
    """What a record on one of our orders says."""

    ACCEPTED = "accepted"
    """접수 of a new order, a modification or a cancellation, each under its own number."""
    FILLED = "filled"
    REPLACED = "replaced"
    """확인: from here fills come under this number."""
    CANCELED = "canceled"
    """확인 of a cancellation, or (action NEW) the unfilled rest of an IOC/FOK order died."""
    CLEARED = "cleared"
    """미체결클리어: the original of a modification or cancellation; `open` is what still rests under it."""
    REJECTED = "rejected"
    """The request reached the exchange and was refused there; `reason` says why."""
    EXPIRED = "expired"
    """The day ended with this much unfilled; Kiwoom sends nothing then."""


class OrderReport(Record):
    """One record on one request of ours; money is of this order number, today."""

    time: Nanoseconds
    account: str
    report: Report
    action: Action
    number: str
    original: str
    """The number this request modifies or cancels, blank for a new order."""
    tag: str
    """What the client gave when it asked (its screen number)."""
    symbol: Symbol
    side: Side
    kind: Kind
    validity: Validity
    quantity: Shares
    """Of the request: ordered, moved to the new price, or asked to be canceled."""
    price: Won
    """Of the request, 0 for kinds without one."""
    open: Shares
    """Still to fill under this number."""
    filled: Shares = Shares(0)
    amount: Won = Won(0)
    """Sum of price x quantity of this number's fills."""
    commission: Won = Won(0)
    tax: Won = Won(0)
    fill: str = ""
    """Fill number; blank unless the report is FILLED."""
    fill_price: Won = Won(0)
    fill_quantity: Shares = Shares(0)
    canceled: Shares = Shares(0)
    """With CANCELED: how many died. With EXPIRED: how many went unfilled."""
    reason: str = ""


class DayEnded(Record):
    """Nothing comes after this."""

    time: Nanoseconds
    prints: int
    orders: int


ExchangeEvent = (
    Print
    | BookChanged
    | AuctionEstimate
    | AfterHoursWaiting
    | PhaseChanged
    | ViStarted
    | ViEnded
    | Halted
    | OrderReport
    | DayEnded
)
