"""Rows in an array: what comes out is what went in, and it stays small."""

import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.analysis.performance import Point
from actors.analysis.series import Series

FIGURE = st.integers(-(2**63), 2**63 - 1)
Pair = tuple[int, int]


def pairs(rows: Iterable[Pair]) -> Series[Pair]:
    series = Series[Pair](lambda figures: (*figures,), 2)  # type: ignore[arg-type,return-value]
    for row in rows:
        series.append(*row)
    return series


@given(st.lists(st.tuples(FIGURE, FIGURE)), st.slices(12))
def test_a_series_reads_like_the_list_of_its_rows(rows: list[Pair], some: slice) -> None:
    series = pairs(rows)
    assert list(series) == rows
    assert len(series) == len(rows)
    assert series[some] == rows[some]
    assert [series[-at] for at in range(1, len(rows) + 1)] == rows[::-1]


def test_a_row_has_the_class_it_is_made_with() -> None:
    points = Series(Point._make, len(Point._fields))
    points.append(1, 100, 50, 7)
    assert points[-1] == Point(1, 100, 50, 7)  # type: ignore[arg-type]
    assert points[-1].invested == 50


def test_there_is_no_row_beyond_the_last() -> None:
    with pytest.raises(IndexError):
        pairs([(1, 2)])[1]
    assert not pairs([])


def test_half_a_row_is_refused() -> None:
    with pytest.raises(ValueError, match="1 figures for a row of 2"):
        pairs([(1,)])  # type: ignore[list-item]


def test_a_row_takes_eight_bytes_a_figure() -> None:
    tracemalloc.start()
    series = pairs((10**18 + at, 10**9 + at) for at in range(10_000))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(series) == 10_000
    assert held < 200_000
