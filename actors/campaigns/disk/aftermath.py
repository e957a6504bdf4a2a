"""An order path as a process of its own, and what a start finds of what it did."""

import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from actors.campaigns.disk.orders_at_risk import BLIND, ENTRY, EXIT, FILL, NO_EXIT, ORDERS, PAUSE, ROOM
from runtime.clock import SimulatedClock
from runtime.disk import chain
from runtime.disk.errors import DatabaseError
from runtime.disk.journal import NAME, Journal
from runtime.loops.loop import virtual_loop

KEPT, REFUSED_START, UNTOUCHED = "all kept", "start refused", "no fault fired"
LOST, BLIND_ENTRY, EXIT_REFUSED = "LOST", "BLIND ENTRY", "EXIT REFUSED"
GOOD: Final = (KEPT, REFUSED_START, UNTOUCHED)
START: Final = 1_756_771_200_000_000_000
"""Nanoseconds: when every simulated order path begins."""

Done = list[tuple[str, int]]
"""What an order path did, and the number of its record."""


class Ran(NamedTuple):
    """How a process ended, and what it said before."""

    code: int
    done: Done


def judge(folder: Path, done: Iterable[tuple[str, int]], *, exits: bool = True) -> str:
    """Start again on a disk that takes everything, and hold what is there against what was done."""
    said = list(done)
    loop = virtual_loop()
    try:
        loop.run_until_complete(_restart(folder, SimulatedClock(START, loop)))
    except DatabaseError:
        return LOST
    finally:
        loop.close()
    there = {entry.number for entry in chain.entries(folder / NAME)}
    kinds = {kind for kind, _ in said}
    if BLIND in kinds:
        return BLIND_ENTRY
    if any(number not in there for kind, number in said if kind in (ENTRY, EXIT, FILL)):
        return LOST
    if exits and NO_EXIT in kinds:
        return EXIT_REFUSED
    return KEPT if said else REFUSED_START


async def _restart(folder: Path, clock: SimulatedClock) -> None:
    async with Journal(folder, clock=clock, reserve=ROOM):
        pass


def command(folder: Path, seed: int, orders: int = ORDERS, pause: float = PAUSE) -> list[str]:
    """What starts an order path as a process of its own."""
    arguments = (str(folder), str(seed), str(orders), str(pause))
    return [sys.executable, "-m", "actors.campaigns.disk.orders_at_risk", *arguments]


def process(wanted: Sequence[str], *, limit: int | None = None) -> Ran:
    """Run one to its end, with the size of its files limited."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and module
        wanted,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=None if limit is None else partial(_limit_files, limit),
    )
    return Ran(done.returncode, parsed(done.stdout.splitlines()))


def parsed(lines: Iterable[str]) -> Done:
    """What an order path printed."""
    return [(kind, int(number)) for kind, _, number in (line.partition(" ") for line in lines)]


def _limit_files(size: int) -> None:
    import resource  # noqa: PLC0415 - POSIX only

    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
