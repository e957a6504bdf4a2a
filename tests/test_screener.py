from actors.screener import Screener
from messages import RankingChanged, Symbol, UniverseChanged
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
