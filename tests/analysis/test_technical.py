from statistics import fmean, pstdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.analysis.technical import Rolling, Rsi


@given(st.lists(st.integers(1, 10**9), min_size=5, max_size=40))
def test_a_rolling_window_is_exact_however_long_it_runs(prices: list[int]) -> None:
    rolling = Rolling(5)
    for price in prices:
        rolling.add(price)

    assert rolling.mean == pytest.approx(fmean(prices[-5:]))
    assert rolling.deviation == pytest.approx(pstdev(prices[-5:]))


def test_a_window_that_is_not_full_is_not_ready() -> None:
    rolling = Rolling(3)
    rolling.add(1)
    rolling.add(2)

    assert (rolling.mean, rolling.deviation, rolling.score) == (None, None, None)


def test_a_price_that_does_not_move_has_no_score() -> None:
    rolling = Rolling(2)
    rolling.add(5)
    rolling.add(5)

    assert rolling.score is None


def test_the_strength_index_after_wilder() -> None:
    rsi = Rsi(2)
    values: list[float | None] = []
    for price in (100, 102, 101, 104):
        rsi.add(price)
        values.append(rsi.value)

    assert values[:2] == [None, None]
    assert values[2:] == [pytest.approx(100 * 1 / 1.5), pytest.approx(100 * 2 / 2.25)]
