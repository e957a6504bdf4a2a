"""What a person asks of a running system, and what a person may decide."""

import asyncio
import re
from typing import Any

import pytest

from actors.account import tables
from actors.guardian import Guardian
from messages import (
    HaltConfirmed,
    HaltTrading,
    Message,
    Nanoseconds,
    Reconciled,
    ReconciliationWanted,
    ResumeTrading,
    Settlement,
    SettleOrder,
    Shares,
    Won,
)
from runtime.outside.verbs import Answer, Declined
from runtime.testing import START, Stage, in_virtual_time
from tests.account.records import (
    BUY,
    CODE,
    SELL,
    accepted,
    approval,
    canceled,
    filled,
    folded,
    opened,
    submitting,
    unknown,
)
from tests.ordering.fakes import FakeJournal

NOW = Nanoseconds(START)
HALT = HaltTrading(reason="news", by="kim")


async def stage_with(*messages: Message) -> tuple[Stage, Guardian]:
    guardian = Guardian(FakeJournal())
    stage = Stage(guardian, name="guardian")
    await stage.start()
    stage.tell(opened(10_000_000, time=NOW), *messages)
    return stage, guardian


def matched(*differences: str) -> Reconciled:
    return Reconciled(time=NOW, cash=Won(10_000_000), positions=(), open_orders=0, differences=differences)


async def answered(stage: Stage, work: Any, *messages: Message) -> Answer:
    """The answer, while the world says something else each half second."""
    task = asyncio.get_running_loop().create_task(work)
    for message in messages:
        await stage.advance(0.5)
        stage.tell(message)
    return await task


@in_virtual_time
async def test_orders_and_positions_are_rows_of_plain_values() -> None:
    _, guardian = await stage_with(
        approval(5), submitting(5), accepted(5, "0000123"), filled(4, 40_000, 5, last=4), approval(6, BUY, 3)
    )
    first, second = guardian.tell_orders()["orders"]
    assert (first["order"], first["broker"], first["filled"], first["open"]) == ("0:5", "0000123", 4, 6)
    assert (first["phase"], second["phase"]) == ("open", "approved")
    (holding,) = guardian.tell_positions()["positions"]
    assert (holding["symbol"], holding["strategy"], holding["quantity"], holding["cost"]) == (
        CODE,
        "momentum",
        4,
        40_000,
    )


@in_virtual_time
async def test_orders_that_are_over_are_shown_only_when_asked_for() -> None:
    _, guardian = await stage_with(approval(5), submitting(5), accepted(5), canceled(5))

    assert guardian.tell_orders() == {"orders": []}
    assert len(guardian.tell_orders(everything=True)["orders"]) == 1


@pytest.mark.parametrize("name", ["3:5", "5", "3298534883333", "0000123", "123"])
def test_an_order_has_many_names(name: str) -> None:
    number = (3 << 40) + 5
    ledger = folded([opened(), approval(number), submitting(number), accepted(number, "0000123")])

    assert [order.number for order in tables.find(ledger, name)] == [number]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("123", "123 can be any of 0:123, 3:5 (the broker's 0000123); name it as run:sequence"),
        ("5", "5 can be any of 0:5, 3:5 (the broker's 0000123); name it as run:sequence"),
    ],
)
@in_virtual_time
async def test_a_number_that_several_orders_bear_settles_none_of_them(wanted: str, told: str) -> None:
    number = (3 << 40) + 5
    lost = [message for order in (5, 123) for message in (approval(order), submitting(order), unknown(order))]
    _, guardian = await stage_with(*lost, approval(number), submitting(number), accepted(number, "0000123"))

    with pytest.raises(Declined, match=re.escape(told)):
        await guardian.settle(order=wanted, outcome=Settlement.DEAD, by="kim")


@in_virtual_time
async def test_a_halt_is_answered_when_all_it_takes_back_is_gone() -> None:
    stage, guardian = await stage_with(approval(5), submitting(5), accepted(5))
    began = asyncio.get_running_loop().time()
    answer = await answered(
        stage, guardian.tell_halt(patience=30.0), HALT, canceled(5), HaltConfirmed(time=NOW, reason="news")
    )

    assert (answer["halted"], answer["by"], answer["canceled"], answer["open"]) == ("news", "kim", 1, [])
    assert asyncio.get_running_loop().time() - began < 2


@in_virtual_time
async def test_a_halt_that_is_not_done_in_time_says_what_is_still_open() -> None:
    stage, guardian = await stage_with(approval(5), submitting(5), unknown(5))
    answer = await answered(stage, guardian.tell_halt(patience=3.0), HALT)

    assert [row["phase"] for row in answer["open"]] == ["unknown"]
    assert answer["canceled"] == 0


