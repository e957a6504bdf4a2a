"""What the report counts where a run does not begin at nothing: earlier runs, strangers, splits, deposits, days."""

import json
from pathlib import Path
from typing import Any

from actors.account.recovery import History
from actors.monitor import Monitor
from actors.reporter import Reporter
from messages import CashAdjusted, DayMatched, Message, Nanoseconds, PositionAdjusted, Shares, Won
from runtime.clock import SECOND
from runtime.life.vitals import Vitals
from runtime.testing import START, Stage, in_virtual_time
from tests.account.records import CODE, SELL, approval, filled, held, opened
from tests.ordering.fakes import FakeJournal
from tests.scripted_day import Empty, price

NOW = Nanoseconds(START)
DAY = 86_400


def vitals(folder: Path) -> Vitals:
    found = Vitals(folder=folder, config=Path("demo.toml"), digest="", seed=7, time_kind="simulated")
    found.run = 2
    return found


class Report:
    """A reporter whose journal holds earlier runs."""

    def __init__(self, folder: Path, *past: Message) -> None:
        journal: History = FakeJournal(*past) if past else Empty()
        self.vitals = vitals(folder)
        self.stage = Stage(Reporter(self.vitals, journal), name="reporter")
        self.stage.bus.begin(2, None)

    async def after(self, *messages: Message) -> dict[str, Any]:
        """The summary of a run in which these were said."""
        await self.stage.start()
        self.stage.tell(*messages)
        return await self.end()

    async def end(self) -> dict[str, Any]:
        await self.stage.stop()
        return self.vitals.summary


async def watching(folder: Path, *messages: Message) -> Monitor:
    monitor = Monitor(vitals(folder), Empty())
    stage = Stage(monitor)
    await stage.start()
    stage.tell(*messages)
    return monitor


def adjusted(quantity: int, cost: int, *, cash: int = 0) -> PositionAdjusted:
    figures: dict[str, Any] = {"quantity": Shares(quantity), "cost": Won(cost), "cash": Won(cash)}
    return PositionAdjusted(symbol=CODE, time=NOW, reason="found at reconciliation", **figures)


def laid_in(cash: int) -> CashAdjusted:
    return CashAdjusted(time=NOW, cash=Won(cash), reason="a person")


def untold(costs: int) -> CashAdjusted:
    return CashAdjusted(time=NOW, cash=Won(-costs), reason="found at reconciliation", costs=True)


@in_virtual_time
async def test_what_filled_while_nothing_ran_is_counted_once(tmp_path: Path) -> None:
    found = await Report(tmp_path, opened(1_000_000, time=NOW), approval()).after(
        filled(10, 100_000, last=10, source="recovery", commission=Won(15)),
        opened(899_985, held(10, 100_000, last=10_000), time=NOW),
        approval(2, SELL, price=11_000),
        filled(10, 110_000, 2, SELL, last=10, commission=Won(16)),
    )

    assert found["performance"]["closed"] == 1
    assert found["strategies"]["momentum"]["profit"] == 10_000 - 31
    assert (found["opening_equity"], found["result_won"]) == (1_000_000, 10_000 - 31)
    assert found["result_won"] == found["realised"] + found["unrealised"] - found["fees"] - found["tax"]


@in_virtual_time
async def test_what_was_sold_while_nothing_ran_ends_what_was_held_before(tmp_path: Path) -> None:
    past = (opened(1_000_000, time=NOW), approval(), filled(10, 100_000, last=10), approval(2, SELL, price=11_000))
    sold = filled(10, 110_000, 2, SELL, last=10, source="recovery")
    found = await Report(tmp_path, *past).after(sold, opened(1_010_000, time=NOW))

    assert found["performance"]["closed"] == 1
    assert found["strategies"]["momentum"]["profit"] == 10_000
    assert found["realised"] == 10_000


@in_virtual_time
async def test_money_laid_in_or_taken_out_is_no_result(tmp_path: Path) -> None:
    report = Report(tmp_path)
    found = await report.after(opened(1_000_000, time=NOW), laid_in(-400_000))

    assert (found["equity"], found["laid_in"], found["result_won"]) == (600_000, -400_000, 0)
    assert found["performance"]["drawdown"] == 0
    assert "  laid in          -400,000 won  or taken out" in report.vitals.closing


@in_virtual_time
async def test_the_screen_does_not_count_a_deposit_as_a_result_either(tmp_path: Path) -> None:
    monitor = await watching(tmp_path, opened(1_000_000, time=NOW), laid_in(50_000))

    assert monitor.view().result == 0


@in_virtual_time
async def test_costs_that_no_record_told_are_a_loss_and_no_money_taken_out(tmp_path: Path) -> None:
    found = await Report(tmp_path).after(opened(1_000_000, time=NOW), untold(230))
    monitor = await watching(tmp_path, opened(1_000_000, time=NOW), untold(230))

    assert (found["laid_in"], found["result_won"], found["performance"]["drawdown"]) == (0, -230, 230)
    assert monitor.view().result == -230


@in_virtual_time
async def test_a_record_of_costs_alone_is_no_fill(tmp_path: Path) -> None:
    costs = filled(10, 100_000, last=0, source="recovery", commission=Won(15))
    said = (opened(1_000_000, time=NOW), approval(), filled(10, 100_000, last=10), costs)
    found = await Report(tmp_path).after(*said)
    monitor = await watching(tmp_path, *said)

    assert (found["fills"], found["fees"]) == (1, 15)
    assert monitor.view().fills == 1
    assert not [line for line in monitor.view().news if "buy 900010 0" in line]


