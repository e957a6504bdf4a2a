import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from actors.market.storage import store
from actors.market.time import SECOND
from actors.strategies.mean_reversion import MeanReversion
from messages import Bar, Kind, Nanoseconds, OrderFilled, OrderIntent, Shares, Side, Won
from runtime.clock import SteppedClock
from runtime.disk.database import Database
from runtime.disk.journal import Journal
from runtime.envelope import Envelope
from runtime.testing import Stage, in_virtual_time
from tests.fake_feed import instrument
from tests.market.market_data import CODE, NINE, bar
from tests.strategies import orders

MINUTE = 60 * SECOND
CALM = [10_000, 10_010] * 5


async def started() -> Stage:
    stage = Stage(MeanReversion(window=10, entry=2, oversold=40, stop=0.02, hold=3))
    await stage.start()
    stage.tell(instrument(CODE))
    return stage


def bars(*closes: int, first: int = 0) -> list[Bar]:
    return [bar(first + n, close, close, close, close) for n, close in enumerate(closes)]


async def bought() -> Stage:
    stage = await started()
    stage.tell(*bars(*CALM, 9_900))
    (entry,) = [envelope for envelope in stage.envelopes if isinstance(envelope.message, OrderIntent)]
    stage.tell(
        OrderFilled(
            order=entry.number,
            symbol=CODE,
            strategy="actor",
            time=Nanoseconds(NINE),
            broker_order="1",
            side=Side.BUY,
            price=Won(9_900),
            quantity=Shares(101),
            filled=Shares(101),
            amount=Won(101 * 9_900),
            open=Shares(0),
        )
    )
    return stage


@in_virtual_time
async def test_it_buys_what_fell_far_below_its_mean_at_the_close() -> None:
    stage = await started()

    stage.tell(*bars(*CALM, 9_900))

    (intent,) = stage.heard(OrderIntent)
    assert (intent.side, intent.price, intent.quantity) == (Side.BUY, 9_900, 101)


@in_virtual_time
async def test_it_does_nothing_before_its_window_is_full_or_on_other_bars() -> None:
    stage = await started()

    stage.tell(*bars(*CALM[:5], 9_000))

    assert stage.heard(OrderIntent) == []


@in_virtual_time
async def test_it_sells_at_the_market_when_it_is_back_stopped_or_tired() -> None:
    reasons: list[str] = []
    for closes in ((10_000,), (9_700,), (9_900, 9_900, 9_900)):
        stage = await bought()
        stage.tell(*bars(*closes, first=20))
        exits = [intent for intent in stage.heard(OrderIntent) if intent.side is Side.SELL]
        reasons += [f"{intent.reason} {intent.kind is Kind.MARKET}" for intent in exits]

    assert reasons == ["back at its mean of 9994 True", "stopped 2.02% below 9900 True", "held for 3 bars True"]


def past(folder: Path, bars: Sequence[Bar], bought_at: int) -> None:
    """A store with these bars, and a journal with a buy at that minute."""
    fill = replace(
        orders.fill(1 << 40 | 9, Side.BUY, 10, price=9_900), time=Nanoseconds(NINE + bought_at * MINUTE + 30 * SECOND)
    )

    async def write() -> None:
        clock = SteppedClock(NINE)
        async with Database(folder / store.FILE, migrations=store.MIGRATIONS, clock=clock) as database:
            await database.run(lambda connection: store.write_bars(connection, bars))
        async with Journal(folder, clock=clock) as journal:
            journal.append(Envelope(fill.order, NINE, "trader", 0, fill))

    asyncio.run(write())


@pytest.mark.parametrize(("bought_at", "more"), [(38, 10), (33, 5), (10, 1)])
def test_a_restart_neither_forgets_how_long_it_held_nor_counts_the_bars_before_it_bought(
    tmp_path: Path, bought_at: int, more: int
) -> None:
    """Bought in the minute `bought_at`, whose bar is the first it held; it starts again at minute 40."""
    past(tmp_path, bars(*[9_900, 9_901] * 20), bought_at)
    reasons: list[tuple[int, str]] = []

    @in_virtual_time
    async def run() -> None:
        strategy = MeanReversion(symbols=[CODE], window=6, hold=12, entry=100, stop=0.5)
        stage = Stage(strategy, name="mine", start=NINE + 40 * MINUTE, data=tmp_path)
        await stage.start()
        for minute in range(40, 60):
            stage.tell(*bars(9_800 - minute, first=minute))
            reasons.extend((minute, i.reason) for i in stage.heard(OrderIntent)[len(reasons) :])

    run()
    assert reasons[0] == (39 + more, f"held for {12 if more > 1 else 13} bars")


DAY = 24 * 60


@in_virtual_time
async def test_prices_of_before_a_new_base_are_none_to_measure_by() -> None:
    """무상증자, a split: the exchange sets another base price, and nothing has fallen."""
    for base, bought in ((4_995, False), (9_950, True)):
        stage = await started()
        stage.tell(*bars(*CALM))
        await stage.advance(DAY * 60)
        stage.tell(replace(instrument(CODE), base_price=Won(base)))
        stage.tell(*bars(base, base - 90, first=DAY))
        assert bool(stage.heard(OrderIntent)) is bought, base


@in_virtual_time
async def test_a_base_price_told_again_in_the_midst_of_a_day_changes_nothing() -> None:
    stage = await started()
    stage.tell(*bars(*CALM))
    stage.tell(replace(instrument(CODE), base_price=Won(8_000)))
    stage.tell(*bars(9_900, first=10))
    assert stage.heard(OrderIntent)
