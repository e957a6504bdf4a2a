import asyncio
import random
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.twin.twin import open_control
from runtime.clock import SteppedClock
from runtime.testing import in_virtual_time
from tests.gateways.twin_consumer import Consumer, logged_in, opened, settings_of, trading


@in_virtual_time
async def test_login_is_an_event_on_a_later_turn() -> None:
    consumer = opened()
    assert consumer.call("GetMasterCodeName", "900010") == ""
    assert consumer.call("CommConnect") == 0
    assert consumer.call("GetConnectState") == 0
    assert consumer.events == []
    await consumer.rest(0.5)
    assert consumer.named("OnEventConnect") == [(0,)]
    assert consumer.call("GetConnectState") == 1
    assert consumer.call("GetLoginInfo", "ACCNO") == "8000000011;"


@in_virtual_time
async def test_before_login_nothing_can_be_asked_or_ordered() -> None:
    consumer = opened()
    assert consumer.ask("opt10001", {"종목코드": "900010"}) == -106
    assert consumer.order() == -106
    assert consumer.call("SetRealReg", "4000", "900010", "10", "0") == -106


@pytest.mark.parametrize(
    ("signature", "arguments"),
    [
        ("NoSuchMethod()", []),
        ("GetLoginInfo(QString)", []),
        ("GetLoginInfo(QString)", ["ACCNO", "more"]),
        ("GetLoginInfo()", ["ACCNO"]),
        ("SendOrder(QString, QString, QString, int, QString, int, int, QString, QString)", ["one by one"] * 9),
    ],
)
@in_virtual_time
async def test_a_call_that_does_not_fit_gives_none(signature: str, arguments: list[Any]) -> None:
    consumer = await logged_in()
    assert consumer.twin.dynamicCall(signature, *arguments) is None


@in_virtual_time
async def test_arguments_come_one_by_one_or_as_a_list() -> None:
    twin = (await logged_in()).twin
    assert twin.dynamicCall("GetMasterCodeName(QString)", "900010") == "가상전자"
    assert twin.dynamicCall("GetMasterCodeName(QString)", ["900010"]) == "가상전자"
    assert twin.dynamicCall("CommConnect()") == twin.dynamicCall("CommConnect()", []) == 0


@in_virtual_time
async def test_master_data_come_at_once_and_padded_as_kiwoom_does() -> None:
    consumer = await logged_in(issues=3)
    assert consumer.call("GetCodeListByMarket", "0") == "900010;"
    assert consumer.call("GetCodeListByMarket", "") == "900010;900020;900030;"
    assert consumer.call("GetMasterLastPrice", "900010") == "00071500"
    assert consumer.call("GetMasterStockState", "900010").startswith("증거금")
    assert consumer.call("GetMasterConstruction", "900010") == "정상"
    assert consumer.call("KOA_Functions", "GetServerGubun", "") == "1"
    assert consumer.call("GetMasterCodeName", "000000") == ""


@in_virtual_time
async def test_data_calls_answer_only_inside_their_event() -> None:
    consumer = await logged_in()
    consumer.call("SetRealReg", "4000", "900010", "20;10;15;21", "0")
    inside: list[tuple[str, str]] = []

    def read(name: str, args: tuple[Any, ...]) -> None:
        if name == "OnReceiveRealData" and args[1] == codes.TRADE:
            assert consumer.call("GetCommRealData", "900020", 10) == ""
            inside.append((consumer.call("GetCommRealData", args[0], 10), args[2].split("\t")[1]))

    consumer.inside = read
    await consumer.rest(15)
    assert inside
    assert all(field != place and field.strip() == place for field, place in inside)
    assert consumer.call("GetCommRealData", "900010", 10) == ""
    assert consumer.call("GetChejanData", 9203) == ""


@in_virtual_time
async def test_only_what_is_registered_comes() -> None:
    consumer = await logged_in(issues=2)
    consumer.call("SetRealReg", "4000", "900010", "20;10;15;228", "0")
    consumer.call("SetRealReg", "4001", "900020", "21;41", "0")
    await consumer.rest(15)
    kinds = {(args[0], args[1]) for args in consumer.named("OnReceiveRealData")}
    assert kinds == {("900010", codes.TRADE), ("900010", codes.EXPECTED), ("900020", codes.BOOK)}


@in_virtual_time
async def test_a_screen_used_again_drops_its_registrations() -> None:
    consumer = await trading()
    consumer.call("SetRealReg", "4000", "900010", "20;10;15", "0")
    consumer.ask("opw00001", {"계좌번호": "8000000011"}, screen="4000")
    await consumer.rest(10)
    assert consumer.reals(codes.TRADE) == []


