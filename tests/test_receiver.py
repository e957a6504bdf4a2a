"""The receiver over a feed of a test: what it publishes, what it watches, what it counts."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from actors.market.storage import store
from actors.market.time import SECOND
from actors.receiver import Receiver
from messages import (
    Bar,
    DataLost,
    DataRestored,
    FeedEnded,
    Instrument,
    Nanoseconds,
    OrderFilled,
    OrderIntent,
    Position,
    Purpose,
    Reconciled,
    Shares,
    Side,
    StopSystem,
    Symbol,
    Tick,
    UniverseChanged,
    Won,
)
from runtime.clock import SteppedClock
from runtime.disk.database import Database
from runtime.testing import Stage, in_virtual_time
from tests.fake_feed import STARTED, FakeFeed
from tests.market.market_data import CODE, NINE, OTHER, book, tick
from tests.market.storage import writing

HELD = Symbol("035720")


async def started(feed: FakeFeed, **options: object) -> Stage:
    stage = Stage(Receiver(feed, **options))  # type: ignore[arg-type]
    await stage.start()
    stage.tell(STARTED)
    await stage.settle()
    return stage


def universe(*symbols: Symbol) -> UniverseChanged:
    return UniverseChanged(universe="screener", time=Nanoseconds(0), symbols=symbols)


def intent(symbol: Symbol) -> OrderIntent:
    return OrderIntent(
        symbol=symbol,
        side=Side.BUY,
        quantity=Shares(1),
        price=Won(1),
        purpose=Purpose.ENTRY,
        strategy="s",
        reason="",
    )


@in_virtual_time
async def test_prints_and_books_are_published_in_the_order_they_came() -> None:
    feed = FakeFeed()
    stage = await started(feed, symbols=[CODE])
    messages = [book(0, [(101, 1)], [(100, 1)]), tick(0, 101), tick(0.1, 100)]

    feed.give(*messages)
    await stage.settle()

    assert [message for message in stage.said if not isinstance(message, Instrument)] == messages


@in_virtual_time
async def test_a_bar_that_traded_is_published_at_its_end_without_another_print_and_no_trade_is_no_bar() -> None:
    feed = FakeFeed()
    stage = await started(feed, symbols=[CODE])
    feed.give(tick(0.1, 100, 3), tick(0.5, 102, 2))
    await stage.settle()

    await stage.advance(1.1)
    early = stage.heard(Bar)
    await stage.advance(0.2)
    await stage.advance(120)

    assert early == []
    assert [(bar.interval, bar.open, bar.close, bar.volume) for bar in stage.heard(Bar)] == [
        (1, 100, 102, 5),
        (60, 100, 102, 5),
    ]
    published = {e.message.interval: e.time - NINE for e in stage.envelopes if isinstance(e.message, Bar)}
    assert published == {1: 1_200_000_000, 60: 60_200_000_000}


@in_virtual_time
async def test_a_tick_of_size_0_makes_no_bar() -> None:
    feed = FakeFeed()
    stage = await started(feed, symbols=[CODE])

    feed.give(tick(0, 100, 0))
    await stage.advance(100)

    assert stage.heard(Bar) == []
    assert len(stage.heard(Tick)) == 1


@in_virtual_time
async def test_held_and_ordered_codes_come_first_and_stay_until_the_order_ends() -> None:
    feed = FakeFeed()
    stage = await started(feed, books=2)
    position = Position(symbol=HELD, quantity=Shares(3), cost=Won(9))
    stage.tell(
        Reconciled(time=Nanoseconds(0), cash=Won(0), positions=(position,), open_orders=0, differences=(), start=True)
    )
    number = stage.tell(intent(CODE))
    stage.tell(universe(OTHER))
    await stage.advance(2)
    with_order = feed.watched[-1]

    stage.tell(filled(number))
    stage.tell(universe())
    await stage.advance(2)

    assert with_order == ([CODE, HELD, OTHER], [CODE, HELD])
    assert feed.watched[-1] == ([HELD, CODE], [HELD, CODE])


@in_virtual_time
async def test_a_storm_of_universes_is_one_registration_a_second() -> None:
    feed = FakeFeed()
    stage = await started(feed)

    for _ in range(100):
        stage.tell(universe(CODE))
        stage.tell(universe(CODE, OTHER))
    await stage.advance(5)

    assert feed.watched == [([], []), ([CODE, OTHER], [CODE, OTHER])]


@in_virtual_time
async def test_each_code_is_announced_once_and_again_after_a_failed_query() -> None:
    feed = FakeFeed()
    stage = await started(feed, symbols=[CODE])
    feed.fails = True
    stage.tell(universe(OTHER))
    await stage.advance(3)
    feed.fails = False
    await stage.advance(3)
    stage.tell(universe(OTHER, CODE))
    await stage.advance(3)

    assert [instrument.symbol for instrument in stage.heard(Instrument)] == [CODE, OTHER]


@in_virtual_time
async def test_lost_volume_and_disorder_are_counted() -> None:
    feed = FakeFeed()
    stage = await started(feed, symbols=[CODE])

    feed.give(tick(1, 100, 5, volume=5), tick(2, 100, 1, volume=10), tick(1, 100, 1, volume=6))
    await stage.settle()

    assert isinstance(stage.actor, Receiver)
    counts = {"ticks": 3, "books": 0, "bars": 1, "out_of_order": 1, "lost_shares": 3, "unknown_codes": 0}
    assert stage.actor.counts == counts | {"late_prints": 1, "repeated": 0}


@in_virtual_time
async def test_a_loss_is_told_within_a_second_once_a_burst_and_over_when_calm() -> None:
    feed = FakeFeed()
    stage = await started(feed, symbols=[CODE, OTHER], calm=5.0)
    feed.give(tick(1, 100, 5, volume=5), tick(1, 100, 1, volume=10), tick(1, 90, 1, symbol=OTHER, volume=1))
    await stage.settle()
    begun = stage.clock.now()
    feed.give(tick(1, 90, 1, symbol=OTHER, volume=9), tick(1, 100, 1, volume=20))
    await stage.advance(0.9)
    told = [[(row.symbol, row.shares, row.total) for row in lost.rows] for lost in stage.heard(DataLost)]
    times = [lost.time - begun for lost in stage.heard(DataLost)]
    feed.give(tick(2, 100, 1, volume=25))
    await stage.advance(20)

    assert told == [[(CODE, 13, 13), (OTHER, 7, 7)]]
    assert max(times) <= 1_000_000_000
    assert [[row.shares for row in lost.rows] for lost in stage.heard(DataLost)[1:]] == [[4]]
    restored = [(row.symbol, row.shares) for over in stage.heard(DataRestored) for row in over.rows]
    assert restored == [(OTHER, 7), (CODE, 17)]


@in_virtual_time
async def test_a_print_that_was_only_late_is_not_lost_and_a_repeated_one_loses_nothing() -> None:
    feed = FakeFeed()
    stage = await started(feed, symbols=[CODE])
    feed.give(tick(1, 100, 5, volume=5), tick(1, 100, 2, volume=10), tick(1, 100, 3, volume=8))
    feed.give(tick(1, 100, 2, volume=10), tick(2, 100, 1, volume=11))
    await stage.advance(20)

    assert isinstance(stage.actor, Receiver)
    assert stage.actor.counts["lost_shares"] == 0
    assert (stage.heard(DataLost), stage.heard(DataRestored)) == ([], [])


@in_virtual_time
async def test_an_interval_that_was_not_seen_from_its_start_has_no_bar() -> None:
    feed = FakeFeed()
    stage = await started(feed)
    stage.tell(universe(CODE))
    await stage.advance(2)
    feed.give(tick(10, 100, 1, volume=50), tick(50, 100, 1, volume=51), tick(70, 101, 1, volume=52))
    await stage.advance(68)
    stage.tell(universe())
    await stage.advance(2)
    stage.tell(universe(CODE))
    await stage.advance(2)
    feed.give(tick(75, 102, 1, volume=60), tick(130, 103, 1, volume=61))
    await stage.advance(130)

    minutes = [(bar.time - NINE) // 60_000_000_000 for bar in stage.heard(Bar) if bar.interval == 60]
    assert minutes == [2]
    assert [bar.close for bar in stage.heard(Bar) if bar.interval == 1] == [100, 101, 103]


def store_prints(folder: Path, prints: Sequence[Tick]) -> None:
    async def write() -> None:
        async with Database(folder / store.FILE, migrations=store.MIGRATIONS, clock=SteppedClock(NINE)) as database:
            await database.run(lambda connection: writing.write_ticks(connection, enumerate(prints, 1)))

    asyncio.run(write())


def minutes_of_a_start(folder: Path, stored: Sequence[Tick], *live: Tick) -> list[tuple[int, int, int, int]]:
    """Minute, open, volume and prints of each bar of a minute, after a start at 09:01:15."""
    found: list[Bar] = []
    store_prints(folder, stored)

    @in_virtual_time
    async def run() -> None:
        feed = FakeFeed()
        stage = Stage(Receiver(feed, symbols=[CODE]), data=folder, start=NINE + 75 * SECOND)
        await stage.start()
        stage.tell(STARTED)
        await stage.settle()
        feed.give(*live)
        await stage.advance(120)
        found.extend(bar for bar in stage.heard(Bar) if bar.interval == 60)

    run()
    return [((bar.time - NINE) // (60 * SECOND), bar.open, bar.volume, bar.prints) for bar in found]


EARLIER = (tick(50, 90, 7, volume=1_000), tick(61, 91, 2, volume=1_002), tick(70, 92, 3, volume=1_005))


@pytest.mark.parametrize(
    ("stored", "first", "bars"),
    [
        pytest.param(EARLIER, 1_005, [(1, 91, 15, 4), (2, 99, 1, 1)], id="nothing traded meanwhile"),
        pytest.param(EARLIER[:1], 1_000, [(1, 97, 10, 2), (2, 99, 1, 1)], id="nothing traded in it before"),
        pytest.param(EARLIER, 1_006, [(2, 99, 1, 1)], id="a print is missing"),
        pytest.param(EARLIER[1:], 1_005, [(2, 99, 1, 1)], id="one may be missing at its start"),
        pytest.param([tick(61, 91, 2, volume=2)], 2, [(1, 91, 12, 3), (2, 99, 1, 1)], id="the day's first"),
        pytest.param([tick(50, 91, 2, volume=9_000)], 2_000, [(2, 99, 1, 1)], id="of another day's volume"),
        pytest.param([], 1_005, [(2, 99, 1, 1)], id="nothing stored"),
    ],
)
def test_the_minute_a_start_falls_in_is_whole_if_what_was_stored_leads_to_the_first_live_print(
    stored: Sequence[Tick], first: int, bars: list[tuple[int, int, int, int]], tmp_path: Path
) -> None:
    live = [tick(76, 97, 4, volume=first + 4), tick(80, 96, 6, volume=first + 10), tick(125, 99, volume=first + 11)]
    assert minutes_of_a_start(tmp_path, stored, *live) == bars


def test_a_store_that_cannot_be_read_costs_a_bar_and_no_more(tmp_path: Path) -> None:
    (tmp_path / store.FILE).write_bytes(b"no database at all" * 100)

    @in_virtual_time
    async def run() -> None:
        feed = FakeFeed()
        stage = Stage(Receiver(feed, symbols=[CODE]), data=tmp_path, start=NINE)
        await stage.start()
        stage.tell(STARTED)
        await stage.settle()
        feed.give(tick(1, 100, 5, volume=5))
        await stage.settle()
        assert not stage.heard(Bar)
        ticks.extend(stage.heard(Tick))

    ticks: list[Tick] = []
    with capture_logs() as logged:
        run()
    assert [line["event"] for line in logged] == ["what was stored cannot be read: no bar of this minute"]
    assert [one.price for one in ticks] == [100]


@in_virtual_time
async def test_what_traded_while_a_code_was_not_watched_or_on_another_day_is_not_lost() -> None:
    feed = FakeFeed()
    stage = await started(feed)
    stage.tell(universe(CODE))
    await stage.advance(2)
    feed.give(tick(1, 100, 5, volume=5))
    stage.tell(universe())
    await stage.advance(2)
    stage.tell(universe(CODE))
    await stage.advance(2)
    feed.give(tick(9, 100, 5, volume=500), tick(86_400, 100, 1, volume=1), tick(86_401, 100, 1, volume=2))
    await stage.advance(2)

    assert stage.heard(DataLost) == []


@in_virtual_time
async def test_the_end_of_the_feed_closes_the_bars_and_stops_the_system() -> None:
    feed = FakeFeed()
    stage = await started(feed, symbols=[CODE])

    feed.give(tick(0, 100), FeedEnded(feed="f", time=Nanoseconds(NINE), records=1))
    await stage.settle()

    assert [type(message) for message in stage.said[-4:]] == [Bar, Bar, FeedEnded, StopSystem]


def filled(order: int) -> OrderFilled:
    return OrderFilled(
        order=order,
        symbol=CODE,
        strategy="s",
        time=Nanoseconds(0),
        broker_order="1",
        side=Side.BUY,
        price=Won(1),
        quantity=Shares(1),
        filled=Shares(1),
        amount=Won(1),
        open=Shares(0),
    )


@in_virtual_time
async def test_the_whole_market_is_watched_after_all_others_and_each_code_announced_once() -> None:
    feed = FakeFeed()
    feed.listed = [Symbol(f"{code:06d}") for code in range(2_400)]
    stage = await started(feed, symbols=[CODE], whole_market=True, books=2)
    stage.tell(universe(OTHER, feed.listed[7]))
    await stage.advance(3)

    trades, books = feed.watched[-1]
    assert (len(trades), trades[:3], books) == (2_401, [CODE, OTHER, feed.listed[7]], [CODE, OTHER])
    assert len(stage.heard(Instrument)) == 2_401


@in_virtual_time
async def test_a_print_that_comes_twice_is_in_its_bar_once() -> None:
    feed = FakeFeed()
    stage = await started(feed, symbols=[CODE], intervals=[60])
    feed.give(tick(1, 100, 5, volume=5), tick(1, 100, 2, volume=10), tick(1, 100, 3, volume=8))
    feed.give(tick(1, 100, 2, volume=10), tick(1, 100, 3, volume=8), tick(2, 100, 1, volume=11))
    await stage.advance(70)

    assert isinstance(stage.actor, Receiver)
    assert [(bar.volume, bar.prints) for bar in stage.heard(Bar)] == [(11, 4)]
    assert stage.actor.counts["repeated"] == 2
    assert len(stage.heard(Tick)) == 6
