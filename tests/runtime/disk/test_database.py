import asyncio
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from runtime.clock import SimulatedClock, WallClock
from runtime.disk.database import Database, quarantine
from runtime.disk.errors import DatabaseBroken, DatabaseFull, DatabaseLocked
from runtime.disk.reading import reading
from runtime.loops.loop import VirtualLoop
from runtime.testing import START, in_virtual_time
from tests.runtime.disk.limits import files_up_to

TICKS = "CREATE TABLE tick (price INTEGER)"
ONE_TICK = "CREATE TABLE tick (price INTEGER); INSERT INTO tick VALUES (1)"


def with_database(path: Path, work: Callable[[Database], Awaitable[None]], *migrations: str) -> None:
    async def main() -> None:
        async with Database(path, migrations=migrations or (TICKS,), clock=WallClock()) as database:
            await work(database)

    asyncio.run(main())


def simulated_clock() -> SimulatedClock:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return SimulatedClock(START, loop)


def prices(path: Path) -> list[int]:
    with closing(reading(path)) as connection:
        return [price for (price,) in connection.execute("SELECT price FROM tick ORDER BY price")]


def insert(*values: int) -> Callable[[sqlite3.Connection], None]:
    return lambda connection: connection.executemany("INSERT INTO tick VALUES (?)", [(v,) for v in values]) and None


def insert_and_fail(connection: sqlite3.Connection) -> None:
    insert(1)(connection)
    raise KeyError("planted")


def test_what_was_stored_is_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "한글 폴더" / "market.sqlite"

    async def store(database: Database) -> None:
        await database.execute("INSERT INTO tick VALUES (?)", (1,))
        await database.run(insert(2, 3))
        database.write(insert(4))

    async def look(database: Database) -> None:
        assert await database.execute("SELECT sum(price) FROM tick") == [(10,)]
        assert await database.read(lambda c: c.execute("PRAGMA journal_mode").fetchone()) == ("wal",)

    with_database(path, store)
    with_database(path, look)
    assert prices(path) == [1, 2, 3, 4]


