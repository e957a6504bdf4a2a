"""The day of an exchange in another process, slice by slice as they come."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from actors.exchange.client import ExchangeLost, RemoteExchange
from actors.exchange.events import ExchangeEvent
from actors.gateways.kiwoom.twin.calm import Calm
from actors.market.time import SECOND
from runtime.clock import Clock, SteppedClock

_LOOK: Final = 0.002
"""Seconds between two looks at the socket, on a loop that can't watch it."""


class FollowedDay:
    """Hands on the slices of a world that goes its own way; a stepped clock goes with them."""

    def __init__(
        self,
        *,
        exchange: RemoteExchange,
        clock: Clock,
        skew: float,
        handle: Callable[[Sequence[ExchangeEvent]], None],
        backlog: Callable[[], int],
    ) -> None:
        self._exchange = exchange
        self._clock = clock
        self._skew = round(skew * SECOND)
        self._handle = handle
        self._calm = Calm(clock, backlog) if isinstance(clock, SteppedClock) else None
        self._begun = self._closed = self._under_way = False
        exchange.on_slice = self._arrived

    def begin(self) -> None:
        """Let the world go on, if it has not begun."""
        if self._begun:
            return
        self._begun = True
        loop = asyncio.get_running_loop()
        try:
            loop.add_reader(self._exchange.fileno(), self._read, loop)
        except NotImplementedError:  # on Windows Qt's loop watches no socket
            self._look_again(loop)
        self._exchange.begin()

    def close(self) -> None:
        """Leave the world to itself."""
        if self._calm is not None:
            self._calm.close()
        if self._begun and not self._closed:
            self._leave(asyncio.get_running_loop())
        self._closed = True
        self._exchange.close()

    @property
    def is_over(self) -> bool:
        return self._exchange.now >= self._exchange.end

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        self._or_leave(loop, self._exchange.collect)

    def _or_leave(self, loop: asyncio.AbstractEventLoop, work: Callable[[], None]) -> None:
        """Reading and writing both find out that the exchange is gone: it is told once."""
        if self._closed:
            return
        try:
            work()
        except ExchangeLost:
            self._leave(loop)
            self._closed = True
            raise

    def _leave(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.remove_reader(self._exchange.fileno())
        except NotImplementedError:
            return

    def _look_again(self, loop: asyncio.AbstractEventLoop) -> None:
        if not self._closed:
            self._or_leave(loop, self._exchange.collect)
            loop.call_later(_LOOK, self._look_again, loop)

    def _arrived(self) -> None:
        if not self._under_way:
            self._under_way = True
            self._take_soon()

    def _take_soon(self) -> None:
        if self._calm is not None:
            self._calm.soon(self._take)
        else:
            asyncio.get_running_loop().call_soon(self._take)

    def _take(self) -> None:
        if self._closed:
            return
        events = self._exchange.take()
        if self._calm is not None:
            self._calm.disturb(much=bool(events))
        if isinstance(self._clock, SteppedClock):
            self._clock.advance(max(self._exchange.now + self._skew, self._clock.now()))
        self._handle(events)
        self._or_leave(asyncio.get_running_loop(), self._exchange.handled)
        self._under_way = self._exchange.waiting > 0
        if self._under_way:
            self._take_soon()
