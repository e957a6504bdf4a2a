import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.login import LoginFailed, LoginRefused
from actors.gateways.kiwoom.ocx import OcxGateway
from actors.gateways.kiwoom.real_time.feed import FLOOD
from actors.gateways.kiwoom.twin.values import blank_padded
from actors.gateways.port import FeedMessage, Instruction, Outcome, SendResult, Urgency
from messages import (
    Action,
    FeedEnded,
    FeedLost,
    Kind,
    LinkLost,
    OrderAccepted,
    OrderBook,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
    ReconciliationWanted,
    Session,
    SessionChanged,
    Shares,
    Side,
    Symbol,
    Tick,
    Validity,
    ViTriggered,
    Won,
)
from runtime.clock import WallClock
from runtime.settings.config import ConfigError
from runtime.testing import START, in_virtual_time
from tests.gateways.kiwoom_bench import Bench, on_a_bench
from tests.gateways.test_kiwoom_restart import known

TRADE = "\t".join(
    {
        20: "090001",
        10: "-77100",
        27: "-77100",
        28: "-76900",
        15: "+3",
        13: "10",
        14: "1",
        16: "1",
        17: "1",
        18: "1",
    }.get(fid, "0")
    for fid in codes.REAL_TYPES[codes.TRADE].fids
)
BOOK = "\t".join("090001" if fid == 21 else str(fid) for fid in codes.REAL_TYPES[codes.BOOK].fids)
VI = "A005930\t삼성\t1\t1\t1\t001\t1\t4125\t090001\t090201\t정적\t3750\t\t1\t1\t1\t1\t1\t+정적"


def order(action: Action = Action.NEW, kind: Kind = Kind.LIMIT, validity: Validity = Validity.DAY) -> Instruction:
    return Instruction(
        order=7,
        action=action,
        strategy="momentum",
        symbol=Symbol("005930"),
        side=Side.BUY,
        kind=kind,
        validity=validity,
        quantity=Shares(10),
        price=Won(77_000),
        broker_order="" if action is Action.NEW else "0000001",
    )


@on_a_bench
async def test_entering_logs_in_and_registers_sessions_and_interruptions(bench: Bench) -> None:
    names = [name for name, _ in bench.control.calls]
    assert names.index("CommConnect") < names.index("GetLoginInfo") < names.index("SetRealReg")
    assert bench.control.called("SetRealReg") == [["5100", "", "215;20;214", "0"]]
    inputs = [arguments[0] for arguments in bench.control.called("SetInputValue")]
    assert inputs == list(codes.TRS["opt10054"].inputs)
    assert bench.control.called("CommRqData")[0][1] == "opt10054"
    assert bench.control.called("DisconnectRealData") == []


@pytest.mark.parametrize(
    ("keys", "changes", "error", "text"),
    [
        ({}, {"login": -101}, LoginFailed, "-101 서버 접속 실패"),
        ({}, {"on_CommConnect": lambda: -102}, LoginFailed, "-102 버전처리 실패"),
        ({}, {"server": "0"}, LoginRefused, 'the login is on the real server, the config says server = "mock"'),
        ({"account": "8000000099"}, {}, LoginRefused, "account names 0 of the 2 accounts"),
        (
            {"server": "real", "live_confirmation": "1234"},
            {"server": "0"},
            LoginRefused,
            "live trading is not confirmed",
        ),
        ({}, {"accounts": ""}, LoginRefused, "this login has no account"),
    ],
)
def test_a_login_that_is_not_what_was_asked_for_is_refused_in_one_line(
    keys: dict[str, Any], changes: dict[str, Any], error: type[OSError], text: str, tmp_path: Path
) -> None:
    @in_virtual_time
    async def attempt() -> None:
        bench = Bench(tmp_path, **keys)
        vars(bench.control).update(changes)
        with pytest.raises(error) as refused:
            await bench.gateway.__aenter__()
        assert text in str(refused.value)
        assert "\n" not in str(refused.value)
        assert "80000000" not in str(refused.value)
        assert bench.control.closed

    attempt()


