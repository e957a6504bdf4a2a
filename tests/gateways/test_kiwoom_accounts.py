"""What the account's lists say, read from rows as Kiwoom's own examples have them."""

import asyncio
import datetime as dt

import pytest

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.queries import accounts
from actors.gateways.kiwoom.queries.queries import QueryRefused
from actors.gateways.kiwoom.real_time.records import MalformedError
from actors.gateways.port import BrokerPosition
from messages import Side
from tests.gateways.kiwoom_bench import Bench, on_a_bench

CASH = {accounts.CASH: "1000", accounts.ORDERABLE: "1000"}


def holding(**cells: str) -> dict[str, str]:
    told = {"종목번호": "A005930", "매입가": "000000000124500", "보유수량": "000000000000003", "현재가": "000000059000"}
    return dict.fromkeys(codes.TRS["opw00018"].multi, "") | told | {"매입금액": "000000000373500"} | cells


def held(*rows: dict[str, str]) -> tuple[BrokerPosition, ...]:
    return accounts.broker_state(10**18, CASH, rows, [], []).positions


def test_an_issue_held_in_two_lots_is_one_holding_of_both() -> None:
    loan = holding(보유수량="000000000000008", 매입가="000000000209178", 매입금액="000000001673430", 신용구분="03")
    (position,) = held(holding(), loan)
    assert (position.quantity, position.cost, position.average_price) == (11, 2_046_930, 186_084)


def test_a_holding_that_comes_on_two_pages_counts_once_whatever_its_price_did_meanwhile() -> None:
    (position,) = held(holding(), holding(현재가="000000059100"))
    assert (position.quantity, position.last) == (3, 59_100)


def test_changes_of_an_earlier_day_are_told_by_a_column_of_their_own() -> None:
    row = dict.fromkeys(codes.TRS["opw00007"].multi, "")
    row |= {"주문번호": "0000007", "종목번호": "A005930", "주문구분": "현금매수", "주문수량": "0000000010"}
    row |= {"주문단가": "0000077000", "체결수량": "0000000004", "체결단가": "0000076900", "주문잔량": "0000000000"}
    row |= {"주문시간": "15:19:58", "원주문": "0000000"}
    taken_back = row | {"주문번호": "0000008", "원주문": "0000007", "체결수량": "0000000000", "정정취소": "취소"}
    moved = row | {"주문번호": "0000009", "원주문": "0000007", "정정취소": "정정"}
    found = accounts.orders_of_day([row, taken_back, moved], dt.date(2025, 8, 29))
    assert [(order.broker_order, order.side) for order in found] == [("0000007", Side.BUY), ("0000009", Side.BUY)]


@on_a_bench
async def test_an_account_that_is_not_told_is_refused_in_the_servers_words(bench: Bench) -> None:
    ask = bench.control.on_CommRqData

    def refused(name: str, tr: str, following: int, screen: str) -> int:
        text = "[571489] 비밀번호를 확인하세요"
        asyncio.get_running_loop().call_soon(bench.control.OnReceiveMsg.emit, screen, name, tr, text)
        return ask(name, tr, following, screen)

    bench.control.on_CommRqData = refused  # type: ignore[method-assign]
    with pytest.raises(QueryRefused, match=r"opw00001.*비밀번호를 확인하세요"):
        await bench.gateway.state()


@pytest.mark.parametrize(
    ("cell", "shown"), [("", "''"), ("  ", "''"), ("１２", "'１２'"), ("1_0", "'1_0'"), ("-", "'-'")]
)
def test_a_cell_that_is_no_number_is_told_with_whose_it_is(cell: str, shown: str) -> None:
    with pytest.raises(MalformedError, match=f"^현재가 of A00593K is not a number: {shown}$"):
        held(holding(), holding(종목번호="A00593K", 현재가=cell))


@pytest.mark.parametrize(
    ("left", "paid", "fills", "told"),
    [
        ("7", "300", ["3", "100"], (7, 3, 300)),
        ("7", "299", ["3", "100"], (7, 3, 299)),
        ("4", "301", ["3", "100"], (4, 3, 301)),
        ("4", "300", ["5", "100"], (4, 5, 500)),
        ("7", "300", ["5", "101"], (5, 5, 505)),
        ("10", "0", ["10", "100"], (0, 10, 1_000)),
        ("5", "500", ["0", "0"], (5, 5, 500)),
        ("5", "500", ["3", "100"], (5, 5, 500)),
    ],
    ids=[
        "the same",
        "rounded",
        "a part taken back",
        "a fill between after that",
        "a fill between",
        "the first and last between",
        "late",
        "late in part",
    ],
)
def test_two_lists_of_one_order_never_tell_shares_of_one_instant_and_won_of_another(
    left: str, paid: str, fills: list[str], told: tuple[int, int, int]
) -> None:
    terms = {"주문번호": "0000007", "종목코드": "005930", "주문구분": "+매수", "주문수량": "10", "주문가격": "101"}
    resting = dict.fromkeys(codes.TRS["opt10075"].multi, "") | terms | {"미체결수량": left, "체결누계금액": paid}
    rest = str(10 - int(fills[0]))
    today = dict.fromkeys(codes.TRS["opt10076"].multi, "") | terms | {"미체결수량": rest}
    today |= {"체결량": fills[0], "체결가": fills[1]}
    (order,) = accounts.broker_state(10**18, CASH, [], [resting], [today]).orders
    assert (order.open, order.filled, order.amount) == told
