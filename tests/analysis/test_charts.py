"""Lines are thinned without losing what is seen of them."""

import pytest

from actors.analysis.charts import POINTS, thin


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
