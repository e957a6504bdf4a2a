import datetime as dt
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from actors.market.calendar import Calendar, TradingDay
from actors.market.charts import certificate
from actors.market.charts.certificate import DAILY, Chart, Row
from actors.market.charts.spans import Span, clipped, holds, merged, without
from actors.market.time import SECOND, at, kst
from messages import Symbol

CALENDAR = Calendar()
ORDINARY = dt.date(2022, 1, 4)
NEW_YEAR = dt.date(2022, 1, 3)
EXAM = dt.date(2022, 11, 17)
MINUTE = 60 * SECOND

spans = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 9)).map(lambda pair: Span(pair[0], sum(pair))))


def trading(date: dt.date) -> TradingDay:
    day = CALENDAR.day(date)
    assert day is not None
    return day


def clock(date: dt.date, interval: int = 60) -> list[str]:
    return [kst(time).strftime("%H:%M") for time in certificate.grid(trading(date), interval)]


def test_an_ordinary_day_has_382_minutes_with_the_close_and_the_price_after_hours() -> None:
    minutes = clock(ORDINARY)
    assert len(minutes) == 382
    assert minutes[:2] == ["09:00", "09:01"]
    assert minutes[-3:] == ["15:19", "15:30", "15:35"]


def test_days_that_open_late_have_their_own_minutes() -> None:
    assert (len(clock(NEW_YEAR)), clock(NEW_YEAR)[0]) == (322, "10:00")
    assert (clock(EXAM)[0], clock(EXAM)[-3:]) == ("10:00", ["16:19", "16:30", "16:35"])


def test_longer_bars_are_those_in_which_a_minute_lies() -> None:
    assert clock(ORDINARY, 3_600) == ["09:00", "10:00", "11:00", "12:00", "13:00", "14:00", "15:00"]
    assert clock(ORDINARY, 900)[-2:] == ["15:15", "15:30"]
    assert clock(ORDINARY, DAILY) == ["00:00"]


def test_what_is_absent_had_no_trade_where_a_page_proves_it_and_is_missing_elsewhere() -> None:
    day = certificate.day_span(ORDINARY)
    minutes = certificate.grid(trading(ORDINARY), 60)
    rows = [Row(time, 5, 6, 4, 5, 1, 0) for time in minutes[:100] if time != minutes[50]]
    half = [Span(day.since, minutes[90])]
    (made,) = certificate.certify(CALENDAR, Chart(Symbol("226490"), 60), [ORDINARY], rows, half)
    assert (made.expected, made.present, made.idle, made.missing, made.extra) == (382, 89, 1, 292, 0)


def test_bars_while_nothing_trades_are_told_apart() -> None:
    sunday = dt.date(2022, 1, 9)
    rows = [Row(at(sunday, 10), 5, 6, 4, 5, 1, 0)]
    whole = [Span(0, 1 << 62)]
    (made,) = certificate.certify(CALENDAR, Chart(Symbol("226490"), 60), [sunday], rows, whole)
    assert (made.expected, made.extra) == (0, 1)


def test_the_bars_of_a_day_change_until_its_last_session_is_over() -> None:
    for time, final in (("08:00", "08:00"), ("10:00", "10:00"), ("15:25", "15:20"), ("17:59", "15:20")):
        now = at(ORDINARY, int(time[:2]), int(time[3:])) + 10 * SECOND
        assert kst(certificate.final_before(CALENDAR, now, 60)).strftime("%H:%M") == final
    assert certificate.final_before(CALENDAR, at(ORDINARY, 17), 3_600) == at(ORDINARY, 15)
    assert certificate.final_before(CALENDAR, at(ORDINARY, 17), DAILY) == at(ORDINARY)
    assert certificate.final_before(CALENDAR, at(ORDINARY, 18) + 10 * SECOND, 60) == at(ORDINARY, 18)


def test_a_clock_that_is_ahead_by_some_seconds_makes_no_bar_final() -> None:
    for second, final in ((9, "09:59"), (10, "10:00")):
        now = at(ORDINARY, 10) + second * SECOND
        assert kst(certificate.final_before(CALENDAR, now, 60)).strftime("%H:%M") == final


def test_the_digest_is_that_of_plain_lines() -> None:
    text = "SELECT-able by anyone"
    assert certificate.digest([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", text
    assert certificate.digest([Row(1, 2, 3, 4, 5, 6, 7)]) != certificate.digest([Row(1, 2, 3, 4, 5, 6, 8)])


@given(spans, spans)
def test_spans_are_sets_of_instants(some: list[Span], others: list[Span]) -> None:
    def instants(parts: list[Span]) -> set[int]:
        return {instant for part in parts for instant in range(part.since, part.until)}

    whole, bounds = merged(some), Span(5, 35)
    assert instants(whole) == instants(some)
    assert all(before.until < after.since for before, after in pairwise(whole))
    assert instants(without(bounds, others)) == instants([bounds]) - instants(others)
    assert instants(clipped(some, bounds)) == instants(some) & instants([bounds])
    assert [instant for instant in range(50) if holds(whole, instant)] == sorted(instants(some))
