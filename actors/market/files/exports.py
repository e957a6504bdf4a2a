"""What is stored, into files that other programs read: CSV, Parquet, and SQLite with a table per code."""

import csv
import errno
import gzip
import io
import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Protocol, Self

import numpy as np

from actors.market.charts.certificate import DAILY
from actors.market.files import layout
from actors.market.files.layout import APPLICATION, COLUMNS, Kind, Stretch
from actors.market.files.parquet import ParquetFile
from actors.market.storage.blocks import VENUES
from actors.market.storage.history import EVER, Content, History
from actors.market.time import kst
from messages import Record, Symbol, Venue


class Form(StrEnum):
    """How a file is written; the value ends its name."""

    CSV = "csv"
    CSV_GZ = "csv.gz"
    PARQUET = "parquet"
    SQLITE = "sqlite"


class Wanted(Record):
    """Rows of one kind; ranges are [since, until) in nanoseconds."""

    kind: Kind
    symbols: tuple[Symbol, ...]
    intervals: tuple[int, ...] = ()
    """Of bars, in seconds."""
    venues: tuple[Venue, ...] = VENUES
    """Of bars."""
    since: int = 0
    until: int = EVER


class Saved(Record):
    """What came into a file."""

    file: Path
    kind: Kind
    rows: int
    symbols: int


_COMPANIES: Final = "CREATE TABLE company_info (st_code TEXT PRIMARY KEY, nm_code TEXT, last_update TEXT)"
_SEED: tuple[str, ...] = ("time", "open", "high", "low", "close", "volume")


class _Target(Protocol):
    def take(self, stretch: Stretch) -> None:
        """Add its rows."""
        ...


def stretches(history: History, wanted: Wanted) -> Iterator[Stretch]:
    """What is wanted, code by code, some thousands of rows at a time."""
    for symbol in wanted.symbols:
        if wanted.kind == "bars":
            yield from _bars(history, wanted, symbol)
        else:
            read = history.stream(wanted.kind, symbol, wanted.since, wanted.until)
            yield from (Stretch(wanted.kind, symbol, rows) for rows in read)


def wanted(contents: Sequence[Content], since: int, until: int) -> Iterator[Wanted]:
    """Everything of these contents that may lie in a range, a kind each."""
    for kind in COLUMNS:
        there = [c for c in contents if c.kind == kind and c.first < until and c.last >= since]
        if there:
            symbols = tuple(dict.fromkeys(content.symbol for content in there))
            intervals = tuple(sorted({content.interval for content in there}))
            yield Wanted(kind=kind, symbols=symbols, intervals=intervals, since=since, until=until)


def save(history: History, wanted: Wanted, file: Path, form: Form) -> Saved:
    """Write a file whole: under another name first, so that a kill leaves none of that name. No rows, no file.

    Raises NoPyarrow, OSError, and what reading raises.
    """
    young = file.with_name(f"{file.name}.new")
    rows, codes = 0, dict[Symbol, None]()
    try:
        young.unlink(missing_ok=True)
        with _opened(young, form, wanted, history) as target:
            for stretch in stretches(history, wanted):
                target.take(stretch)
                rows += len(stretch.rows)
                codes[stretch.symbol] = None
        if rows:
            young.replace(file)
    finally:
        young.unlink(missing_ok=True)
    return Saved(file=file, kind=wanted.kind, rows=rows, symbols=len(codes))


class CsvFile:
    """Writes stretches of one kind as CSV, compressed where the form says so; a context manager."""

    def __init__(self, path: Path, kind: Kind, *, packed: bool) -> None:
        self._kind: Kind = kind
        self._raw = path.open("wb")
        self._packed = gzip.GzipFile("", "wb", 6, self._raw, mtime=0) if packed else None
        self._text = io.TextIOWrapper(self._packed or self._raw, "ascii", newline="")
        self._rows = csv.writer(self._text, lineterminator="\n")
        self._rows.writerow(COLUMNS[kind])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with closing(self._raw):
            self._text.close()

    def take(self, stretch: Stretch) -> None:
        """Add its rows."""
        columns = layout.table(stretch)
        if stretch.kind == "bars":
            columns["time"] = [_stamp(time) for time in stretch.rows["time"].tolist()]
        self._rows.writerows(zip(*(_plain(columns[name]) for name in COLUMNS[self._kind]), strict=True))