@in_virtual_time
async def test_a_code_on_two_screens_comes_once_until_both_let_go() -> None:
    consumer = await trading()
    consumer.call("SetRealReg", "4000", "900010", "20;10;15", "0")
    consumer.call("SetRealReg", "4001", "900010", "20;10;15", "0")
    await consumer.rest(10)
    volumes = [fields[7] for fields in consumer.reals(codes.TRADE)]
    assert len(volumes) == len(set(volumes)) > 0
    consumer.call("SetRealRemove", "4000", "900010")
    await consumer.rest(10)
    count = len(consumer.reals(codes.TRADE))
    assert count > len(volumes)
    consumer.call("DisconnectRealData", "4001")
    await consumer.rest(10)
    assert len(consumer.reals(codes.TRADE)) == count


@in_virtual_time
async def test_screens_codes_and_fids_have_their_limits() -> None:
    consumer = await logged_in()
    many = ";".join(f"{number:06d}" for number in range(101))
    assert consumer.call("SetRealReg", "4000", many, "10", "0") == -204
    assert consumer.call("SetRealReg", "4000", many[:699], "10", "0") == 0
    assert consumer.call("SetRealReg", "4000", "900010", "10", "1") == -204
    assert consumer.call("SetRealReg", "4001", "900010", ";".join(["10"] * 101), "0") == -206
    assert consumer.call("SetRealReg", "0000", "900010", "10", "0") == -105
    for number in range(199):
        assert consumer.call("SetRealReg", f"{5000 + number}", "900010", "10", "0") == 0
    assert consumer.call("SetRealReg", "6000", "900010", "10", "0") == -105
    consumer.call("DisconnectRealData", "5000")
    assert consumer.call("SetRealReg", "6000", "900010", "10", "0") == 0


@in_virtual_time
async def test_the_market_announces_itself_and_the_day_ends() -> None:
    consumer = await logged_in(begin="08:49:50", finish="09:00:30")
    ended: list[int] = []
    consumer.twin.on_day_end = lambda: ended.append(len(consumer.events))
    consumer.call("SetRealReg", "5100", " ", "215;20;214", "0")
    await consumer.rest(700)
    fields = consumer.reals(codes.SESSION)
    assert [code for code, _, _ in fields] == ["Q", "0", "0", "0", "0", "0", "3", "R", "4", "8", "9"]
    assert fields[1] == ["0", "085000", "001000"]
    assert fields[6] == ["3", "090000", "000000"]
    assert [fields[-2][1], fields[-1][1]] == ["888888", "999999"]
    assert ended == [len(consumer.events)]


@in_virtual_time
async def test_the_same_seed_gives_the_same_day() -> None:
    days: list[list[tuple[str, tuple[Any, ...]]]] = []
    for _ in range(2):
        consumer = await logged_in(issues=2)
        consumer.call("SetRealReg", "4000", "900010;900020", "20;10;15;21;27", "0")
        await consumer.rest(12)
        consumer.order()
        await consumer.rest(3)
        days.append(consumer.events)
        consumer.twin.close()
    assert days[0] == days[1]
    assert len(days[0]) > 100


def run_stepped(speed: float, backlog: Callable[[], int], seconds: float) -> tuple[Consumer, SteppedClock, float]:
    async def run() -> tuple[Consumer, SteppedClock, float]:
        loop = asyncio.get_running_loop()
        clock = SteppedClock(0)
        twin = open_control(settings_of(speed=speed, backlog=10), clock, random.Random(1))
        twin.backlog = backlog
        clock.advance(twin.start)
        consumer = Consumer(twin, clock)
        reached = asyncio.Event()
        clock.call_later(seconds, reached.set)
        began = loop.time()
        consumer.call("CommConnect")
        await asyncio.wait([asyncio.ensure_future(reached.wait())], timeout=0.3)
        twin.close()
        return consumer, clock, loop.time() - began

    return asyncio.run(run())


def test_a_stepped_day_moves_the_clock_itself() -> None:
    consumer, clock, _ = run_stepped(0.0, lambda: 0, 2.0)
    assert clock.now() - consumer.twin.start >= 2 * 10**9
    assert consumer.named("OnEventConnect") == [(0,)]


def test_a_stepped_day_keeps_below_its_speed() -> None:
    _, _, took = run_stepped(50.0, lambda: 0, 5.0)
    assert took >= 0.05


def test_a_stepped_day_waits_for_a_consumer_that_is_behind() -> None:
    consumer, clock, _ = run_stepped(0.0, count(10**9, -1).__next__, 1.0)
    assert clock.now() == consumer.twin.start


def test_a_stepped_day_goes_on_when_its_consumer_waits_for_time_itself() -> None:
    consumer, clock, _ = run_stepped(0.0, lambda: 11, 1.0)
    assert clock.now() - consumer.twin.start >= 10**9
