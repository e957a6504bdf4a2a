"""What was recorded or imported: arrays by code and range, or messages in the order they came."""

import datetime as dt
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple, Self

import numpy as np

from actors.market.calendar import Calendar, UnknownDayError
from actors.market.charts import collection
from actors.market.charts.certificate import Certificate, Chart
from actors.market.storage import blocks, events, indications, joins, store
from actors.market.storage.blocks import BAR, BOOK, TICK, Array
from actors.market.storage.events import Event
from actors.market.storage.joins import Joined
from actors.market.storage.loose import EVER, Kind, Range, Stored
from actors.market.storage.segments import Segment, Segments, between
from actors.market.time import SECOND, kst
from messages import Bar, Designation, Instrument, Market, Record, Symbol, Venue
from runtime.disk.errors import DatabaseBroken
from runtime.disk.reading import reading

_WINDOW = 600 * SECOND
_DAY: Final = 86_400 * SECOND
_ANY_VENUE: Final = ",".join(map(str, range(len(blocks.VENUES))))
"""The key goes by venue before it goes by time."""
_BAR_ROWS: Final = 8_192
_STORED: Final = """
    SELECT kind, symbol, 0, sum(count), min(first), max(last) FROM blocks GROUP BY kind, symbol
    UNION ALL SELECT 'bars', symbol, interval, count(*), min(time), max(time) FROM bars GROUP BY interval, symbol"""

_LENGTHS: Final = """
    WITH RECURSIVE lengths(interval) AS (SELECT max(interval) FROM bars UNION ALL
        SELECT (SELECT max(bars.interval) FROM bars WHERE bars.interval < lengths.interval) FROM lengths
        WHERE lengths.interval IS NOT NULL)"""
"""Of all bars there are, one search of the key each: a scan would read them all."""
_OPEN: Final = f"""{_LENGTHS}
    SELECT bars.open FROM lengths JOIN bars ON bars.interval = lengths.interval AND bars.symbol = :symbol
        AND bars.venue = 0 AND bars.time = (SELECT min(time) FROM bars AS own WHERE own.interval = lengths.interval
        AND own.symbol = :symbol AND own.venue = 0 AND own.time >= :since)
    ORDER BY bars.time, bars.interval LIMIT 1"""  # noqa: S608
_CLOSE: Final = f"""{_LENGTHS}
    SELECT bars.close, bars.time FROM lengths JOIN bars ON bars.interval = lengths.interval AND bars.symbol = :symbol
        AND bars.venue = 0 AND bars.time = (SELECT max(time) FROM bars AS own WHERE own.interval = lengths.interval
        AND own.symbol = :symbol AND own.venue = 0
        AND own.time < CASE WHEN :closed THEN :before ELSE :before - lengths.interval * 1000000000 + 1 END)
    ORDER BY (bars.time + :offset) / :day DESC, bars.interval DESC LIMIT 1"""  # noqa: S608


class Content(Record):
    """What is there of one symbol; `first` and `last` are nanoseconds, `interval` is 0 for all but bars."""

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


