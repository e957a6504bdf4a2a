"""What a change of an order may ask for, before any rule weighs it."""

from typing import Any

import pytest

from actors.limits.change import changeable
from actors.limits.rule import Refusal
from messages import ReplaceIntent, Shares, Symbol, Venue, Won
from tests.account.records import CODE, OTHER, accepted, approval, filled, folded, opened


def weighed(**changes: Any) -> Refusal | None:
    """Of an order of ten with three filled, on Nextrade."""
    ledger = folded([opened(), approval(venue=Venue.NXT), accepted(), filled(3, 30_000, last=3)])
    fields: dict[str, Any] = {"symbol": CODE, "venue": Venue.NXT, "quantity": Shares(7), "price": Won(9_900)}
    intent = ReplaceIntent(order=1, strategy="momentum", reason="a test", **(fields | changes))
    return changeable(ledger.orders[1], intent)


def test_all_that_is_open_may_move_to_another_price() -> None:
    assert weighed() is None


@pytest.mark.parametrize("quantity", [6, 8])
def test_a_part_is_not_moved_as_the_rest_would_stay_where_it_is(quantity: int) -> None:
    refusal = weighed(quantity=Shares(quantity))

    assert refusal is not None
    assert (refusal.rule, refusal.figures, refusal.limit) == ("change", {"quantity": quantity}, 7)


def test_a_change_to_the_price_it_has_is_none() -> None:
    refusal = weighed(price=Won(10_000))

    assert refusal is not None
    assert (refusal.figures, refusal.limit) == ({"order": 1, "price": 10_000}, "another price")


def test_a_change_names_the_venue_its_order_is_at() -> None:
    refusal = weighed(venue=Venue.KRX)

    assert refusal is not None
    assert (refusal.rule, refusal.figures, refusal.limit) == ("change", {"order": 1, "venue": "KRX"}, "NXT")


def test_a_change_names_the_issue_of_its_order() -> None:
    refusal = weighed(symbol=Symbol(OTHER))

    assert refusal is not None
    assert (refusal.figures, refusal.limit) == ({"order": 1, "symbol": OTHER}, CODE)
