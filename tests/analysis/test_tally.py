"""The digest tells different days apart and equal ones not, whatever their numbers."""

import msgspec
import pytest

from actors.analysis.tally import Ordering, Tally
from messages import (
    Action,
    ApprovedOrder,
    CancelOrder,
    Evidence,
    Nanoseconds,
    OrderIntent,
    OrderRejected,
    OrderSent,
    Purpose,
    Shares,
    Side,
    Symbol,
    Won,
)
from runtime.envelope import Envelope

CODE = Symbol("005930")
INTENT = OrderIntent(
    symbol=CODE, side=Side.BUY, quantity=Shares(1), price=Won(100), purpose=Purpose.ENTRY, strategy="a", reason="r"
)


def digest(run: int, gap: int, *changes: Ordering) -> str:
    tally = Tally()
    base = run << 40
    rejected = OrderRejected(order=base + gap, symbol=CODE, strategy="a", time=Nanoseconds(5), reason="no")
    cancel = CancelOrder(order=base + 2 * gap, symbol=CODE, strategy="a", reason="old")
    for place, message in enumerate((*(changes or (INTENT,)), INTENT, rejected, cancel), 1):
        tally.take(message, Envelope(base + place * gap, place, "x", 0, message))
    return tally.digest


def test_neither_the_run_nor_what_else_was_said_in_between_changes_the_digest() -> None:
    assert digest(1, 1) == digest(2, 1) == digest(9, 17)


@pytest.mark.parametrize("change", [{"price": Won(101)}, {"side": Side.SELL}, {"reason": "s"}, {"quantity": Shares(2)}])
def test_any_other_difference_changes_it(change: dict[str, object]) -> None:
    assert digest(1, 1, msgspec.structs.replace(INTENT, **change)) != digest(1, 1)


def test_the_order_of_events_counts() -> None:
    other = msgspec.structs.replace(INTENT, price=Won(101))
    assert digest(1, 1, INTENT, other) != digest(1, 1, other, INTENT)


def test_an_order_is_timed_from_the_price_that_set_it_off() -> None:
    tally = Tally()
    approved = ApprovedOrder(
        order=1,
        symbol=CODE,
        side=Side.BUY,
        quantity=Shares(1),
        purpose=Purpose.ENTRY,
        strategy="a",
        evidence=Evidence(),
    )
    sent = OrderSent(order=1, symbol=CODE, strategy="a", time=Nanoseconds(0), action=Action.NEW)
    tally.take(approved, Envelope(2, 40_000, "risk", 1, approved, 10_000))
    tally.take(sent, Envelope(3, 90_000, "trader", 0, sent, 90_000))
    latency = tally.latency("real")
    assert (latency["to_approval"]["p50"], latency["to_sent"]["p50"]) == (30.0, 80.0)
