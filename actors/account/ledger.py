"""The ledger: one pure fold over messages gives cash, positions, lots, open orders and what they bind."""

from collections.abc import Iterator, Mapping
from copy import copy
from hashlib import sha256

import msgspec

from actors.account import order as orders
from actors.account.holding import Holding
from actors.account.order import Order
from actors.account.unsettled import Unsettled
from actors.market.time import kst
from messages import (
    Action,
    ApprovedOrder,
    ApprovedReplace,
    CashAdjusted,
    ExternalOrderSeen,
    Instrument,
    Market,
    OrderEvent,
    OrderFilled,
    OrderSubmitting,
    Position,
    PositionAdjusted,
    Reconciled,
    Shares,
    Side,
    Symbol,
    Won,
)

Booked = (
    ApprovedOrder
    | ApprovedReplace
    | OrderEvent
    | PositionAdjusted
    | CashAdjusted
    | Reconciled
    | Instrument
    | ExternalOrderSeen
)
"""What a ledger folds. Every keeper of a copy handles all of it, in the order of its numbers."""

FOREIGN = ""
"""Owner of the shares that no strategy of ours bought."""

LIVE = ("record", "jump")
"""Sources of fills that the broker's live records told."""

_NOBODY: dict[str, Holding] = {}


class Ledger(Unsettled):
    """Won and shares of one account. Pure: the same messages give the same ledger, wherever they are folded.

    `commission` is the broker's rate, for the cash that open orders bind; what was paid comes from the fills.
    Figures of the day (`realised`, `commission`, `tax`, `opening`, `high`, `losers`) begin anew with the
    first reconciliation on another Korean date.
    """

    def __init__(self, *, commission: float = 0.00015) -> None:
        super().__init__(commission)
        self.number = 0
        """Of the newest message folded; older ones are ignored."""
        self.orders: dict[int, Order] = {}
        self.holdings: dict[Symbol, dict[str, Holding]] = {}
        """By issue and owner; those sold out stay until the day ends."""
        self.markets: dict[Symbol, Market] = {}
        self.prices: dict[Symbol, int] = {}
        self.cash = self.realised = self.commission = self.tax = 0
        self.day = ""
        self.opening = self.high = 0
        """Equity at the first reconciliation of the day, and the highest since, with what was laid in or taken out."""
        self.losers = 0
        """Round trips in a row that lost money, costs included."""
        self.strangers: dict[tuple[str, str], int] = {}
        """By Korean date and the broker's number: which message first told of an order nobody here placed."""
        self.limits: dict[Symbol, int] = {}
        self._worths: dict[Symbol, int] = {}
        self._equity: int | None = None

    def fold(self, message: Booked, number: int) -> tuple[str, ...]:
        """Book one message; returns what is odd about it, in words, and books it all the same."""
        if number <= self.number:
            return ()
        self.number = number
        self._equity = None
        match message:
            case ApprovedOrder():
                self._approve(message, number)
            case ApprovedReplace():
                self._change(message)
            case Instrument():
                self.limits[message.symbol] = message.upper_limit
                self.markets[message.symbol] = message.market
            case PositionAdjusted():
                self._adjust(message.symbol, message.quantity, message.cost)
                self.cash += message.cash
            case CashAdjusted():
                self._move_cash(message)
            case Reconciled():
                self._reconcile(message)
            case ExternalOrderSeen():
                self.strangers.setdefault(orders.of_its_day(message.time, message.broker_order), number)
            case OrderEvent():
                return self._event(message, number)
        return ()

    def foresee(self, message: ApprovedOrder | ApprovedReplace) -> None:
        """Count an approval before its message comes round, so that no won is promised twice."""
        if isinstance(message, ApprovedOrder):
            self._approve(message, 0)
        else:
            self._change(message)

    def mark(self, symbol: Symbol, price: int) -> None:
        """Take the newest price of an issue."""
        was = self.prices.get(symbol, 0)
        if was == price:
            return
        self.prices[symbol] = price
        if self._equity is None or symbol not in self._worths:
            return
        if not was or not price:
            self._equity = None
            return
        change = self.held(symbol) * (price - was)
        self._worths[symbol] += change
        self._equity += change

    def touch(self) -> int:
        """The equity at the newest prices, remembered if it is the day's highest."""
        equity = self.equity
        self.high = max(self.high, equity)
        return equity

    @property
    def equity(self) -> int:
        """Cash and holdings at the newest price, at cost where none came yet."""
        return self._weigh() if self._equity is None else self._equity

    @property
    def worths(self) -> Mapping[Symbol, int]:
        """Won that all shares of each issue are worth, whoever owns them."""
        if self._equity is None:
            self._weigh()
        return self._worths

    @property
    def unrealised(self) -> int:
        """Worth of the holdings less their cost."""
        return sum(self.worth(symbol, holding) - holding.cost for symbol, _, holding in self.each())

    def each(self) -> Iterator[tuple[Symbol, str, Holding]]:
        """Issue, owner and holding, for all that is held."""
        for symbol, owners in self.holdings.items():
            for owner, holding in owners.items():
                if holding.quantity:
                    yield symbol, owner, holding

    def held(self, symbol: Symbol) -> int:
        """Shares of an issue, whoever owns them."""
        shares = 0
        for holding in self.holdings.get(symbol, _NOBODY).values():
            shares += holding.quantity
        return shares

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

    def _weigh(self) -> int:
        self._worths = dict.fromkeys(self.holdings, 0)
        for symbol, _, holding in self.each():
            self._worths[symbol] += self.worth(symbol, holding)
        self._equity = self.cash + sum(self._worths.values())
        return self._equity

    def _approve(self, message: ApprovedOrder, number: int) -> None:
        known = self._own(message.order)
        if known is not None:
            known.approval = known.approval or number
            self._keep(known)
            return
        self._keep(orders.approved(message, number, self.limits.get(message.symbol, 0)))

    def _change(self, message: ApprovedReplace) -> None:
        order = self._own(message.order)
        if order is not None and order.replacing != message.number:
            order.wants(message.number, message.price)
            self._keep(order)

    def _event(self, event: OrderEvent, number: int) -> tuple[str, ...]:
        order = self._own(event.order)
        if order is None and isinstance(event, OrderFilled):
            order = orders.unheard_of(event)
        if order is None:
            return (f"{type(event).__name__} of order {event.order}, which nobody approved",)
        odd: tuple[str, ...] = ()
        if isinstance(event, OrderFilled):
            odd = self._fill(order, event)
        else:
            order.learn(event)
        if isinstance(event, OrderSubmitting) and event.action is Action.NEW:
            order.submission = number
        if order.broker_orders and not order.numbered:
            order.numbered = number
        order.time = max(order.time, event.time)
        self._keep(order)
        return odd

    def _own(self, number: int) -> Order | None:
        """An order to write on: of one that is shared with other ledgers, a copy."""
        order = self.orders.get(number)
        return copy(order) if order is not None and order.settled else order

    def _keep(self, order: Order) -> None:
        self.orders[order.number] = orders.shared(order) if order.settled else order
        self._file(order)

    def _fill(self, order: Order, fill: OrderFilled) -> tuple[str, ...]:
        order.know(fill.broker_order)
        if fill.source in LIVE:
            order.hear(fill)
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
            holding.since = holding.since if holding.quantity else self.number
            realised = holding.trade(sign * quantity, amount)
            self.realised += realised
            holding.result += realised
        holding.result -= costs
        if quantity and not holding.quantity:
            self.losers = self.losers + 1 if holding.result < 0 else 0
            holding.result = 0

    def _reconcile(self, message: Reconciled) -> None:
        if not self.day:
            self._take_over(message)
        for position in message.positions:
            if position.last and (message.start or not self.prices.get(position.symbol)):
                self.prices[position.symbol] = position.last
        self._begin_day(kst(message.time).date().isoformat())
        self.high = max(self.high, self._equity_at({p.symbol: p.last for p in message.positions if p.last}))

    def _equity_at(self, prices: dict[Symbol, Won]) -> int:
        """At the broker's prices, which the journal keeps: the day's highest survives a restart to the minute."""
        known = self.prices | prices
        return self.cash + sum(h.quantity * known[s] if known.get(s) else h.cost for s, _, h in self.each())

    def _take_over(self, message: Reconciled) -> None:
        broker = {position.symbol: position for position in message.positions}
        for symbol in sorted({*broker, *self.holdings}):
            position = broker.get(symbol)
            self._adjust(symbol, position.quantity if position else 0, position.cost if position else 0)
        self.cash = message.cash

    def _begin_day(self, day: str) -> None:
        if day == self.day:
            return
        self.day = day
        self.realised = self.commission = self.tax = self.losers = 0
        self.opening = self.high = self.equity
        self.orders = {n: o for n, o in self.orders.items() if not o.settled or kst(o.time).date().isoformat() == day}
        self.strangers = {key: number for key, number in self.strangers.items() if key[0] == day}
        held = {symbol: {o: h for o, h in owners.items() if h.quantity} for symbol, owners in self.holdings.items()}
        self.holdings = {symbol: owners for symbol, owners in held.items() if owners}

    def _move_cash(self, message: CashAdjusted) -> None:
        """What is no cost of trades was neither won nor lost, so losses are measured from as much more or less."""
        self.cash += message.cash
        if not message.costs:
            self.opening += message.cash
            self.high += message.cash

    def _adjust(self, symbol: Symbol, quantity: int, cost: int) -> None:
        """Strangers' shares come and go first; where the count agrees, our cost is the better one."""
        missing = self.held(symbol) - quantity
        if not missing:
            return
        if self._is_divided(symbol, quantity, cost):
            self._divide(symbol, quantity)
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
            foreign.since = foreign.since if foreign.quantity else self.number
            foreign.reset(foreign.quantity - missing, max(cost - sum(h.cost for h in ours), 0))

    def _is_divided(self, symbol: Symbol, quantity: int, cost: int) -> bool:
        """Whether other shares stand for the same cost (a split, a merger, a dividend), as far as it was rounded."""
        owned = [holding for holding in self.holdings.get(symbol, _NOBODY).values() if holding.quantity]
        if not owned or any(holding.quantity < 0 for holding in owned):
            return False
        held, paid = sum(holding.quantity for holding in owned), sum(holding.cost for holding in owned)
        away = abs(cost - paid)
        return quantity > 0 and away <= max(quantity, held) and 2 * away * held < paid * abs(quantity - held)

    def _divide(self, symbol: Symbol, quantity: int) -> None:
        """Each owner has its part of the new shares at its old cost; prices of before are none of theirs."""
        held, counted = self.held(symbol), 0
        for _, holding in sorted(self.holdings[symbol].items()):
            before = quantity * counted // held
            counted += holding.quantity
            after = quantity * counted // held - before
            holding.reset(after, holding.cost if after else 0)
            holding.since = self.number
        self.prices.pop(symbol, None)

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
    figures = (order.quantity, order.filled, order.amount, order.commission, order.tax, order.canceled, order.lapsed)
    return (order.number, order.phase, *figures, *order.broker_orders)
