"""No exit stands still in silence, whatever holds it up."""

import pytest
from msgspec.structs import replace

from actors.limits.rate import LOOK_ALIKE
from actors.limits.state import SUSPENDED
from messages import (
    CancelOrder,
    CancelRejected,
    ExitDelayed,
    InstrumentHalted,
    Kind,
    OrderIntent,
    Session,
    SessionChanged,
    Won,
)
from runtime.testing import in_virtual_time
from tests.account.records import (
    BUY,
    CODE,
    SELL,
    about,
    accepted,
    approval,
    canceled,
    filled,
    listed,
    rejected,
    submitting,
    unknown,
)
from tests.test_guardian import NOW, approve, guarding, interrupted, refused
from tests.test_risk import tick


@pytest.mark.parametrize("lost", [False, True], ids=["no number", "unknown"])
def test_an_order_in_the_way_that_cannot_be_taken_back_calls_a_person(lost: bool) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage = await guarding(patience=3.0)
        stage.tell(approval(7, BUY, 5, strategy="contrarian"), *([unknown(7)] if lost else []), tick(9_000))
        await stage.advance(8)
        assert not stage.heard(ExitDelayed)
        await stage.advance(60)

        assert len(stage.heard(CancelOrder)) > 3
        assert not stage.heard(OrderIntent)
        assert [(call.left, call.attempts) for call in stage.heard(ExitDelayed)] == [(10, 0)]

    scene()


@in_virtual_time
async def test_a_sale_of_our_own_whose_cancel_is_refused_again_and_again_calls_a_person() -> None:
    stage = await guarding(patience=3.0)
    stage.tell(tick(9_000))
    number = approve(stage)
    stage.tell(accepted(number, "0000005"))
    for _ in range(5):
        await stage.advance(3)
        stage.tell(CancelRejected(**about(number), reason="no answer came"))

    assert len(stage.heard(CancelOrder)) > 2
    assert [(call.left, call.attempts) for call in stage.heard(ExitDelayed)] == [(10, 1)]


@in_virtual_time
async def test_an_interruption_whose_end_nobody_told_holds_up_no_exit() -> None:
    stage = await guarding(patience=3.0, auction_percent=3.0)
    stage.tell(listed(CODE), interrupted(), tick(9_000))
    number = approve(stage)
    stage.tell(accepted(number, "0000005"))
    await stage.advance(150)
    assert not stage.heard(CancelOrder)
    await stage.advance(60)
    assert {cancel.order for cancel in stage.heard(CancelOrder)} == {number}
    stage.tell(canceled(number))

    assert stage.heard(OrderIntent)[-1].kind is Kind.MARKET


@in_virtual_time
async def test_while_nothing_trades_nobody_is_called() -> None:
    stage = await guarding(patience=3.0)
    stage.tell(SessionChanged(session=Session.CLOSED_FOR_DAY, time=NOW), tick(9_000))
    await stage.advance(600)
    stage.tell(SessionChanged(session=Session.CONTINUOUS, time=NOW))
    await stage.advance(2)

    assert not stage.heard(ExitDelayed)
    assert len(stage.heard(OrderIntent)) == 1


@in_virtual_time
async def test_the_shares_that_a_lost_sale_does_not_bind_are_sold_all_the_same() -> None:
    stage = await guarding(patience=3.0)
    stage.tell(approval(7, SELL, 4, 11_000), submitting(7), unknown(7), tick(9_000))
    assert [exit_.quantity for exit_ in stage.heard(OrderIntent)] == [6]
    number = approve(stage)
    stage.tell(accepted(number, "0000005"), filled(6, 54_000, number, SELL, last=6, asked=6))
    await stage.advance(60)
    assert len(stage.heard(OrderIntent)) == 1
    assert [call.left for call in stage.heard(ExitDelayed)] == [4]
    stage.tell(rejected(7))

    assert [exit_.quantity for exit_ in stage.heard(OrderIntent)] == [6, 4]


