"""The end of the day where it is odd: trades by hand, lists that lag, costs that came late, a second day."""

import csv
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from actors.gateways.port import BrokerOrder
from actors.ordering.day_match import Kind, match_day
from actors.trader import Trader
from messages import CashAdjusted, DayMatched, Session, SessionChanged, Shares, Side, Symbol, Won
from runtime.testing import Stage, in_virtual_time
from tests.account.records import NOON, accepted, approval, filled, folded, opened, sent, submitting
from tests.ordering.fakes import FakeBroker, FakeJournal, listed_order, owned, state
from tests.ordering.test_day_match import CASH, Day
from tests.test_trader import NOW

BOUGHT = (opened(), approval(), submitting(), sent(), accepted(), filled(10, 100_000, last=10))
CLOSED = SessionChanged(session=Session.CLOSED_FOR_DAY, time=NOW)


def by_hand(number: str, side: Side, amount: int) -> BrokerOrder:
    row = listed_order(number, side=side, quantity=3, price=amount // 3, filled=3, open_=0)
    return replace(row, symbol=Symbol("900099"), amount=Won(amount))


@pytest.mark.parametrize("booked", [0, 600])
def test_what_a_person_bought_and_sold_again_is_no_dividend(booked: int) -> None:
    day = Day(1)
    day.messages += [CashAdjusted(time=NOON, cash=Won(booked), reason="found at reconciliation")] * (booked > 0)
    rows = by_hand("0000901", Side.BUY, 30_000), by_hand("0000902", Side.SELL, 30_600)
    day.rows |= dict(enumerate(rows, 901))
    day.cash += 600
    found = match_day(day.ledger(), day.statement())

    assert [difference.kind for difference in found.differences] == [Kind.FOREIGN_TRADE] * 2


def test_lines_of_the_csv_end_alike_on_every_system() -> None:
    day = Day(1, orders=2)

    assert "\r" not in match_day(day.ledger(), day.statement()).csv()


def test_costs_that_no_live_record_told_are_named_where_they_are_marked() -> None:
    late = filled(10, 100_000, last=0, source="recovery", commission=Won(15))
    row = replace(listed_order(filled=10), commission=Won(15))
    found = match_day(folded([*BOUGHT, late]), state(1_000_000 - 100_015, owned(10, 100_000), row))

    assert found.lines == ("lost record: order 1 (900010): commission 0 in the live records, 15 here",)
    assert "lost record" in next(line for line in found.csv().splitlines() if "commission" in line)


@in_virtual_time
async def test_a_list_that_lags_behind_the_last_fill_is_read_again(tmp_path: Path) -> None:
    lagging = state(1_000_000, listed_order())
    broker = FakeBroker(state(), lagging, lagging, state(900_000, owned(10, 100_000), listed_order(filled=10)))
    stage = Stage(Trader(broker, FakeJournal()), name="trader", data=tmp_path)
    await stage.start()
    stage.tell(*BOUGHT[1:], CLOSED)
    await stage.stop()

    assert [matched.differences for matched in stage.heard(DayMatched)] == [()]


@in_virtual_time
async def test_a_list_that_never_shows_a_fill_is_told_of(tmp_path: Path) -> None:
    broker = FakeBroker(state(), state(1_000_000, listed_order()))
    stage = Stage(Trader(broker, FakeJournal()), name="trader", data=tmp_path)
    await stage.start()
    stage.tell(*BOUGHT[1:], CLOSED)
    await stage.stop()

    (matched,) = stage.heard(DayMatched)
    assert any(line.startswith("fill without evidence: order 1") for line in matched.differences)


@in_virtual_time
async def test_each_day_of_a_long_replay_is_matched(tmp_path: Path) -> None:
    keys: dict[str, Any] = {"reconcile": 36_000.0}
    stage = Stage(Trader(FakeBroker(state(CASH)), FakeJournal(), **keys), name="trader", data=tmp_path)
    await stage.start()
    for _ in range(2):
        stage.tell(CLOSED, CLOSED)
        await stage.advance(86_400)

    assert len(stage.heard(DayMatched)) == 2


def test_the_table_says_of_which_day_it_is() -> None:
    assert match_day(Day(1, orders=2).ledger(), Day(1, orders=2).statement()).text().startswith("2025-09-02: 2 orders")


@in_virtual_time
async def test_what_filled_after_hours_is_matched_when_those_end(tmp_path: Path) -> None:
    after = state(900_000, owned(10, 100_000), listed_order(filled=10))
    broker = FakeBroker(state(), state(), after)
    stage = Stage(Trader(broker, FakeJournal(), reconcile=36_000.0), name="trader", data=tmp_path)
    await stage.start()
    stage.tell(CLOSED)
    await stage.advance(600)
    stage.tell(*BOUGHT[1:], CLOSED, CLOSED)
    await stage.advance(600)
    stage.tell(CLOSED)
    await stage.stop()

    assert [(day.orders, day.differences) for day in stage.heard(DayMatched)] == [(0, ()), (1, ())]
    assert "1 orders" in (tmp_path / "runs" / "00001" / "match.txt").read_text(encoding="utf-8")


@in_virtual_time
async def test_a_match_that_failed_is_tried_again_when_the_last_session_ends(tmp_path: Path) -> None:
    broker = FakeBroker(state(), *[TimeoutError()] * 6, state())
    stage = Stage(Trader(broker, FakeJournal(), reconcile=36_000.0), name="trader", data=tmp_path)
    await stage.start()
    stage.tell(CLOSED)
    await stage.advance(600)
    assert not stage.heard(DayMatched)
    stage.tell(CLOSED)
    await stage.stop()

    assert len(stage.heard(DayMatched)) == 1


def test_every_difference_is_in_the_csv_too() -> None:
    day = Day(1, orders=3)
    day.rows[1] = replace(day.rows[1], open=Shares(5))
    del day.rows[2]
    day.rows[901] = by_hand("0000901", Side.BUY, 30_000)
    found = match_day(day.ledger(), day.statement())
    told = {(row["subject"], row["differences"]) for row in csv.DictReader(found.csv().splitlines())}

    for difference in found.differences:
        assert any(subject == difference.subject and difference.kind in names for subject, names in told)
    assert ["0000901", "amount", "0", "0", "30,000", "<"] in [line.split() for line in found.text().splitlines()]