@in_virtual_time
async def test_shares_a_person_bought_by_hand_are_bought_at_their_cost(tmp_path: Path) -> None:
    found = await Report(tmp_path).after(
        opened(1_000_000, time=NOW),
        adjusted(10, 100_000, cash=-100_000),
        approval(2, SELL, price=11_000, strategy=""),
        filled(10, 110_000, 2, SELL, last=10, strategy=""),
    )

    assert found["strategies"][""]["profit"] == found["result_won"] == 10_000
    assert found["performance"]["wins"] == 1


@in_virtual_time
async def test_a_split_makes_more_shares_of_the_same_trip(tmp_path: Path) -> None:
    found = await Report(tmp_path, opened(1_000_000, time=NOW), approval(), filled(10, 100_000, last=10)).after(
        adjusted(50, 100_000),
        opened(900_000, held(50, 100_000, last=2_000), time=NOW),
        approval(2, SELL, 50, 2_200),
        filled(50, 110_000, 2, SELL, last=50, asked=50),
    )

    assert found["performance"]["closed"] == 1
    assert found["strategies"]["momentum"]["profit"] == 10_000


@in_virtual_time
async def test_shares_that_a_person_sold_by_hand_leave_for_what_they_brought(tmp_path: Path) -> None:
    bought = (opened(1_000_000, time=NOW), approval(), filled(10, 100_000, last=10))
    found = await Report(tmp_path).after(*bought, adjusted(0, 0, cash=90_000))

    assert found["performance"]["closed"] == 1
    assert found["strategies"]["momentum"]["profit"] == found["result_won"] == -10_000


@in_virtual_time
async def test_each_day_with_prices_has_a_point_also_where_nothing_changed(tmp_path: Path) -> None:
    report = Report(tmp_path)
    await report.stage.start()
    report.stage.tell(opened(1_000_000, time=NOW))
    for wait, day in ((0, 0), (DAY - 60, 1), (2 * DAY - 60, 3)):
        await report.stage.advance(wait)
        report.stage.tell(price(CODE, day * DAY, 10_000)[0])
        await report.stage.advance(60)
    await report.end()

    source = (report.vitals.run_folder / "report.html").read_text(encoding="utf-8")
    start = source.index('id="series">') + len('id="series">')
    times = json.loads(source[start : source.index("</script>", start)])["equity"]["times"]
    assert sorted({time // DAY for time in times}) == [0, 1, 3]


@in_virtual_time
async def test_a_reporter_that_was_replaced_says_so_and_counts_from_the_next_match(tmp_path: Path) -> None:
    report = Report(tmp_path, opened(1_000_000, time=NOW), approval(), filled(10, 100_000, last=10))
    found = await report.after(
        price(CODE, 0, 10_000)[0],
        opened(900_000, held(10, 100_000, last=10_000), time=NOW, start=False),
        price(CODE, 0, 10_500)[0],
    )

    assert (found["opening_equity"], found["result_won"], found["complete"]) == (1_000_000, 5_000, False)
    assert "not the whole run" in report.vitals.closing


@in_virtual_time
async def test_a_screen_that_was_replaced_counts_from_the_next_match(tmp_path: Path) -> None:
    past = (opened(1_000_000, time=NOW), approval(), filled(10, 100_000, last=10))
    monitor = Monitor(vitals(tmp_path), FakeJournal(*past))
    stage = Stage(monitor)
    stage.bus.begin(2, None)
    await stage.start()
    match = opened(900_000, held(10, 100_000, last=10_000), time=NOW, start=False)
    stage.tell(price(CODE, 0, 10_000)[0], match, price(CODE, 0, 10_500)[0])

    assert monitor.view().result == 5_000


@in_virtual_time
async def test_whether_the_day_agreed_with_the_broker_is_told_with_its_result(tmp_path: Path) -> None:
    first = DayMatched(time=NOW, orders=7, fills=5, differences=("lost fill: x", "split: y"), unexplained=Won(3))
    again = DayMatched(time=NOW, orders=8, fills=5, differences=("lost fill: <x>",), unexplained=Won(0))
    tomorrow = Nanoseconds(NOW + DAY * SECOND)
    next_day = DayMatched(time=tomorrow, orders=2, fills=2, differences=(), unexplained=Won(0))
    report = Report(tmp_path)
    found = await report.after(opened(1_000_000, time=NOW), first, again, next_day)

    assert found["match"] == {"days": 2, "orders": 10, "differences": ["lost fill: <x>"], "unexplained": 0}
    assert "  day match                   1  differences, 0 won unexplained, in 10 orders" in report.vitals.closing
    assert "lost fill: &lt;x&gt;" in (report.vitals.run_folder / "report.html").read_text(encoding="utf-8")


@in_virtual_time
async def test_a_run_that_ended_before_the_close_has_no_match(tmp_path: Path) -> None:
    report = Report(tmp_path)
    found = await report.after(opened(1_000_000, time=NOW))

    assert found["match"]["days"] == 0
    assert "day match" not in report.vitals.closing
