"""What was recorded or imported: arrays by code and range, or messages in the order they came."""

import datetime as dt
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple, Self

import numpy as np

from actors.market import blocks, loose, store
from actors.market.blocks import BAR, BOOK, TICK, Array
from actors.market.loose import Kind
from messages import Bar, Designation, Instrument, Market, OrderBook, Record, Symbol, Tick, Venue
from runtime.database import DatabaseBroken, reading

EVER: Final = 1 << 62
"""An instant after all others."""
_WINDOW = 600 * 1_000_000_000
_ALL: Final = """
    SELECT kind, symbol, 0, sum(count), min(first), max(last) FROM (
        SELECT kind, symbol, count, first, last FROM blocks
        UNION ALL SELECT 'ticks', symbol, 1, received, received FROM ticks
        UNION ALL SELECT 'books', symbol, 1, received, received FROM books) GROUP BY kind, symbol
    UNION ALL SELECT 'bars', symbol, interval, count(*), min(time), max(time) FROM bars GROUP BY interval, symbol
    ORDER BY 1, 2, 3"""
_DTYPES: dict[Kind, "np.dtype[np.void]"] = {"ticks": TICK, "books": BOOK}


class Content(Record):
    """What is there of one symbol; `first` and `last` are nanoseconds, `interval` is 0 for ticks and books."""

    kind: str
    symbol: Symbol
    interval: int
    count: int
    first: int
    last: int


class Gap(NamedTuple):
    """Messages of a class that were lost before they could be stored; `time` is when storing went on."""

    time: int
    subject: str
    lost: int


class _Segment(NamedTuple):
    kind: Kind
    symbol: Symbol
    first: int
    last: int
    length: int
    block: int
    rows: Array | None


