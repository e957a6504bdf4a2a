"""What time it is and what is due when: by the wall, by whoever steps it, or by simulated time."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Protocol, TypeVar

from runtime.loops.timers import Timers

KST = timezone(timedelta(hours=9), "KST")
SECOND = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUIET_TURNS = 4
"""Turns of the loop in which nobody had work: what passes from task to task has arrived by then."""
_LOOK_AGAIN = 60.0  # a wall clock may be set while a timer waits for hours

T = TypeVar("T")
Callback = Callable[[], object]


class TimerHandle(Protocol):
    """A callback to come."""

    def cancel(self) -> None:
        """Make it never run; after it ran, or twice, this does nothing."""
        ...


class Clock(Protocol):
    """Time as an actor sees it: nanoseconds since the epoch, UTC."""

    @property
    def name(self) -> str:
        """`wall`, `stepped` or `simulated`."""
        ...

    def now(self) -> int:
        """Nanoseconds since the epoch, UTC."""
        ...

    def call_at(self, when_ns: int, callback: Callback) -> TimerHandle:
        """Run the callback once now() has reached that time; never before."""
        ...

    def call_later(self, seconds: float, callback: Callback) -> TimerHandle:
        """Run the callback after a duration, which no setting of the wall clock lengthens or shortens."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after a duration."""
        ...

    def hold(self) -> AbstractContextManager[None]:
        """Let time stand still, where it can, while something waits for the world outside of it, such as a disk."""
        ...

    async def outside(self, future: asyncio.Future[T]) -> T:
        """What the world outside answers: time stands still meanwhile, where it can.

        Where it can, the answer is heard only when nobody has work left and earlier ones are heard, so that how
        fast a disk is decides nothing.
        """
        ...

    async def wait(self, future: asyncio.Future[T], seconds: float) -> T:
        """Return the future's result, or raise its exception, or TimeoutError after the duration.

        The future belongs to whoever made it: a time-out or a cancelled wait leaves it running.
        """
        ...


class _Waiting(ABC):
    @abstractmethod
    def call_later(self, seconds: float, callback: Callback) -> TimerHandle: ...

    def hold(self) -> AbstractContextManager[None]:
        return nullcontext()

    async def outside(self, future: asyncio.Future[T]) -> T:
        return await future

    async def sleep(self, seconds: float) -> None:
        awake = asyncio.get_running_loop().create_future()
        timer = self.call_later(seconds, partial(_finish, awake))
        try:
            await awake
        finally:
            timer.cancel()

    async def wait(self, future: asyncio.Future[T], seconds: float) -> T:
        over = asyncio.get_running_loop().create_future()
        finish = partial(_finish, over)
        future.add_done_callback(finish)
        timer = self.call_later(seconds, finish)
        try:
            await over
        finally:
            timer.cancel()
            future.remove_done_callback(finish)
        if not future.done():
            raise TimeoutError(f"nothing came within {seconds:g} s")
        return future.result()


class WallClock(_Waiting):
    """The computer's clock; timers run on the asyncio loop of the caller."""

    name = "wall"
    now = staticmethod(time.time_ns)

    def call_at(self, when_ns: int, callback: Callback) -> TimerHandle:
        return _WallTimer(when_ns, callback)

    def call_later(self, seconds: float, callback: Callback) -> TimerHandle:
        return asyncio.get_running_loop().call_later(max(0.0, seconds), callback)


class _WallTimer:
    def __init__(self, when_ns: int, callback: Callback) -> None:
        self._when = when_ns
        self._callback = callback
        self._arm(when_ns - time.time_ns())

    def cancel(self) -> None:
        self._handle.cancel()

    def _arm(self, left: int) -> None:
        seconds = min(max(0.0, left / SECOND), _LOOK_AGAIN)
        self._handle = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        left = self._when - time.time_ns()
        if left > 0:
            self._arm(left)
        else:
            self._callback()


