import pytest

from actors.market.lateness import Lateness
from actors.market.time import SECOND
from tests.market.market_data import NINE


def behind(lateness: Lateness, *late: float, begin: int = NINE, every: float = 0.3) -> int:
    """Prints every so many seconds, so much later than they were made."""
    for place, seconds in enumerate(late):
        made = begin + round(place * every * SECOND)
        lateness.note(made - made % SECOND, made + round(seconds * SECOND))
    return lateness.behind


@pytest.mark.parametrize(("late", "seconds"), [(0.2, 0), (1.5, 1.5), (3.0, 3.0), (60.0, 5.0), (-3.0, 0)])
def test_what_all_prints_have_in_common_is_how_late_they_are(late: float, seconds: float) -> None:
    assert behind(Lateness(), *[late] * 60) == pytest.approx(seconds * SECOND, abs=SECOND / 5)  # pyright: ignore[reportUnknownMemberType]


def test_few_prints_or_one_that_is_in_time_show_no_lateness() -> None:
    assert behind(Lateness(), *[3.0] * 30) == 0
    assert behind(Lateness(), *[3.0] * 10, 0.1, *[3.0] * 30) == 0


def test_a_burst_at_the_end_of_a_second_is_not_late() -> None:
    assert behind(Lateness(), *[0.01] * 100, begin=NINE + 9 * SECOND // 10, every=0.0001) == 0


def test_the_second_before_in_between_is_no_further_second() -> None:
    """One market's prints are on a slower line than another's: at the end of a second all of them look late."""
    lateness = Lateness()
    for place in range(200):
        made = NINE + (place % 2) * SECOND
        lateness.note(made, NINE + 19 * SECOND // 10 + place)
    assert lateness.behind == 0


def test_it_is_over_once_prints_are_in_time_again_and_by_a_clock_that_was_set_back() -> None:
    lateness = Lateness()
    assert behind(lateness, *[2.0] * 60)
    assert behind(lateness, *[0.1] * 60, begin=NINE - 3_600 * SECOND) == 0
