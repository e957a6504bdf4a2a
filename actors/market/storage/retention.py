"""What is done to a store when nobody trades: packing, joining small blocks, letting old days go, giving room back."""

import sqlite3
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import accumulate
from typing import Final

import numpy as np

from actors.market.storage import blocks, store
from actors.market.storage.loose import EVER, Kind
from actors.market.storage.store import BLOCK_ROWS, DAY, DTYPES, KST_OFFSET

_DROPPED: Final = 64
"""Blocks that go at once."""
_RETURNED: Final = 125
"""Pages given back at once."""
_LOG_PAGES: Final = 1_000
"""Copied into the file at once; a page that is written twice meanwhile is copied once."""
_YOUNG: Final = 1_000
"""Pages of a file that is rewritten in a moment."""
_INCREMENTAL: Final = 2
_SPLIT = """SELECT kind, symbol, (first + :offset) / :day, top < :own FROM blocks GROUP BY 1, 2, 3, 4
    HAVING count(*) > (sum(count) + :full - 1) / :full ORDER BY 1, 2, 3, 4"""
_OF_DAY = """SELECT rowid, count FROM blocks WHERE kind = ? AND symbol = ? AND first >= ? AND first < ?
    AND (top < ?) = ? ORDER BY first, last"""
_DAYS = "SELECT DISTINCT (first + ?) / ? FROM blocks WHERE kind = ? AND first < ? ORDER BY 1 DESC LIMIT ?"
_SHORT = """SELECT interval, symbol, venue, time FROM bars WHERE interval < 60
    AND (interval, symbol, venue) >= (?, ?, ?) AND time < ? ORDER BY interval, symbol, venue, time LIMIT 1"""
_FORGET = "DELETE FROM bars WHERE interval = ? AND symbol = ? AND venue = ? AND time < ?"
_UNITS = {"offset": KST_OFFSET, "day": DAY, "own": store.OWN_NUMBERS, "full": BLOCK_ROWS}

Oldest = Callable[[sqlite3.Connection, Kind], int]
"""The instant of which rows of a kind must not be older to stay; 0 keeps all."""
_Piece = Callable[[sqlite3.Connection], bool]
_Day = tuple[Kind, str, int, int]
"""Kind, symbol, days since the epoch, and 1 where the rows were imported."""
_Block = tuple[int, int]
"""Its row and how many it holds."""


class Chores:
    """One round of all of it, a piece at a time; a kill between two pieces leaves a store with nothing amiss.

    `oldest` says what is let go, once all is packed; messages received at `before` or later are left unpacked.
    """

    def __init__(self, oldest: Oldest, before: int = EVER) -> None:
        self._oldest = oldest
        self._before = before
        self._left: list[_Day] | None = None
        self._chart = (0, "", 0)
        """Interval, symbol and venue of the bars that are let go just now."""
        self._pieces: deque[_Piece] = deque((self._pack, self._join, self._drop, self._drop_bars, _give_back))

    def step(self, connection: sqlite3.Connection) -> bool:
        """Do one piece, in the caller's transaction; False when nothing was left to do."""
        while self._pieces:
            if self._pieces[0](connection):
                return True
            self._pieces.popleft()
        return False

    def _pack(self, connection: sqlite3.Connection) -> bool:
        return store.pack_some(connection, before=self._before)

    def _join(self, connection: sqlite3.Connection) -> bool:
        if self._left is None:
            self._left = connection.execute(_SPLIT, _UNITS).fetchall()
        while self._left:
            with suppress(ValueError):  # a damaged block stays as it is: who reads it says so
                if _join_some(connection, self._left[-1]):
                    return True
            self._left.pop()
        return False

    def _drop(self, connection: sqlite3.Connection) -> bool:
        return any(_drop_some(connection, kind, self._oldest(connection, kind)) for kind in store.KINDS)

    def _drop_bars(self, connection: sqlite3.Connection) -> bool:
        """Those shorter than a minute go with the prints they were made of, a day of a chart at once."""
        before = self._oldest(connection, "ticks")
        found = connection.execute(_SHORT, (*self._chart, before)).fetchone() if before else None
        if found is None:
            return False
        *chart, first = found
        self._chart = tuple(chart)
        connection.execute(_FORGET, (*chart, min(midnight(first) + DAY, before)))
        return True


