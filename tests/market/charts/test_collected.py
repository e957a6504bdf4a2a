import datetime as dt
from typing import Any

import pytest

from actors.market.charts.certificate import DAILY, Chart
from actors.market.charts.collected import Collected, length, report, totals
from actors.market.charts.standing import Standing
from actors.market.time import at
from messages import Symbol

MONDAY, FRIDAY = at(dt.date(2022, 1, 10)), at(dt.date(2022, 1, 15))


def chart(**more: Any) -> Collected:
    standing = Standing(expected=1_910, present=1_900)._replace(
        **{name: more.pop(name) for name in Standing._fields if name in more}
    )
    known = {"since": MONDAY, "until": FRIDAY, "pages": 3, "bars": 900, "standing": standing}
    return Collected(chart=Chart(Symbol("005930"), 60), name="삼성전자", **(known | more))  # type: ignore[arg-type]


def test_a_whole_chart_is_a_line() -> None:
    said = report([chart(idle=10)])
    assert said == (
        "  005930  1 min  2022-01-10 - 2022-01-14  1,900 bars, 10 without trades, 0 missing of 1,910;"
        " 3 pages, 900 new  삼성전자\n"
        "  in all: 1 codes, 3 pages, 900 new bars, 0 missing, 0 in conflict, 0 adjusted; 0 of 1 charts not finished"
    )


def test_what_a_person_should_know_is_named() -> None:
    times = {MONDAY + minute * 60_000_000_000: None for minute in range(540, 552)}
    said = report(
        [
            chart(missing=10, holes=("2022-01-12",), conflicts=times, factors=[0.5], left_aside=7, replaced=2, extra=1),
            chart(asked=at(dt.date(2021, 1, 4)), failed="no answer"),
            Collected(chart=Chart(Symbol("000660"), DAILY)),
        ]
    )
    for words in (
        "missing on 2022-01-12",
        "12 bars in conflict, kept in set_aside: 2022-01-10 09:00",
        "2022-01-10 09:09 and 2 more",
        "adjusted by 0.5 since they were stored; the older ones were collected anew",
        "7 of them are not offered any more: they are in set_aside alone",
        "2 bars that no page had proven",
        "1 bars at times at which the calendar has no trading",
        "nothing before 2022-01-10 is offered, 2021-01-04 was asked for",
        "not finished: no answer",
        "000660    day  nothing yet",
    ):
        assert words in said


def test_the_summary_counts_codes_once_and_adds_the_rest() -> None:
    sums = totals([chart(missing=1), chart(missing=2, failed="why"), Collected(chart=Chart(Symbol("005930"), DAILY))])
    assert {name: sums[name] for name in ("symbols", "pages", "bars", "missing", "conflicts")} == {
        "symbols": 1,
        "pages": 6,
        "bars": 1_800,
        "missing": 3,
        "conflicts": 0,
    }
    assert sums["failed"] == ["005930 1 min: why"]
    assert sums["charts"][0]["until"] == "2022-01-14"


@pytest.mark.parametrize(("interval", "name"), [(1, "1 s"), (60, "1 min"), (3_600, "60 min"), (86_400, "day")])
def test_a_bars_length_is_told_in_the_unit_people_use(interval: int, name: str) -> None:
    assert length(interval) == name
