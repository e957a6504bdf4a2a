"""The end of a run: what is under way is finished, then the actors stop, last to first, within a time."""

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, Protocol, runtime_checkable

from runtime.actor import Log
from runtime.disk import faultpoints
from runtime.life.seat import Seat
from runtime.life.supervisor import NAME, Supervisor
from runtime.mailbox import Mailbox
from runtime.pump import Pump

UNHURRIED = 300.0
"""Seconds that a run which ended by itself has for its last work, such as packing the day."""
PART_TO_STOP = 0.7
"""Of the seconds a stop may take: after them, each actor has LAST_WORDS left."""
LAST_WORDS = 0.2
SLEEPY_TURNS = 1_000
"""Of a millisecond, in which nothing happened but that handlers waited."""

_drained = faultpoints.point("system: told to stop and drained")
_stopped = faultpoints.point("system: an actor stopped, the others not")


@runtime_checkable
class Finishing(Protocol):
    """An actor with work outside that a run should see the end of, even where it can do nothing else any more."""

    def unfinished(self) -> int:
        """How much of it there is; 0 where the end can come."""
        ...


def unfinished(seats: Mapping[Mailbox, Seat]) -> int:
    """What all actors together still have under way outside."""
    actors = (seat.actor for seat in seats.values() if seat.started and not seat.off)
    return sum(actor.unfinished() for actor in actors if isinstance(actor, Finishing))


async def in_time(work: Coroutine[Any, Any, None], seconds: float) -> bool:
    """Whether the work was done in time. What is not is cut off, and left to itself where it does not even end then."""
    task = asyncio.get_running_loop().create_task(work)
    try:
        await asyncio.wait((task,), timeout=seconds)
    finally:
        late = task.cancel()
    if not late:
        task.result()
    else:
        await asyncio.wait((task,), timeout=LAST_WORDS)
    return not late


class Ending:
    """Stops the actors once; `late` says whether something had to be cut off."""

    def __init__(
        self, seats: Mapping[Mailbox, Seat], pump: Pump, supervisor: Supervisor, log: Log, *, seconds: float
    ) -> None:
        self._seats = seats
        self._pump = pump
        self._supervisor = supervisor
        self._log = log
        self._deadline = asyncio.get_running_loop().time() + seconds
        self.late = False

    async def run(self) -> None:
        """Drain, then stop each actor and drain what it still said."""
        await self._within(NAME, self._drain())
        _drained()
        for seat in reversed(list(self._seats.values())):
            await self._within(seat.name, seat.stop())
            await self._within(seat.name, self._drain())
            _stopped()
        for seat in self._seats.values():
            await self._within(seat.name, seat.clear())

    async def _within(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """One that takes too long is cut off; the others have their turn all the same."""
        left = self._deadline - asyncio.get_running_loop().time()
        if not await in_time(work, max(left, LAST_WORDS)):
            self.late = True
            self._log.error("the stop took too long; what is left is cut off", part=name)

    async def _drain(self) -> None:
        quiet = asleep = 0
        while quiet < 3:
            await asyncio.sleep(0.001)
            quiet = quiet + 1 if self._pump.idle else 0
            asleep = asleep + 1 if self._pump.resting and not quiet else 0
            if asleep > SLEEPY_TURNS:
                self._cut_sleepers()

    def _cut_sleepers(self) -> None:
        """A leaf whose handler never comes back must not keep the others from their end."""
        for seat in list(self._seats.values()):
            if seat.busy and not seat.off and not seat.actor.core:
                seat.leaving = True
                self._supervisor.failed(seat, "at the stop", TimeoutError("a handler did not come back"))
