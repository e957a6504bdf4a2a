"""A life whose clock was wrong leaves orders whose number never came: no common clock tells which they are."""

import pytest
from msgspec.structs import replace

from actors.account.ledger import Booked, Ledger
from actors.account.order import Phase
from actors.gateways.port import BrokerOrder
from actors.market.time import SECOND
from actors.ordering.findings import confirmed
from actors.ordering.reconciliation import compare
from actors.ordering.statement import known_orders
from messages import ExternalOrderSeen, Nanoseconds, OrderRejected
from runtime.testing import in_virtual_time
from tests.account.records import CODE, NOON, approval, filled, folded, held, opened, submitting, unknown
from tests.ordering.fakes import FakeBroker, FakeJournal, listed_order, owned, state
from tests.test_trader import trading

OFF = (3_600.0, 60.0, 7.0, 0.0, -60.0, -3_600.0)
"""Seconds by which the clock was ahead when the order was submitted."""


def submitted(off: float, *before: Booked) -> Ledger:
    """One order, its answer lost, under a clock that was off."""
    when = Nanoseconds(NOON + round(off * SECOND))
    return folded([opened(), *before, approval(), submitting(time=when), replace(unknown(), time=when)])


def seen(number: str) -> ExternalOrderSeen:
    return ExternalOrderSeen(symbol=CODE, time=NOON, broker_order=number, description="a person's")


def look_twice(ledger: Ledger, *rows: BrokerOrder, cash: int = 1_000_000, later: float = 15.0) -> None:
    """By the right clock, `later` seconds after the submission."""
    positions = [owned(row.filled, row.amount) for row in rows if row.filled]
    there = replace(state(cash, *rows, *positions), time=Nanoseconds(NOON + round(later * SECOND)))
    for finding in confirmed(compare(ledger, there), compare(ledger, there)):
        for message in finding.messages:
            ledger.fold(message, ledger.number + 1)  # type: ignore[arg-type]


@pytest.mark.parametrize("off", OFF)
def test_an_order_that_traded_is_found_whatever_the_clock_said(off: float) -> None:
    ledger = submitted(off)
    look_twice(ledger, listed_order("0000007", filled=10, open_=0), cash=900_000)

    assert ledger.orders[1].phase is Phase.FILLED
    assert (ledger.cash, ledger.held(CODE)) == (900_000, 10)


@pytest.mark.parametrize("off", OFF)
def test_an_order_that_is_not_there_is_given_up_whatever_the_clock_said(off: float) -> None:
    ledger = submitted(off)
    look_twice(ledger)

    assert ledger.orders[1].phase is (Phase.UNKNOWN if off == 7.0 else Phase.REJECTED)
    look_twice(ledger, later=25.0)
    assert ledger.orders[1].phase is Phase.REJECTED


@pytest.mark.parametrize("off", OFF)
def test_what_was_told_of_before_is_somebody_elses_whatever_the_clock_said(off: float) -> None:
    ledger = submitted(off, seen("0000006"))
    look_twice(ledger, listed_order("0000006"), listed_order("0000007"))

    assert ledger.orders[1].broker_order == "0000007"


@pytest.mark.parametrize("off", OFF)
def test_a_strangers_alike_order_of_before_is_not_taken_for_one_that_never_arrived(off: float) -> None:
    ledger = submitted(off, seen("0000006"))
    look_twice(ledger, listed_order("0000006"), later=25.0)

    assert ledger.orders[1].phase is Phase.REJECTED


def test_the_same_number_on_another_day_is_another_order() -> None:
    yesterday = replace(seen("0000007"), time=Nanoseconds(NOON - 86_400 * SECOND))
    ledger = submitted(0.0, yesterday)
    look_twice(ledger, listed_order("0000007"))

    assert ledger.orders[1].broker_order == "0000007"


@pytest.mark.parametrize("off", [0.0, 86_400.0])
def test_an_order_of_a_day_to_come_is_of_today(off: float) -> None:
    ledger = submitted(off)

    assert [known.order for known in known_orders(ledger, NOON)] == [1]
    look_twice(ledger, listed_order("0000007"))
    assert ledger.orders[1].broker_order == "0000007"


@pytest.mark.parametrize("off", OFF)
def test_a_start_after_a_life_with_a_wrong_clock_settles_what_it_left(off: float) -> None:
    @in_virtual_time
    async def scene() -> None:
        when = Nanoseconds(NOON + round(off * SECOND))
        past = (opened(900_000, held(10, 100_000)), approval(), submitting(time=when))
        row = listed_order("0000007", filled=10, open_=0)
        stage = await trading(FakeBroker(state(800_000, row, owned(20, 200_000))), journal=FakeJournal(*past))
        await stage.advance(30)

        assert not stage.heard(OrderRejected)
        assert [fill.filled for fill in stage.heard(type(filled(1, 1)))] == [10]

    scene()
