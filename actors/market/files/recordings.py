"""Files other programs recorded, as our ticks, books and bars; what makes no sense is counted with its reason."""

import csv
import gzip
import re
import sqlite3
import zlib
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from actors.market.files import columns, layout, parquet, prints
from actors.market.files.columns import Unrecognised
from actors.market.storage.blocks import BAR, Array
from actors.market.time import SECOND
from messages import Symbol

DAY: Final = 86_400
EXAMPLES: Final = 20
_RARE: Final = 10
_CODE_TABLE = re.compile(r"A?[0-9][0-9A-Z]{5}")
_NOTHING: Mapping[str, str] = {}


class Terms(msgspec.Struct, kw_only=True):
    """What the person who brings a file knows about it."""

    symbol: str = ""
    """Where neither a column nor the file's name says it."""
    mapping: dict[str, str] = {}
    """Field > name of its column."""
    interval: int = 0
    """Seconds of a bar; 0 finds the least distance of two bars in the file that is none of a few."""


class Recording(msgspec.Struct, kw_only=True):
    """What one file holds."""

    rows: int = 0
    rejected: Counter[str] = msgspec.field(default_factory=Counter[str])
    """Reason > rows."""
    examples: list[str] = msgspec.field(default_factory=list[str])
    """The first of them, with their row numbers; the header is row 1."""
    out_of_order: int = 0
    """Rows older than the row before them; they were put in order."""
    duplicates: int = 0
    conflicts: int = 0
    """Rows of an instant that is there already with other figures; the first one stays."""
    ticks: dict[Symbol, Array] = msgspec.field(default_factory=dict[Symbol, Array])
    books: dict[Symbol, Array] = msgspec.field(default_factory=dict[Symbol, Array])
    bars: dict[tuple[Symbol, int], Array] = msgspec.field(default_factory=dict[tuple[Symbol, int], Array])
    """By symbol and interval."""
    names: dict[Symbol, str] = msgspec.field(default_factory=dict[Symbol, str])

    def reject(self, row: int, reason: str) -> None:
        self.rejected[reason.split(":", 1)[0]] += 1
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"row {row}: {reason}")


def read(path: Path, terms: Terms) -> Recording:
    """Read one file. Raises Unrecognised, in one line, and OSError."""
    recording = _read(path, terms)
    recording.bars = _measured(recording.bars)
    return recording


def _read(path: Path, terms: Terms) -> Recording:
    with path.open("rb") as file:
        start = file.read(16)
    if start == b"SQLite format 3\0":
        return _read_database(path, terms)
    recording = Recording()
    symbol = terms.symbol or columns.code_in(path.name.split(".", 1)[0]) or ""
    if start.startswith(parquet.MAGIC):
        _read_table(recording, path.name, parquet.names(path), parquet.rows(path), terms=terms, symbol=symbol)
        return recording
    try:
        with closing(lines_of(path)) as lines:
            header = next(lines, list[str]())
            _read_table(recording, path.name, header, lines, terms=terms, symbol=symbol)
    except (csv.Error, EOFError, UnicodeDecodeError, gzip.BadGzipFile, zlib.error) as error:
        raise Unrecognised(f"{path.name}: cannot be read to its end: {error}") from error
    return recording


def lines_of(path: Path) -> Generator[list[str], None, None]:
    """The rows of a CSV, plain or packed."""
    with path.open("rb") as file:
        opened = gzip.open if file.read(2) == b"\x1f\x8b" else open
    with opened(path, "rb") as file:
        encoding = _encoding(file.read(65_536))
    with opened(path, "rt", encoding=encoding, newline="") as file:
        yield from csv.reader(file)


def _encoding(start: bytes) -> str:
    try:
        start[: start.rfind(b"\n") + 1].decode("utf-8")
    except UnicodeDecodeError:
        return "cp949"
    return "utf-8-sig"


def _read_database(path: Path, terms: Terms) -> Recording:
    recording = Recording()
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        try:
            tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            codes = [name for name in tables if _CODE_TABLE.fullmatch(name)]
            if not codes:
                raise Unrecognised(f"{path.name}: no table bears a code; there are {', '.join(tables) or 'none'}")
            if "company_info" in tables:
                _read_names(recording, connection)
            terms = _with_interval(connection, terms)
            for name in codes:
                cursor = connection.execute(f'SELECT * FROM "{name}"')  # noqa: S608
                header = [column[0] for column in cursor.description]
                rows = ([str(cell) for cell in row] for row in cursor)
                _read_table(
                    recording, f"{path.name}, table {name}", header, rows, terms=terms, symbol=columns.code(name)
                )
        except sqlite3.Error as error:
            raise Unrecognised(f"{path.name}: {error}") from error
    return recording


def _with_interval(connection: sqlite3.Connection, terms: Terms) -> Terms:
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if terms.interval or application != layout.APPLICATION:
        return terms
    return msgspec.structs.replace(terms, interval=connection.execute("PRAGMA user_version").fetchone()[0])


def _read_names(recording: Recording, connection: sqlite3.Connection) -> None:
    cursor = connection.execute("SELECT * FROM company_info")
    header = [column[0] for column in cursor.description]
    code = next((n for n, name in enumerate(header) if name in ("st_code", "code", "종목코드")), None)
    title = next((n for n, name in enumerate(header) if name in ("nm_code", "name", "종목명")), None)
    if code is None or title is None:
        raise Unrecognised(f"company_info has neither st_code and nm_code nor code and name, but {', '.join(header)}")
    for place, row in enumerate(cursor, 1):
        try:
            recording.names[columns.code(str(row[code]))] = str(row[title])
        except ValueError as error:
            recording.reject(place, f"company_info: {error}")


