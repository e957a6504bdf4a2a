import asyncio
from typing import Any

import pytest

from actors.gateways.port import Outcome, SendResult, Urgency
from actors.ordering.requests import UnapprovedError
from actors.trader import Trader
from messages import (
    Action,
    ApprovedReplace,
    CancelOrder,
    CancelRejected,
    Evidence,
    HaltConfirmed,
    HaltTrading,
    LedgerFolded,
    Message,
    Nanoseconds,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OrderSent,
    OrderSubmitting,
    OrderUnknown,
    Reconciled,
    ReplaceRejected,
    ResumeTrading,
    Shares,
    TradingHalted,
    Won,
)
from runtime.testing import START, Stage, in_virtual_time
from tests.account.records import (
    CODE,
    OTHER,
    SELL,
    accepted,
    approval,
    canceled,
    filled,
    opened,
)
from tests.ordering.fakes import FakeBroker, FakeJournal

NOW = Nanoseconds(START)


async def trading(broker: FakeBroker, journal: FakeJournal | None = None, **keys: Any) -> Stage:
    journal = journal or FakeJournal()
    stage = Stage(Trader(broker, journal, **keys), name="trader")
    await stage.start()
    await stage.advance(0.1)
    return stage


def kinds(stage: Stage) -> list[type[Message]]:
    return [type(m) for m in stage.said if not isinstance(m, Reconciled | LedgerFolded)]


@in_virtual_time
async def test_an_order_is_written_made_durable_and_only_then_sent() -> None:
    broker, journal = FakeBroker(), FakeJournal(slow=True)
    stage = await trading(broker, journal)
    stage.tell(approval())
    await stage.settle()
    number = next(e.number for e in stage.envelopes if isinstance(e.message, OrderSubmitting))

    assert [awaited for awaited, _ in journal.awaited] == [number]
    assert not broker.sent
    journal.sync()
    await stage.settle()
    (instruction,) = broker.sent
    assert (instruction.order, instruction.action, instruction.quantity) == (1, Action.NEW, 10)
    assert kinds(stage) == [OrderSubmitting, OrderSent]


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Outcome.SENT, [OrderSubmitting, OrderSent]),
        (Outcome.NEVER, [OrderSubmitting, OrderRejected]),
        (Outcome.UNKNOWN, [OrderSubmitting, OrderUnknown]),
        (Outcome.HALT, [OrderSubmitting, OrderRejected, HaltTrading, TradingHalted, HaltConfirmed]),
    ],
)
def test_each_outcome_of_a_new_order_has_its_event(outcome: Outcome, said: list[type[Message]]) -> None:
    @in_virtual_time
    async def scene() -> None:
        broker = FakeBroker()
        broker.outcomes = [SendResult(outcome=outcome, reason="because", code=-1)]
        stage = await trading(broker)
        stage.tell(approval())
        await stage.settle()

        assert kinds(stage) == said
        assert len(broker.sent) == 1

    scene()


@pytest.mark.parametrize(
    ("action", "outcome", "said"),
    [
        (Action.CANCEL, Outcome.SENT, OrderSent),
        (Action.CANCEL, Outcome.NEVER, CancelRejected),
        (Action.CANCEL, Outcome.UNKNOWN, OrderUnknown),
        (Action.REPLACE, Outcome.SENT, OrderSent),
        (Action.REPLACE, Outcome.NEVER, ReplaceRejected),
        (Action.REPLACE, Outcome.UNKNOWN, OrderUnknown),
    ],
)
def test_each_outcome_of_a_change_has_its_event(action: Action, outcome: Outcome, said: type[Message]) -> None:
    @in_virtual_time
    async def scene() -> None:
        broker = FakeBroker()
        stage = await trading(broker)
        stage.tell(approval())
        await stage.settle()
        stage.tell(accepted())
        broker.outcomes = [SendResult(outcome=outcome)]
        stage.tell(take_back() if action is Action.CANCEL else changed())
        await stage.settle()

        assert kinds(stage)[2:] == [OrderSubmitting, said]
        assert (broker.sent[1].action, broker.sent[1].broker_order) == (action, "0000001")

    scene()


@in_virtual_time
async def test_an_overloaded_broker_is_asked_again_after_a_while() -> None:
    broker = FakeBroker()
    broker.outcomes = [SendResult(outcome=Outcome.LATER)] * 2
    stage = await trading(broker)
    stage.tell(approval())
    await stage.settle()
    assert len(broker.sent) == 1
    await stage.advance(1)

    assert len(broker.sent) == 3
    assert kinds(stage) == [*[OrderSubmitting] * 3, OrderSent]


