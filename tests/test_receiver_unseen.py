"""Of an interval that nobody saw whole there is no bar."""

from actors.market.time import SECOND
from messages import Bar, DataLost, FeedLost, FeedRestored, Nanoseconds
from runtime.testing import in_virtual_time
from tests.fake_feed import FakeFeed
from tests.market.market_data import CODE, NINE, OTHER, tick
from tests.test_receiver import started, universe


@in_virtual_time
async def test_a_new_day_of_which_the_first_prints_were_not_seen_has_lost_nothing_and_no_bar_of_that_minute() -> None:
    feed = FakeFeed()
    stage = await started(feed, symbols=[CODE], intervals=[60])
    feed.give(tick(1, 100, 5, volume=5))
    await stage.advance(70)
    day = 86_400
    feed.give(tick(day + 10, 100, 1, volume=50), tick(day + 11, 100, 1, volume=51), tick(day + 70, 100, 1, volume=52))
    await stage.advance(day + 130)

    assert stage.heard(DataLost) == []
    assert [(bar.time - NINE) // (60 * SECOND) for bar in stage.heard(Bar)] == [0, day // 60 + 1]


@in_virtual_time
async def test_a_cut_feed_has_no_bar_of_what_it_missed() -> None:
    feed = FakeFeed()
    stage = await started(feed, symbols=[CODE], intervals=[60])
    feed.give(tick(5, 100, 5, volume=5), tick(20, 101, 5, volume=10))
    await stage.advance(30)
    feed.give(FeedLost(feed="kiwoom", time=Nanoseconds(0), reason="cut"))
    await stage.advance(120)
    feed.give(FeedRestored(feed="kiwoom", time=Nanoseconds(0)))
    feed.give(tick(150, 120, 1, volume=900), tick(160, 121, 1, volume=901), tick(185, 122, 1, volume=902))
    await stage.advance(120)
    assert [(bar.time - NINE, bar.volume) for bar in stage.heard(Bar)] == [(180 * SECOND, 1)]


@in_virtual_time
async def test_a_code_that_leaves_within_an_interval_has_no_bar_of_it() -> None:
    feed = FakeFeed()
    stage = await started(feed, intervals=[60])
    stage.tell(universe(CODE, OTHER))
    await stage.advance(60)
    feed.give(tick(0, 99, 1, volume=1), tick(61, 100, 10, volume=11), tick(61, 7, 1, symbol=OTHER, volume=1))
    await stage.advance(15)
    stage.tell(universe(OTHER))
    await stage.advance(60)
    assert [(bar.symbol, bar.time - NINE) for bar in stage.heard(Bar)] == [(CODE, 0), (OTHER, 60 * SECOND)]
