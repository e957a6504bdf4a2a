"""Files into a market store: what an export wrote comes back as it was, what others recorded as it is read."""

import csv
import gzip
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from actors.market.files import intake, layout, parquet, recordings
from actors.market.files.columns import Unrecognised
from actors.market.files.intake import Taken
from actors.market.files.layout import Kind, Stretch
from actors.market.files.recordings import Recording, Terms
from messages import Symbol

_TOGETHER: Final = 32_768
"""Rows of a CSV that are read at once."""
_UNREADABLE: Final = (csv.Error, EOFError, UnicodeDecodeError, gzip.BadGzipFile, zlib.error)


class Loaded(NamedTuple):
    """What a file held and what of it was new."""

    recording: Recording
    """Of what an export wrote only its number of rows."""
    taken: Taken
    symbols: tuple[Symbol, ...]


def load(path: Path, terms: Terms) -> Callable[[sqlite3.Connection], Loaded]:
    """How to store a file, in one transaction of the caller.

    Raises Unrecognised, in one line, and OSError: now, or when that is done.
    """
    kind = None if terms.mapping else _exported(path)
    if kind is not None:
        return partial(_load_exported, path, kind)
    return partial(_load_recording, recordings.read(path, terms))


def _load_recording(recording: Recording, connection: sqlite3.Connection) -> Loaded:
    codes = (*recording.ticks, *recording.books, *(symbol for symbol, _ in recording.bars))
    return Loaded(recording, intake.take(connection, recording), tuple(dict.fromkeys(codes)))


def _load_exported(path: Path, kind: Kind, connection: sqlite3.Connection) -> Loaded:
    recording, codes = Recording(), dict[Symbol, None]()

    def counted() -> Iterator[Stretch]:
        for stretch in _stretches(path, kind):
            recording.rows += len(stretch.rows)
            codes[stretch.symbol] = None
            yield stretch

    return Loaded(recording, intake.take_stretches(connection, _parted(counted())), tuple(codes))


def _exported(path: Path) -> Kind | None:
    if _is_parquet(path):
        return layout.kind_of(parquet.names(path))
    try:
        with closing(recordings.lines_of(path)) as lines:
            return layout.kind_of(next(lines, list[str]()))
    except _UNREADABLE:
        return None


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(parquet.MAGIC)) == parquet.MAGIC


def _stretches(path: Path, kind: Kind) -> Iterator[Stretch]:
    first = 1
    for table in parquet.tables(path) if _is_parquet(path) else _tables(path):
        count = len(table["symbol"])
        try:
            yield from layout.stretches(kind, table)
        except (ValueError, OverflowError, TypeError) as error:
            raise Unrecognised(f"{path.name}: among rows {first:,} to {first + count - 1:,}: {error}") from error
        first += count


def _tables(path: Path) -> Iterator[dict[str, Sequence[Any]]]:
    first = 1
    try:
        with closing(recordings.lines_of(path)) as lines:
            header = next(lines)
            while rows := list(islice(lines, _TOGETHER)):
                odd = next((place for place, row in enumerate(rows) if len(row) != len(header)), None)
                if odd is not None:
                    raise Unrecognised(
                        f"{path.name}: row {first + odd:,} has {len(rows[odd])} cells, not {len(header)}"
                    )
                yield dict(zip(header, zip(*rows, strict=True), strict=True))
                first += len(rows)
    except _UNREADABLE as error:
        raise Unrecognised(f"{path.name}: cannot be read to its end: {error}") from error


def _parted(stretches: Iterator[Stretch]) -> Iterator[Stretch]:
    """The same rows, those of one code with one `received` together."""
    held: Stretch | None = None
    for stretch in stretches:
        following = stretch
        if held is not None and held.kind != "bars" and held[:2] == stretch[:2]:
            last = held.rows["received"] == held.rows["received"][-1]
            following = stretch._replace(rows=np.concatenate([held.rows[last], stretch.rows]))
            held = held._replace(rows=held.rows[~last])
        if held is not None:
            yield held
        held = following
    if held is not None:
        yield held
