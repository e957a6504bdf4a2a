"""What every strategy has: its codes, its own lots, its open orders and the patience it has with them."""

from collections.abc import AsyncIterator, Sequence
from typing import ClassVar

import msgspec

from actors.market import krx
from actors.market.time import kst
from actors.market.venues import spell, split
from actors.strategies import memory
from messages import (
    Action,
    CancelOrder,
    Instrument,
    Kind,
    Message,
    Nanoseconds,
    OrderCanceled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderIntent,
    OrderRefused,
    OrderRejected,
    OrderReplaced,
    OrderSubmitting,
    Purpose,
    ReplaceIntent,
    Shares,
    Side,
    Symbol,
    UniverseChanged,
    Validity,
    Venue,
    Won,
)
from runtime.actor import Actor, handles
from runtime.bounds import ActorName, Amount, Code, Span

_ENDS = (OrderRejected, OrderExpired)


class _Review(Message):
    journalled: ClassVar = False
    order: int


class Lot(msgspec.Struct):
    """Shares of one issue this strategy bought; `since` is the time of the first fill."""

    quantity: int
    cost: int
    since: int

    @property
    def price(self) -> float:
        """Average won a share."""
        return self.cost / self.quantity


class OpenOrder(msgspec.Struct):
    """An order of this strategy that may still fill."""

    symbol: Symbol
    side: Side
    open: int


