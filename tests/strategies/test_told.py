"""A strategy counts what its orders have come to, however often and by whom it is told."""

from msgspec.structs import replace

from actors.strategies.base import Strategy
from messages import Nanoseconds, OrderCanceled, OrderFilled, OrderIntent, Shares, Side, Won
from runtime.testing import in_virtual_time
from tests.market.market_data import CODE
from tests.strategies.orders import approved, fill
from tests.strategies.test_base import started


def part(quantity: int, filled: int, asked: int = 10, source: str = "record") -> OrderFilled:
    """A fill of order 1, which with it has come to `filled`."""
    told = fill(1, Side.BUY, quantity, asked - filled)
    return replace(told, filled=Shares(filled), amount=Won(10_000 * filled), source=source)


@in_virtual_time
async def test_a_record_that_comes_after_the_reconciliation_found_its_fill_adds_no_shares() -> None:
    strategy = Strategy()
    stage = await started(strategy)
    stage.tell(part(4, 4), part(6, 10, source="recovery"), part(6, 10))
    strategy.close(CODE, "enough")

    assert [intent.quantity for intent in stage.heard(OrderIntent)] == [10]


@in_virtual_time
async def test_records_in_the_wrong_order_make_the_same_lot() -> None:
    strategy = Strategy()
    stage = await started(strategy)
    stage.tell(part(10, 10, source="jump"), part(4, 4))

    assert (strategy.lots[CODE].quantity, strategy.lots[CODE].cost, strategy.orders) == (10, 100_000, {})


@in_virtual_time
async def test_what_cost_more_than_was_told_is_no_share() -> None:
    strategy = Strategy()
    stage = await started(strategy)
    stage.tell(part(10, 10), part(0, 10, source="recovery"))

    assert strategy.lots[CODE].quantity == 10


@in_virtual_time
async def test_an_order_of_which_a_stranger_took_back_a_part_still_stands() -> None:
    strategy = Strategy(budget=100_000)
    stage = await started(strategy)
    number = strategy.buy(CODE, Won(10_000), "")
    stage.tell(approved(number))
    took = OrderCanceled(
        order=number,
        symbol=CODE,
        strategy="mine",
        time=Nanoseconds(0),
        broker_order="1",
        canceled=Shares(3),
        open=Shares(7),
    )
    stage.tell(took)
    again = strategy.buy(CODE, Won(10_000), "")
    left = strategy.orders[number].open
    stage.tell(replace(took, canceled=Shares(10), open=Shares(0)))

    assert (again, left, strategy.orders) == (0, 7, {})
