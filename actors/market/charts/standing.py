"""How a chart stands: the certificates of a time added up, and the days that have none."""

import datetime as dt
import sqlite3
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from actors.market.calendar import Calendar
from actors.market.charts import collection
from actors.market.charts.certificate import Chart, day_span, digest, grid, trading_day
from actors.market.charts.comparison import ADJUSTED
from actors.market.charts.spans import Span, clipped
from actors.market.time import kst

_SUMS: Final = """SELECT count(*), total(expected > 0), total(expected), total(present), total(idle), total(missing),
    total(extra) FROM certificates WHERE interval=? AND symbol=? AND day>=? AND day<=?"""
_DAYS: Final = (
    "SELECT day, expected, extra, digest FROM certificates WHERE interval=? AND symbol=? AND day>=? AND day<=?"
)
_HOLES: Final = "SELECT day FROM certificates WHERE interval=? AND symbol=? AND day>=? AND day<=? AND missing"
_LEFT: Final = "SELECT count(*) FROM set_aside WHERE interval=? AND symbol=? AND time<? AND reason=?"


class Standing(NamedTuple):
    """Bars of all days of a time: `expected` = `present` + `idle` + `missing`."""

    days: int = 0
    expected: int = 0
    present: int = 0
    idle: int = 0
    missing: int = 0
    extra: int = 0
    holes: tuple[str, ...] = ()
    """Days on which something is missing; trading days in a row are one, `first - last`."""


def standing_of(connection: sqlite3.Connection, calendar: Calendar, chart: Chart, wanted: Span) -> Standing:
    """By the certificates of a time; a trading day without one has everything missing.

    Those that do not fit the calendar, as somebody mended it since, are made anew where their bars are as certified.
    """
    if wanted.since >= wanted.until:
        return Standing()
    proven = _proven_days(connection, calendar, chart, wanted)
    trading, found = _sums(connection, chart, wanted)
    if trading != len(proven) or found.extra:
        _recertify(connection, calendar, chart, wanted)
        trading, found = _sums(connection, chart, wanted)
    where = _where(chart, wanted)
    certified = proven if trading == len(proven) else {row[0] for row in connection.execute(_DAYS, where)}
    bare = _uncertified(calendar, chart, wanted, certified)
    lacking = sum(bare.values())
    holes = [row[0] for row in connection.execute(_HOLES, where)] if found.missing else []
    return found._replace(
        days=found.days + len(bare),
        expected=found.expected + lacking,
        missing=found.missing + lacking,
        holes=tuple(_runs(calendar, [*holes, *(day for day, bars in bare.items() if bars)])),
    )


def bounds(connection: sqlite3.Connection, chart: Chart, wanted: Span) -> Span:
    """What there can be of what is wanted: from when on it is offered, or stored; empty where nobody knows."""
    known, goal = collection.spans(connection, chart), collection.goal(connection, chart)
    beginnings = [instant for instant in (wanted.since, goal.offered if goal else 0) if instant]
    since = max(beginnings, default=known[0].since if known else 0)
    return Span(since, wanted.until if since else 0)


def not_offered_anew(connection: sqlite3.Connection, chart: Chart) -> int:
    """Bars that an adjustment set aside and that are older than all the broker offers now."""
    goal = collection.goal(connection, chart)
    offered = goal.offered if goal else 0
    return int(connection.execute(_LEFT, (chart.interval, chart.symbol, offered, ADJUSTED)).fetchone()[0])


def _sums(connection: sqlite3.Connection, chart: Chart, wanted: Span) -> tuple[int, Standing]:
    """Of the certificates: those of trading days, and the figures of all."""
    count, trading, *sums = map(int, connection.execute(_SUMS, _where(chart, wanted)).fetchone())
    expected, present, idle, missing, extra = sums
    return trading, Standing(count, expected, present, idle, missing, extra)


def _proven_days(connection: sqlite3.Connection, calendar: Calendar, chart: Chart, wanted: Span) -> Collection[str]:
    """Trading days in which pages prove something."""
    spans = clipped(collection.spans(connection, chart), wanted)
    return {day for span in spans for day in _trading_days(calendar, span)}


def _where(chart: Chart, wanted: Span) -> tuple[int, str, str, str]:
    first, last = kst(wanted.since).date(), kst(wanted.until - 1).date()
    return (chart.interval, chart.symbol, first.isoformat(), last.isoformat())


def _recertify(connection: sqlite3.Connection, calendar: Calendar, chart: Chart, wanted: Span) -> None:
    known = {day: figures for day, *figures in connection.execute(_DAYS, _where(chart, wanted))}
    other = [day for day in sorted(_proven_days(connection, calendar, chart, wanted)) if day not in known]
    for day, (expected, extra, _) in known.items():
        if expected != _bars(calendar, chart.interval, day) or (expected and extra):
            other.append(day)
    for date in map(dt.date.fromisoformat, other):
        made = collection.derive(connection, calendar, chart, [date])
        *_, certified = known.get(date.isoformat(), (digest([]),))
        if certified == (made[0].digest if made else digest([])):
            collection.certify(connection, calendar, chart, [day_span(date)])


def _uncertified(calendar: Calendar, chart: Chart, wanted: Span, certified: Collection[str]) -> dict[str, int]:
    """Trading days without a certificate, and how many bars each of them lacks."""
    days = [day for day in _trading_days(calendar, wanted) if day not in certified]
    if not days:
        return {}
    bare = {day: _bars(calendar, chart.interval, day) for day in days}
    edges = (kst(wanted.since).date().isoformat(), kst(wanted.until - 1).date().isoformat())
    return bare | {day: _lacking(calendar, chart, wanted, day) for day in edges if day in bare}


def _lacking(calendar: Calendar, chart: Chart, wanted: Span, name: str) -> int:
    day = trading_day(calendar, dt.date.fromisoformat(name))
    return sum(wanted.since <= time < wanted.until for time in (grid(day, chart.interval) if day else ()))


@lru_cache(maxsize=32_768)
def _bars(calendar: Calendar, interval: int, name: str) -> int:
    day = trading_day(calendar, dt.date.fromisoformat(name))
    return len(grid(day, interval)) if day else 0


def _runs(calendar: Calendar, days: Collection[str]) -> Iterator[str]:
    """Trading days in a row as one."""
    places = _places(calendar)
    run: list[str] = []
    for day in sorted(days):
        if run and places.get(day) != places.get(run[-1], -1) + 1:
            yield _run(run)
            run = []
        run.append(day)
    if run:
        yield _run(run)


def _run(days: Sequence[str]) -> str:
    return days[0] if len(days) == 1 else f"{days[0]} - {days[-1]}"


def _trading_days(calendar: Calendar, wanted: Span) -> Sequence[str]:
    names, first, last = list(_places(calendar)), kst(wanted.since).date(), kst(wanted.until - 1).date()
    return names[bisect_left(calendar.dates, first) : bisect_right(calendar.dates, last)]


@lru_cache(maxsize=4)
def _places(calendar: Calendar) -> dict[str, int]:
    return {date.isoformat(): place for place, date in enumerate(calendar.dates)}
