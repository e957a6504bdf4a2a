import pytest

from actors.gateways.port import Outcome, SendResult
from actors.trader import Trader
from messages import (
    Action,
    Evidence,
    ExternalOrderSeen,
    HaltTrading,
    Nanoseconds,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    PositionAdjusted,
    Reconciled,
    Venue,
    Won,
)
from runtime.testing import START, Stage, in_virtual_time
from tests.account.records import (
    CODE,
    OTHER,
    accepted,
    approval,
    canceled,
    filled,
    opened,
    rejected,
    sent,
    submitting,
)
from tests.ordering.fakes import FakeBroker, FakeJournal, listed_order, owned, state
from tests.test_trader import take_back, trading

NOW = Nanoseconds(START)


@in_virtual_time
async def test_the_first_start_takes_the_account_as_it_is() -> None:
    stage = await trading(FakeBroker(state(777, owned(5, 50_000), listed_order("0000009", price=9_000))))

    (start,) = stage.heard(Reconciled)
    assert (start.start, start.cash, start.differences, start.open_orders) == (True, 777, (), 1)
    assert [p.quantity for p in start.positions] == [5]
    assert [e.broker_order for e in stage.heard(ExternalOrderSeen)] == ["0000009"]


@in_virtual_time
async def test_a_start_books_what_happened_while_nobody_looked() -> None:
    journal = FakeJournal(opened(), approval(), submitting(), sent(), accepted())
    after = state(930_000, listed_order(filled=7, open_=0, status="취소"), owned(7, 70_000))
    broker = FakeBroker(after)
    stage = await trading(broker, journal)
    await stage.advance(10)

    assert [(known.order, known.broker_order) for known in broker.known] == [(1, "0000001")]
    assert [(f.filled, f.source) for f in stage.heard(OrderFilled)] == [(7, "recovery")]
    assert [c.canceled for c in stage.heard(OrderCanceled)] == [3]
    start = stage.heard(Reconciled)[0]
    assert start.start
    assert len(start.differences) == 2
    await stage.advance(60)
    assert stage.heard(Reconciled)[-1].differences == ()
    assert not stage.heard(HaltTrading)


@in_virtual_time
async def test_what_was_never_submitted_was_never_sent_and_yesterdays_orders_are_over() -> None:
    yesterday = Nanoseconds(START - 86_400_000_000_000)
    old = approval(1, evidence=Evidence(last=Won(10_000), time=yesterday))
    journal = FakeJournal(opened(time=yesterday), old, approval(2), rejected(9))
    stage = await trading(FakeBroker(state(), state()), journal)

    assert [e.order for e in stage.heard(OrderExpired)] == [1]
    assert [(r.order, r.reason) for r in stage.heard(OrderRejected)] == [
        (2, "never sent: the system ended before"),
    ]


@in_virtual_time
async def test_an_empty_snapshot_closes_nothing() -> None:
    journal = FakeJournal(opened(), approval(), submitting(), sent(), accepted(), filled(5, 50_000, last=5))
    stage = Stage(Trader(FakeBroker(state(950_000)), journal), name="trader")
    await stage.start()
    await stage.advance(10)

    assert stage.heard(Reconciled)[0].differences == ("the broker shows an empty account",)
    assert not stage.heard(OrderCanceled)
    assert not stage.heard(PositionAdjusted)


@in_virtual_time
async def test_shares_that_changed_hands_elsewhere_are_adjusted_after_two_looks() -> None:
    broker = FakeBroker(state(), state(900_000, owned(10, 100_000)))
    stage = await trading(broker)
    await stage.advance(61)
    assert not stage.heard(PositionAdjusted)
    await stage.advance(10)

    (adjusted,) = stage.heard(PositionAdjusted)
    assert (adjusted.symbol, adjusted.quantity, adjusted.cost, adjusted.cash) == (CODE, 10, 100_000, -100_000)
    assert "10 shares at the broker, 0 here" in adjusted.reason
    assert stage.heard(Reconciled)[-1].differences == (f"{CODE}: 10 shares at the broker, 0 here",)