@in_virtual_time
async def test_an_order_whose_answer_was_lost_is_never_sent_again() -> None:
    broker = FakeBroker()
    broker.outcomes = [SendResult(outcome=Outcome.UNKNOWN, reason="no answer")]
    stage = await trading(broker)
    stage.tell(approval())
    await stage.advance(3_600)

    assert len(broker.sent) == 1


@in_virtual_time
async def test_cancels_go_before_exits_and_exits_before_entries() -> None:
    broker = FakeBroker()
    stage = await trading(broker)
    stage.tell(approval())
    await stage.settle()
    stage.tell(accepted())
    broker.gate = asyncio.Event()
    stage.tell(approval(2, symbol=OTHER))
    await stage.settle()
    stage.tell(approval(3, SELL, 5, 9_000), take_back())
    broker.gate.set()
    await stage.settle()

    assert [(i.order, i.action) for i in broker.sent[1:]] == [(1, Action.CANCEL), (3, Action.NEW), (2, Action.NEW)]
    assert broker.turns[1:] == [Urgency.ENTRY, Urgency.CANCEL, Urgency.EXIT]


@in_virtual_time
async def test_an_approval_that_waited_too_long_is_not_sent() -> None:
    broker = FakeBroker()
    stage = await trading(broker, max_age=2.0)
    broker.gate = asyncio.Event()
    stage.tell(approval())
    await stage.advance(3)
    broker.gate.set()
    await stage.settle()

    assert not broker.sent
    (old,) = stage.heard(OrderRejected)
    assert old.reason == "too old: 3.000 s"


@in_virtual_time
async def test_an_approval_is_as_old_as_it_is_even_where_the_whole_loop_stood_still() -> None:
    broker = FakeBroker()
    stage = await trading(broker, max_age=2.0)
    approved = Nanoseconds(stage.clock.now())
    await stage.advance(3)
    stage.bus._now = lambda: approved  # pyright: ignore[reportPrivateUsage] - handled after the loop stood still
    stage.tell(approval())
    stage.bus._now = stage.clock.now  # pyright: ignore[reportPrivateUsage]
    await stage.settle()

    assert not broker.sent
    (old,) = stage.heard(OrderRejected)
    assert old.reason == "too old: 3.000 s"


@in_virtual_time
async def test_an_approval_is_no_younger_because_the_clock_was_set_back() -> None:
    broker = FakeBroker()
    stage = await trading(broker, max_age=2.0)
    broker.gate = asyncio.Event()
    stage.tell(approval())
    await stage.advance(1)
    stage.clock.begin(stage.clock.now() - 3_600 * 10**9)
    broker.gate.set()
    await stage.settle()

    assert not broker.sent
    assert len(stage.heard(OrderRejected)) == 1


@in_virtual_time
async def test_a_halt_between_record_and_wire_still_stops_an_entry() -> None:
    broker, journal = FakeBroker(), FakeJournal(slow=True)
    stage = await trading(broker, journal)
    stage.tell(approval())
    await stage.settle()
    stage.tell(HaltTrading(reason="loss", by="guardian"))
    journal.sync()
    await stage.settle()

    assert not broker.sent
    assert kinds(stage) == [OrderSubmitting, TradingHalted, OrderRejected, HaltConfirmed, CancelRejected]


@in_virtual_time
async def test_a_halt_drops_waiting_entries_cancels_open_ones_and_lets_exits_pass() -> None:
    broker = FakeBroker()
    stage = await trading(broker)
    stage.tell(approval())
    await stage.settle()
    stage.tell(accepted())
    broker.gate = asyncio.Event()
    stage.tell(approval(2, symbol=OTHER))
    stage.tell(HaltTrading(reason="loss", by="guardian"))
    stage.tell(approval(3, SELL, 5, 9_000), approval(4))
    broker.gate.set()
    await stage.settle()

    assert [(i.order, i.action) for i in broker.sent[1:]] == [(1, Action.CANCEL), (3, Action.NEW)]
    assert [r.order for r in stage.heard(OrderRejected)] == [2, 4]
    stage.tell(canceled(), ResumeTrading(by="a person"), approval(5, symbol=OTHER))
    await stage.settle()
    assert broker.sent[-1].order == 5