class Strategy(Actor, publishes=(OrderIntent, ReplaceIntent, CancelOrder, UniverseChanged)):
    """Trades the codes of a named `universe`, or `symbols`; all there are where neither is given.

    `budget` is the won a position may cost, `patience` the seconds until an unfilled order is taken back. One
    order a code at a time. A derived class handles prices and calls `buy`, `sell` and `close`.
    """

    warmup: float = 0.0
    """Seconds of history it wants to see through its handlers before the first live message."""
    venue: Venue = Venue.KRX
    """Whose prices it reads and where it orders."""
    interval: int = 0
    """Seconds of the bars the warm-up consists of; 0 is ticks and books."""

    def __init__(
        self,
        *,
        universe: ActorName = "",
        symbols: Sequence[Code] = (),
        budget: Amount = 1_000_000,
        patience: Span = 30.0,
    ) -> None:
        if universe and symbols:
            raise ValueError("universe and symbols: give one of the two")
        self.lots: dict[Symbol, Lot] = {}
        self.orders: dict[int, OpenOrder] = {}
        self._counted: dict[int, int] = {}
        """Shares each order has come to, so that a fill told twice is booked once."""
        self._universe = universe
        self._symbols: tuple[Symbol, ...] = ()
        self._follow(symbols)
        self._budget = budget
        self._patience = patience
        self._instruments: dict[Symbol, Instrument] = {}

    async def on_start(self) -> None:
        if self._symbols:
            watched = tuple(spell(symbol, self.venue) for symbol in self._symbols)
            self.publish(UniverseChanged(universe=self.desk.name, time=self.now, symbols=watched))
        if self._symbols or self._universe:
            self.listen(self._symbols)
        await self.recall(memory.own(self.desk.data, self.desk.name, self._universe or self.desk.name))
        await self.recall(self._warmth())
        for number in self.orders:
            self._review_later(number)

    async def _warmth(self) -> AsyncIterator[Message]:
        for message in memory.prices(self.desk.data, self._symbols, self.now, self.warmup, self.interval):
            yield message

    @property
    def now(self) -> Nanoseconds:
        return Nanoseconds(self.desk.clock.now())

    @handles
    def on_universe(self, changed: UniverseChanged) -> None:
        if changed.universe == self._universe:
            self._follow(changed.symbols)
            ordered = (order.symbol for order in self.orders.values())
            self.listen(dict.fromkeys((*self._symbols, *self.lots, *ordered)))

    @handles
    def on_instrument(self, instrument: Instrument) -> None:
        self._instruments[instrument.symbol] = instrument

    @handles
    def on_refused(self, refused: OrderRefused) -> None:
        if refused.strategy == self.desk.name:
            self.orders.pop(refused.order, None)

    @handles
    def on_order(self, event: OrderEvent) -> None:
        if event.strategy != self.desk.name:
            return
        if isinstance(event, OrderSubmitting):
            self._know(event)
        elif isinstance(event, OrderFilled):
            self._fill(event)
        elif isinstance(event, OrderCanceled):
            self._keep_open(event.order, event.open)
        elif isinstance(event, _ENDS):
            self._keep_open(event.order, 0)
        elif isinstance(event, OrderReplaced):
            self._review_later(event.order)

    @handles
    def on_review(self, review: _Review) -> None:
        order = self.orders.get(review.order)
        if order is not None:
            self.on_unfilled(review.order, order)

    def on_unfilled(self, number: int, order: OpenOrder) -> None:
        """An order is open longer than `patience`: it is taken back."""
        self.cancel(number, order.symbol, "unfilled for too long")

    def may_enter(self, symbol: Symbol) -> bool:
        """In the universe, nothing held, nothing ordered."""
        followed = not (self._symbols or self._universe) or symbol in self._symbols
        return followed and symbol not in self.lots and not self.ordered(symbol)

    def ordered(self, symbol: Symbol) -> bool:
        return any(order.symbol == symbol for order in self.orders.values())

    def on_grid(self, symbol: Symbol, price: float, *, up: bool = False) -> Won:
        """The nearest price below (or above) that the exchange takes; 0 where the issue is not known."""
        instrument = self._instruments.get(symbol)
        if instrument is None or price < 1:
            return Won(0)
        round_to = krx.round_up if up else krx.round_down
        return round_to(int(price), instrument.market, kst(self.now).date())

    def buy(self, symbol: Symbol, price: Won, reason: str) -> int:
        """A limit order for as much as the budget pays; the order's number, 0 where there is none."""
        quantity = self._budget // price if price > 0 else 0
        if not quantity or not self.may_enter(symbol):
            return 0
        return self.place(symbol, Side.BUY, quantity, price, reason)

    def sell(self, symbol: Symbol, price: Won, reason: str) -> int:
        """All that this strategy holds of a code, at a limit, or at the market where `price` is 0."""
        lot = self.lots.get(symbol)
        if lot is None or self.ordered(symbol):
            return 0
        return self.place(symbol, Side.SELL, lot.quantity, price, reason)

    def close(self, symbol: Symbol, reason: str) -> int:
        """Sell at the market."""
        return self.sell(symbol, Won(0), reason)

    def place(  # noqa: PLR0917  an order is these things
        self, symbol: Symbol, side: Side, quantity: int, price: Won, reason: str, validity: Validity = Validity.DAY
    ) -> int:
        """Any order, at the market where `price` is 0, whatever is held or ordered; its number, 0 where it is muted."""
        intent = OrderIntent(
            symbol=symbol,
            venue=self.venue,
            side=side,
            quantity=Shares(quantity),
            kind=Kind.LIMIT if price else Kind.MARKET,
            price=price,
            validity=validity,
            purpose=Purpose.ENTRY if side is Side.BUY else Purpose.EXIT,
            strategy=self.desk.name,
            reason=reason,
        )
        number = self.publish(intent)
        if number:
            self.orders[number] = OpenOrder(symbol, side, quantity)
            self._review_later(number)
        return number

    def cancel(self, number: int, symbol: Symbol, reason: str) -> None:
        self.publish(CancelOrder(order=number, symbol=symbol, venue=self.venue, strategy=self.desk.name, reason=reason))

    def reprice(self, number: int, price: Won, reason: str) -> None:
        """Ask to move what is open of an order to another price."""
        order = self.orders[number]
        self.publish(
            ReplaceIntent(
                order=number,
                symbol=order.symbol,
                venue=self.venue,
                quantity=Shares(order.open),
                price=price,
                strategy=self.desk.name,
                reason=reason,
            ),
        )

    def _follow(self, codes: Sequence[str]) -> None:
        named = [split(code) for code in codes]
        if any(venue is not named[0][1] for _, venue in named):
            raise ValueError("symbols: a strategy reads and orders at one venue")
        if named:
            self.venue = named[0][1]
        self._symbols = tuple(symbol for symbol, _ in named)

    def _review_later(self, number: int) -> None:
        self.after(self._patience, _Review(order=number))

    def _know(self, sent: OrderSubmitting) -> None:
        """An order of an earlier instance of this strategy; its own it knows already."""
        if sent.action is Action.NEW:
            self.orders.setdefault(sent.order, OpenOrder(sent.symbol, sent.side, sent.quantity))

    def _keep_open(self, number: int, still_open: int) -> None:
        order = self.orders.get(number)
        if order is not None:
            order.open = still_open
        if not still_open:
            self.orders.pop(number, None)

    def _fill(self, fill: OrderFilled) -> None:
        """Live records and what a reconciliation found may tell of the same shares: what the order came to counts."""
        quantity = fill.filled - self._counted.get(fill.order, 0)
        if quantity <= 0:
            return
        self._counted[fill.order] = fill.filled
        self._keep_open(fill.order, fill.open)
        lot = self.lots.setdefault(fill.symbol, Lot(0, 0, fill.time))
        if fill.side is Side.BUY:
            lot.quantity += quantity
            lot.cost += quantity * fill.price
        elif lot.quantity:
            lot.cost -= lot.cost * min(quantity, lot.quantity) // lot.quantity
            lot.quantity -= quantity
        if lot.quantity <= 0:
            del self.lots[fill.symbol]
