"""The exchange's day in slices of 100 ms, one turn of the loop each."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from actors.exchange.events import ExchangeEvent
from actors.exchange.exchange import Exchange
from actors.market.time import SECOND
from runtime.clock import Clock, SteppedClock, TimerHandle

SLICE: Final = SECOND // 10
_DAY: Final = 86_400 * SECOND
_QUIET_TURNS: Final = 2
"""Turns of the loop in which nobody had work, before a stepped day goes on: records pass from task to task."""
_BEHIND: Final = 0.05
"""Seconds of the wall that a paced day makes up for, once it had to wait."""
_STUCK: Final = 16
"""Looks at a backlog in which nothing moved, after which its consumer must be waiting for time itself."""
_AFTERWARDS: Final = 0.001
"""Seconds of the wall a slice takes once the day is over and only the clock goes on."""


class Day:
    """Steps the exchange: as the clock says, or where it is a stepped clock, ahead of it.

    `handle` gets the events of each slice; a stepped day stands still while `backlog()`, the records its consumer
    is behind by, goes down.
    """

    def __init__(
        self,
        *,
        exchange: Exchange,
        clock: Clock,
        speed: float,
        handle: Callable[[Sequence[ExchangeEvent]], None],
        backlog: Callable[[], int],
    ) -> None:
        self._exchange = exchange
        self._clock = clock
        self._speed = speed
        self._handle = handle
        self._backlog = backlog
        self._behind = self._looks = 0
        self._until = exchange.start
        self._offset = 0
        self._due = 0.0
        self._closed = False
        self._quiet = 0
        self._timer: TimerHandle | None = None

    def begin(self) -> None:
        """Start stepping, if it has not begun."""
        if self._timer is not None:
            return
        clock, now = self._clock, self._clock.now()
        if isinstance(clock, SteppedClock):
            self._due = asyncio.get_running_loop().time()
            self._step_soon(clock)
            return
        if clock.name == "wall" or abs(now - self._until) > _DAY:
            self._offset = now - self._until
        self._follow_clock()

    def close(self) -> None:
        """Step no more."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()

    @property
    def is_over(self) -> bool:
        return self._until >= self._exchange.end

    def _follow_clock(self) -> None:
        self._until = max(self._until + SLICE, self._clock.now() - self._offset)
        self._timer = self._clock.call_at(self._until + self._offset, self._step_behind)

    def _step_behind(self) -> None:
        events = self._exchange.advance(self._until)
        if not self.is_over:
            self._follow_clock()
        self._handle(events)

    def _step_ahead(self, clock: SteppedClock) -> None:
        loop = asyncio.get_running_loop()
        if self._closed:
            return
        if clock.held:
            clock.when_free(partial(self._step_soon, clock))
            return
        self._quiet = 0 if self._is_worked_at() or not clock.idle() else self._quiet + 1
        if self._quiet < _QUIET_TURNS:
            self._step_soon(clock)
            return
        was_over = self.is_over
        self._until = max(self._until + SLICE, clock.now())
        events = self._exchange.advance(self._until)
        self._quiet = 0 if events else _QUIET_TURNS - 1
        delay = _AFTERWARDS if was_over else self._pace(loop.time())
        if delay > 0:
            self._timer = loop.call_later(delay, self._step_ahead, clock)
        else:
            self._step_soon(clock)
        clock.advance(self._until)
        self._handle(events)

    def _is_worked_at(self) -> bool:
        behind = self._backlog()
        self._looks = self._looks + 1 if behind == self._behind else 0
        self._behind = behind
        return behind > 0 and self._looks < _STUCK

    def _step_soon(self, clock: SteppedClock) -> None:
        self._timer = asyncio.get_running_loop().call_soon(self._step_ahead, clock)

    def _pace(self, now: float) -> float:
        if not self._speed:
            return 0.0
        self._due = max(self._due, now - _BEHIND) + SLICE / SECOND / self._speed
        return self._due - now
