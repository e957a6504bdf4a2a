"""Answers to queries about the account: opt10075, opt10076, opw00001, opw00007, opw00018."""

from collections.abc import Sequence
from typing import Final

from actors.exchange.records import AccountState, Holding, OrderRecord, Refusal
from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.twin import values
from actors.gateways.kiwoom.twin.announcements import prefix
from actors.gateways.kiwoom.twin.market_queries import Desk, Inputs, Result, Row
from actors.market import krx
from actors.market.calendar import Calendar
from actors.market.time import kst
from messages import Action, Side, Won

_DONE: Final = "조회가 완료되었습니다"
_SIDES: Final = {"1": Side.SELL, "2": Side.BUY}
_WORDS: Final = {
    (Action.NEW, Side.BUY): "+매수",
    (Action.NEW, Side.SELL): "-매도",
    (Action.REPLACE, Side.BUY): "+매수정정",
    (Action.REPLACE, Side.SELL): "-매도정정",
    (Action.CANCEL, Side.BUY): "매수취소",
    (Action.CANCEL, Side.SELL): "매도취소",
}
_CHANGES: Final = {Action.NEW: "", Action.REPLACE: "정정", Action.CANCEL: "취소"}


def order_words(action: Action, side: Side) -> str:
    """FID 905."""
    return _WORDS[action, side]


def open_orders(desk: Desk, inputs: Inputs) -> Result:
    """opt10075, newest first."""
    state = _state(desk, inputs)
    if isinstance(state, Refusal):
        return _refused(desk, state)
    only = inputs.get("종목코드", "").strip() if inputs.get("전체종목구분") == "1" else ""
    side = _SIDES.get(inputs.get("매매구분", "0"))
    orders = _selected(state.orders, only, side, inputs.get("체결구분", "0"))
    return _found(desk, [_open_row(desk, state.account, order) for order in orders])


def fills(desk: Desk, inputs: Inputs) -> Result:
    """opt10076, newest first; an order number asks for those before it."""
    state = _state(desk, inputs)
    if isinstance(state, Refusal):
        return _refused(desk, state)
    only = inputs.get("종목코드", "").strip() if inputs.get("조회구분") == "1" else ""
    side, before = _SIDES.get(inputs.get("매도수구분", "0")), inputs.get("주문번호", "").strip()
    orders = _selected(state.orders, only, side, inputs.get("체결구분", "0"))
    return _found(desk, [_fill_row(desk, order) for order in orders if not before or order.number < before])


def orders_of_day(desk: Desk, inputs: Inputs) -> Result:
    """opw00007, oldest first; what happened before its own day few exchanges here remember."""
    state = _state(desk, inputs)
    if isinstance(state, Refusal):
        return _refused(desk, state)
    asked, side = inputs.get("주문일자", "").strip(), _SIDES.get(inputs.get("매도수구분", "0"))
    known = [*state.earlier, *state.orders]
    orders = _selected(known, inputs.get("종목코드", "").strip(), side, "0")
    return _found(desk, [_day_row(desk, order) for order in reversed(orders) if f"{kst(order.sent):%Y%m%d}" == asked])


def deposit(desk: Desk, inputs: Inputs) -> Result:
    """opw00001."""
    state = _state(desk, inputs)
    if isinstance(state, Refusal):
        return _refused(desk, state)
    single = dict.fromkeys(codes.TRS["opw00001"].single, values.padded(0))
    given = {
        "예수금": state.deposit,
        "주식증거금현금": state.reserved,
        "출금가능금액": min(state.deposit, state.deposit_settled),
        "주문가능금액": state.orderable_deposit,
        "100%종목주문가능금액": state.orderable,
        "d+1추정예수금": state.deposit_next,
        "d+1출금가능금액": state.deposit_next,
        "d+2추정예수금": state.deposit_settled,
        "d+2매도매수정산금": state.deposit_settled - state.deposit,
        "d+2매수정산금": state.bought,
        "d+2매도정산금": state.sold,
        "d+2출금가능금액": state.deposit_settled,
    }
    single |= {name: values.padded(amount) for name, amount in given.items()}
    single |= {"신용담보비율": "0.00", "출력건수": "0000"}
    return Result(single=single, text=_done(desk))


def holdings(desk: Desk, inputs: Inputs) -> Result:
    """opw00018."""
    state = _state(desk, inputs)
    if isinstance(state, Refusal):
        return _refused(desk, state)
    held = [holding for holding in state.holdings if holding.quantity]
    sums = {holding.symbol: _Valued(desk, holding) for holding in held}
    cost, worth = sum(holding.cost for holding in held), sum(valued.worth for valued in sums.values())
    profit = sum(valued.profit for valued in sums.values())
    single = {
        "총매입금액": values.padded(cost),
        "총평가금액": values.padded(worth),
        "총평가손익금액": values.padded(profit),
        "총수익률(%)": _rate(desk, profit, cost),
        "추정예탁자산": values.padded(state.deposit_settled + profit + cost),
        "총대출금": values.padded(0),
        "총융자금액": values.padded(0),
        "총대주금액": values.padded(0),
        "조회건수": f"{len(held):04d}",
    }
    rows = [_holding_row(desk, holding, sums[holding.symbol], cost) for holding in held]
    return Result(single=single, rows=rows, text=_done(desk))


