"""The port: what a gateway must do, whichever broker or recording stands behind it.

A gateway is an async context manager: entering it connects, leaving it disconnects.
Prices are pulled in batches, so a replay paces itself; order events are pushed, so none is lost.
"""

import datetime as dt
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Sequence
from enum import IntEnum, StrEnum
from typing import Protocol, runtime_checkable

from messages import (
    Action,
    AfterHoursBook,
    Bar,
    BestQuote,
    Condition,
    ConditionEntered,
    ConditionLeft,
    ExpectedPrice,
    ExternalOrderSeen,
    FeedEnded,
    FeedLost,
    FeedRestored,
    IndexTick,
    Instrument,
    InstrumentHalted,
    Kind,
    LinkLost,
    LinkRestored,
    Nanoseconds,
    OrderBook,
    OrderEvent,
    Ranked,
    ReconciliationWanted,
    Record,
    SessionChanged,
    Shares,
    Side,
    Symbol,
    Tick,
    Validity,
    Venue,
    ViReleased,
    ViTriggered,
    Won,
)

FeedMessage = (
    Tick
    | OrderBook
    | BestQuote
    | AfterHoursBook
    | ExpectedPrice
    | IndexTick
    | Bar
    | SessionChanged
    | ViTriggered
    | ViReleased
    | InstrumentHalted
    | ConditionEntered
    | ConditionLeft
    | FeedLost
    | FeedRestored
    | FeedEnded
    | Instrument
)
"""An Instrument among them is what is known better by now of one that `instruments` gave."""
BrokerReport = OrderEvent | ExternalOrderSeen | LinkLost | LinkRestored | ReconciliationWanted


class Urgency(IntEnum):
    """Classes of the pacer, the most urgent first."""

    CANCEL = 0
    EXIT = 1
    ENTRY = 2
    QUERY = 3
    BACKFILL = 4


class Outcome(StrEnum):
    """What became of a request at the broker's interface."""

    SENT = "sent"
    LATER = "later"
    """Not sent, and may be asked again: an overload."""
    NEVER = "never"
    """Not sent, and asking again would give the same."""
    UNKNOWN = "unknown"
    """Perhaps sent."""
    HALT = "halt"
    """Not sent, and nothing else will be: login, account or password."""


class SendResult(Record):
    """The interface's answer to one request, in words a person can act on."""

    outcome: Outcome
    reason: str = ""
    code: int = 0
    screen: str = ""


class Instruction(Record):
    """One request to the broker about one order of ours."""

    order: int
    """Number of the order's intent."""
    action: Action
    request: int = 0
    """Number of the ReplaceIntent or CancelOrder; 0 for a new order."""
    strategy: str
    symbol: Symbol
    venue: Venue = Venue.KRX
    side: Side
    kind: Kind
    validity: Validity
    quantity: Shares
    """To buy or sell; to cancel or to move to the new price."""
    price: Won
    broker_order: str = ""
    """The order to replace or cancel."""


class KnownOrder(Record):
    """An order of today in the journal, over or not, for a gateway that has just connected."""

    order: int
    broker_order: str
    """Blank while the broker's number is not known."""
    strategy: str
    symbol: Symbol
    venue: Venue = Venue.KRX
    side: Side
    quantity: Shares
    price: Won
    filled: Shares = Shares(0)
    amount: Won = Won(0)
    commission: Won = Won(0)
    tax: Won = Won(0)
    dead: Shares = Shares(0)
    """Taken back or expired: records of it may still come."""
    earlier: tuple[str, ...] = ()
    """The broker's numbers it had before a change."""
    screen: str = ""
    """On which it was sent; blank where the journal does not say."""


class BrokerPosition(Record):
    """A holding as the broker's own list has it."""

    symbol: Symbol
    quantity: Shares
    average_price: Won
    """매입가, rounded by the broker."""
    cost: Won
    """매입금액."""
    last: Won


class BrokerOrder(Record):
    """An order of today as the broker's own lists have it."""

    broker_order: str
    original: str = ""
    symbol: Symbol
    side: Side
    quantity: Shares
    price: Won
    open: Shares
    filled: Shares
    amount: Won
    """Sum of price x quantity of its fills."""
    commission: Won = Won(0)
    tax: Won = Won(0)
    time: Nanoseconds
    status: str
    """접수, 체결, 확인, 취소, 거부."""


