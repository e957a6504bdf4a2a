"""The exchange's day in slices of 100 ms, one turn of the loop each."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from actors.exchange.events import ExchangeEvent
from actors.exchange.exchange import Exchange
from actors.gateways.kiwoom.twin.calm import Calm
from actors.market.time import SECOND
from runtime.clock import Clock, SteppedClock, TimerHandle

SLICE: Final = SECOND // 10
_DAY: Final = 86_400 * SECOND
_BEHIND: Final = 0.05
"""Seconds of the wall that a paced day makes up for, once it had to wait."""
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
        self._calm = Calm(clock, backlog) if isinstance(clock, SteppedClock) else None
        self._until = max(exchange.start, exchange.now)
        self._offset = 0
        self._due = 0.0
        self._begun = False
        self._timer: TimerHandle | None = None

    def begin(self) -> None:
        """Start stepping, if it has not begun."""
        if self._begun:
            return
        self._begun = True
        clock, now = self._clock, self._clock.now()
        if self._calm is not None:
            self._due = asyncio.get_running_loop().time()
            self._calm.soon(self._step_ahead)
            return
        if clock.name == "wall" or abs(now - self._until) > _DAY:
            self._offset = now - self._until
        self._follow_clock()

    def close(self) -> None:
        """Step no more."""
        if self._calm is not None:
            self._calm.close()
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

    def _step_ahead(self) -> None:
        loop, clock, calm = asyncio.get_running_loop(), self._clock, self._calm
        assert calm is not None
        assert isinstance(clock, SteppedClock)
        was_over = self.is_over
        self._until = max(self._until + SLICE, clock.now())
        events = self._exchange.advance(self._until)
        delay = _AFTERWARDS if was_over else self._pace(loop.time())
        calm.disturb(much=bool(events), paced=delay > 0)
        if delay > 0:
            self._timer = loop.call_later(delay, calm.look, self._step_ahead)
        else:
            calm.soon(self._step_ahead)
        clock.advance(self._until)
        self._handle(events)

    def _pace(self, now: float) -> float:
        if not self._speed:
            return 0.0
        self._due = max(self._due, now - _BEHIND) + SLICE / SECOND / self._speed
        return self._due - now
