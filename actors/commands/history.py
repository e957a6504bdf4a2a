"""`history list DIR`, `verify DIR` and `export DIR`: what is stored, the proof of it, and copies for others."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Final

import typer

from actors.commands.history_export import export_command
from actors.commands.history_prune import prune_command
from actors.market.calendar import Calendar
from actors.market.charts import collection
from actors.market.charts.certificate import Certificate, Chart
from actors.market.charts.collected import length
from actors.market.storage import store
from actors.market.storage.history import Content, History
from actors.market.storage.segments import Segments
from actors.market.time import kst
from messages import Record
from runtime.cli import fail, placed
from runtime.disk import folders
from runtime.disk.errors import UNREADABLE, DatabaseError
from runtime.disk.reading import reading

history: Final = typer.Typer(help="What is stored, whether its certificates hold, and copies.", no_args_is_help=True)
history.command("export")(export_command)
history.command("prune")(prune_command)
_Place = Annotated[Path, typer.Argument(metavar="DIR", help="Data folder, or a market.sqlite.")]


class Verdict(Record):
    """What became of the certificates of a store."""

    certificates: int
    charts: int
    failures: tuple[str, ...]
    """A line each."""

    @property
    def holds(self) -> bool:
        return not self.failures


def verify(place: Path) -> Verdict:
    """Prove every certificate again from the stored bars. Raises DatabaseBroken."""
    with closing(reading(store.market_file(place))) as connection:
        Segments(connection, str(store.market_file(place))).check()
        charts = collection.charts(connection)
        count = sum(len(collection.certificates(connection, chart)) for chart in charts)
        failures = tuple(line for chart in charts for line in _failures(connection, Calendar(), chart))
    return Verdict(certificates=count, charts=len(charts), failures=failures)


@history.command("verify")
def verify_command(place: _Place) -> None:
    """Prove every certificate again from the stored bars; exit 0 only if all of them hold."""
    try:
        verdict = verify(folders.current(place))
    except (DatabaseError, *UNREADABLE) as error:
        fail(placed(place, error))
    for line in verdict.failures:
        typer.echo(line)
    if not verdict.certificates:
        fail(f"{place}: nothing is certified there; a collector's charts are, see examples/collect.toml")
    if verdict.failures:
        fail(f"{len(verdict.failures):,} failures among {verdict.certificates:,} certificates")
    typer.echo(f"{verdict.certificates:,} certificates of {verdict.charts:,} charts hold")


@history.command("list")
def list_command(place: _Place) -> None:
    """Show what there is of each code: charts by their certificates, all else by its rows."""
    try:
        with History(folders.current(place)) as stored:
            lines = list(_lines(stored))
    except (DatabaseError, *UNREADABLE) as error:
        fail(placed(place, error))
    for line in lines or ["nothing is stored there"]:
        typer.echo(line)


def _lines(stored: History) -> Iterator[str]:
    charts, names = stored.charts(), {code: name for code, (name, _) in stored.issues().items()}
    others = [c for c in stored.contents() if c.kind != "bars" or (c.symbol, c.interval) not in charts]
    width = max((6, *(len(_what(content)) for content in others)))
    for chart in charts:
        yield _line(chart, stored.certificates(*chart), names.get(chart.symbol, ""), width)
    for content in others:
        yield _rows(content, names.get(content.symbol, ""), width)


def _failures(connection: sqlite3.Connection, calendar: Calendar, chart: Chart) -> Iterator[str]:
    known = collection.certificates(connection, chart)
    proven = {made.day: made for made in collection.derive_all(connection, calendar, chart)}
    title = f"{chart.symbol} {length(chart.interval)}"
    for day in sorted({*known, *proven}):
        if day not in known:
            yield f"{title} {day}: collected, but without a certificate"
        elif known[day] != proven.get(day):
            yield f"{title} {day}: {_difference(known[day], proven.get(day))}"


def _difference(said: Certificate, found: Certificate | None) -> str:
    if found is None:
        return f"certified with {said.present:,} bars; no page covers that day, or it is no trading day any more"
    names = ("expected", "present", "idle", "missing", "extra")
    wrong = [(name, getattr(said, name), getattr(found, name)) for name in names]
    counts = ", ".join(f"{name} {now:,} instead of {before:,}" for name, before, now in wrong if before != now)
    if counts:
        return f"{counts}: bars were taken away or added since"
    return f"its {found.present:,} bars are not those that were certified: {found.digest[:12]}, not {said.digest[:12]}"


def _line(chart: Chart, known: Sequence[Certificate], name: str, width: int) -> str:
    title = f"{chart.symbol} {length(chart.interval):>{width}}"
    if not known:
        return f"{title}  nothing  {name}".rstrip()
    sums = {field: sum(getattr(one, field) for one in known) for field in ("present", "idle", "missing", "expected")}
    counts = f"{sums['present']:>9,} bars, {sums['idle']:,} without trades, {sums['missing']:,} missing"
    return f"{title}  {known[0].day} - {known[-1].day}  {len(known):>5,} days  {counts}  {name}".rstrip()


def _rows(content: Content, name: str, width: int) -> str:
    note = ", not certified" if content.kind == "bars" else ""
    days = f"{kst(content.first).date()} - {kst(content.last).date()}"
    title = f"{content.symbol} {_what(content):>{width}}"
    return f"{title}  {days}  {content.count:>9,} {_words(content)}{note}  {name}".rstrip()


def _what(content: Content) -> str:
    return length(content.interval) if content.kind == "bars" else _words(content)


def _words(content: Content) -> str:
    return content.kind.replace("_", " ")
