"""Cash that the broker has and the ledger has not is booked as soon as no fill can explain it."""

import pytest
from msgspec.structs import replace

from actors.account.ledger import Ledger
from actors.gateways.port import BrokerOrder, BrokerPosition, BrokerState
from actors.market.time import SECOND
from actors.ordering.findings import Finding, Match, confirmed, lasting
from actors.ordering.reconciliation import compare
from messages import CashAdjusted, Nanoseconds, PositionAdjusted, Symbol, Won
from runtime.testing import in_virtual_time
from tests.account.records import NOON, OTHER, accepted, approval, filled, folded, opened, submitting
from tests.ordering.fakes import FakeBroker, listed_order, owned, state
from tests.test_trader import trading

AFTER = Nanoseconds(NOON + 20 * SECOND)
MORE = owned(3, 30_000, Symbol("900005"))


def traded(orders: int, *, resting: int = 0) -> Ledger:
    """So many orders for ten shares at 10,000 won, each filled, and one for thirty of which so many have filled."""
    bought = [
        (approval(n), submitting(n), accepted(n, f"{n:07d}"), filled(10, 100_000, n, last=10))
        for n in range(1, orders + 1)
    ]
    rest = (approval(9, quantity=30, price=9_000), submitting(9, quantity=30, price=9_000), accepted(9, "0000009"))
    part = (filled(resting, resting * 9_000, 9, last=resting, asked=30),) if resting else ()
    return folded([opened(), *(message for order in bought for message in order), *rest, *part])


def told(cash: int, orders: int, *rest: BrokerOrder) -> BrokerState:
    """The same account at the broker, but for its cash and what it lists of the resting order."""
    rows = [listed_order(f"{n:07d}", filled=10, open_=0) for n in range(1, orders + 1)]
    return replace(state(cash, *rows, *rest, owned(10 * orders, 100_000 * orders)), time=AFTER)


def resting(filled: int = 0, open_: int = 30) -> BrokerOrder:
    return listed_order("0000009", quantity=30, price=9_000, filled=filled, open_=open_)


def booked(first: Match, second: Match) -> list[int]:
    found = (message for finding in confirmed(first, second) for message in finding.messages)
    return [message.cash for message in found if isinstance(message, CashAdjusted)]


def test_what_differs_by_the_same_in_both_looks_is_booked_though_trades_went_on_between_them() -> None:
    first = compare(traded(1), told(907_000, 1, resting()))
    second = compare(traded(2), told(807_000, 2, resting()))

    assert booked(first, second) == [7_000]


@pytest.mark.parametrize(
    ("filled", "rest", "cash"),
    [
        (0, (resting(),), [3_610]),
        (0, (), []),
        (0, (resting(open_=0),), []),
        (0, (resting(10, 20),), []),
        (10, (resting(10, 20),), []),
    ],
    ids=["untouched", "missing", "canceled", "ahead", "costs may come"],
)
def test_cash_is_booked_beside_an_order_that_rests_untouched(
    filled: int, rest: tuple[BrokerOrder, ...], cash: list[int]
) -> None:
    there = 903_610 - 9_000 * sum(order.filled for order in rest)
    match = compare(traded(1, resting=filled), told(there, 1, *rest))

    assert booked(match, match) == cash


def test_cash_of_a_fill_of_this_moment_is_awaited() -> None:
    asked = {"now": replace(told(903_610, 1, resting()), time=NOON)}
    asked["in parts"] = replace(told(903_610, 1, resting()), since=Nanoseconds(NOON - SECOND))
    matches = {how: compare(traded(1), account) for how, account in asked.items()}

    assert {how: [one.messages for one in match.findings] for how, match in matches.items()} == {
        "now": [()],
        "in parts": [()],
    }


def at_work(order: int, cash: int = 3_610) -> tuple[Finding, ...]:
    """What a match finds that this order of ours may explain: the first just traded, the ninth is half filled."""
    if order == 1:
        match = compare(traded(1), replace(told(900_000 + cash, 1, resting()), time=NOON))
    else:
        there = replace(told(810_000 + cash, 1, resting(10, 20)), positions=(owned(20, 190_000),))
        match = compare(traded(1, resting=10), there)
    return confirmed(match, match)


