"""A mailbox: an asyncio queue with a bound, two lanes and counts that add up."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection

import msgspec

from messages import Message, Overflow
from runtime.envelope import Envelope

MARKET_BOUND = 65_536
ORDER_BOUND = 16_384
ORDER_STREAK = 32
"""Order messages in a row before a market message gets its turn."""


class OrderLaneFull(Exception):
    """More order messages wait than may: the system halts and stops."""


class Statistics(msgspec.Struct, frozen=True, kw_only=True):
    """offered = handled + conflated + refused + depth, at any time."""

    offered: int
    handled: int
    conflated: int
    refused: int
    depth: int
    high_water: int
    oldest: float
    """Seconds the longest waiting message has waited."""


class Mailbox(asyncio.Queue[Envelope]):
    """Two bounded lanes for one actor; the pump alone takes from it.

    `ready` is called when a message is laid into an empty, idle mailbox, `overflowed` when the
    market lane refuses a message that may not be thinned.
    """

    def __init__(
        self,
        name: str,
        ready: Callable[["Mailbox"], None],
        overflowed: Callable[["Mailbox", Message], None],
        *,
        market_bound: int = MARKET_BOUND,
        order_bound: int = ORDER_BOUND,
    ) -> None:
        super().__init__(market_bound + order_bound)
        self.name = name
        self.scheduled = False
        """In the pump's line, or held."""
        self.hurried = False
        """In the pump's line of those with orders, or held, or in no need of it."""
        self.patient = False
        """Served when no other mailbox waits, or once a turn."""
        self.held = False
        """Skipped by the pump while a handler waits for the outside."""
        self.weighs: frozenset[type[Message]] = frozenset()
        """Orders that stand behind the market lane: they are decided by its prices."""
        self.orders: deque[Envelope] = deque()
        self.market: deque[Envelope | Newest | Place] = deque()
        self.streak = 0
        self.conflated = self.refused = self.taken = self.high_water = 0
        self.gaps: dict[str, int] = {}
        self.market_bound = market_bound
        self._order_bound = order_bound
        self.ready = ready
        self._overflowed = overflowed

    def qsize(self) -> int:
        return len(self.orders) + len(self.market)

    def empty(self) -> bool:
        return not self.orders and not self.market

    def full(self) -> bool:
        return len(self.market) >= self.market_bound or len(self.orders) >= self._order_bound

    def put_order(self, envelope: Envelope) -> None:
        if len(self.orders) >= self._order_bound:
            raise OrderLaneFull(f"{self.name}: {self._order_bound} order messages wait")
        self.orders.append(envelope)
        if not self.hurried:
            self.ready(self)

    @property
    def pressing(self) -> int:
        """Messages of the order lane; where one to be weighed is first, it alone and the market it stands behind."""
        orders = self.orders
        return len(self.market) + 1 if orders and type(orders[0].message) in self.weighs else len(orders)

    def make_room(self) -> None:
        """The end of a run tells more, and finds room where the lane is full already."""
        self._order_bound += ORDER_BOUND

    def hold(self) -> None:
        """A handler waits for the outside: nothing is taken meanwhile."""
        self.held = self.scheduled = self.hurried = True

    def release(self) -> None:
        """Out of every line, whatever waits."""
        self.held = self.scheduled = self.hurried = False

    def note_depth(self) -> None:
        depth = len(self.orders) + len(self.market)
        if depth > self.high_water:  # noqa: PLR1730 - a call of max() costs thrice as much
            self.high_water = depth

    def refuse(self, envelope: Envelope) -> None:
        """The market lane is full: count the loss, say so once per subject, or stop the system."""
        self.refused += 1
        message = envelope.message
        if type(message).overflow is Overflow.STOP:
            raise OrderLaneFull(f"{self.name}: {type(message).__name__} finds {len(self.market)} messages waiting")
        subject = subject_of(message)
        self.gaps[subject] = self.gaps.get(subject, 0) + 1
        if self.gaps[subject] == 1:
            self._overflowed(self, message)

    def put_nowait(self, item: Envelope) -> None:
        self.put_order(item)

    def get_nowait(self) -> Envelope:
        """The next message: order lane first, but after a streak, or before one to be weighed, one of the market."""
        orders, market = self.orders, self.market
        if orders and (not market or (self.streak < ORDER_STREAK and type(orders[0].message) not in self.weighs)):
            self.streak += 1
            self.taken += 1
            return orders.popleft()
        if not market:
            raise asyncio.QueueEmpty
        self.streak = 0
        self.taken += 1
        item = market.popleft()
        return item if type(item) is Envelope else item.take()

    def forget(self, numbers: Collection[int]) -> None:
        """Drop order messages whose effect is already known: they count as conflated."""
        kept = [envelope for envelope in self.orders if envelope.number not in numbers]
        self.conflated += len(self.orders) - len(kept)
        self.orders.clear()
        self.orders.extend(kept)

    def clear(self) -> None:
        """Nobody will take what waits: it counts as refused."""
        self.release()
        self.refused += self.qsize()
        self.orders.clear()
        while self.market:
            item = self.market.popleft()
            if not isinstance(item, Envelope):
                item.take()

    def statistics(self, now: int) -> Statistics:
        """`now` in nanoseconds of the system's clock."""
        depth = self.qsize()
        return Statistics(
            offered=self.taken + depth + self.conflated + self.refused,
            handled=self.taken,
            conflated=self.conflated,
            refused=self.refused,
            depth=depth,
            high_water=max(self.high_water, depth),
            oldest=max((now - head.time) / 1e9, 0.0) if (head := self._oldest()) else 0.0,
        )

    def _oldest(self) -> Envelope | None:
        heads = [self.orders[0]] if self.orders else []
        if self.market:
            first = self.market[0]
            heads.append(first if isinstance(first, Envelope) else first.waiting)
        return min(heads, key=lambda envelope: envelope.number, default=None)


