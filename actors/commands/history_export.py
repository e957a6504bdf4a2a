"""`history export DIR --to FILE|FOLDER`: what is stored, into CSV, Parquet or SQLite files."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import msgspec
import typer

from actors.market.files import columns, exports
from actors.market.files.exports import Form, Saved, Wanted
from actors.market.files.parquet import NoPyarrow
from actors.market.storage.history import EVER, Content, History
from actors.market.time import at
from messages import Symbol, Venue
from runtime.cli import fail, placed
from runtime.disk import folders
from runtime.disk.errors import UNREADABLE, DatabaseError
from runtime.life.exits import BAD_CONFIG

_DAY: Final = dt.timedelta(days=1)
_INDEX: Final = 3
"""Digits."""
_DATE: Final = "%Y-%m-%d"
_FOLDER: Final = "FILE|FOLDER"
_DAY_NAME: Final = "YYYY-MM-DD"


class Kinds(StrEnum):
    """What may be exported."""

    TICKS = "ticks"
    BOOKS = "books"
    BARS = "bars"
    EXPECTED_PRICES = "expected_prices"
    BEST_QUOTES = "best_quotes"
    AFTER_HOURS_BOOKS = "after_hours_books"
    INDEX_TICKS = "index_ticks"


class _Asked(NamedTuple):
    symbols: Sequence[Symbol]
    kinds: Sequence[str]
    intervals: Sequence[int]
    since: int
    until: int


class _Job(NamedTuple):
    wanted: Wanted
    file: Path
    form: Form


def export_command(
    place: Annotated[Path, typer.Argument(metavar="DIR", help="Data folder, or a market.sqlite.")],
    *,
    to: Annotated[
        Path,
        typer.Option(
            metavar=_FOLDER, help="A name in .csv, .csv.gz, .parquet or .sqlite is a file, any other a folder."
        ),
    ],
    form: Annotated[Form | None, typer.Option("--format", help="Of the files in a folder; csv unless said.")] = None,
    symbol: Annotated[
        list[str] | None, typer.Option(metavar="CODE", help="Only this issue or index; may be repeated.")
    ] = None,
    kind: Annotated[list[Kinds] | None, typer.Option(help="Only these; may be repeated.")] = None,
    interval: Annotated[list[int] | None, typer.Option(min=1, help="Bars of so many seconds; may be repeated.")] = None,
    since: Annotated[
        dt.datetime | None, typer.Option(formats=[_DATE], metavar=_DAY_NAME, help="First day, in Korea.")
    ] = None,
    until: Annotated[
        dt.datetime | None, typer.Option(formats=[_DATE], metavar=_DAY_NAME, help="Last day, in Korea.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
) -> None:
    """Write what is stored into files for other programs; `import` reads them back."""
    bounds = (at(since.date()) if since else 0, at(until.date() + _DAY) if until else EVER)
    if bounds[0] >= bounds[1]:
        fail("--since lies after --until", BAD_CONFIG)
    asked = _Asked([_code(text) for text in symbol or ()], [*(kind or ())], interval or (), *bounds)
    chosen = _form(to, form)
    try:
        with History(folders.current(place)) as history, history.snapshot():
            jobs = list(_jobs(_wanted(place, history, asked), to, chosen))
            _refuse_existing(jobs, history.path, force=force)
            saved = [exports.save(history, *job) for job in jobs]
    except NoPyarrow as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or to}: {error.strerror or error}")
    except (DatabaseError, *UNREADABLE) as error:
        fail(placed(place, error))
    _report(saved, place)


def _wanted(place: Path, history: History, asked: _Asked) -> list[Wanted]:
    there = history.contents()
    for symbol in asked.symbols:
        if not any(content.symbol == symbol for content in there):
            fail(f"{place}: nothing is stored of {symbol}; `history list` shows what is")
    found = list(exports.wanted([c for c in there if _is_asked(c, asked)], asked.since, asked.until))
    if not found:
        fail(f"{place}: nothing of that is stored; `history list` shows what is")
    return found


def _is_asked(content: Content, asked: _Asked) -> bool:
    if asked.symbols and content.symbol not in asked.symbols:
        return False
    if asked.kinds and content.kind not in asked.kinds:
        return False
    return content.kind != Kinds.BARS or not asked.intervals or content.interval in asked.intervals


def _jobs(wanted: Sequence[Wanted], to: Path, form: Form) -> Iterator[_Job]:
    parts = list(_tables(wanted)) if form is Form.SQLITE else [(one, one.kind) for one in wanted]
    if not _is_file(to):
        for one, name in parts:
            yield _Job(one, to / f"{name}.{form}", form)
    elif len(parts) == 1:
        yield _Job(parts[0][0], to, form)
    else:
        names = ", ".join(name for _, name in parts)
        fail(f"{to}: one file holds one of {names}; say --kind or --interval, or name a folder", BAD_CONFIG)


def _tables(wanted: Iterable[Wanted]) -> Iterator[tuple[Wanted, str]]:
    """A file with a table per code has no column for a length or a venue."""
    bars = [one for one in wanted if one.kind == "bars"]
    if not bars:
        fail("a SQLite file with a table per code holds bars only, and none are among that", BAD_CONFIG)
    for one in bars:
        for interval in one.intervals:
            yield (
                msgspec.structs.replace(one, intervals=(interval,), venues=(Venue.KRX,)),
                f"{one.kind}_{interval}",
            )


def _form(to: Path, form: Form | None) -> Form:
    own = next((one for one in Form if to.name.endswith(f".{one}")), None)
    if not _is_file(to):
        if to.is_file():
            fail(f"{to}: a file's name ends in {', '.join(f'.{one}' for one in Form)}", BAD_CONFIG)
        return form or Form.CSV
    assert own is not None
    if form not in (None, own):
        fail(f"{to}: that name is for {own}, not for --format {form}", BAD_CONFIG)
    return own


def _is_file(to: Path) -> bool:
    return not to.is_dir() and any(to.name.endswith(f".{form}") for form in Form)


def _refuse_existing(jobs: Iterable[_Job], source: Path, *, force: bool) -> None:
    for job in jobs:
        if job.file.exists() and job.file.samefile(source):
            fail(f"{job.file}: that is what is exported", BAD_CONFIG)
        if job.file.exists() and not force:
            fail(f"{job.file}: there already; --force replaces it")
        job.file.parent.mkdir(parents=True, exist_ok=True)


def _code(text: str) -> Symbol:
    try:
        return columns.index(text) if len(text.strip()) == _INDEX else columns.code(text)
    except ValueError as error:
        fail(f"--symbol: {error}", BAD_CONFIG)


def _report(saved: Sequence[Saved], place: Path) -> None:
    for one in saved:
        if one.rows:
            codes = f"{one.symbols:,} code{'s' if one.symbols > 1 else ''}"
            typer.echo(f"exported {one.file}: {one.rows:,} {one.kind.replace('_', ' ')} of {codes}")
    if not any(one.rows for one in saved):
        fail(f"{place}: nothing of that is stored between these days")