def test_live_without_confirmation_is_refused_before_anything_connects(tmp_path: Path) -> None:
    gateway = OcxGateway(WallClock(), tmp_path, Random(1), control="activex", server="real")

    with pytest.raises(ConfigError, match="live_confirmation is missing"):
        asyncio.run(gateway.__aenter__())


@on_a_bench
async def test_registration_goes_in_portions_of_a_hundred_and_only_differences_follow(bench: Bench) -> None:
    symbols = [Symbol(f"{number:06d}") for number in range(1, 251)]
    bench.control.calls.clear()
    bench.gateway.watch(symbols, symbols[:3])
    await bench.settle(2)
    calls = [(len(listed.split(";")), option) for _, listed, _, option in bench.control.called("SetRealReg")]
    assert calls == [(100, "0"), (100, "0"), (50, "0"), (3, "0")]
    bench.gateway.watch(symbols, symbols[:3])
    await bench.settle(2)
    assert len(bench.control.called("SetRealReg")) == 4
    bench.gateway.watch([*symbols[1:], Symbol("000999")], symbols[:2][1:])
    await bench.settle(2)
    assert bench.control.called("SetRealRemove") == [["4000", "000001"], ["4003", "000001"], ["4003", "000003"]]
    assert bench.control.called("SetRealReg")[4][1::2] == ["000999", "1"]


@on_a_bench
async def test_whoever_comes_in_the_middle_of_a_session_is_told_of_it(bench: Bench) -> None:
    (said,) = await bench.batch(bench.gateway.stream())
    assert isinstance(said, SessionChanged)
    assert (said.session, said.code, said.remaining) == (Session.CONTINUOUS, "3", 0)


@on_a_bench
async def test_records_become_messages_in_the_order_received(bench: Bench) -> None:
    stream = bench.gateway.stream()
    bench.real(codes.TRADE, TRADE)
    bench.real(codes.BOOK, BOOK)
    bench.real(codes.TRADE, "rubbish")
    bench.real("주식거래원", "1\t2")
    bench.real(codes.VI, VI)
    bench.real(codes.VI, VI, "005930_AL")
    bench.real(codes.SESSION, "3\t090000\t000000", "09")
    batch = await bench.batch(stream)
    assert [type(message) for message in batch] == [SessionChanged, Tick, OrderBook, ViTriggered, SessionChanged]
    counts = bench.gateway.statistics()
    assert (counts["real received"], counts["real rejected"], counts["real silent"], counts["real unused"]) == (
        6,
        1,
        1,
        1,
    )


@on_a_bench
async def test_a_flood_thins_books_in_place_and_never_trades(bench: Bench) -> None:
    stream = bench.gateway.stream()
    for number in range(FLOOD):
        bench.real(codes.TRADE, TRADE.replace("\t10\t", f"\t{number}\t", 1))
        bench.real(codes.BOOK, BOOK.replace("090001", f"09{number % 3600 // 60:02d}{number % 60:02d}"))
    seen: list[FeedMessage] = []
    while not seen or bench.gateway.statistics()["real waiting"]:
        seen.extend(await bench.batch(stream))
    counts = bench.gateway.statistics()
    assert sum(isinstance(message, Tick) for message in seen) == FLOOD
    assert counts["real conflated"] > 0
    assert counts["real received"] == counts["real passed"] + counts["real conflated"] == 2 * FLOOD
    last = [message for message in seen if isinstance(message, OrderBook)][-1]
    assert last.time == START + (FLOOD - 1) * 1_000_000_000


@on_a_bench
async def test_a_raw_string_that_differs_from_the_fields_is_read_field_by_field_padded_or_not(bench: Bench) -> None:
    stream = bench.gateway.stream()
    padded = map(blank_padded, TRADE.split("\t"))
    bench.control.real = dict(zip(codes.REAL_TYPES[codes.TRADE].fids, padded, strict=True))
    bench.real(codes.TRADE, TRADE.replace("-77100", "-55\t-77100", 1))
    tick = (await bench.batch(stream))[-1]
    assert isinstance(tick, Tick)
    assert tick.price == 77_100
    assert bench.gateway.statistics()["real fallbacks"] == 1


