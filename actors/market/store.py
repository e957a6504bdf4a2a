"""market.sqlite: its schema and the one way each kind of row is written.

`ticks` and `books` take what arrives, in the order of `number` (the envelope's; an import counts from 1). At
the close `pack_some` moves them into `blocks`: up to 8,192 rows of one symbol as compressed columns, which
replay reads ten times faster. A reader looks at both. `first` and `last` of a block are its `received`.
Times are nanoseconds UTC, money is won; `side` and `venue` are places in `blocks.SIDES` and `blocks.VENUES`.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice
from operator import itemgetter
from pathlib import Path
from struct import Struct
from typing import Any, Final, Literal

import numpy as np

from actors.market import blocks
from actors.market.blocks import BOOK, TICK, Array
from messages import Bar, Instrument, OrderBook, Symbol, Tick

Kind = Literal["ticks", "books"]

FILE: Final = "market.sqlite"
BLOCK_ROWS: Final = 8_192
CHUNK: Final = 2_000
"""Rows handed to SQLite at once: few enough that the loop gets its turn in between."""
OWN_NUMBERS: Final = 1 << 40
"""Numbers below are free for imports: the first run's begin here."""

MIGRATIONS: Final = (
    """
    CREATE TABLE ticks (
        number INTEGER PRIMARY KEY, symbol TEXT NOT NULL, time INTEGER NOT NULL, received INTEGER NOT NULL,
        venue INTEGER NOT NULL, price INTEGER NOT NULL, size INTEGER NOT NULL, side INTEGER NOT NULL,
        volume INTEGER NOT NULL, value INTEGER NOT NULL, ask INTEGER NOT NULL, bid INTEGER NOT NULL,
        open INTEGER NOT NULL, high INTEGER NOT NULL, low INTEGER NOT NULL, strength REAL NOT NULL);
    CREATE TABLE books (
        number INTEGER PRIMARY KEY, symbol TEXT NOT NULL, time INTEGER NOT NULL, received INTEGER NOT NULL,
        venue INTEGER NOT NULL, ask_total INTEGER NOT NULL, bid_total INTEGER NOT NULL, levels BLOB NOT NULL);
    CREATE TABLE blocks (
        kind TEXT NOT NULL, symbol TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
        top INTEGER NOT NULL, count INTEGER NOT NULL, data BLOB NOT NULL);
    CREATE INDEX blocks_by_symbol ON blocks (kind, symbol, first);
    CREATE TABLE bars (
        symbol TEXT NOT NULL, venue INTEGER NOT NULL, interval INTEGER NOT NULL, time INTEGER NOT NULL,
        open INTEGER NOT NULL, high INTEGER NOT NULL, low INTEGER NOT NULL, close INTEGER NOT NULL,
        volume INTEGER NOT NULL, value INTEGER NOT NULL, bought INTEGER NOT NULL, sold INTEGER NOT NULL,
        prints INTEGER NOT NULL, PRIMARY KEY (interval, symbol, venue, time)) WITHOUT ROWID;
    CREATE TABLE orders (
        number INTEGER PRIMARY KEY, symbol TEXT NOT NULL, venue TEXT NOT NULL, strategy TEXT NOT NULL,
        side TEXT NOT NULL, kind TEXT NOT NULL, validity TEXT NOT NULL, quantity INTEGER NOT NULL,
        price INTEGER NOT NULL, broker_order TEXT NOT NULL, state TEXT NOT NULL, filled INTEGER NOT NULL,
        amount INTEGER NOT NULL, commission INTEGER NOT NULL, tax INTEGER NOT NULL, reason TEXT NOT NULL,
        created INTEGER NOT NULL, changed INTEGER NOT NULL);
    CREATE TABLE instruments (
        symbol TEXT NOT NULL, venue TEXT NOT NULL, day TEXT NOT NULL, name TEXT NOT NULL, market TEXT NOT NULL,
        base_price INTEGER NOT NULL, upper_limit INTEGER NOT NULL, lower_limit INTEGER NOT NULL,
        listed_shares INTEGER NOT NULL, kospi200 INTEGER NOT NULL, sector TEXT NOT NULL,
        designation TEXT NOT NULL, halted INTEGER NOT NULL, PRIMARY KEY (symbol, venue, day)) WITHOUT ROWID;
    CREATE TABLE issues (symbol TEXT PRIMARY KEY, name TEXT NOT NULL, market TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE gaps (time INTEGER NOT NULL, subject TEXT NOT NULL, lost INTEGER NOT NULL);
    """,
)

