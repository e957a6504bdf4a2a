import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import json, structs

from actors.market.storage import store
from actors.market.storage.blocks import TICK
from actors.market.storage.history import History
from actors.market.time import SECOND
from messages import Aggressor, Nanoseconds, OrderBook, Symbol, Tick, Venue, Won
from runtime.disk.errors import DatabaseBroken
from tests.market.market_data import CODE, NINE, OTHER, bar, book, tick
from tests.market.storage import writing

MESSAGES: list[Tick | OrderBook] = [
    book(0, [(101, 5)], [(100, 7)]),
    tick(0, 101, 3, side=Aggressor.BUYER, volume=3),
    tick(0, 200, 1, symbol=OTHER, volume=1),
    book(1, [(102, 5), (103, 1)], [(100, 7)], OTHER),
    tick(2_000, 100, 2, side=Aggressor.SELLER, volume=5, ask=101, bid=100),
]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        for script in store.MIGRATIONS:
            made.executescript(script)
        numbered = list(enumerate(MESSAGES, store.OWN_NUMBERS))
        writing.write_ticks(made, [(n, m) for n, m in numbered if isinstance(m, Tick)])
        writing.write_books(made, [(n, m) for n, m in numbered if isinstance(m, OrderBook)])
        yield made


@pytest.mark.parametrize("packed", [False, True])
def test_what_was_written_comes_back_in_the_order_it_came(connection: sqlite3.Connection, packed: bool) -> None:
    while packed and store.pack_some(connection):
        continue

    history = History.over(connection)

    assert list(history.messages([])) == MESSAGES
    assert list(history.messages([CODE], NINE + SECOND)) == MESSAGES[-1:]
    assert history.ticks(CODE)["price"].tolist() == [101, 100]


def test_packing_leaves_no_row_behind_and_loses_none(connection: sqlite3.Connection) -> None:
    store.pack_some(connection)

    assert connection.execute("SELECT count(*) FROM ticks").fetchone() == (0,)
    assert [(c.kind, c.symbol, c.count) for c in History.over(connection).contents()] == [
        ("books", OTHER, 1),
        ("books", CODE, 1),
        ("ticks", OTHER, 1),
        ("ticks", CODE, 2),
    ]


def test_many_rows_make_several_blocks_and_stay_in_order(connection: sqlite3.Connection) -> None:
    rows = np.zeros(20_000, TICK)
    rows["number"] = np.arange(20_000)
    rows["received"] = NINE + (20_000 - np.arange(20_000, dtype=np.int64)) * SECOND
    store.write_blocks(connection, "ticks", "035720", rows)

    assert connection.execute("SELECT count(*) FROM blocks WHERE symbol = '035720'").fetchone() == (3,)
    received = [message.received for message in History.over(connection).messages([Symbol("035720")])]
    assert len(received) == 20_000
    assert received == sorted(received)


def test_bars_come_back_by_time_and_the_fuller_one_stays(connection: sqlite3.Connection) -> None:
    store.write_bars(connection, [bar(1, 1, 2, 1, 2), bar(0, 5, 5, 5, 5), bar(1, 1, 2, 1, 1, volume=10)])

    history = History.over(connection)
    assert list(history.bar_messages([CODE], 60)) == [bar(0, 5, 5, 5, 5), bar(1, 1, 2, 1, 2)]
    assert history.close_before(CODE, NINE + 60 * SECOND) == 5


def test_a_damaged_block_is_said(connection: sqlite3.Connection) -> None:
    store.pack_some(connection)
    connection.execute("UPDATE blocks SET data = X'00'")

    with pytest.raises(DatabaseBroken, match="damaged block"):
        History.over(connection).ticks(CODE)


def test_a_store_of_an_older_version_is_said() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as older:
        older.executescript(store.MIGRATIONS[0])

        history = History.over(older)
        with pytest.raises(DatabaseBroken, match="of an older version"):
            history.ticks(CODE)
        with pytest.raises(DatabaseBroken, match="of an older version"):
            history.charts()
        with pytest.raises(DatabaseBroken, match="of an older version"):
            history.certificates(CODE, 60)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=12), max_size=8),
    st.lists(st.booleans(), min_size=8, max_size=8),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_a_stream_has_the_same_rows_in_order_however_its_blocks_overlap(
    batches: list[list[int]], packed: list[bool], since: int, until: int
) -> None:
    told: list[tuple[int, int]] = []
    bounds = NINE + since * SECOND, NINE + until * SECOND
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        for script in store.MIGRATIONS:
            made.executescript(script)
        for seconds, pack in zip(batches, packed, strict=False):
            rows = [(store.OWN_NUMBERS + len(told) + place, tick(second, 100)) for place, second in enumerate(seconds)]
            told += [(message.received, number) for number, message in rows]
            writing.write_ticks(made, rows)
            while pack and store.pack_some(made):
                continue

        stretches = list(History.over(made).stream("ticks", CODE, *bounds))
        assert not made.in_transaction

    found = [
        pair for rows in stretches for pair in zip(rows["received"].tolist(), rows["number"].tolist(), strict=True)
    ]
    assert found == sorted(pair for pair in told if bounds[0] <= pair[0] < bounds[1])
    assert all(len(rows) for rows in stretches)


