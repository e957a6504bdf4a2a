"""Refuses the disk to a running order path, at every call in turn, and looks what was lost.

python -m actors.campaigns.disk.io_faults --points 50 --calls 400 --lock-seconds 60
"""

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import structlog
import typer

from actors.campaigns.disk.orders_at_risk import BLIND, ENTRY, EXIT, FILL, NO_ENTRY, NO_EXIT, ORDERS, PAUSE, ROOM, trade
from actors.campaigns.outcomes import Outcomes
from runtime.clock import SimulatedClock
from runtime.disk import chain
from runtime.disk.errors import DatabaseError, DatabaseFull, DatabaseLocked
from runtime.disk.journal import NAME, Journal
from runtime.loops.loop import virtual_loop

KEPT, REFUSED_START, UNTOUCHED = "all kept", "start refused", "no fault fired"
LOST, BLIND_ENTRY, EXIT_REFUSED = "LOST", "BLIND ENTRY", "EXIT REFUSED"
GOOD: Final = (KEPT, REFUSED_START, UNTOUCHED)
_START: Final = 1_756_771_200_000_000_000
_FAULTS: Final[dict[str, Callable[[], DatabaseError]]] = {
    "disk full": lambda: DatabaseFull("planted: disk full"),
    "locked": lambda: DatabaseLocked("planted: locked"),
    "EIO": lambda: DatabaseError("planted: EIO"),
    "EROFS": lambda: DatabaseError("planted: read-only"),
}

Done = list[tuple[str, int]]
"""What an order path did, and the number of its record."""


class Ran(NamedTuple):
    """How a process ended, and what it said before."""

    code: int
    done: Done


def simulated(folder: Path, seed: int, step: int = 1) -> Outcomes:
    """Each fault at each `step`-th piece of the database's work, once, three times and for good, until none fires."""
    outcomes = Outcomes(GOOD)
    for name, error in _FAULTS.items():
        for span in (1, 3, 1 << 60):
            kind = f"{name} {'for good' if span > 3 else f'{span} x'}"
            for k in itertools.count(1, step):
                ending = _simulate(folder / "data", range(k, k + span), error, Random(f"{seed}:{k}"))
                shutil.rmtree(folder / "data")
                if ending == UNTOUCHED:
                    break
                outcomes.add(kind, ending, f"seed {seed}, call {k}")
    return outcomes


def _simulate(folder: Path, when: range, error: Callable[[], DatabaseError], rng: Random) -> str:
    calls = iter(range(1, 1 << 60))
    fired = False

    def fault() -> None:
        nonlocal fired
        if next(calls) in when:
            fired = True
            raise error()

    done: Done = []
    loop = virtual_loop()
    try:
        clock = SimulatedClock(_START, loop)
        journal = Journal(folder, clock=clock, reserve=ROOM, fault=fault, delay=partial(rng.uniform, 0, 0.004))
        loop.run_until_complete(_traded(journal, clock, rng, done))
    except DatabaseError:
        pass
    finally:
        loop.close()
    if not fired:
        return UNTOUCHED
    killed = folder / "killed"
    ending = judge(killed, [what for what in done if what[0] != FILL]) if killed.exists() else KEPT
    return judge(folder, done) if ending == KEPT else ending


async def _traded(journal: Journal, clock: SimulatedClock, rng: Random, done: Done) -> None:
    async with journal:
        await trade(journal, clock, rng, lambda kind, number: done.append((kind, number)))
        shutil.copytree(journal.path.parent, journal.path.parent / "killed")


def judge(folder: Path, done: Iterable[tuple[str, int]], *, exits: bool = True) -> str:
    """Start again on a disk that takes everything, and hold what is there against what was done."""
    said = list(done)
    loop = virtual_loop()
    try:
        loop.run_until_complete(_restart(folder, SimulatedClock(_START, loop)))
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


def small_files(folder: Path, points: int, seed: int) -> Outcomes:
    """No file may grow beyond a size: the system refuses the write that would, at so many sizes."""
    outcomes = Outcomes(GOOD)
    for point in range(points):
        data = folder / "data"
        size = ROOM + point * 200_000 // points
        ran = process(command(data, seed), limit=size)
        outcomes.add("no file beyond a size", _refused_or(ran, data), f"{size} bytes")
        shutil.rmtree(data, ignore_errors=True)
    return outcomes


def small_disk(disk: Path, points: int, seed: int) -> Outcomes:
    """A disk that fills up at so many points; `disk` is a file system of its own, of a few MiB."""
    outcomes = Outcomes(GOOD)
    for point in range(points):
        room = 160_000 + point * 200_000 // points
        _fill(disk, room)
        ran = process(command(disk / "data", seed))
        (disk / "filler").unlink()
        outcomes.add("disk full", _refused_or(ran, disk / "data"), f"{room} bytes free")
        shutil.rmtree(disk / "data", ignore_errors=True)
    return outcomes


def _fill(disk: Path, room: int) -> None:
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    (disk / "filler").write_bytes(bytes(max(0, free - room)))


def _refused_or(ran: Ran, folder: Path, *, exits: bool = True) -> str:
    if not ran.done:
        return REFUSED_START if ran.code == 3 else LOST
    ending = judge(folder, ran.done, exits=exits)
    faulted = ran.code or any(kind in (NO_ENTRY, NO_EXIT) for kind, _ in ran.done)
    return UNTOUCHED if ending == KEPT and not faulted else ending


def main(
    points: int = 50, calls: int = 400, lock_seconds: float = 60.0, seed: int = 1, data: Path | None = None
) -> None:
    """Exit 0 only if nothing was lost; what cannot be tried here is said. `data`: a folder, a fresh one by default."""
    from actors.campaigns.disk.real_faults import disk_of, every_call, locked, traceable  # noqa: PLC0415 - it builds on this

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with tempfile.TemporaryDirectory(dir=data) as scratch:
        folder = Path(scratch)
        left_out: list[str] = []
        counted = [("simulated faults at each piece of work", simulated(folder, seed))]
        counted.append((f"{points} limits on the size of files", small_files(folder, points, seed)))
        with disk_of(folder / "disk", 8) as mounted:
            if mounted:
                counted.append((f"a disk full at {points} points", small_disk(folder / "disk", points, seed)))
            else:
                left_out.append(f"a disk full at {points} points: mounting a small file system needs root")
        counted.append(("another process's lock", locked(folder, lock_seconds, seed)))
        if calls and traceable():
            title = f"each of the first {calls} calls to the system fails in turn"
            counted.append((title, every_call(folder, calls, seed)))
        else:
            left_out.append("calls to the system that fail: --calls is 0, or strace is not there or may not trace")
    for title, outcomes in counted:
        outcomes.show(f"{title}, seed {seed}")
    for what in left_out:
        typer.echo(f"not tried: {what}")
    raise typer.Exit(0 if all(outcomes.ok for _, outcomes in counted) else 1)


if __name__ == "__main__":
    typer.run(main)
