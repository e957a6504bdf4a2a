"""The certificate of a code's bars of a day: what the session calendar wants, what is there, why the rest is not.

A bar counts only where a page of the broker's chart proves it: within the time that pages cover. There, a bar
that is absent had no trade, because a chart has no row for it. Outside of it nobody knows, and it is missing.
"""

import datetime as dt
import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from actors.market.bars import start_of
from actors.market.calendar import Calendar, TradingDay, UnknownDayError
from actors.market.charts.spans import Span, holds
from actors.market.time import SECOND, at, kst
from messages import Record, Session, Symbol

DAILY: Final = 86_400
"""Seconds of a day's bar."""
_MINUTE: Final = 60 * SECOND
_DAY: Final = DAILY * SECOND
_AHEAD: Final = 10 * SECOND
_AFTER_CLOSE: Final = 5 * _MINUTE
"""Kiwoom shows what was traded after hours at the closing price as a bar so long after the close."""


class Chart(NamedTuple):
    """One code's bars of one length, in seconds."""

    symbol: Symbol
    interval: int


class Row(NamedTuple):
    """A bar as it is stored."""

    time: int
    open: int
    high: int
    low: int
    close: int
    volume: int
    value: int


class Certificate(Record):
    """`expected` = `present` + `idle` + `missing`."""

    symbol: Symbol
    interval: int
    day: str
    """YYYY-MM-DD in Korea."""
    expected: int
    """Bars that a day full of trades has."""
    present: int
    idle: int
    """Absent because nothing was traded."""
    missing: int
    """Absent, or there but on no page: nobody knows whether something was traded."""
    extra: int
    """On a page, but at a time at which the calendar has no trading."""
    digest: str
    """SHA-256 over the proven bars of the day."""


@lru_cache(maxsize=1_024)
def grid(day: TradingDay, interval: int) -> tuple[int, ...]:
    """Starts of the bars of a day that trades all the time; `interval` in seconds."""
    if interval == DAILY:
        return (at(day.date),)
    return tuple(dict.fromkeys(start_of(minute, interval) for minute in _minutes(day)))


def digest(rows: Iterable[Sequence[int]]) -> str:
    """SHA-256 of a line `time,open,high,low,close,volume,value` for each bar, oldest first."""
    text = "".join(f"{','.join(map(str, row))}\n" for row in rows)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def day_span(date: dt.date) -> Span:
    """Midnight to midnight in Korea."""
    since = at(date)
    return Span(since, since + _DAY)


def dates_of(span: Span) -> list[dt.date]:
    """Every day in Korea that has a part in it, oldest first."""
    first, last = kst(span.since).date(), kst(span.until - 1).date()
    return [first + dt.timedelta(days=offset) for offset in range((last - first).days + 1)]


def trading_day(calendar: Calendar, date: dt.date) -> TradingDay | None:
    """None where the calendar knows no trading: a day that it doesn't know has none."""
    try:
        return calendar.day(date)
    except UnknownDayError:
        return None


def final_before(calendar: Calendar, now: int, interval: int) -> int:
    """Bars that start before this instant change no more: the newest of a day goes on to its last session's end.

    `now` is by our clock, which may be ahead of the exchange's.
    """
    now -= _AHEAD
    date = kst(now).date()
    day = trading_day(calendar, date)
    if day is None or now >= day.phases[-1].end or now < day.phases[0].start:
        return start_of(now, interval)
    return start_of(min(now, _closing(day)), interval)


def certify(
    calendar: Calendar, chart: Chart, dates: Iterable[dt.date], rows: Sequence[Row], spans: Sequence[Span]
) -> Iterator[Certificate]:
    """A certificate for each of these dates of which something is covered; `rows` by time, `spans` merged."""
    times = [row.time for row in rows]
    for date in dates:
        span = day_span(date)
        own = rows[bisect_left(times, span.since) : bisect_left(times, span.until)]
        day = trading_day(calendar, date)
        wanted = grid(day, chart.interval) if day else ()
        made = _certificate(chart, date, wanted, [row for row in own if holds(spans, row.time)], spans)
        if made.present or made.idle or made.extra:
            yield made


def _certificate(
    chart: Chart, date: dt.date, wanted: Sequence[int], proven: Sequence[Row], spans: Sequence[Span]
) -> Certificate:
    there = {row.time for row in proven}
    present = sum(time in there for time in wanted)
    idle = sum(time not in there and holds(spans, time) for time in wanted)
    return Certificate(
        symbol=chart.symbol,
        interval=chart.interval,
        day=date.isoformat(),
        expected=len(wanted),
        present=present,
        idle=idle,
        missing=len(wanted) - present - idle,
        extra=len(there) - present,
        digest=digest(proven),
    )


def _minutes(day: TradingDay) -> Iterator[int]:
    for phase in day.phases:
        if phase.session is Session.CONTINUOUS:
            yield from range(phase.start, phase.end, _MINUTE)
        elif phase.session is Session.CLOSING_AUCTION:
            yield from (phase.end, phase.end + _AFTER_CLOSE)


def _closing(day: TradingDay) -> int:
    return next((phase.start for phase in day.phases if phase.session is Session.CLOSING_AUCTION), day.close)
