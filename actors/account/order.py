"""One order of ours: what is known of it, in whatever order it became known."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from weakref import WeakValueDictionary

from actors.market import krx
from actors.market.time import kst
from messages import (
    Action,
    ApprovedOrder,
    CancelRejected,
    Kind,
    OrderAccepted,
    OrderCanceled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    OrderSent,
    OrderSubmitting,
    OrderUnknown,
    Purpose,
    ReplaceRejected,
    Shares,
    Side,
    Symbol,
    Validity,
    Venue,
)


class Phase(StrEnum):
    """Where an order stands."""

    APPROVED = "approved"
    SUBMITTING = "submitting"
    SENT = "sent"
    UNKNOWN = "unknown"
    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"


_ENDED = (Phase.FILLED, Phase.CANCELED, Phase.EXPIRED, Phase.REJECTED)


_UNCHANGED: Final[Mapping[str, tuple[str, int]]] = {}


@dataclass(slots=True, weakref_slot=True)
class Order:
    """Facts only ever add up, and the phase follows from all of them: no record comes too late, twice or too early.

    What it holds is never changed in place, so a copy has nothing in common with it.
    """

    number: int
    strategy: str
    symbol: Symbol
    venue: Venue
    side: Side
    kind: Kind
    validity: Validity
    purpose: Purpose
    quantity: Shares
    """What we asked for: completion is judged by it, whatever the broker shows."""
    price: int
    upper_limit: int
    """Priceless kinds bind cash at this price."""
    time: int
    """Of the newest record."""
    approval: int = 0
    """Number of the approval; 0 while it is only foreseen, or was never seen."""
    submitting: bool = False
    submitted: int = 0
    """When it was about to be sent."""
    submission: int = 0
    """Number of the message that said so."""
    sent: bool = False
    screen: str = ""
    """Of the gateway, on which it was sent: it stands in the broker's live records."""
    unknown: bool = False
    """The answer was lost, once."""
    rejected: bool = False
    canceling: bool = False
    """A cancel is with the broker, unanswered."""
    canceled: int = 0
    lapsed: int = 0
    """Shares the end of the day took."""
    expired: bool = False
    dead: bool = False
    """Canceled or expired."""
    broker_orders: tuple[str, ...] = ()
    """The broker's numbers, the one in force last."""
    numbered: int = 0
    """Number of the message that told the first of them."""
    changes: Mapping[str, tuple[str, int]] = field(default_factory=lambda: _UNCHANGED)
    """Those that came by a change, with the number before and the new price."""
    replacing: int = 0
    """Number of the approved change that the broker has not answered."""
    wanted_price: int = 0
    """The price that change wants."""
    changing: bool = False
    """That change is with the broker, or on its way."""
    filled: int = 0
    amount: int = 0
    commission: int = 0
    tax: int = 0
    heard: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Filled, amount, commission and tax as far as the broker's live records alone told."""

    phase: Phase = field(init=False)
    live: bool = field(init=False)
    """Whether it may still trade, as far as anyone knows."""
    open: Shares = field(init=False)
    """Still to fill; 0 once it is over."""
    bound: int = field(init=False)
    """Shares that may still trade or have traded unheard: what is open, or missing from the records of the end."""

    def __post_init__(self) -> None:
        self.review()

    @property
    def broker_order(self) -> str:
        """The broker's number in force; blank while it is not known."""
        return self.broker_orders[-1] if self.broker_orders else ""

    @property
    def began(self) -> int:
        """When it was about to be sent, or approved where it was not; 0 where nobody said."""
        return self.submitted or self.time

    @property
    def settled(self) -> bool:
        """Ended, and every share of it accounted for: no record is missing."""
        return not self.bound

    @property
    def reserve(self) -> int:
        """Won a share that the broker binds for a buy; the dearer price while a change is under way."""
        return krx.reserve_price(self.kind, max(self.price, self.wanted_price), self.upper_limit)

    def learn(self, event: OrderEvent) -> None:
        """Take in anything but a fill."""
        match event:
            case OrderAccepted():
                self.know(event.broker_order)
            case OrderReplaced():
                self.replaced(event)
            case OrderCanceled():
                self.know(event.broker_order)
                self.canceled = max(self.canceled, event.canceled)
                self.dead = self.dead or not event.open
            case OrderExpired():
                self.know(event.broker_order)
                self.lapsed, self.dead, self.expired = max(self.lapsed, event.expired), True, True
            case _:
                self._asked(event)
        self.review()

    def filled_to(self, quantity: int, amount: int) -> None:
        """The whole order has that many shares filled, for that amount."""
        self.filled, self.amount = quantity, amount
        self.review()

    def hear(self, fill: OrderFilled) -> None:
        """Remember what a live record said of the whole order."""
        filled, amount, commission, tax = self.heard
        self.heard = (
            max(filled, fill.filled),
            max(amount, fill.amount),
            max(commission, fill.commission),
            max(tax, fill.tax),
        )

    def review(self) -> None:
        """Draw the conclusions from the facts."""
        self.phase = self._phase()
        self.live = self.phase not in _ENDED
        left = max(self.quantity - self.filled - self.canceled - self.lapsed, 0)
        self.open = Shares(left if self.live else 0)
        self.bound = left if self.live or self.dead else 0

    def know(self, broker_order: str) -> None:
        """Bind it to a number of the broker's."""
        if broker_order and broker_order not in self.broker_orders:
            self.broker_orders += (broker_order,)
            self._line_up()

    def wants(self, number: int, price: int) -> None:
        """A change was approved: what is open shall stand at `price`."""
        self.replacing, self.wanted_price = number, price

    def replaced(self, event: OrderReplaced) -> None:
        """The broker moved what was open to a new number."""
        if event.broker_order in self.changes:
            return
        self.changes = {**self.changes, event.broker_order: (event.original, event.price)}
        self.know(event.original)
        self.know(event.broker_order)
        self._line_up()
        if self.broker_order in self.changes:
            self.price = self.changes[self.broker_order][1]
        self.stands()

    def stands(self) -> None:
        """No change is under way any more."""
        self.replacing = self.wanted_price = 0
        self.changing = False

    def _phase(self) -> Phase:
        if self.filled >= self.quantity:
            return Phase.FILLED
        if self.dead or (self.canceled and self.filled + self.canceled >= self.quantity):
            return Phase.EXPIRED if self.expired else Phase.CANCELED
        if self.broker_orders or self.filled:
            return Phase.OPEN
        if self.rejected:
            return Phase.REJECTED
        if self.unknown:
            return Phase.UNKNOWN
        if self.sent:
            return Phase.SENT
        return Phase.SUBMITTING if self.submitting else Phase.APPROVED

    def _asked(self, event: OrderEvent) -> None:
        match event:
            case OrderSubmitting():
                if event.action is Action.NEW:
                    self.submitting, self.submitted = True, max(self.submitted, event.time)
                self.canceling = self.canceling or event.action is Action.CANCEL
                self.changing = self.changing or event.action is Action.REPLACE
            case OrderSent():
                self._handed_over(event.screen if event.action is Action.NEW else "")
                self.sent = self.sent or event.action is Action.NEW
            case OrderUnknown():
                self._handed_over(event.screen)
                self.unknown, self.canceling = True, False
            case OrderRejected():
                self.rejected = True
            case CancelRejected():
                self.canceling = False
            case ReplaceRejected():
                self.stands()
            case _:
                raise TypeError(f"an order does not know {type(event).__name__}")

    def _handed_over(self, screen: str) -> None:
        if not self.broker_orders and not self.filled:
            self.screen = screen or self.screen

    def _line_up(self) -> None:
        """Each number behind the one it replaced; where that is not known, the broker's numbers rise."""
        line: list[str] = []
        for number in sorted(self.broker_orders, key=rank):
            before = [number]
            while (original := self.changes.get(before[-1], ("", 0))[0]) and original not in before:
                before.append(original)
            line += [one for one in reversed(before) if one not in line]
        self.broker_orders = tuple(line)


