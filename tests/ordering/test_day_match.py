"""Thirty seeded faults between journal, live records and statement: each found, and named."""

import csv
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from actors.account.ledger import Ledger
from actors.gateways.port import BrokerOrder, BrokerPosition, BrokerState
from actors.ordering.day_match import Kind, match_day
from actors.trader import Trader
from messages import (
    DayMatched,
    OrderExpired,
    Session,
    SessionChanged,
    Side,
    Symbol,
    Won,
)
from runtime.testing import Stage, in_virtual_time
from tests.account.records import (
    BUY,
    SELL,
    about,
    accepted,
    approval,
    filled,
    folded,
    opened,
    submitting,
)
from tests.ordering.fakes import FakeBroker, FakeJournal, listed_order, state
from tests.test_trader import NOW

CASH = 100_000_000
SYMBOLS = tuple(Symbol(f"90{n:04}") for n in range(1, 6))


class Day:
    """Both sides of a day of trades: what we folded, and the statement the broker would give."""

    def __init__(self, seed: int, orders: int = 40) -> None:
        self.rng = Random(seed)
        self.messages: list[Any] = [opened(CASH)]
        self.rows: dict[int, BrokerOrder] = {}
        self.held: dict[Symbol, int] = {}
        self.cost: dict[Symbol, int] = {}
        self.cash = CASH
        for number in range(1, orders + 1):
            self._trade(number)

    def _trade(self, number: int) -> None:
        symbol = self.rng.choice(SYMBOLS)
        side = SELL if self.held.get(symbol, 0) >= 60 and self.rng.random() < 0.4 else BUY
        asked, price = self.rng.randint(5, 50), 10_000 + 10 * number
        done = asked if self.rng.random() < 0.7 else self.rng.randint(1, asked)
        amount = done * price
        commission, tax = amount * 15 // 100_000, amount * 15 // 10_000 if side is SELL else 0
        changes: dict[str, Any] = {"symbol": symbol, "commission": Won(commission), "tax": Won(tax), "asked": asked}
        self.messages += [
            approval(number, side, asked, price, symbol=symbol),
            submitting(number, side=side, quantity=asked, price=price, symbol=symbol),
            accepted(number, f"{number:07}", symbol=symbol),
            filled(done, amount, number, side, last=done, **changes),
            OrderExpired(**about(number, symbol=symbol), broker_order=f"{number:07}", expired=asked - done),  # type: ignore[arg-type]
        ]
        row = listed_order(f"{number:07}", side=side, quantity=asked, price=price, filled=done, open_=0)
        self.rows[number] = replace(row, symbol=symbol, commission=Won(commission), tax=Won(tax))
        sign = 1 if side is BUY else -1
        self.cash -= sign * amount + commission + tax
        self._hold(symbol, sign * done, amount)

    def _hold(self, symbol: Symbol, shares: int, amount: int) -> None:
        held = self.held.get(symbol, 0)
        cost = self.cost.get(symbol, 0)
        self.held[symbol] = held + shares
        self.cost[symbol] = cost + amount if shares > 0 else cost - cost * -shares // held

    def ledger(self) -> Ledger:
        return folded(self.messages)

    def statement(self) -> BrokerState:
        positions = [_position(symbol, shares, self.cost[symbol]) for symbol, shares in sorted(self.held.items())]
        return state(self.cash, *(p for p in positions if p.quantity), *self.rows.values())

    def fault(self, kind: Kind) -> None:
        number = self.rng.choice([n for n, row in self.rows.items() if kind is not Kind.WRONG_TAX or row.tax])
        row = self.rows[number]
        {**self._of_orders(row, number), **self._of_money(row)}[kind]()

    def _of_orders(self, row: BrokerOrder, number: int) -> dict[Kind, Callable[[], None]]:
        sign = 1 if row.side is Side.BUY else -1
        return {
            Kind.LOST_FILL: lambda: self._lose(number),
            Kind.LOST_RECORD: lambda: self._lose(number, "recovery"),
            Kind.WRONG_FEE: lambda: self._change(number, -77, commission=row.commission + 77),
            Kind.WRONG_TAX: lambda: self._change(number, -5, tax=row.tax + 5),
            Kind.WRONG_AMOUNT: lambda: self._change(number, -sign * row.filled, amount=row.amount + row.filled),
            Kind.STILL_OPEN: lambda: self._change(number, 0, open=row.quantity),
            Kind.MISSING_ORDER: lambda: self.rows.pop(number) and None,
        }

    def _of_money(self, row: BrokerOrder) -> dict[Kind, Callable[[], None]]:
        most = max(self.held, key=lambda symbol: self.held[symbol])
        return {
            Kind.FOREIGN_TRADE: lambda: self._stranger(row),
            Kind.DIVIDEND: lambda: self._pay(12_345),
            Kind.CHARGE: lambda: self._pay(-12_345),
            Kind.SPLIT: lambda: self.held.update({most: self.held[most] * 5}),
            Kind.STOCK_DIVIDEND: lambda: self.held.update({most: self.held[most] * 11 // 10 + 1}),
        }

    def _lose(self, number: int, source: str = "") -> None:
        """A fill that nobody booked, or that only a reconciliation found."""
        place = next(n for n, m in enumerate(self.messages) if _is_fill(m) and m.order == number)
        fill = self.messages.pop(place)
        if source:
            self.messages.insert(place, replace(fill, source=source))

    def _change(self, number: int, cash: int, **figures: Any) -> None:
        self.rows[number] = replace(self.rows[number], **figures)
        self.cash += cash

    def _pay(self, won: int) -> None:
        self.cash += won

    def _stranger(self, row: BrokerOrder) -> None:
        figures: dict[str, Any] = {"broker_order": "0000999", "side": BUY, "filled": 3, "amount": 30_000, "tax": 0}
        self.rows[999] = replace(row, **figures)
        self.cash -= 30_000 + row.commission
        self._hold(row.symbol, 3, 30_000)


FAULTS = (
    *(Kind.LOST_FILL, Kind.WRONG_FEE, Kind.WRONG_TAX, Kind.WRONG_AMOUNT, Kind.FOREIGN_TRADE, Kind.DIVIDEND),
    *(Kind.SPLIT, Kind.STOCK_DIVIDEND, Kind.LOST_RECORD, Kind.CHARGE),
)


def test_a_day_without_faults_agrees_to_the_won_in_all_three() -> None:
    day = Day(1)
    found = match_day(day.ledger(), day.statement())

    assert found.differences == ()
    assert all(row.agrees for row in found.rows)
    assert (found.orders, found.fills, found.unexplained) == (40, 40, 0)


@pytest.mark.parametrize("up", [-1, 1], ids=["cut", "rounded up"])
def test_a_list_that_tells_an_average_in_whole_won_is_no_difference(up: int) -> None:
    day = Day(1)
    number = next(number for number, row in day.rows.items() if row.filled > 2)
    row = day.rows[number]
    day.rows[number] = replace(row, amount=Won(row.amount + up * (row.filled - 1)))

    assert match_day(day.ledger(), day.statement()).differences == ()


@pytest.mark.parametrize(("seed", "kind"), [(n, FAULTS[n % len(FAULTS)]) for n in range(30)])
def test_each_of_thirty_faults_is_found_and_named(seed: int, kind: Kind) -> None:
    day = Day(seed)
    day.fault(kind)
    found = match_day(day.ledger(), day.statement())

    assert [difference.kind for difference in found.differences] == [kind]
    assert found.unexplained == 0


def test_all_faults_at_once_are_told_apart() -> None:
    day = Day(7, orders=200)
    kinds = (Kind.LOST_FILL, Kind.WRONG_FEE, Kind.WRONG_TAX, Kind.LOST_RECORD, Kind.DIVIDEND)
    for kind in kinds:
        day.fault(kind)
    found = match_day(day.ledger(), day.statement())

    assert sorted(difference.kind for difference in found.differences) == sorted(kinds)


@pytest.mark.parametrize("kind", [Kind.MISSING_ORDER, Kind.STILL_OPEN])
def test_what_the_statement_says_of_orders_is_told(kind: Kind) -> None:
    day = Day(5)
    day.fault(kind)

    assert kind in [difference.kind for difference in match_day(day.ledger(), day.statement()).differences]


def test_the_tables_hold_every_figure() -> None:
    day = Day(3)
    day.fault(Kind.WRONG_FEE)
    found = match_day(day.ledger(), day.statement())
    rows = list(csv.DictReader(found.csv().splitlines()))

    assert len(rows) == len(found.rows)
    assert next(row["differences"] for row in rows if row["differences"]) == "wrong fee"
    assert found.text().splitlines()[1].startswith("wrong fee: order ")
    assert found.text().count("<") == 3


def test_five_thousand_orders_are_matched_in_time() -> None:
    day = Day(11, orders=5_000)
    found = match_day(day.ledger(), day.statement())

    assert (found.orders, found.differences) == (5_000, ())


@in_virtual_time
async def test_at_the_close_what_is_open_expires_and_the_day_is_matched(tmp_path: Path) -> None:
    broker = FakeBroker(state(), state(1_000_000, listed_order()))
    stage = Stage(Trader(broker, FakeJournal()), name="trader", data=tmp_path)
    await stage.start()
    stage.tell(approval())
    await stage.settle()
    stage.tell(accepted(), SessionChanged(session=Session.CLOSED_FOR_DAY, time=NOW))
    await stage.advance(10)

    assert [(e.order, e.expired) for e in stage.heard(OrderExpired)] == [(1, 10)]
    (matched,) = stage.heard(DayMatched)
    assert matched.differences == ("still open at the broker: order 1 (900010): 10 open",)
    assert "still open" in (tmp_path / "runs" / "00001" / "match.txt").read_text(encoding="utf-8")
    assert (tmp_path / "runs" / "00001" / "match.csv").exists()


@in_virtual_time
async def test_a_broker_that_does_not_answer_at_the_close_is_asked_again(tmp_path: Path) -> None:
    broker = FakeBroker(state(), TimeoutError(), ConnectionError(), state())
    stage = Stage(Trader(broker, FakeJournal()), name="trader", data=tmp_path)
    await stage.start()
    stage.tell(SessionChanged(session=Session.CLOSED_FOR_DAY, time=NOW))
    await stage.advance(60)
    await stage.stop()

    assert [matched.differences for matched in stage.heard(DayMatched)] == [()]


@in_virtual_time
async def test_a_broker_that_never_answers_at_the_close_does_not_hold_up_the_end(tmp_path: Path) -> None:
    broker = FakeBroker(state(), TimeoutError())
    stage = Stage(Trader(broker, FakeJournal()), name="trader", data=tmp_path)
    await stage.start()
    stage.tell(approval(), SessionChanged(session=Session.CLOSED_FOR_DAY, time=NOW))
    await stage.stop()

    assert not stage.heard(DayMatched)
    assert not stage.heard(OrderExpired)


def _is_fill(message: object) -> bool:
    return type(message).__name__ == "OrderFilled"


def _position(symbol: Symbol, shares: int, cost: int) -> BrokerPosition:
    fields: dict[str, Any] = {"symbol": symbol, "quantity": shares, "cost": cost, "last": 0, "average_price": 0}
    return BrokerPosition(**fields)