_LEVELS = Struct("<40q")
_TOGETHER = 64
"""Rows a statement: SQLite lets go of Python's lock with each, and the loop's thread has to win it back."""
_TICK = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
_BOOK = "(?,?,?,?,?,?,?,?)"
_BLOCK = "INSERT INTO blocks VALUES (?,?,?,?,?,?,?)"
_BAR = """INSERT INTO bars VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET open=excluded.open,
    high=excluded.high, low=excluded.low, close=excluded.close, volume=excluded.volume, value=excluded.value,
    bought=excluded.bought, sold=excluded.sold, prints=excluded.prints WHERE excluded.volume > bars.volume"""
_INSTRUMENT = "INSERT OR REPLACE INTO instruments VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
_ORDER = "INSERT OR REPLACE INTO orders VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
_ISSUE = """INSERT INTO issues VALUES (?,?,?) ON CONFLICT DO UPDATE SET
    name = CASE excluded.name WHEN '' THEN name ELSE excluded.name END,
    market = CASE excluded.market WHEN '' THEN market ELSE excluded.market END"""


def market_file(place: Path) -> Path:
    """The file itself, or the one of that name in a data folder."""
    return place if place.suffix == ".sqlite" else place / FILE


def write_ticks(connection: sqlite3.Connection, numbered: Iterable[tuple[int, Tick]]) -> None:
    _insert(connection, "ticks", _TICK, (_with_symbol(tick.symbol, blocks.tick_row(n, tick)) for n, tick in numbered))


def write_books(connection: sqlite3.Connection, numbered: Iterable[tuple[int, OrderBook]]) -> None:
    _insert(connection, "books", _BOOK, (_raw_book(n, book) for n, book in numbered))


def write_bars(connection: sqlite3.Connection, bars: Iterable[Bar]) -> None:
    """A bar that is there already gives way to one with more volume only."""
    connection.executemany(_BAR, map(bar_row, bars))


def write_bar_rows(connection: sqlite3.Connection, symbol: str, interval: int, array: Array) -> None:
    """Rows of blocks.BAR that are not there yet, of the KRX."""
    connection.executemany(_BAR, ((symbol, 0, interval, *row) for row in array.tolist()))


def write_gap(connection: sqlite3.Connection, time: int, subject: str, lost: int) -> None:
    connection.execute("INSERT INTO gaps VALUES (?,?,?)", (time, subject, lost))


def write_orders(connection: sqlite3.Connection, rows: Iterable[Sequence[Any]]) -> None:
    """Rows in the order of the table's columns; the newest state replaces the one before."""
    connection.executemany(_ORDER, rows)


def write_instruments(connection: sqlite3.Connection, day: str, instruments: Sequence[Instrument]) -> None:
    """`day` is a date in Korea, yyyy-mm-dd."""
    connection.executemany(_INSTRUMENT, (_instrument_row(day, instrument) for instrument in instruments))
    write_issues(connection, [(i.symbol, i.name, i.market.value) for i in instruments])


def write_issues(connection: sqlite3.Connection, rows: Iterable[tuple[str, str, str]]) -> None:
    """Symbol, name, market; a blank leaves what is known."""
    connection.executemany(_ISSUE, rows)