class History:
    """Reads a market store, beside its writer if there is one; close it after use.

    `place` is a data folder or the file itself. Ranges are [since, until) in nanoseconds. Raises
    DatabaseBroken where there is no such file.
    """

    def __init__(self, place: Path) -> None:
        self.path = store.market_file(place)
        self._connection = reading(self.path)

    @classmethod
    def over(cls, connection: sqlite3.Connection) -> Self:
        """Read through a connection somebody else opened, and closes."""
        history = cls.__new__(cls)
        history.path = Path(":memory:")
        history._connection = connection  # noqa: SLF001
        return history

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def contents(self) -> list[Content]:
        """A line for each kind, symbol and interval, sorted."""
        return [
            Content(**dict(zip(Content.__struct_fields__, row, strict=True))) for row in self._connection.execute(_ALL)
        ]

    def ticks(self, symbol: Symbol, since: int = 0, until: int = EVER) -> Array:
        """Rows of blocks.TICK by arrival."""
        return self._rows("ticks", symbol, since, until)

    def books(self, symbol: Symbol, since: int = 0, until: int = EVER) -> Array:
        """Rows of blocks.BOOK by arrival."""
        return self._rows("books", symbol, since, until)

    def bars(self, symbol: Symbol, interval: int, since: int = 0, until: int = EVER) -> Array:
        """Rows of blocks.BAR by time; `interval` in seconds."""
        columns = ", ".join(BAR.names or ())
        query = f"SELECT {columns} FROM bars WHERE interval=? AND symbol=? AND time>=? AND time<? ORDER BY time"  # noqa: S608
        return np.array(self._connection.execute(query, (interval, symbol, since, until)).fetchall(), BAR)

    def bar_messages(
        self,
        symbols: Sequence[Symbol],
        interval: int,
        since: int = 0,
        until: int = EVER,
    ) -> Iterator[Bar]:
        """Bars of many codes, by time and then by code; all codes where `symbols` is empty."""
        columns = ", ".join(BAR.names or ())
        where, arguments = _among(symbols)
        query = (
            f"SELECT symbol, venue, {columns} FROM bars "  # noqa: S608
            f"WHERE interval=? AND time>=? AND time<?{where} ORDER BY time, symbol, venue"
        )
        for symbol, venue, *row in self._connection.execute(query, (interval, since, until, *arguments)):
            yield blocks.bar(symbol, venue, interval, row)

    def messages(
        self,
        symbols: Sequence[Symbol],
        since: int = 0,
        until: int = EVER,
        kinds: Sequence[Kind] = ("ticks", "books"),
    ) -> Iterator[Tick | OrderBook]:
        """Ticks and books of many codes in the order they were received; all codes where `symbols` is empty."""
        segments: list[_Segment]
        segments = [s for kind in kinds for s in self._segments(kind, symbols) if s.first < until and s.last >= since]
        cache: dict[int, Array] = {}
        start = max(since, min((s.first for s in segments), default=EVER))
        while segments:
            end = min(start + _WINDOW, until)
            yield from self._window([s for s in segments if s.first < end], start, end, cache)
            segments = [s for s in segments if s.last >= end and end < until]
            start = max(end, min((s.first for s in segments), default=EVER))
            cache = {s.block: cache[s.block] for s in segments if s.block in cache}

    def instruments(self, day: dt.date) -> dict[Symbol, Instrument]:
        """As they were recorded on a day in Korea."""
        found = self._connection.execute("SELECT * FROM instruments WHERE day = ?", (day.isoformat(),))
        return {row[0]: _instrument(row) for row in found}

    def issues(self) -> dict[Symbol, tuple[str, str]]:
        """Names and markets, blank where not known."""
        return {symbol: (name, market) for symbol, name, market in self._connection.execute("SELECT * FROM issues")}

    def gaps(self) -> list[Gap]:
        """What is missing, oldest first."""
        return [Gap(*row) for row in self._connection.execute("SELECT time, subject, lost FROM gaps ORDER BY time")]

    def open_after(self, symbol: Symbol, instant: int) -> int:
        """The first price from an instant on, of bars or else of ticks; 0 where there is none."""
        query = "SELECT open FROM bars WHERE symbol = ? AND time >= ? ORDER BY time LIMIT 1"
        row = self._connection.execute(query, (symbol, instant)).fetchone()
        if row:
            return int(row[0])
        ticks = self.ticks(symbol, instant)
        return int(ticks["price"][0]) if len(ticks) else 0

    def close_before(self, symbol: Symbol, instant: int) -> int:
        """The last price before an instant, from the longest bars there are; 0 where there is none."""
        query = "SELECT close FROM bars WHERE symbol = ? AND time < ? ORDER BY interval DESC, time DESC LIMIT 1"
        row = self._connection.execute(query, (symbol, instant)).fetchone()
        return int(row[0]) if row else 0

    def _window(
        self,
        segments: Iterable[_Segment],
        start: int,
        end: int,
        cache: dict[int, Array],
    ) -> Iterator[Tick | OrderBook]:
        found: list[tuple[int, int, Tick | OrderBook]] = []
        for segment in segments:
            array = _between(self._load(segment, cache), start, end)
            made = (
                blocks.ticks(segment.symbol, array) if segment.kind == "ticks" else blocks.books(segment.symbol, array)
            )
            found.extend(zip(array["received"].tolist(), array["number"].tolist(), made, strict=True))
        found.sort(key=itemgetter(0, 1))
        return map(itemgetter(2), found)

    def _rows(self, kind: Kind, symbol: Symbol, since: int, until: int) -> Array:
        parts = [self._load(segment, {}) for segment in self._segments(kind, [symbol])]
        return _between(blocks.in_order(np.concatenate([np.empty(0, _DTYPES[kind]), *parts])), since, until)

    def _load(self, segment: _Segment, cache: dict[int, Array]) -> Array:
        if segment.rows is not None:
            return segment.rows
        if segment.block not in cache:
            (data,) = self._connection.execute("SELECT data FROM blocks WHERE rowid = ?", (segment.block,)).fetchone()
            cache[segment.block] = self._unpack(segment, data)
        return cache[segment.block]

    def _unpack(self, segment: _Segment, data: bytes) -> Array:
        try:
            return blocks.unpack(data, _DTYPES[segment.kind], segment.length)
        except ValueError as error:
            raise DatabaseBroken(f"{self.path}: block {segment.block} of {segment.symbol}: {error}") from error

    def _segments(self, kind: Kind, symbols: Sequence[Symbol]) -> list[_Segment]:
        where, arguments = _among(symbols)
        query = f"SELECT symbol, first, last, count, rowid FROM blocks WHERE kind=?{where} ORDER BY symbol, first"  # noqa: S608
        found: list[_Segment] = []
        for symbol, first, last, count, block in self._connection.execute(query, (kind, *arguments)):
            found.append(_Segment(kind, symbol, first, last, count, block, None))
        found.extend(s for s in self._raw(kind) if not symbols or s.symbol in symbols)
        return found

    def _raw(self, kind: Kind) -> Iterator[_Segment]:
        for place, (symbol, array) in enumerate(loose.arrays(self._connection, kind)):
            rows = blocks.in_order(array)
            first, last = int(rows["received"][0]), int(rows["received"][-1])
            yield _Segment(kind, Symbol(symbol), first, last, len(rows), -1 - place, rows)


def order_state(place: Path, number: int) -> dict[str, object] | None:
    """The row of one order in the `orders` table, by the number of its intent; None where there is none."""
    with closing(reading(store.market_file(place))) as connection:
        connection.row_factory = sqlite3.Row
        row = connection.execute("SELECT * FROM orders WHERE number = ?", (number,)).fetchone()
        return dict(row) if row else None


def _between(rows: Array, since: int, until: int) -> Array:
    first, last = np.searchsorted(rows["received"], [since, until])
    return rows[first:last]


def _among(symbols: Sequence[Symbol]) -> tuple[str, Sequence[str]]:
    return (f" AND symbol IN ({','.join('?' * len(symbols))})" if symbols else "", symbols)


def _instrument(row: Sequence[object]) -> Instrument:
    symbol, venue, _, name, market, base, upper, lower, listed, kospi200, sector, designation, halted = row
    return Instrument(
        symbol=Symbol(str(symbol)),
        venue=Venue(str(venue)),
        name=str(name),
        market=Market(str(market)),
        base_price=base,  # pyright: ignore[reportArgumentType]
        upper_limit=upper,  # pyright: ignore[reportArgumentType]
        lower_limit=lower,  # pyright: ignore[reportArgumentType]
        listed_shares=listed,  # pyright: ignore[reportArgumentType]
        kospi200=bool(kospi200),
        sector=str(sector),
        designation=Designation(str(designation)),
        halted=bool(halted),
    )