@on_a_bench
async def test_the_feed_ends_after_the_last_session(bench: Bench) -> None:
    bench.real(codes.TRADE, TRADE)
    bench.real(codes.SESSION, "9\t999999\t000000", "09")
    batches = [batch async for batch in bench.gateway.stream()]
    ended = batches[-1][-1]
    assert isinstance(ended, FeedEnded)
    assert ended.records == 2


@pytest.mark.parametrize("last", ["V", "W"])
def test_nextrades_day_ends_in_the_evening_whichever_letter_says_so(tmp_path: Path, last: str) -> None:
    async def scene() -> None:
        bench = Bench(tmp_path, last_session=last)
        async with bench.gateway:
            for told in ("V\t155000\t000000", "9\t999999\t000000", "W\t200000\t000000"):
                bench.real(codes.SESSION, told, "09")
            seen = [message async for batch in bench.gateway.stream() for message in batch]
        assert [type(message) for message in seen[-4:]] == [*3 * [SessionChanged], FeedEnded]

    in_virtual_time(scene)()


@on_a_bench
async def test_a_cut_is_said_once_to_feed_and_broker_and_nothing_is_sent_after_it(bench: Bench) -> None:
    await bench.gateway.open(bench.reports.append, ())
    bench.control.connected = 0
    await bench.settle(20)
    bench.control.OnEventConnect.emit(-106)
    await bench.settle()
    assert [type(message) for message in bench.reports] == [LinkLost]
    assert [type(message) for message in await bench.batch(bench.gateway.stream())] == [SessionChanged, FeedLost]
    assert bench.gateway.send(order()).outcome is Outcome.NEVER


@on_a_bench
async def test_an_order_goes_out_with_its_nine_values_and_its_records_come_back(bench: Bench) -> None:
    await bench.gateway.open(bench.reports.append, ())
    await bench.gateway.turn(Urgency.ENTRY)
    result = bench.gateway.send(order())
    assert result == SendResult(outcome=Outcome.SENT, screen="2000")
    (sent,) = bench.control.called("SendOrder")
    assert sent == [sent[0], "2000", "8000000011", 1, "005930", 10, 77_000, "00", ""]
    bench.control.OnReceiveTrData.emit("2000", sent[0], "KOA_NORMAL_BUY_KP_ORD", "", "", 0, "", "", "")
    bench.chejan("2000", "접수", left=10)
    bench.chejan("2000", "체결", left=0, fill=10)
    bench.chejan("2000", "체결", left=0, fill=10)
    await bench.settle()
    assert [type(message) for message in bench.reports] == [OrderAccepted, OrderFilled]
    assert isinstance(bench.reports[1], OrderFilled)
    assert (bench.reports[1].amount, bench.reports[1].time) == (770_000, START + 2_000_000_000)
    assert bench.gateway.statistics()["order repeated"] == 1


@on_a_bench
async def test_an_order_record_that_cannot_be_read_has_the_account_asked_for(bench: Bench) -> None:
    await bench.gateway.open(bench.reports.append, ())
    bench.gateway.send(order())
    bench.chejan("2000", "?", left=10)
    await bench.settle()
    assert [type(message) for message in bench.reports] == [ReconciliationWanted]


@on_a_bench
async def test_a_cancel_carries_no_price_and_a_market_order_neither(bench: Bench) -> None:
    bench.gateway.send(order(Action.CANCEL))
    bench.gateway.send(order(kind=Kind.MARKET))
    cancel, market = bench.control.called("SendOrder")
    assert cancel[3:] == [3, "005930", 10, 0, "00", "0000001"]
    assert market[3:] == [1, "005930", 10, 0, "03", ""]