@in_virtual_time
async def test_a_snapshot_that_was_odd_once_changes_nothing() -> None:
    broker = FakeBroker(state(), state(900_000, owned(10, 100_000)), state())
    stage = await trading(broker)
    await stage.advance(70)

    assert not stage.heard(PositionAdjusted)
    assert stage.heard(Reconciled)[-1].differences == ()


@in_virtual_time
async def test_a_broker_that_does_not_answer_at_the_start_is_asked_again_and_then_given_up() -> None:
    stage = await trading(FakeBroker(TimeoutError(), ConnectionError(), state()))
    assert len(stage.heard(Reconciled)) == 1

    with pytest.raises(TimeoutError, match="opw00001"):
        await trading(FakeBroker(TimeoutError("opw00001")))


@in_virtual_time
async def test_an_unknown_order_the_broker_never_shows_is_dead_after_two_looks() -> None:
    broker = FakeBroker(state(1_000_000))
    broker.outcomes = [SendResult(outcome=Outcome.UNKNOWN, reason="no answer")]
    stage = await trading(broker)
    stage.tell(approval())
    await stage.settle()
    await stage.advance(1)
    assert not stage.heard(OrderRejected)
    await stage.advance(10)

    (gone,) = stage.heard(OrderRejected)
    assert "asked twice" in gone.reason
    assert broker.asked == 3


@in_virtual_time
async def test_an_unknown_order_the_broker_shows_is_taken_up_with_its_fills() -> None:
    broker = FakeBroker(state(), state(960_000, listed_order("0000007", filled=4), owned(4, 40_000)))
    broker.outcomes = [SendResult(outcome=Outcome.UNKNOWN)]
    stage = await trading(broker)
    stage.tell(approval())
    await stage.advance(10)

    assert [a.broker_order for a in stage.heard(OrderAccepted)] == ["0000007"]
    (fill,) = stage.heard(OrderFilled)
    assert (fill.filled, fill.amount, fill.source) == (4, 40_000, "recovery")
    assert not stage.heard(PositionAdjusted)
    assert not stage.heard(OrderRejected)


@in_virtual_time
async def test_a_cancel_that_waits_long_for_a_number_has_the_broker_asked() -> None:
    broker = FakeBroker(state(), state(1_000_000, listed_order("0000007")))
    stage = await trading(broker)
    stage.tell(approval(evidence=Evidence(last=Won(10_000), time=NOW)))
    await stage.advance(6)
    stage.tell(take_back(), take_back())
    await stage.advance(6)

    assert [(i.action, i.broker_order) for i in broker.sent] == [(Action.NEW, ""), (Action.CANCEL, "0000007")]


@in_virtual_time
async def test_a_match_names_the_codes_in_which_orders_of_ours_may_still_trade() -> None:
    past = [approval(1, venue=Venue.NXT), *(approval(n, symbol=OTHER, price=10_000 + n) for n in (2, 3))]
    told = [(submitting(order.order), accepted(order.order, f"000000{order.order}")) for order in past]
    journal = FakeJournal(opened(), *past, *(message for pair in told for message in pair), canceled(3))
    rows = (listed_order("0000001"), listed_order("0000002"), listed_order("0000003", open_=0))
    stage = await trading(FakeBroker(state(1_000_000, *rows)), journal)

    assert [match.ordered for match in stage.heard(Reconciled)] == [("900010_NX", "900020")]


@in_virtual_time
async def test_a_start_whose_second_look_is_not_answered_at_once_asks_again() -> None:
    journal = FakeJournal(opened(), approval(), submitting(), sent(), accepted())
    account = state(900_000, listed_order(filled=10, open_=0), owned(10, 100_000))
    stage = await trading(FakeBroker(account, TimeoutError("opw00018: no answer"), account), journal)
    await stage.advance(20)

    assert [fill.filled for fill in stage.heard(OrderFilled)] == [10]
    assert stage.heard(Reconciled)[0].start
