import datetime as dt
from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.account import invariants
from actors.account.ledger import Booked, Ledger
from actors.account.order import Phase
from actors.market.time import at
from messages import (
    Action,
    ApprovedReplace,
    CashAdjusted,
    Evidence,
    Kind,
    OrderReplaced,
    PositionAdjusted,
    Shares,
    Won,
)
from tests.account.records import (
    CODE,
    NOON,
    OTHER,
    SELL,
    about,
    accepted,
    approval,
    canceled,
    filled,
    folded,
    held,
    holding,
    listed,
    opened,
    rejected,
    sent,
    submitting,
    unknown,
)

STORY = (
    submitting(),
    sent(),
    accepted(),
    filled(3, 30_000, last=3),
    filled(7, 69_900, last=4, commission=10),
    canceled(quantity=3),
)


def test_a_day_by_hand_comes_out_to_the_won() -> None:
    ledger = folded([opened(1_000_000), listed(), approval(quantity=30, price=3_335)])
    ledger.fold(filled(13, 43_355, last=13, commission=0, asked=30), 10)
    ledger.fold(filled(30, 100_050, last=17, commission=10, asked=30), 11)
    ledger.fold(approval(2, SELL, 20, 3_400), 12)
    ledger.fold(filled(20, 68_000, 2, SELL, last=20, commission=10, tax=102, asked=20), 13)
    ledger.mark(CODE, 3_390)

    assert ledger.cash == 1_000_000 - 100_050 - 10 + 68_000 - 10 - 102
    assert ledger.realised == 68_000 - 66_700
    (position,) = ledger.positions()
    assert (position.quantity, position.cost) == (10, 33_350)
    assert ledger.unrealised == 33_900 - 33_350
    assert (ledger.commission, ledger.tax) == (20, 102)
    assert ledger.equity == ledger.cash + 33_900
    assert not invariants.sound(ledger)


def test_all_720_orders_of_the_records_end_in_one_state() -> None:
    start: list[Booked] = [opened(), approval()]
    expected = folded([*start, *STORY])

    assert expected.orders[1].phase is Phase.CANCELED
    assert expected.reserved == 0
    assert {folded([*start, *order]).digest() for order in permutations(STORY)} == {expected.digest()}


@given(st.lists(st.sampled_from(STORY), max_size=20), st.permutations(STORY))
def test_records_that_come_again_book_nothing(again: list[Booked], order: list[Booked]) -> None:
    start: list[Booked] = [opened(), approval()]

    assert folded([*start, *again, *order]).digest() == folded([*start, *STORY]).digest()


@given(st.lists(st.sampled_from(STORY), max_size=20), st.randoms())
def test_ledgers_that_share_settled_orders_have_nothing_else_in_common(records: list[Booked], random: Random) -> None:
    told: list[Booked] = [opened(), approval(), *records]
    ahead, behind = Ledger(), Ledger()
    digests = [""]
    for number, message in enumerate(told, 1):
        ahead.fold(message, number)
        digests.append(ahead.digest())
        for late in range(behind.number + 1, random.randint(behind.number, number) + 1):
            behind.fold(told[late - 1], late)
            assert behind.digest() == digests[late]


def test_a_settled_order_is_held_once_for_all_ledgers() -> None:
    story = [opened(), approval(), *STORY]
    one, other = folded(story), folded(story)
    assert one.orders[1] is other.orders[1]

    one.fold(filled(8, 79_900, last=1, commission=10), 20)
    assert (one.orders[1].filled, other.orders[1].filled) == (8, 7)
    other.fold(filled(8, 79_900, last=1, commission=10), 20)
    assert one.orders[1] is other.orders[1]


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(9_000, 11_000)), min_size=1, max_size=6), st.randoms())
def test_of_cumulative_fills_only_the_furthest_counts(fills: list[tuple[int, int]], random: Random) -> None:
    quantity = amount = 0
    records: list[Booked] = []
    for shares, price in fills:
        quantity, amount = quantity + shares, amount + shares * price
        records.append(filled(quantity, amount, last=shares, asked=60))
    shown = [record for record in records[:-1] if random.random() < 0.5] + [records[-1]]
    random.shuffle(shown)
    ledger = folded([opened(), approval(quantity=60), *shown])

    assert ledger.cash == 1_000_000 - amount
    assert ledger.held(CODE) == quantity


def test_the_clearing_record_of_a_cancel_is_no_fill() -> None:
    ledger = folded([opened(), approval(), accepted(), filled(4, 40_000, last=4), canceled(quantity=6)])
    before = ledger.digest()
    ledger.fold(filled(4, 40_000, last=0), 20)

    assert ledger.digest() == before


