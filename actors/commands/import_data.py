"""`import FILE... --data DIR`: recordings of other programs into a data folder's market store."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from actors.market.files import imports
from actors.market.files.columns import Unrecognised
from actors.market.files.intake import Taken
from actors.market.files.recordings import Recording, Terms
from actors.market.storage import store
from messages import Market, Record
from runtime.cli import fail, placed
from runtime.clock import WallClock
from runtime.disk.database import Database
from runtime.disk.errors import DatabaseError


class Imported(Record):
    """What became of one file; `refused` says why nothing of it was taken, blank where it was."""

    file: str
    refused: str = ""
    rows: int = 0
    taken: Taken = Taken(ticks=0, books=0, indications=0, bars=0, duplicates=0, conflicts=0)
    rejected: tuple[tuple[str, int], ...] = ()
    """Reason and rows."""
    examples: tuple[str, ...] = ()
    out_of_order: int = 0

    def lines(self) -> list[str]:
        """For people."""
        if self.refused:
            return [f"refused  {self.refused}"]
        taken = self.taken
        others = f", {taken.indications:,} indications" if taken.indications else ""
        counts = f"{taken.ticks:,} ticks, {taken.books:,} books{others}, {taken.bars:,} bars"
        others = {
            "there already": taken.duplicates,
            "in conflict with what is there": taken.conflicts,
            "rejected": sum(count for _, count in self.rejected),
            "out of order": self.out_of_order,
        }
        notes = "".join(f", {count:,} {name}" for name, count in others.items() if count)
        return [f"imported {self.file}: {counts} from {self.rows:,} rows{notes}", *(f"  {e}" for e in self.examples)]


class Report(Record):
    """What became of all files."""

    files: tuple[Imported, ...]

    @property
    def ok(self) -> bool:
        return not any(file.refused for file in self.files)

    def lines(self) -> list[str]:
        return [line for file in self.files for line in file.lines()]


def import_files(files: Sequence[Path], data: Path, terms: Terms, market: Market | None = None) -> Report:
    """Store what the files hold in `data`; each file all or nothing. Raises DatabaseError.

    `market` is noted for every code of the files, for tick sizes and tax in a replay.
    """
    return asyncio.run(_import(files, data, terms, market))


def import_command(
    files: Annotated[list[Path], typer.Argument(help="CSV (plain or .gz), Parquet, or SQLite with a table per code.")],
    *,
    data: Annotated[Path, typer.Option(help="Data folder to import into; made if missing.")],
    symbol: Annotated[str, typer.Option(help="Code, where neither a column nor the file's name has it.")] = "",
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help="FIELD=COLUMN, e.g. close=last; may be repeated.")
    ] = None,
    interval: Annotated[int, typer.Option(min=0, help="Seconds of a bar; 0 finds it.")] = 0,
    market: Annotated[
        Market | None, typer.Option(help="Of all codes of these files; it decides price steps and tax in a replay.")
    ] = None,
) -> None:
    """Import recorded ticks, books and bars; importing twice changes nothing."""
    pairs = [pair.partition("=") for pair in mapping or ()]
    wrong = next((field for field, sign, column in pairs if not (field and sign and column)), None)
    if wrong is not None:
        raise typer.BadParameter(f"{wrong!r} is not FIELD=COLUMN", param_hint="--map")
    terms = Terms(symbol=symbol, mapping={field: column for field, _, column in pairs}, interval=interval)
    try:
        report = import_files(files, data, terms, market)
    except (DatabaseError, OSError) as error:
        fail(placed(data, error))
    for line in report.lines():
        typer.echo(line)
    if not report.ok:
        raise typer.Exit(1)


async def _import(files: Sequence[Path], data: Path, terms: Terms, market: Market | None) -> Report:
    clock, pages = WallClock(), store.PAGE_SIZE
    async with Database(data / store.FILE, migrations=store.MIGRATIONS, page_size=pages, clock=clock) as database:
        done = [await _import_file(database, file, terms, market) for file in files]
    return Report(files=tuple(done))


async def _import_file(database: Database, file: Path, terms: Terms, market: Market | None) -> Imported:
    try:
        loaded = await database.run(imports.load(file, terms))
    except Unrecognised as error:
        return Imported(file=file.name, refused=str(error))
    except OSError as error:
        return Imported(file=file.name, refused=f"{file}: {error.strerror or error}")
    if market is not None:
        rows = [(code, "", market.value) for code in loaded.symbols]
        await database.run(partial(store.write_issues, rows=rows))
    return _imported(file, loaded.recording, loaded.taken)


def _imported(file: Path, recording: Recording, taken: Taken) -> Imported:
    return Imported(
        file=file.name,
        rows=recording.rows,
        taken=msgspec.structs.replace(
            taken,
            duplicates=taken.duplicates + recording.duplicates,
            conflicts=taken.conflicts + recording.conflicts,
        ),
        rejected=tuple(recording.rejected.items()),
        examples=tuple(recording.examples),
        out_of_order=recording.out_of_order,
    )