@pytest.mark.parametrize(
    ("before", "now", "booked"),
    [
        (at_work(1), at_work(9), [3_610]),
        (at_work(9), at_work(1), [3_610]),
        (at_work(1), at_work(1), []),
        (at_work(9), at_work(9), []),
        (at_work(1, cash=3_600), at_work(9), []),
        ((), at_work(9), []),
    ],
    ids=["another", "another since", "the same traded", "the same half filled", "another sum", "the first match"],
)
def test_cash_that_two_matches_lack_is_no_orders_that_only_one_of_them_saw_at_work(
    before: tuple[Finding, ...], now: tuple[Finding, ...], booked: list[int]
) -> None:
    found = [message for finding in lasting(now, before) for message in finding.messages]
    assert [message.cash for message in found if isinstance(message, CashAdjusted)] == booked


def moving(shares: int) -> BrokerState:
    """Money was taken out, and a trade that we have not heard of yet is told."""
    return state(727_540 - 10_000 * shares, owned(shares, 10_000 * shares))


async def adjustments(*looks: BrokerState) -> list[int]:
    """What is booked of cash, match after match of two looks."""
    stage = await trading(FakeBroker(state(), *looks))
    await stage.advance(75.0 * (len(looks) // 2))
    return [message.cash for message in stage.heard(CashAdjusted)]


@in_virtual_time
async def test_money_that_was_taken_out_is_booked_though_something_trades_in_every_second_look() -> None:
    taken, less = state(727_540), state(727_500)
    assert await adjustments(taken, moving(5), less, moving(7)) == []
    assert await adjustments(taken, moving(5), less, moving(7), less, moving(5)) == [-272_500]
    assert await adjustments(moving(5), less, moving(7), less) == [-272_500]


@in_virtual_time
async def test_cash_that_goes_to_and_fro_between_two_sums_is_not_booked() -> None:
    one, other = state(727_540), state(727_500)
    assert await adjustments(one, other, one, other, one, other) == []


@in_virtual_time
async def test_as_much_again_is_not_booked_for_what_was_booked_before() -> None:
    less, again = state(727_500), state(455_000)
    assert await adjustments(less, less, again, replace(moving(5), cash=Won(400_000))) == [-272_500]


def bought_by_hand(cash: int, orders: int, *shares: BrokerPosition) -> Match:
    there = told(cash, orders, resting())
    return compare(traded(orders), replace(there, positions=(*there.positions, *shares)))


@pytest.mark.parametrize(
    "second",
    [bought_by_hand(850_000, 2, owned(5, 50_000, OTHER)), bought_by_hand(850_000, 1, owned(5, 50_000, OTHER), MORE)],
    ids=["of ours", "by hand"],
)
def test_shares_bought_by_hand_wait_while_the_cash_of_a_trade_after_them_is_not_told(second: Match) -> None:
    found = confirmed(bought_by_hand(850_000, 1, owned(5, 50_000, OTHER)), second)

    assert [(one.line, one.messages) for one in found] == [(f"{OTHER}: 5 shares at the broker, 0 here", ())]


def test_shares_bought_by_hand_cost_what_both_looks_lack_though_trades_went_on_between_them() -> None:
    first = bought_by_hand(850_000, 1, owned(5, 50_000, OTHER))
    (found,) = confirmed(first, bought_by_hand(750_000, 2, owned(5, 50_000, OTHER)))
    (message,) = found.messages

    assert isinstance(message, PositionAdjusted)
    assert (message.quantity, message.cash) == (5, -50_000)


def test_shares_bought_by_hand_count_at_their_cost_while_others_wait_for_an_order_of_ours() -> None:
    there = replace(told(810_000, 1, resting()), positions=(owned(14, 140_000), owned(5, 50_000, OTHER)))
    match = compare(traded(1), there)
    adjusted = [message for finding in confirmed(match, match) for message in finding.messages]

    assert [(m.symbol, m.cash) for m in adjusted if isinstance(m, PositionAdjusted)] == [(OTHER, -50_000)]
    assert len(adjusted) == 1


def test_cash_of_shares_that_were_there_in_one_look_alone_is_awaited() -> None:
    first = replace(told(800_000, 1, resting()), positions=(owned(20, 200_000),))
    found = confirmed(compare(traded(1), first), compare(traded(1), told(800_000, 1, resting())))

    assert [one.messages for one in found] == [()]
