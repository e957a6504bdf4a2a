import asyncio
import csv
import datetime as dt
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.control import Calls, Control
from actors.gateways.kiwoom.queries.queries import Queries, QueryRefused
from actors.gateways.kiwoom.queries.reference import Issues
from actors.gateways.port import Page, Remembering
from actors.market.time import SECOND, at, kst
from messages import (
    Market,
    Nanoseconds,
    Side,
    Symbol,
)
from runtime.testing import START
from tests.gateways.fake_control import FakeControl
from tests.gateways.kiwoom_bench import Bench, on_a_bench

CHART = Path(__file__).parents[2].parent / "shared" / "data" / "opt10080_raw" / "114800_20221109_20221114.csv"


@on_a_bench
async def test_a_query_without_answer_times_out_and_frees_its_screen(bench: Bench) -> None:
    bench.control.silent.add("opt10032")
    with pytest.raises(TimeoutError, match="opt10032: no answer within 10 s"):
        await bench.gateway.ranking(3)
    assert bench.control.calls[-1] == ("DisconnectRealData", ["1000"])


@on_a_bench
async def test_an_overload_is_waited_out_and_a_refusal_is_not(bench: Bench) -> None:
    bench.control.query_codes = [-200, -200]
    bench.control.tables["opt10032"] = [[["A005930", "1", "1", "삼성", *["1"] * 8, " 632640"]]]
    started = bench.clock.now()
    (ranked,) = await bench.gateway.ranking(3)
    assert (ranked.symbol, ranked.value) == ("005930", 632_640_000_000)
    assert bench.clock.now() - started >= 6_000_000_000
    bench.control.query_codes = [-300]
    with pytest.raises(QueryRefused, match="-300"):
        await bench.gateway.ranking(3)


@on_a_bench
async def test_a_question_whose_answer_could_not_be_received_is_asked_again(bench: Bench) -> None:
    bench.control.query_codes = [-205]
    bench.control.tables["opt10032"] = [[["A005930", "1", "1", "삼성", *["1"] * 8, " 632640"]]]
    (ranked,) = await bench.gateway.ranking(3)

    assert ranked.symbol == "005930"


@on_a_bench
async def test_instruments_are_asked_by_the_hundred_and_unknown_codes_are_left_out(bench: Bench) -> None:
    row = dict.fromkeys(codes.TRS["optkwfid"].multi, "")
    row |= {"종목코드": "005930", "종목명": "삼성전자", "기준가": " 77500", "상한가": "+100500", "하한가": "-54300"}
    bench.control.tables["OPTKWFID"] = [[list(row.values()), [""] * len(row)], []]
    bench.control.functions["GetStockMarketKind", "005930"] = "0"
    bench.control.functions["GetMasterStockInfo", "005930"] = "시장구분0|코스피;업종구분|전기전자;"
    found = await bench.gateway.instruments([Symbol("005930"), *(Symbol(f"9{n:05d}") for n in range(120))])
    assert [len(arguments[0].split(";")) for arguments in bench.control.called("CommKwRqData")] == [100, 21]
    (samsung,) = found
    assert (samsung.base_price, samsung.upper_limit, samsung.lower_limit) == (77_500, 100_500, 54_300)
    assert (samsung.market, samsung.sector) == (Market.KOSPI, "전기전자")


@on_a_bench
async def test_the_account_is_read_to_the_last_page(bench: Bench) -> None:
    bench.control.single = {"d+2추정예수금": " 000000009500000", "주문가능금액": "000000009000000"}
    holding = dict.fromkeys(codes.TRS["opw00018"].multi, "")
    holding |= {"종목번호": "A005930", "매입가": "000000000077000", "보유수량": "000000000000010"}
    holding |= {"현재가": "-00000077100", "매입금액": "000000000770000"}
    bench.control.tables["opw00018"] = [[list(holding.values())], [list((holding | {"종목번호": "Q500001"}).values())]]
    resting = dict.fromkeys(codes.TRS["opt10075"].multi, "")
    resting |= {"주문번호": "0000007", "종목코드": "005930", "주문상태": "체결", "주문수량": "10", "주문가격": "77000"}
    resting |= {
        "미체결수량": "7",
        "체결누계금액": "231000",
        "원주문번호": "0000000",
        "주문구분": "+매수",
        "시간": "090105",
    }
    bench.control.tables["opt10075"] = [[list(resting.values())]]
    done = dict.fromkeys(codes.TRS["opt10076"].multi, "")
    done |= {
        "주문번호": "0000008",
        "주문구분": "-매도",
        "주문가격": "0",
        "주문수량": "5",
        "체결가": "77100",
        "체결량": "5",
    }
    done |= {"미체결수량": "0", "주문상태": "체결", "주문시간": "090200", "종목코드": "005930", "당일매매세금": "690"}
    bench.control.tables["opt10076"] = [[list(done.values())]]
    asked = bench.clock.now()
    state = await bench.gateway.state()
    assert state.since == asked < state.time - SECOND, "its parts are of different moments"
    assert (state.cash, state.orderable) == (9_500_000, 9_000_000)
    assert [position.symbol for position in state.positions] == ["005930", "500001"]
    assert (state.positions[0].quantity, state.positions[0].cost, state.positions[0].last) == (10, 770_000, 77_100)
    first, second = state.orders
    assert (first.broker_order, first.open, first.filled, first.amount) == ("0000007", 7, 3, 231_000)
    assert (second.side, second.filled, second.amount, second.tax) == (Side.SELL, 5, 385_500, 690)


