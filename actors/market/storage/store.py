"""market.sqlite: its schema and the one way each kind of row is written.

`loose` takes what arrives (`storage/loose.py`) in the order of `number`: the envelope's; an import counts from 1.
At the close `pack_some` moves it into `blocks`: up to 8,192 rows of one symbol as compressed columns, which
replay reads ten times faster. A reader looks at both. `first` and `last` of a block are its `received`.
Times are nanoseconds UTC, money is won; `side` and `venue` are places in `blocks.SIDES` and `blocks.VENUES`.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from actors.market.storage import blocks, events, indications, loose, older
from actors.market.storage.blocks import BOOK, TICK, Array
from actors.market.storage.loose import Kind
from actors.market.time import SECOND
from messages import Bar, Instrument

FILE: Final = "market.sqlite"
KINDS: Final[tuple[Kind, ...]] = ("ticks", "books", *indications.KINDS)
DTYPES: Final[dict[Kind, "np.dtype[np.void]"]] = {"ticks": TICK, "books": BOOK, **indications.DTYPES}
BLOCK_ROWS: Final = 8_192
PAGE_SIZE: Final = 16_384
"""Bytes of a page of the file: a batch is long, and the fewer pages it takes the cheaper it is to store."""
CHUNK: Final = 2_000
"""Messages handed to the writer at once: few enough that the loop gets its turn in between."""
PORTION: Final = 4 << 20
"""Bytes of rows that are packed, or joined, at once: a few times as much in memory, and a tenth of a second or so."""
DAY: Final = 86_400 * SECOND
KST_OFFSET: Final = 9 * 3_600 * SECOND
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
    """
    CREATE TABLE goals (
        interval INTEGER NOT NULL, symbol TEXT NOT NULL, since INTEGER NOT NULL, offered INTEGER NOT NULL,
        PRIMARY KEY (interval, symbol)) WITHOUT ROWID;
    CREATE TABLE spans (
        interval INTEGER NOT NULL, symbol TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
        PRIMARY KEY (interval, symbol, since)) WITHOUT ROWID;
    CREATE TABLE holes (
        interval INTEGER NOT NULL, symbol TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
        reads INTEGER NOT NULL, PRIMARY KEY (interval, symbol, since, until)) WITHOUT ROWID;
    CREATE TABLE pages (
        number INTEGER PRIMARY KEY, stored INTEGER NOT NULL, interval INTEGER NOT NULL, symbol TEXT NOT NULL,
        since INTEGER NOT NULL, until INTEGER NOT NULL, count INTEGER NOT NULL, fresh INTEGER NOT NULL,
        alike INTEGER NOT NULL, conflicts INTEGER NOT NULL, last INTEGER NOT NULL, digest TEXT NOT NULL);
    CREATE TABLE certificates (
        interval INTEGER NOT NULL, symbol TEXT NOT NULL, day TEXT NOT NULL, expected INTEGER NOT NULL,
        present INTEGER NOT NULL, idle INTEGER NOT NULL, missing INTEGER NOT NULL, extra INTEGER NOT NULL,
        digest TEXT NOT NULL, PRIMARY KEY (interval, symbol, day)) WITHOUT ROWID;
    CREATE TABLE set_aside (
        reason TEXT NOT NULL, interval INTEGER NOT NULL, symbol TEXT NOT NULL, time INTEGER NOT NULL,
        open INTEGER NOT NULL, high INTEGER NOT NULL, low INTEGER NOT NULL, close INTEGER NOT NULL,
        volume INTEGER NOT NULL, value INTEGER NOT NULL, seen INTEGER NOT NULL,
        PRIMARY KEY (interval, symbol, time, reason, open, high, low, close, volume, value)) WITHOUT ROWID;
    CREATE TABLE adjustments (
        number INTEGER PRIMARY KEY, seen INTEGER NOT NULL, interval INTEGER NOT NULL, symbol TEXT NOT NULL,
        until INTEGER NOT NULL, factor REAL NOT NULL, bars INTEGER NOT NULL);
    CREATE VIEW company_info AS SELECT symbol AS st_code, name AS nm_code, (
        SELECT strftime('%Y%m%d%H%M%S', max(until) / 1000000000, 'unixepoch', '+9 hours') FROM spans
        WHERE spans.symbol = issues.symbol) AS last_update FROM issues;
    """,
    loose.SCHEMA,
    """
    DROP INDEX blocks_by_symbol;
    CREATE INDEX blocks_by_symbol ON blocks (kind, symbol, first, last, count, top);
    CREATE INDEX blocks_by_time ON blocks (kind, last);
    CREATE TABLE sampling (
        since INTEGER PRIMARY KEY, until INTEGER NOT NULL, every INTEGER NOT NULL, kept INTEGER NOT NULL,
        left_out INTEGER NOT NULL);
    """,
    events.SCHEMA,
    indications.SCHEMA,
    loose.DATED,
)

_BLOCK = "INSERT INTO blocks VALUES (?,?,?,?,?,?,?)"
_BAR = """INSERT INTO bars SELECT * FROM (
    SELECT ? AS symbol, ? AS venue, ? AS interval, ? AS time, ?,?,?,?,?,?,?,?,?) AS new
    WHERE venue <> 0 OR NOT EXISTS (SELECT 1 FROM spans WHERE spans.interval = new.interval
        AND spans.symbol = new.symbol AND since <= new.time AND until > new.time)
    ON CONFLICT DO UPDATE SET open=excluded.open, high=excluded.high, low=excluded.low, close=excluded.close,
    volume=excluded.volume, value=excluded.value, bought=excluded.bought, sold=excluded.sold, prints=excluded.prints
    WHERE excluded.volume > bars.volume"""
_INSTRUMENT = "INSERT OR REPLACE INTO instruments VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
_ORDER = "INSERT OR REPLACE INTO orders VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
_ISSUE = """INSERT INTO issues VALUES (?,?,?) ON CONFLICT DO UPDATE SET
    name = CASE excluded.name WHEN '' THEN name ELSE excluded.name END,
    market = CASE excluded.market WHEN '' THEN market ELSE excluded.market END"""


def market_file(place: Path) -> Path:
    """The file itself, or the one of that name in a data folder."""
    return place if place.suffix == ".sqlite" else place / FILE


def write_bars(connection: sqlite3.Connection, bars: Iterable[Bar]) -> None:
    """A bar that is there already gives way to one with more volume only; what pages of a chart prove stays."""
    connection.executemany(_BAR, map(bar_row, bars))


def write_bar_rows(connection: sqlite3.Connection, symbol: str, interval: int, array: Array, venue: int = 0) -> None:
    """The same for rows of blocks.BAR."""
    connection.executemany(_BAR, ((symbol, venue, interval, *row) for row in array.tolist()))


def write_gap(connection: sqlite3.Connection, time: int, subject: str, lost: int) -> None:
    connection.execute("INSERT INTO gaps VALUES (?,?,?)", (time, subject, lost))


def write_sampling(connection: sqlite3.Connection, row: tuple[int, int, int, int, int]) -> None:
    """Books of a run so far: when it began, until when, least nanoseconds between two of a code, kept, left out."""
    connection.execute("INSERT OR REPLACE INTO sampling VALUES (?,?,?,?,?)", row)


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
    """Rows of one symbol, sorted here, in blocks of 8,192 and of one day in Korea."""
    ordered = blocks.in_order(array)
    days = (ordered["received"] + KST_OFFSET) // DAY
    for rows in np.split(ordered, np.flatnonzero(np.diff(days)) + 1):
        for start in range(0, len(rows), BLOCK_ROWS):
            part = rows[start : start + BLOCK_ROWS]
            received = part["received"]
            header = (kind, symbol, int(received[0]), int(received[-1]), int(part["number"].max()), len(part))
            connection.execute(_BLOCK, (*header, blocks.pack(part)))


def next_number(connection: sqlite3.Connection) -> int:
    """The first number an import may use."""
    query = "SELECT coalesce(max(top), 0) FROM blocks WHERE top < ?"
    return int(connection.execute(query, (OWN_NUMBERS,)).fetchone()[0]) + 1


def pack_some(connection: sqlite3.Connection, before: int = loose.EVER) -> bool:
    """Move the oldest messages into blocks, in the caller's transaction; False when nothing was left to move.

    What was received at `before` or later stays.
    """
    for kind in KINDS:
        limit = PORTION // DTYPES[kind].itemsize
        found = older.take(connection, kind, limit) or loose.take(connection, kind, before, limit)
        for symbol, array in found:
            write_blocks(connection, kind, symbol, array)
        if found:
            return True
    return False


def bar_row(bar: Bar) -> tuple[Any, ...]:
    """In the order of the table's columns."""
    where = (bar.symbol, blocks.VENUES.index(bar.venue), bar.interval, bar.time)
    return (*where, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.value, bar.bought, bar.sold, bar.prints)


def _instrument_row(day: str, item: Instrument) -> tuple[Any, ...]:
    prices = (item.base_price, item.upper_limit, item.lower_limit)
    marks = (item.sector, item.designation.value, item.halted)
    names = (item.symbol, item.venue.value, day, item.name, item.market.value)
    return (*names, *prices, item.listed_shares, item.kospi200, *marks)
