from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.limits.activity import REPEATED, Activity
from actors.limits.rule import Limits, View
from actors.market.time import SECOND
from messages import ApprovedOrder, OrderIntent, OrderRefused, ResumeTrading, Side, StrategyDisabled
from runtime.testing import Stage, in_virtual_time
from tests.account.records import CODE, NOON, OTHER, accepted, approval, holding, listed
from tests.limits.world import LIMITS, disabled, entered, leave, limits, refusal, rich, sent, view, wish
from tests.ordering.fakes import FakeJournal
from tests.test_risk import intent, ready, refusals, tick

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
PAST_NOON = 3 * 3_600 + 60
"""Seconds from the stage's start to a minute after what a FakeJournal holds."""

Case = tuple[OrderIntent, View, Limits, str, dict[str, Any], Any]

REFUSED: list[Case] = [
    (
        wish(strategy="another"),
        view(activity=entered(NOON - SECOND)),
        LIMITS,
        "duplicate",
        {"quantity": 10, "price": 10_000, "seconds": 1.0},
        5.0,
    ),
    (
        wish(),
        view(activity=entered(NOON - 3 * HOUR, NOON - 2 * HOUR, NOON - HOUR)),
        LIMITS,
        "alike a day",
        {"quantity": 10, "price": 10_000, "alike": 3},
        3,
    ),
    (
        wish(price=9_980),
        view(activity=entered(*(NOON - n * MINUTE for n in (9, 8, 7, 6, 5)))),
        LIMITS,
        REPEATED,
        {"times": 5, "last": 10_000, "seconds": 540.0},
        5,
    ),
    (wish(), view(activity=disabled()), LIMITS, "strategy disabled", {"repeated in": CODE}, "a person resumes"),
]


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_too_alike_is_refused_by_its_own_figures(case: Case) -> None:
    asked, world, allowed, *no = case

    assert refusal(asked, rich(), world, allowed) == tuple(no)


@pytest.mark.parametrize(
    ("asked", "world", "allowed"),
    [
        (wish(quantity=11), view(activity=entered(NOON - SECOND)), LIMITS),
        (wish(symbol=OTHER), view(activity=entered(NOON - SECOND)), LIMITS),
        (wish(), view(activity=entered(NOON - SECOND)), limits(duplicate_seconds=0.0)),
        (wish(), view(activity=entered(NOON - 2 * HOUR, NOON - HOUR)), LIMITS),
        (wish(), view(activity=entered(*[NOON - DAY] * 3)), LIMITS),
        (wish(), view(activity=entered(*(NOON - n * HOUR for n in (3, 2, 1)))), limits(max_alike_day=0)),
        (wish(price=9_980), view(activity=entered(*(NOON - n * MINUTE for n in (10, 8, 7, 6, 5)))), LIMITS),
        (wish(price=9_980), view(activity=entered(*(NOON - n * MINUTE for n in (4, 3, 2, 1)))), LIMITS),
        (wish(price=9_980), view(activity=entered(*[NOON - MINUTE] * 9)), limits(max_repeats=0)),
        (wish(price=9_980, strategy="another"), view(activity=entered(*[NOON - MINUTE] * 9)), LIMITS),
        (wish(strategy="another"), view(activity=disabled()), LIMITS),
        (wish(), view(activity=sent(*[NOON - DAY] * 500)), LIMITS),
    ],
)
def test_what_is_new_or_long_ago_or_somebody_elses_passes(asked: OrderIntent, world: View, allowed: Limits) -> None:
    assert refusal(asked, rich(), world, allowed) is None


def test_a_new_last_price_is_news() -> None:
    world = view(activity=entered(*[NOON - MINUTE] * 9))
    world.quotes[CODE].last = 9_990

    assert refusal(wish(price=9_980), rich(), world) is None


def test_nothing_of_this_holds_up_an_exit() -> None:
    world = view(activity=entered(*[NOON - 1] * 90))
    world.activity.disabled["momentum"] = CODE

    assert refusal(wish(), rich(), world) is not None
    assert refusal(leave(), holding(), world) is None


async def repeat_itself(stage: Stage) -> None:
    """Entries on other terms each minute, while the last price stays where it is."""
    for step in range(6):
        stage.tell(tick(time=stage.clock.now()), intent(quantity=step + 1, price=9_000))
        await stage.advance(60)
    stage.tell(tick(time=stage.clock.now()))


@in_virtual_time
async def test_a_strategy_that_repeats_itself_is_disabled_until_a_person_resumes() -> None:
    stage = await ready()
    await repeat_itself(stage)
    stage.tell(tick(10_010, stage.clock.now()), intent(quantity=7, price=9_000), intent(strategy="sober", quantity=8))
    assert refusals(stage) == [REPEATED, "strategy disabled"]
    assert [order.strategy for order in stage.heard(ApprovedOrder)] == ["momentum"] * 5 + ["sober"]
    assert stage.heard(StrategyDisabled) == [StrategyDisabled(strategy="momentum", symbol=CODE, repeats=5)]
    assert StrategyDisabled.alarm
    stage.tell(ResumeTrading(by="a person"), intent(quantity=7, price=9_000))

    assert stage.heard(ApprovedOrder)[-1].strategy == "momentum"


@in_virtual_time
async def test_a_restart_enables_nobody_and_a_person_does() -> None:
    first = await ready()
    await repeat_itself(first)
    past = [listed(), *first.heard(ApprovedOrder), *first.heard(OrderRefused)]
    stage = await ready(journal=FakeJournal(*past))
    stage.tell(intent(quantity=7, price=9_000))
    assert refusals(stage) == ["strategy disabled"]

    stage = await ready(journal=FakeJournal(*past, ResumeTrading(by="a person")))
    await stage.advance(PAST_NOON)
    stage.tell(tick(time=stage.clock.now()), intent(quantity=7, price=9_000))
    assert refusals(stage) == []


@in_virtual_time
async def test_a_restart_forgets_no_entry_of_the_day() -> None:
    past = [listed(), *(message for n in (1, 2, 3) for message in (approval(n), accepted(n, str(n))))]
    stage = await ready(cash=10_000_000, journal=FakeJournal(*past))
    await stage.advance(PAST_NOON)
    stage.tell(tick(time=stage.clock.now()), intent(), intent(quantity=9))

    assert refusals(stage) == ["alike a day"]
    assert [order.quantity for order in stage.heard(ApprovedOrder)] == [9]


@in_virtual_time
async def test_of_two_intents_in_one_turn_the_second_knows_of_the_first() -> None:
    stage = await ready()
    stage.bus.publish(intent(), "stage")
    stage.bus.publish(intent(strategy="another"), "stage")
    await stage.settle()

    assert len(stage.heard(ApprovedOrder)) == 1
    assert refusals(stage) == ["duplicate"]


def test_sides_are_told_apart() -> None:
    world = view(activity=entered(NOON - SECOND, side=Side.SELL))

    assert refusal(wish(), rich(), world) is None


@given(st.lists(st.integers(0, 5), max_size=40), st.integers(0, 5))
def test_each_day_counts_its_own_however_the_clock_went(days: list[int], today: int) -> None:
    activity = Activity()
    for day in days:
        activity.fold(approval(), NOON + day * DAY)
    activity.begin(NOON + today * DAY)

    assert activity.sent == [NOON + today * DAY] * days.count(today)
    assert sum(map(len, activity.alike.values())) == days.count(today)
    assert sum(map(len, activity.fired.values())) == days.count(today)