@pytest.mark.parametrize("ending", [canceled(), rejected(), unknown()])
def test_an_order_that_is_over_or_unknown_still_books_a_fill(ending: Booked) -> None:
    ledger = folded([opened(), approval(), submitting(), ending])
    ledger.fold(filled(10, 100_000, last=10), 20)

    assert ledger.orders[1].phase is Phase.FILLED
    assert ledger.cash == 900_000
    assert ledger.held(CODE) == 10


def test_an_unknown_order_keeps_its_cash_until_the_broker_speaks() -> None:
    ledger = folded([opened(), approval(), submitting(), unknown()])
    assert ledger.orders[1].phase is Phase.UNKNOWN
    assert ledger.reserved == 100_000 + 10

    ledger.fold(rejected(), 20)
    assert ledger.reserved == 0


def test_an_unknown_sale_keeps_its_shares_bound() -> None:
    ledger = holding()
    ledger.fold(approval(2, SELL, 6), 20)
    ledger.fold(unknown(2), 21)

    assert ledger.sellable("momentum", CODE) == 4
    assert ledger.sellable("momentum", CODE, besides=2) == 10


def test_a_market_buy_binds_the_upper_limit() -> None:
    ledger = folded([opened(), listed(), approval(price=0)])

    assert ledger.reserved == 130_000 + 10


def test_an_approval_counts_before_its_message_comes_round_and_only_once() -> None:
    ledger = folded([opened(), listed()])
    ledger.foresee(approval())
    assert ledger.reserved == 100_010
    before = ledger.digest()
    ledger.fold(approval(), 10)

    assert ledger.reserved == 100_010
    assert before == folded([opened(), listed()]).digest()
    assert ledger.digest() == folded([opened(), listed(), approval()]).digest()


def test_an_overfill_is_booked_and_said() -> None:
    ledger = folded([opened(), approval()])

    (odd,) = ledger.fold(filled(12, 120_000, last=12), 10)
    assert "12 filled of 10" in odd
    assert ledger.held(CODE) == 12
    assert invariants.sound(ledger)


def test_a_fill_of_an_order_nobody_approved_is_booked() -> None:
    ledger = folded([opened(), filled(5, 50_000, order=77, last=5, asked=5)])

    assert ledger.held(CODE) == 5
    assert ledger.cash == 950_000


def test_an_event_of_an_order_nobody_approved_is_said() -> None:
    assert folded([opened()]).fold(accepted(77), 10)


def test_completion_is_judged_by_what_we_asked_for() -> None:
    ledger = folded([opened(100_000_000), approval(quantity=1_147), filled(40, 400_000, last=40, asked=40)])

    assert ledger.orders[1].open == 1_107
    assert ledger.orders[1].live


def test_a_change_takes_the_new_price_and_the_chain_keeps_its_fills() -> None:
    ledger = folded([opened(), approval(), accepted(), filled(3, 30_000, last=3)])
    ledger.fold(changed(2, 7, 10_100), 20)
    assert ledger.reserved == 7 * 10_100 + 10
    ledger.fold(replaced("0000002", "0000001", 7, 10_100), 21)
    ledger.fold(filled(10, 100_700, last=7, broker_order="0000002"), 22)

    assert ledger.orders[1].phase is Phase.FILLED
    assert ledger.orders[1].broker_orders == ("0000001", "0000002")
    assert ledger.cash == 1_000_000 - 100_700


def test_what_a_change_did_not_move_is_still_open() -> None:
    ledger = folded([opened(), approval(), accepted(), filled(3, 30_000, last=3)])
    ledger.fold(changed(2, 2, 10_100), 20)
    ledger.fold(replaced("0000002", "0000001", 2, 10_100), 21)
    ledger.fold(filled(5, 50_000, last=2, broker_order="0000002"), 22)

    assert ledger.orders[1].open == 5
    assert ledger.orders[1].live


def test_changes_told_in_the_wrong_order_leave_the_last_number_in_force() -> None:
    ledger = folded([opened(), approval(), accepted()])
    ledger.fold(replaced("0000003", "0000002", 10, 10_200), 20)
    ledger.fold(replaced("0000002", "0000001", 10, 10_100), 21)

    assert ledger.orders[1].broker_order == "0000003"
    assert ledger.orders[1].price == 10_200


def test_a_message_is_folded_once() -> None:
    ledger = folded([opened(), approval(), filled(5, 50_000, last=5)])
    number, before = ledger.number, ledger.digest()
    ledger.fold(opened(5), number)

    assert ledger.digest() == before


def test_the_first_start_takes_the_account_as_it_is() -> None:
    ledger = folded([opened(777, held(12, 130_000), held(5, 5_000, OTHER))])

    assert ledger.cash == 777
    assert [(p.symbol, p.quantity, p.foreign) for p in ledger.positions()] == [(CODE, 12, 12), (OTHER, 5, 5)]