@on_a_bench
async def test_the_orders_of_an_earlier_day_are_read_to_the_last_page(bench: Bench) -> None:
    row = dict.fromkeys(codes.TRS["opw00007"].multi, "")
    row |= {"주문번호": "0000007", "종목번호": "A005930", "주문구분": "현금매수", "주문수량": "0000000010"}
    row |= {"주문단가": "0000077000", "체결수량": "0000000004", "체결단가": "0000076900", "주문잔량": "0000000006"}
    row |= {"주문시간": "15:19:58", "원주문": "0000000"}
    sold = row | {"주문번호": "0000008", "주문구분": "현금매도", "체결수량": "0000000010", "주문잔량": "0000000000"}
    bench.control.tables["opw00007"] = [[list(row.values())], [list(sold.values())]]
    assert isinstance(bench.gateway, Remembering)
    first, second = await bench.gateway.orders_of(dt.date(2025, 8, 29))

    assert (first.symbol, first.side, first.quantity, first.price) == ("005930", Side.BUY, 10, 77_000)
    assert (first.filled, first.amount, first.open, first.original) == (4, 307_600, 6, "")
    assert kst(first.time).isoformat() == "2025-08-29T15:19:58+09:00"
    assert (second.side, second.filled) == (Side.SELL, 10)
    asked = [arguments for arguments in bench.control.called("SetInputValue") if arguments[0] == "주문일자"]
    assert asked[0] == ["주문일자", "20250829"]


@on_a_bench
async def test_an_account_that_cannot_be_read_whole_is_refused(bench: Bench) -> None:
    bench.control.single = {"d+2추정예수금": "", "주문가능금액": "1"}
    with pytest.raises(QueryRefused, match="추정예수금 is not a number"):
        await bench.gateway.state()


@on_a_bench
async def test_a_recorded_chart_page_becomes_bars_oldest_first(bench: Bench) -> None:
    if not CHART.exists():
        pytest.skip("the recorded chart page is not there")
    with CHART.open(encoding="utf-8-sig", newline="") as file:
        table = list(csv.DictReader(file))
    page = [[row.get(item, "") for item in codes.TRS["opt10080"].multi] for row in table]
    bench.control.tables["opt10080"] = [page[:450], page[450:]]
    pages = [page async for page in bench.gateway.bars(Symbol("114800"), 60, Nanoseconds(0))]
    assert [len(page.bars) for page in pages] == [450, 450]
    assert [page.last for page in pages] == [False, True]
    bars = [*pages[1].bars, *pages[0].bars]
    assert all(earlier.time < later.time for earlier, later in pairwise(bars))
    assert [arguments[2] for arguments in bench.control.called("CommRqData")][1:] == [0, 2]


@on_a_bench
async def test_an_interval_kiwoom_does_not_have_is_refused(bench: Bench) -> None:
    with pytest.raises(ValueError, match="no bars of 7 s"):
        await anext(bench.gateway.bars(Symbol("114800"), 7, Nanoseconds(0)))


def days(*shown: int, **cells: str) -> list[list[str]]:
    """A page of opt10081 with these days of August 2025, newest first."""
    prices = dict.fromkeys(("시가", "고가", "저가", "현재가"), "-100")
    rows = [prices | {"일자": f"202508{number:02d}", "거래량": "5"} | cells for number in shown]
    return [[row.get(item, "") for item in codes.TRS["opt10081"].multi] for row in rows]


def shown(page: Page) -> list[int]:
    return [kst(bar.time).day for bar in page.bars]


@on_a_bench
async def test_a_broken_continuation_begins_anew_at_the_newest_page(bench: Bench) -> None:
    bench.control.tables["opt10081"] = [days(10, 9), days(10, 9), days(8, 7), days(6, 5)]
    pages = bench.gateway.bars(Symbol("005930"), 86_400, Nanoseconds(0))
    first = await anext(pages)
    await bench.gateway.ranking(1)
    rest = [page async for page in pages]
    assert [shown(page) for page in (first, *rest)] == [[9, 10], [9, 10], [7, 8], [5, 6]]
    assert [page.newest for page in (first, *rest)] == [True, True, False, False]
    assert [page.last for page in (first, *rest)] == [False, False, False, True]


