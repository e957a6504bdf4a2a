"""Recordings into a market store; what is there already stays as it is, so that twice is the same as once."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from actors.market import store
from actors.market.blocks import Array
from actors.market.history import History
from actors.market.loose import Kind
from actors.market.recordings import Recording
from messages import Record, Symbol

_Identity = Callable[[Any], tuple[Hashable, Hashable]]


class Taken(Record):
    """What one recording added."""

    ticks: int
    books: int
    bars: int
    duplicates: int
    """Rows that were there already, the same in every figure."""
    conflicts: int
    """Rows that were there already with other figures; the stored ones stay."""


def take(connection: sqlite3.Connection, recording: Recording) -> Taken:
    """Store what is new, in the caller's transaction."""
    history = History.over(connection)
    number = store.next_number(connection)
    counts: Counter[str] = Counter()
    for symbol, array in recording.ticks.items():
        _take_rows(connection, "ticks", symbol, array, history.ticks, _tick_identity, number, counts)
    for symbol, array in recording.books.items():
        _take_rows(connection, "books", symbol, array, history.books, _book_identity, number, counts)
    for (symbol, interval), array in recording.bars.items():
        stored = history.bars(symbol, interval, int(array["time"].min()), int(array["time"].max()) + 1)
        fresh = _fresh(array, stored, _bar_identity, counts)
        counts["bars"] += len(fresh)
        store.write_bar_rows(connection, symbol, interval, fresh)
    store.write_issues(connection, [(symbol, name, "") for symbol, name in recording.names.items()])
    return Taken(**{name: counts[name] for name in Taken.__struct_fields__})


def _take_rows(  # noqa: PLR0917
    connection: sqlite3.Connection,
    kind: Kind,
    symbol: Symbol,
    array: Array,
    stored: Callable[[Symbol, int, int], Array],
    identity: _Identity,
    number: int,
    counts: Counter[str],
) -> None:
    if not len(array):
        return
    received = array["received"]
    fresh = _fresh(array, stored(symbol, int(received.min()), int(received.max()) + 1), identity, counts)
    fresh["number"] += number - 1
    counts[kind] += len(fresh)
    store.write_blocks(connection, kind, symbol, fresh)


def _fresh(array: Array, stored: Array, identity: _Identity, counts: Counter[str]) -> Array:
    known = dict(map(identity, stored))
    if not known:
        return array.copy()
    new = np.ones(len(array), np.bool_)
    for place, (key, figures) in enumerate(map(identity, array)):
        if key in known:
            new[place] = False
            counts["duplicates" if known[key] == figures else "conflicts"] += 1
    return array[new]


def _tick_identity(row: Any) -> tuple[Hashable, Hashable]:
    return (int(row["received"]), int(row["volume"])), (int(row["price"]), int(row["size"]))


def _book_identity(row: Any) -> tuple[Hashable, Hashable]:
    return (int(row["received"]), row["levels"].tobytes()), None


def _bar_identity(row: Any) -> tuple[Hashable, Hashable]:
    return int(row["time"]), tuple(row.tolist())
