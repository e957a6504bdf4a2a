"""What happened, in order and for good: every journalled message, chained and durable."""

import asyncio
import itertools
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable
from functools import cache, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from messages import Message
from runtime import chain
from runtime.bus import RUN_BITS
from runtime.chain import CLOSED, COLUMNS, OPENED, PAGE, SEALED, ChainBroken, Entry
from runtime.clock import Clock
from runtime.database import Database, DatabaseBroken, DatabaseError
from runtime.emergency import Emergency
from runtime.envelope import Envelope

NAME = "journal.sqlite"
_SIMULATED_COMMIT = 60.0  # simulated seconds: nobody cuts the power in simulated time, unless faults are on
_SOURCE = "journal"
_Values = tuple[int, int, str, int, str, str]
"""An entry without its hashes."""
_GROUP = 128
_LINGER = 0.005
"""Seconds that records may wait for company while nobody waits for them to be durable."""
_SCHEMA = f"""
CREATE TABLE record ({COLUMNS.replace("number", "number INTEGER PRIMARY KEY", 1)});
CREATE TRIGGER no_update BEFORE UPDATE ON record BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER no_delete BEFORE DELETE ON record BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
"""


class JournalFailed(DatabaseError):
    """SQLite refused a record; nothing more is stored in this run. The cause says why."""


class Journal:
    """Append-only and hash-chained; open it with `async with`, which seals a crash and makes the new run durable.

    `failed` hears of the first refusal, after which the journal takes nothing more in this run.
    Raises DatabaseBroken on opening where the file is damaged or missing, other DatabaseErrors as they come.
    """

    def __init__(
        self,
        folder: Path,
        *,
        clock: Clock,
        failed: Callable[[BaseException], None] | None = None,
        waiting: int = 100_000,
        reserve: int = 4 << 20,
        delay: Callable[[], float] | None = None,
        fault: Callable[[], None] | None = None,
    ) -> None:
        self.path = folder / NAME
        self.run = 0
        """Of this opening; message numbers are run x 2^40 + 1, 2, ..."""
        self.last_run = 0
        """The run before this one, 0 where there was none."""
        self.sealed = False
        """Whether the last run had crashed."""
        self.durable_number = 0
        self.failure: BaseException | None = None
        self._clock = clock
        self._failed = failed
        self._bound = waiting
        self._reserve = reserve
        self._database = Database(
            self.path,
            migrations=(_SCHEMA,),
            clock=clock,
            synchronous="FULL",
            commit_every=0.0 if fault else _SIMULATED_COMMIT,
            delay=delay,
            fault=fault,
        )
        self._emergency: Emergency
        self._waiting: list[Envelope] = []
        self._awaited: list[tuple[int, asyncio.Future[None]]] = []
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None
        self._appended = 0
        self._head = (0, chain.START)

    async def __aenter__(self) -> Self:
        self._open_emergency()
        try:
            await self._database.__aenter__()
        except BaseException:
            self._emergency.close()
            raise
        try:
            await self._recover()
        except BaseException:
            await self._leave()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._close()
        finally:
            await self._leave()

    @property
    def head(self) -> tuple[int, str]:
        """Number and hash of the newest durable record: keep it elsewhere."""
        number, digest = self._head
        return number, digest.hex()

    def append(self, envelope: Envelope) -> None:
        """Take a message; it is stored with its group, soon. Raises TypeError for a class outside the vocabulary."""
        if type(envelope.message) not in chain.TYPES:
            raise TypeError(f"{type(envelope.message).__name__} is not among the journalled classes of messages")
        if envelope.number <= self._appended:
            raise ValueError(f"number {envelope.number} after {self._appended}: numbers only rise")
        self._appended = envelope.number
        self._waiting.append(envelope)
        if self.failure is not None:
            del self._waiting[: -self._bound]
        elif len(self._waiting) > self._bound:
            self._fail(DatabaseError(f"{self.path}: {self._bound} records wait; the disk is too slow"))
        elif not self._busy:
            self._flush_soon()

    async def durable(self, number: int) -> None:
        """Return when the message of this number, and all before it, survive a power cut. Raises JournalFailed."""
        target = min(number, self._appended)
        if target <= self.durable_number:
            return
        if self.failure is not None:
            raise _refusal(self.failure)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._awaited.append((target, future))
        if not self._busy:
            self._flush()
        with self._clock.hold():
            await future

    def emergency(self, number: int) -> None:
        """Keep one message the failed journal could not store: durable on return, merged by the next start.

        Only for what lowers exposure. Raises DatabaseFull where the reserve is used up, KeyError for a stored number.
        """
        found = [envelope for envelope in self._waiting if envelope.number == number]
        if not found:
            raise KeyError(number)
        self._emergency.write(msgspec.json.encode(chain.encode(found[0], chain.START)[:6]))

    async def read(self, first: int = 0, types: Iterable[type[Message]] = (Message,)) -> AsyncIterator[Envelope]:
        """Every stored message of these types from number `first` on, proven as it is read. Raises ChainBroken."""
        wanted = chain.names(types)
        await self.durable(self._appended)
        previous = chain.START if first == 0 else None
        while rows := await self._page(first):
            for entry in chain.checked(rows, previous):
                first, previous = entry.number + 1, entry.hash
                if entry.type in wanted:
                    yield chain.decode(entry)

    async def _page(self, first: int) -> list[tuple[Any, ...]]:
        with self._clock.hold():
            return await self._database.execute(PAGE, (first,))

    def _open_emergency(self) -> None:
        path = self.path.with_suffix(".emergency")
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not self.path.exists() and not any(path.parent.glob(f"{NAME}.broken-*")):
            mend = f"bring it back, or rename what is left of it to {NAME}.broken-1 to go on without it"
            raise DatabaseBroken(f"{self.path}: missing, though runs were kept there; {mend}")
        self._emergency = Emergency(path, self._reserve)

    async def _recover(self) -> None:
        try:
            last = await self._database.run(self._begin)
        except ChainBroken as error:
            mend = "see `audit verify`, then move it aside or bring back a copy"
            raise DatabaseBroken(f"{self.path}: {error}; {mend}") from error
        self.run = last.number >> RUN_BITS
        self._emergency.begin(self.run)
        self._head = (last.number, last.hash)
        self._appended = self.durable_number = last.number

    def _begin(self, connection: sqlite3.Connection) -> Entry:
        """Merge, seal and open in one transaction, so that a crash in here changes nothing."""
        old = _last_run(connection)
        kept = [_kept(line) for line in self._emergency.lines]
        last = old[-1] if old else None
        tail = _Tail(*((last.number, last.hash, last.type) if last else (0, chain.START, "")), self._clock.now())
        if kept and not old:
            tail.own(self._emergency.run << RUN_BITS, OPENED, run=self._emergency.run)
        merged = sum(tail.keep(values) for values in kept)
        self.last_run = tail.number >> RUN_BITS
        self.sealed = tail.kind not in (CLOSED, SEALED, "")
        if self.sealed:
            tail.own(_end(self.last_run), SEALED, last=tail.number, merged=merged)
        run = max(self.last_run, self._emergency.run) + 1
        tail.own(run << RUN_BITS, OPENED, run=run)
        connection.executemany(_insert(1), tail.new)
        return tail.new[-1]

    def _flush_soon(self) -> None:
        """What nobody waits for keeps for the next commit, or what is waited for would stand behind it."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_LINGER, self._flush)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._busy = True
        number, digest = self._head
        group: list[Entry] = []
        for envelope in self._waiting[:_GROUP]:
            entry = chain.encode(envelope, digest)
            number, digest = entry.number, entry.hash
            group.append(entry)
        future = self._database.submit(_insert(len(group)), list(itertools.chain.from_iterable(group)))
        future.add_done_callback(partial(self._committed, len(group), (number, digest)))

    def _committed(self, count: int, head: tuple[int, bytes], future: asyncio.Future[list[Any]]) -> None:
        error = future.exception()
        if error is not None:
            self._fail(error)
            return
        del self._waiting[:count]
        self._head = head
        self.durable_number = head[0]
        self._wake()
        self._busy = False
        if self._waiting and self._awaited:
            self._flush()
        elif self._waiting:
            self._flush_soon()

    def _wake(self) -> None:
        awaited, self._awaited = self._awaited, []
        for target, future in awaited:
            if target > self.durable_number:
                self._awaited.append((target, future))
            elif not future.done():
                future.set_result(None)

    def _fail(self, error: BaseException) -> None:
        self.failure = error
        awaited, self._awaited = self._awaited, []
        for _, future in awaited:
            if not future.done():
                future.set_exception(_refusal(error))
        if self._failed is not None:
            self._failed(error)

    async def _close(self) -> None:
        if self.failure is not None:
            return
        await self.durable(self._appended)
        number, digest = self._head
        tail = _Tail(number, digest, "", self._clock.now())
        tail.own(_end(self.run), CLOSED, last=number)
        await self._database.execute(_insert(1), tail.new[0])
        self._head = (tail.number, tail.hash)

    async def _leave(self) -> None:
        self._emergency.close()
        await self._database.__aexit__(None, None, None)


class _Tail:
    """New records behind the last one."""

    def __init__(self, number: int, digest: bytes, kind: str, now: int) -> None:
        self.number, self.hash, self.kind = number, digest, kind
        self.new: list[Entry] = []
        self._now = now

    def keep(self, values: _Values) -> bool:
        """Add a record of the emergency file, unless it was merged before."""
        if values[0] <= self.number:
            return False
        self._add(chain.link(self.hash, values[:5], values[5].encode()))
        return True

    def own(self, number: int, kind: str, **details: int) -> None:
        """Add a record of the journal's own."""
        body = msgspec.json.encode({"type": kind, **details})
        self._add(chain.link(self.hash, (number, self._now, _SOURCE, 0, kind), body))

    def _add(self, entry: Entry) -> None:
        self.new.append(entry)
        self.number, self.hash, self.kind = entry.number, entry.hash, entry.type


