"""A broker's snapshot that lies closes nothing: empty is not zero, and once is not certain."""

from itertools import permutations
from random import Random

import pytest
from msgspec.structs import replace

from actors.account import invariants
from actors.account.ledger import Ledger
from actors.account.order import Phase
from actors.gateways.port import BrokerOrder, BrokerPosition, BrokerState
from actors.market.time import SECOND
from actors.ordering.findings import Match, confirmed
from actors.ordering.reconciliation import compare
from actors.trader import Trader
from messages import (
    CashAdjusted,
    HaltTrading,
    LinkLost,
    LinkRestored,
    Message,
    Nanoseconds,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    OrderUnknown,
    PositionAdjusted,
    Reconciled,
    Shares,
    Won,
)
from runtime.testing import START, Stage, in_virtual_time
from tests.account.records import (
    NOON,
    OTHER,
    SELL,
    about,
    accepted,
    approval,
    canceled,
    filled,
    folded,
    opened,
    sent,
    submitting,
    unknown,
)
from tests.ordering.fakes import FakeBroker, FakeJournal, listed_order, owned, state
from tests.test_trader import trading

CLOSING = (OrderCanceled, OrderRejected, PositionAdjusted, CashAdjusted)
LATER = 20 * SECOND


def traded() -> Ledger:
    """Ten bought in order 1, order 2 open for ten more, order 3 unknown."""
    return folded(
        [
            opened(),
            *(approval(), submitting(), accepted(), filled(10, 100_000, last=10)),
            *(approval(2, price=9_900), submitting(2, price=9_900), accepted(2, "0000002")),
            *(approval(3, quantity=7), submitting(3, quantity=7), unknown(3)),
        ]
    )


def truth(*changes: BrokerOrder | BrokerPosition, cash: int = 900_000) -> BrokerState:
    """The account as it is, seen well after the last submission."""
    rows = changes or (
        listed_order(filled=10, open_=0),
        listed_order("0000002", price=9_900),
        owned(10, 100_000),
    )
    return replace(state(cash, *rows), time=Nanoseconds(NOON + LATER))


def booked(first: BrokerState, second: BrokerState, ledger: Ledger, *, start: bool = False) -> list[Message]:
    findings = confirmed(compare(ledger, first, start=start), compare(ledger, second, start=start))
    return [message for finding in findings for message in finding.messages]


