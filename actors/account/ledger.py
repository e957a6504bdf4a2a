"""The ledger: one pure fold over messages gives cash, positions, lots, open orders and what they bind."""

from collections.abc import Iterator
from hashlib import sha256

import msgspec

from actors.account import order as orders
from actors.account.holding import Holding
from actors.account.order import Order
from actors.market import krx
from actors.market.time import kst
from messages import (
    ApprovedOrder,
    ApprovedReplace,
    Instrument,
    OrderEvent,
    OrderFilled,
    Position,
    PositionAdjusted,
    Reconciled,
    Shares,
    Side,
    Symbol,
    Won,
)

Booked = ApprovedOrder | ApprovedReplace | OrderEvent | PositionAdjusted | Reconciled | Instrument
"""What a ledger folds. Every keeper of a copy handles all of it, in the order of its numbers."""

FOREIGN = ""
"""Owner of the shares that no strategy of ours bought."""


class Ledger:
    """Won and shares of one account. Pure: the same messages give the same ledger, wherever they are folded.

    `commission` is the broker's rate, for the cash that open orders bind; what was paid comes from the fills.
    Figures of the day (`realised`, `commission`, `tax`, `opening`, `high`, `losers`) begin anew with the
    first reconciliation on another Korean date.
    """

    def __init__(self, *, commission: float = 0.00015) -> None:
        self.number = 0
        """Of the newest message folded; older ones are ignored."""
        self.orders: dict[int, Order] = {}
        self.holdings: dict[Symbol, dict[str, Holding]] = {}
        """By issue and owner; those sold out stay until the day ends."""
        self.prices: dict[Symbol, int] = {}
        self.cash = self.realised = self.commission = self.tax = 0
        self.day = ""
        self.opening = self.high = 0
        """Equity at the first reconciliation of the day, and the highest since."""
        self.losers = 0
        """Round trips in a row that lost money, costs included."""
        self._rate = commission
        self._unsettled: dict[int, Order] = {}
        self._limits: dict[Symbol, int] = {}
        self._equity: int | None = None
        self._reserved: int | None = None

    def fold(self, message: Booked, number: int) -> tuple[str, ...]:
        """Book one message; returns what is odd about it, in words, and books it all the same."""
        if number <= self.number:
            return ()
        self.number = number
        self._equity = self._reserved = None
        match message:
            case ApprovedOrder():
                self._approve(message, number)
            case ApprovedReplace():
                self._change(message)
            case Instrument():
                self._limits[message.symbol] = message.upper_limit
            case PositionAdjusted():
                self._adjust(message.symbol, message.quantity, message.cost)
                self.cash += message.cash
            case Reconciled():
                self._reconcile(message)
            case OrderEvent():
                return self._event(message)
        return ()

    def foresee(self, message: ApprovedOrder | ApprovedReplace) -> None:
        """Count an approval before its message comes round, so that no won is promised twice."""
        self._reserved = None
        if isinstance(message, ApprovedOrder):
            self._approve(message, 0)
        else:
            self._change(message)

    def mark(self, symbol: Symbol, price: int) -> None:
        """Take the newest price of an issue."""
        self.prices[symbol] = price
        if symbol in self.holdings:
            self._equity = None

    def touch(self) -> int:
        """The equity at the newest prices, remembered if it is the day's highest."""
        equity = self.equity
        self.high = max(self.high, equity)
        return equity

    @property
    def equity(self) -> int:
        """Cash and holdings at the newest price, at cost where none came yet."""
        if self._equity is None:
            self._equity = self.cash + sum(self.worth(symbol, holding) for symbol, _, holding in self.each())
        return self._equity

    @property
    def unrealised(self) -> int:
        """Worth of the holdings less their cost."""
        return sum(self.worth(symbol, holding) - holding.cost for symbol, _, holding in self.each())

    @property
    def reserved(self) -> int:
        """Won that live buys bind, unknown ones too, with their commission."""
        if self._reserved is None:
            self._reserved = sum(self.binds(order) for order in self._unsettled.values())
        return self._reserved

    def binds(self, order: Order) -> int:
        """Won that the rest of one order binds."""
        if order.side is Side.SELL:
            return 0
        return self.cost_of(order.reserve, order.bound)

    def cost_of(self, price: int, quantity: int) -> int:
        """Won to pay for shares at a price, commission included."""
        amount = price * quantity
        return amount + krx.commission(amount, self._rate)

    def live(self, symbol: Symbol | None = None) -> Iterator[Order]:
        """Orders that may still trade, in the order of their numbers of approval."""
        return (order for order in self.unsettled(symbol) if order.live)

    def unsettled(self, symbol: Symbol | None = None) -> Iterator[Order]:
        """Those, and the ones that are over with shares unaccounted for."""
        return (order for order in tuple(self._unsettled.values()) if symbol is None or order.symbol == symbol)

    def each(self) -> Iterator[tuple[Symbol, str, Holding]]:
        """Issue, owner and holding, for all that is held."""
        for symbol, owners in self.holdings.items():
            for owner, holding in owners.items():
                if holding.quantity:
                    yield symbol, owner, holding

    def held(self, symbol: Symbol) -> int:
        """Shares of an issue, whoever owns them."""
        return sum(holding.quantity for holding in self.holdings.get(symbol, {}).values())

    def worth(self, symbol: Symbol, holding: Holding) -> int:
        """Won at the newest price, at cost where none came yet."""
        price = self.prices.get(symbol, 0)
        return holding.quantity * price if price else holding.cost

    def lots(self, strategy: str, symbol: Symbol) -> Holding:
        """What one owner has of an issue."""
        return self.holdings.get(symbol, {}).get(strategy) or Holding()

    def sellable(self, strategy: str, symbol: Symbol, besides: int = 0) -> int:
        """Shares an owner has, less those it already offers; order `besides` left out of account."""
        offered = (o.bound for o in self.unsettled(symbol) if _offers(o, strategy) and o.number != besides)
        return self.lots(strategy, symbol).quantity - sum(offered)

    def positions(self) -> tuple[Position, ...]:
        """Holdings by issue."""
        return tuple(self._position(symbol) for symbol in sorted(self.holdings) if self.held(symbol))

    def digest(self) -> str:
        """Equal for two ledgers that folded the same messages; prices and approvals only foreseen don't count."""
        holdings = sorted((symbol, owner, h.quantity, h.cost, h.result) for symbol, owner, h in self.each())
        known = [_digested(order) for _, order in sorted(self.orders.items()) if order.approval or order.broker_orders]
        figures = (self.cash, self.realised, self.commission, self.tax, self.losers, self.day)
        return sha256(msgspec.json.encode((figures, holdings, known))).hexdigest()

    def _approve(self, message: ApprovedOrder, number: int) -> None:
        known = self.orders.get(message.order)
        if known is not None:
            known.approval = known.approval or number
            return
        order = orders.approved(message, number, self._limits.get(message.symbol, 0))
        self.orders[order.number] = self._unsettled[order.number] = order

    def _change(self, message: ApprovedReplace) -> None:
        order = self.orders.get(message.order)
        if order is not None and order.replacing != message.number:
            order.wants(message.number, message.quantity, message.price)

    def _event(self, event: OrderEvent) -> tuple[str, ...]:
        order = self.orders.get(event.order)
        if order is None and isinstance(event, OrderFilled):
            order = self.orders[event.order] = orders.unheard_of(event)
        if order is None:
            return (f"{type(event).__name__} of order {event.order}, which nobody approved",)
        odd: tuple[str, ...] = ()
        if isinstance(event, OrderFilled):
            odd = self._fill(order, event)
        else:
            order.learn(event)
        order.time = max(order.time, event.time)
        if order.settled:
            self._unsettled.pop(order.number, None)
        else:
            self._unsettled[order.number] = order
        return odd

    def _fill(self, order: Order, fill: OrderFilled) -> tuple[str, ...]:
        order.know(fill.broker_order)
        quantity = max(fill.filled - order.filled, 0)
        amount = max(fill.amount - order.amount, 0)
        commission, tax = max(fill.commission - order.commission, 0), max(fill.tax - order.tax, 0)
        order.filled_to(order.filled + quantity, order.amount + amount)
        order.commission, order.tax = order.commission + commission, order.tax + tax
        self._book(order, quantity, amount, commission + tax)
        self.commission += commission
        self.tax += tax
        if quantity and order.filled > order.quantity:
            return (f"order {order.number}: {order.filled} filled of {order.quantity} asked for",)
        return ()

    def _book(self, order: Order, quantity: int, amount: int, costs: int) -> None:
        sign = 1 if order.side is Side.BUY else -1
        self.cash -= sign * amount + costs
        holding = self.holdings.setdefault(order.symbol, {}).setdefault(order.strategy, Holding())
        if quantity:
            realised = holding.trade(sign * quantity, amount)
            self.realised += realised
            holding.result += realised
        holding.result -= costs
        if quantity and not holding.quantity:
            self.losers = self.losers + 1 if holding.result < 0 else 0
            holding.result = 0

    def _reconcile(self, message: Reconciled) -> None:
        if message.start:
            self._take_over(message)
        self._begin_day(kst(message.time).date().isoformat())

    def _take_over(self, message: Reconciled) -> None:
        broker = {position.symbol: position for position in message.positions}
        for symbol in sorted({*broker, *self.holdings}):
            position = broker.get(symbol)
            self._adjust(symbol, position.quantity if position else 0, position.cost if position else 0)
            if position and position.last:
                self.prices[symbol] = position.last
        self.cash = message.cash

    def _begin_day(self, day: str) -> None:
        if day == self.day:
            return
        self.day = day
        self.realised = self.commission = self.tax = self.losers = 0
        self.opening = self.high = self.equity
        self.orders = {n: o for n, o in self.orders.items() if not o.settled or kst(o.time).date().isoformat() == day}
        held = {symbol: {o: h for o, h in owners.items() if h.quantity} for symbol, owners in self.holdings.items()}
        self.holdings = {symbol: owners for symbol, owners in held.items() if owners}

    def _adjust(self, symbol: Symbol, quantity: int, cost: int) -> None:
        """Strangers' shares come and go first; where the count agrees, our cost is the better one."""
        missing = self.held(symbol) - quantity
        if not missing:
            return
        owners = self.holdings.setdefault(symbol, {})
        foreign = owners.setdefault(FOREIGN, Holding())
        ours = [holding for owner, holding in sorted(owners.items()) if owner != FOREIGN]
        for holding in (foreign, *ours):
            gone = min(max(holding.quantity, 0), max(missing, 0))
            if gone:
                holding.reset(holding.quantity - gone, holding.cost - holding.cost * gone // holding.quantity)
            missing -= gone
        if missing:
            foreign.reset(foreign.quantity - missing, max(cost - sum(h.cost for h in ours), 0))

    def _position(self, symbol: Symbol) -> Position:
        own = self.holdings[symbol].values()
        return Position(
            symbol=symbol,
            quantity=Shares(sum(h.quantity for h in own)),
            cost=Won(sum(h.cost for h in own)),
            last=Won(self.prices.get(symbol, 0)),
            foreign=Shares(self.lots(FOREIGN, symbol).quantity),
        )


def _offers(order: Order, strategy: str) -> bool:
    return order.side is Side.SELL and order.strategy == strategy


def _digested(order: Order) -> tuple[object, ...]:
    figures = (order.quantity, order.filled, order.amount, order.commission, order.tax, order.canceled)
    return (order.number, order.phase, *figures, *order.broker_orders)
