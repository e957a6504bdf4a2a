import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from actors.market import store
from actors.market.blocks import TICK
from actors.market.history import History
from actors.market.time import SECOND
from messages import Aggressor, OrderBook, Symbol, Tick
from runtime.database import DatabaseBroken
from tests.market.market_data import CODE, NINE, OTHER, bar, book, tick

MESSAGES: list[Tick | OrderBook] = [
    book(0, [(101, 5)], [(100, 7)]),
    tick(0, 101, 3, side=Aggressor.BUYER, volume=3),
    tick(0, 200, 1, symbol=OTHER, volume=1),
    book(1, [(102, 5), (103, 1)], [(100, 7)], OTHER),
    tick(2_000, 100, 2, side=Aggressor.SELLER, volume=5, ask=101, bid=100),
]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(":memory:", isolation_level=None)
    for script in store.MIGRATIONS:
        made.executescript(script)
    numbered = list(enumerate(MESSAGES, store.OWN_NUMBERS))
    store.write_ticks(made, [(n, m) for n, m in numbered if isinstance(m, Tick)])
    store.write_books(made, [(n, m) for n, m in numbered if isinstance(m, OrderBook)])
    yield made
    made.close()


@pytest.mark.parametrize("packed", [False, True])
def test_what_was_written_comes_back_in_the_order_it_came(connection: sqlite3.Connection, packed: bool) -> None:
    while packed and store.pack_some(connection, 2):
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


def test_a_missing_store_is_said(tmp_path: Path) -> None:
    with pytest.raises(DatabaseBroken, match="no such file"):
        History(tmp_path)
