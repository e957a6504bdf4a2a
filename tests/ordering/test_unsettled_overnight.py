"""An order that was over with shares unaccounted for does not bind them, or its cash, on another day."""

from messages import Message, OrderExpired, OrderFilled
from runtime.testing import in_virtual_time
from tests.account.records import canceled
from tests.ordering.fakes import owned, state
from tests.ordering.test_earlier_days import FRIDAY, Remembering, bought, left_open, listed, next_day, on


def short(order: int = 1) -> list[Message]:
    """Canceled with 3 shares of 10 left; the records of 7 never came."""
    return [*left_open(order=order), *on(FRIDAY, canceled(order, 3))]


@in_virtual_time
async def test_what_filled_unheard_before_a_cancel_is_booked_on_the_next_day() -> None:
    broker = Remembering(state(930_000, owned(7, 70_000)))
    broker.days = {FRIDAY: (listed("0000001", filled=7),)}
    stage = await next_day(broker, *short())

    assert bought(stage) == [(1, 7, 70_000)]
    assert broker.asked_days == [FRIDAY]
    assert not stage.heard(OrderExpired)


@in_virtual_time
async def test_what_nobody_tells_any_more_binds_nothing_on_the_next_day() -> None:
    stage = await next_day(Remembering(state(1_000_000)), *short())

    assert [(rest.order, rest.expired) for rest in stage.heard(OrderExpired)] == [(1, 7)]
    assert not stage.heard(OrderFilled)