def test_full_durability_is_really_on(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "journal.sqlite"
        async with Database(path, migrations=(TICKS,), clock=WallClock(), synchronous="FULL") as database:
            assert await database.execute("PRAGMA synchronous") == [(2,)]

    asyncio.run(main())


def test_work_that_fails_stores_nothing(tmp_path: Path) -> None:
    async def work(database: Database) -> None:
        with pytest.raises(KeyError):
            await database.run(insert_and_fail)
        await database.run(insert(2))

    with_database(tmp_path / "a.sqlite", work)
    assert prices(tmp_path / "a.sqlite") == [2]


def test_waiting_writes_are_bounded_and_counted(tmp_path: Path) -> None:
    async def main() -> None:
        async with Database(tmp_path / "a.sqlite", migrations=(TICKS,), clock=WallClock(), outstanding=2) as database:
            database.write(insert(1))
            database.write(insert(2))
            with pytest.raises(DatabaseLocked, match="2 writes wait"):
                database.write(insert(3))
            assert database.outstanding == 2
            await database.flush()
            assert database.outstanding == 0

    asyncio.run(main())


def test_a_failed_write_shows_at_the_next_one(tmp_path: Path) -> None:
    async def work(database: Database) -> None:
        database.write(lambda connection: connection.execute("INSERT INTO nowhere VALUES (1)") and None)
        with pytest.raises(Exception, match="no such table: nowhere"):
            await database.flush()
        database.write(insert(1))

    with_database(tmp_path / "a.sqlite", work)
    assert prices(tmp_path / "a.sqlite") == [1]


def test_migrations_run_once_each_and_in_order(tmp_path: Path) -> None:
    async def nothing(_: Database) -> None: ...

    async def look(database: Database) -> None:
        assert await database.execute("SELECT price, size FROM tick") == [(1, 7)]

    path = tmp_path / "a.sqlite"
    with_database(path, nothing, ONE_TICK)
    second = "ALTER TABLE tick ADD COLUMN size INTEGER NOT NULL DEFAULT 7"
    with_database(path, nothing, "not run again", second)
    with_database(path, look, "not run again", second)


def test_a_migration_that_fails_leaves_the_old_schema(tmp_path: Path) -> None:
    async def nothing(_: Database) -> None: ...

    path = tmp_path / "a.sqlite"
    with_database(path, nothing)
    with pytest.raises(Exception, match="syntax error"):
        with_database(path, nothing, TICKS, "DROP TABLE tick; CREATE TABEL trade (price)")
    with_database(path, nothing)
    assert prices(path) == []


@pytest.mark.parametrize(
    "content", [b"", b"not a database at all, but long enough to be looked at" * 4, b"SQLite format 3\0" + bytes(2000)]
)
def test_a_broken_file_is_named_and_never_begun_anew(tmp_path: Path, content: bytes) -> None:
    async def nothing(_: Database) -> None: ...

    path = tmp_path / "a.sqlite"
    path.write_bytes(content)
    with pytest.raises(DatabaseBroken, match=r"a\.sqlite"):
        with_database(path, nothing)
    aside = quarantine(path, "20250902-090000")
    assert aside.read_bytes() == content
    with_database(path, nothing)


def test_a_foreign_database_and_a_newer_one_are_refused(tmp_path: Path) -> None:
    async def nothing(_: Database) -> None: ...

    with closing(sqlite3.connect(tmp_path / "foreign.sqlite")) as foreign:
        foreign.execute("CREATE TABLE mine (x)")
    with pytest.raises(DatabaseBroken, match="not a database of this program"):
        with_database(tmp_path / "foreign.sqlite", nothing)
    with_database(tmp_path / "newer.sqlite", nothing, TICKS, "CREATE TABLE more (x)")
    with pytest.raises(DatabaseBroken, match="newer program"):
        with_database(tmp_path / "newer.sqlite", nothing, TICKS)


def test_a_full_disk_is_a_typed_error_and_leaves_the_file_whole(tmp_path: Path) -> None:
    async def work(database: Database) -> None:
        await database.run(insert(1))
        await database.execute("PRAGMA max_page_count = 4")
        with pytest.raises(DatabaseFull, match="make room"):
            await database.run(insert(*range(20_000)))
        assert await database.execute("SELECT count(*) FROM tick") == [(1,)]

    with_database(tmp_path / "a.sqlite", work)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
def test_a_limit_on_the_size_of_files_is_a_full_disk_and_not_a_broken_one(tmp_path: Path) -> None:
    async def work(database: Database) -> None:
        await database.run(insert(1))
        with files_up_to(60_000), pytest.raises(DatabaseFull, match="make room"):
            await database.run(insert(*range(20_000)))
        await database.run(insert(2))

    with_database(tmp_path / "a.sqlite", work)
    assert [file.name for file in tmp_path.iterdir()] == ["a.sqlite"], "the probe is gone"
    assert prices(tmp_path / "a.sqlite") == [1, 2]


def test_a_lock_of_another_process_is_a_typed_error(tmp_path: Path) -> None:
    async def work(database: Database) -> None:
        await database.execute("PRAGMA busy_timeout = 1")
        with closing(sqlite3.connect(database.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(DatabaseLocked):
                await database.run(insert(1))
            other.execute("ROLLBACK")
        await database.run(insert(2))

    with_database(tmp_path / "a.sqlite", work)
    assert prices(tmp_path / "a.sqlite") == [2]


@in_virtual_time
async def test_simulated_time_commits_once_a_simulated_second(tmp_path: Path) -> None:
    clock = simulated_clock()
    path = tmp_path / "a.sqlite"
    async with Database(path, migrations=(TICKS,), clock=clock) as database:
        await database.run(insert(1))
        assert prices(path) == []
        await clock.sleep(1.0)
        await database.run(insert(2))
        assert prices(path) == [1]
        with pytest.raises(KeyError):
            await database.run(insert_and_fail)
    assert prices(path) == [1, 2]


@in_virtual_time
async def test_simulated_answers_come_after_the_drawn_delay(tmp_path: Path) -> None:
    clock = simulated_clock()
    async with Database(tmp_path / "a.sqlite", migrations=(TICKS,), clock=clock, delay=lambda: 0.003) as database:
        await database.run(insert(1))
        assert clock.now() == START + 3_000_000


@in_virtual_time
async def test_simulated_faults_come_as_typed_errors(tmp_path: Path) -> None:
    faults = [DatabaseFull("planted")]

    def fault() -> None:
        if faults:
            raise faults.pop()

    path = tmp_path / "a.sqlite"
    async with Database(path, migrations=(TICKS,), clock=simulated_clock(), commit_every=0.0, fault=fault) as database:
        with pytest.raises(DatabaseFull):
            await database.run(insert(1))
        await database.run(insert(2))
        assert prices(path) == [2]


def test_a_copy_of_the_old_schema_is_kept_beside(tmp_path: Path) -> None:
    async def nothing(_: Database) -> None: ...

    path = tmp_path / "a.sqlite"
    with_database(path, nothing, ONE_TICK)
    with_database(path, nothing, ONE_TICK, "ALTER TABLE tick ADD COLUMN size INTEGER; DELETE FROM tick")
    assert prices(path) == []
    assert prices(tmp_path / "a.sqlite.schema-1") == [1]


def test_what_a_lost_file_left_is_not_laid_over_a_new_one(tmp_path: Path) -> None:
    async def nothing(_: Database) -> None: ...

    path = tmp_path / "a.sqlite"
    (tmp_path / "a.sqlite-wal").write_bytes(b"of another file")
    with pytest.raises(DatabaseBroken, match=r"missing, but a\.sqlite-wal is there"):
        with_database(path, nothing)
    assert not path.exists()
