import csv
import datetime as dt
import gzip
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import to_builtins

from actors.market.bars import BarBuilder, group, start_of
from actors.market.time import KST, SECOND, at, kst
from messages import Aggressor, Bar, Nanoseconds, Shares, Symbol, Tick, Venue, Won

MINUTES = Path(__file__).resolve().parents[3] / "shared" / "data" / "minute"
CODE = Symbol("005930")
NINE = at(dt.date(2025, 9, 2), 9)


def tick(second: int, price: int, size: int = 1, side: Aggressor = Aggressor.NONE) -> Tick:
    time = Nanoseconds(NINE + second * SECOND)
    won, shares = Won(0), Shares(0)
    return Tick(
        symbol=CODE,
        time=time,
        received=time,
        price=Won(price),
        size=Shares(size),
        side=side,
        volume=shares,
        value=won,
        ask=won,
        bid=won,
        open=won,
        high=won,
        low=won,
        strength=0.0,
    )


def minute_builder() -> BarBuilder:
    return BarBuilder(CODE, Venue.KRX, 60)


def test_a_bar_holds_everything_its_prints_say() -> None:
    builder = minute_builder()
    for print_ in (tick(0, 100, 5, Aggressor.BUYER), tick(1, 120, 2), tick(30, 90, 3, Aggressor.SELLER)):
        assert builder.add(print_) is None

    expected = Bar(
        symbol=CODE,
        interval=60,
        time=NINE,
        open=Won(100),
        high=Won(120),
        low=Won(90),
        close=Won(90),
        volume=Shares(10),
        value=Won(1_010),
        bought=Shares(5),
        sold=Shares(3),
        prints=3,
    )
    assert to_builtins(builder.due(NINE + 60 * SECOND)) == to_builtins(expected)


def test_a_bar_is_due_at_its_end_and_only_once() -> None:
    builder = minute_builder()
    builder.add(tick(59, 100))

    assert builder.due(NINE + 60 * SECOND - 1) is None
    assert builder.due(NINE + 60 * SECOND) is not None
    assert builder.due(NINE + 61 * SECOND) is None


def test_without_a_print_there_is_no_bar() -> None:
    builder = minute_builder()
    builder.add(tick(0, 100))
    builder.due(NINE + 60 * SECOND)

    assert builder.due(NINE + 600 * SECOND) is None


def test_the_next_print_gives_out_the_bar_that_nobody_asked_for() -> None:
    builder = minute_builder()
    builder.add(tick(0, 100))

    done = builder.add(tick(180, 200))

    assert done is not None
    assert (done.time, done.close) == (NINE, 100)
    following = builder.due(NINE + 240 * SECOND)
    assert following is not None
    assert (following.time, following.open, following.prints) == (NINE + 180 * SECOND, 200, 1)


def test_a_print_of_a_bar_already_given_out_is_counted_and_changes_nothing() -> None:
    builder = minute_builder()
    builder.add(tick(0, 100))
    builder.due(NINE + 60 * SECOND)

    assert builder.add(tick(59, 999)) is None
    assert builder.late == 1
    assert builder.due(NINE + 120 * SECOND) is None


def test_a_print_older_than_the_running_bar_is_late_too() -> None:
    builder = minute_builder()
    builder.add(tick(60, 100))
    builder.add(tick(59, 999))

    bar = builder.due(NINE + 120 * SECOND)

    assert builder.late == 1
    assert bar is not None
    assert (bar.high, bar.prints) == (100, 1)


def test_days_begin_at_midnight_in_korea() -> None:
    date = dt.date(2025, 9, 2)

    assert start_of(at(date, 8, 59), 86_400) == at(date)
    assert start_of(at(date, 9, 59, 59), 3_600) == at(date, 9)


@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(1, 500), st.integers(1, 99)), min_size=1, max_size=60),
    st.sampled_from((1, 10, 60)),
    st.booleans(),
)
def test_no_print_is_lost_between_bars_and_the_late_count(
    prints: list[tuple[int, int, int]], interval: int, by_clock: bool
) -> None:
    builder = BarBuilder(CODE, Venue.KRX, interval)
    bars: list[Bar | None] = []
    for second, price, size in prints:
        bars.append(builder.add(tick(second, price, size)))
        if by_clock:
            bars.append(builder.due(NINE + second * SECOND))
    bars.append(builder.due(NINE + 10_000 * SECOND))
    given_out = [bar for bar in bars if bar]

    assert sum(bar.prints for bar in given_out) + builder.late == len(prints)
    assert [bar.time for bar in given_out] == sorted({bar.time for bar in given_out})
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in given_out)


@given(st.lists(st.tuples(st.integers(0, 4_000), st.integers(1, 500)), min_size=1, max_size=80))
def test_grouped_bars_are_the_bars_built_from_the_prints(prints: list[tuple[int, int]]) -> None:
    ordered = [tick(second, price) for second, price in sorted(prints, key=lambda pair: pair[0])]

    assert to_builtins(list(group(_built(ordered, 10), 60))) == to_builtins(_built(ordered, 60))


def _built(ticks: list[Tick], interval: int) -> list[Bar]:
    builder = BarBuilder(CODE, Venue.KRX, interval)
    bars = [builder.add(print_) for print_ in ticks] + [builder.due(NINE + 10_000 * SECOND)]
    return [bar for bar in bars if bar]


def test_bars_that_do_not_fill_the_longer_interval_are_refused() -> None:
    with pytest.raises(ValueError, match="bars of 60 seconds do not fill bars of 90"):
        list(group(_built([tick(0, 100)], 60), 90))


def test_real_minutes_group_to_the_hours_that_kiwoom_itself_gives() -> None:
    minutes = _recorded("226490_1m_*.csv.gz", "226490", 60)
    kiwoom = _recorded("kiwoom_60m_3etf_*.csv.gz", "226490", 3_600)
    hours = list(group(minutes, 3_600))
    first, last = hours[0].time, hours[-1].time

    assert len(hours) > 1_200
    assert to_builtins(hours) == to_builtins([bar for bar in kiwoom if first <= bar.time <= last])


def test_a_liquid_fund_has_382_minutes_a_day_and_322_when_the_year_opens_at_ten() -> None:
    minutes = _recorded("069500_1m_*.csv.gz", "069500", 60)
    days = list(group(minutes, 86_400))
    counts = Counter(kst(bar.time).date() for bar in minutes)

    assert [kst(day.time).date() for day in days] == sorted(counts)
    assert sum(day.volume for day in days) == sum(bar.volume for bar in minutes)
    assert Counter(counts.values()) == {382: len(days) - 2, 381: 1, 322: 1}
    assert counts[dt.date(2022, 1, 3)] == 322


def _recorded(pattern: str, code: str, interval: int) -> list[Bar]:
    paths = sorted(MINUTES.glob(pattern))
    if not paths:
        pytest.skip(f"no {pattern} in {MINUTES}")
    with gzip.open(paths[0], "rt", encoding="utf-8") as file:
        return [_bar(row, code, interval) for row in csv.DictReader(file) if row.get("code", code) == code]


def _bar(row: dict[str, str], code: str, interval: int) -> Bar:
    return Bar(
        symbol=Symbol(code),
        interval=interval,
        time=Nanoseconds(int(_moment(row["date"]).timestamp()) * SECOND),
        open=Won(int(row["open"])),
        high=Won(int(row["high"])),
        low=Won(int(row["low"])),
        close=Won(int(row["close"])),
        volume=Shares(int(row["volume"])),
        value=Won(0),
    )


def _moment(text: str) -> dt.datetime:
    return dt.datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=KST)
