"""The broker in front of the exchange: checks requests, sends them on after a while, reports what becomes of them."""

import random
from collections.abc import Callable
from typing import Any

from actors.exchange.accounts import Account
from actors.exchange.book import MARKET, Order
from actors.exchange.events import OrderReport, Report
from actors.exchange.issue import Issue
from actors.exchange.market import Market
from actors.exchange.orders import CONFIRMED, RECEIVED, REFUSED, TRADED, BrokerOrder, Register
from actors.exchange.records import Refusal
from actors.exchange.terms import PRICED, check_price, check_terms
from actors.market import krx
from messages import Action, Kind, Nanoseconds, Shares, Side, Symbol, Validity, Won

_MILLISECOND = 1_000_000


class Broker:
    """Takes requests for one account."""

    def __init__(self, *, market: Market, account: Account, latency_ms: tuple[int, int], seed: int) -> None:
        self.account = account
        self.register = Register()
        self._market = market
        self._latency = (latency_ms[0] * _MILLISECOND, latency_ms[1] * _MILLISECOND)
        self._rng = random.Random(f"latency {seed}")
        self._arrival = 0

    def place(
        self,
        *,
        side: Side,
        kind: Kind,
        validity: Validity,
        symbol: Symbol,
        quantity: int,
        price: int,
        tag: str,
    ) -> str | Refusal:
        """Take a new order; its number, or why not."""
        refusal = check_terms(self._market.by_symbol.get(symbol), kind, validity, quantity, price)
        refusal = refusal or self.account.check(side, symbol, quantity, self._binding_price(symbol, kind, price))
        if refusal:
            return refusal
        order = BrokerOrder(
            number=self.register.next_number(),
            action=Action.NEW,
            symbol=symbol,
            side=side,
            kind=kind,
            validity=validity,
            quantity=quantity,
            price=price,
            tag=tag,
            time=self._market.now,
        )
        self.account.bind_shares(order, quantity)
        self._bind(order)
        return self._send(order, self._arrive)

    def cancel(self, *, original: str, quantity: int, tag: str) -> str | Refusal:
        """Ask to cancel `quantity` of an order, 0 for all that is open."""
        order = self._check_request(original, quantity)
        if isinstance(order, Refusal):
            return order
        request = self._follow(order, Action.CANCEL, quantity or order.open, order.price, tag)
        return self._send(request, self._arrive_cancel)

    def replace(self, *, original: str, quantity: int, price: int, tag: str) -> str | Refusal:
        """Ask to move `quantity`, 0 for all that is open, of an order to another price, under a new number."""
        order = self._check_request(original, quantity)
        if isinstance(order, Refusal):
            return order
        if order.kind not in PRICED:
            return Refusal(code="00Z237", reason="가격을 정정할 수 없는 호가입니다")
        if price == order.price:
            return Refusal(code="00Z240", reason="정정가격이 원주문가격과 같습니다")
        refusal = check_price(self._issue(order), order.kind, price) or self._check_cover(order, quantity, price)
        if refusal:
            return refusal
        request = self._follow(order, Action.REPLACE, quantity or order.open, price, tag)
        self.account.bind_difference(request, order)
        return self._send(request, self._arrive_replace)

    def filled(self, order: BrokerOrder, price: int, size: int, time: int) -> None:
        """The exchange matched an order of ours."""
        self.account.fill(order, self._issue(order).instrument, price, size)
        self._bind(order)
        order.status = TRADED
        number = self.register.add_fill(order, price, size, time)
        self._report(order, Report.FILLED, time, fill=number, fill_price=Won(price), fill_quantity=Shares(size))

    def convert_conditional(self) -> None:
        """At the start of the closing auction: resting 조건부지정가 orders become market orders."""
        for order in self._open_orders():
            if order.kind is Kind.CONDITIONAL and order.resting:
                size = order.resting.open
                issue = self._issue(order)
                issue.book.remove(order.resting)
                order.resting.open = size
                issue.book.wait(order.resting)
                issue.changed = True

    def expire(self) -> None:
        """The day is over: what is open dies, and what was asked of it too late is refused."""
        for order in self.register.requests.values():
            if order.open:
                self._end_rest(order, Report.EXPIRED)
            elif order.action is not Action.NEW and order.status == RECEIVED:
                self._reject(order, "장종료되었습니다")

    def _open_orders(self) -> list[BrokerOrder]:
        return [order for order in self.register.requests.values() if order.open]

    def _check_cover(self, order: BrokerOrder, quantity: int, price: int) -> Refusal | None:
        if order.side is Side.SELL:
            return None
        moved = quantity or order.open
        return self.account.check(order.side, order.symbol, moved, price, self.account.freed(order, moved))

    def _send(self, order: BrokerOrder, arrive: Callable[[BrokerOrder], None]) -> str:
        self.register.add(order)
        self._arrival = max(self._arrival + 1, self._market.now + self._rng.randint(*self._latency))
        self._market.plan(self._arrival, arrive, order)
        return order.number

    def _arrive(self, order: BrokerOrder) -> None:
        order.resting = self._market_order(order)
        reason = self._issue(order).admit(order.resting, order.kind, order.validity)
        if reason:
            self._reject(order, reason)
            return
        self._report(order, Report.ACCEPTED)
        self._submit(order, order.resting)

    def _submit(self, order: BrokerOrder, resting: Order) -> None:
        self._issue(order).submit(resting, order.kind, order.validity, self._market.now)
        if order.open and order.validity is not Validity.DAY:
            self._end_rest(order, Report.CANCELED)

    def _arrive_cancel(self, request: BrokerOrder) -> None:
        order = _original(request)
        size = min(request.quantity, order.open)
        if not size or order.resting is None:
            self._reject(request, "취소할 수량이 없습니다")
            return
        self._report(request, Report.ACCEPTED)
        self._withdraw(order, order.resting, size)
        self._confirm(request, order, Report.CANCELED, canceled=Shares(size))

    def _arrive_replace(self, request: BrokerOrder) -> None:
        order, resting = _original(request), self._market_order(request)
        size = min(request.quantity, order.open)
        if not size or order.resting is None:
            self._reject(request, "정정할 수량이 없습니다")
            return
        reason = self._issue(request).admit(resting, request.kind, request.validity)
        if reason:
            self._reject(request, reason)
            return
        self._report(request, Report.ACCEPTED)
        self._withdraw(order, order.resting, size)
        self._move(request, resting, size)
        self._confirm(request, order, Report.REPLACED)
        self._submit(request, resting)

    def _move(self, request: BrokerOrder, resting: Order, size: int) -> None:
        request.quantity = request.open = resting.open = size
        resting.owner, request.resting = request, resting
        self.account.bind_shares(request, size)
        self._bind(request)

    def _confirm(self, request: BrokerOrder, order: BrokerOrder, report: Report, **more: Any) -> None:
        request.status = CONFIRMED
        self._report(request, report, **more)
        self._report(order, Report.CLEARED)

    def _withdraw(self, order: BrokerOrder, resting: Order, size: int) -> None:
        issue = self._issue(order)
        if size == resting.open:
            issue.book.remove(resting)
        else:
            issue.book.reduce(resting, size)
        issue.changed = True
        order.open -= size
        self.account.bind_shares(order, -size)
        self._bind(order)

    def _end_rest(self, order: BrokerOrder, report: Report) -> None:
        size = order.open
        self.account.bind_shares(order, -size)
        order.open = 0
        self._bind(order)
        self._report(order, report, canceled=Shares(size))

    def _reject(self, order: BrokerOrder, reason: str) -> None:
        self.account.bind_shares(order, -order.open)
        order.open = 0
        self.account.release(order)
        order.status, order.reason = REFUSED, reason
        self._report(order, Report.REJECTED, reason=reason)

    def _issue(self, order: BrokerOrder) -> Issue:
        return self._market.by_symbol[order.symbol]

    def _market_order(self, order: BrokerOrder) -> Order:
        index = self._issue(order).book.index_of[order.price] if order.kind in PRICED else MARKET
        return Order(order.side is Side.BUY, index, order.open, order)

    def _bind(self, order: BrokerOrder) -> None:
        self.account.bind(order, self._binding_price(order.symbol, order.kind, order.price))

    def _binding_price(self, symbol: Symbol, kind: Kind, price: int) -> int:
        return krx.reserve_price(kind, price, self._market.by_symbol[symbol].instrument.upper_limit)

    def _check_request(self, original: str, quantity: int) -> Refusal | BrokerOrder:
        order = self.register.requests.get(original)
        if order is None:
            return Refusal(code="00Z219", reason=f"원주문번호가 없습니다: {original}")
        if not self._issue(order).accepts():
            return Refusal(code="00Z218", reason="주문 접수 시간이 아닙니다")
        if not order.open:
            return Refusal(code="00Z220", reason="정정/취소할 수량이 없습니다")
        if quantity < 0 or quantity > order.open:
            return Refusal(code="00Z924", reason="정정/취소수량이 미체결수량을 초과합니다")
        return order

    def _follow(self, order: BrokerOrder, action: Action, quantity: int, price: int, tag: str) -> BrokerOrder:
        request = BrokerOrder(
            number=self.register.next_number(),
            action=action,
            symbol=order.symbol,
            side=order.side,
            kind=order.kind,
            validity=order.validity,
            quantity=quantity,
            price=price,
            tag=tag,
            time=self._market.now,
            original=order,
        )
        request.open = 0
        return request

    def _report(self, order: BrokerOrder, report: Report, at: int = 0, **more: Any) -> None:
        order.time = time = at or self._market.now
        self._market.events.append(
            OrderReport(
                time=Nanoseconds(time),
                account=self.account.number,
                report=report,
                action=order.action,
                number=order.number,
                original=order.original.number if order.original else "",
                tag=order.tag,
                symbol=order.symbol,
                side=order.side,
                kind=order.kind,
                validity=order.validity,
                quantity=Shares(order.quantity),
                price=Won(order.price),
                open=Shares(order.open),
                filled=Shares(order.filled),
                amount=Won(order.amount),
                commission=Won(order.commission),
                tax=Won(order.tax),
                **more,
            )
        )


def _original(request: BrokerOrder) -> BrokerOrder:
    assert request.original is not None
    return request.original
