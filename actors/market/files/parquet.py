"""Parquet by pyarrow, which only those who use it need to have: tables to a file, and a file to columns."""

import importlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, Self

from actors.market.files import layout
from actors.market.files.columns import Unrecognised
from actors.market.files.layout import COLUMNS, TEXT, WHEN, Kind, Stretch

MAGIC: Final = b"PAR1"
_GROUP: Final = 65_536
"""Rows of a row group."""
_KST: Final = "+09:00"


class NoPyarrow(Unrecognised):
    """Parquet is asked for and pyarrow is not installed."""


class ParquetFile:
    """Writes stretches of one kind; a context manager. Raises NoPyarrow and OSError."""

    def __init__(self, path: Path, kind: Kind) -> None:
        self._arrow = _library("pyarrow")
        self._columns = COLUMNS[kind]
        self._schema = self._arrow.schema([(name, _type(self._arrow, name)) for name in self._columns])
        self._writer = _library("pyarrow.parquet").ParquetWriter(str(path), self._schema, compression="zstd")
        self._waiting: list[Any] = []
        self._rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: object, *_: object) -> None:
        with closing(self._writer):
            if failure is None:
                self._write()

    def take(self, stretch: Stretch) -> None:
        """Add its rows."""
        columns = layout.table(stretch)
        arrays = [self._arrow.array(columns[name], _type(self._arrow, name)) for name in self._columns]
        self._waiting.append(self._arrow.Table.from_arrays(arrays, schema=self._schema))
        self._rows += len(stretch.rows)
        if self._rows >= _GROUP:
            self._write()

    def _write(self) -> None:
        if self._waiting:
            self._writer.write_table(self._arrow.concat_tables(self._waiting))
            self._waiting.clear()
            self._rows = 0


def names(path: Path) -> list[str]:
    """The columns of a file. Raises Unrecognised and OSError."""
    return list(_open(path).schema_arrow.names)


def tables(path: Path) -> Iterator[dict[str, Sequence[Any]]]:
    """What ParquetFile wrote, some thousand rows after another: columns as `layout.table` has them.

    Raises Unrecognised and OSError.
    """
    arrow = _library("pyarrow")
    for batch in _batches(path):
        with _complaining(path):
            named = zip(batch.schema.names, batch.columns, strict=True)
            table = {name: _values(arrow, name, column) for name, column in named}
        yield table


def rows(path: Path) -> Iterator[list[str]]:
    """The rows of a file as text, blank where there is nothing. Raises Unrecognised and OSError."""
    arrow = _library("pyarrow")
    for batch in _batches(path):
        columns = [
            column.cast(arrow.timestamp("us", tz=column.type.tz), safe=False).to_pylist()
            if arrow.types.is_timestamp(column.type)
            else column.to_pylist()
            for column in batch.columns
        ]
        yield from (["" if cell is None else str(cell) for cell in row] for row in zip(*columns, strict=True))


def _batches(path: Path) -> Iterator[Any]:
    opened = _open(path)
    with _complaining(path):
        yield from opened.iter_batches(_GROUP)


def _open(path: Path) -> Any:
    library = _library("pyarrow.parquet")
    with _complaining(path):
        return library.ParquetFile(str(path), pre_buffer=False)


def _type(arrow: Any, name: str) -> Any:
    if name in TEXT:
        return arrow.string()
    if name in WHEN:
        return arrow.timestamp("ns", tz=_KST)
    return arrow.float64() if name == "strength" else arrow.int64()


def _values(arrow: Any, name: str, column: Any) -> Sequence[Any]:
    if column.null_count:
        raise arrow.ArrowInvalid(f"{column.null_count:,} cells of {name} are empty")
    plain = column.cast(_type(arrow, name))
    if name in TEXT:
        return plain.to_pylist()
    return (plain.cast(arrow.int64()) if name in WHEN else plain).to_numpy(zero_copy_only=False)


@contextmanager
def _complaining(path: Path) -> Generator[None, None, None]:
    """A damaged file is an OSError too, without a number of the system's."""
    try:
        yield
    except (_library("pyarrow").ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise Unrecognised(f"{path.name}: cannot be read to its end: {str(error).splitlines()[0]}") from error


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise NoPyarrow("Parquet needs pyarrow: pip install kiwoom-actors[parquet]") from error
