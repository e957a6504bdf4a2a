"""One pacer for every call to a broker: nothing goes out faster than its limits, the most urgent first."""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import structlog

from actors.gateways.port import Urgency
from messages import Record
from runtime.clock import Clock, TimerHandle

_LOG = structlog.get_logger("pacer")
_SECOND: Final = 1_000_000_000


class Window(Record):
    """At most `count` calls within any `seconds`."""

    count: int
    seconds: float


QUERY_WINDOWS: Final = (
    Window(count=4, seconds=1.0),
    Window(count=5, seconds=18.0),
    Window(count=25, seconds=90.0),
    Window(count=50, seconds=180.0),
    Window(count=1_000, seconds=3_600.0),
)
"""Kiwoom allows 5 a second; one less is the margin for the way to its clock."""
ORDER_WINDOWS: Final = (Window(count=4, seconds=1.0),)
SLACK: Final = 0.1
"""Seconds added to each window: a call goes out a little after its turn was given."""
_RESERVED: Final = {Urgency.ENTRY: 2, Urgency.EXIT: 1, Urgency.BACKFILL: 1}
"""Places in every window that calls of this urgency leave to those above them: one for each kind of urgent order."""

_FURTHEST: Final = 86_400 * _SECOND
"""No clock is set back further: what lies beyond is no time."""

Grant = Callable[[], None]
"""Tells a caller that its call may go out now, and is counted."""


class Interrupted(Exception):
    """A more urgent query came between two pages: the continuation is broken and starts anew."""


class Pacer:
    """Gives turns; orders (CANCEL, EXIT, ENTRY) and queries (QUERY, BACKFILL) are counted apart.

    The times of queries are kept in `history` over restarts. Orders need no history: their window is a second,
    which a pacer that has one waits out at its start. Of a wall clock, made inside the loop, only what is kept is
    told: somebody may set it, and the broker's windows last as long as they last.
    """

    def __init__(
        self,
        clock: Clock,
        history: Path | None = None,
        queries: tuple[Window, ...] = QUERY_WINDOWS,
        orders: tuple[Window, ...] = ORDER_WINDOWS,
    ) -> None:
        self._history = _History(history, clock, max(window.seconds for window in queries))
        self._queries = _Channel(clock, queries, self._history)
        self._orders = _Channel(clock, orders, None)
        if history is not None:
            self._orders.hold(1.0 + SLACK)
        for age in self._history.ages:
            self._queries.remember(age)

    async def turn(self, urgency: Urgency) -> None:
        """Return when one call of this urgency may go out, and count it."""
        await self._channel(urgency).turn(urgency, None)

    def ask(self, urgency: Urgency, grant: Grant) -> None:
        """Call `grant` when one call of this urgency may go out, at once if it may now, and count it."""
        self._channel(urgency).ask(urgency, None, grant, lambda: False)

    def session(self, urgency: Urgency) -> "Session":
        """A query of several pages, between which no other query of the same or less urgency goes out."""
        return Session(self._queries, urgency)

    def hold(self, seconds: float) -> None:
        """Let no query out for a while: the broker said that it has too many."""
        self._queries.hold(seconds)

    def waiting(self) -> int:
        """How many calls wait for their turn."""
        return len(self._orders.waiters) + len(self._queries.waiters)

    def _channel(self, urgency: Urgency) -> "_Channel":
        return self._orders if urgency <= Urgency.ENTRY else self._queries


class Session:
    """Turns for the pages of one continuation; leaving it lets the others go on."""

    def __init__(self, channel: "_Channel", urgency: Urgency) -> None:
        self._channel = channel
        self.urgency = urgency
        self.interrupted = False

    async def turn(self) -> None:
        """Wait for the turn of the next page. Raises Interrupted once a more urgent query came between."""
        if self.interrupted:
            raise Interrupted
        await self._channel.turn(self.urgency, self)
        if self.interrupted:
            raise Interrupted

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.leave(self)


class _Waiter:
    __slots__ = ("gone", "grant", "rank", "session", "urgency")

    def __init__(
        self, urgency: Urgency, serial: int, session: Session | None, grant: Grant, gone: Callable[[], bool]
    ) -> None:
        self.urgency = urgency
        self.rank = (int(urgency), serial)
        self.session = session
        self.grant = grant
        self.gone = gone

    def __lt__(self, other: "_Waiter") -> bool:
        return self.rank < other.rank


