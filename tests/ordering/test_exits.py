"""No exit stands still in silence, whatever holds it up."""

import pytest

from messages import CancelOrder, CancelRejected, ExitDelayed, Kind, OrderIntent, Session, SessionChanged
from runtime.testing import in_virtual_time
from tests.account.records import BUY, CODE, about, accepted, approval, canceled, listed, unknown
from tests.test_guardian import NOW, approve, guarding, interrupted
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