@in_virtual_time
async def test_a_cancel_the_broker_refused_is_asked_again_at_each_match_while_halted() -> None:
    broker = FakeBroker()
    stage = await trading(broker)
    stage.tell(approval())
    await stage.settle()
    stage.tell(accepted(), HaltTrading(reason="loss", by="guardian"))
    await stage.settle()
    stage.tell(cancel_refused(), opened(time=NOW, start=False))
    await stage.settle()

    assert [i.action for i in broker.sent] == [Action.NEW, Action.CANCEL, Action.CANCEL]


@in_virtual_time
async def test_a_cancel_of_what_still_waits_ends_it_here() -> None:
    broker = FakeBroker()
    stage = await trading(broker)
    broker.gate = asyncio.Event()
    stage.tell(approval(), take_back())
    broker.gate.set()
    await stage.settle()

    assert not broker.sent
    (gone,) = stage.heard(OrderCanceled)
    assert gone.canceled == 10


@in_virtual_time
async def test_a_cancel_waits_for_the_brokers_number_and_is_asked_once() -> None:
    broker = FakeBroker()
    stage = await trading(broker)
    stage.tell(approval())
    await stage.settle()
    stage.tell(take_back(), take_back())
    await stage.settle()
    assert len(broker.sent) == 1
    stage.tell(accepted())
    await stage.settle()
    stage.tell(take_back())
    await stage.settle()

    assert [i.broker_order for i in broker.sent] == ["", "0000001"]


@in_virtual_time
async def test_a_cancel_of_what_is_over_is_rejected() -> None:
    broker = FakeBroker()
    stage = await trading(broker)
    stage.tell(approval())
    await stage.settle()
    stage.tell(filled(10, 100_000, last=10), take_back())

    assert [r.reason for r in stage.heard(CancelRejected)] == ["it is filled"]


@in_virtual_time
async def test_a_full_outbox_refuses_entries_and_has_room_for_exits() -> None:
    broker = FakeBroker()
    stage = await trading(broker, outbox=1)
    broker.gate = asyncio.Event()
    stage.tell(approval(), approval(2, symbol=OTHER))

    assert [r.reason for r in stage.heard(OrderRejected)] == ["1 requests wait"]
    stage.tell(approval(3, SELL, symbol=OTHER))
    broker.gate.set()
    await stage.settle()

    assert sorted(i.order for i in broker.sent) == [1, 3]


@in_virtual_time
async def test_an_instruction_that_no_approval_stands_behind_stops_the_trader() -> None:
    broker = FakeBroker()
    stage = await trading(broker)
    trader = stage.actor
    assert isinstance(trader, Trader)
    broker.gate = asyncio.Event()
    stage.tell(approval())
    sender = trader._sender  # pyright: ignore[reportPrivateUsage]
    (item,) = sender.outbox.drain(Urgency.ENTRY)
    sender.approvals.use(item.instruction)
    sender.outbox.put(item)
    broker.gate.set()
    with pytest.raises(UnapprovedError):
        await stage.settle()

    assert not broker.sent


@in_virtual_time
async def test_what_the_broker_reports_is_published_as_it_comes() -> None:
    broker = FakeBroker()
    stage = await trading(broker)
    stage.tell(approval())
    await stage.settle()
    broker.report(accepted())
    broker.report(filled(10, 100_000, last=10))

    assert kinds(stage)[2:] == [OrderAccepted, OrderFilled]


@in_virtual_time
async def test_an_overfill_halts() -> None:
    broker = FakeBroker()
    stage = await trading(broker)
    stage.tell(approval(), filled(11, 110_000, last=11))

    assert [h.reason for h in stage.heard(HaltTrading)] == ["order 1: 11 filled of 10 asked for"]


@in_virtual_time
async def test_ledgers_that_differ_halt() -> None:
    stage = await trading(FakeBroker())
    number = stage.tell(opened(time=NOW, start=False))
    mine = stage.heard(LedgerFolded)[-1]
    stage.tell(mine)
    assert not stage.heard(HaltTrading)
    stage.tell(LedgerFolded(reconciliation=number, digest="another"))

    assert [h.reason for h in stage.heard(HaltTrading)] == ["the ledgers of stage and trader differ"]


def take_back(order: int = 1) -> CancelOrder:
    return CancelOrder(order=order, symbol=CODE, strategy="momentum", reason="a test")


def changed() -> ApprovedReplace:
    return ApprovedReplace(
        number=50,
        order=1,
        symbol=CODE,
        quantity=Shares(10),
        price=Won(10_010),
        strategy="momentum",
        evidence=Evidence(),
    )


def cancel_refused() -> CancelRejected:
    return CancelRejected(order=1, symbol=CODE, strategy="momentum", time=NOW, reason="no")