class SteppedClock(_Waiting):
    """A clock that stands still until somebody, such as a sped-up exchange, moves it."""

    name = "stepped"

    def __init__(self, start_ns: int) -> None:
        self._now = start_ns
        self._timers: Timers[int, _Alarm] = Timers()
        self.idle: Callable[[], bool] = lambda: True
        """Whether nobody has work to do; who drives the clock waits until it is so."""
        self._holds = 0
        self._free: list[Callback] = []
        self._hearing = asyncio.Lock()

    @property
    def held(self) -> bool:
        """Whether something waits for the world outside: who drives the clock must not move it now."""
        return self._holds > 0

    def when_free(self, callback: Callback) -> None:
        """Run the callback once nothing holds the clock any more."""
        self._free.append(callback)

    @contextmanager
    def hold(self) -> Generator[None]:
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
            if not self._holds:
                free, self._free = self._free, []
                for callback in free:
                    callback()

    async def outside(self, future: asyncio.Future[T]) -> T:
        with self.hold():
            async with self._hearing:
                await asyncio.wait((future,))
                quiet = 0
                while quiet < _QUIET_TURNS:
                    await asyncio.sleep(0)
                    quiet = quiet + 1 if self.idle() else 0
        return future.result()

    def now(self) -> int:
        return self._now

    def call_at(self, when_ns: int, callback: Callback) -> TimerHandle:
        alarm = _Alarm(callback, self._timers)
        self._timers.add(when_ns, alarm)
        return alarm

    def call_later(self, seconds: float, callback: Callback) -> TimerHandle:
        return self.call_at(self._now + round(seconds * SECOND), callback)

    def advance(self, to_ns: int) -> None:
        """Move on to that time, running what is due on the way, in order, with now() at its time.

        What sleeps or waits is woken on the loop's next turn, when now() is already `to_ns`. Raises
        ValueError if that time is past. What a callback raises comes out, and the clock stays there.
        """
        if to_ns < self._now:
            raise ValueError(f"a clock does not run back: {to_ns} is before {self._now}")
        while (when := self._timers.next_due()) is not None and when <= to_ns:
            self._now = max(self._now, when)
            self._timers.pop().run()
        self._now = to_ns


class _Alarm:
    __slots__ = ("_callback", "_timers")

    def __init__(self, callback: Callback, timers: "Timers[int, _Alarm]") -> None:
        self._callback: Callback | None = callback
        self._timers = timers

    def run(self) -> None:
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()

    def cancel(self) -> None:
        if self._callback is not None:
            self._callback = None
            self._timers.count_cancelled()

    def cancelled(self) -> bool:
        return self._callback is None


class VirtualTime(Protocol):
    """A loop whose time is counted, not measured: `runtime.loops.loop.VirtualLoop`."""

    @property
    def elapsed(self) -> int:
        """Nanoseconds since the loop was made."""
        ...

    def call_at_elapsed(self, when: int, callback: Callback) -> TimerHandle:
        """Run the callback when that many nanoseconds have passed."""
        ...


class SimulatedClock(_Waiting):
    """The clock of a virtual loop: exact to the nanosecond over any span."""

    name = "simulated"

    def __init__(self, start_ns: int, loop: VirtualTime) -> None:
        self._start = start_ns - loop.elapsed
        self._loop = loop

    def begin(self, start_ns: int) -> None:
        """Make it that time now; before anything is due."""
        self._start = start_ns - self._loop.elapsed

    def now(self) -> int:
        return self._start + self._loop.elapsed

    def call_at(self, when_ns: int, callback: Callback) -> TimerHandle:
        return self._loop.call_at_elapsed(when_ns - self._start, callback)

    def call_later(self, seconds: float, callback: Callback) -> TimerHandle:
        return self._loop.call_at_elapsed(self._loop.elapsed + round(seconds * SECOND), callback)


def kst(ns: int) -> datetime:
    """The time in Korea, to the microsecond."""
    return (_EPOCH + timedelta(microseconds=ns // 1000)).astimezone(KST)


def text(ns: int) -> str:
    """Korean time for people, to the millisecond: `2026-11-20 09:00:00.123`."""
    return kst(ns).isoformat(sep=" ", timespec="milliseconds")[:23]


def nanoseconds(moment: datetime) -> int:
    """Nanoseconds since the epoch, exact; raises ValueError for a datetime without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} says no time zone")
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def _finish(future: asyncio.Future[None], _: object = None) -> None:
    if not future.done():
        future.set_result(None)