class Newest:
    """The one message about a subject that waits for a taker who wants no older one."""

    __slots__ = ("_envelope", "_mailbox")

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._envelope: Envelope | None = None

    @property
    def waiting(self) -> Envelope:
        assert self._envelope is not None
        return self._envelope

    def put(self, envelope: Envelope) -> None:
        """Replace the waiting predecessor, which keeps its place, or take a place."""
        if self._envelope is not None:
            self._envelope = envelope
            self._mailbox.conflated += 1
            return
        mailbox = self._mailbox
        market = mailbox.market
        if len(market) >= mailbox.market_bound:
            mailbox.refuse(envelope)
            return
        self._envelope = envelope
        market.append(self)
        if not mailbox.scheduled:
            mailbox.ready(mailbox)

    def take(self) -> Envelope:
        envelope, self._envelope = self._envelope, None
        return envelope  # type: ignore[return-value]


class Place(msgspec.Struct, gc=False):
    """One message's place in line; its content may be replaced while it waits."""

    waiting: Envelope
    tail: "Tail"

    def take(self) -> Envelope:
        if self.tail.place is self:
            self.tail.place = None
        return self.waiting


class Tail:
    """The last message about a subject that waits for a taker who wants all of them, as long as there is room."""

    __slots__ = ("_mailbox", "place")

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self.place: Place | None = None

    def put(self, envelope: Envelope) -> None:
        """Take a place; where the lane is full, replace the waiting predecessor."""
        mailbox = self._mailbox
        market = mailbox.market
        if len(market) < mailbox.market_bound:
            self.place = place = Place(envelope, self)
            market.append(place)
            if not mailbox.scheduled:
                mailbox.ready(mailbox)
        elif self.place is None:
            mailbox.refuse(envelope)
        else:
            self.place.waiting = envelope
            mailbox.conflated += 1


def subject_of(message: Message) -> str:
    """The first field of the key, or the class where there is no key."""
    kind = type(message)
    return str(getattr(message, kind.key[0])) if kind.key else kind.__name__
