"""Damages the files of a data folder as disks and people do, then starts on them: found, or nothing is lost."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from actors.campaigns.journal.made import FOUND, HARMLESS, MISSED, ROOM, SOURCE, Row, live, said, stored
from actors.campaigns.outcomes import Outcomes
from runtime.bus import RUN_BITS
from runtime.clock import WallClock
from runtime.disk.emergency import Emergency
from runtime.disk.errors import DatabaseError
from runtime.disk.journal import NAME, Journal
from runtime.disk.tail import kept_values
from runtime.envelope import Envelope

SAID = "left out, and said"
"""The last line of the emergency file looks as if torn, as it is when its writer was cut off: it never was durable."""
WAL, SHM, EMERGENCY = f"{NAME}-wal", f"{NAME}-shm", "journal.emergency"


class Past(NamedTuple):
    """Data folders of one system at several times, and what was stored in the last."""

    young: Path
    """Closed in order after two runs."""
    crashed: Path
    """Cut off in its third run: much of it is in the WAL alone."""
    failed: Path
    """Cut off while its disk was full: some records are in the emergency file alone."""
    foreign: Path
    """Another system's, cut off too."""


def past(folder: Path, rng: Random) -> Past:
    """Make them, below `folder`."""
    made = Past(folder / "young", folder / "crashed", folder / "failed", folder / "foreign")
    base = folder / "base"
    for _ in range(2):
        asyncio.run(live(base, rng, 30))
    shutil.copytree(base, made.young)
    asyncio.run(live(base, rng, 30, snapshot=made.crashed))
    asyncio.run(_fail(base, rng, made.failed))
    asyncio.run(live(folder / "other", rng, 30, snapshot=made.foreign))
    return made


async def _fail(folder: Path, rng: Random, snapshot: Path) -> None:
    async with Journal(folder, clock=WallClock(), reserve=ROOM, waiting=1) as journal:
        first = (journal.run << RUN_BITS) + 1
        for number in range(first, first + 8):
            journal.append(Envelope(number, number, SOURCE, 0, said(rng, number)))
        for number in range(first + 4, first + 8):
            journal.emergency(number)
        shutil.copytree(folder, snapshot)


def _spoil(name: str, change: Callable[[Random, bytearray], None]) -> Callable[[Random, Path, Past], None]:
    def work(rng: Random, folder: Path, _: Past) -> None:
        content = bytearray((folder / name).read_bytes())
        change(rng, content)
        (folder / name).write_bytes(content)

    return work


def _cut(rng: Random, content: bytearray) -> None:
    del content[rng.randrange(len(content)) :]


def _flip(rng: Random, content: bytearray) -> None:
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)


def _flip_used(rng: Random, content: bytearray) -> None:
    used = len(content.rstrip(b"\0"))
    content[rng.randrange(used)] ^= 1 << rng.randrange(8)


def _page_size(rng: Random, content: bytearray) -> None:
    content[16:18] = rng.choice((512, 1_024, 8_192, 16_384, 1, 3)).to_bytes(2, "big")


def _garbage(rng: Random, content: bytearray) -> None:
    content[:] = rng.randbytes(len(content))


def _empty(_: Random, content: bytearray) -> None:
    content.clear()


def _gone(name: str) -> Callable[[Random, Path, Past], None]:
    return lambda _rng, folder, _past: (folder / name).unlink()


def _from(other: str, *names: str) -> Callable[[Random, Path, Past], None]:
    def work(_: Random, folder: Path, past: Past) -> None:
        for name in names:
            source: Path = getattr(past, other) / name
            (folder / name).unlink(missing_ok=True)
            if source.exists():
                shutil.copy(source, folder / name)

    return work


def _anew(rng: Random, folder: Path, _: Past) -> None:
    """A valid database of nobody's, or of ours without a record."""
    for name in (NAME, WAL, SHM):
        (folder / name).unlink(missing_ok=True)
    with closing(sqlite3.connect(folder / NAME)) as connection:
        if rng.randrange(2):
            connection.executescript("CREATE TABLE meta (schema_version INTEGER NOT NULL); INSERT INTO meta VALUES (0)")
        else:
            connection.executescript("CREATE TABLE mine (x)")


DAMAGES: Final[dict[str, Callable[[Random, Path, Past], None]]] = {
    "WAL truncated": _spoil(WAL, _cut),
    "WAL: a bit flipped": _spoil(WAL, _flip),
    "WAL emptied": _spoil(WAL, _empty),
    "WAL missing": _gone(WAL),
    "WAL of another time": _from("foreign", WAL),
    "-shm missing": _gone(SHM),
    "-shm garbage": _spoil(SHM, _garbage),
    "file truncated": _spoil(NAME, _cut),
    "file: a bit flipped": _spoil(NAME, _flip),
    "file: wrong page size": _spoil(NAME, _page_size),
    "file emptied": _spoil(NAME, _empty),
    "file garbage": _spoil(NAME, _garbage),
    "file missing": _gone(NAME),
    "file of another system": _from("foreign", NAME),
    "database of another system": _from("foreign", NAME, WAL, SHM),
    "database of another time": _from("young", NAME, WAL, SHM),
    "database made anew": _anew,
    "emergency file missing": _gone(EMERGENCY),
    "emergency file truncated": _spoil(EMERGENCY, _cut),
    "emergency file: a bit flipped": _spoil(EMERGENCY, _flip_used),
    "emergency file emptied": _spoil(EMERGENCY, _empty),
    "emergency file of another time": _from("young", EMERGENCY),
}


def damage(folder: Path, trials: int, seed: int) -> Outcomes:
    """Damage a folder, start on it, and look whether every record that was stored is still there."""
    outcomes = Outcomes((FOUND, HARMLESS, SAID))
    made = past(folder, Random(seed))
    kinds = list(DAMAGES)
    for trial in range(trials):
        kind = kinds[trial % len(kinds)]
        rng = Random(f"{seed}:{trial}")
        origin = made.failed if rng.randrange(2) else made.crashed
        copy = Path(shutil.copytree(origin, folder / "copy"))
        DAMAGES[kind](rng, copy, made)
        outcomes.add(kind, start(copy, origin), f"seed {seed}, trial {trial}, {origin.name}")
        shutil.rmtree(copy)
    return outcomes


def start(folder: Path, origin: Path) -> str:
    """Start on a damaged copy of a folder; what it ended as."""
    rows, kept = _stored_in(origin)
    try:
        torn = asyncio.run(read_all(folder))
    except DatabaseError:
        return FOUND
    after = stored(folder / NAME)
    if set(rows) <= set(after) and kept <= {row[0] for row in after}:
        return HARMLESS
    return SAID if torn and set(rows) <= set(after) else MISSED


async def read_all(folder: Path) -> int:
    """As a start does, whose trader reads everything; how many torn lines were left out. Raises DatabaseError."""
    async with Journal(folder, clock=WallClock(), reserve=ROOM) as journal:
        async for _ in journal.read():
            pass
        return journal.torn


@cache
def _stored_in(origin: Path) -> tuple[frozenset[Row], frozenset[int]]:
    aside = Path(shutil.copytree(origin, origin.with_name(f"{origin.name}-read")))
    emergency = Emergency(aside / EMERGENCY, ROOM)
    emergency.close()
    return frozenset(stored(aside / NAME)), frozenset(kept_values(line)[0] for line in emergency.lines)
