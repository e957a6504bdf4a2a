"""What was collected of a chart: pages compared with what is stored, the time they prove, and what does not agree.

Everything here happens in the caller's transaction: a page is stored whole, with its proof and its certificates.
"""

import datetime as dt
import sqlite3
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from actors.market.calendar import Calendar
from actors.market.charts import certificate
from actors.market.charts.certificate import DAILY, Certificate, Chart, Row, dates_of, day_span
from actors.market.charts.comparison import (
    ADJUSTED,
    UNPROVEN,
    Adjusted,
    Compared,
    Proof,
    adjustment,
    compare,
    differs,
    unique,
)
from actors.market.charts.paging import PAGE_ROWS
from actors.market.charts.seams import seam
from actors.market.charts.spans import Span, clipped, holds, merged, without
from actors.market.time import kst
from messages import Bar, Record, Symbol

EVER: Final = 1 << 62
READS: Final = 2
"""How often a stretch that cannot be read is asked for."""

_SATURDAY: Final = 5
_ONE_DAY: Final = dt.timedelta(days=1)
_TOGETHER: Final = 100
"""Days whose bars are read at once."""

_ROW = "SELECT time, open, high, low, close, volume, value FROM bars WHERE interval=? AND symbol=? AND venue=0"
_BAR = "INSERT OR REPLACE INTO bars VALUES (?,0,?,?,?,?,?,?,?,?,0,0,0)"
_DELETE = "DELETE FROM bars WHERE interval=? AND symbol=? AND venue=0"
_PAGE = "INSERT INTO pages VALUES (NULL,?,?,?,?,?,?,?,?,?,?,?)"
_ASIDE = "INSERT OR IGNORE INTO set_aside VALUES (?,?,?,?,?,?,?,?,?,?,?)"
_CERTIFICATE = "INSERT INTO certificates VALUES (?,?,?,?,?,?,?,?,?)"
_FORGET = "DELETE FROM certificates WHERE interval=? AND symbol=? AND day>=? AND day<=?"
_AGAIN = "DELETE FROM holes WHERE interval=? AND symbol=? AND since=? AND until=?"
_HOLE = """INSERT INTO holes VALUES (?,?,?,?,1) ON CONFLICT DO UPDATE SET reads = reads + 1"""


class Goal(NamedTuple):
    """From when on a chart is wanted, and from when on the broker offers it; 0 where neither is known."""

    since: int
    offered: int


class Taken(Record):
    """What became of a page."""

    fresh: int = 0
    alike: int = 0
    """Bars that were stored already, the same in every figure."""
    replaced: int = 0
    """Bars that no page had proven and that gave way."""
    conflicts: tuple[int, ...] = ()
    """Times of bars on which two pages disagree; what was stored first stays."""
    factor: float = 1.0
    """By which older prices were adjusted since they were stored; they are set aside and wanted anew."""
    mistrusted: bool = False
    """Prices of another adjustment, as a page from an older date has them: nothing of it was stored."""


def goal(connection: sqlite3.Connection, chart: Chart) -> Goal | None:
    """None where it was never wanted."""
    query = "SELECT since, offered FROM goals WHERE interval=? AND symbol=?"
    found = connection.execute(query, (chart.interval, chart.symbol)).fetchone()
    return Goal(*found) if found else None


def want(connection: sqlite3.Connection, chart: Chart, since: int | None) -> Goal:
    """Remember from when on a chart is wanted, the earliest of all times it was asked; None: from as before."""
    known = goal(connection, chart)
    asked = [instant for instant in (since, known.since if known else None) if instant is not None]
    wanted = Goal(min(asked, default=0), known.offered if known else 0)
    if wanted != known:
        connection.execute("INSERT OR REPLACE INTO goals VALUES (?,?,?,?)", (chart.interval, chart.symbol, *wanted))
    return wanted


def spans(connection: sqlite3.Connection, chart: Chart) -> list[Span]:
    """The time that stored pages prove, oldest first."""
    query = "SELECT since, until FROM spans WHERE interval=? AND symbol=? ORDER BY since"
    return [Span(*row) for row in connection.execute(query, (chart.interval, chart.symbol))]


def gaps(connection: sqlite3.Connection, calendar: Calendar, chart: Chart, wanted: Span) -> list[Span]:
    """What is wanted, offered and not proven, oldest first; stretches without trading hours are none."""
    known = goal(connection, chart) or Goal(0, 0)
    query = "SELECT since, until FROM holes WHERE interval=? AND symbol=? AND reads>=?"
    dead = [Span(*row) for row in connection.execute(query, (chart.interval, chart.symbol, READS))]
    reach = Span(max(wanted.since, known.offered), wanted.until)
    return [gap for gap in without(reach, [*spans(connection, chart), *dead]) if _trades(calendar, gap, chart)]


