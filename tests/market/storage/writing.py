"""Prices into a store at once, for tests: as a recorder's batches."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence

from actors.market.storage import indications, loose
from actors.market.storage.indications import Indication
from actors.market.storage.loose import Kind, Stored
from messages import OrderBook, Tick


def write_ticks(connection: sqlite3.Connection, numbered: Iterable[tuple[int, Tick]]) -> None:
    _write(connection, "ticks", list(numbered))


def write_books(connection: sqlite3.Connection, numbered: Iterable[tuple[int, OrderBook]]) -> None:
    _write(connection, "books", list(numbered))


def write_indications(connection: sqlite3.Connection, numbered: Iterable[tuple[int, Indication]]) -> None:
    """Of any kinds, in rising numbers; a batch each."""
    batches: defaultdict[Kind, list[tuple[int, Stored]]] = defaultdict(list)
    for number, message in numbered:
        batches[indications.kind_of(message)].append((number, message))
    for kind, batch in batches.items():
        _write(connection, kind, batch)


def _write(connection: sqlite3.Connection, kind: Kind, numbered: Sequence[tuple[int, Stored]]) -> None:
    if numbered:
        loose.write(connection, kind, [loose.piece(kind, numbered)])
