"""Where prices lie in a market store, and how they come out of it in order, a stretch at a time."""

import sqlite3
from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

import numpy as np

from actors.market.storage import blocks, loose
from actors.market.storage.blocks import Array
from actors.market.storage.loose import EVER, Kind, Range
from actors.market.storage.store import DTYPES
from messages import Symbol
from runtime.disk.errors import DatabaseBroken

_TOGETHER: Final = 50_000
"""Loose rows of all codes that are read at once."""


class Segment(NamedTuple):
    """A block, or some batches of what is loose: rows of a kind received from `first` to `last`."""

    kind: Kind
    first: int
    last: int
    rows: int
    symbol: str
    """Of a block; blank for loose rows, which may be of any."""
    place: int
    """Row of the block, or number of the first batch."""
    batches: tuple[int, ...] = ()
    """Numbers of all batches."""


class _Batches(NamedTuple):
    numbers: list[int]
    symbols: dict[str, Range]


class Segments:
    """Reads through a connection somebody else opened; `name` is what complaints call the file."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._known: dict[Kind, tuple[list[int], list[_Batches]]] = {}
        """What was read last of each kind: the batches' first numbers, and what they hold."""

    def check(self) -> None:
        """Raises DatabaseBroken for a store of an older version, in which tables are missing."""
        if not self._connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'loose'").fetchone():
            mend = "`kiwoom-actors history prune DIR --before 1970-01-01` brings it up to date and takes nothing away"
            raise DatabaseBroken(f"{self._name}: of an older version; {mend}")

    def listed(self, kind: Kind, symbols: Collection[str], since: int, until: int) -> list[Segment]:
        """Segments with rows of these codes in a range, by their first row; all codes where `symbols` is empty."""
        found = [*self._blocks(kind, symbols, since, until), *self._loose(kind, symbols, since, until)]
        return sorted((s for s in found if s.first < until and s.last >= since), key=lambda s: (s.first, s.place))

    def read(self, segment: Segment, symbols: Collection[str]) -> list[tuple[Symbol, Array]]:
        """The rows of a segment by code, each by arrival. Raises DatabaseBroken."""
        if segment.symbol:
            return [(Symbol(segment.symbol), self._block(segment))]
        try:
            batches = loose.arrays(self._connection, segment.kind, segment.batches, symbols)
            return [(Symbol(symbol), blocks.in_order(array)) for symbol, array in batches]
        except ValueError as error:
            raise DatabaseBroken(f"{self._name}: {error}") from error

    def stream(self, kind: Kind, symbol: str, since: int, until: int) -> Iterator[Array]:
        """Rows of one code by arrival: no more in memory than the segments that overlap."""
        waiting = np.empty(0, DTYPES[kind])
        segments = self.listed(kind, [symbol], since, until)
        for segment, border in zip(segments, [*(s.first for s in segments), until][1:], strict=True):
            for _, array in self.read(segment, [symbol]):
                rows = between(array, since, until)
                waiting = blocks.in_order(np.concatenate([waiting, rows])) if len(waiting) else rows
            cut = int(np.searchsorted(waiting["received"], border))
            if cut:
                yield waiting[:cut]
                waiting = waiting[cut:]

    def loose(self, kind: Kind) -> dict[str, Range]:
        """What is not packed, by code."""
        found: dict[str, Range] = {}
        for batches in self._batches(kind):
            for symbol, more in batches.symbols.items():
                found[symbol] = more.including(found.get(symbol))
        return found

    def _blocks(self, kind: Kind, symbols: Collection[str], since: int, until: int) -> Iterator[Segment]:
        among = f" AND symbol IN ({','.join('?' * len(symbols))})" if symbols else ""
        query = f"SELECT symbol, first, last, count, rowid FROM blocks WHERE kind=? AND first<? AND last>=?{among}"  # noqa: S608
        for symbol, first, last, count, place in self._connection.execute(query, (kind, until, since, *symbols)):
            yield Segment(kind, first, last, count, symbol, place)

    def _loose(self, kind: Kind, symbols: Collection[str], since: int, until: int) -> Iterator[Segment]:
        for batches in self._batches(kind, since, until):
            ranges = [r for symbol, r in batches.symbols.items() if not symbols or symbol in symbols]
            if ranges:
                first, last = min(r.first for r in ranges), max(r.last for r in ranges)
                numbers = tuple(batches.numbers)
                yield Segment(kind, first, last, sum(r.rows for r in ranges), "", numbers[0], numbers)

    def _batches(self, kind: Kind, since: int = 0, until: int = EVER) -> list[_Batches]:
        self.check()
        numbers = loose.within(self._connection, kind, since, until)
        if kind not in self._known or self._known[kind][0] != numbers:
            try:
                self._known[kind] = numbers, list(_grouped(loose.ranges(self._connection, kind, numbers)))
            except ValueError as error:
                raise DatabaseBroken(f"{self._name}: {error}") from error
        return self._known[kind][1]

    def _block(self, segment: Segment) -> Array:
        query = "SELECT data FROM blocks WHERE rowid = ?"
        (data,) = self._connection.execute(query, (segment.place,)).fetchone()
        try:
            return blocks.unpack(data, DTYPES[segment.kind], segment.rows)
        except ValueError as error:
            raise DatabaseBroken(f"{self._name}: block {segment.place} of {segment.symbol}: {error}") from error


def between(rows: Array, since: int, until: int) -> Array:
    """Rows received in a range, of rows by arrival."""
    first, last = np.searchsorted(rows["received"], [since, until])
    return rows[first:last]


def _grouped(batches: Iterator[tuple[int, dict[str, Range]]]) -> Iterator[_Batches]:
    group: _Batches | None = None
    rows = 0
    for number, symbols in batches:
        if group is None or rows >= _TOGETHER:
            if group is not None:
                yield group
            group, rows = _Batches([], {}), 0
        for symbol, more in symbols.items():
            group.symbols[symbol] = more.including(group.symbols.get(symbol))
            rows += more.rows
        group.numbers.append(number)
    if group is not None:
        yield group
