from datetime import date
from typing import Any

import pytest

from actors.exchange.port import ExchangePort
from actors.exchange.records import AccountState
from actors.market import krx
from messages import Kind, Market, Side, Validity
from runtime.testing import in_virtual_time
from tests.gateways.twin_consumer import Consumer, trading

BUY = "+매수"
FAR = 20


def below(consumer: Consumer, ticks: int) -> int:
    exchange = consumer.twin.server.exchange
    issue = exchange.issues()[0]
    return krx.move(exchange.statistics(issue.symbol).bid, -ticks, issue.market, date(2026, 11, 18))


def state_of(exchange: ExchangePort) -> AccountState:
    state = exchange.account_state(exchange.account)
    assert isinstance(state, AccountState)
    return state


def order_signals(consumer: Consumer) -> list[str]:
    short = {"OnReceiveTrData": "TrData", "OnReceiveMsg": "Msg", "OnReceiveChejanData": "Chejan"}
    return [short[name] for name, _ in consumer.events if name in short]


@pytest.mark.parametrize(
    ("answers", "order"),
    [
        ("official", ["TrData", "Msg", "Chejan", "Chejan", "Chejan"]),
        ("recorded", ["Msg", "TrData", "Chejan", "Chejan", "Chejan"]),
        ("late", ["Chejan", "Chejan", "Chejan", "TrData", "Msg"]),
    ],
)
@in_virtual_time
async def test_a_fill_comes_in_each_order_kiwoom_is_known_for(answers: str, order: list[str]) -> None:
    consumer = await trading(answers=answers)
    assert consumer.order() == 0
    assert order_signals(consumer) == []
    await consumer.rest(1)
    assert order_signals(consumer) == order
    assert consumer.statuses() == [(BUY, "접수", "1"), (BUY, "체결", "0"), ("잔고", "", "1")]
    assert consumer.numbers == ["0000001"]


@in_virtual_time
async def test_a_large_order_fills_in_parts_with_cumulative_sums() -> None:
    consumer = await trading(cash=1_000_000_000)
    consumer.order(quantity=3_000)
    await consumer.rest(1)
    fills = [fields for gubun, fields in consumer.records if gubun == "0" and fields[913] == "체결"]
    assert len(fills) > 1
    filled = amount = 0
    for fields in fills:
        filled += int(fields[915])
        amount += int(fields[914]) * int(fields[915])
        assert int(fields[903]) == amount
        assert int(fields[911]) == filled == int(fields[900]) - int(fields[902])
        assert int(fields[938]) == krx.commission(amount, 0.00015)
    balances = [fields for gubun, fields in consumer.records if gubun == "1"]
    held = state_of(consumer.twin.server.exchange).holdings[0]
    assert (int(balances[-1][930]), int(balances[-1][932])) == (held.quantity, held.cost)
    assert [int(fields[930]) for fields in balances] == [int(fields[911]) for fields in fills]


@in_virtual_time
async def test_selling_pays_tax_and_leaves_what_is_bound() -> None:
    consumer = await trading()
    consumer.order(quantity=10)
    await consumer.rest(1)
    consumer.order(kind=2, quantity=4, hoga="00", price=90_000, screen="2001")
    consumer.order(kind=2, quantity=3, screen="2002")
    await consumer.rest(1)
    kind, fields = consumer.records[-2]
    assert kind == "0"
    assert (fields[905], fields[907], fields[913]) == ("-매도", "1", "체결")
    assert int(fields[939]) == krx.tax(int(fields[903]), Market.KOSPI, date(2026, 11, 20))
    balance = consumer.records[-1][1]
    assert (balance[930], balance[933], balance[946]) == ("7", "3", "1")


CANCELED = [(BUY, "접수", "5"), ("매수취소", "접수", "5")]


@pytest.mark.parametrize(
    ("clearing", "end"),
    [
        ("after", [("매수취소", "확인", "0"), (BUY, "접수", "0")]),
        ("before", [(BUY, "접수", "0"), ("매수취소", "확인", "0")]),
        ("none", [("매수취소", "확인", "0")]),
    ],
)
@in_virtual_time
async def test_a_cancellation_clears_its_original(clearing: str, end: list[tuple[str, str, str]]) -> None:
    consumer = await trading(clearing=clearing)
    consumer.order(quantity=5, price=below(consumer, FAR), hoga="00")
    await consumer.rest(1)
    consumer.order(kind=3, quantity=5, hoga="00", original="0000001", screen="2001")
    await consumer.rest(1)
    assert consumer.statuses() == [*CANCELED, *end]
    assert consumer.records[1][1][904] == "0000001"
    assert [args[3] for args in consumer.named("OnReceiveMsg")] == [
        "[100000] 모의투자 매수주문완료",
        "[100000] 모의투자 매수취소주문완료",
    ]


