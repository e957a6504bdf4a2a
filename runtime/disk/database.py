"""The one seam to SQLite: a thread of its own in real time, inline in simulated time."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, Self, TypeVar

import aiosqlite

from runtime.clock import SECOND, Clock
from runtime.disk import faultpoints
from runtime.disk.errors import MEND_BROKEN, UNREADABLE, DatabaseBroken, DatabaseError, DatabaseLocked, typed

Value = TypeVar("Value")
Work = Callable[[sqlite3.Connection], Value]
Row = tuple[Any, ...]
_made = faultpoints.point("database: file made, not in its place")
_placed = faultpoints.point("database: file in its place, without tables")
_migrating = faultpoints.point("database: migration made, not committed")
_migrated = faultpoints.point("database: migration committed")
_closing = faultpoints.point("database: last commit done, not closed")


class _Link(Protocol):
    def submit(self, work: Callable[[], Value]) -> asyncio.Future[Value]: ...

    async def close(self) -> None: ...


class _Threaded(aiosqlite.Connection):
    """One hop to the thread and back, whatever the work."""

    def submit(self, work: Callable[[], Value]) -> asyncio.Future[Value]:
        future: asyncio.Future[Value] = asyncio.get_running_loop().create_future()
        self._tx.put_nowait((future, work))  # pyright: ignore[reportUnknownMemberType]
        return future


class _Inline:
    """A thread would answer at an instant no seed decides."""

    def __init__(self, clock: Clock, delay: Callable[[], float] | None) -> None:
        self._clock = clock
        self._delay = delay

    def submit(self, work: Callable[[], Value]) -> asyncio.Future[Value]:
        future: asyncio.Future[Value] = asyncio.get_running_loop().create_future()
        try:
            answer = partial(_answer, future, work())
        except DatabaseError as error:
            answer = partial(_refuse, future, error)
        if self._delay is None:
            answer()
        else:
            self._clock.call_later(self._delay(), answer)
        return future

    async def close(self) -> None:
        pass


class Database:
    """One SQLite file with one writer; open it with `async with`.

    `migrations` are SQL scripts; the file's schema version is how many of them it has seen. `page_size` (bytes) is for
    a file that is made here, `cache_size` (KiB) what SQLite keeps of it in memory. In simulated time, or with
    `inline`, everything happens on the loop, a commit comes once in `commit_every` seconds of `clock`, `delay` draws
    the seconds until an answer, and `fault` may raise a DatabaseError before each piece of work.
    Raises DatabaseBroken, DatabaseFull, DatabaseLocked or DatabaseError.
    """

    def __init__(
        self,
        path: Path,
        *,
        migrations: Sequence[str],
        clock: Clock,
        synchronous: Literal["FULL", "NORMAL"] = "NORMAL",
        page_size: int = 4_096,
        cache_size: int = 2_000,
        outstanding: int = 64,
        commit_every: float = 1.0,
        inline: bool = False,
        delay: Callable[[], float] | None = None,
        fault: Callable[[], None] | None = None,
    ) -> None:
        self.path = path
        self._migrations = migrations
        self._clock = clock
        self._simulated = inline or clock.name == "simulated"
        self._synchronous = "OFF" if self._simulated else synchronous
        self._page_size = page_size
        self._cache_size = cache_size
        self._limit = outstanding
        self._commit_every = round(commit_every * SECOND)
        self._delay = delay
        self._fault = fault
        self._link: _Link
        self._connection: sqlite3.Connection
        self._committed = 0
        self._writes: dict[asyncio.Future[Any], None] = {}
        self._failure: DatabaseError | None = None

    async def __aenter__(self) -> Self:
        self._committed = self._clock.now()
        self._connection = self._open()
        if self._simulated:
            self._link = _Inline(self._clock, self._delay)
        else:
            link = _Threaded(lambda: self._connection, iter_chunk_size=64)
            await link
            self._link = link
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.flush()
        finally:
            await self._link.submit(self._finish)
            await self._link.close()

    @property
    def outstanding(self) -> int:
        """Writes handed over and not yet stored."""
        return len(self._writes)

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """One statement, stored when this returns; its rows come back."""
        return await self.submit(lambda connection: connection.execute(sql, parameters).fetchall())

    def submit(self, work: Work[Value]) -> asyncio.Future[Value]:
        """`work` in the writer's thread, in no transaction of ours; the future is the caller's to look at."""
        return self._link.submit(partial(self._guarded, work))

    async def run(self, work: Work[Value]) -> Value:
        """`work` in the writer's thread, in one transaction: all of it is stored or nothing."""
        return await self.submit(partial(_transact, work))

    async def read(self, work: Work[Value]) -> Value:
        """`work` in the writer's thread, which only reads."""
        return await self.submit(work)

    async def commit(self) -> None:
        """Store what simulated time still holds back."""
        await self.submit(_commit)

    def write(self, work: Work[None]) -> None:
        """`run` that waits for nothing.

        Raises the failure of an earlier write, and DatabaseLocked where too many are outstanding.
        """
        self._raise_failure()
        if len(self._writes) >= self._limit:
            raise DatabaseLocked(f"{self.path}: {self._limit} writes wait already; the disk is too slow")
        future = self.submit(partial(_transact, work))
        self._writes[future] = None
        future.add_done_callback(self._written)

    async def flush(self) -> None:
        """Wait until every write is stored; raises the failure of the first that was not."""
        while self._writes:
            await asyncio.wait(list(self._writes))
        self._raise_failure()

    def _written(self, future: asyncio.Future[None]) -> None:
        del self._writes[future]
        error = future.exception()
        if error is not None and not isinstance(error, DatabaseError):
            raise error
        self._failure = self._failure or error

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    def _guarded(self, work: Work[Value]) -> Value:
        try:
            if self._simulated:
                self._turn_second()
            return work(self._connection)
        except UNREADABLE as error:
            raise typed(self.path, error) from error

    def _turn_second(self) -> None:
        if self._fault is not None:
            self._fault()
        now = self._clock.now()
        if self._connection.in_transaction and now - self._committed >= self._commit_every:
            self._connection.execute("COMMIT")
        if not self._connection.in_transaction and self._commit_every:
            self._connection.execute("BEGIN")
            self._committed = now

    def _finish(self) -> None:
        try:
            _commit(self._connection)
            _closing()
        except UNREADABLE as error:
            raise typed(self.path, error) from error
        finally:
            self._connection.close()

    def _open(self) -> sqlite3.Connection:
        try:
            if not self.path.exists():
                self._create()
            connection = _connect(self.path)
            try:
                _prepare(connection, self._synchronous, self._cache_size)
                _migrate(self.path, connection, self._migrations)
            except BaseException:
                connection.close()
                raise
        except UNREADABLE as error:
            raise typed(self.path, error) from error
        return connection

    def _create(self) -> None:
        """Under another name first, so that an empty file under ours is always damage."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        orphan = self.path.with_name(self.path.name + "-wal")
        if orphan.exists():
            raise DatabaseBroken(f"{self.path}: missing, but {orphan.name} is there; bring it back, or move both aside")
        young = self.path.with_name(self.path.name + ".new")
        young.unlink(missing_ok=True)
        with closing(sqlite3.connect(young, isolation_level=None)) as connection:
            connection.execute(f"PRAGMA page_size = {self._page_size}")
            connection.execute("CREATE TABLE meta (schema_version INTEGER NOT NULL)")
            connection.execute("INSERT INTO meta VALUES (0)")
        _made()
        young.replace(self.path)
        _placed()


def quarantine(path: Path, stamp: str) -> Path:
    """Rename a broken file and what SQLite keeps beside it, for a person to look at; the new name comes back."""
    aside = path.with_name(f"{path.name}.broken-{stamp}")
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(aside.with_name(aside.name + suffix))
    return aside


def _connect(path: Path) -> sqlite3.Connection:
    if path.stat().st_size == 0:
        raise DatabaseBroken(f"{path}: the file is empty; {MEND_BROKEN}")
    return sqlite3.connect(path, timeout=5, isolation_level=None, check_same_thread=False)


def _prepare(connection: sqlite3.Connection, synchronous: str, cache_size: int) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    connection.execute(f"PRAGMA cache_size = -{cache_size}")


def _migrate(path: Path, connection: sqlite3.Connection, scripts: Sequence[str]) -> None:
    version = _version(path, connection)
    if version > len(scripts):
        raise DatabaseBroken(f"{path}: schema {version}, this program knows {len(scripts)}; use the newer program")
    if 0 < version < len(scripts):
        _keep_copy(path, connection, version)
    connection.create_function("migrating", 0, _migrating)
    for number, script in enumerate(scripts[version:], version + 1):
        try:
            update = f"UPDATE meta SET schema_version = {number}"  # noqa: S608
            connection.executescript(f"BEGIN IMMEDIATE; {script}; {update}; SELECT migrating(); COMMIT")
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        _migrated()


def _keep_copy(path: Path, connection: sqlite3.Connection, version: int) -> None:
    """A migration is all or nothing; the copy is for one that was wrong."""
    kept = path.with_name(f"{path.name}.schema-{version}")
    young = kept.with_name(kept.name + ".new")
    young.unlink(missing_ok=True)
    connection.execute("VACUUM INTO ?", (str(young),))
    young.replace(kept)


def _version(path: Path, connection: sqlite3.Connection) -> int:
    found = connection.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'meta'").fetchone()
    rows = connection.execute("SELECT schema_version FROM meta").fetchall() if found else []
    if len(rows) != 1 or not isinstance(rows[0][0], int):
        raise DatabaseBroken(f"{path}: not a database of this program; move it aside")
    return rows[0][0]


def _commit(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("COMMIT")


def _transact(work: Work[Value], connection: sqlite3.Connection) -> Value:
    nested = connection.in_transaction
    connection.execute("SAVEPOINT work" if nested else "BEGIN IMMEDIATE")
    try:
        value = work(connection)
        connection.execute("RELEASE work" if nested else "COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO work" if nested else "ROLLBACK")
        raise
    return value


def _answer(future: asyncio.Future[Value], value: Value) -> None:
    if not future.done():
        future.set_result(value)


def _refuse(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
