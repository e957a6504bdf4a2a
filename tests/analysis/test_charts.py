"""Lines are thinned without losing what is seen of them."""

from collections.abc import Iterator
from typing import Any

import pytest

from actors.analysis.charts import POINTS, Story, series, thin
from actors.analysis.performance import Fill, Point
from messages import Nanoseconds, Side, Symbol, Won


@pytest.mark.parametrize("count", [1, POINTS, POINTS + 1, 25_000])
def test_a_line_keeps_its_ends_and_its_extremes(count: int) -> None:
    path = [(i, (i * 7_919) % 1_009 + (5_000 if i == count // 2 else 0)) for i in range(count)]
    thinned = thin(path)
    assert len(thinned) <= POINTS
    assert thinned[0] == path[0]
    assert thinned[-1] == path[-1]
    assert thinned == sorted(set(thinned))
    assert max(price for _, price in thinned) == max(price for _, price in path)
    assert min(price for _, price in thinned) == min(price for _, price in path)


class Counted(list[Fill]):
    """Counts how often it is gone through."""

    times = 0

    def __iter__(self) -> Iterator[Fill]:
        self.times += 1
        return super().__iter__()


def test_the_fills_are_not_gone_through_for_each_issue_anew() -> None:
    fills = Counted(_fill(Symbol(f"{place % 50:06}"), side) for place in range(200) for side in Side)
    points = [Point(Nanoseconds(0), Won(1), Won(0))]
    found = series(Story(points=points, paths={}, fills=fills, trips=[], refusals={}, names={}))

    assert [(len(issue["buys"]), len(issue["sells"])) for issue in found["issues"]] == [(4, 4)] * 50
    assert fills.times <= 2


def _fill(symbol: Symbol, side: Side) -> Fill:
    terms: dict[str, Any] = {"quantity": 1, "amount": 100, "commission": 0, "tax": 0, "time": 0}
    return Fill(order=1, strategy="a", symbol=symbol, side=side, **terms)
