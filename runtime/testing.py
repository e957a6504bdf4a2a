"""One actor on a stage, in virtual time: tell it something, see what it says."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from pathlib import Path
from random import Random
from typing import Any, ParamSpec, TypeVar

import structlog

from messages import Message
from runtime.actor import Actor
from runtime.bus import Bus
from runtime.clock import SimulatedClock
from runtime.envelope import Envelope
from runtime.life.seat import Seat
from runtime.loops.loop import VirtualLoop, virtual_loop
from runtime.mailbox import Mailbox
from runtime.pump import Pump

P = ParamSpec("P")
S = TypeVar("S", bound=Message)
START = 1_756_771_200_000_000_000
"""2025-09-02 09:00:00 KST, a trading day."""


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test on a virtual loop: hours pass at once, nothing ever really waits."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        loop = virtual_loop()
        try:
            loop.run_until_complete(test(*args, **kwargs))
        finally:
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()

    return run


class Stage:
    """Stands in for the system around one actor."""

    def __init__(self, actor: Actor, *, name: str = "actor", start: int = START, data: Path = Path()) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop), "a Stage needs @in_virtual_time"
        self.clock = SimulatedClock(start, loop)
        self.failures: list[Exception] = []
        self.actor = actor
        self.envelopes: list[Envelope] = []
        self.bus = _Recorder(self.clock, self.envelopes)
        self.pump = Pump(loop)
        self.pump.bus = self.bus
        mailbox = Mailbox(name, self.pump.ready, lambda _box, _message: None)
        self.pump.failed = lambda _box, _envelope, error: self.failures.append(error)
        self.pump.waits = lambda _box, envelope, work: self.seat.wait_for(envelope, work)
        self.pump.recovered = lambda _box: mailbox.gaps.clear()
        self.seat = Seat(
            name,
            lambda: actor,
            bus=self.bus,
            pump=self.pump,
            clock=self.clock,
            rng=Random(1),
            log=structlog.get_logger(),
            data=data,
            failed=lambda _seat, _name, error: self.failures.append(error),
            mailbox=mailbox,
        )

    @property
    def said(self) -> list[Message]:
        """Everything the actor published, in order."""
        return [envelope.message for envelope in self.envelopes if envelope.source == self.seat.name]

    def heard(self, kind: type[S]) -> list[S]:
        """What the actor published of one class."""
        return [message for message in self.said if isinstance(message, kind)]

    async def start(self) -> None:
        await self.seat.start()
        await self.settle()

    async def stop(self) -> None:
        await self.seat.stop()
        self._raise()

    def tell(self, *messages: Message) -> int:
        """Let the actor handle messages now; returns the number of the last. Raises what a handler raised."""
        number = 0
        for message in messages:
            number = self.bus.publish(message, "stage")
            self.pump.turn()
        self._raise()
        return number

    async def settle(self) -> None:
        """Let spawned work go on as far as it can without time passing."""
        for _ in range(20):
            await asyncio.sleep(0)
        self._raise()

    async def advance(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)
        await self.settle()

    def _raise(self) -> None:
        if self.failures:
            raise self.failures[0]


class _Recorder(Bus):
    def __init__(self, clock: SimulatedClock, envelopes: list[Envelope]) -> None:
        super().__init__(clock)
        self.begin(1, None)
        self._envelopes = envelopes

    def publish(self, message: Message, source: str) -> int:
        number = super().publish(message, source)
        current = self.current
        cause = 0 if current is None else current.number
        self._envelopes.append(Envelope(number, self._now(), source, cause, message))
        return number
