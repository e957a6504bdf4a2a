"""The journal refuses: nothing new is risked, and what is at risk can still be taken back."""

import pytest

from messages import (
    Action,
    HaltConfirmed,
    HaltTrading,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OrderSubmitting,
    ReplaceRejected,
    ResumeTrading,
    TradingHalted,
)
from runtime.testing import Stage, in_virtual_time
from tests.account.records import OTHER, SELL, accepted, approval, canceled, filled
from tests.ordering.fakes import FakeBroker, FakeJournal
from tests.test_trader import changed, take_back, trading

FULL = "database or disk is full"


async def with_an_open_order(broker: FakeBroker, journal: FakeJournal) -> Stage:
    stage = await trading(broker, journal)
    stage.tell(approval())
    await stage.settle()
    stage.tell(accepted())
    journal.failed = FULL
    return stage


@in_virtual_time
async def test_an_entry_is_refused_and_trading_halts() -> None:
    broker, journal = FakeBroker(), FakeJournal()
    stage = await with_an_open_order(broker, journal)
    stage.tell(approval(2, symbol=OTHER))
    await stage.settle()

    assert [r.reason for r in stage.heard(OrderRejected)] == [f"the journal failed: {FULL}"]
    assert [(h.by, h.reason) for h in stage.heard(HaltTrading)] == [("journal", f"the journal failed: {FULL}")]
    assert len(stage.heard(TradingHalted)) == 1
    assert [i.action for i in broker.sent] == [Action.NEW, Action.CANCEL]


@in_virtual_time
async def test_a_person_who_resumes_does_not_give_it_eyes() -> None:
    broker, journal = FakeBroker(), FakeJournal()
    stage = await with_an_open_order(broker, journal)
    stage.tell(approval(2, symbol=OTHER))
    await stage.settle()
    stage.tell(ResumeTrading(by="a person"), approval(3, symbol=OTHER))
    await stage.settle()

    assert all(i.order == 1 for i in broker.sent)
    journal.failed = ""
    stage.tell(take_back())
    await stage.settle()
    stage.tell(approval(4, symbol=OTHER))
    await stage.settle()
    assert broker.sent[-1].order == 1


@in_virtual_time
async def test_cancels_and_exits_are_kept_elsewhere_before_they_go() -> None:
    broker, journal = FakeBroker(), FakeJournal()
    stage = await with_an_open_order(broker, journal)
    stage.tell(take_back())
    await stage.settle()
    stage.tell(approval(2, SELL, 5, 9_000))
    await stage.settle()

    asked = [e for e in stage.envelopes if isinstance(e.message, OrderSubmitting)][1:]
    assert [(i.order, i.action) for i in broker.sent[1:]] == [(1, Action.CANCEL), (2, Action.NEW)]
    assert all(envelope.number in journal.kept for envelope in asked)
    approved = next(e.number for e in stage.envelopes if e.message == approval(2, SELL, 5, 9_000))
    assert approved in journal.kept


@in_virtual_time
async def test_what_becomes_of_them_is_kept_too() -> None:
    broker, journal = FakeBroker(), FakeJournal()
    stage = await with_an_open_order(broker, journal)
    stage.tell(take_back())
    await stage.settle()
    broker.report(filled(4, 40_000, last=4))
    broker.report(canceled(quantity=6))
    await stage.settle()

    said = [e.number for e in stage.envelopes if isinstance(e.message, OrderFilled | OrderCanceled)]
    assert len(said) == 2
    assert set(said) <= set(journal.kept)
    assert len(stage.heard(HaltConfirmed)) == 1


@in_virtual_time
async def test_a_change_is_refused() -> None:
    broker, journal = FakeBroker(), FakeJournal()
    stage = await with_an_open_order(broker, journal)
    stage.tell(changed())
    await stage.settle()

    assert len(stage.heard(ReplaceRejected)) == 1
    assert Action.REPLACE not in [i.action for i in broker.sent]


@pytest.mark.parametrize("room", [0, 1, 2, 3, 5, 8])
def test_without_room_nothing_leaves_that_is_nowhere_written(room: int) -> None:
    @in_virtual_time
    async def scene() -> None:
        broker, journal = FakeBroker(), FakeJournal()
        stage = await with_an_open_order(broker, journal)
        journal.room = room
        stage.tell(HaltTrading(reason=FULL, by="journal"))
        await stage.settle()
        for number in range(2, 6):
            stage.tell(approval(number, SELL, number, 9_000))
            await stage.settle()

        written = {
            (e.message.order, e.message.action)
            for e in stage.envelopes
            if isinstance(e.message, OrderSubmitting) and e.number in journal.kept
        }
        assert {(i.order, i.action) for i in broker.sent[1:]} == written

    scene()
