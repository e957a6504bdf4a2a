"""What schemas 1 and 2 left unpacked: a row a message, in tables of their own since schema 3."""

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from actors.market.storage.blocks import BOOK, LEVELS, TICK, Array
from actors.market.storage.loose import Kind


def take(connection: sqlite3.Connection, kind: Kind, limit: int) -> list[tuple[str, Array]]:
    """Remove up to `limit` messages, the oldest first; they come back by symbol."""
    table = f"{kind}_before_3"
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
        return []
    rows = connection.execute(f"SELECT * FROM {table} ORDER BY number LIMIT ?", (limit,)).fetchall()  # noqa: S608
    if not rows:
        return []
    connection.execute(f"DELETE FROM {table} WHERE number <= ?", (rows[-1][0],))  # noqa: S608
    found: defaultdict[str, list[Sequence[Any]]] = defaultdict(list)
    for row in rows:
        found[row[1]].append(row)
    make = _ticks if kind == "ticks" else _books
    return [(symbol, make(mine)) for symbol, mine in sorted(found.items())]


def _ticks(rows: Sequence[Sequence[Any]]) -> Array:
    return np.array([(number, *figures) for number, _, *figures in rows], TICK)


def _books(rows: Sequence[Sequence[Any]]) -> Array:
    array = np.empty(len(rows), BOOK)
    names = ("number", "symbol", "time", "received", "venue", "ask_total", "bid_total")
    for place, name in enumerate(names):
        if name != "symbol":
            array[name] = [row[place] for row in rows]
    array["levels"] = np.frombuffer(b"".join(row[-1] for row in rows), "<i8").reshape(-1, 4, LEVELS)
    return array
