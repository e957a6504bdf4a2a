import asyncio
import datetime as dt
import time

import pytest

from actors.gateways.pacer import Pacer
from actors.gateways.port import Urgency
from actors.market.calendar import Calendar
from actors.market.charts import paging
from actors.market.charts.certificate import DAILY, Chart
from actors.market.charts.paging import PAGE_SECONDS, Outlook, Paging, Trail, Unfinished
from actors.market.charts.spans import Span
from actors.market.time import SECOND, at
from messages import Symbol
from runtime.clock import SimulatedClock
from runtime.loops.loop import VirtualLoop
from runtime.testing import START, in_virtual_time

CALENDAR = Calendar()
MINUTES, DAYS = Chart(Symbol("005930"), 60), Chart(Symbol("005930"), DAILY)
NOW = at(dt.date(2026, 11, 18), 16)


@pytest.mark.parametrize(
    ("chart", "since", "pages"),
    [
        (MINUTES, at(dt.date(2026, 11, 17)), 1),
        (MINUTES, at(dt.date(2026, 11, 12)), 3),
        (MINUTES, at(dt.date(2025, 11, 18)), 104),
        (MINUTES, 0, 104),
        (Chart(MINUTES.symbol, 3_600), 0, 2),
        (DAYS, at(dt.date(2024, 1, 2)), 2),
    ],
)
def test_a_chart_takes_as_many_pages_as_its_bars_fill(chart: Chart, since: int, pages: int) -> None:
    assert paging.pages(CALENDAR, chart, Span(since, NOW), NOW) == pages


def test_what_is_left_of_a_chart_without_a_known_beginning_shrinks() -> None:
    half = at(dt.date(2026, 5, 18))
    assert paging.pages(CALENDAR, MINUTES, Span(0, half), NOW) == 51


def test_minutes_are_paged_from_the_newest_and_days_from_the_gap() -> None:
    gaps = [Span(10, 20), Span(30, 40)]
    assert paging.next_paging(MINUTES, gaps, 40) == Paging(10, None)
    assert paging.next_paging(DAYS, gaps, 40) == Paging(30, None)
    assert paging.next_paging(DAYS, gaps, 50) == Paging(30, 40)


def test_the_market_is_open_from_the_first_order_to_the_closing_price() -> None:
    day = dt.date(2026, 11, 18)
    open_at = [hour for hour in range(24) if paging.market_hours(CALENDAR, at(day, hour, 30))]
    assert open_at == [8, 9, 10, 11, 12, 13, 14]
    assert paging.market_hours(CALENDAR, at(dt.date(2026, 11, 21), 10)) is None
    assert paging.market_hours(CALENDAR, at(dt.date(2099, 1, 5), 10)) is None


def test_yesterday_is_the_last_trading_day() -> None:
    assert paging.yesterday(CALENDAR, at(dt.date(2026, 11, 23), 9)) == at(dt.date(2026, 11, 21))
    assert paging.yesterday(CALENDAR, at(dt.date(2099, 1, 5))) == at(dt.date(2099, 1, 5))


@in_virtual_time
async def test_the_estimate_goes_by_what_the_pacer_gives() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    clock = SimulatedClock(START, loop)
    pacer, began = Pacer(clock), clock.now()
    async with pacer.session(Urgency.BACKFILL) as session:
        for _ in range(201):
            await session.turn()
    assert (clock.now() - began) / SECOND / 200 == pytest.approx(PAGE_SECONDS, rel=0.03)  # pyright: ignore[reportUnknownMemberType]


def test_a_newly_listed_code_does_not_make_the_others_look_short() -> None:
    codes = [Chart(Symbol(f"{code:06}"), 60) for code in range(4)]
    young, year = at(dt.date(2026, 11, 2)), at(dt.date(2025, 11, 18))
    outlook = Outlook(CALENDAR)
    for chart in codes:
        outlook.plan(chart, [Span(0, NOW)], NOW)
    outlook.ends(codes[0], young, NOW)
    outlook.over(codes[0])
    assert outlook.left == dict.fromkeys(codes, 104) | {codes[0]: 0}
    half = at(dt.date(2026, 5, 18))
    outlook.ends(codes[1], half, NOW)
    outlook.over(codes[1])
    assert [outlook.left[chart] for chart in codes[2:]] == [54, 54], "as long as the longest there was"
    outlook.page(codes[2], Span(0, half), NOW, SECOND)
    outlook.ends(codes[2], year, NOW)
    outlook.over(codes[2])
    assert outlook.left[codes[3]] == 104


def test_a_paging_that_is_broken_off_says_how_far_it_went() -> None:
    trail, half = Trail(Paging(0, None)), at(dt.date(2026, 5, 18), 10)
    trail.page(NOW, 900, newest=True, last=False)
    trail.page(half, 900, newest=False, last=False)
    with pytest.raises(Unfinished, match=r"^no more than 2 pages are given, back to 2026-05-18; set since to a later"):
        trail.end()
    trail.page(half, 900, newest=False, last=True)
    trail.end()
    reached = Trail(Paging(half, None))
    reached.page(half, 900, newest=True, last=False)
    reached.end()


@pytest.mark.parametrize(
    ("date", "hour", "asking", "lasts"),
    [
        (18, 7, 1.0, 1.0),
        (18, 7, 3.0, 10.0),
        (18, 12, 1.0, 4.5),
        (18, 16, 20.0, 27.0),
        (20, 16, 64.0, 64.0),
        (20, 16, 66.0, 73.0),
    ],
)
def test_what_waits_for_the_close_takes_as_much_longer(date: int, hour: int, asking: float, lasts: float) -> None:
    now = at(dt.date(2026, 11, date), hour)
    assert paging.outside_market_hours(CALENDAR, now, asking * 3_600) == lasts * 3_600


def test_the_estimate_counts_the_hours_in_which_nothing_is_asked() -> None:
    morning, pages = at(dt.date(2026, 11, 18), 8), 104
    for in_session, hours in ((True, 0.0), (False, 7.0)):
        outlook = Outlook(CALENDAR, in_session=in_session)
        for code in range(5):
            outlook.plan(Chart(Symbol(f"{code:06}"), 60), [Span(0, morning)], morning)
        assert outlook.seconds(morning) == 5 * pages * PAGE_SECONDS + hours * 3_600


def test_planning_hundreds_of_charts_takes_no_time() -> None:
    outlook = Outlook(CALENDAR)
    began = time.process_time()
    for code in range(500):
        outlook.plan(Chart(Symbol(f"{code:06}"), DAILY), [Span(0, NOW)], NOW)
    for code in range(4):
        outlook.ends(Chart(Symbol(f"{code:06}"), DAILY), NOW - code * DAILY * SECOND, NOW)
    assert time.process_time() - began < 2.0
