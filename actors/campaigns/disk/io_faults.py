"""Refuses the disk to a running order path, at every call in turn, and looks what was lost.

python -m actors.campaigns.disk.io_faults --points 50 --calls 400 --lock-seconds 60
"""

import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

import structlog
import typer

from actors.campaigns.disk import real_faults
from actors.campaigns.disk.aftermath import (
    GOOD,
    KEPT,
    LOST,
    REFUSED_START,
    START,
    UNTOUCHED,
    Done,
    Ran,
    command,
    judge,
    process,
)
from actors.campaigns.disk.orders_at_risk import FILL, NO_ENTRY, NO_EXIT, ROOM, trade
from actors.campaigns.outcomes import Outcomes
from runtime.clock import SimulatedClock
from runtime.disk.errors import DatabaseError, DatabaseFull, DatabaseLocked
from runtime.disk.journal import Journal
from runtime.loops.loop import virtual_loop

_FAULTS: Final[dict[str, Callable[[], DatabaseError]]] = {
    "disk full": lambda: DatabaseFull("planted: disk full"),
    "locked": lambda: DatabaseLocked("planted: locked"),
    "EIO": lambda: DatabaseError("planted: EIO"),
    "EROFS": lambda: DatabaseError("planted: read-only"),
}


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
        clock = SimulatedClock(START, loop)
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
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with tempfile.TemporaryDirectory(dir=data) as scratch:
        folder = Path(scratch)
        left_out: list[str] = []
        counted = [("simulated faults at each piece of work", simulated(folder, seed))]
        counted.append((f"{points} limits on the size of files", small_files(folder, points, seed)))
        with real_faults.disk_of(folder / "disk", 8) as mounted:
            if mounted:
                counted.append((f"a disk full at {points} points", small_disk(folder / "disk", points, seed)))
            else:
                left_out.append(f"a disk full at {points} points: mounting a small file system needs root")
        counted.append(("another process's lock", real_faults.locked(folder, lock_seconds, seed)))
        if calls and real_faults.traceable():
            title = f"each of the first {calls} calls to the system fails in turn"
            counted.append((title, real_faults.every_call(folder, calls, seed)))
        else:
            left_out.append("calls to the system that fail: --calls is 0, or strace is not there or may not trace")
    for title, outcomes in counted:
        outcomes.show(f"{title}, seed {seed}")
    for what in left_out:
        typer.echo(f"not tried: {what}")
    raise typer.Exit(0 if all(outcomes.ok for _, outcomes in counted) else 1)


if __name__ == "__main__":
    typer.run(main)
