"""When a run's time begins: a gateway may bring a day of its own."""

from collections.abc import Iterable
from typing import Protocol, runtime_checkable

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
