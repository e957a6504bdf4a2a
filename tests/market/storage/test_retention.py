import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from actors.market.storage import blocks, retention, store
from actors.market.storage.blocks import Array
from actors.market.storage.history import History
from actors.market.storage.loose import Kind
from actors.market.storage.retention import Chores
from actors.market.storage.store import BLOCK_ROWS, DAY, DTYPES
from messages import Symbol
from tests.market.market_data import CODE, NINE, OTHER, bar, book, tick
from tests.market.storage import writing

DAYS = 86_400.0


def later() -> int:
    return NINE + 30 * DAY


ALL = retention.newest({}, later)


def opened(path: Path | str) -> sqlite3.Connection:
    made = sqlite3.connect(path, isolation_level=None)
    if not made.execute("SELECT 1 FROM sqlite_master").fetchone():
        for script in store.MIGRATIONS:
            made.executescript(script)
    return made


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(opened(":memory:")) as made:
        yield made


def rows(kind: Kind, first: int, count: int, since: int = NINE) -> Array:
    made = np.zeros(count, DTYPES[kind])
    places = np.arange(first, first + count, dtype=np.int64)
    made["number"] = places + store.OWN_NUMBERS
    made["received"] = since + places * 1_000
    return made


def do(connection: sqlite3.Connection, chores: Chores) -> int:
    steps = 0
    while chores.step(connection):
        steps += 1
    return steps


def blocks_of(connection: sqlite3.Connection) -> list[tuple[str, str, int]]:
    return connection.execute("SELECT kind, symbol, count FROM blocks ORDER BY kind, symbol, first").fetchall()


def numbers(connection: sqlite3.Connection, symbol: str = CODE) -> list[int]:
    return History.over(connection).ticks(Symbol(symbol))["number"].tolist()


@pytest.mark.parametrize("kind", ["ticks", "books"])
def test_small_blocks_of_a_day_become_full_ones_in_order_however_few_are_joined_at_once(
    connection: sqlite3.Connection, kind: Kind
) -> None:
    parts = [rows(kind, first, 3_000) for first in range(0, 30_000, 3_000)]
    random.Random(1).shuffle(parts)
    for part in parts:
        store.write_blocks(connection, kind, CODE, part)
    store.write_blocks(connection, kind, CODE, rows(kind, 0, 10, NINE + DAY))

    do(connection, Chores(ALL))

    full = (kind, CODE, BLOCK_ROWS)
    assert blocks_of(connection) == [full, full, full, (kind, CODE, 30_000 - 3 * BLOCK_ROWS), (kind, CODE, 10)]
    stored = np.concatenate(list(History.over(connection).stream(kind, CODE)))
    assert stored["number"][:30_000].tolist() == list(range(store.OWN_NUMBERS, store.OWN_NUMBERS + 30_000))
    spans = connection.execute("SELECT first, last FROM blocks ORDER BY first").fetchall()
    assert all(earlier[1] < later[0] for earlier, later in pairwise(spans))
    assert do(connection, Chores(ALL)) == 0


def test_imported_rows_are_joined_apart_so_that_the_next_import_knows_its_numbers(
    connection: sqlite3.Connection,
) -> None:
    imported = rows("ticks", 0, 10)
    imported["number"] -= store.OWN_NUMBERS - 1
    for part in (imported[:5], imported[5:], rows("ticks", 10, 5), rows("ticks", 15, 5)):
        store.write_blocks(connection, "ticks", CODE, part)

    do(connection, Chores(ALL))

    assert blocks_of(connection) == [("ticks", CODE, 10), ("ticks", CODE, 10)]
    assert store.next_number(connection) == 11


def three_days(connection: sqlite3.Connection) -> None:
    for day in range(3):
        number = store.OWN_NUMBERS + 100 * day
        ticks = [tick(day * DAYS + second, 100, symbol=code) for second in range(3) for code in (CODE, OTHER)]
        writing.write_ticks(connection, enumerate(ticks, number))
        writing.write_books(connection, [(number + 50, book(day * DAYS, [(101, 1)], [(100, 1)]))])
    store.write_bars(connection, [bar(0, 1, 2, 1, 2)])


def test_the_newest_days_stay_and_bars_are_never_let_go(connection: sqlite3.Connection) -> None:
    three_days(connection)

    do(connection, Chores(retention.newest({"ticks": 2, "books": 1}, later)))

    history = History.over(connection)
    assert history.ticks(CODE)["received"].min() == NINE + DAY
    assert [len(history.ticks(CODE)), len(history.ticks(OTHER)), len(history.books(CODE))] == [6, 6, 1]
    assert history.books(CODE)["received"].tolist() == [NINE + 2 * DAY]
    assert len(history.bars(CODE, 60)) == 1


def test_fewer_days_than_may_stay_all_stay(connection: sqlite3.Connection) -> None:
    three_days(connection)

    do(connection, Chores(retention.newest({"ticks": 4, "books": 3}, later)))

    assert len(History.over(connection).ticks(CODE)) == 9
    assert len(History.over(connection).books(CODE)) == 3