class BrokerState(Record):
    """Everything the broker says of an account, read to the last page."""

    time: Nanoseconds
    cash: Won
    """Deposit counting today's trades as settled (d+2추정예수금)."""
    orderable: Won
    """주문가능금액."""
    positions: tuple[BrokerPosition, ...]
    orders: tuple[BrokerOrder, ...]
    since: Nanoseconds = Nanoseconds(0)
    """When the first part of it was asked for: what traded from then on may be in one part and not in another.

    0 where all of it is of one moment.
    """


class Page(Record):
    """One answer of a chart query, oldest bar first."""

    symbol: Symbol
    interval: int
    bars: tuple[Bar, ...]
    last: bool
    """Nothing older is offered."""
    since: Nanoseconds = Nanoseconds(0)
    """From here on, and before `until`, every bar that has trades is in `bars`; both alike say nothing."""
    until: Nanoseconds = Nanoseconds(0)
    holes: tuple[tuple[Nanoseconds, Nanoseconds], ...] = ()
    """Stretches from and before, within these, in which a row could not be read."""
    newest: bool = True
    """The first page of its paging: whatever came before was paged anew from here."""
    rows: int = 0
    digest: str = ""
    """SHA-256 of the answer's rows as they came."""


class Found(Record):
    """What a condition search of the broker matches now."""

    symbols: tuple[Symbol, ...]
    live: bool
    """Whether the feed tells from here on who enters and who leaves; otherwise ask again."""


class Feed(Protocol):
    """Where prices come from."""

    def watch(self, trades: Collection[Symbol], books: Collection[Symbol]) -> None:
        """Want exactly these codes from now on; the whole set each time, idempotent, never waits."""
        ...

    def stream(self) -> AsyncIterator[Sequence[FeedMessage]]:
        """Batches in the order received; ends after a FeedEnded."""
        ...


class Reference(Protocol):
    """Questions that are not about an account."""

    async def instruments(self, symbols: Collection[Symbol]) -> Sequence[Instrument]:
        """Today's data of these codes, of all known ones where `symbols` is empty; unknown codes are left out."""
        ...

    async def ranking(self, count: int) -> Sequence[Ranked]:
        """The first `count` issues by trading value of the day."""
        ...


class Searching(Protocol):
    """A broker that keeps condition searches a person saved; the feed tells who enters and leaves a followed one."""

    async def conditions(self) -> Sequence[Condition]:
        """What is saved."""
        ...

    async def search(self, condition: str, *, live: bool) -> Found:
        """Ask a condition search by its name, once or to be followed. Raises TimeoutError or ConnectionError."""
        ...


class Broker(Protocol):
    """Where orders go."""

    async def open(self, report: Callable[[BrokerReport], None], known: Sequence[KnownOrder]) -> None:
        """Report every order event from now on, binding records of `known` orders to their numbers."""
        ...

    def learn(self, order: int, broker_order: str) -> None:
        """Bind records to an order whose answer was lost, as its lists told; a blank number: it never had one."""
        ...

    async def turn(self, urgency: Urgency) -> None:
        """Wait until the broker's limits allow one order request of this urgency."""
        ...

    def send(self, instruction: Instruction) -> SendResult:
        """Hand the request to the broker's interface; its answer arrives as a report."""
        ...

    async def state(self) -> BrokerState:
        """Ask for the account, to the last page. Raises TimeoutError or ConnectionError."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """A broker that tells the orders of earlier days too."""

    async def orders_of(self, day: dt.date) -> Sequence[BrokerOrder]:
        """Everything ordered on that Korean day, to the last page; empty where it is forgotten.

        Raises TimeoutError or ConnectionError.
        """
        ...


class Archive(Protocol):
    """Where charts come from."""

    def bars(
        self, symbol: Symbol, interval: int, since: Nanoseconds, until: Nanoseconds | None = None
    ) -> AsyncGenerator[Page, None]:
        """Pages of bars, newest page first, until one reaches back to `since`.

        They begin at the newest bar of all; those of days, where `until` is given, at the bar of that instant's day.
        A page that had to be asked anew comes anew.
        """
        ...
