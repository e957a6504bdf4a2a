from typing import Any

import msgspec
import pytest

from actors.screener import Screener
from messages import (
    ConditionEntered,
    ConditionLeft,
    FeedRestored,
    Message,
    Nanoseconds,
    RankingChanged,
    Symbol,
    UniverseChanged,
    Venue,
)
from runtime.testing import Stage, in_virtual_time
from tests.fake_feed import FakeFeed
from tests.market.market_data import tick

CODES = [Symbol(f"{n:06d}") for n in range(10)]


async def started(feed: FakeFeed) -> Stage:
    stage = Stage(Screener(feed, top=3, slack=2, period=60), name="screener")
    await stage.start()
    return stage


def universes(stage: Stage) -> list[tuple[Symbol, ...]]:
    return [changed.symbols for changed in stage.heard(UniverseChanged)]


@in_virtual_time
async def test_the_first_by_trading_value_are_the_universe_and_it_is_said_once() -> None:
    feed = FakeFeed()
    feed.ranked = CODES
    stage = await started(feed)

    await stage.advance(200)

    assert universes(stage) == [tuple(CODES[:3])]
    assert len(stage.heard(RankingChanged)) > 3
    assert stage.heard(UniverseChanged)[0].universe == "screener"


@in_virtual_time
async def test_two_around_the_last_place_do_not_take_turns_but_a_clear_rise_enters() -> None:
    feed = FakeFeed()
    feed.ranked = CODES
    stage = await started(feed)
    feed.ranked = [CODES[0], CODES[1], CODES[3], CODES[2], *CODES[4:]]
    await stage.advance(61)
    feed.ranked = [CODES[7], CODES[0], CODES[1], CODES[2], *CODES[3:7]]
    await stage.advance(61)

    assert [sorted(universe) for universe in universes(stage)] == [CODES[:3], [CODES[0], CODES[1], CODES[7]]]


@in_virtual_time
async def test_between_two_answers_the_own_ticks_move_the_ranking() -> None:
    feed = FakeFeed()
    feed.ranked = CODES
    stage = await started(feed)

    stage.tell(tick(1, 1_000_000, symbol=CODES[8], volume=1_000))
    await stage.advance(11)

    assert universes(stage)[-1][0] == CODES[8]


@in_virtual_time
async def test_a_broker_that_does_not_answer_is_asked_again() -> None:
    feed = FakeFeed()
    feed.fails, feed.ranked = True, CODES
    stage = await started(feed)
    before = universes(stage)
    feed.fails = False
    await stage.advance(61)

    assert (before, len(universes(stage))) == ([], 1)


async def searching(feed: FakeFeed, **keys: Any) -> Stage:
    stage = Stage(Screener(feed, feed, top=3, slack=1, condition="급등주", **keys), name="screener")
    await stage.start()
    return stage


def changed(kind: type[ConditionEntered | ConditionLeft], symbol: Symbol, name: str = "급등주") -> Message:
    return kind(symbol=symbol, condition=name, time=Nanoseconds(0))


@in_virtual_time
async def test_a_condition_search_is_a_universe_that_issues_enter_and_leave() -> None:
    feed = FakeFeed()
    feed.ranked, feed.matched = CODES, CODES[4:6]
    stage = await searching(feed)
    stage.tell(changed(ConditionEntered, CODES[2]))
    stage.tell(changed(ConditionEntered, CODES[9], "another"))
    await stage.settle()
    stage.tell(changed(ConditionLeft, CODES[4]))
    await stage.advance(300)

    assert [sorted(universe) for universe in universes(stage)] == [
        CODES[4:6],
        [CODES[2], *CODES[4:6]],
        [CODES[2], CODES[5]],
    ]
    assert feed.searched == [("급등주", True)]


@in_virtual_time
async def test_a_search_that_is_not_followed_is_asked_again_and_one_that_was_cut_too() -> None:
    feed = FakeFeed()
    feed.matched, feed.follows = CODES[:2], False
    stage = await searching(feed)
    feed.matched, feed.follows = CODES[1:3], True
    await stage.advance(61)
    asked = len(feed.searched)
    await stage.advance(200)
    followed = len(feed.searched)
    stage.tell(FeedRestored(feed="kiwoom", time=Nanoseconds(0)))
    await stage.advance(1)

    assert (asked, followed, len(feed.searched)) == (2, 2, 3)
    assert [sorted(universe) for universe in universes(stage)] == [CODES[:2], CODES[1:3]]


@in_virtual_time
async def test_a_condition_asked_once_is_asked_each_period_and_never_followed() -> None:
    feed = FakeFeed()
    feed.matched = CODES[:2]
    stage = await searching(feed, live=False)
    await stage.advance(121)
    assert feed.searched == [("급등주", False)] * 3
    assert universes(stage) == [tuple(CODES[:2])]


@in_virtual_time
async def test_prints_of_another_venue_do_not_count() -> None:
    feed = FakeFeed()
    feed.ranked = CODES
    stage = await started(feed)
    stage.tell(msgspec.structs.replace(tick(1, 10**6, symbol=CODES[8], volume=1_000), venue=Venue.NXT))
    await stage.advance(11)
    assert universes(stage) == [tuple(CODES[:3])]


def test_a_condition_needs_somebody_who_searches() -> None:
    with pytest.raises(ValueError, match="searches"):
        Screener(FakeFeed(), condition="급등주")


@in_virtual_time
async def test_the_universe_of_another_venue_names_that_venues_codes() -> None:
    feed = FakeFeed()
    feed.ranked = CODES
    stage = Stage(Screener(feed, top=2, slack=1, venue=Venue.NXT), name="screener")
    await stage.start()
    await stage.advance(1)
    assert universes(stage) == [(Symbol("000000_NX"), Symbol("000001_NX"))]


@in_virtual_time
async def test_what_was_traded_yesterday_does_not_count_today() -> None:
    feed = FakeFeed()
    feed.ranked = CODES[:5]
    stage = await started(feed)
    stage.tell(tick(1, 9_000, symbol=CODES[4], volume=1_000_000))
    await stage.advance(86_400)

    values = {row.symbol: row.value for row in stage.heard(RankingChanged)[-1].rows}
    assert values[CODES[4]] == 995_000
