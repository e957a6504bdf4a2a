import asyncio
import json
import random
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from actors.gateways.kiwoom.ocx import OcxGateway
from actors.gateways.kiwoom.queries.queries import QueryRefused
from actors.gateways.kiwoom.twin.settings import TwinSettings
from actors.gateways.kiwoom.twin.twin import Twin
from actors.gateways.port import FeedMessage, Found
from messages import Condition, ConditionEntered, ConditionLeft, Symbol
from runtime.clock import SimulatedClock
from runtime.loops.loop import VirtualLoop
from runtime.testing import in_virtual_time
from tests.gateways.kiwoom_bench import Bench, on_a_bench

DATA = Path(__file__).parents[2].parent / "shared" / "data"


class Saved:
    """What a fake control says of two searches."""

    def __init__(self, bench: Bench, listed: str = "900010;900020;", following: int = 0) -> None:
        self.bench = bench
        self.listed = listed
        self.following = following
        self.taken = 1
        bench.control.on_GetConditionLoad = self._load  # type: ignore[attr-defined]
        bench.control.on_GetConditionNameList = lambda: "000^급등주;007^저평가;"  # type: ignore[attr-defined]
        bench.control.on_SendCondition = self._send  # type: ignore[attr-defined]

    def _load(self) -> int:
        asyncio.get_running_loop().call_soon(self.bench.control.OnReceiveConditionVer.emit, 1, "")
        return 1

    def _send(self, screen: str, name: str, index: int, _live: int) -> int:
        if self.taken:
            answer = self.bench.control.OnReceiveTrCondition.emit
            asyncio.get_running_loop().call_soon(answer, screen, self.listed, name, index, self.following)
        return self.taken


@on_a_bench
async def test_what_is_saved_is_listed_and_loaded_once(bench: Bench) -> None:
    Saved(bench)
    known = await bench.gateway.conditions()
    assert await bench.gateway.conditions() == known
    assert known == (Condition(index=0, name="급등주"), Condition(index=7, name="저평가"))
    assert len(bench.control.called("GetConditionLoad")) == 1


@on_a_bench
async def test_the_recorded_answer_is_read(bench: Bench) -> None:
    path = DATA / "ocx/condition_20220118.jsonl"
    if not path.exists():
        pytest.skip("recorded events are not there")
    Saved(bench, json.loads(path.read_text("utf-8"))["args"][1])
    found = await bench.gateway.search("저평가", live=False)
    assert (len(found.symbols), found.symbols[0], found.symbols[-1], found.live) == (19, "900290", "900250", False)
    assert bench.control.called("SendCondition") == [["6000", "저평가", 7, 0]]


@on_a_bench
async def test_issues_enter_and_leave_in_the_order_they_were_told(bench: Bench) -> None:
    Saved(bench)
    assert await bench.gateway.search("급등주", live=True) == Found(
        symbols=(Symbol("900010"), Symbol("900020")), live=True
    )
    stream = bench.gateway.stream()
    for mark, code in (("I", "A900030"), ("D", "900010"), ("X", "900010"), ("I", "")):
        bench.control.OnReceiveRealCondition.emit(code, mark, "급등주", "000")
    await bench.settle()
    said = [message for message in await bench.batch(stream) if isinstance(message, ConditionEntered | ConditionLeft)]
    assert [(type(m), m.symbol, m.condition) for m in said] == [
        (ConditionEntered, "900030", "급등주"),
        (ConditionLeft, "900010", "급등주"),
    ]
    assert bench.gateway.statistics()["conditions rejected"] == 2


@on_a_bench
async def test_the_same_search_waits_out_its_minute_and_keeps_its_screen(bench: Bench) -> None:
    Saved(bench)
    await bench.gateway.search("급등주", live=True)
    begun = bench.clock.now()
    await bench.gateway.search("급등주", live=True)
    assert bench.clock.now() - begun >= 60_000_000_000
    assert [call[0] for call in bench.control.called("SendCondition")] == ["6000", "6000"]


@on_a_bench
async def test_a_search_that_finds_too_much_is_not_followed(bench: Bench) -> None:
    Saved(bench, ";".join(f"{code:06d}" for code in range(101)))
    found = await bench.gateway.search("급등주", live=True)
    assert (len(found.symbols), found.live) == (101, False)
    assert ["6000"] in bench.control.called("DisconnectRealData")


@on_a_bench
async def test_a_refusal_an_unknown_name_and_silence_are_said_and_free_the_screen(bench: Bench) -> None:
    saved = Saved(bench)
    with pytest.raises(QueryRefused, match="급등주, 저평가"):
        await bench.gateway.search("없는것", live=False)
    saved.taken = 0
    with pytest.raises(QueryRefused, match="refused"):
        await bench.gateway.search("급등주", live=True)
    bench.control.on_SendCondition = lambda *_: 1  # type: ignore[attr-defined]
    for _ in range(12):
        with pytest.raises(TimeoutError):
            await bench.gateway.search("저평가", live=True)