def write_blocks(connection: sqlite3.Connection, kind: Kind, symbol: str, array: Array) -> None:
    """Rows of one symbol, sorted here, in blocks of 8,192."""
    ordered = blocks.in_order(array)
    for start in range(0, len(ordered), BLOCK_ROWS):
        part = ordered[start : start + BLOCK_ROWS]
        received = part["received"]
        header = (kind, symbol, int(received[0]), int(received[-1]), int(part["number"].max()), len(part))
        connection.execute(_BLOCK, (*header, blocks.pack(part)))


def next_number(connection: sqlite3.Connection) -> int:
    """The first number an import may use."""
    query = "SELECT coalesce(max(top), 0) FROM blocks WHERE top < ?"
    return int(connection.execute(query, (OWN_NUMBERS,)).fetchone()[0]) + 1


def pack_some(connection: sqlite3.Connection, rows: int = 20_000) -> bool:
    """Move the oldest rows into blocks, in the caller's transaction; False when nothing was left to move."""
    ticks = _pack(connection, "ticks", rows)
    return _pack(connection, "books", rows) or ticks


def raw(connection: sqlite3.Connection, kind: Kind, limit: int = -1) -> Iterator[tuple[str, Array]]:
    """Rows not yet in blocks, by symbol."""
    found = connection.execute(f"SELECT * FROM {kind} ORDER BY number LIMIT ?", (limit,)).fetchall()  # noqa: S608
    found.sort(key=itemgetter(1))
    for symbol, group in groupby(found, key=itemgetter(1)):
        rows = list(group)
        yield symbol, _tick_array(rows) if kind == "ticks" else _book_array(rows)


def bar_row(bar: Bar) -> tuple[Any, ...]:
    """In the order of the table's columns."""
    where = (bar.symbol, blocks.VENUES.index(bar.venue), bar.interval, bar.time)
    return (*where, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.value, bar.bought, bar.sold, bar.prints)


def _pack(connection: sqlite3.Connection, kind: Kind, rows: int) -> bool:
    top = 0
    for symbol, array in raw(connection, kind, rows):
        write_blocks(connection, kind, symbol, array)
        top = max(top, int(array["number"].max()))
    connection.execute(f"DELETE FROM {kind} WHERE number <= ?", (top,))  # noqa: S608
    return bool(top)


def _insert(connection: sqlite3.Connection, table: Kind, row: str, rows: Iterator[tuple[Any, ...]]) -> None:
    while part := tuple(islice(rows, _TOGETHER)):
        marks = ",".join([row] * len(part))
        connection.execute(f"INSERT INTO {table} VALUES {marks}", tuple(chain.from_iterable(part)))  # noqa: S608


def _with_symbol(symbol: Symbol, row: tuple[Any, ...]) -> tuple[Any, ...]:
    return (row[0], symbol, *row[1:])


def _raw_book(number: int, book: OrderBook) -> tuple[Any, ...]:
    *fields, levels = blocks.book_row(number, book)
    prices, sizes, bid_prices, bid_sizes = levels
    return _with_symbol(book.symbol, (*fields, _LEVELS.pack(*prices, *sizes, *bid_prices, *bid_sizes)))


def _tick_array(rows: list[tuple[Any, ...]]) -> Array:
    array = np.empty(len(rows), TICK)
    number, _, *columns = zip(*rows, strict=True)
    for name, column in zip(TICK.names or (), (number, *columns), strict=True):
        array[name] = column
    return array


def _book_array(rows: list[tuple[Any, ...]]) -> Array:
    array = np.empty(len(rows), BOOK)
    for place, name in enumerate(("number", "time", "received", "venue", "ask_total", "bid_total")):
        array[name] = [row[place + bool(place)] for row in rows]
    array["levels"] = np.frombuffer(b"".join(row[7] for row in rows), "<i8").reshape(-1, 4, blocks.LEVELS)
    return array


def _instrument_row(day: str, item: Instrument) -> tuple[Any, ...]:
    prices = (item.base_price, item.upper_limit, item.lower_limit)
    marks = (item.sector, item.designation.value, item.halted)
    names = (item.symbol, item.venue.value, day, item.name, item.market.value)
    return (*names, *prices, item.listed_shares, item.kospi200, *marks)