def test_a_block_of_an_older_version_that_reaches_over_midnight_is_cut(connection: sqlite3.Connection) -> None:
    both = np.concatenate([rows("ticks", 0, 5), rows("ticks", 5, 5, NINE + DAY)])
    header = ("ticks", CODE, int(both["received"][0]), int(both["received"][-1]), int(both["number"].max()), 10)
    connection.execute("INSERT INTO blocks VALUES (?,?,?,?,?,?,?)", (*header, blocks.pack(both)))

    do(connection, Chores(lambda _connection, _kind: NINE + DAY // 2))

    assert numbers(connection) == [store.OWN_NUMBERS + place for place in range(5, 10)]


def test_what_is_received_today_is_left_unpacked_at_a_start(connection: sqlite3.Connection) -> None:
    three_days(connection)

    do(connection, Chores(ALL, before=retention.midnight(NINE + 2 * DAY)))

    assert connection.execute("SELECT kind, count(*) FROM loose GROUP BY kind").fetchall() == [
        ("books", 1),
        ("ticks", 1),
    ]
    assert len(History.over(connection).ticks(CODE)) == 9


def test_a_kill_in_the_middle_of_any_piece_leaves_nothing_lost_or_doubled(tmp_path: Path) -> None:
    chores, done = Chores(retention.newest({"ticks": 1, "books": 0}, later)), 0
    with closing(opened(tmp_path / "market.sqlite")) as connection:
        three_days(connection)
        for part in range(0, 20_000, 5_000):
            store.write_blocks(connection, "ticks", CODE, rows("ticks", part + 1_000, 5_000, NINE + 2 * DAY))
        kept = numbers(connection)[6:]
    more = True
    while more:
        with closing(opened(tmp_path / "market.sqlite")) as killed:
            killed.execute("BEGIN IMMEDIATE")
            Chores(retention.newest({"ticks": 1, "books": 0}, later)).step(killed)
        with closing(opened(tmp_path / "market.sqlite")) as connection:
            found = numbers(connection)
            assert found[-len(kept) :] == kept
            assert len(found) == len(set(found))
            more = chores.step(connection)
            done += more
    with closing(opened(tmp_path / "market.sqlite")) as connection:
        assert numbers(connection) == kept
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert done >= 4


def test_a_file_gets_smaller_when_its_day_is_packed(tmp_path: Path) -> None:
    path = tmp_path / "market.sqlite"
    with closing(opened(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        retention.prepare(connection)
        for start in range(0, 10_000, 2_000):
            numbered = ((store.OWN_NUMBERS + n, tick(n / 10, 100 + n % 7)) for n in range(start, start + 2_000))
            writing.write_ticks(connection, numbered)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        before = path.stat().st_size
        do(connection, Chores(ALL))
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    assert path.stat().st_size < before / 5
    with History(tmp_path) as history:
        assert len(history.ticks(CODE)) == 10_000


def test_a_file_that_somebody_else_writes_is_prepared_another_time(tmp_path: Path) -> None:
    path = tmp_path / "market.sqlite"
    with closing(opened(path)) as other, closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as connection:
        other.execute("BEGIN IMMEDIATE")
        retention.prepare(connection)
        other.execute("COMMIT")

        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (0,)
        retention.prepare(connection)
        assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)


def test_a_damaged_block_neither_stops_the_chores_nor_goes(connection: sqlite3.Connection) -> None:
    for part in (
        rows("ticks", 0, 5),
        rows("ticks", 5, 5),
        rows("ticks", 10, 5, NINE + DAY),
        rows("ticks", 15, 5, NINE + DAY),
    ):
        store.write_blocks(connection, "ticks", CODE, part)
    connection.execute("UPDATE blocks SET data = X'00' WHERE rowid = 1")

    do(connection, Chores(ALL))

    assert blocks_of(connection) == [("ticks", CODE, 5), ("ticks", CODE, 5), ("ticks", CODE, 10)]


def test_a_day_to_come_which_a_wrong_clock_has_left_takes_no_true_day_away(connection: sqlite3.Connection) -> None:
    for day in (0, 1, 2, 1_000):
        store.write_blocks(connection, "ticks", CODE, rows("ticks", 0, 1, NINE + day * DAY))

    do(connection, Chores(retention.newest({"ticks": 2}, lambda: NINE + 2 * DAY)))

    stored = (History.over(connection).ticks(CODE)["received"] - NINE) // DAY
    assert stored.tolist() == [1, 2, 1_000]


def test_bars_of_seconds_go_with_the_prints_they_were_made_of_and_longer_ones_stay(
    connection: sqlite3.Connection,
) -> None:
    for day in range(3):
        store.write_blocks(connection, "ticks", CODE, rows("ticks", 0, 1, NINE + day * DAY))
        minute = bar(day * 1_440, 1, 2, 1, 2)
        seconds = [replace(minute, symbol=symbol, interval=s) for symbol in (CODE, OTHER) for s in (1, 10)]
        store.write_bars(connection, [minute, *seconds])

    do(connection, Chores(retention.newest({"ticks": 2}, later)))

    left = connection.execute("SELECT interval, count(*), min(time) FROM bars GROUP BY interval").fetchall()
    assert left == [(1, 4, NINE + DAY), (10, 4, NINE + DAY), (60, 3, NINE)]
