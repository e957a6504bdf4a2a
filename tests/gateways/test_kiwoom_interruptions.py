"""Volatility interruptions: asked for until Kiwoom answers, and those that run at a start are told."""

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.control import Control
from actors.gateways.kiwoom.ocx import OcxGateway
from actors.gateways.kiwoom.twin.settings import TwinSettings
from actors.gateways.kiwoom.twin.twin import Twin, open_control
from actors.gateways.port import FeedMessage, Instruction
from messages import Action, Instrument, Kind, Shares, Side, Validity, ViKind, ViReleased, ViTriggered
from runtime.clock import SimulatedClock
from runtime.loops.loop import VirtualLoop
from runtime.testing import in_virtual_time
from tests.gateways.kiwoom_bench import Bench

FIDS = codes.REAL_TYPES[codes.VI].fids


def row(began: str, released: str = "", **cells: str) -> list[str]:
    told = {"종목코드": "005930", "발동가격": "4125", "매매체결처리시각": began, "VI해제시각": released}
    told |= {"VI적용구분": "정적", "정적기준가격": "3750", "VI발동횟수": "1"} | cells
    return [told.get(item, "") for item in codes.TRS["opt10054"].multi]


def record(event: str, began: str) -> str:
    cells = {9001: "A005930", 9068: event, 1221: "4125", 1223: began, 1224: "090201", 1225: "정적", 1236: "3750"}
    return "\t".join((cells | {1490: "1", 9069: "1"}).get(fid, "") for fid in FIDS)


async def told(bench: Bench) -> list[FeedMessage]:
    stream = bench.gateway.stream()
    said: list[FeedMessage] = []
    while bench.gateway.statistics()["real waiting"]:
        said.extend(await bench.batch(stream))
    return [message for message in said if isinstance(message, ViTriggered | ViReleased)]


def asked(bench: Bench) -> list[list[Any]]:
    return [call for call in bench.control.called("CommRqData") if call[1] == "opt10054"]


@pytest.mark.parametrize("fails", ["silent", "refused"])
def test_what_is_not_answered_is_asked_again_ever_more_rarely_until_it_is(fails: str, tmp_path: Path) -> None:
    @in_virtual_time
    async def attempt() -> None:
        bench = Bench(tmp_path)
        bench.control.silent = {"opt10054"} if fails == "silent" else set()
        bench.control.query_codes = [-202] * 1_000 if fails == "refused" else []
        async with bench.gateway:
            await bench.settle(3_600)
            assert 10 < len(asked(bench)) < 20
            assert {call[3] for call in asked(bench)} == {"5000"}
            bench.control.silent, bench.control.query_codes = set(), []
            bench.control.tables["opt10054"] = [[row("090000", "120000")]]
            await bench.settle(600)
            count = len(asked(bench))
            await bench.settle(3_600)
            assert len(asked(bench)) == count
            assert [type(message) for message in await told(bench)] == [ViTriggered]

    attempt()


def test_who_has_ended_asks_no_more(tmp_path: Path) -> None:
    @in_virtual_time
    async def attempt() -> None:
        bench = Bench(tmp_path)
        bench.control.silent.add("opt10054")
        async with bench.gateway:
            await bench.settle(60)
        count = len(asked(bench))
        await bench.settle(3_600)
        assert len(asked(bench)) == count

    attempt()


@pytest.mark.parametrize(
    ("rows", "count"),
    [
        ([row("085930")], 1),
        ([row("085930", "000000")], 1),
        ([row("085930", "090137")], 1),
        ([row("085730", "085945")], 0),
        ([row("085000")], 0),
        ([row("140000", "140210")], 0),
        ([row("")], 0),
        ([row("085930", VI적용구분="?"), row("085920", 종목코드="000660")], 1),
    ],
    ids=["blank", "zeros", "foreseen", "released", "long over", "of yesterday", "unreadable", "one readable"],
)
def test_whoever_starts_in_an_interruption_is_told_of_it(rows: list[list[str]], count: int, tmp_path: Path) -> None:
    @in_virtual_time
    async def attempt() -> None:
        bench = Bench(tmp_path)
        bench.control.tables["opt10054"] = [rows]
        async with bench.gateway:
            assert [type(message) for message in await told(bench)] == [ViTriggered] * count

    attempt()


