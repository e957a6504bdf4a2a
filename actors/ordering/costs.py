"""What trades cost, where no record tells it."""

from collections.abc import Iterable
from typing import Final

from actors.account.ledger import Ledger
from actors.account.order import Order
from actors.market import krx
from actors.market.calendar import Calendar
from actors.market.time import kst
from messages import Market, Side, Symbol, Won

_ROUNDING: Final = 10
"""Won by which a broker's commission may be rounded otherwise, an order."""


def tax(ledger: Ledger, symbol: Symbol, side: Side, amount: int, now: int) -> Won:
    """Of a trade of today, at the rate of the day it settles on."""
    if side is Side.BUY:
        return Won(0)
    return krx.tax(amount, ledger.markets.get(symbol, Market.KOSPI), Calendar().taxed_on(kst(now).date()))


def untold(ledger: Ledger, orders: Iterable[Order], now: int) -> int:
    """Won that these orders of today may have cost beyond what was told of them."""
    return sum(_untold(ledger, order, now) for order in orders if order.filled)


def _untold(ledger: Ledger, order: Order, now: int) -> int:
    commission = ledger.cost_of(order.amount, 1) - order.amount
    costs = commission + tax(ledger, order.symbol, order.side, order.amount, now)
    return max(costs - order.commission - order.tax, 0) + _ROUNDING
