from actors.strategies.mean_reversion import MeanReversion
from messages import Bar, Kind, Nanoseconds, OrderFilled, OrderIntent, Shares, Side, Won
from runtime.testing import Stage, in_virtual_time
from tests.fake_feed import instrument
from tests.market.market_data import CODE, NINE, bar

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
