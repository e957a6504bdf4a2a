"""Shares that somebody bought by hand in an issue our strategies trade all the time are found all the same."""

import pytest
from msgspec.structs import replace

from actors.market.time import SECOND
from actors.ordering.findings import Finding, confirmed, lasting
from actors.ordering.reconciliation import compare
from messages import Nanoseconds, PositionAdjusted, Symbol
from tests.account.records import CODE, NOON, accepted, approval, canceled, filled, folded, opened, submitting
from tests.ordering.fakes import listed_order, owned, state

_OTHER = Symbol("900030")


def after(*orders: int, bought: int = 120, paid: int = 1_200_500, more: int = 0) -> tuple[Finding, ...]:
    """A match while these orders of ours rest that had filled by ten shares, and somebody bought so many by hand."""
    told = [
        message
        for n in range(1, 4)
        for message in (
            approval(n, quantity=20),
            submitting(n, quantity=20),
            accepted(n, f"{n:07d}"),
            filled(10, 100_000, n, last=10, asked=20),
        )
    ]
    over = [canceled(n, 10) for n in range(1, 4) if n not in orders]
    rows = [listed_order(f"{n:07d}", quantity=20, filled=10, open_=10 if n in orders else 0) for n in range(1, 4)]
    shares = [owned(30 + bought, 10_000 * (30 + bought)), *([owned(2, 20_000, _OTHER)] if more else [])]
    there = state(700_000 - paid - more, *rows, *shares)
    match = compare(folded([opened(), *told, *over]), replace(there, time=Nanoseconds(NOON + 20 * SECOND)))
    return confirmed(match, match)


def booked(before: tuple[Finding, ...], now: tuple[Finding, ...]) -> list[tuple[Symbol, int, int]]:
    said = (message for finding in lasting(now, before) for message in finding.messages)
    return [(m.symbol, m.quantity, m.cash) for m in said if isinstance(m, PositionAdjusted)]


@pytest.mark.parametrize(
    ("before", "now", "adjusted"),
    [
        (after(1), after(2), [(CODE, 150, -1_200_500)]),
        (after(1, 2), after(3), [(CODE, 150, -1_200_500)]),
        (after(1), after(1), []),
        (after(1, 2), after(2, 3), []),
        (after(1, bought=110), after(2), []),
        (after(1, paid=1_100_000), after(2), []),
        ((), after(2), []),
    ],
    ids=["another order", "others", "the same order", "one of them", "other shares", "other cash", "the first match"],
)
def test_shares_two_matches_find_are_no_orders_that_only_one_of_them_saw_at_work(
    before: tuple[Finding, ...], now: tuple[Finding, ...], adjusted: list[tuple[Symbol, int, int]]
) -> None:
    assert booked(before, now) == adjusted


@pytest.mark.parametrize(("paid", "adjusted"), [(0, []), (-60_000, [(CODE, 20, 60_000)])], ids=["unpaid", "paid"])
def test_shares_that_are_gone_in_two_matches_were_sold_where_money_came_for_them(
    paid: int, adjusted: list[tuple[Symbol, int, int]]
) -> None:
    assert booked(after(1, bought=-10, paid=paid), after(2, bought=-10, paid=paid)) == adjusted


def test_what_was_booked_is_no_sign_of_as_much_again() -> None:
    assert booked(lasting(after(2), after(1)), after(3)) == []


def test_beside_shares_of_another_issue_they_count_at_their_cost() -> None:
    before, now = after(1, more=20_000), after(2, more=20_000)

    assert booked(before, now) == [(CODE, 150, -1_200_000), (_OTHER, 2, -20_000)]