class _Channel:
    def __init__(self, clock: Clock, windows: tuple[Window, ...], history: "_History | None") -> None:
        self._clock = clock
        self._now = _steady(clock)
        self._history = history
        self._spans = [(window.count, round((window.seconds + SLACK) * _SECOND)) for window in windows]
        self._given: deque[int] = deque(maxlen=max(window.count for window in windows))
        self._held_until = 0
        self._serial = 0
        self._session: Session | None = None
        self._timer: TimerHandle | None = None
        self.waiters: list[_Waiter] = []

    def remember(self, age: int) -> None:
        self._given.append(self._now() - age)

    def hold(self, seconds: float) -> None:
        self._held_until = max(self._held_until, self._now() + round(seconds * _SECOND))

    async def turn(self, urgency: Urgency, session: Session | None) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = self.ask(urgency, session, lambda: future.set_result(None), future.done)
        try:
            await future
        finally:
            if future.cancelled():
                self._forget(waiter)

    def ask(self, urgency: Urgency, session: Session | None, grant: Grant, gone: Callable[[], bool]) -> _Waiter:
        """Who is most urgent is decided anew whenever a call may go: who asks later may be served earlier."""
        self._serial += 1
        waiter = _Waiter(urgency, self._serial, session, grant, gone)
        heapq.heappush(self.waiters, waiter)
        self._serve()
        return waiter

    def leave(self, session: Session) -> None:
        if self._session is session:
            self._session = None
            self._serve()

    def _forget(self, waiter: _Waiter) -> None:
        if waiter in self.waiters:
            self.waiters.remove(waiter)
            heapq.heapify(self.waiters)
            self._serve()

    def _serve(self) -> None:
        now = self._now()
        while (waiter := self._next()) is not None:
            ready = self._ready_at(waiter.urgency)
            if ready > now:
                self._wake_in(ready - now)
                return
            self._give(waiter, now)

    def _next(self) -> _Waiter | None:
        if not self.waiters:
            return None
        holder = self._session
        if holder is None or self.waiters[0].urgency < holder.urgency:
            return self.waiters[0]
        return min((waiter for waiter in self.waiters if waiter.session is holder), default=None)

    def _ready_at(self, urgency: Urgency) -> int:
        ready = self._held_until
        for count, span in self._spans:
            places = max(1, count - _RESERVED.get(urgency, 0))
            if len(self._given) >= places:
                ready = max(ready, self._given[-places] + span)
        return ready

    def _give(self, waiter: _Waiter, now: int) -> None:
        if self.waiters[0] is waiter:
            heapq.heappop(self.waiters)
        else:
            self.waiters.remove(waiter)
            heapq.heapify(self.waiters)
        if waiter.gone():
            return
        if self._session is not None and waiter.session is not self._session:
            self._session.interrupted = True
        self._session = waiter.session
        self._given.append(now)
        if self._history is not None:
            self._history.add()
        waiter.grant()

    def _wake_in(self, nanoseconds: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._clock.call_later(nanoseconds / _SECOND, self._serve)


def _steady(clock: Clock) -> Callable[[], int]:
    """A time that nobody sets: a clock set forward would open every window early, one set back keep it shut."""
    if clock.name != "wall":
        return clock.now
    elapsed = asyncio.get_running_loop().time
    return lambda: round(elapsed() * _SECOND)


class _History:
    """The times of queries, a line each, rewritten once at start and appended to from then on.

    Where the clock was set back since, they are taken for as much earlier, as if the last had just gone out.
    """

    def __init__(self, path: Path | None, clock: Clock, seconds: float) -> None:
        self._path = path
        self._clock = clock
        now, span = clock.now(), round((seconds + SLACK) * _SECOND)
        times = sorted(time for time in self._read() if time < now + _FURTHEST)
        back = max(0, times[-1] - now) if times else 0
        self._times = [time - back for time in times if now - span < time - back]
        self.ages = [now - time for time in self._times]
        """Nanoseconds since each, the oldest first."""
        self._attempt(self._rewrite)

    def add(self) -> None:
        if self._path is not None:
            self._attempt(lambda: self._append(self._clock.now()))

    def _read(self) -> list[int]:
        if self._path is None or not self._path.exists():
            return []
        lines = self._path.read_bytes().splitlines(keepends=True)
        return [int(line) for line in lines if line.endswith(b"\n") and line.strip().isdigit()]

    def _rewrite(self) -> None:
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        draft.write_text("".join(f"{time}\n" for time in self._times), encoding="ascii")
        draft.replace(self._path)

    def _append(self, time: int) -> None:
        assert self._path is not None
        with self._path.open("a", encoding="ascii") as file:
            file.write(f"{time}\n")

    def _attempt(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as error:
            _LOG.warning("pacer history not kept", error=str(error))
