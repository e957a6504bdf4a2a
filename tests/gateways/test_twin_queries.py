from typing import Any

import pytest

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.queries.accounts import orders_of_day
from actors.market.time import kst
from messages import Market
from runtime.testing import in_virtual_time
from tests.gateways.twin_consumer import Consumer, logged_in, trading

MINUTES = {"종목코드": "900010", "틱범위": "1", "수정주가구분": "1"}
DEPOSIT = {"계좌번호": "8000000011", "비밀번호": "", "비밀번호입력매체구분": "00", "조회구분": "2"}
HOLDINGS = {"계좌번호": "8000000011", "비밀번호": "", "비밀번호입력매체구분": "00", "조회구분": "1"}


class Reader:
    """Reads every answer inside its event."""

    def __init__(self, consumer: Consumer) -> None:
        self.consumer = consumer
        self.pages: list[tuple[str, list[list[str]]]] = []
        self.single: dict[str, str] = {}
        self.rows: list[dict[str, str]] = []
        consumer.inside = self._read

    async def ask(self, tr: str, inputs: dict[str, str], **more: Any) -> None:
        assert self.consumer.ask(tr, inputs, **more) == 0
        await self.consumer.rest(0.5)

    def _read(self, name: str, args: tuple[Any, ...]) -> None:
        if name != "OnReceiveTrData" or args[2].startswith("KOA"):
            return
        _, request, tr, _, following = args[:5]
        table = codes.TRS[tr.lower()]
        count = self.consumer.call("GetRepeatCnt", tr, request)
        self.pages.append((following, self.consumer.call("GetCommDataEx", tr, request) or []))
        self.single = {item: self._data(tr, request, 0, item) for item in table.single}
        self.rows = [{item: self._data(tr, request, n, item) for item in table.multi} for n in range(count)]

    def _data(self, tr: str, request: str, index: int, item: str) -> str:
        return self.consumer.call("GetCommData", tr, request, index, item).strip()


@in_virtual_time
async def test_a_chart_comes_in_pages_of_900_that_adjoin() -> None:
    consumer = await logged_in()
    reader = Reader(consumer)
    await reader.ask("opt10080", MINUTES)
    while reader.pages[-1][0] == "2":
        await reader.ask("opt10080", MINUTES, following=2)
    sizes = [len(rows) for _, rows in reader.pages]
    times = [row[2] for _, rows in reader.pages for row in rows]
    assert sizes[:-1] == [900] * (len(sizes) - 1)
    assert len(sizes) > 1
    assert times == sorted(set(times), reverse=True)
    assert len(times[0]) == 14


@in_virtual_time
async def test_another_query_in_between_breaks_a_continuation() -> None:
    consumer = await logged_in()
    reader = Reader(consumer)
    await reader.ask("opt10080", MINUTES)
    await reader.ask("opw00001", DEPOSIT, screen="1001")
    await reader.ask("opt10080", MINUTES, following=2)
    assert reader.pages[2][1][0] == reader.pages[0][1][0]


@in_virtual_time
async def test_daily_bars_come_in_pages_of_600_and_name_their_code_once() -> None:
    consumer = await logged_in()
    reader = Reader(consumer)
    inputs = {"종목코드": "900010", "기준일자": "20261118", "수정주가구분": "1"}
    await reader.ask("opt10081", inputs)
    following, rows = reader.pages[0]
    assert (len(rows), following) == (600, "2")
    assert [row[0] for row in rows[:2]] == ["900010", ""]
    assert rows[0][4] > rows[1][4]


@in_virtual_time
async def test_six_queries_in_a_second_are_one_too_many() -> None:
    consumer = await logged_in()
    asked = [consumer.ask("opt10001", {"종목코드": "900010"}, screen=f"{1000 + n}") for n in range(6)]
    assert asked == [0, 0, 0, 0, 0, -200]
    await consumer.rest(1)
    assert consumer.ask("opt10001", {"종목코드": "900010"}) == 0


@in_virtual_time
async def test_the_load_box_ends_all_queries_for_good() -> None:
    consumer = await logged_in(load_box=True)
    for _ in range(5):
        assert consumer.ask("opt10001", {"종목코드": "900010"}) == 0
        await consumer.rest(3)
    assert consumer.ask("opt10001", {"종목코드": "900010"}) == -209
    await consumer.rest(100)
    assert consumer.ask("opt10001", {"종목코드": "900010"}) == -209