@pytest.mark.parametrize("price", [0, 9_000], ids=["at the market", "at the same price"])
def test_an_exit_that_looks_like_anothers_lost_sale_goes_in_two_parts(price: int) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage = await guarding(patience=3.0)
        stage.tell(approval(7, SELL, 10, price, strategy="contrarian"), submitting(7), unknown(7), tick(9_000))
        assert [exit_.quantity for exit_ in stage.heard(OrderIntent)] == [9]
        number = approve(stage)
        stage.tell(accepted(number, "0000005"), filled(9, 81_000, number, SELL, last=9, asked=9))
        await stage.advance(4)

        assert [exit_.quantity for exit_ in stage.heard(OrderIntent)] == [9, 1]

    scene()


@in_virtual_time
async def test_another_lost_sale_at_another_price_is_not_taken_for_the_exit() -> None:
    stage = await guarding(patience=3.0)
    stage.tell(approval(7, SELL, 10, 11_000, strategy="contrarian"), submitting(7), unknown(7), tick(9_000))

    assert [exit_.quantity for exit_ in stage.heard(OrderIntent)] == [10]


@in_virtual_time
async def test_a_lost_market_order_of_our_own_is_not_taken_back_and_what_came_after_it_is_sold() -> None:
    stage = await guarding(patience=3.0)
    stage.tell(tick(9_000, bid=Won(0)))
    first = approve(stage)
    stage.tell(submitting(first), unknown(first), approval(8), filled(5, 45_000, 8, last=5))
    await stage.advance(4)
    assert [cancel.order for cancel in stage.heard(CancelOrder)] == [8]
    stage.tell(canceled(8, 5))

    assert [exit_.quantity for exit_ in stage.heard(OrderIntent)] == [10, 5]


@in_virtual_time
async def test_nothing_is_asked_for_while_a_canceled_sale_leaves_every_share_unaccounted_for() -> None:
    stage = await guarding(patience=3.0)
    stage.tell(approval(7, SELL, 10, 11_000), submitting(7), accepted(7, "0000007"), canceled(7, 0), tick(9_000))
    await stage.advance(60)

    assert not stage.heard(OrderIntent)
    assert [call.attempts for call in stage.heard(ExitDelayed)] == [0]


@in_virtual_time
async def test_two_owners_of_equal_lots_do_not_wait_for_each_other_longer_than_for_a_number() -> None:
    stage = await guarding(patience=3.0)
    stage.tell(approval(2, strategy="contrarian"), filled(10, 100_000, 2, last=10, strategy="contrarian"))
    second = stage.tell(tick(9_000)) + 2
    assert [exit_.strategy for exit_ in stage.heard(OrderIntent)] == ["momentum", "contrarian"]
    first = second - 1
    stage.tell(approval(first, SELL, 10, 9_000), replace(refused(second), rule=LOOK_ALIKE), accepted(first, "0000005"))

    assert [(exit_.strategy, exit_.kind) for exit_ in stage.heard(OrderIntent)[2:]] == [("contrarian", Kind.MARKET)]


@pytest.mark.parametrize("told", [True, False], ids=["somebody says so", "a print"])
def test_a_holding_whose_trading_stands_still_is_tried_each_minute_and_complained_about_each_hour(told: bool) -> None:
    """A suspension lasts for weeks: each try is a record of the journal, and each complaint wakes somebody."""

    @in_virtual_time
    async def scene() -> None:
        stage = await guarding(patience=3.0)
        stage.tell(tick(9_000))
        answered = 0
        for _ in range(7_200):
            tries = [e.number for e in stage.envelopes if isinstance(e.message, OrderIntent)]
            stage.tell(*[replace(refused(number), rule=SUSPENDED) for number in tries[answered:]])
            answered = len(tries)
            await stage.advance(1)
        assert len(stage.heard(OrderIntent)) == 1 + 120
        assert len(stage.heard(ExitDelayed)) == 2

        stage.tell(InstrumentHalted(symbol=CODE, time=NOW, halted=False) if told else tick(9_000))
        await stage.advance(4)
        assert len(stage.heard(OrderIntent)) == 1 + 120 + 1
        await stage.advance(60)
        assert len(stage.heard(ExitDelayed)) > 2

    scene()
