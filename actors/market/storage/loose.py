"""Prices not packed yet: a batch of messages of a kind a row, written at once and readable by SQLite itself.

A batch is JSON, [[number, [field, ...]], ...], the fields in the order of the message class. Written so, a message
costs a fifth of what a row of its own does, and Python's lock is held that much shorter beside trading. A view of
each kind shows the same as rows.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from sys import intern
from typing import Any, Final, Literal, NamedTuple

import msgspec
import numpy as np
from msgspec.structs import astuple
from numpy.typing import NDArray

from actors.market.storage import blocks, indications
from actors.market.storage.blocks import BOOK, LEVELS, TICK, Array
from messages import OrderBook, Tick

Kind = Literal["ticks", "books"] | indications.Kind
Stored = Tick | OrderBook | indications.Indication
_Levels = tuple[int, ...]
_TickRow = tuple[str, str, int, int, int, int, str, int, int, int, int, int, int, int, float | None]
"""JSON has no word for a float that is no number."""
_BookRow = tuple[str, str, int, int, _Levels, _Levels, _Levels, _Levels, int, int]
_Batch = tuple[Sequence[str], Array]
"""Code of each row, and the rows."""


class Range(NamedTuple):
    """How many rows, and between which `received`."""

    rows: int
    first: int
    last: int

    def including(self, other: "Range | None") -> "Range":
        """Both together."""
        if other is None:
            return self
        return Range(self.rows + other.rows, min(self.first, other.first), max(self.last, other.last))


class Piece(NamedTuple):
    """A part of a batch: its messages as they will stand between the brackets."""

    first: int
    last: int
    """Numbers of the first and the last message."""
    rows: int
    since: int
    until: int
    """The least and the greatest `received`."""
    text: str


EVER: Final = 1 << 62
"""An instant, or a number, after all others."""

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
"""What an older file had unpacked is in tables whose names say so until it is packed (`storage/older.py`)."""

DATED: Final = """
    ALTER TABLE loose ADD COLUMN since INTEGER;
    ALTER TABLE loose ADD COLUMN until INTEGER;
    CREATE INDEX loose_by_time ON loose (kind, first, since, until)
    """
"""Between which `received` a batch lies, in an index: whoever wants the last minute need not decode the day."""

_INSERT: Final = "INSERT OR REPLACE INTO loose (kind, first, last, rows, since, until) VALUES (?,?,?,?,?,?)"
_NUMBERS: Final = "SELECT first FROM loose WHERE kind = ? ORDER BY first"
_WITHIN: Final = """SELECT first FROM loose WHERE kind = ? AND (since IS NULL OR since < ?)
    AND (until IS NULL OR until >= ?) ORDER BY first"""
_SET_ASIDE: Final = "UPDATE loose SET kind = :aside WHERE kind = :kind AND first = :first"
_GAP: Final = """INSERT INTO gaps SELECT coalesce(CAST(json_extract(:rows, '$[#-1][1][3]') AS INTEGER), 0), :aside,
    json_array_length(:rows) WHERE json_valid(:rows)"""
_VENUES: Final = {venue.value: place for place, venue in enumerate(blocks.VENUES)}
_SIDES: Final = {side.value: place for place, side in enumerate(blocks.SIDES)}
_FIELDS: Final[dict[Kind, Callable[[Any], tuple[Any, ...]]]] = {
    **dict.fromkeys(indications.KINDS, indications.fields),
    "ticks": astuple,
    "books": astuple,
}
_RECEIVED: Final = 3
"""Its place among the fields of every kind."""
_encode: Final = msgspec.json.Encoder().encode
_tick_rows: Final = msgspec.json.Decoder(list[tuple[int, _TickRow]]).decode
_book_rows: Final = msgspec.json.Decoder(list[tuple[int, _BookRow]]).decode
_R = msgspec.Raw
_TickHead = tuple[int, tuple[str, _R, _R, int, _R, _R, _R, _R, _R, _R, _R, _R, _R, _R, _R]]
_BookHead = tuple[int, tuple[str, _R, _R, int, _R, _R, _R, _R, _R, _R]]
_heads: Final[dict[Kind, Callable[[str], Iterable[tuple[int, tuple[Any, ...]]]]]] = {
    "ticks": msgspec.json.Decoder(list[_TickHead]).decode,
    "books": msgspec.json.Decoder(list[_BookHead]).decode,
    **dict.fromkeys(indications.KINDS, msgspec.json.Decoder(list[tuple[int, tuple[Any, ...]]]).decode),
}
"""Code and `received` of each message; the rest stays text."""


def piece(kind: Kind, numbered: Sequence[tuple[int, Stored]]) -> Piece:
    """At least one message, in rising numbers."""
    fields = _FIELDS[kind]
    rows = [(number, fields(message)) for number, message in numbered]
    received = [row[_RECEIVED] for _, row in rows]
    text = _encode(rows)[1:-1].decode()
    return Piece(rows[0][0], rows[-1][0], len(rows), min(received), max(received), text)


def write(connection: sqlite3.Connection, kind: Kind, pieces: Sequence[Piece]) -> None:
    """One batch of at least one piece, in rising numbers."""
    since, until = min(piece.since for piece in pieces), max(piece.until for piece in pieces)
    text = f"[{','.join([piece.text for piece in pieces])}]"
    connection.execute(_INSERT, (kind, pieces[0].first, pieces[-1].last, text, since, until))


def arrays(
    connection: sqlite3.Connection, kind: Kind, numbers: Iterable[int], symbols: Collection[str] = ()
) -> Iterator[tuple[str, Array]]:
    """What these batches hold, by symbol; all codes where `symbols` is empty.

    Raises ValueError for a batch that cannot be read.
    """
    found = _by_symbol([_unpacked(kind, number, text) for number, text in _texts(connection, kind, numbers)])
    return ((symbol, array) for symbol, array in found if not symbols or symbol in symbols)


def within(connection: sqlite3.Connection, kind: Kind, since: int, until: int) -> list[int]:
    """First numbers of the batches that may hold something received in [since, until): of an older file all."""
    if connection.execute("SELECT 1 FROM pragma_table_info('loose') WHERE name = 'until'").fetchone():
        found = connection.execute(_WITHIN, (kind, until, since))
    else:
        found = connection.execute(_NUMBERS, (kind,))
    return [first for (first,) in found]


def ranges(
    connection: sqlite3.Connection, kind: Kind, numbers: Iterable[int]
) -> Iterator[tuple[int, dict[str, Range]]]:
    """The first number of each of these batches, and what it holds by symbol. Raises ValueError as `arrays` does."""
    for first, text in _texts(connection, kind, numbers):
        received: defaultdict[str, list[int]] = defaultdict(list)
        with _complaining(first):
            for _, fields in _heads[kind](text):
                received[fields[0]].append(fields[_RECEIVED])
        yield first, {symbol: Range(len(r), min(r), max(r)) for symbol, r in received.items()}


def _texts(connection: sqlite3.Connection, kind: Kind, numbers: Iterable[int]) -> Iterator[tuple[int, str]]:
    """Of those that were not packed meanwhile."""
    for number in numbers:
        yield from connection.execute("SELECT first, rows FROM loose WHERE kind = ? AND first = ?", (kind, number))


def take(connection: sqlite3.Connection, kind: Kind, before: int, limit: int) -> list[tuple[str, Array]]:
    """Remove whole batches, the oldest first, until about `limit` messages are out; they come back by symbol.

    A batch that begins with a message received at `before` or later stays, and so do those after it. One that cannot
    be read is set aside, as a kind of its own, and a gap.
    """
    made: list[_Batch] = []
    last, count = -1, 0
    query = "SELECT first, rows FROM loose WHERE kind = ? AND first > ? ORDER BY first LIMIT 1"
    while count < limit and (found := connection.execute(query, (kind, last)).fetchone()):
        try:
            batch = _unpacked(kind, *found)
        except ValueError:
            _set_aside(connection, kind, *found)
            continue
        if batch[1]["received"][0] >= before:
            break
        made.append(batch)
        last, count = found[0], count + len(batch[1])
    connection.execute("DELETE FROM loose WHERE kind = ? AND first <= ?", (kind, last))
    return list(_by_symbol(made))


def _set_aside(connection: sqlite3.Connection, kind: Kind, first: int, text: str) -> None:
    facts = {"kind": kind, "aside": f"{kind}, unreadable", "first": first, "rows": text}
    connection.execute(_SET_ASIDE, facts)
    connection.execute(_GAP, facts)


def _unpacked(kind: Kind, first: int, text: str) -> _Batch:
    with _complaining(first):
        if kind == "ticks":
            names, rows = _ticks(text)
        elif kind == "books":
            names, rows = _books(text)
        else:
            names, rows = indications.unpacked(kind, text)
    return tuple(map(intern, names)), rows  # each code a string once, not once a row


@contextmanager
def _complaining(first: int) -> Generator[None]:
    try:
        yield
    except (msgspec.DecodeError, OverflowError) as error:
        raise ValueError(f"the batch of number {first} cannot be read: {error}") from error


def _ticks(text: str) -> _Batch:
    numbers, rows = zip(*_tick_rows(text), strict=True)
    columns: dict[str, Any] = dict(zip(Tick.__struct_fields__, zip(*rows, strict=True), strict=True))
    columns |= {"number": numbers, "venue": [_VENUES[name] for name in columns["venue"]]}
    columns["side"] = [_SIDES[name] for name in columns["side"]]
    array = np.empty(len(numbers), TICK)
    for name in TICK.names or ():
        array[name] = columns[name]
    return columns["symbol"], array


def _books(text: str) -> _Batch:
    numbers, rows = zip(*_book_rows(text), strict=True)
    columns: dict[str, Any] = dict(zip(OrderBook.__struct_fields__, zip(*rows, strict=True), strict=True))
    array = np.empty(len(numbers), BOOK)
    array["number"], array["venue"] = numbers, [_VENUES[name] for name in columns["venue"]]
    for name in ("time", "received", "ask_total", "bid_total"):
        array[name] = columns[name]
    for place, name in enumerate(("ask_prices", "ask_sizes", "bid_prices", "bid_sizes")):
        array["levels"][:, place] = _levels(columns[name])
    return columns["symbol"], array


def _levels(books: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    figures = np.fromiter(chain.from_iterable(books), np.int64)
    if len(figures) != len(books) * LEVELS:
        figures = np.fromiter(chain.from_iterable(map(blocks.full, books)), np.int64)
    return figures.reshape(-1, LEVELS)


def _by_symbol(batches: list[_Batch]) -> Iterator[tuple[str, Array]]:
    """Takes the batches away as it lays them together: their rows are in memory once."""
    if not batches:
        return
    names = list(chain.from_iterable(names for names, _ in batches))
    symbols = sorted(dict.fromkeys(names))
    place_of = {symbol: place for place, symbol in enumerate(symbols)}
    places = np.fromiter(map(place_of.__getitem__, names), np.intp, len(names))
    targets = np.empty(len(names), np.intp)
    targets[np.argsort(places, kind="stable")] = np.arange(len(names))
    rows = np.empty(len(names), batches[0][1].dtype)
    end = len(names)
    while batches:
        _, array = batches.pop()
        begin = end - len(array)
        rows[targets[begin:end]] = array
        end = begin
    ends = np.cumsum(np.bincount(places))
    yield from zip(symbols, np.split(rows, ends[:-1]), strict=True)