def _last_run(connection: sqlite3.Connection) -> list[Entry]:
    """The newest run with the record before it, proven; a damaged one is never gone on with."""
    (newest,) = connection.execute("SELECT max(number) FROM record").fetchone()
    if newest is None:
        return []
    start = newest >> RUN_BITS << RUN_BITS
    (before,) = connection.execute("SELECT max(number) FROM record WHERE number < ?", (start,)).fetchone()
    sql = f"SELECT {COLUMNS} FROM record WHERE number >= ? ORDER BY number"  # noqa: S608
    rows = connection.execute(sql, (before or 0,)).fetchall()
    return list(chain.checked(rows, chain.START if before is None else None))


def _refusal(cause: BaseException) -> JournalFailed:
    refusal = JournalFailed(str(cause))
    refusal.__cause__ = cause
    return refusal


def _kept(line: bytes) -> _Values:
    return msgspec.json.decode(line, type=_Values)


def _end(run: int) -> int:
    """The last number of a run, which no message ever gets."""
    return (run + 1 << RUN_BITS) - 1


@cache
def _insert(count: int) -> str:
    """One statement for a group: it commits by itself, and the thread asks for the interpreter once."""
    return f"INSERT INTO record ({COLUMNS}) VALUES " + ", ".join(["(?, ?, ?, ?, ?, ?, ?, ?)"] * count)  # noqa: S608