@in_virtual_time
async def test_the_clearing_record_after_a_part_was_filled_is_no_fill() -> None:
    consumer = await trading(clearing="after", cash=10_000_000_000)
    statistics = consumer.twin.server.exchange.statistics(consumer.twin.server.exchange.issues()[0].symbol)
    consumer.order(quantity=20_000, price=statistics.ask, hoga="00")
    await consumer.rest(0.3)
    consumer.order(kind=3, quantity=0, hoga="00", original="0000001", screen="2001")
    await consumer.rest(1)
    last = consumer.records[-1][1]
    assert (last[9203], last[905], last[913], last[902]) == ("0000001", BUY, "체결", "0")
    assert (last[914], last[915], last[819]) == ("", "", "1")
    assert int(last[911]) > 0


@in_virtual_time
async def test_a_modification_moves_the_fills_to_a_new_number() -> None:
    consumer = await trading(clearing="after")
    consumer.order(quantity=5, price=below(consumer, FAR), hoga="00")
    await consumer.rest(1)
    consumer.order(kind=5, quantity=5, price=80_000, hoga="00", original="0000001", screen="2001")
    await consumer.rest(1)
    assert consumer.statuses()[:4] == [
        (BUY, "접수", "5"),
        ("+매수정정", "접수", "5"),
        ("+매수정정", "확인", "5"),
        (BUY, "접수", "0"),
    ]
    fills = [fields for gubun, fields in consumer.records if gubun == "0" and fields[913] == "체결"]
    assert {fields[9203] for fields in fills} == {"0000002"}
    assert fills[-1][902] == "0"


@in_virtual_time
async def test_a_cancellation_that_comes_too_late_is_refused_without_a_record() -> None:
    consumer = await trading()
    consumer.order()
    await consumer.rest(1)
    records = len(consumer.records)
    assert consumer.order(kind=3, original="0000001", screen="2001") == 0
    await consumer.rest(1)
    assert consumer.numbers[1:] == [""]
    assert len(consumer.records) == records


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"quantity": 10_000_000}, "00Z210"),
        ({"kind": 2}, "00Z211"),
        ({"hoga": "03", "price": 70_000}, "00Z237"),
        ({"hoga": "06"}, "00Z236"),
        ({"kind": 21}, "00Z235"),
    ],
)
@in_virtual_time
async def test_a_refused_order_has_a_blank_number_and_no_record(terms: dict[str, Any], code: str) -> None:
    consumer = await trading()
    assert consumer.order(**terms) == 0
    await consumer.rest(1)
    assert consumer.numbers == [""]
    assert consumer.named("OnReceiveMsg")[0][3].startswith(f"[{code}] 모의투자")
    assert consumer.records == []


@in_virtual_time
async def test_an_answer_may_be_blank_though_the_order_was_taken() -> None:
    consumer = await trading(faults=[{"kind": "blank", "record": "answer"}])
    assert consumer.order() == 0
    await consumer.rest(1)
    assert consumer.numbers == [""]
    assert consumer.statuses()[0] == (BUY, "접수", "1")


@in_virtual_time
async def test_the_real_server_takes_what_the_mock_server_refuses() -> None:
    consumer = await trading(server="real")
    consumer.order(hoga="13")
    await consumer.rest(1)
    assert consumer.records[1][1][906] == "시장가(IOC)"
    assert consumer.named("OnReceiveMsg")[0][3] == "[100000] 매수주문완료"


@in_virtual_time
async def test_an_order_after_the_day_is_refused_by_the_server() -> None:
    consumer = await trading(finish="09:00:05")
    consumer.order()
    await consumer.rest(1)
    assert consumer.numbers == [""]
    assert consumer.named("OnReceiveMsg")[0][3] == "[00Z218] 모의투자 장종료"
    assert consumer.records == []


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"account": "1111111111"}, -302),
        ({"kind": 9}, -300),
        ({"code": "000000"}, -300),
        ({"screen": "0000"}, -300),
        ({"quantity": -1}, -300),
    ],
)
@in_virtual_time
async def test_wrong_arguments_are_refused_by_the_call(terms: dict[str, Any], code: int) -> None:
    consumer = await trading()
    assert consumer.order(**terms) == code
    await consumer.rest(1)
    assert order_signals(consumer) == []


@in_virtual_time
async def test_six_orders_in_a_second_are_one_too_many() -> None:
    consumer = await trading()
    assert [consumer.order(screen=f"{2000 + n}") for n in range(6)] == [0, 0, 0, 0, 0, -308]
    await consumer.rest(1)
    assert consumer.order(screen="2010") == 0


@in_virtual_time
async def test_a_foreign_order_of_the_same_account_is_told_too() -> None:
    consumer = await trading()
    exchange = consumer.twin.server.exchange
    symbol = exchange.issues()[0].symbol
    exchange.place(exchange.account, Side.BUY, Kind.MARKET, Validity.DAY, symbol, 1, 0, "")
    await consumer.rest(1)
    assert order_signals(consumer) == ["Chejan", "Chejan", "Chejan"]
    assert consumer.records[0][1][920] == ""


@in_virtual_time
async def test_answers_may_come_inside_the_call() -> None:
    consumer = await trading(reentrant=True, answers="official")
    assert consumer.order() == 0
    assert order_signals(consumer) == ["TrData", "Msg", "Chejan", "Chejan", "Chejan"]
