"""The life of an order, from intent to end.

    OrderIntent    > ApprovedOrder   | OrderRefused
    ReplaceIntent  > ApprovedReplace | OrderRefused
    ApprovedOrder  > OrderSubmitting > OrderSent | OrderRejected | OrderUnknown
    OrderSent      > OrderAccepted > OrderFilled* > OrderReplaced, OrderCanceled, OrderExpired
    CancelOrder    > OrderSubmitting > OrderSent > OrderCanceled | CancelRejected

An order is known by the number of its intent, for good: Kiwoom has no client order id, and its own
number comes late, changes with each modification and begins anew each day.
"""

from enum import StrEnum
from typing import ClassVar

from messages.base import Message, Record
from messages.instruments import Nanoseconds, Shares, Symbol, Venue, Won


class Side(StrEnum):
    """Buy or sell."""

    BUY = "buy"
    SELL = "sell"


class Kind(StrEnum):
    """How an order is priced; Kiwoom's name (호가구분) stands beside."""

    LIMIT = "limit"
    """지정가"""
    MARKET = "market"
    """시장가"""
    CONDITIONAL = "conditional"
    """조건부지정가: a limit that becomes market in the closing auction."""
    BEST = "best"
    """최유리지정가: the best price of the other side."""
    PRIORITY = "priority"
    """최우선지정가: the best price of the own side."""


class Validity(StrEnum):
    """How long an order stands."""

    DAY = "day"
    IOC = "immediate or cancel"
    FOK = "fill or kill"


class Purpose(StrEnum):
    """Whether an order adds exposure or lowers it; exits go first and pass where entries do not."""

    ENTRY = "entry"
    EXIT = "exit"


class Action(StrEnum):
    """What is asked of the broker."""

    NEW = "new"
    REPLACE = "replace"
    CANCEL = "cancel"


class Order(Message):
    """The terms of an order; `price` is 0 where the kind needs none."""

    key: ClassVar = ("symbol", "venue")
    symbol: Symbol
    venue: Venue = Venue.KRX
    side: Side
    quantity: Shares
    kind: Kind = Kind.LIMIT
    price: Won = Won(0)
    validity: Validity = Validity.DAY
    purpose: Purpose
    strategy: str
    """Whose lots: the strategy that asks, or whose position a guardian closes."""


class OrderIntent(Order):
    """A wish to trade. Its envelope's number is the order's number for ever."""

    command: ClassVar = True
    reason: str


class ReplaceIntent(Message):
    """A wish to change the price of all that is open of an order; Kiwoom would leave a rest at its old price."""

    command: ClassVar = True
    key: ClassVar = ("symbol", "venue")
    order: int
    symbol: Symbol
    venue: Venue = Venue.KRX
    quantity: Shares
    price: Won
    strategy: str
    reason: str


class Settlement(StrEnum):
    """How a person settles an order whose answer was lost."""

    FILLED = "filled"
    DEAD = "dead"
    """Nothing of it is open at the broker; what was filled before stays."""


class SettleOrder(Message):
    """A person decides an unknown order, having seen the broker's own screen; nobody else may."""

    command: ClassVar = True
    key: ClassVar = ("order",)
    order: int
    outcome: Settlement
    quantity: Shares = Shares(0)
    """Shares of the whole order that are filled, for FILLED; 0 for all that was asked for."""
    price: Won = Won(0)
    """Their average price, for FILLED; 0 for the price of a limit order."""
    by: str


class Evidence(Record):
    """The prices a decision of risk was made on."""

    last: Won = Won(0)
    ask: Won = Won(0)
    bid: Won = Won(0)
    time: Nanoseconds = Nanoseconds(0)
    """When the newest of them was received; 0 when there was none."""


class ApprovedOrder(Order):
    """Made by risk alone."""

    command: ClassVar = True
    core: ClassVar = True
    order: int
    evidence: Evidence


class ApprovedReplace(Message):
    """Made by risk alone."""

    command: ClassVar = True
    core: ClassVar = True
    key: ClassVar = ("symbol", "venue")
    number: int
    """Of the ReplaceIntent."""
    order: int
    symbol: Symbol
    venue: Venue = Venue.KRX
    quantity: Shares
    price: Won
    strategy: str
    evidence: Evidence


