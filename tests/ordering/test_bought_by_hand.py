"""Shares that somebody bought by hand in an issue our strategies trade all the time are found all the same."""

import pytest
from msgspec.structs import replace

from actors.market.time import SECOND
from actors.ordering.findings import Finding, Match, confirmed, lasting
from actors.ordering.reconciliation import compare
from messages import Nanoseconds, PositionAdjusted, Symbol
from tests.account.records import CODE, NOON, accepted, approval, canceled, filled, folded, opened, submitting
from tests.ordering.fakes import listed_order, owned, state

_OTHER = Symbol("900030")


def compared(*orders: int, bought: int = 120, paid: int = 1_200_500, more: int = 0) -> Match:
    """A look while these orders of ours rest that had filled by ten shares, and somebody bought so many by hand."""
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
    return compare(folded([opened(), *told, *over]), replace(there, time=Nanoseconds(NOON + 20 * SECOND)))


def after(*orders: int, bought: int = 120, paid: int = 1_200_500, more: int = 0) -> tuple[Finding, ...]:
    """A match of two such looks."""
    look = compared(*orders, bought=bought, paid=paid, more=more)
    return confirmed(look, look)


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


@pytest.mark.parametrize(("paid", "adjusted"), [(0, []), (-60_000, [(CODE, 15, 60_000)])], ids=["unpaid", "paid"])
def test_shares_that_are_gone_in_two_matches_were_sold_where_money_came_for_them(
    paid: int, adjusted: list[tuple[Symbol, int, int]]
) -> None:
    assert booked(after(1, bought=-15, paid=paid), after(2, bought=-15, paid=paid)) == adjusted


@pytest.mark.parametrize(
    ("bought", "waits"), [(10, True), (11, False), (-10, True), (-11, False)], ids=["rest", "more", "filled", "less"]
)
def test_no_more_shares_than_an_order_of_ours_trades_may_be_its_in_one_match_and_the_nexts_in_the_other(
    bought: int, *, waits: bool
) -> None:
    matches = (after(n, bought=bought, paid=10_000 * bought) for n in (1, 2))
    assert booked(*matches) == ([] if waits else [(CODE, 30 + bought, -10_000 * bought)])


def test_what_was_booked_is_no_sign_of_as_much_again() -> None:
    assert booked(lasting(after(2), after(1)), after(3)) == []


def test_shares_of_two_issues_wait_for_each_other() -> None:
    before, now = after(1, more=20_000), after(2, more=20_000)

    assert booked(before, now) == [(_OTHER, 2, -20_000)]


def test_an_order_that_the_first_look_alone_saw_at_work_is_blamed_too() -> None:
    first, second = compared(1), compared(2)

    assert [finding.blamed for finding in confirmed(first, second) if finding.blamed] == [frozenset({1, 2})]
