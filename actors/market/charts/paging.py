"""How a chart is paged: from where to where, and how many pages that may take."""

import datetime as dt
from collections.abc import Sequence
from math import ceil
from typing import Final, NamedTuple

from actors.market.calendar import Calendar, UnknownDayError
from actors.market.charts.certificate import DAILY, Chart, grid, trading_day
from actors.market.charts.spans import Span
from actors.market.time import SECOND, at, kst

PAGE_SECONDS: Final = 4.53
"""Between two pages, as long as there are many: five in 18 s may be asked, and one is left to the more urgent."""
_ENOUGH: Final = 10
"""Pages after which their measured pace counts."""
PAGE_ROWS: Final = {True: 600, False: 900}
"""A page of days, and one of minutes."""
_REACH: Final = {True: 365 * 12, False: 365}
"""Days back that a chart is taken to have, until it is known: years of days, a year of minutes."""


class Paging(NamedTuple):
    """One way through a chart, newest page first, until a bar is as old as `reach`."""

    reach: int
    start: int | None
    """The day to begin at; None begins at the newest bar of all."""


class Outlook:
    """Pages still to come, chart by chart, and how long they will take."""

    def __init__(self, calendar: Calendar) -> None:
        self.left: dict[Chart, int] = {}
        self.done = 0
        self._calendar = calendar
        self._ways: dict[Chart, Sequence[Span]] = {}
        """What is still to be paged of each chart, as far as is known."""
        self._begins: dict[int, list[int]] = {}
        """Where charts of a length came to their ends."""
        self._spent = 0

    @property
    def all_left(self) -> int:
        return sum(self.left.values())

    @property
    def seconds(self) -> float:
        """At the pace so far, once it is known."""
        measured = self._spent / SECOND / self.done if self.done >= _ENOUGH else 0.0
        return self.all_left * (measured or PAGE_SECONDS)

    def plan(self, chart: Chart, gaps: Sequence[Span], now: int) -> None:
        """Minutes are paged from now to the oldest gap, days gap by gap."""
        self._go(chart, gaps if chart.interval == DAILY else [Span(gap.since, now) for gap in gaps[:1]], now)

    def page(self, chart: Chart, rest: Span, now: int, spent: int) -> None:
        """A page came after so many nanoseconds; `rest` is what is still below it, empty at the end."""
        self.done += 1
        self._spent += spent
        self._go(chart, [rest] if rest.since < rest.until else [], now)

    def ends(self, chart: Chart, since: int, now: int) -> None:
        """Most charts of one length begin at about the same day: that of the longest, once a second one has ended."""
        before = self._begin(chart.interval)
        self._begins.setdefault(chart.interval, []).append(since)
        if self._begin(chart.interval) != before:
            for other, ways in self._ways.items():
                if other.interval == chart.interval:
                    self._go(other, ways, now)

    def over(self, chart: Chart) -> None:
        """Nothing more is asked about it."""
        self._ways[chart], self.left[chart] = [], 0

    def _go(self, chart: Chart, ways: Sequence[Span], now: int) -> None:
        self._ways[chart] = ways
        self.left[chart] = sum(self._pages(chart, way, now) for way in ways)

    def _pages(self, chart: Chart, span: Span, now: int) -> int:
        since = max(span.since, self._begin(chart.interval))
        return pages(self._calendar, chart, Span(since, span.until), now)

    def _begin(self, interval: int) -> int:
        known = self._begins.get(interval, ())
        return min(known) if len(known) > 1 else 0


def next_paging(chart: Chart, gaps: Sequence[Span], until: int) -> Paging:
    """The way that fills the most of some gaps, oldest first: minutes know no date, so they fill all on one."""
    if chart.interval != DAILY:
        return Paging(gaps[0].since, None)
    newest = gaps[-1]
    return Paging(newest.since, None if newest.until >= until else newest.until)


def pages(calendar: Calendar, chart: Chart, span: Span, now: int) -> int:
    """At most how many pages hold the bars of a time that are offered now, if every one of them traded."""
    daily = chart.interval == DAILY
    since = max(span.since, now - _REACH[daily] * DAILY * SECOND)
    first, last = kst(since).date(), kst(max(span.until - 1, since)).date()
    newest = next((day for day in (trading_day(calendar, date) for date in _back(last)) if day is not None), None)
    a_day = len(grid(newest, chart.interval)) if newest else 0
    return max(1, ceil(_days(calendar, first, last) * a_day / PAGE_ROWS[daily]))


def market_hours(calendar: Calendar, now: int) -> Span | None:
    """From the day's first order to its closing price, where `now` lies in between."""
    day = trading_day(calendar, kst(now).date())
    hours = Span(day.phases[0].start, day.close) if day else None
    return hours if hours and hours.since <= now < hours.until else None


def yesterday(calendar: Calendar, now: int) -> int:
    """The end of the last trading day before today's, in nanoseconds."""
    today = kst(now).date()
    try:
        before = calendar.previous_day(today).date
    except UnknownDayError:
        before = today - dt.timedelta(days=1)
    return at(before + dt.timedelta(days=1))


def _days(calendar: Calendar, first: dt.date, last: dt.date) -> int:
    try:
        return sum(1 for _ in calendar.days(first, last))
    except UnknownDayError:
        return ((last - first).days + 1) * 5 // 7 + 1


def _back(date: dt.date) -> list[dt.date]:
    return [date - dt.timedelta(days=days) for days in range(14)]
