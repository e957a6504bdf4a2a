"""A strategy's books are the ledger's: what it holds and what is open, whatever became of them and whoever said so."""

from actors.strategies.base import Strategy
from messages import (
    CancelOrder,
    CancelRejected,
    Nanoseconds,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderIntent,
    OrderRefused,
    OrderRejected,
    ReplaceIntent,
    Shares,
    Side,
    Won,
)
from runtime.testing import Stage, in_virtual_time
from tests.market.market_data import CODE
from tests.strategies.orders import adjusted, approved, fill, position, reconciled
from tests.strategies.test_base import started


def lot(strategy: Strategy) -> tuple[int, int]:
    held = strategy.lots[CODE]
    return held.quantity, held.cost


async def ordered(strategy: Strategy, quantity: int = 10) -> tuple[Stage, int]:
    stage = await started(strategy)
    number = strategy.place(CODE, Side.BUY, quantity, Won(10_000), "")
    stage.tell(approved(number, quantity))
    return stage, number


@in_virtual_time
async def test_shares_sold_by_hand_are_not_sold_again() -> None:
    strategy = Strategy()
    stage = await started(strategy)
    stage.tell(reconciled(), fill(1, Side.BUY, 10), adjusted(4, 40_000))
    strategy.close(CODE, "enough")

    assert [intent.quantity for intent in stage.heard(OrderIntent)] == [4]


@in_virtual_time
async def test_what_all_was_sold_by_hand_is_no_lot() -> None:
    strategy = Strategy()
    stage = await started(strategy)
    stage.tell(reconciled(), fill(1, Side.BUY, 10), adjusted(0, 0))

    assert strategy.lots == {}
    assert strategy.may_enter(CODE)


@in_virtual_time
async def test_a_split_makes_more_shares_of_the_same_cost() -> None:
    strategy = Strategy()
    stage = await started(strategy)
    stage.tell(reconciled(), fill(1, Side.BUY, 10), adjusted(50, 100_000))

    assert lot(strategy) == (50, 100_000)
    assert strategy.lots[CODE].price == 2_000


@in_virtual_time
async def test_strangers_shares_go_before_its_own() -> None:
    strategy = Strategy()
    stage = await started(strategy)
    stage.tell(reconciled(position(50, 450_000)), fill(1, Side.BUY, 10), fill(2, Side.BUY, 5, strategy="another"))
    stage.tell(adjusted(20, 190_000))

    assert lot(strategy) == (10, 100_000)


@in_virtual_time
async def test_an_order_that_is_approved_is_open_also_for_who_did_not_ask_for_it() -> None:
    strategy = Strategy()
    stage = await started(strategy)
    stage.tell(approved(77), approved(78, strategy="another"))

    assert {number: order.open for number, order in strategy.orders.items()} == {77: 10}
    assert not strategy.may_enter(CODE)


@in_virtual_time
async def test_an_order_that_was_said_to_be_rejected_and_lives_stands_open() -> None:
    strategy = Strategy()
    stage, number = await ordered(strategy)
    about = {"order": number, "symbol": CODE, "strategy": "mine", "time": Nanoseconds(0)}
    stage.tell(OrderRejected(**about, reason="no number"))  # type: ignore[arg-type]
    dead = dict(strategy.orders)
    stage.tell(OrderAccepted(**about, broker_order="0000007"))  # type: ignore[arg-type]

    assert (dead, list(strategy.orders)) == ({}, [number])
    assert strategy.buy(CODE, Won(10_000), "") == 0


@in_virtual_time
async def test_what_is_left_of_an_order_is_told_by_all_that_happened_to_it() -> None:
    strategy = Strategy()
    stage, number = await ordered(strategy)
    stage.tell(fill(number, Side.BUY, 4, 6))
    part = strategy.orders[number].open
    expired = OrderExpired(
        order=number,
        symbol=CODE,
        strategy="mine",
        time=Nanoseconds(0),
        broker_order="1",
        expired=Shares(6),
    )
    stage.tell(expired)

    assert (part, strategy.orders, lot(strategy)) == (6, {}, (4, 40_000))


def refused(number: int) -> CancelRejected:
    return CancelRejected(order=number, symbol=CODE, strategy="mine", time=Nanoseconds(0), reason="it was being filled")


@in_virtual_time
async def test_a_cancel_that_met_a_fill_is_asked_for_again() -> None:
    strategy = Strategy(patience=5)
    stage, number = await ordered(strategy)
    await stage.advance(5.1)
    stage.tell(fill(number, Side.BUY, 4, 6), refused(number))
    await stage.advance(5)

    assert [cancel.order for cancel in stage.heard(CancelOrder)] == [number, number]


@in_virtual_time
async def test_in_vain_it_asks_less_and_less_often_and_never_once_the_order_is_over() -> None:
    strategy = Strategy(patience=5)
    stage, number = await ordered(strategy)
    await stage.advance(3_600)
    asked = len(stage.heard(CancelOrder))
    canceled = OrderCanceled(
        order=number, symbol=CODE, strategy="mine", time=Nanoseconds(0), broker_order="1", canceled=Shares(10)
    )
    stage.tell(canceled)
    await stage.advance(3_600)

    assert 10 < asked < 40
    assert len(stage.heard(CancelOrder)) == asked


class Follower(Strategy):
    """Moves what does not fill to a better price."""

    def on_unfilled(self, number: int, order: object) -> None:
        del order
        self.reprice(number, Won(9_900), "after the bid")


@in_virtual_time
async def test_a_change_that_risk_refuses_is_asked_for_again() -> None:
    strategy = Follower(patience=5)
    stage, number = await ordered(strategy)
    await stage.advance(5.1)
    (first,) = [e.number for e in stage.envelopes if isinstance(e.message, ReplaceIntent)]
    no = OrderRefused(order=first, symbol=CODE, strategy="mine", side=Side.BUY, rule="change", figures={}, limit=0)
    stage.tell(no)
    await stage.advance(5)

    assert [change.order for change in stage.heard(ReplaceIntent)] == [number, number]


@in_virtual_time
async def test_an_order_that_another_placed_for_its_lots_is_left_to_who_placed_it() -> None:
    strategy = Strategy(patience=5)
    stage = await started(strategy)
    stage.tell(fill(1, Side.BUY, 10), approved(2, side=Side.SELL, price=9_900))
    await stage.advance(60)

    assert stage.heard(CancelOrder) == []
    assert strategy.close(CODE, "enough") == 0
