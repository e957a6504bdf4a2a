"""Entries whose strategy failed too often and stays off: nobody watches them, so they are taken back."""

import asyncio

from actors.trader import Trader
from messages import Action, ActorFailed, CancelRejected, Nanoseconds, OrderCanceled
from runtime.testing import Stage, in_virtual_time
from tests.account.records import OTHER, SELL, about, accepted, approval, opened
from tests.ordering.fakes import FakeBroker, FakeJournal


def failed(*, off: bool) -> ActorFailed:
    return ActorFailed(actor="momentum", handler="on_tick", error="ValueError: no", failures=3, off=off)


async def with_orders(broker: FakeBroker) -> Stage:
    """An entry of the strategy, an exit of it, and an entry of another one, all at the broker."""
    stage = Stage(Trader(broker, FakeJournal()), name="trader")
    await stage.start()
    await stage.advance(0.1)
    stage.tell(approval(1), approval(2, SELL, 5, 9_000), approval(3, symbol=OTHER, strategy="another"))
    await stage.settle()
    stage.tell(*(accepted(number, f"{number:07}") for number in (1, 2, 3)))
    await stage.settle()
    return stage


def cancel_refused() -> CancelRejected:
    return CancelRejected(**about(), reason="not now")


def canceled(broker: FakeBroker) -> list[int]:
    return [sent.order for sent in broker.sent if sent.action is Action.CANCEL]


@in_virtual_time
async def test_its_entries_are_taken_back_and_its_exits_go_on() -> None:
    broker = FakeBroker()
    stage = await with_orders(broker)
    stage.tell(failed(off=True))
    await stage.settle()
    assert canceled(broker) == [1]
    await stage.advance(5)

    assert canceled(broker) == [1]


@in_virtual_time
async def test_one_that_is_replaced_keeps_its_orders() -> None:
    broker = FakeBroker()
    stage = await with_orders(broker)
    stage.tell(failed(off=False))
    await stage.advance(5)

    assert canceled(broker) == []


@in_virtual_time
async def test_an_entry_that_was_on_its_way_through_risk_is_taken_back_as_well() -> None:
    broker = FakeBroker()
    stage = await with_orders(broker)
    stage.tell(failed(off=True), approval(4, symbol=OTHER))
    await stage.settle()
    stage.tell(accepted(4, "0000004"))
    await stage.advance(0.5)
    assert canceled(broker) == [1]
    await stage.advance(1)

    assert canceled(broker) == [1, 4]


@in_virtual_time
async def test_a_cancel_that_the_broker_refused_is_asked_for_again_at_each_match() -> None:
    broker = FakeBroker()
    stage = await with_orders(broker)
    stage.tell(failed(off=True))
    await stage.advance(5)
    for _ in range(2):
        stage.tell(cancel_refused(), opened(time=Nanoseconds(stage.clock.now()), start=False))
        await stage.settle()

    assert canceled(broker) == [1, 1, 1]


@in_virtual_time
async def test_what_waits_to_be_sent_is_withdrawn() -> None:
    broker = FakeBroker()
    stage = await with_orders(broker)
    broker.gate = asyncio.Event()
    stage.tell(approval(4, symbol=OTHER), failed(off=True))
    broker.gate.set()
    await stage.advance(2)

    assert sorted(sent.order for sent in broker.sent if sent.action is Action.NEW) == [1, 2, 3]
    assert [gone.order for gone in stage.heard(OrderCanceled)] == [4]
