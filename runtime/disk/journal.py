"""What happened, in order and for good: every journalled message, chained and durable."""

import asyncio
import itertools
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from messages import Message
from runtime.bus import RUN_BITS
from runtime.clock import Clock
from runtime.disk import chain, faultpoints
from runtime.disk.awaited import Awaited, refusal
from runtime.disk.chain import CLOSED, COLUMNS, LOWEST, PAGE, Entry, Kept
from runtime.disk.database import Database
from runtime.disk.emergency import Emergency
from runtime.disk.errors import DatabaseBroken, DatabaseError, DatabaseLocked
from runtime.disk.tail import (
    SOURCE,
    Tail,
    end_of,
    find,
    insertion,
    kept_beside,
    last_run,
    line_of,
    naming,
    open_beside,
    prove_beside,
    put_away,
)
from runtime.envelope import Envelope

NAME = "journal.sqlite"
_SIMULATED_COMMIT = 60.0  # simulated seconds: nobody cuts the power in simulated time, unless faults are on
_CACHE = 128  # KiB of its pages kept in memory: what is only ever added to is hardly read again
_GROUP = 128
_BEYOND = 1_000
"""Of the newest records that found no room to wait: they can still go to the emergency file."""
_PATIENCE = 6.0
"""Seconds a group may take: the busy time-out and a little more, or a disk that hangs would keep exits waiting."""
_RETRY = 1.0  # seconds until a refused group is tried again
_LINGER = 0.005  # seconds that records may wait for company while nobody waits for them to be durable
_SCHEMA = f"""
CREATE TABLE record ({COLUMNS.replace("number", "number INTEGER PRIMARY KEY", 1)});
CREATE TRIGGER no_update BEFORE UPDATE ON record BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER no_delete BEFORE DELETE ON record BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
"""


_encoded = faultpoints.point("journal: group chained, not handed over")
_stored = faultpoints.point("journal: group stored, not marked")
_marked = faultpoints.point("journal: group marked, nobody told")
_told = faultpoints.point("journal: group told")
_proven = faultpoints.point("journal: last run proven, nothing merged")
_merged = faultpoints.point("journal: merged, sealed and opened, not committed")
_opened = faultpoints.point("journal: run opened, emergency file not begun")
_begun = faultpoints.point("journal: run begun")
_drained = faultpoints.point("journal: all stored, run not closed")
_closed = faultpoints.point("journal: run closed")