class History:
    """Reads a market store, beside its writer if there is one; close it after use.

    `place` is a data folder or the file itself. Ranges are [since, until) in nanoseconds. What streams does so in
    bounded memory, and sees the store as it was when it began. Raises DatabaseBroken where there is no such file.
    """

    def __init__(self, place: Path) -> None:
        path = store.market_file(place)
        self._use(path, reading(path))

    @classmethod
    def over(cls, connection: sqlite3.Connection) -> Self:
        """Read through a connection somebody else opened, and closes."""
        history = cls.__new__(cls)
        history._use(Path(":memory:"), connection)  # noqa: SLF001
        return history

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._began = False
        self._connection.close()

    @contextmanager
    def snapshot(self) -> Generator[None, None, None]:
        """Everything read within is of one moment, whatever a writer does meanwhile."""
        if not self._readers and not self._connection.in_transaction:
            self._connection.execute("BEGIN")
            self._began = True
        self._readers += 1
        try:
            yield
        finally:
            self._readers -= 1
            if self._began and not self._readers:
                self._connection.execute("COMMIT")
                self._began = False

    def contents(self) -> list[Content]:
        """A line for each kind, symbol and interval, sorted."""
        found: dict[tuple[str, str, int], Range] = {}
        with self.snapshot():
            for kind, symbol, interval, *rows in self._connection.execute(_STORED):
                found[kind, symbol, interval] = Range(*rows)
            for kind in store.KINDS:
                for symbol, more in self._segments.loose(kind).items():
                    found[kind, symbol, 0] = more.including(found.get((kind, symbol, 0)))
        return [
            Content(
                kind=kind,
                symbol=Symbol(symbol),
                interval=interval,
                count=there.rows,
                first=there.first,
                last=there.last,
            )
            for (kind, symbol, interval), there in sorted(found.items())
        ]

    def ticks(self, symbol: Symbol, since: int = 0, until: int = EVER) -> Array:
        """Rows of blocks.TICK by arrival."""
        return np.concatenate([np.empty(0, TICK), *self.stream("ticks", symbol, since, until)])

    def books(self, symbol: Symbol, since: int = 0, until: int = EVER) -> Array:
        """Rows of blocks.BOOK by arrival."""
        return np.concatenate([np.empty(0, BOOK), *self.stream("books", symbol, since, until)])

    def indications(self, kind: indications.Kind, symbol: Symbol, since: int = 0, until: int = EVER) -> Array:
        """Rows of indications.DTYPES by arrival; the symbol of an index is its code."""
        return np.concatenate([np.empty(0, store.DTYPES[kind]), *self.stream(kind, symbol, since, until)])

    def bars(self, symbol: Symbol, interval: int, since: int = 0, until: int = EVER, venue: Venue = Venue.KRX) -> Array:
        """Rows of blocks.BAR by time; `interval` in seconds."""
        return np.concatenate([np.empty(0, BAR), *self.stream_bars(symbol, interval, since, until, venue)])

    def stream(self, kind: Kind, symbol: Symbol, since: int = 0, until: int = EVER) -> Iterator[Array]:
        """The same rows as `ticks`, `books` or `indications`, some thousands at a time."""
        with self.snapshot():
            yield from self._segments.stream(kind, symbol, since, until)

    def stream_bars(
        self, symbol: Symbol, interval: int, since: int = 0, until: int = EVER, venue: Venue = Venue.KRX
    ) -> Iterator[Array]:
        """The same rows as `bars`, some thousands at a time."""
        columns = ", ".join(BAR.names or ())
        query = (
            f"SELECT {columns} FROM bars WHERE interval=? AND symbol=? AND venue=? AND time>=? AND time<? ORDER BY time"  # noqa: S608
        )
        with self.snapshot():
            place = (interval, symbol, blocks.VENUES.index(venue))
            found = self._connection.execute(query, (*place, since, until))
            while rows := found.fetchmany(_BAR_ROWS):
                yield np.array(rows, BAR)

    def asof(self, symbol: Symbol, since: int = 0, until: int = EVER, within: int = _DAY) -> Joined:
        """Each print with the newest book of its venue that came before it, by `received` and then by `number`.

        A book from before `since` serves too, but none for longer than `within` nanoseconds, which is a day.
        """
        return joins.concatenated(self.stream_asof(symbol, since, until, within))

    def stream_asof(self, symbol: Symbol, since: int = 0, until: int = EVER, within: int = _DAY) -> Iterator[Joined]:
        """The same rows as `asof`, some thousands of prints at a time."""
        with self.snapshot():
            before = self._newest_books(symbol, max(0, since - within), since)
            ticks, books = self.stream("ticks", symbol, since, until), self.stream("books", symbol, since, until)
            yield from joins.asof(ticks, books, before, within)

    def charts(self) -> list[Chart]:
        """Everything that was ever collected, by code and then by length."""
        self._segments.check()
        return collection.charts(self._connection)

    def certificates(self, symbol: Symbol, interval: int) -> list[Certificate]:
        """What was certified of a chart, a day each, oldest first; `interval` in seconds."""
        self._segments.check()
        return list(collection.certificates(self._connection, Chart(symbol, interval)).values())

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
            f"WHERE interval=? AND venue IN ({_ANY_VENUE}) AND time>=? AND time<?{where} ORDER BY time, symbol, venue"
        )
        for symbol, venue, *row in self._connection.execute(query, (interval, since, until, *arguments)):
            yield blocks.bar(symbol, venue, interval, row)

    def messages(
        self,
        symbols: Sequence[Symbol],
        since: int = 0,
        until: int = EVER,
        kinds: Sequence[Kind] = ("ticks", "books"),
    ) -> Iterator[Stored]:
        """Messages of many codes in the order they were received; all codes where `symbols` is empty.

        Index values have no issue: where they are among `kinds`, all come.
        """
        return map(itemgetter(1), self.numbered(symbols, since, until, kinds))

    def numbered(
        self,
        symbols: Sequence[Symbol],
        since: int = 0,
        until: int = EVER,
        kinds: Sequence[Kind] = ("ticks", "books"),
    ) -> Iterator[tuple[int, Stored]]:
        """The same, each with its number."""
        with self.snapshot():
            segments: list[Segment]
            segments = [s for kind in kinds for s in self._segments.listed(kind, _of_kind(kind, symbols), since, until)]
            cache: dict[Segment, list[tuple[Symbol, Array]]] = {}
            start = max(since, min((s.first for s in segments), default=EVER))
            while segments:
                end = min(start + _WINDOW, until)
                yield from self._window([s for s in segments if s.first < end], symbols, start, end, cache)
                segments = [s for s in segments if s.last >= end and end < until]
                start = max(end, min((s.first for s in segments), default=EVER))
                cache = {s: cache[s] for s in segments if s in cache}

    def events(self, symbols: Sequence[Symbol], since: int = 0, until: int = EVER) -> list[Event]:
        """Sessions, interruptions and the like by when they were published; of all codes where `symbols` is empty."""
        try:
            return list(events.read(self._connection, symbols, since, until))
        except ValueError as error:
            raise DatabaseBroken(f"{self.path}: {error}") from error

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
        """The first price from an instant on at the KRX, of bars or else of ticks; 0 where there is none."""
        row = self._connection.execute(_OPEN, {"symbol": symbol, "since": instant}).fetchone()
        if row:
            return int(row[0])
        homes = (rows[rows["venue"] == 0] for rows in self.stream("ticks", symbol, instant))
        return next((int(rows["price"][0]) for rows in homes if len(rows)), 0)

    def close_before(self, symbol: Symbol, instant: int) -> int:
        """The last price before an instant at the KRX: of the newest day with bars, by its longest; 0 without any.

        Before that day's close bars that still run at the instant don't count: they know what comes.
        """
        return self._last_close(symbol, instant)[0]

    def price_before(self, symbol: Symbol, instant: int) -> int:
        """The same, or the last print's where prints are of a later day than all bars."""
        close, charted = self._last_close(symbol, instant)
        price, printed = self._last_print(symbol, instant)
        return price if _day(printed) > _day(charted) else close

    def _last_close(self, symbol: Symbol, instant: int) -> tuple[int, int]:
        units = {"symbol": symbol, "before": instant, "offset": store.KST_OFFSET, "day": store.DAY}
        units["closed"] = _has_closed(instant)
        found: tuple[int, int] | None = self._connection.execute(_CLOSE, units).fetchone()
        return found or (0, 0)

    def _last_print(self, symbol: Symbol, instant: int) -> tuple[int, int]:
        for segment in sorted(self._segments.listed("ticks", [symbol], 0, instant), key=lambda s: -s.last):
            for _, array in self._segments.read(segment, [symbol]):
                rows = between(array, 0, instant)
                homes = rows[rows["venue"] == 0]
                if len(homes):
                    return int(homes["price"][-1]), int(homes["received"][-1])
        return 0, 0

    def _window(
        self,
        segments: Iterable[Segment],
        symbols: Sequence[Symbol],
        start: int,
        end: int,
        cache: dict[Segment, list[tuple[Symbol, Array]]],
    ) -> Iterator[tuple[int, Stored]]:
        found: list[tuple[int, int, Stored]] = []
        for segment in segments:
            if segment not in cache:
                cache[segment] = self._segments.read(segment, _of_kind(segment.kind, symbols))
            for symbol, rows in cache[segment]:
                array = between(rows, start, end)
                found.extend(
                    zip(
                        array["received"].tolist(),
                        array["number"].tolist(),
                        _made(segment.kind, symbol, array),
                        strict=True,
                    )
                )
        found.sort(key=itemgetter(0, 1))
        return map(itemgetter(1, 2), found)

    def _newest_books(self, symbol: Symbol, since: int, until: int) -> Array:
        newest = np.empty(0, BOOK)
        for segment in sorted(self._segments.listed("books", [symbol], since, until), key=lambda s: -s.last):
            if len(newest) == len(blocks.VENUES) and segment.last < newest["received"].min():
                break
            parts = [between(rows, since, until) for _, rows in self._segments.read(segment, [symbol])]
            newest = joins.newest(blocks.in_order(np.concatenate([newest, *parts])))
        return newest

    def _use(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._segments = Segments(connection, str(self.path))
        self._readers = 0
        self._began = False


def order_state(place: Path, number: int) -> dict[str, object] | None:
    """The row of one order in the `orders` table, by the number of its intent; None where there is none."""
    with closing(reading(store.market_file(place))) as connection:
        connection.row_factory = sqlite3.Row
        row = connection.execute("SELECT * FROM orders WHERE number = ?", (number,)).fetchone()
        return dict(row) if row else None


def _made(kind: Kind, symbol: Symbol, array: Array) -> Sequence[Stored]:
    if kind == "ticks":
        return blocks.ticks(symbol, array)
    return blocks.books(symbol, array) if kind == "books" else indications.messages(kind, symbol, array)


def _of_kind(kind: Kind, symbols: Sequence[Symbol]) -> Sequence[Symbol]:
    """The codes to look for: an index has none of an issue's."""
    return () if kind == "index_ticks" else symbols


def _has_closed(instant: int) -> bool:
    """Whether that day's trading is over, where the calendar knows the day and it had any."""
    try:
        day = Calendar().day(kst(instant).date())
    except UnknownDayError:
        return True
    return day is None or instant > day.close


def _day(instant: int) -> int:
    return (instant + store.KST_OFFSET) // store.DAY


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