def test_a_stream_reads_a_block_when_it_comes_to_it(connection: sqlite3.Connection) -> None:
    rows = np.zeros(5 * store.BLOCK_ROWS, TICK)
    rows["number"] = np.arange(len(rows))
    rows["received"] = NINE + np.arange(len(rows), dtype=np.int64) * (SECOND // 10)
    store.write_blocks(connection, "ticks", "035720", rows)
    read: list[str] = []
    connection.set_trace_callback(lambda statement: read.append(statement) if "SELECT data" in statement else None)
    stream = History.over(connection).stream("ticks", Symbol("035720"))

    for blocks_read in range(1, 6):
        assert len(next(stream)) == store.BLOCK_ROWS
        assert len(read) == blocks_read


def test_packing_beside_a_stream_neither_doubles_nor_loses_a_row(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / store.FILE, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        for script in store.MIGRATIONS:
            writer.executescript(script)
        writing.write_ticks(writer, [(1, tick(0, 100))])
        while store.pack_some(writer):
            continue
        writing.write_ticks(writer, [(2, tick(1, 101)), (3, tick(2, 102))])
        with History(tmp_path) as history:
            stream = history.stream("ticks", CODE)
            found = next(stream)["price"].tolist()
            while store.pack_some(writer):
                continue
            for rows in stream:
                found += rows["price"].tolist()
            assert found == [100, 101, 102]
            assert history.ticks(CODE)["price"].tolist() == found


def test_what_is_read_in_a_snapshot_is_of_one_moment(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / store.FILE, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        for script in store.MIGRATIONS:
            writer.executescript(script)
        writing.write_ticks(writer, [(1, tick(0, 100))])
        with History(tmp_path) as history:
            with history.snapshot():
                assert len(history.ticks(CODE)) == 1
                writing.write_ticks(writer, [(2, tick(1, 101))])
                assert len(history.ticks(CODE)) == 1
            assert len(history.ticks(CODE)) == 2


def test_a_history_may_be_closed_before_a_stream_of_it_ends(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / store.FILE, isolation_level=None)) as writer:
        for script in store.MIGRATIONS:
            writer.executescript(script)
        writing.write_ticks(writer, [(1, tick(0, 100))])
    with History(tmp_path) as history:
        stream = history.messages([])
        assert next(stream) == tick(0, 100)
    del stream


def test_bars_are_of_one_venue(connection: sqlite3.Connection) -> None:
    nextrade = structs.replace(bar(0, 7, 7, 7, 7), venue=Venue.NXT)
    store.write_bars(connection, [bar(0, 5, 5, 5, 5), nextrade])

    history = History.over(connection)

    assert history.bars(CODE, 60)["close"].tolist() == [5]
    assert history.bars(CODE, 60, venue=Venue.NXT)["close"].tolist() == [7]


@pytest.mark.parametrize("packed", [False, True])
def test_each_print_comes_with_the_newest_book_before_it(connection: sqlite3.Connection, packed: bool) -> None:
    while packed and store.pack_some(connection):
        continue

    whole = History.over(connection).asof(CODE)
    later = History.over(connection).asof(CODE, NINE + SECOND)
    fresh = History.over(connection).asof(CODE, NINE + SECOND, within=SECOND)

    assert whole.ticks["price"].tolist() == [101, 100]
    assert whole.known.tolist() == [True, True]
    assert whole.books["levels"][:, 0, 0].tolist() == [101, 101]
    assert np.array_equal(later.books, whole.books[1:])
    assert (fresh.known.tolist(), fresh.books["number"].tolist()) == ([False], [0])


def test_a_missing_store_is_said(tmp_path: Path) -> None:
    with pytest.raises(DatabaseBroken, match="no such file"):
        History(tmp_path)


def test_the_price_before_a_day_is_that_of_the_newest_day_there_is(connection: sqlite3.Connection) -> None:
    old = structs.replace(bar(0, 1, 1, 1, 1), interval=86_400, time=Nanoseconds(NINE - 900 * 86_400 * SECOND))
    nextrade = structs.replace(bar(600, 9, 9, 9, 9), venue=Venue.NXT)
    store.write_bars(connection, [old, bar(0, 5, 5, 5, 5), bar(1, 6, 6, 6, 6), nextrade])
    history = History.over(connection)
    assert history.close_before(CODE, NINE + 86_400 * SECOND) == 6
    store.write_bars(connection, [structs.replace(old, close=Won(7), time=Nanoseconds(NINE - 9 * 3_600 * SECOND))])
    assert history.close_before(CODE, NINE + 86_400 * SECOND) == 7
    assert history.close_before(OTHER, NINE + 86_400 * SECOND) == 0


def test_the_price_before_an_instant_in_session_knows_nothing_of_what_comes(connection: sqlite3.Connection) -> None:
    midnight = Nanoseconds(NINE - 9 * 3_600 * SECOND)
    whole_day = structs.replace(bar(0, 1, 9, 1, 9), interval=86_400, time=midnight)
    store.write_bars(connection, [whole_day, bar(0, 5, 5, 5, 5), bar(1, 6, 6, 6, 6)])
    history = History.over(connection)
    assert [history.close_before(CODE, NINE + second * SECOND) for second in (59, 60, 119, 120)] == [0, 5, 5, 6]
    assert history.close_before(CODE, NINE + 7 * 3_600 * SECOND) == 9


@pytest.mark.parametrize("packed", [False, True])
def test_a_strength_that_is_no_number_spoils_no_batch(connection: sqlite3.Connection, packed: bool) -> None:
    odd = [
        structs.replace(tick(n, 100, symbol=Symbol("035720")), strength=s) for n, s in enumerate((1.5, float("nan")))
    ]
    writing.write_ticks(connection, enumerate(odd, store.OWN_NUMBERS + 100))
    while packed and store.pack_some(connection):
        continue

    strengths = History.over(connection).ticks(Symbol("035720"))["strength"]
    assert (strengths[0], np.isnan(strengths[1])) == (1.5, True)


def test_a_batch_that_cannot_be_read_is_said_and_set_aside_when_all_else_is_packed(
    connection: sqlite3.Connection,
) -> None:
    half: Any = 100.5
    for number, price in enumerate((half, 1 << 70), store.OWN_NUMBERS + 100):
        writing.write_ticks(connection, [(number, structs.replace(tick(5, 100), price=price))])
    with pytest.raises(DatabaseBroken, match=r"the batch of number \d+ cannot be read"):
        History.over(connection).ticks(CODE)

    while store.pack_some(connection):
        continue

    assert History.over(connection).ticks(CODE)["price"].tolist() == [101, 100]
    assert connection.execute("SELECT kind, count(*) FROM loose GROUP BY kind").fetchall() == [("ticks, unreadable", 2)]
    assert History.over(connection).gaps() == [(NINE + 5 * SECOND, "ticks, unreadable", 1)] * 2


def test_a_batch_that_cannot_be_read_spoils_no_other_time_than_its_own(connection: sqlite3.Connection) -> None:
    """Only what lies in a range is decoded: a warm-up of seconds must not read the day."""
    half: Any = 100.5
    spoilt = structs.replace(tick(60, 100), price=half)
    writing.write_ticks(connection, [(store.OWN_NUMBERS + 100, spoilt)])
    writing.write_ticks(connection, [(store.OWN_NUMBERS + 101, tick(120, 103))])
    history = History.over(connection)

    assert history.ticks(CODE, until=NINE + 60 * SECOND)["price"].tolist() == [101]
    assert history.ticks(CODE, NINE + 61 * SECOND, NINE + 200 * SECOND)["price"].tolist() == [103]
    with pytest.raises(DatabaseBroken, match="cannot be read"):
        history.ticks(CODE, NINE + 60 * SECOND)


def test_a_store_whose_batches_say_nothing_of_their_time_is_read_as_well() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        for script in store.MIGRATIONS[:-1]:
            made.executescript(script)
        made.execute(
            "INSERT INTO loose VALUES ('ticks', 1, 2, ?)",
            [json.encode([(n, structs.astuple(tick(n, 100 + n))) for n in (1, 2)]).decode()],
        )
        history = History.over(made)
        assert history.ticks(CODE, NINE + 2 * SECOND)["price"].tolist() == [102]
        made.executescript(store.MIGRATIONS[-1])
        writing.write_ticks(made, [(3, tick(3, 103))])

        assert history.ticks(CODE, NINE + 2 * SECOND)["price"].tolist() == [102, 103]


@given(
    batches=st.lists(st.lists(st.integers(0, 50), min_size=1, max_size=4), min_size=1, max_size=8),
    since=st.integers(0, 50),
    until=st.integers(0, 50),
)
def test_whatever_order_batches_came_in_a_range_holds_what_was_received_in_it(
    batches: list[list[int]], since: int, until: int
) -> None:
    """What is imported may be older than what is there."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        for script in store.MIGRATIONS:
            made.executescript(script)
        number = 0
        for batch in batches:
            writing.write_ticks(made, [(number + n, tick(second, 100)) for n, second in enumerate(batch, 1)])
            number += len(batch)
        found = History.over(made).ticks(CODE, NINE + since * SECOND, NINE + until * SECOND)

    expected = sorted(second for batch in batches for second in batch if since <= second < until)
    assert ((found["received"] - NINE) // SECOND).tolist() == expected
