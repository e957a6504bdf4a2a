"""Cash that the broker has and the ledger has not is booked as soon as no fill can explain it."""

import pytest
from msgspec.structs import replace

from actors.account.ledger import Ledger
from actors.market.time import SECOND
from actors.ordering.findings import confirmed
from actors.ordering.reconciliation import compare
from messages import CashAdjusted, Nanoseconds
from tests.account.records import NOON, accepted, approval, filled, folded, opened, submitting
from tests.ordering.fakes import listed_order, owned, state

AFTER = Nanoseconds(NOON + 20 * SECOND)


def traded_by(shares: int) -> Ledger:
    """An order for thirty, of which so many have filled."""
    order = (approval(quantity=30), submitting(quantity=30), accepted())
    return folded([opened(), *order, filled(shares, shares * 10_000, last=shares, asked=30)])


def test_what_differs_by_the_same_in_both_looks_is_booked_though_trades_went_on_between_them() -> None:
    first, second = traded_by(10), traded_by(20)
    before = replace(state(907_000, listed_order(filled=10, open_=20, quantity=30), owned(10, 100_000)), time=AFTER)
    after = replace(state(807_000, listed_order(filled=20, open_=10, quantity=30), owned(20, 200_000)), time=AFTER)
    found = confirmed(compare(first, before), compare(second, after))

    (moved,) = (message for finding in found for message in finding.messages)
    assert isinstance(moved, CashAdjusted)
    assert moved.cash == 7_000


@pytest.mark.parametrize(
    ("listed", "cash"),
    [((10, 20), 3_610), ((20, 10), 0), ((10, 0), 0), ((), 0)],
    ids=["as known", "ahead", "canceled", "missing"],
)
def test_cash_is_booked_beside_orders_that_stand_as_the_lists_say(listed: tuple[int, ...], cash: int) -> None:
    rows = [listed_order(filled=listed[0], open_=listed[1], quantity=30)] if listed else []
    seen = replace(state(903_610, *rows, owned(10, 100_000)), time=AFTER)
    found = confirmed(compare(traded_by(10), seen), compare(traded_by(10), seen))

    moved = [m.cash for finding in found for m in finding.messages if isinstance(m, CashAdjusted)]
    assert moved == ([cash] if cash else [])


def test_cash_of_a_fill_of_this_moment_is_awaited() -> None:
    seen = state(903_610, listed_order(filled=10, open_=20, quantity=30), owned(10, 100_000))
    found = confirmed(compare(traded_by(10), seen), compare(traded_by(10), seen))

    assert [finding.messages for finding in found] == [()]
