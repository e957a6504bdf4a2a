from examples.my_strategy import Breakout
from messages import Kind, Nanoseconds, OrderFilled, OrderIntent, Shares, Side, Won
from runtime.testing import Stage, in_virtual_time
from tests.fake_feed import instrument
from tests.market.market_data import CODE, NINE, bar


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
