"""Shares that came or went at the same cost are a split, a merger or a stock dividend: whoever held has them."""

from hypothesis import given
from hypothesis import strategies as st

from actors.account.ledger import FOREIGN, Ledger
from tests.account.records import CODE, approval, filled, folded, held, opened
from tests.account.test_ledger import adjusted


def owned(mine: int, theirs: int = 0, strangers: int = 0) -> Ledger:
    """Shares of two strategies and of a stranger, at 10,000 each."""
    start = opened(10_000_000, *([held(strangers, strangers * 10_000)] if strangers else []))
    told = [start, approval(1, quantity=mine), filled(mine, mine * 10_000, last=mine)]
    if theirs:
        told.append(approval(2, quantity=theirs, strategy="other"))
        told.append(filled(theirs, theirs * 10_000, 2, strategy="other", last=theirs))
    return folded(told)


def counts(ledger: Ledger) -> dict[str, tuple[int, int]]:
    return {owner: (holding.quantity, holding.cost) for _, owner, holding in ledger.each()}


def test_a_split_leaves_each_owner_its_part_at_its_cost() -> None:
    ledger = folded([adjusted(80, 160_000)], owned(10, 4, 2))

    assert counts(ledger) == {"momentum": (50, 100_000), "other": (20, 40_000), FOREIGN: (10, 20_000)}


def test_a_merger_of_shares_leaves_the_cost() -> None:
    assert counts(folded([adjusted(2, 200_000)], owned(20))) == {"momentum": (2, 200_000)}


def test_a_cost_rounded_by_the_broker_is_the_same_cost() -> None:
    assert counts(folded([adjusted(21, 199_995)], owned(20))) == {"momentum": (21, 200_000)}


def test_shares_bought_by_hand_are_no_split() -> None:
    assert counts(folded([adjusted(20, 190_000)], owned(10))) == {"momentum": (10, 100_000), FOREIGN: (10, 90_000)}


def test_shares_sold_by_hand_are_no_merger() -> None:
    assert counts(folded([adjusted(5, 50_000)], owned(10))) == {"momentum": (5, 50_000)}


def test_a_share_bought_by_hand_beside_thousands_is_no_dividend() -> None:
    assert counts(folded([adjusted(10_001, 100_009_000)], owned(10_000)))[FOREIGN] == (1, 9_000)


def test_a_price_of_before_says_nothing_of_the_new_shares() -> None:
    ledger = owned(10)
    ledger.mark(CODE, 10_000)
    folded([adjusted(50, 100_000)], ledger)
    before = ledger.equity
    folded([opened(9_900_000, held(50, 100_000, last=2_000), start=False)], ledger)

    assert (before, ledger.prices[CODE], ledger.equity) == (10_000_000, 2_000, 10_000_000)


@given(st.integers(1, 50), st.integers(1, 50), st.integers(0, 50), st.integers(1, 500))
def test_no_share_is_lost_whatever_the_ratio(mine: int, theirs: int, strangers: int, now: int) -> None:
    ledger = owned(mine, theirs, strangers)
    folded([adjusted(now, sum(holding.cost for _, _, holding in ledger.each()))], ledger)

    assert ledger.held(CODE) == now
    assert all(holding.quantity >= 0 for _, _, holding in ledger.each())