class SeedFile:
    """Writes bars of one length as SQLite: a table per code, and `company_info`; a context manager.

    Its tables are date, open, high, low, close, volume; a date is yyyymmddHHMMSS, of a day's bar yyyymmdd.
    """

    def __init__(self, path: Path, interval: int, names: Mapping[Symbol, str]) -> None:
        self._path = path
        self._digits = 8 if interval == DAILY else 14
        self._names = names
        with self._complaining():
            self._connection = sqlite3.connect(path, isolation_level=None)
        self._interval = interval

    def __enter__(self) -> Self:
        try:
            self._begin()
        except OSError:
            self._connection.close()
            raise
        return self

    def __exit__(self, failure: object, *_: object) -> None:
        with closing(self._connection), self._complaining():
            if failure is None:
                self._connection.execute("COMMIT")

    def take(self, stretch: Stretch) -> None:
        """Add its rows."""
        table = '"' + stretch.symbol.replace('"', '""') + '"'
        rows: list[tuple[int, ...]] = stretch.rows[[*_SEED]].tolist()
        bars = [(_stamp(time)[: self._digits], *figures) for time, *figures in rows]
        columns = ", ".join(f"{name} INTEGER" for name in _SEED[1:])
        newest = (stretch.symbol, self._names.get(stretch.symbol, ""), bars[-1][0])
        with self._complaining():
            self._connection.execute(f"CREATE TABLE IF NOT EXISTS {table} (date TEXT PRIMARY KEY, {columns})")
            self._connection.executemany(f"INSERT INTO {table} VALUES (?,?,?,?,?,?)", bars)  # noqa: S608
            self._connection.execute("INSERT OR REPLACE INTO company_info VALUES (?,?,?)", newest)

    def _begin(self) -> None:
        with self._complaining():
            for statement in ("journal_mode = OFF", "synchronous = OFF", f"application_id = {APPLICATION}"):
                self._connection.execute(f"PRAGMA {statement}")
            self._connection.execute(f"PRAGMA user_version = {self._interval}")
            self._connection.execute("BEGIN")
            self._connection.execute(_COMPANIES)

    @contextmanager
    def _complaining(self) -> Generator[None, None, None]:
        try:
            yield
        except sqlite3.Error as error:
            raise OSError(errno.EIO, str(error), str(self._path)) from error


def _opened(path: Path, form: Form, wanted: Wanted, history: History) -> AbstractContextManager[_Target]:
    if form is Form.PARQUET:
        return ParquetFile(path, wanted.kind)
    if form is Form.SQLITE:
        (interval,) = wanted.intervals
        return SeedFile(path, interval, {symbol: name for symbol, (name, _) in history.issues().items()})
    return CsvFile(path, wanted.kind, packed=form is Form.CSV_GZ)


def _bars(history: History, wanted: Wanted, symbol: Symbol) -> Iterator[Stretch]:
    for interval in wanted.intervals:
        for venue in wanted.venues:
            place = VENUES.index(venue)
            for rows in history.stream_bars(symbol, interval, wanted.since, wanted.until, venue):
                yield Stretch("bars", symbol, rows, interval, place)


def _stamp(instant: int) -> str:
    return kst(instant).strftime("%Y%m%d%H%M%S")


def _plain(column: Sequence[Any] | np.ndarray[Any, Any]) -> Sequence[Any]:
    return column.tolist() if isinstance(column, np.ndarray) else column
