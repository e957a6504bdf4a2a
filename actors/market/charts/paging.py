"""How a chart is paged: from where to where, and how many pages that may take."""

import datetime as dt
from bisect import bisect_left, bisect_right
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
_RESTARTS: Final = 20
"""Times that a paging begins anew before it is left for another time of the day."""
PAGE_ROWS: Final = {True: 600, False: 900}
"""A page of days, and one of minutes."""
_REACH: Final = {True: 365 * 12, False: 365}
"""Days back that a chart is taken to have, until it is known: years of days, a year of minutes."""


class Paging(NamedTuple):
    """One way through a chart, newest page first, until a bar is as old as `reach`."""

    reach: int
    start: int | None
    """The day to begin at; None begins at the newest bar of all."""


class Unfinished(Exception):
    """A chart cannot be finished now; the text says why."""


class Trail:
    """One paging as it goes, page by page; says where it cannot come to its end."""

    def __init__(self, way: Paging) -> None:
        self._reach = way.reach
        self._starts = 0
        self._served = 0
        self._below = 0
        """Where the next page would go on; 0 where there is none."""

    @property
    def restarts(self) -> int:
        """Times that a more urgent query made it begin anew."""
        return max(self._starts - 1, 0)

    def page(self, since: int, rows: int, *, newest: bool, last: bool) -> None:
        """A page came, and is stored. Raises Unfinished."""
        self._starts += newest
        self._served = 1 if newest else self._served + 1
        self._below = 0 if last else since
        if newest and last and not rows:
            raise Unfinished("nothing is offered under this code")
        if self._starts > _RESTARTS:
            raise Unfinished("more urgent queries keep coming between its pages; collect after the close")

    def end(self) -> None:
        """No page comes any more. Raises Unfinished where there should be one: asking again would give the same."""
        if self._below > self._reach:
            day = kst(self._below).date()
            raise Unfinished(f"no more than {self._served} pages are given, back to {day}; set since to a later day")


class Outlook:
    """Pages still to come, chart by chart, and how long they will take."""

    def __init__(self, calendar: Calendar, *, in_session: bool = True) -> None:
        """`in_session` also asks while the market is open."""
        self.left: dict[Chart, int] = {}
        self.done = 0
        self._calendar = calendar
        self._in_session = in_session
        self._ways: dict[Chart, Sequence[Span]] = {}
        """What is still to be paged of each chart, as far as is known."""
        self._begins: dict[int, list[int]] = {}
        """Where charts of a length came to their ends."""
        self._spent = 0

    @property
    def all_left(self) -> int:
        return sum(self.left.values())

    def seconds(self, now: int) -> float:
        """Until all is there, at the pace so far, once it is known."""
        measured = self._spent / SECOND / self.done if self.done >= _ENOUGH else 0.0
        asking = self.all_left * (measured or PAGE_SECONDS)
        return asking if self._in_session else outside_market_hours(self._calendar, now, asking)

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
    hours = _hours(calendar, kst(now).date())
    return hours if hours and hours.since <= now < hours.until else None


def outside_market_hours(calendar: Calendar, now: int, seconds: float) -> float:
    """How long it takes from now to work for so many seconds where nothing is done while the market is open."""
    end = now + round(seconds * SECOND)
    date = kst(now).date()
    while at(date) < end:
        hours = _hours(calendar, date)
        if hours and now < hours.until and hours.since < end:
            end += hours.until - max(hours.since, now)
        date += dt.timedelta(days=1)
    return (end - now) / SECOND


def yesterday(calendar: Calendar, now: int) -> int:
    """The end of the last trading day before today's, in nanoseconds."""
    today = kst(now).date()
    try:
        before = calendar.previous_day(today).date
    except UnknownDayError:
        before = today - dt.timedelta(days=1)
    return at(before + dt.timedelta(days=1))


def _hours(calendar: Calendar, date: dt.date) -> Span | None:
    day = trading_day(calendar, date)
    return Span(day.phases[0].start, day.close) if day else None


def _days(calendar: Calendar, first: dt.date, last: dt.date) -> int:
    if not calendar.first <= first <= last <= calendar.last:
        return ((last - first).days + 1) * 5 // 7 + 1
    return bisect_right(calendar.dates, last) - bisect_left(calendar.dates, first)


def _back(date: dt.date) -> list[dt.date]:
    return [date - dt.timedelta(days=days) for days in range(14)]
