"""Ticks and books not packed yet: a batch of messages a row, written at once and readable by SQLite itself.

A batch is JSON, [[number, [field, ...]], ...], the fields in the order of the message class. Written so, a message
costs a fifth of what a row of its own does, and Python's lock is held that much shorter beside trading. The views
`ticks` and `books` show the same as rows.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, Literal

import msgspec
import numpy as np
from msgspec.structs import astuple

from actors.market import blocks
from actors.market.blocks import BOOK, TICK, Array
from messages import OrderBook, Tick

Kind = Literal["ticks", "books"]
_Row = tuple[int, list[Any]]

SCHEMA: Final = """
    ALTER TABLE ticks RENAME TO ticks_before_3;
    ALTER TABLE books RENAME TO books_before_3;
    CREATE TABLE loose (
        kind TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, rows TEXT NOT NULL,
        PRIMARY KEY (kind, first));
    CREATE VIEW ticks AS SELECT json_extract(value, '$[0]') AS number, json_extract(value, '$[1][0]') AS symbol,
        json_extract(value, '$[1][2]') AS time, json_extract(value, '$[1][3]') AS received,
        json_extract(value, '$[1][1]') AS venue, json_extract(value, '$[1][4]') AS price,
        json_extract(value, '$[1][5]') AS size, json_extract(value, '$[1][6]') AS side,
        json_extract(value, '$[1][7]') AS volume, json_extract(value, '$[1][8]') AS value,
        json_extract(value, '$[1][9]') AS ask, json_extract(value, '$[1][10]') AS bid,
        json_extract(value, '$[1][11]') AS open, json_extract(value, '$[1][12]') AS high,
        json_extract(value, '$[1][13]') AS low, json_extract(value, '$[1][14]') AS strength
        FROM loose, json_each(loose.rows) WHERE kind = 'ticks';
    CREATE VIEW books AS SELECT json_extract(value, '$[0]') AS number, json_extract(value, '$[1][0]') AS symbol,
        json_extract(value, '$[1][2]') AS time, json_extract(value, '$[1][3]') AS received,
        json_extract(value, '$[1][1]') AS venue,
        json_extract(value, '$[1][4]') AS ask_prices, json_extract(value, '$[1][5]') AS ask_sizes,
        json_extract(value, '$[1][6]') AS bid_prices, json_extract(value, '$[1][7]') AS bid_sizes,
        json_extract(value, '$[1][8]') AS ask_total, json_extract(value, '$[1][9]') AS bid_total
        FROM loose, json_each(loose.rows) WHERE kind = 'books'
    """
"""What an older file had unpacked stays in its tables, whose names say so."""

_INSERT: Final = "INSERT OR REPLACE INTO loose VALUES (?,?,?,?)"
_VENUES: Final = {venue.value: place for place, venue in enumerate(blocks.VENUES)}
_SIDES: Final = {side.value: place for place, side in enumerate(blocks.SIDES)}
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(list[_Row]).decode


def write(connection: sqlite3.Connection, kind: Kind, numbered: Iterable[tuple[int, Tick | OrderBook]]) -> None:
    """One batch, in rising numbers."""
    rows = [(number, astuple(message)) for number, message in numbered]
    if rows:
        connection.execute(_INSERT, (kind, rows[0][0], rows[-1][0], _encode(rows).decode()))


def arrays(connection: sqlite3.Connection, kind: Kind) -> Iterator[tuple[str, Array]]:
    """Everything not packed, by symbol."""
    query = "SELECT rows FROM loose WHERE kind = ? ORDER BY first"
    return _by_symbol(kind, [row for (batch,) in connection.execute(query, (kind,)) for row in _decode(batch)])


def take(connection: sqlite3.Connection, kind: Kind, count: int, give: Callable[[str, Array], None]) -> bool:
    """Move whole batches out, the oldest first, until there are `count` messages; False where nothing was left."""
    rows: list[_Row] = []
    last = -1
    query = "SELECT first, rows FROM loose WHERE kind = ? AND first > ? ORDER BY first LIMIT 1"
    while len(rows) < count and (batch := connection.execute(query, (kind, last)).fetchone()):
        last = batch[0]
        rows += _decode(batch[1])
    for symbol, array in _by_symbol(kind, rows):
        give(symbol, array)
    connection.execute("DELETE FROM loose WHERE kind = ? AND first <= ?", (kind, last))
    return bool(rows)


def _by_symbol(kind: Kind, rows: Iterable[_Row]) -> Iterator[tuple[str, Array]]:
    groups: dict[str, list[_Row]] = {}
    for row in rows:
        groups.setdefault(row[1][0], []).append(row)
    make = _tick_array if kind == "ticks" else _book_array
    return ((symbol, make(groups[symbol])) for symbol in sorted(groups))


def _tick_array(rows: list[_Row]) -> Array:
    array = np.empty(len(rows), TICK)
    columns = dict(zip(Tick.__struct_fields__, zip(*(fields for _, fields in rows), strict=True), strict=True))
    columns["venue"] = tuple(_VENUES[venue] for venue in columns["venue"])
    columns["side"] = tuple(_SIDES[side] for side in columns["side"])
    columns["number"] = tuple(number for number, _ in rows)
    for name in TICK.names or ():
        array[name] = columns[name]
    return array


def _book_array(rows: list[_Row]) -> Array:
    array = np.empty(len(rows), BOOK)
    columns = dict(zip(OrderBook.__struct_fields__, zip(*(fields for _, fields in rows), strict=True), strict=True))
    array["number"] = [number for number, _ in rows]
    array["venue"] = [_VENUES[venue] for venue in columns["venue"]]
    for name in ("time", "received", "ask_total", "bid_total"):
        array[name] = columns[name]
    for place, name in enumerate(("ask_prices", "ask_sizes", "bid_prices", "bid_sizes")):
        array["levels"][:, place] = [blocks.full(levels) for levels in columns[name]]
    return array