class _Valued:
    """A holding at the last price, by the formula of HTS screen 0345."""

    def __init__(self, desk: Desk, holding: Holding) -> None:
        issue = desk.board.issues[holding.symbol]
        settlement = Calendar().settlement(kst(desk.exchange.start).date())
        self.worth = holding.last * holding.quantity
        self.buying = krx.commission(holding.cost, desk.commission)
        self.selling = krx.commission(self.worth, desk.commission)
        self.tax = krx.tax(Won(self.worth), issue.market, settlement)
        self.profit = self.worth - holding.cost - self.buying - self.selling - self.tax


def _state(desk: Desk, inputs: Inputs) -> AccountState | Refusal:
    return desk.exchange.account_state(inputs.get("계좌번호", "").strip())


def _refused(desk: Desk, refusal: Refusal) -> Result:
    return Result(text=message(desk, refusal.code, refusal.reason))


def _found(desk: Desk, rows: list[Row]) -> Result:
    return Result(rows=rows, text=_done(desk))


def _done(desk: Desk) -> str:
    return message(desk, "100000", _DONE)


def message(desk: Desk, code: str, text: str) -> str:
    """As the server words it."""
    return f"[{code}] 모의투자 {text}" if desk.is_mock else f"[{code}] {text}"


def _selected(known: Sequence[OrderRecord], only: str, side: Side | None, which: str) -> list[OrderRecord]:
    return [
        order
        for order in reversed(known)
        if order.status != codes.REFUSED
        and only in ("", order.symbol)
        and side in (None, order.side)
        and (which != "1" or order.open)
        and (which != "2" or order.filled)
    ]


def _terms(desk: Desk, order: OrderRecord) -> Row:
    return {
        "주문번호": order.number,
        "종목코드": order.symbol,
        "종목명": desk.board.issues[order.symbol].name,
        "주문상태": order.status,
        "주문수량": str(order.quantity),
        "주문가격": str(order.price),
        "미체결수량": str(order.open),
        "원주문번호": order.original or "0000000",
        "주문구분": order_words(order.action, order.side),
        "매매구분": codes.HOGA_NAMES[codes.HOGA[order.kind, order.validity]],
        "체결가": str(order.amount // order.filled) if order.filled else "0",
        "체결량": str(order.filled),
        "당일매매수수료": str(order.commission),
        "당일매매세금": str(order.tax),
    }


def _open_row(desk: Desk, account: str, order: OrderRecord) -> Row:
    marks, statistics = desk.board.tapes[order.symbol].marks, desk.exchange.statistics(order.symbol)
    return {
        **_terms(desk, order),
        "계좌번호": account,
        "시간": values.hhmmss(order.time),
        "체결누계금액": str(order.amount),
        "현재가": marks[statistics.last],
        "매도호가": marks[statistics.ask],
        "매수호가": marks[statistics.bid],
    }


def _fill_row(desk: Desk, order: OrderRecord) -> Row:
    return {**_terms(desk, order), "주문시간": values.hhmmss(order.sent)}


def _day_row(desk: Desk, order: OrderRecord) -> Row:
    numbers = {
        "주문수량": order.quantity,
        "주문단가": order.price,
        "체결수량": order.filled,
        "체결단가": order.amount // order.filled if order.filled else 0,
        "주문잔량": order.open,
    }
    return {
        "주문번호": order.number,
        "원주문": order.original or "0000000",
        "종목번호": f"{prefix(desk.board.issues[order.symbol])}{order.symbol}",
        "종목명": desk.board.issues[order.symbol].name,
        "매매구분": codes.HOGA_NAMES[codes.HOGA[order.kind, order.validity]],
        "신용구분": "보통매매",
        "주문구분": "현금매도" if order.side is Side.SELL else "현금매수",
        "정정취소": _CHANGES[order.action],
        "접수구분": codes.ACCEPTED,
        "주문시간": values.hh_mm_ss(order.sent),
        **{item: values.padded(number, 10) for item, number in numbers.items()},
    }


def _holding_row(desk: Desk, holding: Holding, valued: _Valued, total: int) -> Row:
    issue = desk.board.issues[holding.symbol]
    amounts = {
        "평가손익": valued.profit,
        "매입가": holding.cost // holding.quantity,
        "보유수량": holding.quantity,
        "매매가능수량": holding.sellable,
        "전일매수수량": 0,
        "전일매도수량": 0,
        "금일매수수량": holding.bought_today,
        "금일매도수량": holding.sold_today,
        "매입금액": holding.cost,
        "매입수수료": valued.buying,
        "평가금액": valued.worth,
        "평가수수료": valued.selling,
        "세금": valued.tax,
        "수수료합": valued.buying + valued.selling,
    }
    return {
        "종목번호": f"{prefix(issue)}{issue.symbol}",
        "종목명": issue.name,
        **{name: values.padded(amount) for name, amount in amounts.items()},
        "수익률(%)": _rate(desk, valued.profit, holding.cost),
        "전일종가": values.padded(issue.base_price, 12),
        "현재가": values.padded(holding.last, 12),
        "보유비중(%)": f"{holding.cost * 100 / total:.2f}" if total else "0.00",
        "신용구분": "00",
        "신용구분명": "",
        "대출일": "",
    }


def _rate(desk: Desk, profit: int, cost: int) -> str:
    """Two decimals with their point at the mock server, four without one at the real server."""
    rate = profit * 100 / cost if cost else 0.0
    return f"{rate:.2f}" if desk.is_mock else f"{round(rate * 10_000)}"
