"""Orders that may still trade or are not accounted for, issue by issue, and the won they bind."""

from collections.abc import Collection

from actors.account.order import Order
from actors.market import krx
from messages import Side, Symbol

_SELL = Side.SELL
_NONE: dict[int, Order] = {}


class Unsettled:
    """The part of a ledger that each order event moves; `commission` is the broker's rate, for what buys bind."""

    def __init__(self, commission: float) -> None:
        self._rate = commission
        self._unsettled: dict[int, Order] = {}
        self._about: dict[Symbol, dict[int, Order]] = {}
        """The same by issue; an issue without any is left out."""
        self._bound: dict[Symbol, int] = {}
        self._touched: dict[Symbol, None] = {}
        """Won reserved by issue, and the issues where it has to be counted anew."""
        self._reserved = 0

    @property
    def reserved(self) -> int:
        """Won that live buys bind, unknown ones too, with their commission."""
        if self._touched:
            self._recount()
        return self._reserved

    def reserved_in(self, symbol: Symbol) -> int:
        """The part of it that buys of one issue bind."""
        if self._touched:
            self._recount()
        return self._bound.get(symbol, 0)

    def binds(self, order: Order) -> int:
        """Won that the rest of one order binds."""
        if order.side is _SELL:
            return 0
        return self.cost_of(order.reserve, order.bound)

    def cost_of(self, price: int, quantity: int) -> int:
        """Won to pay for shares at a price, commission included."""
        amount = price * quantity
        return amount + krx.commission(amount, self._rate)

    def live(self, symbol: Symbol | None = None) -> tuple[Order, ...]:
        """Orders that may still trade, in the order of their numbers of approval."""
        among = self.unsettled(symbol)
        return tuple([order for order in among if order.live]) if among else ()

    def about(self, symbol: Symbol) -> Collection[Order]:
        """The unsettled orders of one issue as they stand: to look at, not to keep."""
        return self._about.get(symbol, _NONE).values()

    def ordered(self) -> Collection[Symbol]:
        """Issues with an unsettled order."""
        return self._about.keys()

    def unsettled(self, symbol: Symbol | None = None) -> tuple[Order, ...]:
        """Those, and the ones that are over with shares unaccounted for."""
        among = self._unsettled if symbol is None else self._about.get(symbol, _NONE)
        return tuple(among.values())

    def _file(self, order: Order) -> None:
        """Among the unsettled or not, and what it binds is to be counted anew."""
        symbol = order.symbol
        self._touched[symbol] = None
        about = self._about.setdefault(symbol, {})
        if order.settled:
            self._unsettled.pop(order.number, None)
            about.pop(order.number, None)
        else:
            self._unsettled[order.number] = about[order.number] = order
        if not about:
            del self._about[symbol]

    def _recount(self) -> None:
        for symbol in self._touched:
            bound = sum(map(self.binds, self._about.get(symbol, _NONE).values()))
            self._reserved += bound - self._bound.pop(symbol, 0)
            if bound:
                self._bound[symbol] = bound
        self._touched.clear()
