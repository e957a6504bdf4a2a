"""What is missing, or cannot be, passes no rule."""

from typing import Any

import pytest

from actors.limits.rule import Quote, View
from actors.market.time import SECOND
from messages import Kind
from tests.account.records import CODE, NOON, OTHER
from tests.limits.world import LIMITS, limits, refusal, rich, view, wish


def quoted(**changes: Any) -> View:
    """A world whose newest price is that."""
    fields: dict[str, Any] = {"last": 10_000, "ask": 10_010, "bid": 9_990, "volume": 100_000, "received": NOON}
    return view(quotes={CODE: Quote(**(fields | changes)), OTHER: Quote()})


@pytest.mark.parametrize("ahead", [10, 3_600])
def test_a_price_from_before_the_clock_was_set_back_is_of_no_known_age(ahead: int) -> None:
    no = refusal(wish(), rich(), quoted(received=NOON + ahead * SECOND), LIMITS)

    assert no == ("stale price", {"seconds": float(ahead)}, 10.0)


@pytest.mark.parametrize(("price", "each"), [(7_500, 10_000), (10_050, 10_050)])
def test_a_limit_that_ends_as_a_market_order_is_worth_the_price_of_now(price: int, each: int) -> None:
    asked = wish(kind=Kind.CONDITIONAL, price=price)
    no = refusal(asked, rich(), quoted(), limits(max_order_value=10 * each - 1))

    assert no == ("order value", {"value": 10 * each, "price": each, "quantity": 10}, 10 * each - 1)
    assert refusal(asked, rich(), quoted(), limits(max_order_value=10 * each)) is None


def test_a_limit_far_behind_the_price_is_worth_what_it_asks() -> None:
    assert refusal(wish(price=7_500), rich(), quoted(), limits(max_order_value=75_000)) is None


@pytest.mark.parametrize("blank", ["last", "volume", "received"])
def test_an_issue_without_a_print_is_not_entered(blank: str) -> None:
    world = quoted(last=0, volume=0) if blank == "last" else quoted(**{blank: 0})

    assert refusal(wish(price=12_990), rich(), world) is not None
