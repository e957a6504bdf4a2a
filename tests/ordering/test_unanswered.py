"""A request about a living order whose answer is lost stands in nobody's way for ever."""

import pytest
from msgspec.structs import replace

from actors.market.time import SECOND
from actors.ordering.findings import confirmed
from actors.ordering.reconciliation import compare
from messages import (
    Action,
    CancelRejected,
    HaltConfirmed,
    HaltTrading,
    Message,
    Nanoseconds,
    OrderAccepted,
    OrderRejected,
    OrderReplaced,
    OrderUnknown,
    ReconciliationWanted,
    ReplaceRejected,
)
from runtime.testing import START, in_virtual_time
from tests.account.records import (
    NOON,
    accepted,
    approval,
    canceled,
    change,
    filled,
    folded,
    opened,
    sent,
    submitting,
    unknown,
)
from tests.ordering.fakes import FakeBroker, FakeJournal, listed_order, owned, state
from tests.test_trader import trading

LIVING = (opened(), approval(), submitting(), sent(), accepted())


@in_virtual_time
async def test_a_halt_takes_back_an_order_whose_cancel_was_on_its_way_when_the_system_died() -> None:
    journal = FakeJournal(*LIVING, submitting(action=Action.CANCEL))
    broker = FakeBroker(state(1_000_000, listed_order()))
    stage = await trading(broker, journal)
    stage.tell(HaltTrading(reason="enough", by="a person"))
    await stage.advance(10)
    assert [(i.action, i.broker_order) for i in broker.sent] == [(Action.CANCEL, "0000001")]
    stage.tell(canceled())

    assert len(stage.heard(HaltConfirmed)) == 1


@pytest.mark.parametrize(
    ("past", "said"),
    [((change(),), ReplaceRejected), ((change(), submitting(action=Action.REPLACE)), OrderUnknown)],
)
def test_a_change_is_given_up_at_the_start_if_it_never_left_and_is_unknown_if_it_may_have(
    past: tuple[Message, ...], said: type[Message]
) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage = await trading(FakeBroker(state(1_000_000, listed_order())), FakeJournal(*LIVING, *past))

        assert [type(m) for m in stage.said if isinstance(m, ReplaceRejected | OrderUnknown)] == [said]

    scene()


def booked(*past: Message, later: float, number: str = "0000001", original: str = "") -> list[type[Message]]:
    """What two equal looks book, so long after the request."""
    ledger = folded([*LIVING, *past])  # type: ignore[list-item]
    row = listed_order(number, original=original)
    rows = (row,) if number == "0000001" else (listed_order(open_=0), row)
    there = replace(state(1_000_000, *rows), time=Nanoseconds(NOON + round(later * SECOND)))
    findings = confirmed(compare(ledger, there), compare(ledger, there))
    return [type(message) for finding in findings for message in finding.messages]


@pytest.mark.parametrize(("later", "said"), [(9.0, []), (11.0, [CancelRejected])])
def test_a_cancel_that_the_broker_took_and_that_has_no_effect_may_be_asked_for_again(
    later: float, said: list[type[Message]]
) -> None:
    assert booked(submitting(action=Action.CANCEL), later=later) == said


@pytest.mark.parametrize(("later", "said"), [(9.0, []), (11.0, [ReplaceRejected])])
def test_a_change_that_the_broker_never_shows_is_given_up(later: float, said: list[type[Message]]) -> None:
    assert booked(change(), submitting(action=Action.REPLACE), later=later) == said


def test_a_change_that_the_broker_shows_is_taken_up() -> None:
    past = (change(price=10_000), submitting(action=Action.REPLACE))

    assert OrderReplaced in booked(*past, later=11.0, number="0000002", original="0000001")


def test_a_change_that_waits_for_its_turn_is_not_given_up() -> None:
    assert booked(change(), later=11.0) == []


def test_a_change_that_only_its_fill_told_of_is_taken_up_and_not_given_up() -> None:
    ledger = folded([*LIVING, change(), submitting(action=Action.REPLACE)])
    ledger.fold(filled(4, 39_600, last=4, broker_order="0000002"), 50)
    rows = (listed_order(open_=0), listed_order("0000002", price=9_900, filled=4, original="0000001"))
    there = replace(state(960_400, *rows, owned(4, 39_600)), time=Nanoseconds(NOON + 20 * SECOND))
    (finding,) = confirmed(compare(ledger, there), compare(ledger, there))
    assert [type(message) for message in finding.messages] == [OrderReplaced]
    ledger.fold(finding.messages[0], 51)  # type: ignore[arg-type]

    assert (ledger.orders[1].price, ledger.orders[1].replacing, ledger.orders[1].open) == (9_900, 0, 6)
    assert not compare(ledger, there).findings


@pytest.mark.parametrize(("later", "said"), [(9.0, []), (11.0, [OrderUnknown])])
def test_an_order_that_is_over_here_and_open_at_the_broker_calls_a_person_once(
    later: float, said: list[type[Message]]
) -> None:
    assert booked(canceled(), later=later) == said
    assert booked(canceled(), unknown(), later=later) == []


@in_virtual_time
async def test_what_a_list_shows_before_the_exchange_has_it_may_still_be_refused_and_then_nobody_misses_it() -> None:
    shown = replace(state(1_000_000, listed_order("0000007")), time=Nanoseconds(START + 2 * SECOND))
    broker = FakeBroker(state(), shown, shown, state())
    stage = await trading(broker)
    stage.tell(approval())
    await stage.advance(1)
    stage.tell(ReconciliationWanted(reason="somebody asks"))
    await stage.advance(8)
    assert not stage.heard(OrderAccepted)
    await stage.advance(60)

    (refused,) = stage.heard(OrderRejected)
    assert refused.reason == "the broker has no such order, asked twice"
    assert not stage.heard(HaltTrading)


@in_virtual_time
async def test_what_a_list_still_shows_when_no_answer_came_is_taken_up() -> None:
    shown = state(1_000_000, listed_order("0000007"))
    early, late = (replace(shown, time=Nanoseconds(START + second * SECOND)) for second in (2, 4))
    broker = FakeBroker(state(), early, early, late)
    stage = await trading(broker)
    stage.tell(approval())
    await stage.advance(1)
    stage.tell(ReconciliationWanted(reason="somebody asks"))
    await stage.advance(8)
    assert not stage.heard(OrderAccepted)
    await stage.advance(60)

    assert [taken.broker_order for taken in stage.heard(OrderAccepted)] == ["0000007"]