@pytest.mark.parametrize(
    ("price", "cells", "kind", "upward"),
    [
        ("4125", {}, ViKind.STATIC, True),
        ("-3375", {}, ViKind.STATIC, False),
        ("3900", {"VI적용구분": "동적", "정적기준가격": "", "동적기준가격": "4000"}, ViKind.DYNAMIC, False),
    ],
)
def test_a_row_that_bears_no_direction_has_it_from_its_prices(
    price: str, cells: dict[str, str], kind: ViKind, upward: bool, tmp_path: Path
) -> None:
    @in_virtual_time
    async def attempt() -> None:
        bench = Bench(tmp_path)
        bench.control.tables["opt10054"] = [[row("085930", 발동가격=price, **cells)]]
        async with bench.gateway:
            (said,) = await told(bench)
        assert isinstance(said, ViTriggered)
        assert (said.kind, said.upward, said.trigger_price) == (kind, upward, abs(int(price)))

    attempt()


@pytest.mark.parametrize("records", [["1"], ["1", "2"], ["2"]])
def test_what_records_told_before_the_answer_is_not_told_again(records: Sequence[str], tmp_path: Path) -> None:
    @in_virtual_time
    async def attempt() -> None:
        bench = Bench(tmp_path)
        bench.control.silent.add("opt10054")
        async with bench.gateway:
            for event in records:
                bench.real(codes.VI, record(event, "090005"))
            bench.control.silent.clear()
            bench.control.tables["opt10054"] = [[row("090005")]]
            await bench.settle(15)
            assert len(await told(bench)) == len(records)

    attempt()


def test_what_the_answer_told_is_not_told_again_by_its_record(tmp_path: Path) -> None:
    @in_virtual_time
    async def attempt() -> None:
        bench = Bench(tmp_path)
        bench.control.tables["opt10054"] = [[row("085930")]]
        async with bench.gateway:
            bench.real(codes.VI, record("1", "085930"))
            bench.real(codes.VI, record("2", "085930"))
            assert [type(message) for message in await told(bench)] == [ViTriggered, ViReleased]
            assert bench.gateway.statistics()["real silent"] == 1

    attempt()


def sweep(issue: Instrument) -> Instruction:
    """Bought up to the price of an interruption."""
    return Instruction(
        order=7,
        action=Action.NEW,
        strategy="momentum",
        symbol=issue.symbol,
        side=Side.BUY,
        kind=Kind.LIMIT,
        validity=Validity.DAY,
        quantity=Shares(1_000_000),
        price=issue.upper_limit,
    )


async def first_interruption(gateway: OcxGateway) -> FeedMessage:
    async for batch in gateway.stream():
        for message in batch:
            if isinstance(message, ViTriggered):
                return message
    raise AssertionError("no interruption came")


def test_the_twin_tells_whoever_starts_in_an_interruption_what_its_record_said(tmp_path: Path) -> None:
    @in_virtual_time
    async def start_twice() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        settings = TwinSettings(issues=1, begin="09:01", finish="09:20", intensity=0.2, cash=10**13)
        clock = SimulatedClock(Twin(settings, SimulatedClock(0, loop), random.Random(1)).start, loop)
        control = open_control(settings, clock, random.Random(1))
        first, second = (OcxGateway(clock, tmp_path, random.Random(1), twin=settings) for _ in range(2))
        for gateway in (first, second):
            gateway._open_control = lambda: cast("Control", control)  # type: ignore[method-assign]
        async with first:
            (issue,) = await first.instruments(())
            first.send(sweep(issue))
            live = await first_interruption(first)
            async with second:
                assert await first_interruption(second) == live

    start_twice()