@in_virtual_time
async def test_a_resume_waits_for_a_match_of_now_without_a_difference() -> None:
    stage, guardian = await stage_with(HALT, HaltConfirmed(time=NOW, reason="news"), matched())
    answer = await answered(stage, guardian.resume(by="lee"), matched())

    assert answer["resumed"]
    assert [resume.by for resume in stage.heard(ResumeTrading)] == ["lee"]
    assert len(stage.heard(ReconciliationWanted)) == 1


@in_virtual_time
async def test_a_resume_without_a_halt_is_said_too_for_a_strategy_may_be_disabled() -> None:
    stage, guardian = await stage_with()
    await answered(stage, guardian.resume(by="lee"), matched())

    assert [resume.by for resume in stage.heard(ResumeTrading)] == ["lee"]


@pytest.mark.parametrize(
    ("before", "meanwhile", "line"),
    [
        ((HALT,), (), "was not matched within 2 s"),
        ((HALT,), (matched("cash: 1 at the broker, 2 here", "x"),), "cash: 1 at the broker, 2 here and 1 more"),
        ((HALT,), (HaltTrading(reason="worse news", by="lee"), matched()), "halted anew meanwhile: worse news"),
        ((approval(5), submitting(5), unknown(5), HALT), (), "still takes back 0:5 unknown"),
    ],
)
def test_a_resume_is_declined_in_one_line(
    before: tuple[Message, ...], meanwhile: tuple[Message, ...], line: str
) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage, guardian = await stage_with(*before)
        with pytest.raises(Declined, match=line):
            await answered(stage, guardian.resume(by="lee", patience=2.0), *meanwhile)
        assert not stage.heard(ResumeTrading)

    scene()


@in_virtual_time
async def test_a_persons_word_on_an_unknown_order_is_said_and_its_effect_awaited() -> None:
    stage, guardian = await stage_with(approval(5), submitting(5), unknown(5))
    asked = guardian.settle(order="5", outcome=Settlement.FILLED, by="kim", quantity=10, price=10_000)
    answer = await answered(stage, asked, filled(10, 100_000, 5, last=10))

    (word,) = stage.heard(SettleOrder)
    assert (word.order, word.outcome, word.quantity, word.price, word.by) == (
        5,
        Settlement.FILLED,
        Shares(10),
        Won(10_000),
        "kim",
    )
    assert answer["settled"]["phase"] == "filled"


@in_virtual_time
async def test_an_open_order_is_settled_as_dead_where_the_brokers_lists_lack_it() -> None:
    listless = "order 5: 0000001 is not in the broker's lists"
    stage, guardian = await stage_with(approval(5), submitting(5), accepted(5))
    for differences in ((), ("order 50: 0000001 is not in the broker's lists",)):
        stage.tell(matched(*differences))
        with pytest.raises(Declined, match="order 5 is open: a person settles only what is unknown"):
            await guardian.settle(order="5", outcome=Settlement.DEAD, by="kim")
    stage.tell(matched(listless))
    with pytest.raises(Declined, match="order 5 is open: a person settles only what is unknown"):
        await guardian.settle(order="5", outcome=Settlement.FILLED, by="kim", quantity=10, price=10_000)
    answer = await answered(stage, guardian.settle(order="5", outcome=Settlement.DEAD, by="kim"), canceled(5))

    assert answer["settled"]["phase"] == "canceled"


@pytest.mark.parametrize(
    ("messages", "order", "quantity", "line"),
    [
        ((), "7", 0, "no order 7 today"),
        ((approval(5), submitting(5), accepted(5)), "5", 0, "order 5 is open: a person settles only what is unknown"),
        ((approval(5), submitting(5), unknown(5)), "5", 11, "asked for 10 shares, not 11"),
        ((approval(5), submitting(5), unknown(5)), "5", 1, "order 5 is still unknown"),
    ],
)
def test_a_settlement_is_declined_in_one_line(
    messages: tuple[Message, ...], order: str, quantity: int, line: str
) -> None:
    @in_virtual_time
    async def scene() -> None:
        _, guardian = await stage_with(*messages)
        with pytest.raises(Declined, match=line):
            await guardian.settle(order=order, outcome=Settlement.FILLED, by="kim", quantity=quantity, price=10_000)

    scene()


@in_virtual_time
async def test_what_is_under_way_counts_orders_and_exits() -> None:
    stage, guardian = await stage_with()
    assert guardian.unfinished() == 0
    stage.tell(approval(5), submitting(5), accepted(5), approval(6, SELL))

    assert guardian.unfinished() == 2
