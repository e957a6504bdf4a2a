"""A receiver that starts in the midst of things: what stands is watched, and prices wait for nobody."""

import asyncio
from collections.abc import Collection, Sequence

import pytest
from msgspec.structs import replace

from actors.gateways.playback import BarFeed
from actors.market.time import SECOND
from actors.receiver import Receiver
from messages import (
    Bar,
    DataLost,
    Instrument,
    Nanoseconds,
    OrderCanceled,
    OrderIntent,
    Purpose,
    Session,
    SessionChanged,
    Shares,
    Side,
    Symbol,
    Tick,
    UniverseChanged,
    Won,
)
from runtime.testing import Stage, in_virtual_time
from tests.fake_feed import STARTED, FakeFeed
from tests.market.market_data import CODE, NINE, OTHER, bar, tick
from tests.strategies.orders import reconciled


def intent() -> OrderIntent:
    return OrderIntent(
        symbol=CODE,
        side=Side.BUY,
        quantity=Shares(10),
        price=Won(1),
        purpose=Purpose.ENTRY,
        strategy="mine",
        reason="",
    )


@in_virtual_time
async def test_what_an_earlier_run_left_open_is_watched_from_the_first() -> None:
    feed = FakeFeed()
    stage = Stage(Receiver(feed, symbols=[OTHER]))
    await stage.start()
    stage.tell(replace(reconciled(), ordered=(CODE, Symbol("035720_NX"))), STARTED)

    assert feed.watched[0][0] == [CODE, "035720_NX", OTHER]


@in_virtual_time
async def test_an_order_of_which_a_stranger_took_back_a_part_is_watched_on() -> None:
    feed = FakeFeed()
    stage = Stage(Receiver(feed))
    await stage.start()
    stage.tell(STARTED)
    number = stage.tell(intent())
    part = OrderCanceled(
        order=number,
        symbol=CODE,
        strategy="mine",
        time=Nanoseconds(0),
        broker_order="1",
        canceled=Shares(3),
        open=Shares(7),
    )
    stage.tell(part, UniverseChanged(universe="screener", time=Nanoseconds(0), symbols=(OTHER,)))
    await stage.advance(2)

    assert feed.watched[-1][0] == [CODE, OTHER]


class SilentFeed(FakeFeed):
    """Its broker does not say a word about any issue until `answer` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = asyncio.Event()

    async def instruments(self, symbols: Collection[Symbol]) -> Sequence[Instrument]:
        await self.answer.wait()
        return await super().instruments(symbols)


@in_virtual_time
async def test_prices_do_not_wait_for_a_broker_who_says_nothing_of_their_issues() -> None:
    feed = SilentFeed()
    stage = Stage(Receiver(feed, symbols=[CODE]))
    await stage.start()
    stage.tell(STARTED)
    feed.give(tick(0, 100))
    await stage.advance(0.5)
    early = stage.heard(Tick)
    await stage.advance(1)
    late = stage.heard(Tick)
    feed.answer.set()
    await stage.advance(1)

    assert (early, len(late)) == ([], 1), "the day's data come first if they come at once"
    assert [one.symbol for one in stage.heard(Instrument)] == [CODE]


@in_virtual_time
async def test_a_session_that_begins_does_not_hold_up_the_prices_of_its_day() -> None:
    feed = SilentFeed()
    feed.answer.set()
    stage = Stage(Receiver(feed, symbols=[CODE]))
    await stage.start()
    stage.tell(STARTED)
    await stage.settle()
    feed.answer.clear()
    stage.tell(UniverseChanged(universe="screener", time=Nanoseconds(0), symbols=(OTHER,)))
    feed.give(SessionChanged(session=Session.CONTINUOUS, time=Nanoseconds(NINE)), tick(0, 100))
    await stage.settle()

    assert len(stage.heard(Tick)) == 1


@pytest.mark.parametrize("behind", [0.1, 2.0])
def test_bars_wait_for_prints_that_all_come_late_by_our_clock(behind: float) -> None:
    """A clock that is ahead of the exchange's, or a line that is slow: both look the same."""
    found: list[tuple[int, int]] = []

    @in_virtual_time
    async def run() -> None:
        feed = FakeFeed()
        stage = Stage(Receiver(feed, symbols=[CODE], intervals=[60]), start=NINE + round(behind * SECOND))
        await stage.start()
        stage.tell(STARTED)
        for quarter in range(4 * 64):
            made = tick(quarter / 4, 100, volume=quarter + 1)
            feed.give(replace(made, received=Nanoseconds(made.received + round(behind * SECOND))))
            await stage.advance(0.25)
        assert isinstance(stage.actor, Receiver)
        found.extend((bar.volume, stage.actor.counts["late_prints"]) for bar in stage.heard(Bar))

    run()
    assert found == [(240, 0)]


@in_virtual_time
async def test_one_print_that_comes_late_holds_up_no_bar() -> None:
    feed = FakeFeed()
    stage = Stage(Receiver(feed, symbols=[CODE], intervals=[60]))
    await stage.start()
    stage.tell(STARTED)
    for volume, second in enumerate((5, 30, 50), 1):
        await stage.advance(NINE / SECOND + second + 4 - stage.clock.now() / SECOND)
        made = tick(second, 100, volume=volume)
        feed.give(replace(made, received=Nanoseconds(made.received + 4 * SECOND)))
    await stage.advance(10)

    (bar,) = [envelope for envelope in stage.envelopes if isinstance(envelope.message, Bar)]
    assert bar.time == NINE + 60 * SECOND + SECOND // 5


@in_virtual_time
async def test_a_feed_of_bars_has_no_prints_to_lose() -> None:
    feed, given = FakeFeed(), BarFeed()
    stage = Stage(Receiver(feed, symbols=[CODE], intervals=[]))
    await stage.start()
    stage.tell(STARTED)
    for minute in range(5):
        feed.give(*given.given(bar(minute, 100, 110, 90, 105)))
        await stage.advance(60)

    assert isinstance(stage.actor, Receiver)
    assert (stage.heard(DataLost), stage.actor.counts["lost_shares"]) == ([], 0)
    assert len(stage.heard(Bar)) == 5


@in_virtual_time
async def test_what_is_known_better_by_now_of_an_issue_is_told_anew() -> None:
    feed = FakeFeed()
    stage = Stage(Receiver(feed, symbols=[CODE]))
    await stage.start()
    stage.tell(STARTED)
    await stage.settle()
    (told,) = stage.heard(Instrument)
    feed.give(replace(told, kospi200=True))
    await stage.settle()

    assert [one.kospi200 for one in stage.heard(Instrument)] == [False, True]
