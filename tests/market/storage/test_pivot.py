"""Whatever was collected, stored and received, the day's bars come out whole: no gap, no overlap."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.market.bars import BarBuilder, start_of
from actors.market.storage.pivot import EVER, chained, join, unbroken
from actors.market.time import SECOND
from messages import Bar, Shares, Tick, Venue
from tests.market.market_data import CODE, NINE, tick

PRINTS = st.lists(st.tuples(st.integers(0, 600), st.integers(90, 110), st.integers(1, 50)), min_size=1, max_size=60)


@st.composite
def days(draw: st.DrawFn) -> list[Tick]:
    prints = sorted(draw(PRINTS), key=lambda row: row[0])
    volumes = accumulate(size for _, _, size in prints)
    return [
        tick(second, price, size, volume=volume) for (second, price, size), volume in zip(prints, volumes, strict=True)
    ]


def bars_of(ticks: Sequence[Tick], interval: int = 60) -> list[Bar]:
    builder = BarBuilder(CODE, Venue.KRX, interval)
    done = [bar for bar in map(builder.add, ticks) if bar is not None]
    last = builder.due(EVER)
    return [*done, last] if last else done


def charts(ticks: Sequence[Tick]) -> list[Bar]:
    """As a chart has them: without what only prints tell."""
    return [msgspec.structs.replace(bar, value=0, bought=0, sold=0, prints=0) for bar in bars_of(ticks)]  # type: ignore[arg-type]


def figures(bars: Sequence[Bar]) -> list[tuple[int, ...]]:
    return [(bar.time, bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars]


@given(days(), st.data())
def test_a_start_at_any_moment_after_any_interruption_gives_the_whole_days_bars(
    ticks: list[Tick], data: st.DataObject
) -> None:
    ended = data.draw(st.integers(0, len(ticks)), "prints stored by an earlier run")
    begun = data.draw(st.integers(0, ended), "its first print")
    again = data.draw(st.integers(0, len(ticks)), "the first live print")
    lost = data.draw(st.sets(st.integers(0, len(ticks) - 1), max_size=3), "stored prints that were lost")
    stored = [tick for place, tick in enumerate(ticks[:ended]) if place >= begun and place not in lost]

    joined = join(charts(ticks), stored, ticks[again:], 60, EVER)

    assert figures(joined.bars) == figures(bars_of(ticks))
    assert joined.missing in (0, None)
    assert all(earlier.time < later.time for earlier, later in pairwise(joined.bars))
    assert all(bar.time >= joined.pivot for bar in joined.bars if bar.prints)
    if again < len(ticks):
        assert all(bar.prints for bar in joined.bars if bar.time >= joined.pivot)


@given(days(), st.data())
def test_minutes_that_were_not_collected_are_told_to_the_share(ticks: list[Tick], data: st.DataObject) -> None:
    again = data.draw(st.integers(0, len(ticks) - 1), "the first live print")
    chart = charts(ticks)
    kept = data.draw(st.sets(st.integers(0, len(chart) - 1)), "collected minutes")
    joined = join([bar for place, bar in enumerate(chart) if place in kept], (), ticks[again:], 60, EVER)
    gone = sum(bar.volume for place, bar in enumerate(chart) if place not in kept and bar.time < joined.pivot)
    assert joined.missing in (gone, None)


@given(days(), st.integers(0, 700))
def test_an_interval_under_way_is_no_bar_yet(ticks: list[Tick], second: int) -> None:
    until = NINE + second * SECOND
    joined = join(charts(ticks), ticks, (), 60, until)
    assert figures(joined.bars) == [row for row in figures(bars_of(ticks)) if row[0] + 60 * SECOND <= until]


def test_a_page_that_was_asked_too_early_shows_as_missing() -> None:
    ticks = [tick(second, 100, 5, volume=5 * n) for n, second in enumerate((10, 50, 70, 110, 130), 1)]
    early = charts(ticks[:3])
    assert join(early, (), ticks[3:], 60, EVER).missing == 5
    assert join(charts(ticks), (), ticks[3:], 60, EVER).missing == 0


def test_prints_come_once_whatever_the_parts_share_and_only_the_newest_unbroken_ones_count() -> None:
    ticks = [tick(n, 100, 1, volume=n) for n in range(1, 10)]
    assert chained(ticks[:6], ticks[3:], [tick(5, 100, 0, volume=5)]) == ticks
    assert unbroken([*ticks[:3], *ticks[4:]]) == ticks[4:]
    assert unbroken([]) == []
    assert chained([msgspec.structs.replace(ticks[0], size=Shares(0))]) == []


@pytest.mark.parametrize("interval", [1, 60, 300])
def test_the_days_first_print_makes_its_own_interval_whole(interval: int) -> None:
    ticks = [tick(30, 100, 5, volume=5), tick(31, 100, 1, volume=6)]
    assert join((), (), ticks, interval, EVER).pivot == start_of(ticks[0].time, interval)
    assert join((), (), ticks[1:], interval, EVER).pivot == start_of(ticks[1].time, interval) + interval * SECOND