def _read_table(
    recording: Recording,
    name: str,
    header: Sequence[str],
    lines: Iterable[list[str]],
    *,
    terms: Terms,
    symbol: str,
) -> None:
    try:
        places = columns.recognise(header, terms.mapping)
        known = columns.code(symbol) if symbol else None
    except ValueError as error:
        raise Unrecognised(f"{name}: {error}") from error
    if known is None and "symbol" not in places:
        raise Unrecognised(f"{name}: neither a column nor the file's name holds one code; say --symbol CODE")
    rows = _Rows(recording, places, known)
    if prints.are_prints(places):
        prints.collect(recording, rows.parsed(lines, prints.cells(places)))
    elif _are_bars(places):
        _collect_bars(recording, rows.parsed(lines, _bar_cells(places)), terms.interval)
    else:
        raise Unrecognised(
            f"{name}: neither ticks (a time, price, cum_volume or size) nor bars (date, open, high, low, close, "
            f"volume); its columns are {', '.join(header)[:200] or 'none'}; name them with --map FIELD=COLUMN",
        )


class _Rows:
    """Cells of each line as numbers, by field; a line that cannot be read is rejected."""

    def __init__(self, recording: Recording, places: Mapping[str, int], symbol: Symbol | None) -> None:
        self._recording = recording
        self._places = places
        self._symbol = symbol

    def parsed(
        self, lines: Iterable[list[str]], fields: Mapping[str, int]
    ) -> Iterator[tuple[int, Symbol, int, dict[str, int]]]:
        """Row number, code, instant and figures. `fields` gives the least value each may have."""
        for row, line in enumerate(lines, 2):
            if not line:
                continue
            self._recording.rows += 1
            try:
                yield row, self._code(line), self._instant(line), self._figures(line, fields)
            except IndexError:
                self._recording.reject(row, f"too few cells: {len(line)}")
            except ValueError as error:
                self._recording.reject(row, f"{error}")

    def _code(self, line: list[str]) -> Symbol:
        place = self._places.get("symbol")
        if place is None:
            assert self._symbol is not None
            return self._symbol
        return columns.code(line[place])

    def _instant(self, line: list[str]) -> int:
        places = self._places
        if "received" in places:
            return columns.instant(line[places["received"]])
        if "date" in places and "time" in places:
            return columns.moment(line[places["date"]], line[places["time"]])
        return columns.instant(line[places["date" if "date" in places else "time"]])

    def _figures(self, line: list[str], fields: Mapping[str, int]) -> dict[str, int]:
        figures: dict[str, int] = {}
        for field, least in fields.items():
            value = columns.number(line[self._places[field]])
            figures[field] = abs(value) if field != "size" else value
            if figures[field] < least:
                raise ValueError(f"{field} below {least}: {value}")
        return figures


def _are_bars(places: Mapping[str, int]) -> bool:
    prices = ("open", "high", "low", "volume")
    return all(field in places for field in prices) and bool({"close", "price"} & {*places}) and prints.has_time(places)


def _bar_cells(places: Mapping[str, int]) -> dict[str, int]:
    close = "close" if "close" in places else "price"
    least = {"open": 1, "high": 1, "low": 1, close: 1, "volume": 1}
    return least | ({"value": 0} if "value" in places else {})


def _collect_bars(
    recording: Recording,
    rows: Iterable[tuple[int, Symbol, int, dict[str, int]]],
    interval: int,
) -> None:
    found: dict[Symbol, list[tuple[int, ...]]] = {}
    for row, symbol, time, figures in rows:
        opened, high, low, close, volume, *value = figures.values()
        if not low <= min(opened, close) <= max(opened, close) <= high:
            recording.reject(row, f"not between low and high: {opened} {high} {low} {close}")
            continue
        found.setdefault(symbol, []).append((time, opened, high, low, close, volume, *(value or (0,)), 0, 0, 0))
    for symbol, bars in found.items():
        recording.bars[symbol, interval] = _bars_in_order(recording, bars)


def _bars_in_order(recording: Recording, bars: list[tuple[Any, ...]]) -> Array:
    falling = sum(later[0] < earlier[0] for earlier, later in pairwise(bars))
    if falling > len(bars) // 2:
        bars.reverse()
        falling = sum(later[0] < earlier[0] for earlier, later in pairwise(bars))
    recording.out_of_order += falling
    first: dict[int, tuple[Any, ...]] = {}
    for bar in bars:
        known = first.setdefault(bar[0], bar)
        if known is not bar:
            recording.duplicates += known == bar
            recording.conflicts += known != bar
    return np.array(sorted(first.values()), BAR)


def _measured(bars: Mapping[tuple[Symbol, int], Array]) -> dict[tuple[Symbol, int], Array]:
    """All of a file are of one length, but for those of days: a code that trades seldom does not show it alone."""
    unknown = {symbol: array for (symbol, interval), array in bars.items() if not interval}
    days = {symbol: DAY for symbol, array in unknown.items() if _are_days(array)}
    steps = [np.diff(array["time"]) for symbol, array in unknown.items() if _shows(symbol, array, days)]
    shortest = max(_step(np.concatenate(steps)) // SECOND, 1) if steps else 60
    return {(symbol, interval or days.get(symbol, shortest)): array for (symbol, interval), array in bars.items()}


def _step(distances: Array) -> int:
    """The shortest that is not ten times as rare as the commonest: rows with a wrong time make shorter ones."""
    lengths, counts = np.unique(distances, return_counts=True)
    return int(lengths[counts * _RARE > counts.max()][0])


def _shows(symbol: Symbol, bars: Array, days: Mapping[Symbol, int]) -> bool:
    return symbol not in days and len(bars) > 1


def _are_days(bars: Array) -> bool:
    return not ((bars["time"] // SECOND + 9 * 3_600) % DAY).any()
