"""A cancel that asks for more than is open any more is refused whole: the rest is asked back at once."""

import pytest

from messages import Action, CancelRejected, Message
from runtime.testing import Stage, in_virtual_time
from tests.account.records import accepted, approval, cancel_rejected, filled
from tests.ordering.fakes import FakeBroker
from tests.test_trader import take_back, trading

FILL = filled(4, 40_000, last=4)


async def asked_back() -> tuple[Stage, FakeBroker]:
    broker = FakeBroker()
    stage = await trading(broker)
    stage.tell(approval())
    await stage.settle()
    stage.tell(accepted(), take_back())
    await stage.settle()
    return stage, broker


def cancels(broker: FakeBroker) -> list[int]:
    return [asked.quantity for asked in broker.sent if asked.action is Action.CANCEL]


@pytest.mark.parametrize(
    "told", [(FILL, cancel_rejected()), (cancel_rejected(), FILL)], ids=["fill first", "fill last"]
)
def test_what_is_left_after_a_fill_is_asked_back_again(told: tuple[Message, ...]) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage, broker = await asked_back()
        stage.tell(*told)
        await stage.settle()
        assert cancels(broker) == [10, 6]
        stage.tell(cancel_rejected())
        await stage.advance(60)

        assert cancels(broker) == [10, 6]

    scene()


@in_virtual_time
async def test_a_cancel_refused_for_another_reason_is_not_asked_for_again_when_something_fills_later() -> None:
    stage, broker = await asked_back()
    stage.tell(cancel_rejected())
    await stage.advance(6)
    stage.tell(FILL)
    await stage.settle()

    assert cancels(broker) == [10]


@in_virtual_time
async def test_where_all_has_filled_nothing_is_left_to_ask_back() -> None:
    stage, broker = await asked_back()
    stage.tell(cancel_rejected(), filled(10, 100_000, last=10))
    await stage.settle()

    assert cancels(broker) == [10]
    assert len(stage.heard(CancelRejected)) == 0
