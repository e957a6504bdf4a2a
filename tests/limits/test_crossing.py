"""An order whose price is being changed is met at whichever of its two prices comes first."""

import pytest

from tests.account.records import SELL, accepted, approval, change, folded, holding
from tests.limits.world import LIMITS, leave, refusal, view, wish


@pytest.mark.parametrize(
    ("price", "new", "against"),
    [(9_950, 9_960, 9_960), (9_950, 9_940, 0), (9_890, 9_800, 9_900)],
    ids=["raised to it", "raised, not to it", "lowered, perhaps too late"],
)
def test_a_sale_meets_a_buy_at_its_dearer_price(price: int, new: int, against: int) -> None:
    ledger = folded([approval(5, price=9_900), accepted(5), change(5, new)], holding())
    found = refusal(leave(price=price), ledger, view(), LIMITS)

    assert (found[1].get("against", 0) if found else 0) == against


@pytest.mark.parametrize(("new", "against"), [(9_990, 9_990), (10_020, 0)])
def test_a_buy_meets_a_sale_at_its_cheaper_price(new: int, against: int) -> None:
    ledger = folded([approval(5, SELL, 4, 10_010), accepted(5), change(5, new, 4)], holding())
    found = refusal(wish(), ledger, view(), LIMITS)

    assert (found[1].get("against", 0) if found else 0) == against