def test_a_later_start_changes_nothing_by_itself_so_that_an_odd_snapshot_closes_nothing() -> None:
    ledger = holding()
    ledger.fold(opened(0), 20)

    assert ledger.cash == 900_000
    assert ledger.lots("momentum", CODE).quantity == 10


def test_what_was_found_is_booked_in_shares_and_in_cash() -> None:
    ledger = holding()
    ledger.fold(adjusted(12, 130_000), 20)
    ledger.fold(CashAdjusted(time=NOON, cash=Won(-123), reason="a charge"), 21)

    assert ledger.cash == 900_000 - 123
    assert ledger.lots("momentum", CODE).quantity == 10
    assert (ledger.lots("", CODE).quantity, ledger.lots("", CODE).cost) == (2, 30_000)


def test_shares_that_went_away_are_taken_from_strangers_first() -> None:
    ledger = holding()
    ledger.fold(adjusted(14, 150_000), 20)
    ledger.fold(adjusted(9, 90_000), 21)

    assert ledger.lots("", CODE).quantity == 0
    assert ledger.lots("momentum", CODE).quantity == 9
    assert ledger.lots("momentum", CODE).cost == 90_000


def test_two_strategies_own_their_lots_apart() -> None:
    messages = [
        opened(),
        approval(1, quantity=10),
        approval(2, quantity=5, strategy="contrarian"),
        filled(10, 100_000, 1, last=10),
        filled(5, 55_000, 2, last=5, asked=5, strategy="contrarian"),
    ]
    ledger = folded(messages)

    assert ledger.sellable("momentum", CODE) == 10
    assert ledger.sellable("contrarian", CODE) == 5
    (position,) = ledger.positions()
    assert (position.quantity, position.cost) == (15, 155_000)


def test_losers_in_a_row_are_counted_costs_included() -> None:
    ledger = holding()
    ledger.fold(approval(2, SELL), 20)
    ledger.fold(filled(10, 100_000, 2, SELL, last=10, commission=10, tax=150), 21)
    assert ledger.losers == 1

    ledger.fold(approval(3), 22)
    ledger.fold(filled(10, 100_000, 3, last=10), 23)
    ledger.fold(approval(4, SELL), 24)
    ledger.fold(filled(10, 101_000, 4, SELL, last=10), 25)
    assert ledger.losers == 0


def test_what_was_lost_on_shares_that_a_person_sold_is_not_lost_on_the_next() -> None:
    ledger = folded(
        [
            *(opened(), approval(), filled(10, 100_000, last=10)),
            *(approval(2, SELL, 5), filled(5, 45_000, 2, SELL, last=5)),
            *(adjusted(0, 0), approval(3, quantity=1), filled(1, 10_000, 3)),
            *(approval(4, SELL, 1), filled(1, 10_500, 4, SELL)),
        ]
    )

    assert ledger.losers == 0


def test_figures_of_the_day_begin_anew_and_live_orders_go_on() -> None:
    ledger = holding()
    ledger.fold(approval(2, SELL), 20)
    ledger.fold(filled(10, 90_000, 2, SELL, last=10, commission=10, tax=150), 21)
    ledger.fold(approval(3), 22)
    tomorrow = at(dt.date(2025, 9, 3), 9)
    ledger.fold(opened(ledger.cash, time=tomorrow, start=False), 23)

    assert (ledger.realised, ledger.commission, ledger.tax, ledger.losers) == (0, 0, 0, 0)
    assert list(ledger.orders) == [3]
    assert ledger.opening == ledger.equity


def test_a_cancel_is_under_way_until_it_is_answered() -> None:
    ledger = folded([opened(), approval(), accepted(), submitting(action=Action.CANCEL)])
    assert ledger.orders[1].canceling
    ledger.fold(canceled(), 20)

    assert ledger.orders[1].settled


def test_a_limit_without_known_limits_binds_its_price() -> None:
    ledger = Ledger(commission=0.0035)
    folded([opened(), approval(quantity=1, price=77_000, kind=Kind.LIMIT)], ledger)

    assert ledger.reserved == 77_260


def changed(number: int, quantity: int, price: int) -> ApprovedReplace:
    return ApprovedReplace(
        number=number,
        order=1,
        symbol=CODE,
        quantity=Shares(quantity),
        price=Won(price),
        strategy="momentum",
        evidence=Evidence(),
    )


def replaced(number: str, original: str, quantity: int, price: int) -> OrderReplaced:
    return OrderReplaced(**about(), broker_order=number, original=original, quantity=Shares(quantity), price=Won(price))


def adjusted(quantity: int, cost: int) -> PositionAdjusted:
    return PositionAdjusted(
        symbol=CODE, time=NOON, quantity=Shares(quantity), cost=Won(cost), cash=Won(0), reason="a person"
    )