def take(  # noqa: PLR0917 - where, what, and when
    connection: sqlite3.Connection,
    calendar: Calendar,
    chart: Chart,
    bars: Sequence[Bar],
    proof: Proof,
    wanted: Span,
    now: int,
) -> Taken:
    """Compare a page with what is stored, and store what is new of it within `wanted`."""
    shown = min(now, proof.span.until) if proof.first and not proof.dated else now
    final = certificate.final_before(calendar, shown, chart.interval)
    page, doubled = unique(bars, final)
    proven, stored = spans(connection, chart), _stored(connection, chart, page, proof.span)
    pairs = [(stored[row.time], row) for row in page if row.time in stored and holds(proven, row.time)]
    if proof.dated and any(differs(old, new) for old, new in pairs):
        return Taken(mistrusted=True)
    adjusted = adjustment(pairs)
    if adjusted is not None:
        _set_aside_older(connection, chart, adjusted, now)
        proven = spans(connection, chart)
        stored = {time: row for time, row in stored.items() if time >= adjusted.until}
    bounds = Span(wanted.since, min(wanted.until, final))
    proof = _with_seam(connection, calendar, chart, page, proof)
    found = compare(page, stored, proven, proof, bounds)
    _write(connection, chart, found, doubled, now)
    _prove(connection, chart, proof, bounds)
    disputed = tuple(sorted({row.time for reason, row in [*doubled, *found.aside] if reason != UNPROVEN}))
    figures = (proof.rows, len(found.fresh), found.alike, len(disputed), proof.last, proof.digest)
    connection.execute(_PAGE, (now, chart.interval, chart.symbol, *proof.span, *figures))
    certify(connection, calendar, chart, clipped([proof.span], bounds))
    return Taken(
        fresh=len(found.fresh),
        alike=found.alike,
        replaced=sum(reason == UNPROVEN for reason, _ in found.aside),
        conflicts=disputed,
        factor=adjusted.factor if adjusted else 1.0,
    )


def certify(connection: sqlite3.Connection, calendar: Calendar, chart: Chart, parts: Iterable[Span]) -> None:
    """Make the certificates of the days in which these parts lie anew."""
    for part in parts:
        dates = dates_of(part)
        connection.execute(_FORGET, (chart.interval, chart.symbol, dates[0].isoformat(), dates[-1].isoformat()))
        for made in derive(connection, calendar, chart, dates):
            connection.execute(_CERTIFICATE, _certificate_row(made))


def derive(
    connection: sqlite3.Connection, calendar: Calendar, chart: Chart, dates: Sequence[dt.date]
) -> list[Certificate]:
    """What the certificates of these days, in order, must say by what is stored."""
    if not dates:
        return []
    first, last = day_span(dates[0]), day_span(dates[-1])
    rows = _rows(connection, chart, Span(first.since, last.until))
    known = spans(connection, chart)
    return list(certificate.certify(calendar, chart, dates, rows, known))


def derive_all(connection: sqlite3.Connection, calendar: Calendar, chart: Chart) -> Iterator[Certificate]:
    """The same for every day of which something is proven, oldest first."""
    dates = list(dict.fromkeys(date for span in spans(connection, chart) for date in dates_of(span)))
    for first in range(0, len(dates), _TOGETHER):
        yield from derive(connection, calendar, chart, dates[first : first + _TOGETHER])


