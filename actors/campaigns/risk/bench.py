"""The real risk on a workbench: its handlers called as the pump calls them, without a bus, a loop or a disk."""

from collections import deque
from collections.abc import AsyncIterator, Callable
from importlib import import_module
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final, cast

import structlog

from messages import ApprovedOrder, ApprovedReplace, Message, OrderRefused
from runtime.actor import Actor, Desk, handlers
from runtime.bus import concrete
from runtime.clock import SteppedClock
from runtime.disk.chain import Kept
from runtime.envelope import Envelope

if TYPE_CHECKING:
    from runtime.actor import Office

BEGIN: Final = 1_756_778_400 * 1_000_000_000
"""2025-09-02 11:00:00 KST, a trading day."""


class Bench:
    """One queue, one clock, one actor; and its answer to the last order. Risk asks nothing else of its office."""

    def __init__(self, limits: dict[str, Any]) -> None:
        self._clock = SteppedClock(BEGIN)
        self._queue: deque[Envelope] = deque()
        self._number = 1 << 40
        self._current: Envelope | None = None
        self.answer: Message | None = None
        keys = {key: value for key, value in limits.items() if key not in ("sessions", "forbidden")}
        self._risk: Actor = import_module("actors.risk").Risk(_Nothing(), **keys)
        log = structlog.wrap_logger(structlog.ReturnLogger())
        self._risk.desk = Desk("risk", self._clock, Random(1), log, Path(), cast("Office", self))
        self._handlers: dict[type[Message], Callable[[Message], object]] = {
            kind: getattr(self._risk, handler.name)
            for handler in handlers(type(self._risk))
            for declared in handler.types
            for kind in concrete(declared)
        }

    @property
    def now(self) -> int:
        return self._clock.now()

    @property
    def envelope(self) -> Envelope | None:
        return self._current

    async def start(self) -> None:
        work = self._risk.on_start()
        if work is not None:
            await work

    def advance(self, nanoseconds: int) -> None:
        self._clock.advance(self.now + nanoseconds)

    def tell(self, message: Message, source: str = "strategy") -> int:
        """Put a message in line; returns its number."""
        self._number += 1
        self._queue.append(Envelope(self._number, self.now, source, 0, message))
        return self._number

    def next(self) -> Message | None:
        """What is handled next."""
        return self._queue[0].message if self._queue else None

    def handle(self) -> None:
        self._current = self._queue.popleft()
        self._handlers[type(self._current.message)](self._current.message)

    def keep_warm(self) -> None:
        """What the pump asks for at any time, and which must make no difference."""
        self._risk.keep_warm()

    def publish(self, message: Message) -> int:
        if isinstance(message, ApprovedOrder | ApprovedReplace | OrderRefused):
            self.answer = message
        if type(message) in self._handlers:
            return self.tell(message, "risk")
        self._number += 1
        return self._number


class _Nothing:
    """The journal of a first day."""

    async def read(self, first: int = 0, types: tuple[type[Message], ...] = ()) -> AsyncIterator[Envelope]:
        del first, types
        for envelope in ():
            yield envelope

    async def newest(self, kind: type[Kept]) -> Kept | None:
        del kind
