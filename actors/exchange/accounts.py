"""An account at the broker: cash, holdings, what open orders bind, fees and tax to the won."""

import datetime as dt
from collections.abc import Iterable

from actors.exchange.orders import BrokerOrder
from actors.exchange.records import Holding, Refusal
from actors.market import krx
from messages import Action, Instrument, Shares, Side, Symbol, Won


class Lot:
    """What is held of one issue."""

    __slots__ = ("bought", "cost", "overnight", "quantity", "selling", "sold")

    def __init__(self, quantity: int = 0, cost: int = 0) -> None:
        self.quantity = self.overnight = quantity
        self.cost = cost
        self.bought = self.sold = self.selling = 0

    def sell(self, size: int) -> int:
        """Take shares out; the cost that leaves with them, in proportion, floored to the won."""
        cost = self.cost * size // self.quantity
        self.quantity -= size
        self.cost -= cost
        self.sold += size
        return cost


class Account:
    """Books what the exchange reports; never asked to do what it has not checked before."""

    def __init__(
        self,
        *,
        number: str,
        deposit: int,
        rate: float,
        settlement: dt.date,
        positions: Iterable[tuple[Symbol, int, Won]] = (),
    ) -> None:
        self.number = number
        self.deposit = deposit
        self.reserved = self.bought = self.sold = self.realised = self.commission = self.tax = 0
        self.lots = {symbol: Lot(quantity, quantity * price) for symbol, quantity, price in positions}
        self._rate = rate
        self._settlement = settlement

    @property
    def settled(self) -> int:
        """d+2추정예수금."""
        return self.deposit + self.sold - self.bought - self.commission - self.tax

    @property
    def orderable(self) -> int:
        """100%종목주문가능금액."""
        return self.settled - self.reserved

    @property
    def orderable_deposit(self) -> int:
        """주문가능금액: never more than the deposit leaves."""
        return max(min(self.settled, self.deposit) - self.reserved, 0)

    def check(self, side: Side, symbol: Symbol, quantity: int, price: int, freed: int = 0) -> Refusal | None:
        """Whether the account covers an order at the price that binds cash, `freed` won given back."""
        if side is Side.SELL:
            lot = self.lots.get(symbol)
            sellable = lot.quantity - lot.selling if lot else 0
            if quantity > sellable:
                return Refusal(code="00Z211", reason=f"매도가능수량이 부족합니다. {sellable}주 매도가능")
            return None
        need = price * quantity + krx.commission(price * quantity, self._rate)
        if need > self.orderable + freed:
            return Refusal(code="00Z210", reason=f"주문가능금액이 부족합니다. {self.orderable + freed}원 주문가능")
        return None

    def bind(self, order: BrokerOrder, price: int) -> None:
        """Reserve for what is open of an order, `price` won a share; call it after each change of `open`."""
        if order.side is Side.SELL:
            return
        reserved = self._needed(order, price, order.open)
        self.reserved += reserved - order.reserved
        order.reserved = reserved

    def bind_difference(self, request: BrokerOrder, original: BrokerOrder) -> None:
        """While a modification is on its way: reserve what it needs beyond what it moves."""
        if request.side is Side.BUY:
            amount = request.price * request.quantity
            freed = self.freed(original, request.quantity)
            request.reserved = max(amount + krx.commission(amount, self._rate) - freed, 0)
            self.reserved += request.reserved

    def freed(self, order: BrokerOrder, size: int) -> int:
        """What a purchase at a price of its own gives back when `size` of it, at most what is open, is moved."""
        return order.reserved - self._needed(order, order.price, order.open - size)

    def release(self, order: BrokerOrder) -> None:
        """Give back all that an order binds."""
        self.reserved -= order.reserved
        order.reserved = 0

    def bind_shares(self, order: BrokerOrder, change: int) -> None:
        """Count shares of a sell order as being sold, or no longer."""
        if order.side is Side.SELL:
            self.lots[order.symbol].selling += change

    def fill(self, order: BrokerOrder, instrument: Instrument, price: int, size: int) -> None:
        """Book a fill: on the order, then on cash and shares."""
        amount = price * size
        order.open -= size
        order.filled += size
        order.amount += amount
        self._charge(order, instrument)
        lot = self.lots.setdefault(order.symbol, Lot())
        if order.side is Side.BUY:
            self.bought += amount
            lot.quantity += size
            lot.cost += amount
            lot.bought += size
        else:
            self.sold += amount
            lot.selling -= size
            self.realised += amount - lot.sell(size)

    def holding(self, symbol: Symbol, last: int) -> Holding:
        lot = self.lots[symbol]
        return Holding(
            symbol=symbol,
            quantity=Shares(lot.quantity),
            sellable=Shares(lot.quantity - lot.selling),
            cost=Won(lot.cost),
            last=Won(last),
            bought_today=Shares(lot.bought),
            sold_today=Shares(lot.sold),
            overnight=Shares(lot.overnight),
        )

    def _needed(self, order: BrokerOrder, price: int, size: int) -> int:
        rest = price * size
        return rest + krx.commission(order.amount + rest, self._rate) - krx.commission(order.amount, self._rate)

    def _charge(self, order: BrokerOrder, instrument: Instrument) -> None:
        assert order.action is not Action.CANCEL
        commission = krx.commission(order.amount, self._rate)
        self.commission += commission - order.commission
        order.commission = commission
        if order.side is Side.SELL:
            tax = krx.tax(order.amount, instrument.market, self._settlement)
            self.tax += tax - order.tax
            order.tax = tax
