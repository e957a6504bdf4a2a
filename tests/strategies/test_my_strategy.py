import asyncio
from pathlib import Path

from msgspec.structs import replace

from actors.market.storage import store
from actors.market.time import SECOND
from examples.my_strategy import Breakout
from messages import Kind, Nanoseconds, OrderFilled, OrderIntent, Shares, Side, Venue, Won
from runtime.clock import SteppedClock
from runtime.disk.database import Database
from runtime.disk.journal import Journal
from runtime.envelope import Envelope
from runtime.testing import Stage, in_virtual_time
from tests.fake_feed import instrument
from tests.market.market_data import CODE, NINE, bar
from tests.strategies.orders import fill, submitting


async def after_the_range(*, highest: int = 10_050) -> Stage:
    stage = Stage(Breakout(minutes=2, stop=0.01, leave="15:00"))
    await stage.start()
    stage.tell(instrument(CODE), bar(0, 10_000, 10_000, 10_000, 10_000), bar(1, 10_000, highest, 10_000, 10_000))
    return stage


def bought(stage: Stage, quantity: int = 99, price: int = 10_100) -> OrderFilled:
    (entry,) = [envelope for envelope in stage.envelopes if isinstance(envelope.message, OrderIntent)]
    return OrderFilled(
        order=entry.number,
        symbol=CODE,
        strategy="actor",
        time=Nanoseconds(NINE),
        broker_order="1",
        side=Side.BUY,
        price=Won(price),
        quantity=Shares(quantity),
        filled=Shares(quantity),
        amount=Won(quantity * price),
        open=Shares(0),
    )


@in_virtual_time
async def test_it_buys_the_first_close_above_the_mornings_range() -> None:
    stage = await after_the_range()

    stage.tell(bar(2, 10_000, 10_060, 10_000, 10_050))
    assert not stage.heard(OrderIntent)
    stage.tell(bar(3, 10_050, 10_100, 10_050, 10_100))

    (intent,) = stage.heard(OrderIntent)
    assert (intent.side, intent.kind, intent.price, intent.quantity) == (Side.BUY, Kind.LIMIT, 10_100, 99)


@in_virtual_time
async def test_it_sells_at_the_market_once_stopped_and_buys_no_second_time_that_day() -> None:
    stage = await after_the_range()
    stage.tell(bar(3, 10_050, 10_100, 10_050, 10_100))
    stage.tell(bought(stage))

    stage.tell(bar(4, 10_000, 10_000, 9_990, 9_990), bar(5, 10_200, 10_300, 10_200, 10_300))

    entry, leaving = stage.heard(OrderIntent)
    assert (entry.side, leaving.side, leaving.kind) == (Side.BUY, Side.SELL, Kind.MARKET)


@in_virtual_time
async def test_a_new_day_has_a_range_of_its_own() -> None:
    stage = await after_the_range()
    day = 24 * 60

    stage.tell(*(bar(day + minute, 11_000, 11_000, 11_000, 11_000) for minute in range(3)))
    assert not stage.heard(OrderIntent)
    stage.tell(bar(day + 3, 11_000, 11_100, 11_000, 11_100))

    assert len(stage.heard(OrderIntent)) == 1


def test_after_a_restart_it_still_knows_that_it_entered_today(tmp_path: Path) -> None:
    number = 1 << 40 | 9
    said = (submitting(number), fill(number, Side.BUY, 10), fill(number + 3, Side.SELL, 10))
    morning = [bar(minute, 10_000, 10_050, 10_000, 10_000) for minute in range(5)]

    async def write() -> None:
        clock = SteppedClock(NINE)
        async with Database(tmp_path / store.FILE, migrations=store.MIGRATIONS, clock=clock) as database:
            await database.run(lambda connection: store.write_bars(connection, morning))
        async with Journal(tmp_path, clock=clock) as journal:
            for place, message in enumerate(said):
                journal.append(Envelope(number + place, NINE, "trader", 0, message))

    asyncio.run(write())

    @in_virtual_time
    async def run() -> None:
        stage = Stage(Breakout(symbols=[CODE], minutes=2), name="mine", start=NINE + 5 * 60 * SECOND, data=tmp_path)
        await stage.start()
        stage.tell(instrument(CODE), bar(5, 10_050, 10_100, 10_050, 10_100))
        assert not stage.heard(OrderIntent)
        stage.tell(*(bar(1_440 + minute, 11_000, 11_000, 11_000, 11_000 + minute) for minute in range(4)))
        assert stage.heard(OrderIntent)

    run()


@in_virtual_time
async def test_bars_of_another_venue_are_none_of_its_own() -> None:
    stage = await after_the_range()
    stage.tell(replace(bar(3, 10_050, 10_100, 10_050, 10_100), venue=Venue.NXT))

    assert not stage.heard(OrderIntent)
