"""Rows into a market store; what is there already stays as it is, so that twice is the same as once."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

import numpy as np

from actors.market.charts import collection
from actors.market.charts.certificate import Chart
from actors.market.charts.spans import holds
from actors.market.files.layout import Kind, Stretch
from actors.market.files.recordings import Recording
from actors.market.storage import indications, store
from actors.market.storage.blocks import VENUES, Array
from actors.market.storage.history import History
from messages import Record, Symbol

_Identity = Callable[[Any], tuple[Hashable, Hashable]]


class Taken(Record):
    """What was added."""

    ticks: int
    books: int
    indications: int
    """Expected prices, best quotes, after-hours books and index values."""
    bars: int
    duplicates: int
    """Rows that were there already, the same in every figure."""
    conflicts: int
    """Rows that were there already with other figures; the stored ones stay."""


def take(connection: sqlite3.Connection, recording: Recording) -> Taken:
    """Store what is new of a recording, in the caller's transaction; its rows get numbers of their own."""
    taken = take_stretches(connection, _numbered(recording, store.next_number(connection)))
    store.write_issues(connection, [(symbol, name, "") for symbol, name in recording.names.items()])
    return taken


def take_stretches(connection: sqlite3.Connection, stretches: Iterable[Stretch]) -> Taken:
    """Store what is new, in the caller's transaction; rows keep the numbers they have.

    Rows of one code with one `received` must not lie in two stretches.
    """
    history = History.over(connection)
    counts: Counter[str] = Counter()
    for stretch in stretches:
        if len(stretch.rows):
            fresh = stretch._replace(rows=_fresh(stretch, _stored(history, stretch), counts))
            if stretch.kind == "bars" and not stretch.venue:
                fresh = _not_disproved(connection, fresh, counts)
            counts[stretch.kind] += len(fresh.rows)
            _write(connection, fresh)
    counts["indications"] = sum(counts[kind] for kind in indications.KINDS)
    return Taken(**{name: counts[name] for name in Taken.__struct_fields__})


def _numbered(recording: Recording, number: int) -> Iterator[Stretch]:
    kinds: dict[Kind, dict[Symbol, Array]] = {"ticks": recording.ticks, "books": recording.books}
    for kind, arrays in kinds.items():
        for symbol, array in arrays.items():
            rows = array.copy()
            rows["number"] += number - 1
            yield Stretch(kind, symbol, rows)
    for (symbol, interval), rows in recording.bars.items():
        yield Stretch("bars", symbol, rows, interval)


def _stored(history: History, stretch: Stretch) -> Array:
    instants = stretch.rows["time" if stretch.kind == "bars" else "received"]
    since, until = int(instants.min()), int(instants.max()) + 1
    if stretch.kind == "bars":
        return history.bars(stretch.symbol, stretch.interval, since, until, VENUES[stretch.venue])
    parts = history.stream(stretch.kind, stretch.symbol, since, until)
    return np.concatenate([np.empty(0, store.DTYPES[stretch.kind]), *parts])


def _fresh(stretch: Stretch, stored: Array, counts: Counter[str]) -> Array:
    if not len(stored):
        return stretch.rows
    identity = _IDENTITIES[stretch.kind]
    known = dict(_counted(map(identity, stored)))
    new = np.ones(len(stretch.rows), np.bool_)
    for place, (key, figures) in enumerate(_counted(map(identity, stretch.rows))):
        if key in known:
            new[place] = False
            counts["duplicates" if known[key] == figures else "conflicts"] += 1
    return stretch.rows[new]


def _not_disproved(connection: sqlite3.Connection, stretch: Stretch, counts: Counter[str]) -> Stretch:
    """Where pages of a chart show that nothing was traded, a bar is in conflict with them."""
    proven = collection.spans(connection, Chart(stretch.symbol, stretch.interval))
    if not proven:
        return stretch
    new = np.array([not holds(proven, time) for time in stretch.rows["time"].tolist()], np.bool_)
    counts["conflicts"] += len(new) - int(new.sum())
    return stretch._replace(rows=stretch.rows[new])


def _counted(rows: Iterable[tuple[Hashable, Hashable]]) -> Iterator[tuple[tuple[Hashable, int], Hashable]]:
    """A second row of the same key is another row."""
    seen: Counter[Hashable] = Counter()
    for key, figures in rows:
        seen[key] += 1
        yield (key, seen[key]), figures


def _write(connection: sqlite3.Connection, stretch: Stretch) -> None:
    if stretch.kind == "bars":
        store.write_bar_rows(connection, stretch.symbol, stretch.interval, stretch.rows, stretch.venue)
    else:
        store.write_blocks(connection, stretch.kind, stretch.symbol, stretch.rows)


def _tick_identity(row: Any) -> tuple[Hashable, Hashable]:
    return (int(row["received"]), int(row["venue"]), int(row["volume"])), (int(row["price"]), int(row["size"]))


def _book_identity(row: Any) -> tuple[Hashable, Hashable]:
    return (int(row["received"]), int(row["venue"]), row["levels"].tobytes()), None


def _bar_identity(row: Any) -> tuple[Hashable, Hashable]:
    return int(row["time"]), tuple(row.tolist())


def _indication_identity(row: Any) -> tuple[Hashable, Hashable]:
    _, _, *rest = row.tolist()
    return tuple(rest), None


_IDENTITIES: dict[Kind, _Identity] = {
    "ticks": _tick_identity,
    "books": _book_identity,
    "bars": _bar_identity,
    **dict.fromkeys(indications.KINDS, _indication_identity),
}
