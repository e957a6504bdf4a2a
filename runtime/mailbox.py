"""A mailbox: an asyncio queue with a bound, two lanes and counts that add up."""

import asyncio
from collections import deque
from collections.abc import Callable, Collection
from operator import attrgetter
from typing import Any

import msgspec

from messages import Message, Overflow
from runtime.envelope import Envelope

MARKET_BOUND = 65_536
ORDER_BOUND = 16_384
ORDER_STREAK = 32
"""Order messages in a row before a market message gets its turn: risk must not weigh orders on stale prices."""

Key = tuple[object, ...]
Cell = list[Any]
"""An envelope and its key: a place in the market lane whose content may be replaced while it waits."""


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
        self.patient = False
        """Served when no other mailbox waits, or once a turn."""
        self.held = False
        """Skipped by the pump while a handler waits for the outside."""
        self.orders: deque[Envelope] = deque()
        self.market: deque[Envelope | Cell] = deque()
        self.waiting: dict[Key, Cell] = {}
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
        if not self.scheduled:
            self.ready(self)

    def put_conflating(self, envelope: Envelope) -> None:
        """Replace the waiting predecessor only when the lane is full."""
        key = key_of(envelope.message)
        if len(self.market) >= self.market_bound:
            cell = self.waiting.get(key)
            if cell is None:
                self.refuse(envelope)
            else:
                cell[0] = envelope
                self.conflated += 1
            return
        self._lay(key, envelope)

    def put_latest(self, envelope: Envelope) -> None:
        """Replace the waiting predecessor, whether the lane is full or not."""
        key = key_of(envelope.message)
        cell = self.waiting.get(key)
        if cell is not None:
            cell[0] = envelope
            self.conflated += 1
        elif len(self.market) >= self.market_bound:
            self.refuse(envelope)
        else:
            self._lay(key, envelope)

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
        """The next message: order lane first, but after a streak of orders one of the market."""
        orders, market = self.orders, self.market
        if orders and (self.streak < ORDER_STREAK or not market):
            self.streak += 1
            self.taken += 1
            return orders.popleft()
        if not market:
            raise asyncio.QueueEmpty
        self.streak = 0
        self.taken += 1
        item = market.popleft()
        if type(item) is not list:
            return item  # type: ignore[return-value]
        envelope, key = item
        if self.waiting.get(key) is item:
            del self.waiting[key]
        return envelope

    def forget(self, numbers: Collection[int]) -> None:
        """Drop order messages whose effect is already known: they count as conflated."""
        kept = [envelope for envelope in self.orders if envelope.number not in numbers]
        self.conflated += len(self.orders) - len(kept)
        self.orders.clear()
        self.orders.extend(kept)

    def clear(self) -> None:
        """Nobody will take what waits: it counts as refused."""
        self.held = self.scheduled = False
        self.refused += self.qsize()
        self.orders.clear()
        self.market.clear()
        self.waiting.clear()

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
            heads.append(first[0] if isinstance(first, list) else first)
        return min(heads, key=lambda envelope: envelope.number, default=None)

    def _lay(self, key: Key, envelope: Envelope) -> None:
        self.waiting[key] = cell = [envelope, key]
        self.market.append(cell)
        if not self.scheduled:
            self.ready(self)


class _Getters(dict[type[Message], Callable[[Any], Any]]):
    def __missing__(self, kind: type[Message]) -> Callable[[Any], Any]:
        getter = self[kind] = attrgetter(*kind.key) if kind.key else _nothing
        return getter


_getters = _Getters()


def key_of(message: Message) -> Key:
    """What identifies the subject of a message, its class included."""
    kind = type(message)
    return kind, _getters[kind](message)


def subject_of(message: Message) -> str:
    """The first field of the key, or the class where there is no key."""
    kind = type(message)
    return str(getattr(message, kind.key[0])) if kind.key else kind.__name__


def _nothing(_: Message) -> None:
    return None
