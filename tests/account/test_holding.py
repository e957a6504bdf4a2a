from hypothesis import given
from hypothesis import strategies as st

from actors.account.holding import Holding


def test_a_sale_takes_its_part_of_the_cost_and_the_last_share_takes_the_rest() -> None:
    holding = Holding()
    holding.trade(3, 100)

    assert holding.trade(-1, 50) == 50 - 33
    assert (holding.quantity, holding.cost) == (2, 67)
    assert holding.trade(-1, 50) == 50 - 33
    assert holding.trade(-1, 50) == 50 - 34
    assert (holding.quantity, holding.cost) == (0, 0)


def test_buying_more_averages_on() -> None:
    holding = Holding()
    holding.trade(10, 100_000)
    holding.trade(-5, 60_000)
    holding.trade(5, 55_000)

    assert (holding.quantity, holding.cost) == (10, 105_000)


def test_selling_more_than_held_is_booked_and_buying_back_closes_it() -> None:
    holding = Holding()
    holding.trade(2, 200)

    assert holding.trade(-3, 330) == 20
    assert (holding.quantity, holding.cost) == (-1, -110)
    assert holding.trade(1, 100) == 10
    assert (holding.quantity, holding.cost) == (0, 0)


@given(st.integers(1, 500), st.integers(1, 10**9), st.lists(st.integers(1, 100), max_size=6), st.integers(1, 10**6))
def test_how_a_sale_is_cut_into_fills_changes_no_won(quantity: int, cost: int, cuts: list[int], price: int) -> None:
    whole, pieces = Holding(quantity, cost), Holding(quantity, cost)
    total = min(sum(cuts), quantity)
    realised, left = 0, total
    for cut in cuts:
        part = min(cut, left)
        left -= part
        if part:
            realised += pieces.trade(-part, part * price)
    at_once = whole.trade(-total, total * price) if total else 0

    assert realised == at_once
    assert (pieces.quantity, pieces.cost) == (whole.quantity, whole.cost)


@given(st.lists(st.tuples(st.integers(-50, 50).filter(bool), st.integers(0, 10**6)), max_size=12))
def test_once_flat_what_was_realised_is_what_was_received_less_what_was_paid(trades: list[tuple[int, int]]) -> None:
    holding, realised, flow = Holding(), 0, 0
    for quantity, amount in trades:
        realised += holding.trade(quantity, amount)
        flow += amount if quantity < 0 else -amount
    if holding.quantity:
        last = 1_000
        realised += holding.trade(-holding.quantity, last)
        flow += last if sum(q for q, _ in trades) > 0 else -last

    assert holding.cost == 0
    assert realised == flow
