from random import Random

import pytest
from msgspec.structs import replace

from actors.limits.clocks import Clocks
from actors.market.time import SECOND
from actors.risk import Risk
from messages import ApprovedOrder, Nanoseconds, Session, SessionChanged
from runtime.testing import START, Stage, in_virtual_time
from tests.account.records import NOON, listed, opened
from tests.ordering.fakes import FakeJournal
from tests.test_risk import NOW, intent, ready, refusals, tick

LIMIT = 2 * SECOND


def seen(*prints: tuple[float, float]) -> Clocks:
    """After prints at whole seconds of the exchange, received at these of ours."""
    clocks = Clocks()
    for theirs, ours in prints:
        clocks.compare(NOON + int(theirs) * SECOND, NOON + round(ours * SECOND))
    return clocks


def trips(clocks: Clocks) -> bool:
    return not -LIMIT <= clocks.ahead <= LIMIT + SECOND


def test_before_any_print_there_is_no_difference() -> None:
    assert Clocks().ahead == 0


@pytest.mark.parametrize("off", [3.1, 60.0, 3_600.0, 86_400.0, -2.1, -60.0, -3_600.0, -86_400.0])
def test_one_print_tells_of_a_clock_that_was_wrong_from_the_start(off: float) -> None:
    assert trips(seen((0, off)))


@pytest.mark.parametrize("off", [3.1, 60.0, 3_600.0, -2.1, -60.0, -3_600.0])
def test_a_clock_that_jumps_is_told_of_within_four_seconds_and_one_set_right_as_soon(off: float) -> None:
    before = [(n / 10, n / 10) for n in range(50)]
    wrong = [(n / 10, n / 10 + off) for n in range(50, 91)]
    right = [(n / 10, n / 10) for n in range(91, 132)]

    assert not trips(seen(*before))
    assert trips(seen(*before, *wrong))
    assert not trips(seen(*before, *wrong, *right))


def test_a_print_that_comes_late_says_nothing_however_rare_they_are() -> None:
    assert not trips(seen((0, 0.2), (600, 600.9), (1_200, 1_290.0)))
    assert not trips(seen((0, 0.2), (600, 690.0), (1_200, 1_200.9)))


@pytest.mark.parametrize("off", [-1.9, -1.0, 0.0, 1.5, 1.9])
def test_within_the_limit_no_delay_but_that_of_every_print_trips_it(off: float) -> None:
    rng, clocks, now = Random(1), Clocks(), 0.0
    arrivals: list[tuple[float, int]] = []
    for _ in range(5_000):
        now += rng.expovariate(20)
        arrivals.append((now + off + rng.choice((0.0, 0.0, 0.0, 0.5, 30.0)), int(now)))
    for ours, theirs in sorted(arrivals)[:4_000]:
        clocks.compare(NOON + theirs * SECOND, NOON + round(ours * SECOND))
        assert not trips(clocks)


@in_virtual_time
async def test_in_simulated_time_there_is_one_clock_and_old_prints_are_no_matter() -> None:
    stage = await ready()
    stage.tell(replace(tick(), time=Nanoseconds(START - 3_600 * SECOND)), intent())

    assert refusals(stage) == []


@in_virtual_time
async def test_by_the_wall_an_hour_between_the_clocks_stops_entries_until_they_agree() -> None:
    stage = Stage(Risk(FakeJournal()))
    stage.clock.name = "wall"
    await stage.start()
    stage.tell(opened(time=NOW), listed(), SessionChanged(session=Session.CONTINUOUS, time=NOW))
    stage.tell(replace(tick(), time=Nanoseconds(START - 3_600 * SECOND)), intent())
    stage.tell(tick(), intent(quantity=9))

    assert refusals(stage) == ["clock difference"]
    assert [order.quantity for order in stage.heard(ApprovedOrder)] == [9]