class Journal:
    """Append-only and hash-chained; open it with `async with`, which seals a crash and makes the new run durable.

    `failed` hears each time the disk begins to refuse. Then `failure` says why until everything is stored after
    all, which it never is once the file is damaged or more than `waiting` records wait. `reserve`: bytes taken
    beforehand for `emergency`. Raises DatabaseBroken on opening where the file is damaged, cut, exchanged or
    missing, other DatabaseErrors as they come.
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
        self.torn = 0
        """Lines of the emergency file that a cut left half written: their writer never heard that they are durable."""
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
            cache_size=_CACHE,
            commit_every=0.0 if fault else _SIMULATED_COMMIT,
            delay=delay,
            fault=fault,
        )
        self._emergency: Emergency
        self._waiting: list[Envelope] = []
        self._beyond: deque[Envelope] = deque(maxlen=_BEYOND)
        self._awaited = Awaited()
        self._spilled: dict[int, None] = {}
        """Numbers in the emergency file."""
        self._busy = False
        self._storing: asyncio.Future[None]
        self._timer: asyncio.Handle | None = None
        self._patience: asyncio.TimerHandle
        self._appended = 0
        self._head = (0, chain.START)

    async def __aenter__(self) -> Self:
        self._emergency = open_beside(self.path, self._reserve)
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
        full = bool(self._beyond) or len(self._waiting) >= self._bound
        (self._beyond if full else self._waiting).append(envelope)
        if self.failure is not None:
            self._spill([envelope])
        elif full:
            self._fail(DatabaseError(f"{self.path}: {self._bound} records wait; the disk is too slow"))
        if not (full or self._busy) and self._timer is None:
            self._timer = asyncio.get_running_loop().call_soon(self._linger)  # a timer costs more than all of this

    async def durable(self, number: int) -> None:
        """Return when the message of this number, and all before it, survive a power cut.

        Raises JournalFailed at once while the disk refuses.
        """
        await self._clock.outside(self._stored(min(number, self._appended)))

    def _stored(self, number: int) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if number <= self.durable_number:
            future.set_result(None)
        elif self.failure is not None:
            future.set_exception(refusal(self.failure))
        else:
            self._awaited.add(number, future)
            if not self._busy:
                self._flush()
        return future

    async def visible(self) -> None:
        """Return when who reads the file beside this finds all that was said until now, or the disk refuses it."""
        with suppress(DatabaseError):
            await self.durable(self._appended)
            with self._clock.hold():
                await self._database.commit()

    def emergency(self, number: int) -> None:
        """Make one message durable that the journal could not store: it is, on return; the next start merges it.

        Only for what lowers exposure and for what has happened. Several may come in any order, and one that the
        journal stores after all counts once. What else waits is spilled into the first half of the file, unsynced:
        it survives the process, not a power cut. Raises DatabaseFull where the reserve is used up,
        DatabaseError where the disk refuses this too, KeyError for a number that was never appended.
        """
        if number <= self.durable_number:
            return
        if number in self._spilled:
            self._emergency.sync()
            return
        envelope = find(self._waiting, number) or find(self._beyond, number)
        if envelope is None:
            raise KeyError(number)
        self._emergency.write(line_of(envelope))
        self._spilled[number] = None

    async def read(self, first: int = 0, types: Iterable[type[Message]] = (Message,)) -> AsyncIterator[Envelope]:
        """Every stored message of these types from number `first` on, proven as it is read. Raises ChainBroken."""
        wanted = chain.names(types)
        await self.durable(self._appended)
        first, previous = (first, None) if first else (LOWEST, chain.START)
        with naming(self.path):
            while rows := await self._page(first):
                for entry in chain.checked(rows, previous):
                    first, previous = entry.number + 1, entry.hash
                    if entry.type in wanted:
                        yield chain.decode(entry)

    async def newest(self, kind: type[Kept]) -> Kept | None:
        """The last stored message of a class, its own record proven; None where there is none. Raises ChainBroken."""
        await self.durable(self._appended)
        below = chain.HIGHEST
        with naming(self.path), self._clock.hold():
            while (floor := (await self._database.execute(chain.STEP_BACK, (below,)))[0][0]) is not None:
                rows = await self._database.execute(chain.WITHIN, (chain.listed((kind,)), floor, below))
                for envelope in chain.proven(rows):
                    assert isinstance(envelope.message, kind)
                    return envelope.message
                below = floor
        return None

    async def _page(self, first: int) -> list[tuple[Any, ...]]:
        with self._clock.hold():
            return await self._database.execute(PAGE, (first,))

    async def _recover(self) -> None:
        with naming(self.path):
            last = await self._database.run(self._begin)
            await self._database.commit()
        _opened()
        self.run = last.number >> RUN_BITS
        self._emergency.begin(last.number, last.hash.hex())
        put_away(self.run, self.path, self._emergency.path)
        self._head = (last.number, last.hash)
        self._appended = self.durable_number = last.number
        _begun()

    def _begin(self, connection: sqlite3.Connection) -> Entry:
        """Merge, seal and open in one transaction, so that a crash in here changes nothing."""
        old = last_run(connection)
        last = old[-1] if old else None
        prove_beside(connection, last, self._emergency, self.path)
        tail = Tail(last, self._clock.now())
        kept = kept_beside(self._emergency, tail.number)
        _proven()
        for values in kept:
            tail.keep(values)
        self.last_run = tail.run
        self.sealed = not tail.ended
        self.torn = self._emergency.torn
        tail.begin(max(tail.run, self._emergency.run) + 1, torn=self.torn)
        connection.executemany(insertion(1), tail.new)
        self._emergency.prepare(tail.run)
        _merged()
        return tail.new[-1]

    def _linger(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(_LINGER, self._flush)

    def _flush_soon(self, seconds: float) -> None:
        """What nobody waits for keeps for the next commit, or what is waited for would stand behind it."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(seconds, self._flush)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not (group := self._chained()):
            if self._waiting:
                self._flush_soon(_RETRY)
            return
        self._busy = True
        _encoded()
        self._storing = self._database.submit(partial(self._store, group))
        self._storing.add_done_callback(partial(self._committed, len(group), (group[-1].number, group[-1].hash)))
        self._patience = asyncio.get_running_loop().call_later(_PATIENCE, self._lose_patience)

    def _chained(self) -> list[Entry]:
        """The next group. One that no JSON can hold is a failure, and takes no other with it."""
        group: list[Entry] = []
        digest = self._head[1]
        for place, envelope in enumerate(self._waiting[:_GROUP]):
            try:
                group.append(chain.encode(envelope, digest))
            except (TypeError, ValueError, OverflowError) as error:
                del self._waiting[place]
                self._fail(DatabaseError(f"{self.path}: record {envelope.number} cannot be written down: {error}"))
                break
            digest = group[-1].hash
        return group

    def _lose_patience(self) -> None:
        self._fail(DatabaseLocked(f"{self.path}: nothing could be stored for {_PATIENCE:g} s"))

    def _store(self, group: Sequence[Entry], connection: sqlite3.Connection) -> None:
        connection.execute(insertion(len(group)), list(itertools.chain.from_iterable(group)))
        if not connection.in_transaction:
            _stored()
            self._emergency.mark(group[-1].number, group[-1].hash.hex())
            _marked()

    def _committed(self, count: int, head: tuple[int, bytes], future: asyncio.Future[None]) -> None:
        self._patience.cancel()
        error = future.exception()
        self._busy = isinstance(error, DatabaseBroken)
        if error is not None:
            self._fail(error)
            if not self._busy:
                self._flush_soon(_RETRY)
            return
        del self._waiting[:count]
        self._head = head
        self.durable_number = head[0]
        self._awaited.tell(self.durable_number)
        _told()
        if self.failure is not None and not self._waiting and not self._beyond:
            self._resume()
        if self._waiting and self._awaited:
            self._flush()
        elif self._waiting:
            self._flush_soon(_LINGER)

    def _resume(self) -> None:
        """Everything is stored after all."""
        self.failure = None
        self._spilled.clear()
        number, digest = self.head
        with suppress(DatabaseError):
            self._emergency.begin(number, digest)

    def _spill(self, envelopes: Iterable[Envelope]) -> None:
        """What waits goes to the emergency file too, or an end of the process would lose it; half the room is left."""
        for envelope in envelopes:
            if self._emergency.half_full:
                return
            with suppress(DatabaseError, TypeError, ValueError):  # the journal was left meanwhile, or see `_chained`
                self._emergency.write(line_of(envelope), sync=False)
                self._spilled[envelope.number] = None

    def _fail(self, error: BaseException) -> None:
        first, self.failure = self.failure is None, error
        if first:
            self._spill([*self._waiting, *self._beyond])
        self._awaited.refuse(error)
        if first and self._failed is not None:
            self._failed(error)

    async def _close(self) -> None:
        while self._waiting and await self._one_more():
            pass
        if self.failure is not None:
            return
        self._busy = True  # what is said from here on comes behind the end: nothing of it may be chained
        _drained()
        body = msgspec.json.encode({"type": CLOSED, "last": self._head[0]})
        entry = chain.link(self._head[1], (end_of(self.run), self._clock.now(), SOURCE, 0, CLOSED), body)
        await self._database.submit(partial(self._store, [entry]))
        await self._database.commit()
        self._emergency.mark(entry.number, entry.hash.hex())
        self._head = (entry.number, entry.hash)
        _closed()

    async def _one_more(self) -> bool:
        """The last try for what waits, also after a failure; true where some of it was stored, whatever came behind."""
        before = self._waiting[0]
        if not self._busy:
            self._flush()
        if self._busy:
            with self._clock.hold():
                await asyncio.wait([self._storing])
        return not self._waiting or self._waiting[0] is not before

    async def _leave(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        try:
            await self._database.__aexit__(None, None, None)
        finally:
            self._emergency.close()