@on_a_bench
async def test_no_answer_makes_an_order_unknown_and_a_blank_number_a_refusal(bench: Bench) -> None:
    await bench.gateway.open(bench.reports.append, ())
    bench.gateway.send(order())
    await bench.settle(11)
    assert [type(message) for message in bench.reports] == [OrderUnknown]
    bench.gateway.send(order())
    name = bench.control.called("SendOrder")[1][0]
    bench.control.order_number = " "
    bench.control.OnReceiveTrData.emit("2001", name, "KOA", "", "", 0, "", "", "")
    bench.control.OnReceiveMsg.emit("2001", name, "KOA", "[00Z237] 장종료")
    await bench.settle()
    refused = bench.reports[-1]
    assert isinstance(refused, OrderRejected)
    assert refused.reason == "[00Z237] 장종료"


@pytest.mark.parametrize("number", [" ", "0000000"])
def test_a_refusal_without_a_text_is_said_within_two_seconds(number: str, tmp_path: Path) -> None:
    @in_virtual_time
    async def attempt() -> None:
        bench = Bench(tmp_path)
        async with bench.gateway:
            await bench.gateway.open(bench.reports.append, ())
            bench.gateway.send(order())
            bench.control.order_number = number
            name = bench.control.called("SendOrder")[0][0]
            bench.control.OnReceiveTrData.emit("2000", name, "KOA", "", "", 0, "", "", "")
            await bench.settle(2)
            assert [type(message) for message in bench.reports] == [OrderRejected]

    attempt()


@pytest.mark.parametrize(
    ("code", "outcome"), [(-308, "later"), (-300, "never"), (-301, "halt"), (None, "unknown"), (-999, "unknown")]
)
def test_what_the_interface_answers_is_what_the_result_says(code: int | None, outcome: str, tmp_path: Path) -> None:
    @in_virtual_time
    async def attempt() -> None:
        bench = Bench(tmp_path)
        async with bench.gateway:
            bench.control.order_code = code
            result = bench.gateway.send(order())
            assert (result.outcome, result.code) == (Outcome(outcome), code or 0)
            assert result.reason

    attempt()


@on_a_bench
async def test_the_screen_of_an_order_whose_number_never_came_bears_no_other(bench: Bench) -> None:
    await bench.gateway.open(bench.reports.append, [known("", order=3, screen="2000"), known("", order=4)])
    bench.gateway.send(order())
    assert [arguments[1] for arguments in bench.control.called("SendOrder")] == ["2001"]


@on_a_bench
async def test_what_kiwoom_cannot_do_or_would_ask_a_person_about_is_never_sent(bench: Bench) -> None:
    bench.control.functions["IsOrderWarningStock", "005930"] = "5"
    assert "투자경고" in bench.gateway.send(order()).reason
    assert bench.gateway.send(order(kind=Kind.CONDITIONAL, validity=Validity.FOK)).outcome is Outcome.NEVER
    assert bench.control.called("SendOrder") == []


@on_a_bench
async def test_a_refused_registration_is_tried_again_ever_more_rarely(bench: Bench) -> None:
    def refuse(*_: str) -> int:
        return -200

    vars(bench.control)["on_SetRealReg"] = refuse
    bench.gateway.watch([Symbol("005930")], [])
    await bench.settle(60)
    assert bench.gateway.statistics()["registrations refused"] == 6
    del vars(bench.control)["on_SetRealReg"]
    await bench.settle(60)
    assert bench.control.called("SetRealReg")[-1][1] == "005930"
    assert bench.gateway.statistics()["registrations refused"] == 6


def test_interruptions_that_cannot_be_had_do_not_stop_the_gateway(tmp_path: Path) -> None:
    @in_virtual_time
    async def attempt() -> None:
        bench = Bench(tmp_path)
        bench.control.query_codes = [-202]
        async with bench.gateway:
            assert bench.gateway.statistics()["queries"] == 1

    attempt()
