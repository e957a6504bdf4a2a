"""What is owned, and how it was squared with the broker."""

from typing import ClassVar

from messages.base import Message, Record
from messages.instruments import Market, Nanoseconds, Shares, Symbol, Venue, Won


class Position(Record):
    """A holding of one issue."""

    symbol: Symbol
    venue: Venue = Venue.KRX
    quantity: Shares
    cost: Won
    """What was paid for it, without fees: average price = cost / quantity, nothing rounded away."""
    last: Won = Won(0)
    """Newest price, 0 when none came yet."""
    foreign: Shares = Shares(0)
    """Shares of `quantity` that no strategy of ours bought."""


class AccountChanged(Message):
    """The whole account after an order event, for display; nobody decides on it."""

    key: ClassVar = ()
    journalled: ClassVar = False
    time: Nanoseconds
    cash: Won
    """Deposit counting today's trades as settled."""
    reserved: Won
    """Bound by open and unknown buy orders."""
    positions: tuple[Position, ...]
    realised: Won
    """Of closed trades, before fees and tax."""
    unrealised: Won
    commission: Won
    tax: Won
    equity: Won
    """cash + positions at the newest price."""


class PositionAdjusted(Message):
    """A holding changed without an order of ours: found at reconciliation, a split, a dividend, a person."""

    alarm: ClassVar = True
    key: ClassVar = ("symbol", "venue")
    symbol: Symbol
    venue: Venue = Venue.KRX
    time: Nanoseconds
    quantity: Shares
    """The new holding."""
    cost: Won
    cash: Won
    """Change of cash that came with it."""
    reason: str


class CashAdjusted(Message):
    """Cash changed without a trade: a deposit, a dividend, interest, a charge; found at reconciliation."""

    time: Nanoseconds
    cash: Won
    """The change."""
    reason: str
    costs: bool = False
    """It is no more than the day's trades may have cost beyond what was told: a loss, and not money taken out."""


class ExternalOrderSeen(Message):
    """An order nobody here placed shows in our account."""

    key: ClassVar = ("symbol", "venue")
    symbol: Symbol
    venue: Venue = Venue.KRX
    time: Nanoseconds
    broker_order: str
    description: str


class Reconciled(Message):
    """Journal and broker were compared; the figures are the broker's.

    The first one takes the account over as it is. Later ones change nothing by themselves: what they found
    was booked before, message by message.
    """

    time: Nanoseconds
    cash: Won
    positions: tuple[Position, ...]
    open_orders: int
    differences: tuple[str, ...]
    """A line each; empty when everything agreed."""
    start: bool = False
    """True for the one at start, before which nobody trades."""
    ordered: tuple[Symbol, ...] = ()
    """Codes as they are watched, venue included, in which an order of ours may still trade; earlier runs' as well."""


class DayMatched(Message):
    """Journal, live records and the broker's statement were held against each other at the end of the day."""

    time: Nanoseconds
    orders: int
    fills: int
    """Orders of ours with a fill."""
    differences: tuple[str, ...]
    """A line each, the kind first; empty when all three agree to the won."""
    unexplained: Won
    """What no named difference accounts for."""


class EquityPeaked(Message):
    """The day's equity is higher than it ever was, by enough to be remembered over a restart."""

    time: Nanoseconds
    equity: Won


class HoldingPeaked(Message):
    """The price of a holding is higher than it ever was since it is held: a trailing stop remembers it for ever."""

    key: ClassVar = ("symbol", "venue")
    symbol: Symbol
    venue: Venue = Venue.KRX
    strategy: str
    """Whose holding."""
    since: int
    """Number of the message that began it: the peak of a holding says nothing of the next one."""
    time: Nanoseconds
    price: Won


class LedgerFolded(Message):
    """A keeper of a ledger folded all up to a reconciliation; the digests of all copies must be equal."""

    reconciliation: int
    """Number of the Reconciled."""
    digest: str


class CarriedHolding(Record):
    """Shares of one owner in one issue, in the figures that their cost is counted from."""

    symbol: Symbol
    owner: str
    """Blank for shares that no strategy of ours bought."""
    quantity: Shares
    """At the last change of direction; negative where more was sold than is known to have been held."""
    cost: Won
    """Of these."""
    closed: Shares
    """How many of them went since."""
    result: Won
    since: int
    """Number of the message that began it."""


class CarriedIssue(Record):
    """What was told of an issue that is held; 0 and None where nothing was."""

    symbol: Symbol
    market: Market | None
    upper_limit: Won
    last: Won


class LedgerCarried(Message):
    """All that a ledger holds at a reconciliation without an order of its day: a later start reads on from there."""

    reconciliation: int
    """Number of the Reconciled."""
    day: str
    """The Korean date, as YYYY-MM-DD."""
    cash: Won
    opening: Won
    high: Won
    realised: Won
    commission: Won
    tax: Won
    losers: int
    holdings: tuple[CarriedHolding, ...]
    issues: tuple[CarriedIssue, ...]
    """Those of the holdings."""
    strangers: tuple[tuple[str, str, int], ...]
    """Orders nobody here placed: date, the broker's number, number of the message that told."""


class CarriedPeak(Record):
    """How high a holding stood since it began."""

    symbol: Symbol
    strategy: str
    since: int
    price: Won


class PeaksCarried(Message):
    """What a guardian remembers at a reconciliation with nothing on its way out: a later start reads on from there."""

    reconciliation: int
    day: str
    """The Korean date, as YYYY-MM-DD."""
    peaks: tuple[CarriedPeak, ...]
    """Of what is held."""
    equity: Won
    """The highest of the day that was said; 0 where none was."""


class ActivityCarried(Message):
    """What risk remembers at a reconciliation before the day's first request: a later start reads on from there."""

    reconciliation: int
    day: str
    """The Korean date, as YYYY-MM-DD."""
    disabled: dict[str, str]
    """Strategies that may not enter until a person resumes, and the code they repeated themselves in."""