class OrderRefused(Message):
    """Risk said no: the rule, what it weighed, and where the limit lies."""

    key: ClassVar = ("symbol", "venue")
    order: int
    """Number of the refused intent."""
    symbol: Symbol
    venue: Venue = Venue.KRX
    strategy: str
    side: Side
    rule: str
    figures: dict[str, int | float | str]
    limit: int | float | str


class StrategyDisabled(Message):
    """A strategy asked for the same again and again: it enters no more, over restarts too, until a person resumes."""

    alarm: ClassVar = True
    key: ClassVar = ("strategy",)
    strategy: str
    symbol: Symbol
    venue: Venue = Venue.KRX
    repeats: int
    """Entries at one last price."""


class CancelOrder(Message):
    """Take an open order back. Needs no approval: it only lowers exposure."""

    command: ClassVar = True
    key: ClassVar = ("symbol", "venue")
    order: int
    symbol: Symbol
    venue: Venue = Venue.KRX
    strategy: str
    reason: str


class OrderEvent(Message):
    """Something that happened to an order of ours."""

    key: ClassVar = ("symbol", "venue")
    order: int
    symbol: Symbol
    venue: Venue = Venue.KRX
    strategy: str
    time: Nanoseconds
    """The broker's time where it gives one, otherwise ours."""


class OrderSubmitting(OrderEvent):
    """Durable before the wire: without this in the journal, it was never sent."""

    action: Action
    side: Side
    quantity: Shares
    kind: Kind
    price: Won
    validity: Validity
    request: int = 0
    """Number of the ReplaceIntent or CancelOrder; 0 for a new order."""


class OrderSent(OrderEvent):
    """The broker's interface took the request; the broker has not answered yet."""

    action: Action
    request: int = 0
    screen: str = ""


class OrderAccepted(OrderEvent):
    """The broker's server has the order (접수)."""

    broker_order: str


class OrderRejected(OrderEvent):
    """The order never lived: the interface or the server refused it."""

    reason: str
    code: int = 0


class OrderUnknown(OrderEvent):
    """The answer was lost. Never sent again; the broker's records will tell."""

    alarm: ClassVar = True
    reason: str
    screen: str = ""


class OrderFilled(OrderEvent):
    """A part or the whole of an order traded (체결)."""

    broker_order: str
    fill: str = ""
    """The broker's fill number (909), blank where it gives none."""
    side: Side
    price: Won
    quantity: Shares
    filled: Shares
    """Of the whole order, this fill included."""
    amount: Won
    """Sum of price x quantity of the whole order (903)."""
    open: Shares
    """Still to fill at the broker (902)."""
    commission: Won = Won(0)
    """Of the whole order so far (938)."""
    tax: Won = Won(0)
    """Of the whole order so far (939)."""
    source: str = "record"
    """record; jump / recovery where it was booked from a difference; person where somebody settled it, at a guess of
    its costs."""


class OrderReplaced(OrderEvent):
    """Price or quantity changed; the broker gave a new number."""

    broker_order: str
    original: str
    quantity: Shares
    """Still open under the new number."""
    price: Won


class OrderCanceled(OrderEvent):
    """The rest of the order is dead: by our wish, by the broker, or unfilled IOC/FOK."""

    broker_order: str
    canceled: Shares
    """Of the whole order so far."""
    reason: str = ""
    open: Shares = Shares(0)
    """Still to fill: a stranger may take back a part."""


class OrderExpired(OrderEvent):
    """The day ended with the order unfilled in part or whole."""

    broker_order: str
    expired: Shares


class CancelRejected(OrderEvent):
    """The broker would not cancel; usually the order was filled."""

    reason: str
    code: int = 0


class ReplaceRejected(OrderEvent):
    """The broker would not change the order; it stands as it was."""

    reason: str
    code: int = 0


class ExitDelayed(Message):
    """A holding that must go is still there after several attempts: a person must look."""

    alarm: ClassVar = True
    key: ClassVar = ("symbol", "venue")
    symbol: Symbol
    venue: Venue = Venue.KRX
    strategy: str
    left: Shares
    attempts: int
    reason: str
