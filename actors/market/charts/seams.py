"""Whether a page of a chart really adjoins the one before it, or whether something may lie between them."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from actors.market.calendar import Calendar
from actors.market.charts.certificate import Chart, dates_of, grid, trading_day
from actors.market.charts.spans import Span

_QUIET: Final = 10
"""Bars in a row without a trade that nobody wonders at."""


def seam(calendar: Calendar, chart: Chart, times: Sequence[int], above: int) -> Span | None:
    """The stretch from a page's newest bar up to `above`, where the page before begins; None where they adjoin.

    A stretch without trades is nothing special as long as it is not much longer than those within the page.
    """
    if not times or times[-1] >= above:
        return None
    days = (trading_day(calendar, date) for date in dates_of(Span(times[0], above)))
    points = [time for day in days if day for time in grid(day, chart.interval)]
    places = [bisect_left(points, time) for time in (*times, above)]
    *inner, last = (after - before for before, after in pairwise(places))
    return Span(times[-1] + 1, above) if last > max(_QUIET, 2 * max(inner, default=0)) else None
