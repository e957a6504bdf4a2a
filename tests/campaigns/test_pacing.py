from pathlib import Path
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from actors.campaigns.pacing import ORDER_LIMITS, QUERY_LIMITS, Call, Schedule, Tally, campaign, draw, play, violated
from actors.gateways.port import Urgency
from actors.market.time import SECOND


def test_random_schedules_break_no_window_lose_no_call_and_keep_no_cancel_waiting() -> None:
    tally = campaign(3_000, seed=1)

    assert tally.ok
    assert tally.restarts > 10
    assert len(tally.waits) > 1_000


def test_one_call_too_many_is_seen(tmp_path: Path) -> None:
    times = [n * SECOND // 5 for n in range(6)]

    assert violated(times, ORDER_LIMITS) == "6 calls within 1.000 s, 5 in 1 s allowed"
    assert not violated([*times[:5], SECOND + 1], ORDER_LIMITS)
    assert not play(Schedule([Call(0, Urgency.CANCEL)] * 50), Tally(), tmp_path)


@given(st.lists(st.integers(0, 20 * SECOND), max_size=30).map(sorted))
def test_the_checker_agrees_with_counting_every_window(times: list[int]) -> None:
    crowded = any(
        sum(first <= time <= first + seconds * SECOND for time in times) > count
        for count, seconds in QUERY_LIMITS
        for first in times
    )

    assert bool(violated(times, QUERY_LIMITS)) == crowded


def test_a_seed_draws_the_same_schedule_again() -> None:
    assert draw(Random("1/7")) == draw(Random("1/7")) != draw(Random("1/8"))
