"""How a run begins: when its time does, as a gateway may bring a day of its own, and that a start can be broken off."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, Protocol, runtime_checkable

from runtime.clock import Clock, SimulatedClock, SteppedClock


@runtime_checkable
class Begins(Protocol):
    """A gateway whose time is not the wall's: a recording or a simulated day."""

    def begins(self) -> int | None:
        """Nanoseconds; when its time starts."""
        ...


def set_clock(clock: Clock, gateways: Iterable[object]) -> None:
    """Move a clock that is not the wall's to where the first of the gateways begins."""
    begun = (part.begins() for part in gateways if isinstance(part, Begins))
    starts = [start for start in begun if start is not None]
    if starts and isinstance(clock, SteppedClock):
        clock.advance(min(starts))
    elif starts and isinstance(clock, SimulatedClock):
        clock.begin(min(starts))


async def start(work: Coroutine[Any, Any, None], over: asyncio.Future[None]) -> None:
    """Do the work, unless the run is over before: an actor may wait at its start for a broker that never answers."""
    task = asyncio.ensure_future(work)
    await asyncio.wait((task, over), return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        task.cancel()
        await asyncio.wait((task,))
    elif not task.cancelled():
        task.result()
