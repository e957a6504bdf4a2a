from typing import Any

import pytest

from actors.gateways.kiwoom import codes
from runtime.testing import in_virtual_time
from tests.gateways.twin_consumer import Consumer, logged_in, trading


def volumes(consumer: Consumer) -> list[int]:
    return [int(fields[7]) for fields in consumer.reals(codes.TRADE)]


async def prints_under(*faults: dict[str, Any]) -> tuple[list[int], list[int]]:
    """The accumulated volumes of an issue's prints as they are, and as the faults let them through."""
    seen: list[list[int]] = []
    for chosen in ((), faults):
        consumer = await trading(faults=chosen)
        consumer.call("SetRealReg", "4000", "900010", "20;10;15", "0")
        await consumer.rest(20)
        seen.append(volumes(consumer))
        consumer.twin.close()
    return seen[0], seen[1]


@in_virtual_time
async def test_a_dropped_print_is_missing() -> None:
    whole, got = await prints_under({"kind": "drop", "record": "주식체결", "nth": 3})
    assert got == [*whole[:2], *whole[3:]]


@in_virtual_time
async def test_a_repeated_print_comes_twice() -> None:
    whole, got = await prints_under({"kind": "repeat", "record": "주식체결", "nth": 3})
    assert got == [*whole[:3], whole[2], *whole[3:]]


@in_virtual_time
async def test_a_reordered_print_comes_after_its_successor() -> None:
    whole, got = await prints_under({"kind": "reorder", "record": "주식체결", "nth": 3})
    assert got == [*whole[:2], whole[3], whole[2], *whole[4:]]


@in_virtual_time
async def test_a_delayed_print_comes_later() -> None:
    whole, got = await prints_under({"kind": "delay", "record": "주식체결", "nth": 3, "seconds": 2.0})
    assert sorted(got) == whole
    assert got.index(whole[2]) > 2


@in_virtual_time
async def test_after_a_stall_everything_comes_at_once_and_in_order() -> None:
    whole, got = await prints_under({"kind": "stall", "record": "주식체결", "nth": 3, "seconds": 5.0})
    assert got == whole


@in_virtual_time
async def test_a_cut_line_takes_everything_with_it_until_the_next_login() -> None:
    consumer = await logged_in(faults=[{"kind": "disconnect", "record": "clock", "at": "09:00:05", "seconds": 10.0}])
    consumer.call("SetRealReg", "4000", "900010", "20;10;15", "0")
    await consumer.rest(20)
    assert consumer.named("OnEventConnect") == [(0,), (-106,)]
    assert consumer.call("GetConnectState") == 0
    assert consumer.order() == -106
    count = len(consumer.events)
    consumer.call("CommConnect")
    await consumer.rest(1)
    assert [args for _, args in consumer.events[count:]] == [(-101,)]
    await consumer.rest(10)
    consumer.call("CommConnect")
    await consumer.rest(5)
    assert consumer.call("GetConnectState") == 1
    assert [args for _, args in consumer.events[count:]] == [(-101,), (0,)]


@pytest.mark.parametrize("record", ["SendOrder", "CommRqData", "SetRealReg"])
@in_virtual_time
async def test_a_call_is_refused_with_the_scripts_code(record: str) -> None:
    consumer = await trading(faults=[{"kind": "refuse", "record": record, "code": -307}])
    calls = {
        "SendOrder": consumer.order,
        "CommRqData": lambda: consumer.ask("opt10001", {"종목코드": "900010"}),
        "SetRealReg": lambda: consumer.call("SetRealReg", "4000", "900010", "10", "0"),
    }
    assert calls[record]() == -307
    assert calls[record]() == 0


@in_virtual_time
async def test_an_answer_may_be_lost_while_the_order_lives() -> None:
    consumer = await trading(
        answers="official", faults=[{"kind": "drop", "record": "answer"}, {"kind": "drop", "record": "message"}]
    )
    consumer.order()
    await consumer.rest(1)
    assert consumer.numbers == []
    assert [status for _, status, _ in consumer.statuses()] == ["접수", "체결", ""]


@in_virtual_time
async def test_a_dropped_chejan_record_leaves_the_sums_of_the_next() -> None:
    consumer = await trading(faults=[{"kind": "drop", "record": "chejan", "nth": 2}])
    consumer.order()
    await consumer.rest(1)
    assert consumer.statuses() == [("+매수", "접수", "1"), ("잔고", "", "1")]


@in_virtual_time
async def test_a_call_may_answer_an_error_though_it_was_carried_out() -> None:
    consumer = await trading(faults=[{"kind": "lose", "record": "SendOrder", "code": -307}])
    assert consumer.order() == -307
    await consumer.rest(1)
    assert consumer.statuses()[0][1] == "접수"
    assert consumer.order() == 0


@in_virtual_time
async def test_a_healed_line_delivers_what_it_held_back_and_nothing_goes_wrong_any_more() -> None:
    consumer = await trading(faults=[{"kind": "reorder", "record": "chejan", "times": 0}])
    consumer.order()
    await consumer.rest(1)
    assert consumer.statuses() == []
    consumer.twin.server.outbox.heal()
    assert [status for _, status, _ in consumer.statuses()] == ["접수", "체결", ""]
    count = len(consumer.statuses())
    consumer.order()
    await consumer.rest(1)
    assert len(consumer.statuses()) > count
