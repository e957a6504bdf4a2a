from pathlib import Path
from typing import Any

import pytest

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.queries import accounts
from actors.gateways.port import BrokerOrder, KnownOrder
from messages import Action, OrderAccepted, OrderReplaced, Shares, Side, Won
from runtime.testing import in_virtual_time
from tests.gateways.kiwoom_bench import Bench
from tests.gateways.order_desk import SAMSUNG, Desk, M, N, ask

CASH = {accounts.CASH: "1000", accounts.ORDERABLE: "1000"}


def row(**cells: str) -> dict[str, str]:
    blank = dict.fromkeys(codes.TRS["opt10076"].multi, "")
    told = {"주문번호": N, "종목코드": SAMSUNG, "주문구분": "+매수", "주문상태": "체결", "주문시간": "090000"}
    return blank | told | {"주문수량": "10", "주문가격": "100", "체결가": "100"} | cells


def orders(*rows: dict[str, str]) -> tuple[BrokerOrder, ...]:
    return accounts.broker_state(10**18, CASH, [], [], rows).orders


def test_a_row_that_comes_on_two_pages_counts_once() -> None:
    twice: dict[str, Any] = row(체결량="6", 미체결수량="4")
    (order,) = orders(twice, dict(twice))
    assert (order.filled, order.amount, order.open) == (6, 600, 4)


def test_a_row_that_tells_more_the_second_time_counts_as_it_is_then() -> None:
    (order,) = orders(row(체결량="3", 미체결수량="7"), row(체결량="6", 미체결수량="4"))
    assert (order.filled, order.amount, order.open) == (6, 600, 4)


def test_a_row_for_each_fill_is_added_up() -> None:
    (order,) = orders(row(체결량="3", 미체결수량="3"), row(체결량="4", 미체결수량="3"))
    assert (order.filled, order.amount, order.open) == (7, 700, 3)


@pytest.mark.parametrize("left", [4, 0], ids=["all that is not open", "the rest was canceled"])
def test_two_alike_fills_count_twice(left: int) -> None:
    twice = row(체결량="3", 미체결수량=str(left))
    (order,) = orders(twice, dict(twice))
    assert (order.filled, order.amount, order.open) == (6, 600, left)


@pytest.mark.parametrize(
    ("pages", "filled"), [([1, 1], 5), ([2], 10), ([2, 1], 10)], ids=["again", "two fills", "two and one again"]
)
def test_a_row_that_comes_again_on_the_next_page_is_no_second_fill_though_it_would_make_up_what_is_gone(
    pages: list[int], filled: int, tmp_path: Path
) -> None:
    """Half was canceled, or it was filled twice: left is nothing in both cases."""
    half = list(row(체결량="5", 미체결수량="0").values())

    @in_virtual_time
    async def read() -> None:
        bench = Bench(tmp_path)
        async with bench.gateway:
            bench.control.single = CASH
            bench.control.tables["opt10076"] = [[half] * count for count in pages]
            (order,) = (await bench.gateway.state()).orders
        assert (order.filled, order.amount) == (filled, 100 * filled)

    read()


def test_after_a_restart_the_clearing_of_a_number_found_by_asking_cancels_nothing() -> None:
    desk = Desk()
    unknown = {"broker_order": "", "quantity": Shares(10), "price": Won(100)}
    desk.tracker.know([KnownOrder(order=7, strategy="momentum", symbol=SAMSUNG, side=Side.BUY, **unknown)])  # type: ignore[arg-type]
    ask(desk, Action.REPLACE)
    desk.record("+매수정정", "접수", M, original=N, screen="2001")
    desk.record("+매수정정", "확인", M, original=N, screen="2001")
    desk.record("+매수", "접수", N, open=0)
    assert desk.kinds() in ([OrderReplaced], [OrderReplaced, OrderAccepted])
