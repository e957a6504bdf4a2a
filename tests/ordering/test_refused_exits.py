"""An exit that the broker refuses has it asked what is held, once, so that shares sold by hand are booked at once."""

from actors.account.order import Order
from actors.gateways.port import Outcome, SendResult
from actors.market.time import SECOND
from actors.ordering.refused import RefusedExits
from messages import HaltTrading, OrderRejected, PositionAdjusted, Symbol
from runtime.testing import START, Stage, in_virtual_time
from tests.account.records import BUY, CODE, OTHER, SELL, approval, folded, opened, rejected, submitting, unknown
from tests.ordering.fakes import FakeBroker, owned, state
from tests.test_trader import NOW, trading

REFUSED = SendResult(outcome=Outcome.NEVER, reason="매도가능수량이 부족합니다", code=-1)


async def holding(*, sold: bool = True) -> tuple[Stage, FakeBroker]:
    """Ten shares here; at the broker they are gone, for 99,000 won, after the start."""
    kept = owned(1, 50_000, OTHER)
    broker = FakeBroker(state(900_000, owned(10, 100_000), kept))
    stage = await trading(broker)
    if sold:
        broker.states = [state(999_000, kept)]
    broker.asked = 0
    return stage, broker


async def refused(stage: Stage, broker: FakeBroker, order: int, symbol: Symbol = CODE) -> None:
    broker.outcomes = [REFUSED]
    stage.tell(approval(order, SELL, 10, 0, symbol=symbol))
    await stage.settle()


@in_virtual_time
async def test_shares_sold_by_hand_are_booked_within_seconds_of_the_refusal() -> None:
    stage, broker = await holding()
    await refused(stage, broker, 5)
    await stage.advance(12)

    assert len(stage.heard(OrderRejected)) == 1
    assert [(gone.symbol, gone.quantity) for gone in stage.heard(PositionAdjusted)] == [(CODE, 0)]


@in_virtual_time
async def test_an_exit_that_is_refused_again_and_again_is_asked_about_once() -> None:
    stage, broker = await holding(sold=False)
    for order in range(5, 20):
        await refused(stage, broker, order)
        await stage.advance(3)

    assert len(stage.heard(OrderRejected)) == 15
    assert broker.asked == 1


@in_virtual_time
async def test_a_refusal_of_an_order_nobody_approved_halts_and_is_no_crash() -> None:
    stage, _ = await holding(sold=False)
    stage.tell(rejected(77))

    assert [halted.reason for halted in stage.heard(HaltTrading)] == [
        "OrderRejected of order 77, which nobody approved"
    ]


def sale(number: int, symbol: Symbol = CODE) -> Order:
    ledger = folded([opened(), approval(number, SELL, 10, 0, symbol=symbol), submitting(number, side=SELL)])
    return ledger.orders[number]


def test_another_exit_waits_its_time_and_then_one_question_is_for_all() -> None:
    refusals = RefusedExits()
    third = Symbol("035420")

    assert refusals.asks(sale(1), START)
    assert not refusals.asks(sale(2, OTHER), START + 3 * SECOND)
    assert not refusals.asks(sale(3, third), START + 9 * SECOND)
    assert refusals.asks(sale(4, OTHER), START + 12 * SECOND)
    assert not refusals.asks(sale(5, third), START + 30 * SECOND)


def test_after_a_quiet_minute_it_is_another_exit() -> None:
    refusals = RefusedExits()

    assert refusals.asks(sale(1), START)
    assert not refusals.asks(sale(2), START + 50 * SECOND)
    assert not refusals.asks(sale(3), START + 100 * SECOND)
    assert refusals.asks(sale(4), START + 161 * SECOND)


def test_entries_what_never_left_and_what_the_lists_settled_are_no_reason() -> None:
    ledger = folded(
        [
            opened(time=NOW),
            approval(1, BUY),
            submitting(1),
            approval(2, SELL, 10, 0),
            approval(3, SELL, 10, 0),
            submitting(3, side=SELL),
            unknown(3),
        ]
    )

    assert not any(RefusedExits().asks(ledger.orders[number], START) for number in (1, 2, 3))
