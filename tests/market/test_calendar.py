import csv
import datetime as dt
import gzip
import warnings
from pathlib import Path
from typing import Any

import pytest

from actors.market.calendar import Calendar, TradingDay, UnknownDayError
from actors.market.time import SECOND, at, kst, text
from messages import Session, Venue

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "meta"
FIRST, LAST = dt.date(2002, 1, 1), dt.date(2027, 12, 31)
LAWS_OF_2026 = {dt.date(2026, 6, 3), dt.date(2026, 7, 17), dt.date(2027, 5, 3), dt.date(2027, 7, 19)}
EXAMS_SINCE_2021 = {
    dt.date(2021, 11, 18),
    dt.date(2022, 11, 17),
    dt.date(2023, 11, 16),
    dt.date(2024, 11, 14),
    dt.date(2025, 11, 13),
    dt.date(2026, 11, 19),
    dt.date(2027, 11, 18),
}


@pytest.fixture(name="reference", scope="module")
def make_reference() -> Any:
    exchange_calendars: Any = pytest.importorskip("exchange_calendars")
    with warnings.catch_warnings(action="ignore"):
        return exchange_calendars.get_calendar("XKRX", start=FIRST.isoformat(), end=LAST.isoformat()).schedule


def known(day: dt.date, calendar: Calendar | None = None) -> TradingDay:
    found = (calendar or Calendar()).day(day)
    assert found is not None
    return found


def hours(day: TradingDay) -> str:
    return f"{text(day.open)[11:16]}-{text(day.close)[11:16]}"


def test_every_day_agrees_with_exchange_calendars_but_for_the_laws_of_2026(reference: Any) -> None:
    theirs = {stamp.date() for stamp in reference.index} - LAWS_OF_2026
    ours = {day.date for day in Calendar().days(FIRST, LAST)}

    assert sorted(ours ^ theirs) == []


def test_every_opening_and_close_agrees_with_exchange_calendars_but_for_newer_exam_days(reference: Any) -> None:
    calendar = Calendar()
    different = {
        row.Index.date()
        for row in reference.itertuples()
        if row.Index.date() not in LAWS_OF_2026 and not _same_hours(known(row.Index.date(), calendar), row)
    }

    assert different <= EXAMS_SINCE_2021


def _same_hours(day: TradingDay, row: Any) -> bool:
    return (day.open, day.close) == (row.open.value, row.close.value)


def test_the_days_of_a_real_daily_file_are_ours() -> None:
    real = [dt.date.fromisoformat(row["date"]) for row in _rows("krx_trading_days")]

    assert len(real) > 4_900
    assert [day.date for day in Calendar().days(real[0], real[-1])] == real


def test_openings_and_closes_fit_the_first_and_last_minute_of_real_bars() -> None:
    calendar = Calendar()
    for row in _rows("krx_sessions_from"):
        day = known(dt.date.fromisoformat(row["date"]), calendar)
        assert _clock(day.open) == row["first_bar"]
        assert _clock(day.close + 300 * SECOND) == row["last_bar"]


