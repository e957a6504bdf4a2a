"""Answers of the account queries as one BrokerState."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from actors.gateways.kiwoom.codes import bare_code
from actors.gateways.kiwoom.queries.queries import Queries, Question
from actors.gateways.kiwoom.queries.values import optional, signed, text, whole
from actors.gateways.kiwoom.real_time.records import MalformedError, midnight, seconds_of
from actors.gateways.port import BrokerOrder, BrokerPosition, BrokerState
from actors.market.time import SECOND, at
from messages import Nanoseconds, Shares, Side, Symbol, Won
from runtime.clock import Clock

Row = Mapping[str, str]
CASH: Final = "d+2추정예수금"
ORDERABLE: Final = "주문가능금액"
_LOT: Final = ("종목번호", "보유수량", "매입금액", "신용구분", "대출일")
"""What makes a row of opw00018 another than the one before; prices move between two pages."""
_AS_TODAY: Final = {
    "주문번호": "주문번호",
    "원주문": "원주문번호",
    "종목번호": "종목코드",
    "정정취소": "정정취소",
    "주문구분": "주문구분",
    "주문수량": "주문수량",
    "주문단가": "주문가격",
    "주문잔량": "미체결수량",
    "체결수량": "체결량",
    "체결단가": "체결가",
    "주문시간": "주문시간",
    "접수구분": "주문상태",
}
"""What opw00007 calls the items of opt10076, and what it says of a change beside 현금매수; costs it does not tell."""


def cash_question(account: str) -> Question:
    """opw00001, as ordinary (not estimated) query."""
    inputs = {"계좌번호": account, "비밀번호": "", "비밀번호입력매체구분": "00", "조회구분": "2"}
    return Question(tr="opw00001", inputs=inputs, single=(CASH, ORDERABLE), told=True)


def holdings_question(account: str) -> Question:
    """opw00018, one row an issue."""
    inputs = {"계좌번호": account, "비밀번호": "", "비밀번호입력매체구분": "00", "조회구분": "1", "거래소구분": ""}
    return Question(tr="opw00018", inputs=inputs)


def open_orders_question(account: str) -> Question:
    """opt10075, every issue and venue."""
    inputs = {"전체종목구분": "0", "매매구분": "0", "종목코드": "", "체결구분": "1", "거래소구분": "0"}
    return Question(tr="opt10075", inputs={"계좌번호": account, **inputs})


def orders_of_today_question(account: str) -> Question:
    """opt10076, every issue and venue, filled or not."""
    inputs = {"종목코드": "", "조회구분": "0", "매도수구분": "0", "비밀번호": "", "주문번호": "", "체결구분": "0"}
    return Question(tr="opt10076", inputs={"계좌번호": account, "거래소구분": "0", **inputs})


def orders_of_day_question(account: str, day: dt.date) -> Question:
    """opw00007, every issue and venue, filled or not, in the order of their numbers."""
    inputs = {"비밀번호": "", "비밀번호입력매체구분": "00", "조회구분": "1", "주식채권구분": "1", "매도수구분": "0"}
    more = {"종목코드": "", "시작주문번호": "", "거래소구분": "%"}
    return Question(tr="opw00007", inputs={"주문일자": f"{day:%Y%m%d}", "계좌번호": account, **inputs, **more})


def orders_of_day(rows: Sequence[Row], day: dt.date) -> tuple[BrokerOrder, ...]:
    """The answer about an earlier day. Raises MalformedError."""
    renamed = [{known: row.get(item, "") for item, known in _AS_TODAY.items()} for row in rows]
    for row in renamed:
        row["주문구분"] += row["정정취소"]
    return tuple(_orders_of_today(renamed, at(day)))


async def read(queries: Queries, clock: Clock, account: str) -> BrokerState:
    """Asked one after the other, as the pacer allows. Raises QueryRefused, TimeoutError or MalformedError."""
    since = clock.now()
    cash = await queries.one(cash_question(account))
    holdings = await queries.whole(holdings_question(account))
    resting = await queries.whole(open_orders_question(account))
    today = await queries.whole(orders_of_today_question(account))
    state = broker_state(clock.now(), cash=cash.single, holdings=holdings.rows, resting=resting.rows, today=today.rows)
    return replace(state, since=Nanoseconds(since))


def broker_state(
    now: int, cash: Row, holdings: Sequence[Row], resting: Sequence[Row], today: Sequence[Row]
) -> BrokerState:
    """The four answers as one. Raises MalformedError: half an account is none."""
    orders = {order.broker_order: order for order in _orders_of_today(today, now)}
    for order in _resting_orders(resting, now):
        traded = orders.get(order.broker_order)
        orders[order.broker_order] = order if traded is None else _told_twice(order, traded)
    return BrokerState(
        time=Nanoseconds(now),
        cash=Won(signed(cash, CASH)),
        orderable=Won(signed(cash, ORDERABLE)),
        positions=_positions(row for row in holdings if whole(row, "보유수량")),
        orders=tuple(sorted(orders.values(), key=lambda order: order.broker_order)),
    )


def _told_twice(resting: BrokerOrder, traded: BrokerOrder) -> BrokerOrder:
    """A part taken back looks filled in what is left, and a fill may have come between the lists, or be late in one.

    Where today's list has an average it is rounded, by less than a won a share.
    """
    more = traded.amount - resting.amount
    if more > traded.filled or traded.filled > resting.filled:
        return replace(traded, open=Shares(min(resting.open, traded.quantity - traded.filled)))
    return resting if -more > traded.filled else replace(resting, filled=traded.filled)


def _positions(rows: Iterable[Row]) -> tuple[BrokerPosition, ...]:
    """One an issue: bought on credit or in lots it has a row for each, and a row comes again where the list grew."""
    lots = {tuple(row.get(item, "") for item in _LOT): _position(row) for row in rows}
    held: dict[Symbol, BrokerPosition] = {}
    for lot in lots.values():
        before = held.get(lot.symbol)
        held[lot.symbol] = lot if before is None else _both(before, lot)
    return tuple(held.values())


def _both(first: BrokerPosition, second: BrokerPosition) -> BrokerPosition:
    quantity, cost = first.quantity + second.quantity, first.cost + second.cost
    return replace(second, quantity=Shares(quantity), cost=Won(cost), average_price=Won(cost // quantity))


def _position(row: Row) -> BrokerPosition:
    return BrokerPosition(
        symbol=_symbol(row, "종목번호"),
        quantity=Shares(whole(row, "보유수량")),
        average_price=Won(whole(row, "매입가")),
        cost=Won(whole(row, "매입금액")),
        last=Won(whole(row, "현재가")),
    )


def _resting_orders(rows: Sequence[Row], now: int) -> list[BrokerOrder]:
    return [_resting(row, now) for row in rows if "취소" not in text(row, "주문구분")]


def _resting(row: Row, now: int) -> BrokerOrder:
    quantity, left, amount = whole(row, "주문수량"), whole(row, "미체결수량"), optional(row, "체결누계금액")
    return _order(
        row, now, "시간", filled=quantity - left if amount else 0, amount=amount, quantity=quantity, left=left
    )


def _orders_of_today(rows: Sequence[Row], now: int) -> list[BrokerOrder]:
    grouped: dict[str, list[Row]] = {}
    for row in rows:
        if "취소" not in text(row, "주문구분"):
            grouped.setdefault(text(row, "주문번호"), []).append(row)
    return [_traded(group, now) for group in grouped.values()]


def _traded(group: Sequence[Row], now: int) -> BrokerOrder:
    last = group[-1]
    quantity, left = whole(last, "주문수량"), min(whole(row, "미체결수량") for row in group)
    fills = _fills(group, most=quantity - left)
    filled = _filled(fills)
    amount = sum(quantity * price for quantity, price in fills)
    return _order(last, now, "주문시간", filled=filled, amount=amount, quantity=quantity, left=left)


def _fills(group: Sequence[Row], most: int) -> list[tuple[int, int]]:
    """Of rows of one order that are too many, one came again on a later page and tells more: the greatest counts."""
    fills = [(optional(row, "체결량"), optional(row, "체결가")) for row in group]
    return fills if _filled(fills) <= most else [max(fills)]


def _filled(fills: Iterable[tuple[int, int]]) -> int:
    return sum(quantity for quantity, _ in fills)


def _order(row: Row, now: int, time: str, *, filled: int, amount: int, quantity: int, left: int) -> BrokerOrder:
    original, clock = text(row, "원주문번호"), text(row, time).replace(":", "")
    return BrokerOrder(
        broker_order=text(row, "주문번호"),
        original=original if original.strip("0") else "",
        symbol=_symbol(row, "종목코드"),
        side=_side(text(row, "주문구분")),
        quantity=Shares(quantity),
        price=Won(optional(row, "주문가격")),
        open=Shares(left),
        filled=Shares(filled),
        amount=Won(amount),
        commission=Won(optional(row, "당일매매수수료")),
        tax=Won(optional(row, "당일매매세금")),
        time=Nanoseconds(midnight(now) + seconds_of(clock) * SECOND if clock else now),
        status=text(row, "주문상태"),
    )


def _symbol(row: Row, item: str) -> Symbol:
    symbol = bare_code(text(row, item))
    if not symbol:
        raise MalformedError(f"{item} is blank")
    return Symbol(symbol)


def _side(words: str) -> Side:
    if "매도" in words:
        return Side.SELL
    if "매수" in words:
        return Side.BUY
    raise MalformedError("주문구분 names no side")
