"""What a start lays behind the last record of the journal: what was kept elsewhere, a seal, a new run."""

import sqlite3
from bisect import bisect_left
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import cache
from operator import attrgetter
from pathlib import Path

import msgspec

from runtime.bus import RUN_BITS
from runtime.disk import chain
from runtime.disk.chain import CLOSED, COLUMNS, OPENED, SEALED, ChainBroken, Entry
from runtime.disk.emergency import Emergency
from runtime.disk.errors import DatabaseBroken
from runtime.envelope import Envelope

BROKEN = ".broken-"
"""Behind a file's name: set aside by a person."""
SOURCE = "journal"
"""Of the journal's own records."""
_Values = tuple[int, int, str, int, str, str]
"""An entry without its hashes."""


class Tail:
    """New records behind the last one."""

    def __init__(self, last: Entry | None, now: int) -> None:
        self.number, self.hash = (last.number, last.hash) if last else (0, chain.START)
        self.run = self.number >> RUN_BITS
        self.ended = last is None or last.type in (CLOSED, SEALED)
        self.new: list[Entry] = []
        self._now = now
        self._merged = 0

    def keep(self, values: _Values) -> None:
        """Add a record of the emergency file, unless the journal has it or what came after it."""
        if values[0] <= self.number:
            return
        if values[0] >> RUN_BITS > self.run:
            self.begin(values[0] >> RUN_BITS)
        self._add(chain.link(self.hash, values[:5], values[5].encode()))
        self._merged += 1

    def begin(self, run: int, **details: int) -> None:
        """Open a run, and seal the one before where it has no end."""
        if not self.ended:
            self._own(end_of(self.run), SEALED, last=self.number, merged=self._merged, **details)
        self._own(run << RUN_BITS, OPENED, run=run)
        self.run, self.ended, self._merged = run, False, 0

    def _own(self, number: int, kind: str, **details: int) -> None:
        """Add a record of the journal's own."""
        body = msgspec.json.encode({"type": kind, **details})
        self._add(chain.link(self.hash, (number, self._now, SOURCE, 0, kind), body))

    def _add(self, entry: Entry) -> None:
        self.new.append(entry)
        self.number, self.hash = entry.number, entry.hash


def last_run(connection: sqlite3.Connection) -> list[Entry]:
    """The newest run with the record before it, proven; a damaged one is never gone on with."""
    (newest,) = connection.execute("SELECT max(number) FROM record").fetchone()
    if newest is None:
        return []
    start = newest >> RUN_BITS << RUN_BITS
    (before,) = connection.execute("SELECT max(number) FROM record WHERE number < ?", (start,)).fetchone()
    sql = f"SELECT {COLUMNS} FROM record WHERE number >= ? ORDER BY number"  # noqa: S608
    rows = connection.execute(sql, (before or 0,)).fetchall()
    return list(chain.checked(rows, chain.START if before is None else None))


def open_beside(path: Path, reserve: int) -> Emergency:
    """The emergency file of a journal. Raises DatabaseBroken where the journal is gone though runs were kept in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = Emergency(path.with_suffix(".emergency"), reserve)
    if beside.run and not path.exists() and not given_up(path):
        beside.close()
        raise DatabaseBroken(f"{path}: missing, though runs were kept there; {mend(path)}")
    return beside


def prove_beside(connection: sqlite3.Connection, last: Entry | None, beside: Emergency, path: Path) -> None:
    """The emergency file's header is a head kept beside: with it a cut, an exchange or an old copy is found at a start.

    Raises DatabaseBroken, unless a person has given up what is missed.
    """
    if given_up(path):
        return
    rows = connection.execute("SELECT hash FROM record WHERE number = ?", (beside.number,)).fetchall()
    if beside.number and not any(beside.stands_for(beside.number, digest.hex()) for (digest,) in rows):
        problem = f"record {beside.number}, which was stored, is not in it: it was cut, exchanged or is an old copy"
        raise ChainBroken(problem)
    if last is None or last.type in (CLOSED, SEALED) or given_up(beside.path):
        return
    if beside.run < last.number >> RUN_BITS:
        problem = "missing or of an earlier time, and the last run had no end"
        raise DatabaseBroken(f"{beside.path}: {problem}; {mend(beside.path)}")


def given_up(path: Path) -> list[Path]:
    """What a person moved aside to go on without it; each counts for one start."""
    return sorted(path.parent.glob(f"{path.name}{BROKEN}*"))


def put_away(run: int, *paths: Path) -> None:
    """What was given up of these has counted, for the start of this run."""
    for aside in (aside for path in paths for aside in given_up(path)):
        aside.replace(aside.with_name(aside.name.replace(BROKEN, f".before-run-{run}-")))


def mend(path: Path) -> str:
    """What a person can do."""
    aside = f"{path.name}{BROKEN}1"
    way = f"keep what is left of it as {aside} (`audit quarantine` does so with a journal)"
    return f"bring the right one back, or {way} to go on without it"


@contextmanager
def naming(path: Path) -> Generator[None]:
    """What is wrong with a journal says with which, and what a person can do. Raises ChainBroken."""
    try:
        yield
    except ChainBroken as error:
        raise ChainBroken(f"{path}: {error}; see `audit verify`, then {mend(path)}") from error


def find(envelopes: Sequence[Envelope], number: int) -> Envelope | None:
    """The one of this number among envelopes in their order."""
    place = bisect_left(envelopes, number, key=attrgetter("number"))
    found = envelopes[place] if place < len(envelopes) else None
    return found if found is not None and found.number == number else None


def line_of(envelope: Envelope) -> bytes:
    """A message as the emergency file keeps it."""
    return msgspec.json.encode(chain.encode(envelope, chain.START)[:6])


def kept_values(line: bytes) -> _Values:
    """A line of the emergency file, read back."""
    return msgspec.json.decode(line, type=_Values)


def kept_beside(emergency: Emergency, number: int) -> list[_Values]:
    """What the emergency file holds, in order. Raises DatabaseBroken where some of it beyond this number is missing."""
    kept = sorted(map(kept_values, emergency.lines))
    if emergency.damaged and any(values[0] > number for values in kept):
        raise DatabaseBroken(f"{emergency.path}: damaged in its midst; {mend(emergency.path)}")
    return kept


def end_of(run: int) -> int:
    """The last number of a run, which no message ever gets."""
    return (run + 1 << RUN_BITS) - 1


@cache
def insertion(count: int) -> str:
    """One statement for a group: it commits by itself, and the thread asks for the interpreter once."""
    return f"INSERT INTO record ({COLUMNS}) VALUES " + ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?)"] * count)  # noqa: S608