def _rows(prefix: str) -> list[dict[str, str]]:
    paths = sorted(DATA.glob(f"{prefix}_*.csv.gz"))
    if not paths:
        pytest.skip(f"no {prefix} file in {DATA}")
    with gzip.open(paths[0], "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _clock(instant: int) -> str:
    return kst(instant).strftime("%Y%m%d%H%M%S")


@pytest.mark.parametrize(
    "closed",
    ["2025-01-27", "2025-06-03", "2026-06-03", "2026-07-17", "2027-05-03", "2027-07-19", "2027-12-27", "2027-12-31"],
)
def test_elections_substitutes_and_the_end_of_the_year_are_closed(closed: str) -> None:
    assert Calendar().day(dt.date.fromisoformat(closed)) is None


def test_new_year_labour_day_christmas_and_new_years_eve_are_closed_in_every_year() -> None:
    days = {day.date for day in Calendar().days(FIRST, LAST)}

    assert not [day for day in days if (day.month, day.day) in {(1, 1), (5, 1), (12, 25), (12, 31)}]


def test_the_dates_of_a_table_are_its_trading_days() -> None:
    for calendar in (Calendar(), Calendar(Venue.NXT)):
        assert calendar.dates == tuple(day.date for day in calendar.days(calendar.first, calendar.last))
    assert (Calendar().first, Calendar().last) == (FIRST, LAST)
    assert Calendar(Venue.NXT).first == dt.date(2025, 3, 4)


def test_an_ordinary_day_has_five_phases_with_a_pause_before_after_hours() -> None:
    day = known(dt.date(2025, 9, 2))

    assert [(phase.session, text(phase.start)[11:16], text(phase.end)[11:16]) for phase in day.phases] == [
        (Session.OPENING_AUCTION, "08:30", "09:00"),
        (Session.CONTINUOUS, "09:00", "15:20"),
        (Session.CLOSING_AUCTION, "15:20", "15:30"),
        (Session.AFTER_HOURS_CLOSE, "15:40", "16:00"),
        (Session.AFTER_HOURS_SINGLE, "16:00", "18:00"),
    ]


@pytest.mark.parametrize(
    ("hour", "minute", "session"),
    [
        (8, 29, Session.PRE_OPEN),
        (8, 30, Session.OPENING_AUCTION),
        (9, 0, Session.CONTINUOUS),
        (15, 19, Session.CONTINUOUS),
        (15, 20, Session.CLOSING_AUCTION),
        (15, 30, Session.CLOSED),
        (15, 40, Session.AFTER_HOURS_CLOSE),
        (17, 59, Session.AFTER_HOURS_SINGLE),
        (18, 0, Session.CLOSED_FOR_DAY),
    ],
)
def test_a_session_begins_on_its_second_and_ends_before_the_next(hour: int, minute: int, session: Session) -> None:
    date = dt.date(2025, 9, 2)

    assert Calendar().session_at(at(date, hour, minute)) is session


def test_a_closed_day_has_no_sessions() -> None:
    assert Calendar().session_at(at(dt.date(2025, 9, 6), 10)) is Session.CLOSED


def test_the_year_opens_at_ten_and_closes_as_always() -> None:
    assert hours(known(dt.date(2025, 1, 2))) == "10:00-15:30"
    assert hours(known(dt.date(2025, 1, 3))) == "09:00-15:30"


def test_on_exam_day_all_is_an_hour_later_but_the_end() -> None:
    day = known(dt.date(2025, 11, 13))

    assert hours(day) == "10:00-16:30"
    assert text(day.phases[0].start)[11:16] == "09:30"
    assert text(day.phases[-1].end)[11:16] == "18:00"


def test_the_close_was_at_three_until_august_2016() -> None:
    assert hours(known(dt.date(2016, 7, 29))) == "09:00-15:00"
    assert hours(known(dt.date(2016, 8, 1))) == "09:00-15:30"


def test_trades_settle_two_trading_days_later_over_the_turn_of_the_year() -> None:
    calendar = Calendar()

    assert calendar.settlement(dt.date(2024, 12, 26)) == dt.date(2024, 12, 30)
    assert calendar.settlement(dt.date(2024, 12, 27)) == dt.date(2025, 1, 2)
    assert calendar.settlement(dt.date(2025, 12, 29)) == dt.date(2026, 1, 2)


def test_neighbours_of_a_long_holiday_find_each_other() -> None:
    calendar = Calendar()

    assert calendar.next_day(dt.date(2025, 10, 2)).date == dt.date(2025, 10, 10)
    assert calendar.previous_day(dt.date(2025, 10, 10)).date == dt.date(2025, 10, 2)


@pytest.mark.parametrize("date", [dt.date(2001, 12, 31), dt.date(2028, 1, 1)])
def test_a_day_outside_the_table_is_refused_in_one_line(date: dt.date) -> None:
    with pytest.raises(UnknownDayError, match=rf"^no trading hours of KRX are known for {date}$"):
        Calendar().day(date)


def test_nextrade_has_hours_of_its_own_since_it_began() -> None:
    nextrade = Calendar(Venue.NXT)

    assert hours(known(dt.date(2025, 9, 2), nextrade)) == "08:00-20:00"
    assert hours(known(dt.date(2026, 1, 2), nextrade)) == "10:00-20:00"
    assert nextrade.session_at(at(dt.date(2025, 9, 2), 9, 0, 29)) is Session.CLOSED
    assert nextrade.session_at(at(dt.date(2025, 9, 2), 9, 0, 30)) is Session.CONTINUOUS
    with pytest.raises(UnknownDayError):
        nextrade.day(dt.date(2025, 2, 28))


def test_another_table_replaces_ours(tmp_path: Path) -> None:
    parts = '[["continuous", 07:00:00, 20:00:00]]'
    table = tmp_path / "hours.toml"
    table.write_text(
        "first = 2026-01-01\nlast = 2026-12-31\nclosed = [2026-06-29]\nexam_days = []\n"
        f'[[hours]]\nvenue = "KRX"\nsince = 2026-01-01\nnormal = {parts}\nnew_year = {parts}\nexam = {parts}\n'
    )
    calendar = Calendar(table=table)

    assert calendar.day(dt.date(2026, 6, 29)) is None
    assert hours(known(dt.date(2026, 6, 30), calendar)) == "07:00-20:00"
