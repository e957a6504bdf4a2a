"""A person decides an order whose answer was lost; a halt takes everything back."""

import pytest

from actors.gateways.port import BrokerOrder, Outcome, SendResult
from actors.market import krx
from messages import (
    Action,
    HaltConfirmed,
    HaltTrading,
    Market,
    Message,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
    Reconciled,
    ResumeTrading,
    Settlement,
    SettleOrder,
    Shares,
    Won,
)
from runtime.testing import Stage, in_virtual_time
from tests.account.records import OTHER, SELL, accepted, approval, canceled, listed, opened, sent, submitting
from tests.ordering.fakes import FakeBroker, FakeJournal, listed_order, state
from tests.test_trader import trading


async def with_an_unknown_order(broker: FakeBroker) -> Stage:
    broker.outcomes = [SendResult(outcome=Outcome.UNKNOWN)]
    stage = await trading(broker)
    stage.tell(approval())
    await stage.settle()
    assert len(stage.heard(OrderUnknown)) == 1
    return stage


def word(outcome: Settlement, order: int = 1, quantity: int = 0, price: int = 0) -> SettleOrder:
    return SettleOrder(order=order, outcome=outcome, quantity=Shares(quantity), price=Won(price), by="kim")


@in_virtual_time
async def test_a_dead_order_gives_its_cash_back_and_the_broker_is_asked_at_once() -> None:
    broker = FakeBroker(state())
    stage = await with_an_unknown_order(broker)
    await stage.advance(4)
    asked = broker.asked
    stage.tell(word(Settlement.DEAD))
    await stage.advance(9)

    assert [r.reason for r in stage.heard(OrderRejected)] == ["settled by kim: dead"]
    assert broker.asked > asked


@pytest.mark.parametrize(
    ("given", "booked", "rest"),
    [((0, 0), (10, 100_000), 0), ((4, 9_900), (4, 39_600), 6)],
)
def test_a_filled_order_is_booked_as_the_person_says(
    given: tuple[int, int], booked: tuple[int, int], rest: int
) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage = await with_an_unknown_order(FakeBroker(state()))
        stage.tell(word(Settlement.FILLED, 1, *given))

        (fill,) = stage.heard(OrderFilled)
        assert (fill.filled, fill.amount, fill.source, fill.open) == (*booked, "person", 0)
        assert (fill.commission, fill.tax) == (krx.commission(fill.amount, 0.00015), 0)
        assert sum(c.canceled for c in stage.heard(OrderCanceled)) == rest

    scene()


@pytest.mark.parametrize(("market", "tax"), [(Market.KOSPI, 150), (Market.ETF, 0)])
def test_a_sale_that_a_person_says_has_filled_pays_what_the_account_would(market: Market, tax: int) -> None:
    @in_virtual_time
    async def scene() -> None:
        broker = FakeBroker(state())
        broker.outcomes = [SendResult(outcome=Outcome.UNKNOWN)]
        stage = await trading(broker, commission=0.0035)
        stage.tell(listed(market=market), approval(1, SELL))
        await stage.settle()
        stage.tell(word(Settlement.FILLED))
        (fill,) = stage.heard(OrderFilled)

        assert (fill.amount, fill.commission, fill.tax) == (100_000, 350, tax)

    scene()


@pytest.mark.parametrize(
    "wrong",
    [word(Settlement.DEAD, 77), word(Settlement.FILLED, quantity=11), word(Settlement.FILLED, price=-1)],
)
def test_a_word_that_does_not_fit_changes_nothing(wrong: SettleOrder) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage = await with_an_unknown_order(FakeBroker(state()))
        before = len(stage.said)
        stage.tell(wrong)

        assert len(stage.said) == before

    scene()


@in_virtual_time
async def test_an_order_the_broker_knows_is_not_a_persons_to_settle() -> None:
    stage = await with_an_unknown_order(FakeBroker(state()))
    stage.tell(accepted(), word(Settlement.DEAD))

    assert not stage.heard(OrderRejected)


@in_virtual_time
async def test_a_halt_takes_back_everything_that_is_open_and_says_when_it_is_gone() -> None:
    broker = FakeBroker(state(1_000_000, listed_order(), listed_order("0000002", side=SELL, quantity=5, price=9_000)))
    stage = await trading(broker)
    stage.tell(approval(), approval(2, SELL, 5, 9_000))
    await stage.settle()
    stage.tell(accepted(), accepted(2, "0000002"), HaltTrading(reason="loss", by="guardian"))
    await stage.settle()
    assert [(i.order, i.action) for i in broker.sent[2:]] == [(1, Action.CANCEL), (2, Action.CANCEL)]
    stage.tell(canceled())
    assert not stage.heard(HaltConfirmed)
    stage.tell(canceled(2, 5))

    assert [c.reason for c in stage.heard(HaltConfirmed)] == ["loss"]


@in_virtual_time
async def test_the_exits_that_follow_a_halt_stand() -> None:
    broker = FakeBroker()
    stage = await trading(broker)
    stage.tell(HaltTrading(reason="loss", by="guardian", flatten=True))
    assert len(stage.heard(HaltConfirmed)) == 1
    stage.tell(approval(2, SELL, 5, 9_000))
    await stage.settle()
    stage.tell(accepted(2, "0000002"))
    await stage.advance(200)

    assert [(i.order, i.action) for i in broker.sent] == [(2, Action.NEW)]
    assert len(stage.heard(HaltConfirmed)) == 1


@in_virtual_time
async def test_an_unknown_order_keeps_a_halt_unconfirmed_until_it_is_settled() -> None:
    stage = await with_an_unknown_order(FakeBroker(state()))
    stage.tell(HaltTrading(reason="a person", by="kim"))
    assert not said(stage, HaltConfirmed)
    stage.tell(word(Settlement.DEAD))
    await stage.settle()
    assert len(said(stage, HaltConfirmed)) == 1
    stage.tell(ResumeTrading(by="kim"), approval(2, symbol=OTHER), HaltTrading(reason="again", by="kim"))

    assert [c.reason for c in stage.heard(HaltConfirmed)] == ["a person", "again"]


def said(stage: Stage, kind: type[Message]) -> list[Message]:
    return [message for message in stage.said if isinstance(message, kind)]


@pytest.mark.parametrize("others", [(listed_order("0000009", price=9_000),), ()], ids=["beside another", "alone"])
def test_an_order_that_no_list_shows_any_more_is_over_once_a_person_says_so(others: tuple[BrokerOrder, ...]) -> None:
    @in_virtual_time
    async def scene() -> None:
        journal = FakeJournal(opened(), approval(), submitting(), sent(), accepted())
        broker = FakeBroker(state(1_000_000, *others))
        stage = await trading(broker, journal)
        await stage.advance(60)
        assert stage.heard(Reconciled)[-1].differences == ("order 1: 0000001 is not in the broker's lists",)

        stage.tell(word(Settlement.DEAD))
        await stage.advance(60)

        assert [(over.canceled, over.reason) for over in stage.heard(OrderCanceled)] == [(10, "settled by kim")]
        assert stage.heard(Reconciled)[-1].differences == ()
        assert not broker.learned

    scene()
