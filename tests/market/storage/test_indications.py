import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.market.storage import blocks, indications, store
from actors.market.storage.history import History
from actors.market.storage.indications import Indication, Kind
from actors.market.time import SECOND
from messages import AfterHoursBook, BestQuote, ExpectedPrice, IndexTick, Nanoseconds, Shares, Symbol, Venue, Won
from tests.market.market_data import CODE, NINE, OTHER
from tests.market.storage import writing

KOSPI = "001"


def at(second: int) -> dict[str, Any]:
    return {"time": Nanoseconds(NINE + second * SECOND), "received": Nanoseconds(NINE + second * SECOND + 7)}


TOLD: list[Indication] = [
    ExpectedPrice(symbol=CODE, **at(0), price=Won(70_000), size=Shares(12_345)),
    IndexTick(index=KOSPI, **at(1), hundredths=265_432, volume=1_000, value=Won(9_000_000_000)),
    BestQuote(symbol=OTHER, venue=Venue.NXT, **at(2), ask=Won(0), bid=Won(9_990)),
    AfterHoursBook(symbol=CODE, **at(3), ask_total=Shares(5), bid_total=Shares(0)),
    ExpectedPrice(symbol=CODE, **at(4), price=Won(70_100), size=Shares(12_500)),
    IndexTick(index=KOSPI, **at(5), hundredths=265_431, volume=1_100, value=Won(9_100_000_000)),
]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        for script in store.MIGRATIONS:
            made.executescript(script)
        writing.write_indications(made, enumerate(TOLD, store.OWN_NUMBERS))
        yield made


@pytest.mark.parametrize("packed", [False, True])
def test_what_was_written_comes_back_in_the_order_it_came(connection: sqlite3.Connection, packed: bool) -> None:
    while packed and store.pack_some(connection):
        continue

    history = History.over(connection)

    assert list(history.messages([], kinds=store.KINDS)) == TOLD
    assert list(history.messages([])) == [], "ticks and books unless asked for more"
    assert history.indications("expected_prices", CODE)["price"].tolist() == [70_000, 70_100]
    assert history.indications("index_ticks", Symbol(KOSPI))["hundredths"].tolist() == [265_432, 265_431]
    assert [(c.kind, c.symbol, c.count) for c in history.contents()] == [
        ("after_hours_books", CODE, 1),
        ("best_quotes", OTHER, 1),
        ("expected_prices", CODE, 2),
        ("index_ticks", KOSPI, 2),
    ]


def test_an_index_belongs_to_no_issue_and_comes_whichever_are_asked_for(connection: sqlite3.Connection) -> None:
    found = list(History.over(connection).messages([OTHER], kinds=store.KINDS))

    assert found == [TOLD[1], TOLD[2], TOLD[5]]


@pytest.mark.parametrize("kind", indications.KINDS)
def test_what_is_not_packed_shows_as_rows_in_any_sqlite_tool(connection: sqlite3.Connection, kind: Kind) -> None:
    figures = indications.LAYOUTS[kind].figures
    cursor = connection.execute(f"SELECT * FROM {kind} ORDER BY number")  # noqa: S608
    assert [column[0] for column in cursor.description] == ["number", "symbol", "time", "received", "venue", *figures]

    mine = [one for one in TOLD if indications.kind_of(one) == kind]
    for row, message in zip(cursor.fetchall(), mine, strict=True):
        code, venue, time, received, *rest = indications.fields(message)
        assert row[1:] == (code, time, received, venue, *rest)


@given(st.sampled_from(indications.KINDS), st.integers(1, 50), st.integers(0, 2**32))
def test_any_figures_come_back_from_a_block(kind: Kind, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = np.zeros(count, indications.DTYPES[kind])
    for name in rows.dtype.names or ():
        rows[name] = rng.integers(-(2**62), 2**62, count) if name != "venue" else rng.integers(0, 3, count)

    assert blocks.unpack(blocks.pack(rows), rows.dtype, count).tobytes() == rows.tobytes()
