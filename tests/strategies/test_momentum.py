from actors.strategies.momentum import Momentum
from messages import (
    Aggressor,
    CancelOrder,
    Nanoseconds,
    OrderFilled,
    OrderIntent,
    ReplaceIntent,
    Shares,
    Side,
    Tick,
    Won,
)
from runtime.testing import Stage, in_virtual_time
from tests.fake_feed import instrument
from tests.market.market_data import CODE, NINE, tick


async def started() -> Stage:
    stage = Stage(Momentum(window=10, rise=0.01, strength=150, value=1_000_000, cooldown=60, hold=300))
    await stage.start()
    stage.tell(instrument(CODE))
    return stage


def rising(last: int = 10_100, side: Aggressor = Aggressor.BUYER, size: int = 100) -> list[Tick]:
    return [
        tick(0, 10_000, 1, side=Aggressor.SELLER),
        tick(5, 10_050, size, side=side),
        tick(10, last, 2, side=side, ask=last, bid=last - 10),
    ]


async def bought(price: int = 10_100) -> Stage:
    stage = await started()
    stage.tell(*rising())
    (entry,) = [envelope for envelope in stage.envelopes if isinstance(envelope.message, OrderIntent)]
    stage.tell(
        OrderFilled(
            order=entry.number,
            symbol=CODE,
            strategy="actor",
            time=Nanoseconds(NINE + 10_000_000_000),
            broker_order="1",
            side=Side.BUY,
            price=Won(price),
            quantity=Shares(5),
            filled=Shares(5),
            amount=Won(5 * price),
            open=Shares(0),
        )
    )
    return stage


@in_virtual_time
async def test_it_buys_at_the_ask_what_rises_while_buyers_press() -> None:
    stage = await started()

    stage.tell(*rising())

    (intent,) = stage.heard(OrderIntent)
    assert (intent.side, intent.price, intent.quantity) == (Side.BUY, 10_100, 99)
    assert intent.reason == "rose 1.00% in 10 s, strength 10200"


@in_virtual_time
async def test_it_leaves_alone_what_rises_too_little_or_against_sellers_or_on_little_money() -> None:
    for ticks in (rising(10_090), rising(side=Aggressor.SELLER), rising(size=10)):
        stage = await started()
        stage.tell(*ticks)
        assert stage.heard(OrderIntent) == []


@in_virtual_time
async def test_it_takes_profit_and_cuts_loss_and_does_not_hold_for_ever() -> None:
    reasons: list[str] = []
    for last in (tick(20, 10_210), tick(20, 10_020), tick(320, 10_100)):
        stage = await bought()
        stage.tell(last)
        reasons += [intent.reason for intent in stage.heard(OrderIntent) if intent.side is Side.SELL]

    assert reasons == ["took 1.09%", "stopped at -0.79%", "held for 300 s"]


@in_virtual_time
async def test_it_follows_a_rise_and_leaves_when_it_turns() -> None:
    stage = await bought()

    stage.tell(tick(20, 10_190), tick(21, 10_120))

    assert stage.heard(OrderIntent)[-1].reason == "fell 0.69% from its highest"


@in_virtual_time
async def test_an_exit_that_stands_at_the_bid_is_not_asked_to_move_there() -> None:
    stage = await bought()
    stage.tell(tick(20, 10_000, bid=9_990, ask=10_000))
    await stage.advance(60)
    standing = stage.heard(ReplaceIntent)
    stage.tell(tick(81, 9_980, bid=9_970, ask=9_980))
    await stage.advance(5.1)

    assert standing == []
    assert [change.price for change in stage.heard(ReplaceIntent)] == [9_970]


@in_virtual_time
async def test_an_exit_at_the_market_has_no_price_to_change_and_is_taken_back() -> None:
    stage = await bought()
    assert isinstance(stage.actor, Momentum)
    number = stage.actor.close(CODE, "enough")
    await stage.advance(6)

    assert [cancel.order for cancel in stage.heard(CancelOrder)] == [number]