@pytest.mark.parametrize(
    ("tr", "inputs"),
    [
        ("opt99999", {"종목코드": "900010"}),
        ("OPTKWFID", {"종목코드": "900010"}),
        ("opt10080", {}),
        ("opt10080", {"종목": "900010"}),
        ("opt10080", {"틱범위": "1", "종목코드": "900010"}),
    ],
)
@in_virtual_time
async def test_inputs_must_be_those_of_the_table_in_its_order(tr: str, inputs: dict[str, str]) -> None:
    consumer = await logged_in()
    assert consumer.ask(tr, inputs) == -202
    await consumer.rest(1)
    assert consumer.named("OnReceiveTrData") == []


@in_virtual_time
async def test_a_query_about_an_issue_brings_its_real_data() -> None:
    consumer = await trading()
    await Reader(consumer).ask("opt10001", {"종목코드": "900010"})
    await consumer.rest(10)
    assert {args[1] for args in consumer.named("OnReceiveRealData")} == {codes.TRADE, codes.BOOK, codes.BEST_QUOTE}
    assert {args[0] for args in consumer.named("OnReceiveRealData")} == {"900010"}
    count = len(consumer.named("OnReceiveRealData"))
    consumer.call("DisconnectRealData", "1000")
    await consumer.rest(10)
    assert len(consumer.named("OnReceiveRealData")) == count


@in_virtual_time
async def test_interruptions_are_registered_by_asking_for_them() -> None:
    consumer = await logged_in()
    reader = Reader(consumer)
    inputs = {"시장구분": "000", "장전구분": "0", "종목코드": "", "발동구분": "0", "제외종목": "000000000"}
    await reader.ask("OPT10054", inputs, screen="5000")
    assert reader.rows == []
    assert consumer.twin.server.registrations.wanted[""]


@in_virtual_time
async def test_many_codes_are_asked_at_once() -> None:
    consumer = await trading(issues=2)
    reader = Reader(consumer)
    assert consumer.call("CommKwRqData", "900010;900020;000000", 0, 3, 0, "many", "1000") == 0
    await consumer.rest(0.5)
    assert [row["종목코드"] for row in reader.rows] == ["900010", "900020"]
    assert reader.rows[0]["기준가"] == "71500"
    assert consumer.call("CommKwRqData", ";".join(["900010"] * 101), 0, 101, 0, "many", "1000") == -204


@in_virtual_time
async def test_the_ranking_is_by_trading_value() -> None:
    consumer = await trading(issues=3)
    reader = Reader(consumer)
    await reader.ask("opt10032", {"시장구분": "000", "관리종목포함": "1", "거래소구분": "1"})
    amounts = [int(row["거래대금"]) for row in reader.rows]
    assert amounts == sorted(amounts, reverse=True)
    assert [row["현재순위"] for row in reader.rows] == ["1", "2", "3"]


@in_virtual_time
async def test_members_of_the_kospi200_come_in_pages_of_100_and_are_shares() -> None:
    consumer = await logged_in(issues=330)
    reader = Reader(consumer)
    inputs = {"시장구분": "2", "업종코드": "201"}
    await reader.ask("opt20002", inputs)
    await reader.ask("opt20002", inputs, following=2)
    assert [(following, len(rows)) for following, rows in reader.pages] == [("2", 100), ("0", 10)]
    members = {row[0] for _, rows in reader.pages for row in rows}
    issues = consumer.twin.server.exchange.issues()
    assert members == {issue.symbol for issue in issues if issue.kospi200 and issue.market is Market.KOSPI}
    assert reader.pages[0][1][0][:3] == ["900010", "가상전자", "71500"]


@in_virtual_time
async def test_the_account_is_told_to_the_won() -> None:
    consumer = await trading()
    reader = Reader(consumer)
    consumer.order(quantity=10)
    await consumer.rest(1)
    fill = consumer.records[1][1]
    await reader.ask("opw00001", DEPOSIT)
    spent = int(fill[903]) + int(fill[938])
    assert reader.single["예수금"] == "000000100000000"
    assert int(reader.single["d+2추정예수금"]) == 100_000_000 - spent
    await reader.ask("opw00018", HOLDINGS)
    row = reader.rows[0]
    assert (row["종목번호"], int(row["보유수량"]), int(row["매입금액"])) == ("A900010", 10, int(fill[903]))
    assert int(row["평가손익"]) == int(row["평가금액"]) - int(row["매입금액"]) - int(row["수수료합"]) - int(row["세금"])
    assert "." in row["수익률(%)"]