_settled: Final[WeakValueDictionary[tuple[int, int], Order]] = WeakValueDictionary()
"""By number and approval: a strategy numbers what it folds by itself."""


def shared(order: Order) -> Order:
    """The same order as another ledger of this process settled it, or this one for those to come.

    A day's orders would otherwise be held as often as there are keepers of a ledger.
    """
    key = order.number, order.approval
    known = _settled.get(key)
    if known is not None and known == order:
        return known
    _settled[key] = order
    return order


def approved(approval: ApprovedOrder, number: int, upper_limit: int) -> Order:
    """A new order from its approval."""
    return Order(
        number=approval.order,
        strategy=approval.strategy,
        symbol=approval.symbol,
        venue=approval.venue,
        side=approval.side,
        kind=approval.kind,
        validity=approval.validity,
        purpose=approval.purpose,
        quantity=approval.quantity,
        price=approval.price,
        upper_limit=upper_limit or max(approval.evidence.last, approval.evidence.ask),
        time=approval.evidence.time,
        approval=number,
    )


def rank(broker_order: str) -> tuple[int, str]:
    """Puts the broker's numbers of one day in the order in which it gave them."""
    return len(broker_order), broker_order


def of_its_day(time: int, broker_order: str) -> tuple[str, str]:
    """What tells the broker's numbers apart, which begin anew each Korean day."""
    return kst(time).date().isoformat(), broker_order


def unheard_of(fill: OrderFilled) -> Order:
    """An order known by nothing but a fill: it is booked all the same."""
    return Order(
        number=fill.order,
        strategy=fill.strategy,
        symbol=fill.symbol,
        venue=fill.venue,
        side=fill.side,
        kind=Kind.LIMIT,
        validity=Validity.DAY,
        purpose=Purpose.ENTRY if fill.side is Side.BUY else Purpose.EXIT,
        quantity=Shares(fill.filled + fill.open),
        price=fill.price,
        upper_limit=fill.price,
        time=fill.time,
    )