@on_a_bench
async def test_a_page_proves_the_time_up_to_the_one_before(bench: Bench) -> None:
    bench.control.tables["opt10081"] = [days(10, 9), days(6, 5)]
    newer, older = [page async for page in bench.gateway.bars(Symbol("005930"), 86_400, Nanoseconds(0))]
    assert (newer.since, newer.until) == (newer.bars[0].time, START)
    assert (older.since, older.until) == (older.bars[0].time, newer.bars[0].time)
    assert newer.digest != older.digest


@on_a_bench
async def test_days_may_begin_at_a_date_and_minutes_may_not(bench: Bench) -> None:
    day = at(dt.date(2025, 1, 8))
    bench.control.tables["opt10081"], bench.control.tables["opt10080"] = [days()], [[]]
    (page,) = [page async for page in bench.gateway.bars(Symbol("005930"), 86_400, Nanoseconds(0), day)]
    assert ("SetInputValue", ["기준일자", "20250108"]) in bench.control.calls
    assert page.until == at(dt.date(2025, 1, 9))
    (page,) = [page async for page in bench.gateway.bars(Symbol("005930"), 60, Nanoseconds(0), day)]
    assert page.until >= START


@on_a_bench
async def test_a_day_without_trades_is_no_bar_and_no_fault(bench: Bench) -> None:
    halted = days(9, 시가="0", 고가="0", 저가="0", 거래량="0")
    bench.control.tables["opt10081"] = [[*days(10), *halted, *days(8)]]
    (page,) = [page async for page in bench.gateway.bars(Symbol("005930"), 86_400, Nanoseconds(0))]
    assert (shown(page), page.holes, bench.gateway.statistics()["rows rejected"]) == ([8, 10], (), 0)


@on_a_bench
async def test_a_row_that_cannot_be_read_leaves_a_hole(bench: Bench) -> None:
    torn = days(8, 현재가="")
    bench.control.tables["opt10081"] = [[*days(10, 9), *torn, *days(7), *days(6, 고가="x")], days(4, 3)]
    newer, older = [page async for page in bench.gateway.bars(Symbol("005930"), 86_400, Nanoseconds(0))]
    assert shown(newer) == [7, 9, 10]
    assert [(kst(hole[0]).day, kst(hole[1]).day) for hole in newer.holes] == [(7, 9)]
    assert [(kst(hole[0]).day, kst(hole[1]).day) for hole in older.holes] == [(4, 7)], "its row may belong there"
    assert bench.gateway.statistics()["rows rejected"] == 2


@on_a_bench
async def test_a_page_of_another_issue_is_refused(bench: Bench) -> None:
    bench.control.tables["opt10081"] = [days(10)]
    bench.control.single = {"종목코드": "A000660"}
    with pytest.raises(QueryRefused, match="asked for 005930 and answered with 000660"):
        await anext(bench.gateway.bars(Symbol("005930"), 86_400, Nanoseconds(0)))


@on_a_bench
async def test_columns_that_came_between_others_are_found_by_their_names(bench: Bench) -> None:
    bench.control.tables["opt10081"] = [days(10, 9), days(8)]
    whole = bench.control.on_GetCommDataEx
    bench.control.on_GetCommDataEx = (
        lambda tr, record: [  # type: ignore[method-assign]
            [*row[:2], "KRX", *row[2:]] for row in whole(tr, record) or []
        ]
    )
    pages = [page async for page in bench.gateway.bars(Symbol("005930"), 86_400, Nanoseconds(0))]
    assert [shown(page) for page in pages] == [[9, 10], [8]]
    assert [bar.volume for page in pages for bar in page.bars] == [5, 5, 5]
    assert bench.gateway.statistics()["rows rejected"] == 0


@on_a_bench
async def test_more_questions_than_screens_are_refused_like_any_other(bench: Bench) -> None:
    bench.control.silent.add("opt10032")
    asked = [asyncio.ensure_future(bench.gateway.ranking(3)) for _ in range(21)]
    await bench.settle()
    (refused,) = [one for one in asked if one.done()]
    with pytest.raises(QueryRefused, match="opt10032: all 20 tr screens are in use"):
        refused.result()
    for one in asked:
        one.cancel()
    await bench.settle()


@pytest.mark.parametrize(("mark", "warned"), [("0", False), ("", False), ("1", True), ("3", True), ("6", True)])
def test_a_mark_kiwoom_does_not_list_is_a_warning(mark: str, warned: bool) -> None:
    control = FakeControl()
    control.functions["IsOrderWarningStock", "005930"] = mark
    issues = Issues(Calls(cast("Control", control)), cast("Queries", None))
    assert bool(issues.warning(Symbol("005930"))) is warned
