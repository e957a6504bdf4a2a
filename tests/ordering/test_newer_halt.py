"""A resume lifts what was known when it was decided: a halt said in the same turn stays, everywhere."""

import asyncio

import pytest

from actors.guardian import Guardian
from actors.trader import Trader
from messages import (
    ApprovedOrder,
    HaltTrading,
    Nanoseconds,
    OrderIntent,
    OrderRejected,
    OrderSubmitting,
    Reconciled,
    ResumeTrading,
    TradingHalted,
    Won,
)
from runtime.actor import Actor
from runtime.outside.verbs import Declined
from runtime.testing import START, Stage, in_virtual_time
from tests.account.records import SELL, approval, filled, opened, submitting
from tests.ordering.fakes import FakeBroker, FakeJournal
from tests.ordering.test_kill_switch import entries_after, prices
from tests.ordering.test_together import House
from tests.test_risk import intent, ready

NOW = Nanoseconds(START)
FIRST = HaltTrading(reason="news", by="kim")
SECOND = HaltTrading(reason="worse news", by="guardian")


def matched() -> Reconciled:
    return Reconciled(time=NOW, cash=Won(10_000_000), positions=(), open_orders=0, differences=())


async def staged(actor: Actor, name: str) -> Stage:
    stage = Stage(actor, name=name)
    await stage.start()
    stage.tell(opened(10_000_000, time=NOW))
    return stage


@in_virtual_time
async def test_the_trader_stays_halted_and_says_so() -> None:
    stage = await staged(Trader(broker := FakeBroker(), FakeJournal()), "trader")
    seen = stage.tell(FIRST)
    stage.tell(SECOND, ResumeTrading(by="kim", seen=seen), approval())
    await stage.settle()

    assert not broker.sent
    assert [refusal.reason for refusal in stage.heard(OrderRejected)] == ["halted: worse news"]
    assert [halted.reason for halted in stage.heard(TradingHalted)] == ["news", "worse news"]


@in_virtual_time
async def test_risk_stays_halted() -> None:
    stage = await ready()
    seen = stage.tell(FIRST)
    stage.tell(SECOND, ResumeTrading(by="kim", seen=seen), intent())

    assert not stage.heard(ApprovedOrder)


@in_virtual_time
async def test_the_guardian_goes_on_selling_what_fills_late() -> None:
    stage = await staged(Guardian(FakeJournal()), "guardian")
    seen = stage.tell(approval(), submitting(), FIRST)
    stage.tell(HaltTrading(reason="worse news", by="lee", flatten=True), ResumeTrading(by="kim", seen=seen))
    stage.tell(filled(10, 100_000, last=10))

    assert [(sale.side, sale.quantity) for sale in stage.heard(OrderIntent)] == [(SELL, 10)]


@pytest.mark.parametrize("resume", [ResumeTrading(by="kim"), ResumeTrading(by="kim", seen=1 << 50)])
def test_what_was_seen_is_lifted_and_so_is_all_where_nobody_says(resume: ResumeTrading) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage = await staged(Trader(broker := FakeBroker(), FakeJournal()), "trader")
        stage.tell(FIRST, resume, approval())
        await stage.settle()

        assert len(broker.sent) == 1
        assert len(stage.heard(TradingHalted)) == 1

    scene()


@in_virtual_time
async def test_the_verb_tells_what_it_knew_and_that_it_was_overtaken() -> None:
    guardian = Guardian(FakeJournal())
    stage = await staged(guardian, "guardian")
    stage.tell(FIRST)
    asked = asyncio.get_running_loop().create_task(guardian.resume(by="lee"))
    await stage.advance(0.5)
    match = stage.bus.publish(matched(), "trader")
    stage.pump.turn()
    await asyncio.sleep(0.021)
    stage.tell(SECOND)
    with pytest.raises(Declined, match="halted anew meanwhile: worse news"):
        await asked

    assert stage.heard(ResumeTrading) == [ResumeTrading(by="lee", seen=match)]


@in_virtual_time
async def test_who_asks_for_a_halt_while_another_resumes_it_is_heard_though_the_latch_says_nothing_new() -> None:
    guardian = Guardian(FakeJournal())
    stage = await staged(guardian, "guardian")
    stage.tell(FIRST)
    resuming = asyncio.get_running_loop().create_task(guardian.resume(by="lee"))
    await stage.advance(0.5)
    halting = asyncio.get_running_loop().create_task(guardian.tell_halt(patience=0.1))
    await stage.advance(0.01)
    stage.bus.publish(matched(), "trader")
    await stage.advance(0.5)
    with pytest.raises(Declined, match="halted anew meanwhile: news"):
        await resuming

    assert (await halting)["halted"] == "news"
    assert not stage.heard(ResumeTrading)


@in_virtual_time
async def test_in_the_whole_house_no_entry_leaves_after_it() -> None:
    house = House(6, 0.0)
    await house.trade(20)
    seen = house.bus.publish(FIRST, "system")
    await asyncio.sleep(30)
    halted = house.bus.publish(SECOND, "guardian")
    house.bus.publish(ResumeTrading(by="kim", seen=seen), "guardian")
    for _ in range(30):
        prices(house)
        await asyncio.sleep(1)
    kept = [message for message in entries_after(house, halted) if isinstance(message, OrderSubmitting)]

    assert not kept