LIES = {
    "empty": replace(truth(), positions=(), orders=()),
    "no positions": truth(listed_order(filled=10, open_=0), listed_order("0000002", price=9_900)),
    "no orders": truth(owned(10, 100_000)),
    "a page of the orders": truth(listed_order(filled=10, open_=0), owned(10, 100_000)),
    "stale": truth(listed_order(), listed_order("0000002", price=9_900), cash=1_000_000),
    "shrunk quantity": truth(
        listed_order(filled=10, open_=0), listed_order("0000002", quantity=4, price=9_900), owned(10, 100_000)
    ),
    "shrunk position": truth(listed_order(filled=10, open_=0), listed_order("0000002", price=9_900), owned(4, 40_000)),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_told_once_closes_nothing(lie: str) -> None:
    ledger = traded()
    for snapshots in ((LIES[lie], truth()), (truth(), LIES[lie])):
        said = booked(*snapshots, ledger)
        assert not [m for m in said if isinstance(m, PositionAdjusted | CashAdjusted | OrderCanceled)]


@pytest.mark.parametrize("lie", LIES)
def test_even_a_lie_told_twice_closes_nothing_the_broker_has_told_us(lie: str) -> None:
    ledger = traded()
    said = booked(LIES[lie], LIES[lie], ledger)

    assert not [m for m in said if isinstance(m, PositionAdjusted | CashAdjusted | OrderCanceled)]
    assert not [m for m in said if isinstance(m, OrderRejected) and m.order != 3]
    assert compare(ledger, LIES[lie]).lines


@pytest.mark.parametrize("lie", ["empty", "no orders", "a page of the orders", "stale"])
def test_who_lacks_what_he_told_is_not_believed_about_an_unknown_order(lie: str) -> None:
    assert booked(truth(), truth(), traded())
    assert not booked(LIES[lie], LIES[lie], traded())


def test_30_rows_of_a_longer_list_close_nothing() -> None:
    messages = [opened(1_000_000_000)]
    rows: list[BrokerOrder] = []
    for n in range(1, 101):
        messages += [approval(n, price=9_000 + 10 * n), submitting(n), accepted(n, f"{n:07}")]  # type: ignore[list-item]
        rows.append(listed_order(f"{n:07}", price=9_000 + 10 * n))
    ledger = folded(messages)
    page = truth(*rows[:30], cash=1_000_000_000)

    assert not booked(page, page, ledger)
    assert not compare(ledger, truth(*rows, cash=1_000_000_000)).findings


def test_1147_asked_for_and_40_shown_is_not_complete() -> None:
    ledger = folded([opened(100_000_000), approval(quantity=1_147), submitting(), accepted()])
    shown = truth(listed_order(quantity=40, filled=40, open_=0), owned(40, 400_000), cash=99_600_000)
    for message in booked(shown, shown, ledger):
        ledger.fold(message, ledger.number + 1)  # type: ignore[arg-type]

    assert ledger.orders[1].phase is Phase.OPEN
    assert (ledger.orders[1].filled, ledger.orders[1].open) == (40, 1_107)


@pytest.mark.parametrize("seed", range(20))
def test_completion_is_judged_by_what_we_asked_for_whatever_is_shown(seed: int) -> None:
    rng = Random(seed)
    for _ in range(50):
        asked = rng.randint(2, 5_000)
        shown = rng.randint(1, asked - 1)
        ledger = folded([opened(100_000_000), approval(quantity=asked), submitting(), accepted()])
        ledger.fold(filled(shown, shown * 10_000, last=shown, asked=shown), 20)
        lie = truth(
            listed_order(quantity=shown, filled=shown, open_=0),
            owned(shown, shown * 10_000),
            cash=100_000_000 - shown * 10_000,
        )
        assert not booked(lie, lie, ledger)
        assert ledger.orders[1].open == asked - shown


def test_shares_that_a_stranger_sold_or_that_came_back_as_cash_are_gone() -> None:
    ledger = folded([opened(), approval(), submitting(), accepted(), filled(10, 100_000, last=10)])
    mine = listed_order(filled=10, open_=0)
    sold = truth(mine, listed_order("0000009", side=SELL, filled=10, open_=0), owned(1, 1, OTHER), cash=900_000)
    (adjusted, *_) = booked(sold, sold, ledger)
    paid = truth(mine, cash=1_000_500)
    (other,) = booked(paid, paid, ledger)

    assert isinstance(adjusted, PositionAdjusted)
    assert isinstance(other, PositionAdjusted)
    assert (other.quantity, other.cash) == (0, 100_500)


@pytest.mark.parametrize(("seconds", "gone"), [(0, 0), (9, 0), (10, 1)])
def test_holdings_that_lag_behind_a_fill_take_no_shares_away(seconds: int, gone: int) -> None:
    ledger = folded([opened(), approval(), submitting(), accepted(), filled(10, 100_000, last=10)])
    lagging = replace(
        truth(listed_order(filled=10, open_=0), cash=1_000_000), time=Nanoseconds(NOON + seconds * SECOND)
    )

    assert len(booked(lagging, lagging, ledger)) == gone


def test_cash_without_a_trade_is_booked_by_its_own_name() -> None:
    ledger = folded([opened(), approval(), submitting(), accepted(), filled(10, 100_000, last=10)])
    paid = truth(listed_order(filled=10, open_=0), owned(10, 100_000), cash=903_610)

    assert [m.cash for m in booked(paid, paid, ledger) if isinstance(m, CashAdjusted)] == [3_610]
    assert not booked(paid, truth(listed_order(filled=10, open_=0), owned(10, 100_000)), ledger)


def test_a_merger_of_shares_overnight_is_believed_at_the_start_only() -> None:
    ledger = folded([opened(), approval(), submitting(), accepted(), filled(10, 100_000, last=10)])
    merged = truth(listed_order(filled=10, open_=0), owned(5, 100_000))

    assert not booked(merged, merged, ledger)
    (adjusted,) = booked(merged, merged, ledger, start=True)
    assert isinstance(adjusted, PositionAdjusted)
    assert adjusted.quantity == 5


def test_a_fee_the_records_did_not_tell_is_booked_once() -> None:
    ledger = folded([opened(), approval(), submitting(), accepted(), filled(10, 100_000, last=10)])
    row = replace(listed_order(filled=10, open_=0), commission=15)  # type: ignore[type-var]
    seen = truth(row, owned(10, 100_000), cash=899_985)
    for message in booked(seen, seen, ledger):
        ledger.fold(message, ledger.number + 1)  # type: ignore[arg-type]

    assert not invariants.cash_agrees(ledger, cash=899_985, commission=15, tax=0)
    assert not compare(ledger, seen).findings


@pytest.mark.parametrize(("source", "booked_"), [("record", []), ("recovery", [OrderFilled])])
def test_a_list_that_rounds_an_average_up_is_no_better_than_the_records(source: str, booked_: list[type]) -> None:
    fill = filled(10, 100_066, last=10, source=source)
    ledger = folded([opened(), approval(), submitting(), accepted(), fill])
    row = replace(listed_order(filled=10, open_=0), amount=Won(100_070))
    there = truth(row, owned(10, 100_066), cash=899_934)

    assert [type(message) for message in booked(there, there, ledger)][:1] == booked_
    assert any("amount" in line for line in compare(ledger, replace(there, orders=(raised(row),))).lines)


def raised(row: BrokerOrder) -> BrokerOrder:
    """Of more than any rounding."""
    return replace(row, amount=Won(row.amount + 2))


def chain(depth: int, rng: Random) -> tuple[list[BrokerOrder], int, int]:
    """Rows of an order of 100 modified `depth` times, some of each number filled; shares filled and their amount."""
    rows: list[BrokerOrder] = []
    left, filled_, amount, before = 100, 0, 0, ""
    for n in range(depth + 1):
        price, part = 10_000 + 10 * n, rng.randint(0, left // 3)
        last = n == depth
        name = f"{n + 1:07}"
        rows.append(
            listed_order(
                name, quantity=left, price=price, filled=part, open_=left - part if last else 0, original=before
            )
        )
        left, filled_, amount, before = left - part, filled_ + part, amount + part * price, name
    return rows, filled_, amount


@pytest.mark.parametrize("seed", range(50))
def test_a_chain_of_changes_nobody_told_of_is_followed_to_its_end(seed: int) -> None:
    rng = Random(seed)
    rows, shares, amount = chain(5, rng)
    rng.shuffle(rows)
    ledger = folded([opened(10_000_000), approval(quantity=100), submitting(), accepted()])
    positions = [owned(shares, amount)] if shares else []
    seen = truth(*rows, *positions, cash=10_000_000 - amount)
    for message in booked(seen, seen, ledger):
        ledger.fold(message, ledger.number + 1)  # type: ignore[arg-type]
    order = ledger.orders[1]

    assert order.broker_orders == tuple(f"{n:07}" for n in range(1, 7))
    assert (order.filled, order.amount, order.open) == (shares, amount, 100 - shares)
    assert not compare(ledger, seen).findings


def test_the_changes_of_a_chain_may_be_heard_in_any_order() -> None:
    steps = [
        OrderReplaced(
            **about(), broker_order=f"{n + 1:07}", original=f"{n:07}", quantity=Shares(10), price=Won(10_000 + n)
        )
        for n in range(1, 6)
    ]
    ends: set[str] = set()
    for order in permutations(steps):
        ledger = folded([opened(), approval(), submitting(), accepted(), *order])
        assert ledger.orders[1].broker_order == "0000006"
        ends.add(ledger.digest())

    assert len(ends) == 1


@in_virtual_time
async def test_an_account_that_stays_empty_at_the_start_halts_and_keeps_what_is_held() -> None:
    journal = FakeJournal(opened(), approval(), submitting(), sent(), accepted(), filled(5, 50_000, last=5))
    stage = Stage(Trader(FakeBroker(state(0)), journal), name="trader")
    await stage.start()
    await stage.advance(60)

    assert "empty account" in stage.heard(HaltTrading)[0].reason
    assert stage.heard(Reconciled)[0].start
    assert not [m for m in stage.said if isinstance(m, CLOSING)]


@pytest.mark.parametrize(
    ("more", "differences"),
    [((), ()), ((approval(2), submitting(2), unknown(2)), ("the broker shows an empty account",))],
    ids=["all is over", "one is unknown"],
)
def test_lists_need_not_show_what_was_taken_back_unfilled_but_where_something_is_in_doubt_they_are_not_believed(
    more: tuple[Message, ...], differences: tuple[str, ...]
) -> None:
    @in_virtual_time
    async def scene() -> None:
        journal = FakeJournal(opened(), approval(), submitting(), sent(), accepted(), canceled(), *more)
        stage = Stage(Trader(FakeBroker(state()), journal), name="trader")
        await stage.start()
        await stage.advance(60)

        assert {match.differences for match in stage.heard(Reconciled)} == {differences}
        assert bool(stage.heard(HaltTrading)) == bool(differences)
        assert not stage.heard(OrderRejected)

    scene()


@in_virtual_time
async def test_an_account_that_was_empty_once_at_the_start_is_asked_again() -> None:
    journal = FakeJournal(opened(), approval(), submitting(), sent(), accepted(), filled(5, 50_000, last=5))
    full = state(950_000, listed_order(filled=5), owned(5, 50_000))
    stage = Stage(Trader(FakeBroker(state(0), full), journal), name="trader")
    await stage.start()
    await stage.advance(10)

    assert stage.heard(Reconciled)[0].differences == ()
    assert not stage.heard(HaltTrading)


@in_virtual_time
async def test_what_two_looks_miss_counts_only_on_a_healthy_link() -> None:
    broker = FakeBroker(state(), state(900_000, owned(10, 100_000)))
    stage = await trading(broker)
    await stage.advance(61)
    stage.tell(
        LinkLost(gateway="kiwoom", time=Nanoseconds(START), reason="-106"),
        LinkRestored(gateway="kiwoom", time=Nanoseconds(START)),
    )
    await stage.advance(5)
    assert not stage.heard(PositionAdjusted)
    await stage.advance(20)

    assert len(stage.heard(PositionAdjusted)) == 1


@in_virtual_time
async def test_an_order_that_nobody_answers_for_is_unknown_before_it_is_none() -> None:
    stage = await trading(FakeBroker(state()))
    stage.tell(approval())
    await stage.advance(200)

    assert len(stage.heard(OrderUnknown)) == 1
    assert len(stage.heard(OrderRejected)) == 1


@in_virtual_time
async def test_an_order_found_after_it_was_given_up_lives_again() -> None:
    broker = FakeBroker(state())
    stage = await trading(broker)
    stage.tell(approval())
    await stage.advance(200)
    assert len(stage.heard(OrderRejected)) == 1
    row = replace(listed_order("0000007", filled=4), time=Nanoseconds(START + SECOND))
    broker.states = [state(960_000, row, owned(4, 40_000))]
    await stage.advance(70)

    assert [f.filled for f in stage.heard(OrderFilled)] == [4]
    assert not stage.heard(PositionAdjusted)


def test_orders_of_another_day_with_the_same_number_are_not_ours() -> None:
    yesterday = Nanoseconds(NOON - 86_400 * SECOND)
    ledger = folded(
        [
            opened(time=yesterday),
            approval(),
            submitting(time=yesterday),
            accepted(),
            canceled(quantity=4),
        ]
    )
    match: Match = compare(ledger, truth(listed_order(filled=10, open_=0, price=5_000), cash=1_000_000))

    assert [order.broker_order for order in match.strangers] == ["0000001"]
    assert not [m for f in match.findings for m in f.messages if isinstance(m, OrderFilled)]


@pytest.mark.parametrize("told", [{"commission": Won(150)}, {"amount": Won(150)}], ids=["costs", "an amount"])
def test_what_is_told_of_an_order_of_which_nothing_filled_says_nothing(told: dict[str, Won]) -> None:
    ledger = folded([opened(), approval(), submitting(), sent(), accepted()])

    assert not compare(ledger, state(1_000_000, replace(listed_order(), **told))).findings
