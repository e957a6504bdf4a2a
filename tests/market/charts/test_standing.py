"""How a chart stands, by its certificates: sums, runs of days, and a calendar that was mended since."""

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from actors.market import calendar as calendars
from actors.market.calendar import Calendar
from actors.market.charts import collection
from actors.market.charts.certificate import DAILY, Certificate, Chart, grid
from actors.market.charts.comparison import Proof
from actors.market.charts.spans import Span
from actors.market.charts.standing import Standing, bounds, standing_of
from actors.market.storage import store
from actors.market.time import at
from messages import Symbol
from tests.fake_archive import bar

CALENDAR = Calendar()
CHART = Chart(Symbol("005930"), 60)
WEEK = Span(at(dt.date(2022, 1, 10)), at(dt.date(2022, 1, 15)))
NOW = at(dt.date(2022, 1, 17), 8)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        for migration in store.MIGRATIONS:
            made.executescript(migration)
        collection.want(made, CHART, 0)
        yield made


def mended(folder: Path, old: str, new: str) -> Calendar:
    """Ours, changed by hand."""
    text = Path(calendars.__file__).with_suffix(".toml").read_text(encoding="utf-8")
    assert old in text
    table = folder / "calendar.toml"
    table.write_text(text.replace(old, new, 1), encoding="utf-8")
    return Calendar(table=table)


def collect(connection: sqlite3.Connection, calendar: Calendar, *days: str, first: str = "2022-01-10") -> None:
    """One page with all bars of these days and of no other."""
    dates = [dt.date.fromisoformat(day) for day in days]
    times = [time for date in dates for day in calendar.days(date, date) for time in grid(day, CHART.interval)]
    bars = [bar(CHART.symbol, CHART.interval, time, 10_000) for time in times]
    proof = Proof(span=Span(at(dt.date.fromisoformat(first)), WEEK.until), rows=len(bars), last=True)
    collection.take(connection, calendar, CHART, bars, proof, WEEK, NOW)


def certificate(connection: sqlite3.Connection, day: str) -> Certificate | None:
    return collection.certificates(connection, CHART).get(day)


def agrees(connection: sqlite3.Connection, calendar: Calendar) -> bool:
    known = collection.certificates(connection, CHART)
    return known == {made.day: made for made in collection.derive_all(connection, calendar, CHART)}


def test_days_without_a_certificate_are_missing_and_told_as_one_stretch(connection: sqlite3.Connection) -> None:
    collect(connection, CALENDAR, "2022-01-13", "2022-01-14", first="2022-01-13")
    since = Span(at(dt.date(2022, 1, 6)), WEEK.until)
    found = standing_of(connection, CALENDAR, CHART, since)
    assert found == Standing(7, 7 * 382, 2 * 382, 0, 5 * 382, 0, ("2022-01-06 - 2022-01-12",))


def test_a_part_of_a_day_lacks_the_bars_of_that_part(connection: sqlite3.Connection) -> None:
    noon = Span(at(dt.date(2022, 1, 10), 12), at(dt.date(2022, 1, 11), 9, 30))
    assert standing_of(connection, CALENDAR, CHART, noon).missing == 200 + 2 + 30
    assert standing_of(connection, CALENDAR, CHART, Span(noon.until, noon.since)) == Standing()


def test_nothing_is_known_of_a_chart_without_pages(connection: sqlite3.Connection) -> None:
    assert bounds(connection, CHART, Span(0, WEEK.until)) == Span(0, 0)
    assert bounds(connection, CHART, WEEK) == WEEK


def test_a_holiday_that_is_added_late_takes_its_day_out(connection: sqlite3.Connection, tmp_path: Path) -> None:
    collect(connection, CALENDAR, "2022-01-10", "2022-01-11", "2022-01-13", "2022-01-14")
    assert standing_of(connection, CALENDAR, CHART, WEEK).idle == 382
    later = mended(tmp_path, "2022-01-31, ", "2022-01-12, 2022-01-31, ")
    assert not agrees(connection, later)
    found = standing_of(connection, later, CHART, WEEK)
    assert (found.days, found.expected, found.present, found.idle, found.missing) == (4, 4 * 382, 4 * 382, 0, 0)
    assert certificate(connection, "2022-01-12") is None
    assert agrees(connection, later)


def test_a_day_that_traded_all_the_same_is_certified_as_one(connection: sqlite3.Connection, tmp_path: Path) -> None:
    closed = mended(tmp_path, "2022-01-31, ", "2022-01-12, 2022-01-13, 2022-01-31, ")
    collect(connection, CALENDAR, "2022-01-10", "2022-01-11", "2022-01-12", "2022-01-14")
    connection.execute("DELETE FROM certificates")
    collection.certify(connection, closed, CHART, [WEEK])
    assert standing_of(connection, closed, CHART, WEEK).extra == 382
    found = standing_of(connection, CALENDAR, CHART, WEEK)
    assert (found.days, found.present, found.idle, found.extra, found.missing) == (5, 4 * 382, 382, 0, 0)
    assert agrees(connection, CALENDAR)


def test_hours_that_are_mended_late_make_a_day_whole(connection: sqlite3.Connection, tmp_path: Path) -> None:
    later = mended(tmp_path, "2022-11-17, ", "2022-01-12, 2022-11-17, ")
    collect(connection, later, "2022-01-12")
    connection.execute("DELETE FROM certificates")
    collection.certify(connection, CALENDAR, CHART, [WEEK])
    assert standing_of(connection, CALENDAR, CHART, WEEK).extra == 60
    assert standing_of(connection, later, CHART, WEEK).extra == 0
    assert agrees(connection, later)


def test_a_bar_changed_by_hand_is_not_certified_anew(connection: sqlite3.Connection, tmp_path: Path) -> None:
    collect(connection, CALENDAR, "2022-01-10", "2022-01-11", "2022-01-12", "2022-01-13", "2022-01-14")
    connection.execute("UPDATE bars SET close = close + 1 WHERE time = ?", (at(dt.date(2022, 1, 12), 10),))
    later = mended(tmp_path, "2022-01-31, ", "2022-01-12, 2022-01-31, ")
    standing_of(connection, later, CHART, WEEK)
    assert not agrees(connection, later)


def test_days_that_the_calendar_does_not_know_are_collected_to_their_end(connection: sqlite3.Connection) -> None:
    """Charts of days begin in 1985: what a stop left of them must be asked for."""
    days = Chart(CHART.symbol, DAILY)
    collection.want(connection, days, 0)
    known = Span(at(dt.date(2002, 1, 2)), WEEK.until)
    connection.execute("INSERT INTO spans VALUES (?,?,?,?)", (DAILY, days.symbol, *known))
    assert collection.gaps(connection, CALENDAR, days, Span(0, WEEK.until)) == [Span(0, known.since)]
    beyond = Span(at(dt.date(2028, 1, 3)), at(dt.date(2028, 1, 4)))
    assert collection.gaps(connection, CALENDAR, days, beyond) == [beyond]
    weekend = Span(at(dt.date(2028, 1, 1)), at(dt.date(2028, 1, 3)))
    assert collection.gaps(connection, CALENDAR, days, weekend) == []
