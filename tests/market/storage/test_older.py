import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import astuple
from typer.testing import CliRunner

from actors.commands.history import history
from actors.market.storage import store
from actors.market.storage.history import History
from messages import OrderBook, Tick
from tests.market.market_data import OTHER, bar, book, tick

TICKS = [tick(0, 100, 3, volume=3), tick(0.5, 200, symbol=OTHER), tick(1, 101, volume=4)]
BOOK = book(0.2, [(101, 5), (102, 6)], [(100, 7)])


def row(number: int, message: Tick | OrderBook) -> tuple[object, ...]:
    symbol, _, time, received, *figures = astuple(message)
    if isinstance(message, Tick):
        price, size, _, *others = figures
        return (number, symbol, time, received, 0, price, size, 0, *others)
    *levels, asks, bids = figures
    return (number, symbol, time, received, 0, asks, bids, struct.pack("<40q", *(f for side in levels for f in side)))


def keep(connection: sqlite3.Connection, table: str, values: tuple[object, ...]) -> None:
    connection.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(values))})", values)  # noqa: S608


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store of schema 1, whose run was killed before the close."""
    with closing(sqlite3.connect(tmp_path / store.FILE, isolation_level=None)) as made:
        made.executescript("CREATE TABLE meta (schema_version INTEGER NOT NULL); INSERT INTO meta VALUES (1)")
        made.executescript(store.MIGRATIONS[0])
        numbered = [(store.OWN_NUMBERS + place, one) for place, one in enumerate((TICKS[0], BOOK, *TICKS[1:]))]
        for number, one in numbered:
            keep(made, "ticks" if isinstance(one, Tick) else "books", row(number, one))
        keep(made, "bars", store.bar_row(bar(0, 1, 2, 1, 2)))
    return tmp_path


@pytest.mark.parametrize("command", [["list"], ["verify"], ["export", "--to", "x.csv"]])
def test_a_store_of_an_older_version_is_named_with_what_mends_it(folder: Path, command: list[str]) -> None:
    done = CliRunner().invoke(history, [command[0], str(folder), *command[1:]])

    assert done.exit_code == 1
    assert (
        "of an older version; `kiwoom-actors history prune DIR --before 1970-01-01` brings it up to date" in done.stderr
    )


def test_brought_up_to_date_it_has_every_message_it_had(folder: Path) -> None:
    done = CliRunner().invoke(history, ["prune", str(folder), "--before", "1970-01-01"])

    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("0 ticks, 0 books and 0 indications of before 1970-01-01 are gone")
    with History(folder) as stored:
        assert list(stored.messages([])) == [TICKS[0], BOOK, *TICKS[1:]]
        assert list(stored.bar_messages([], 60)) == [bar(0, 1, 2, 1, 2)]