def charts(connection: sqlite3.Connection) -> list[Chart]:
    """Everything that was ever collected, by code and then by length."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'goals'").fetchone():
        return []
    query = "SELECT symbol, interval FROM goals ORDER BY symbol, interval"
    return [Chart(Symbol(symbol), interval) for symbol, interval in connection.execute(query)]


def certificates(connection: sqlite3.Connection, chart: Chart) -> dict[str, Certificate]:
    """By day, oldest first."""
    names = ", ".join(Certificate.__struct_fields__)
    query = f"SELECT {names} FROM certificates WHERE interval=? AND symbol=? ORDER BY day"  # noqa: S608
    found = connection.execute(query, (chart.interval, chart.symbol))
    return {row[2]: Certificate(**dict(zip(Certificate.__struct_fields__, row, strict=True))) for row in found}


def _stored(connection: sqlite3.Connection, chart: Chart, page: Sequence[Row], span: Span) -> dict[int, Row]:
    since = min([span.since, *(row.time for row in page[:1])])
    until = max([span.until, *(row.time + 1 for row in page[-1:])])
    return {row.time: row for row in _rows(connection, chart, Span(since, until))}


def _rows(connection: sqlite3.Connection, chart: Chart, span: Span) -> list[Row]:
    query = f"{_ROW} AND time>=? AND time<? ORDER BY time"
    return [Row(*row) for row in connection.execute(query, (chart.interval, chart.symbol, *span))]


def _write(
    connection: sqlite3.Connection, chart: Chart, found: Compared, doubled: Iterable[tuple[str, Row]], now: int
) -> None:
    for reason, row in [*doubled, *found.aside]:
        connection.execute(_ASIDE, (reason, chart.interval, chart.symbol, *row, now))
    for row in found.gone:
        connection.execute(f"{_DELETE} AND time=?", (chart.interval, chart.symbol, row.time))
    connection.executemany(_BAR, ((chart.symbol, chart.interval, *row) for row in found.fresh))


def _prove(connection: sqlite3.Connection, chart: Chart, proof: Proof, bounds: Span) -> None:
    for hole in clipped(proof.holes, bounds):
        connection.execute(_HOLE, (chart.interval, chart.symbol, *hole))
    _set_spans(connection, chart, merged([*spans(connection, chart), *clipped(proof.said, bounds)]))
    if proof.last and _is_end(connection, chart, proof):
        offered = "UPDATE goals SET offered = max(offered, ?) WHERE interval=? AND symbol=?"
        connection.execute(offered, (proof.span.since, chart.interval, chart.symbol))


def _is_end(connection: sqlite3.Connection, chart: Chart, proof: Proof) -> bool:
    """Nothing at all, or a page filled to its last row, may be a continuation that broke: it must come twice."""
    if proof.rows % PAGE_ROWS[chart.interval == DAILY]:
        return True
    if proof.first and not proof.rows:
        return False
    end = Span(0, proof.span.since)
    seen = connection.execute(_AGAIN, (chart.interval, chart.symbol, *end)).rowcount
    if not seen:
        connection.execute(_HOLE, (chart.interval, chart.symbol, *end))
    return bool(seen)


def _with_seam(
    connection: sqlite3.Connection, calendar: Calendar, chart: Chart, page: Sequence[Row], proof: Proof
) -> Proof:
    """What lies between two pages that do not adjoin is proven once it was seen the same way again."""
    between = None if proof.first else seam(calendar, chart, [row.time for row in page], proof.span.until)
    if between is None or between in proof.holes:
        return proof
    if connection.execute(_AGAIN, (chart.interval, chart.symbol, *between)).rowcount:
        return proof
    return proof._replace(holes=(*proof.holes, between))


def _set_spans(connection: sqlite3.Connection, chart: Chart, known: Iterable[Span]) -> None:
    connection.execute("DELETE FROM spans WHERE interval=? AND symbol=?", (chart.interval, chart.symbol))
    rows = ((chart.interval, chart.symbol, *span) for span in known)
    connection.executemany("INSERT INTO spans VALUES (?,?,?,?)", rows)


def _set_aside_older(connection: sqlite3.Connection, chart: Chart, adjusted: Adjusted, now: int) -> None:
    """Prices before an adjustment would lie among those after it like a crash that never was."""
    older = _rows(connection, chart, Span(0, adjusted.until))
    where = (chart.interval, chart.symbol)
    connection.executemany(_ASIDE, ((ADJUSTED, *where, *row, now) for row in older))
    connection.execute(f"{_DELETE} AND time<?", (*where, adjusted.until))
    _set_spans(connection, chart, clipped(spans(connection, chart), Span(adjusted.until, EVER)))
    day = kst(adjusted.until).date().isoformat()
    connection.execute("DELETE FROM certificates WHERE interval=? AND symbol=? AND day<=?", (*where, day))
    told = (now, *where, adjusted.until, adjusted.factor, len(older))
    connection.execute("INSERT INTO adjustments VALUES (NULL,?,?,?,?,?,?)", told)


def _trades(calendar: Calendar, gap: Span, chart: Chart) -> bool:
    """Newest first: a long gap is known by its last days. A weekday that the calendar does not know may have traded."""
    first, date = kst(gap.since).date(), kst(gap.until - 1).date()
    while date >= first:
        if _may_trade(calendar, date, gap, chart):
            return True
        date -= _ONE_DAY
    return False


def _may_trade(calendar: Calendar, date: dt.date, gap: Span, chart: Chart) -> bool:
    if not calendar.first <= date <= calendar.last:
        return date.weekday() < _SATURDAY and (chart.interval != DAILY or gap.since <= day_span(date).since)
    day = calendar.day(date)
    wanted = certificate.grid(day, chart.interval) if day else ()
    return bisect_left(wanted, gap.since) < bisect_left(wanted, gap.until)


def _certificate_row(made: Certificate) -> tuple[object, ...]:
    counts = (made.expected, made.present, made.idle, made.missing, made.extra)
    return (made.interval, made.symbol, made.day, *counts, made.digest)