@in_virtual_time
async def test_open_orders_and_fills_are_listed_newest_first() -> None:
    consumer = await trading()
    reader = Reader(consumer)
    consumer.order(quantity=2)
    consumer.order(quantity=3, price=60_000, hoga="00", screen="2001")
    await consumer.rest(1)
    await reader.ask("opt10075", {"계좌번호": "8000000011", "전체종목구분": "0", "매매구분": "0", "체결구분": "1"})
    assert [(row["주문번호"], row["미체결수량"], row["주문상태"]) for row in reader.rows] == [("0000002", "3", "접수")]
    await reader.ask("opt10076", {"조회구분": "0", "매도수구분": "0", "계좌번호": "8000000011", "체결구분": "0"})
    assert [(row["주문번호"], row["체결량"]) for row in reader.rows] == [("0000002", "0"), ("0000001", "2")]
    await reader.ask("opt10076", {"계좌번호": "8000000011", "주문번호": "0000002"})
    assert [row["주문번호"] for row in reader.rows] == ["0000001"]


@in_virtual_time
async def test_the_orders_of_a_day_are_listed_oldest_first_and_of_no_other_day() -> None:
    consumer = await trading()
    reader = Reader(consumer)
    consumer.order(quantity=2)
    consumer.order(quantity=3, price=60_000, hoga="00", screen="2001")
    await consumer.rest(1)
    today = f"{kst(consumer.twin.start):%Y%m%d}"
    await reader.ask("opw00007", {"주문일자": today, "계좌번호": "8000000011", "조회구분": "1"})
    rows = [(row["주문번호"], row["종목번호"], row["주문구분"], int(row["체결수량"])) for row in reader.rows]
    assert rows == [("0000001", "A900010", "현금매수", 2), ("0000002", "A900010", "현금매수", 0)]
    assert [row["주문시간"][2::3] for row in reader.rows] == ["::", "::"]
    assert [order.filled for order in orders_of_day(reader.rows, kst(consumer.twin.start).date())] == [2, 0]
    await reader.ask("opw00007", {"주문일자": "20200102", "계좌번호": "8000000011", "조회구분": "1"})
    assert reader.rows == []


@in_virtual_time
async def test_a_condition_search_answers_once_a_minute_and_goes_on_live() -> None:
    consumer = await trading(issues=12)
    assert consumer.call("SendCondition", "6000", "거래대금상위", 0, 1) == 0
    assert consumer.call("GetConditionLoad") == 1
    await consumer.rest(1)
    assert consumer.named("OnReceiveConditionVer")[0][0] == 1
    assert consumer.call("GetConditionNameList") == "000^거래대금상위;001^상승종목;"
    assert consumer.call("SendCondition", "6000", "거래대금상위", 0, 1) == 1
    assert consumer.call("SendCondition", "6001", "거래대금상위", 0, 1) == 0
    await consumer.rest(60)
    screen, listed, name, index, following = consumer.named("OnReceiveTrCondition")[0]
    assert (screen, name, index, following) == ("6000", "거래대금상위", 0, 0)
    assert listed.endswith(";")
    assert listed.count(";") == 10
    moves = consumer.named("OnReceiveRealCondition")
    assert {move[1] for move in moves} <= {"I", "D"}
    assert all(move[2:] == ("거래대금상위", "0") for move in moves)


@in_virtual_time
async def test_changes_are_listed_among_the_orders_of_a_day_and_are_no_orders_of_their_own() -> None:
    consumer = await trading()
    reader = Reader(consumer)
    consumer.order(quantity=3, price=60_000, hoga="00")
    await consumer.rest(1)
    consumer.order(screen="2001", kind=3, quantity=3, original="0000001")
    await consumer.rest(1)
    today = kst(consumer.twin.start).date()
    await reader.ask("opw00007", {"주문일자": f"{today:%Y%m%d}", "계좌번호": "8000000011", "조회구분": "1"})
    rows = [(row["주문번호"], row["주문구분"], row["정정취소"], row["원주문"]) for row in reader.rows]
    assert rows == [("0000001", "현금매수", "", "0000000"), ("0000002", "현금매수", "취소", "0000001")]
    (order,) = orders_of_day(reader.rows, today)
    assert (order.broker_order, order.open, order.filled) == ("0000001", 0, 0)
