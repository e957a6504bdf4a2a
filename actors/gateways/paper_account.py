"""The account of a paper broker: cash, holdings, what open orders bind, fees and tax to the won."""

import datetime as dt
from collections.abc import Iterable

from actors.gateways.paper_queue import PaperFill, PaperOrder
from actors.gateways.port import BrokerOrder, BrokerPosition
from actors.market import krx
from messages import Instrument, Nanoseconds, Shares, Symbol, Won


class PaperAccount:
    """Booked at the fill; a sale pays the next purchase at once."""

    def __init__(self, cash: int, rate: float) -> None:
        self.cash = cash
        """Counting every trade as settled."""
        self.held: dict[Symbol, int] = {}
        self._cost: dict[Symbol, int] = {}
        self._rate = rate

    def refuses(self, order: PaperOrder, others: Iterable[PaperOrder], instruments: dict[Symbol, Instrument]) -> str:
        """Why the account cannot carry an order beside the `others` that are open; blank where it can."""
        symbol = order.instruction.symbol
        if order.buys:
            free = self.cash - sum(self.bound(other, instruments) for other in others if other.buys)
            need = self.bound(order, instruments)
            if not need:
                return f"{symbol}: 상한가를 모릅니다"
            return f"주문가능금액 부족: {need} won needed, {free} free" if need > free else ""
        selling = sum(o.open for o in others if not o.buys and o.instruction.symbol == symbol)
        free = self.held.get(symbol, 0) - selling
        return f"매도가능수량 부족: {order.open} to sell, {free} free" if order.open > free else ""

    def bound(self, order: PaperOrder, instruments: dict[Symbol, Instrument]) -> int:
        """Won that what is open of a buy order binds."""
        request = order.instruction
        price = order.price or instruments[request.symbol].upper_limit
        amount = krx.reserve_price(request.kind, price, instruments[request.symbol].upper_limit) * order.open
        return amount + krx.commission(order.amount + amount, self._rate) - order.commission

    def book(self, fill: PaperFill, instrument: Instrument, taxed_on: dt.date) -> None:
        """The order's amount is grown already; its fees and tax become those of the new amount."""
        order, price, quantity = fill
        commission = krx.commission(order.amount, self._rate)
        tax = 0 if order.buys else krx.tax(order.amount, instrument.market, taxed_on)
        self.cash -= commission - order.commission + tax - order.tax
        order.commission, order.tax = commission, tax
        symbol = instrument.symbol
        held, cost = self.held.get(symbol, 0), self._cost.get(symbol, 0)
        if order.buys:
            self.cash -= price * quantity
            self.held[symbol], self._cost[symbol] = held + quantity, cost + price * quantity
        else:
            self.cash += price * quantity
            self.held[symbol], self._cost[symbol] = held - quantity, cost - cost * quantity // held

    def positions(self, last: dict[Symbol, int]) -> tuple[BrokerPosition, ...]:
        return tuple(
            BrokerPosition(
                symbol=symbol,
                quantity=Shares(quantity),
                average_price=Won(self._cost[symbol] // quantity),
                cost=Won(self._cost[symbol]),
                last=Won(last.get(symbol, 0)),
            )
            for symbol, quantity in self.held.items()
            if quantity
        )


def record(order: PaperOrder) -> BrokerOrder:
    """As the broker's own list has it."""
    request = order.instruction
    return BrokerOrder(
        broker_order=order.number,
        original=order.original,
        symbol=request.symbol,
        side=request.side,
        quantity=request.quantity,
        price=Won(order.price),
        open=Shares(order.open),
        filled=Shares(order.filled),
        amount=Won(order.amount),
        commission=Won(order.commission),
        tax=Won(order.tax),
        time=Nanoseconds(order.arrived),
        status="체결" if order.filled and not order.open else "접수",
    )