def newest(days: Mapping[Kind, int], now: Callable[[], int]) -> Oldest:
    """Keep so many of the newest days that are stored, 0 or none for all, and those to come.

    A day to come was stored by a clock that was ahead, and does not count.
    """

    def oldest(connection: sqlite3.Connection, kind: Kind) -> int:
        kept = days.get(kind, 0)
        found = connection.execute(_DAYS, (KST_OFFSET, DAY, kind, midnight(now()) + DAY, kept)).fetchall()
        return found[-1][0] * DAY - KST_OFFSET if kept and len(found) == kept else 0

    return oldest


def midnight(instant: int) -> int:
    """When that day began in Korea."""
    return (instant + KST_OFFSET) // DAY * DAY - KST_OFFSET


def prepare(connection: sqlite3.Connection) -> None:
    """For a writer of much, outside a transaction of the caller's: a file still small learns to give room back."""
    connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")
    (kind,) = connection.execute("PRAGMA auto_vacuum").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    if kind != _INCREMENTAL and pages <= _YOUNG:
        _compact_unless_busy(connection)


def compact(connection: sqlite3.Connection) -> None:
    """Write the whole file anew, without gaps; nobody else can write meanwhile."""
    if connection.in_transaction:
        connection.execute("COMMIT")
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    connection.execute("VACUUM")


def _compact_unless_busy(connection: sqlite3.Connection) -> None:
    (patience,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")
    with suppress(sqlite3.OperationalError):  # somebody writes just now: the next start does it
        compact(connection)
    connection.execute(f"PRAGMA busy_timeout = {patience}")


def _drop_some(connection: sqlite3.Connection, kind: Kind, before: int) -> bool:
    query = "SELECT rowid FROM blocks WHERE kind = ? AND last < ? LIMIT ?"
    old = [row[0] for row in connection.execute(query, (kind, before, _DROPPED))]
    if old:
        _delete(connection, old)
        return True
    return _cut(connection, kind, before)


def _join_some(connection: sqlite3.Connection, day: _Day) -> bool:
    kind, symbol, number, imported = day
    since = number * DAY - KST_OFFSET
    found = connection.execute(_OF_DAY, (kind, symbol, since, since + DAY, store.OWN_NUMBERS, imported)).fetchall()
    if len(found) <= -(-sum(count for _, count in found) // BLOCK_ROWS):
        return False
    joined = _from_the_first_small_one(found, store.PORTION // DTYPES[kind].itemsize)
    store.write_blocks(connection, kind, symbol, _together(connection, kind, joined))
    _delete(connection, [row for row, _ in joined])
    return True


def _from_the_first_small_one(found: Sequence[_Block], limit: int) -> Sequence[_Block]:
    """Of about `limit` rows together."""
    start = next(place for place, (_, count) in enumerate(found) if count < BLOCK_ROWS)
    before = accumulate((count for _, count in found[start:]), initial=0)
    return found[start : start + sum(rows < limit for rows in before)]


def _together(connection: sqlite3.Connection, kind: Kind, joined: Sequence[_Block]) -> blocks.Array:
    """Their rows, which are in memory once."""
    rows = np.empty(sum(count for _, count in joined), DTYPES[kind])
    begin = 0
    for row, count in joined:
        rows[begin : begin + count] = _read(connection, kind, row)
        begin += count
    return rows


def _read(connection: sqlite3.Connection, kind: Kind, row: int) -> blocks.Array:
    count, data = connection.execute("SELECT count, data FROM blocks WHERE rowid = ?", (row,)).fetchone()
    return blocks.unpack(data, DTYPES[kind], count)


def _cut(connection: sqlite3.Connection, kind: Kind, before: int) -> bool:
    """Blocks of older versions may reach over midnight."""
    query = "SELECT rowid, symbol FROM blocks WHERE kind = ? AND first < ? AND last >= ? LIMIT 1"
    found = connection.execute(query, (kind, before, before)).fetchone()
    if found is None:
        return False
    try:
        rows = _read(connection, kind, found[0])
    except ValueError:  # damaged
        return False
    store.write_blocks(connection, kind, found[1], rows[rows["received"] >= before])
    _delete(connection, found[:1])
    return True


def _delete(connection: sqlite3.Connection, rows: Sequence[int]) -> None:
    connection.executemany("DELETE FROM blocks WHERE rowid = ?", ((row,) for row in rows))


def _give_back(connection: sqlite3.Connection) -> bool:
    (kind,) = connection.execute("PRAGMA auto_vacuum").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    if kind != _INCREMENTAL or not free:
        return False
    for _ in range(min(free, _RETURNED)):
        connection.execute("PRAGMA incremental_vacuum(1)")  # of more, Python's driver would see to the first only
    return True
