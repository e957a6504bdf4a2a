"""Members of the KOSPI 200: guessed on the safe side, asked behind all else, said anew, remembered for the day."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path

import msgspec
import pytest

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.ocx import OcxGateway
from actors.gateways.kiwoom.twin.settings import TwinSettings
from actors.gateways.kiwoom.twin.twin import Twin
from messages import Instrument, Market, Symbol
from runtime.clock import SimulatedClock
from runtime.loops.loop import VirtualLoop
from runtime.testing import in_virtual_time
from tests.gateways.kiwoom_bench import Bench, on_a_bench

KINDS = {"005930": "0", "010100": "0", "005935": "0", "035720": "10", "069500": "8", "122630": "8", "530031": "60"}
NARROW_BEFORE = {"005930", "010100", "069500", "530031"}
NARROW = {"005930", "069500", "530031"}
"""Of these Samsung alone is in the index."""


def listed(bench: Bench) -> None:
    """An issue of each kind, once: the second question for them has no answer."""
    rows: list[list[str]] = []
    for code, kind in KINDS.items():
        bench.control.functions["GetStockMarketKind", code] = kind
        row = dict.fromkeys(codes.TRS["optkwfid"].multi, "")
        upper = "+16000" if code == "122630" else "+13000"
        row |= {"종목코드": code, "종목명": "이름", "기준가": " 10000", "상한가": upper, "하한가": "-7000"}
        rows.append(list(row.values()))
    bench.control.tables["OPTKWFID"] = [rows]


def in_the_index(bench: Bench, *pages: Collection[str]) -> None:
    columns = len(codes.TRS["opt20002"].multi)
    bench.control.tables["opt20002"] = [[[code, *[""] * (columns - 1)] for code in page] for page in pages]


async def narrow(bench: Bench) -> set[str]:
    return {one.symbol for one in await bench.gateway.instruments([Symbol(code) for code in KINDS]) if one.kospi200}


def asked(bench: Bench) -> int:
    return sum(arguments[1] == "opt20002" for arguments in bench.control.called("CommRqData"))


@on_a_bench
async def test_until_the_members_are_known_every_ordinary_share_of_the_board_is_one(bench: Bench) -> None:
    listed(bench)
    bench.control.silent.add("opt20002")

    assert await narrow(bench) == NARROW_BEFORE, "no preferred share, nothing of the KOSDAQ, no leveraged fund"


@on_a_bench
async def test_what_was_guessed_wrongly_is_said_anew_and_nothing_else(bench: Bench) -> None:
    listed(bench)
    in_the_index(bench, ["005930"])
    stream = bench.gateway.stream()
    await narrow(bench)
    await bench.settle(60)
    said = [message for message in await bench.batch(stream) if isinstance(message, Instrument)]
    listed(bench)

    assert [(one.symbol, one.kospi200, one.base_price) for one in said] == [("010100", False, 10_000)]
    assert await narrow(bench) == NARROW
    assert asked(bench) == 1


@on_a_bench
async def test_the_members_are_read_to_the_last_page(bench: Bench) -> None:
    listed(bench)
    in_the_index(bench, [f"A{number:05d}0" for number in range(100)], ["005930"])
    await narrow(bench)
    await bench.settle(60)
    listed(bench)

    assert await narrow(bench) == NARROW
    assert [arguments[2] for arguments in bench.control.called("CommRqData") if arguments[1] == "opt20002"] == [0, 2]


@on_a_bench
async def test_whatever_else_is_asked_goes_before_the_members(bench: Bench) -> None:
    listed(bench)
    in_the_index(bench, ["005930"])
    await narrow(bench)
    await bench.settle(28)
    others = [asyncio.create_task(bench.gateway.ranking(1)) for _ in range(12)]
    await bench.settle(120)

    assert all(other.done() for other in others)
    assert [arguments[1] for arguments in bench.control.called("CommRqData")][-2:] == ["opt10032", "opt20002"]


@pytest.mark.parametrize("half", [[], [f"{number:05d}0" for number in range(100)]], ids=["nothing", "the first page"])
def test_an_answer_that_is_not_whole_is_asked_for_again_later(half: list[str], tmp_path: Path) -> None:
    @in_virtual_time
    async def run() -> None:
        bench = Bench(tmp_path)
        async with bench.gateway:
            listed(bench)
            bench.control.boards["0"] = ";".join(f"{number:06d}" for number in range(2_000))
            in_the_index(bench, half)
            await narrow(bench)
            await bench.settle(200)
            before, so_far = asked(bench), not (tmp_path / "kospi200.txt").exists()
            bench.control.boards.clear()
            in_the_index(bench, ["005930"])
            await bench.settle(200)
            listed(bench)

            assert (before, so_far) == (1, True)
            assert await narrow(bench) == NARROW

    run()


def on_the_next_start(
    folder: Path, between: Callable[[Path], object], test: Callable[[Bench], Awaitable[None]], hours: float = 0
) -> None:
    """A start that learns the members, what happens to the file then, and another start so many hours later."""

    @in_virtual_time
    async def run() -> None:
        first = Bench(folder)
        async with first.gateway:
            listed(first)
            in_the_index(first, ["005930"])
            await narrow(first)
            await first.settle(60)
        between(folder / "kospi200.txt")
        await asyncio.sleep(3_600 * hours)
        second = Bench(folder)
        second.clock = first.clock
        second.gateway._clock = first.clock  # pyright: ignore[reportPrivateUsage] - time goes on
        async with second.gateway:
            listed(second)
            in_the_index(second, ["005930"])
            await test(second)

    run()


def test_a_restart_in_mid_session_asks_nothing(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        assert await narrow(bench) == NARROW
        await bench.settle(60)
        assert asked(bench) == 0

    on_the_next_start(tmp_path, lambda _: None, test)


@pytest.mark.parametrize(
    "left",
    ["", "2025-09-02\n", "2025-09-02\n005930 010100\n0\n", "\x00\n\x00"],
    ids=["blank", "cut", "changed", "dirt"],
)
def test_a_damaged_file_is_asked_for_again(tmp_path: Path, left: str) -> None:
    async def test(bench: Bench) -> None:
        assert await narrow(bench) == NARROW_BEFORE
        await bench.settle(60)
        assert asked(bench) == 1

    on_the_next_start(tmp_path, lambda file: file.write_text(left, encoding="ascii"), test)


def test_the_members_of_an_earlier_day_are_asked_for_again(tmp_path: Path) -> None:
    async def test(bench: Bench) -> None:
        assert await narrow(bench) == NARROW_BEFORE
        await bench.settle(60)
        assert asked(bench) == 1

    on_the_next_start(tmp_path, lambda _: None, test, hours=24)


def test_over_the_twin_the_members_are_those_of_its_exchange(tmp_path: Path) -> None:
    """Of 330 issues 110 are in the index: two pages."""

    @in_virtual_time
    async def run() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        settings = msgspec.convert({"issues": 330, "begin": "08:40"}, TwinSettings)
        twin = Twin(settings, SimulatedClock(0, loop), random.Random(1))
        clock = SimulatedClock(twin.start, loop)
        truly = {issue.symbol: issue.kospi200 for issue in twin.server.exchange.issues()}
        async with OcxGateway(clock, tmp_path, random.Random(1), twin=settings) as gateway:
            stream = gateway.stream()
            told = {one.symbol: one for one in await gateway.instruments(())}
            guessed = {symbol for symbol, one in told.items() if one.kospi200 is not truly[symbol]}
            await asyncio.sleep(120)
            said = [message for message in await anext(stream) if isinstance(message, Instrument)]
            told |= {one.symbol: one for one in said}

        assert {one.market for one in said} == {Market.KOSPI}
        assert {one.symbol for one in said} == guessed != set()
        assert {symbol: one.kospi200 for symbol, one in told.items()} == truly

    run()
