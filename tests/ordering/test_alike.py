"""Two orders that could be taken for each other are never in flight together."""

import asyncio

import pytest

from actors.gateways.port import Outcome, SendResult
from messages import (
    Evidence,
    Kind,
    Nanoseconds,
    OrderRejected,
    OrderSubmitting,
    Won,
)
from runtime.testing import START, in_virtual_time
from tests.account.records import OTHER, SELL, accepted, approval, canceled, filled, rejected
from tests.ordering.fakes import FakeBroker, state
from tests.test_trader import trading

NOW = Nanoseconds(START)
FRESH = Evidence(last=Won(10_000), time=NOW)


@pytest.mark.parametrize("news", [accepted(), rejected(), canceled(), filled(10, 100_000, last=10)])
def test_a_look_alike_waits_until_the_first_has_a_number_or_is_over(news: OrderRejected) -> None:
    @in_virtual_time
    async def scene() -> None:
        broker = FakeBroker()
        stage = await trading(broker)
        stage.tell(approval(1), approval(2))
        await stage.advance(1)
        assert [i.order for i in broker.sent] == [1]
        stage.tell(news)
        await stage.settle()

        assert [i.order for i in broker.sent] == [1, 2]

    scene()


@in_virtual_time
async def test_a_look_alike_of_an_unknown_order_ends_as_too_old() -> None:
    broker = FakeBroker(state())
    broker.outcomes = [SendResult(outcome=Outcome.UNKNOWN)]
    stage = await trading(broker)
    stage.tell(approval(1), approval(2))
    await stage.advance(5.1)

    assert [i.order for i in broker.sent] == [1]
    old = next(r for r in stage.heard(OrderRejected) if r.order == 2)
    assert old.reason == ("too old: 5.000 s, behind order 1 which looks like it and is unknown")


@in_virtual_time
async def test_a_priceless_order_looks_like_any_price_and_a_change_in_anything_else_is_no_look_alike() -> None:
    broker = FakeBroker()
    stage = await trading(broker)
    stage.tell(approval(1), approval(2, price=0, kind=Kind.MARKET), approval(3, quantity=11))
    stage.tell(approval(4, SELL), approval(5, symbol=OTHER), approval(6, price=10_010))
    await stage.advance(1)

    assert sorted(i.order for i in broker.sent) == [1, 3, 4, 5, 6]


@in_virtual_time
async def test_of_fifty_look_alikes_never_two_are_in_flight() -> None:
    broker = FakeBroker()
    stage = await trading(broker, max_age=1_000.0)
    stage.tell(*(approval(n) for n in range(1, 51)))
    for number in range(1, 51):
        await stage.advance(0.1)
        assert [i.order for i in broker.sent] == list(range(1, number + 1))
        stage.tell(accepted(number, f"{number:07}"))
    await asyncio.sleep(1)

    assert len(stage.heard(OrderSubmitting)) == 50