@on_a_bench
async def test_ten_are_followed_and_no_more(bench: Bench) -> None:
    Saved(bench)
    names = [f"조건{number}" for number in range(11)]
    listed = "".join(f"{number:03d}^{name};" for number, name in enumerate(names))
    bench.control.on_GetConditionNameList = lambda: listed  # type: ignore[attr-defined]
    for name in names[:10]:
        assert (await bench.gateway.search(name, live=True)).live
    with pytest.raises(QueryRefused, match="all 10 condition screens"):
        await bench.gateway.search(names[10], live=True)


def test_leaving_stops_what_is_followed(tmp_path: Path) -> None:
    @in_virtual_time
    async def leave() -> None:
        bench = Bench(tmp_path)
        async with bench.gateway:
            Saved(bench)
            await bench.gateway.search("저평가", live=True)
        assert bench.control.called("SendConditionStop") == [["6000", "저평가", 7]]

    leave()


def test_over_the_twin_a_followed_search_ends_at_what_the_same_search_then_finds(tmp_path: Path) -> None:
    @in_virtual_time
    async def follow() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        settings = msgspec.convert({"issues": 30, "begin": "08:59", "finish": "09:10"}, TwinSettings)
        clock = SimulatedClock(Twin(settings, SimulatedClock(0, loop), random.Random(1)).start, loop)
        gateway = OcxGateway(clock, tmp_path, random.Random(1), twin=settings)
        async with gateway:
            assert [condition.name for condition in await gateway.conditions()] == ["거래대금상위", "상승종목"]
            members = dict.fromkeys((await gateway.search("거래대금상위", live=True)).symbols)
            said = [message async for batch in gateway.stream() for message in batch]
            again = await gateway.search("거래대금상위", live=False)
        followed(members, said)
        assert {*again.symbols} == {*members}

    follow()


def followed(members: dict[Symbol, None], said: list[FeedMessage]) -> None:
    """Folds the changes into the members; nobody enters twice or leaves twice."""
    changes = 0
    for message in said:
        if isinstance(message, ConditionEntered):
            assert message.symbol not in members
            members[message.symbol] = None
            changes += 1
        elif isinstance(message, ConditionLeft):
            del members[message.symbol]
            changes += 1
    assert changes >= 10


@on_a_bench
async def test_a_search_whose_answer_does_not_come_is_followed_no_more(bench: Bench) -> None:
    Saved(bench)
    bench.control.on_SendCondition = lambda *_: 1  # type: ignore[attr-defined]
    with pytest.raises(TimeoutError):
        await bench.gateway.search("저평가", live=True)
    assert bench.control.called("SendConditionStop") == [["6000", "저평가", 7]]


@on_a_bench
async def test_who_asks_for_the_list_while_it_is_loaded_waits_for_the_same(bench: Bench) -> None:
    Saved(bench)
    first, second = await asyncio.gather(bench.gateway.conditions(), bench.gateway.conditions())
    assert first == second
    assert len(bench.control.called("GetConditionLoad")) == 1


@on_a_bench
async def test_a_list_that_never_came_is_asked_for_again(bench: Bench) -> None:
    saved = Saved(bench)
    bench.control.on_GetConditionLoad = lambda: 1  # type: ignore[attr-defined]
    with pytest.raises(TimeoutError):
        await bench.gateway.conditions()
    bench.control.on_GetConditionLoad = saved._load  # type: ignore[attr-defined]
    assert len(await bench.gateway.conditions()) == 2


@on_a_bench
async def test_a_cell_that_is_no_code_is_found_by_nobody(bench: Bench) -> None:
    Saved(bench, "900010;뷁;9000 0;A900020^1000;")
    found = await bench.gateway.search("급등주", live=False)
    assert found.symbols == ("900010", "900020")
    assert bench.gateway.statistics()["conditions rejected"] == 2


@on_a_bench
async def test_a_search_that_is_cut_is_told_in_one_line(bench: Bench) -> None:
    Saved(bench, following=2)
    with capture_logs() as lines:
        found = [await bench.gateway.search("급등주", live=False) for _ in range(2)]
    assert [one.symbols for one in found] == [("900010", "900020")] * 2
    assert [line["event"] for line in lines] == ["a condition search is cut: narrow it, the rest is not told"]


@on_a_bench
async def test_who_asks_for_a_search_that_is_being_asked_does_not_end_it(bench: Bench) -> None:
    saved = Saved(bench)
    followed = await bench.gateway.search("급등주", live=True)
    first = asyncio.ensure_future(bench.gateway.search("급등주", live=True))
    await bench.settle(1)
    with pytest.raises(QueryRefused, match="is being asked already"):
        await bench.gateway.search("급등주", live=True)
    assert await first == followed
    assert saved.taken
    assert bench.control.called("SendConditionStop") == []


@on_a_bench
async def test_who_waits_for_the_list_gets_it_although_who_asked_for_it_gave_up(bench: Bench) -> None:
    Saved(bench)
    first = asyncio.ensure_future(bench.gateway.conditions())
    second = asyncio.ensure_future(bench.gateway.conditions())
    await asyncio.sleep(0)
    first.cancel()
    assert len(await second) == 2
