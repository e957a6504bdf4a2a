"""What every strategy has: its codes, its own lots, its open orders and the patience it has with them."""

from collections.abc import AsyncIterator, Sequence
from typing import ClassVar, Final

import msgspec

from actors.account.carrying import restore
from actors.account.ledger import Ledger
from actors.market import krx
from actors.market.time import kst
from actors.market.venues import spell, split
from actors.strategies import memory
from messages import (
    ApprovedOrder,
    CancelOrder,
    Instrument,
    Kind,
    LedgerCarried,
    Message,
    Nanoseconds,
    OrderEvent,
    OrderIntent,
    OrderRefused,
    OrderReplaced,
    PositionAdjusted,
    Purpose,
    Reconciled,
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
from runtime.settings.bounds import ActorName, Amount, Code, Span

_RARELY: Final = 32
"""Times `patience` between two looks at an order about which nothing helps: each of them costs a request."""


class _Review(Message):
    journalled: ClassVar = False
    order: int
    turn: int
    """Of the review; only an order's newest one counts."""
    vain: int
    """Reviews before it that asked for something and changed nothing."""


class Lot(msgspec.Struct):
    """Shares of one issue this strategy holds; `since` is the time of the first fill."""

    quantity: int
    cost: int
    since: int

    @property
    def price(self) -> float:
        """Average won a share."""
        return self.cost / self.quantity


class OpenOrder(msgspec.Struct):
    """An order for this strategy's lots that may still fill, whoever placed it; `price` is 0 at the market."""

    symbol: Symbol
    side: Side
    open: int
    price: int


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
        self._ledger = Ledger()
        self._turn = self._asked = 0
        self._turns: dict[int, int] = {}
        """The newest review of each order that it placed itself."""
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
        begin = memory.beginning(self.desk.data)
        if begin is not None:
            self._go_on_from(begin.state)
        await self.recall(memory.own(self.desk.data, self._universe or self.desk.name, begin))
        self._listen()
        await self.recall(self._warmth())
        for number in memory.placed(self.desk.data, self.desk.name, begin) if self.orders else ():
            if number in self.orders:
                self._review_later(number)

    def _go_on_from(self, state: LedgerCarried) -> None:
        restore(self._ledger, state)
        for holding in state.holdings:
            if holding.owner == self.desk.name:
                self._keep_lot(holding.symbol, memory.began(self.desk.data, holding))

    async def _warmth(self) -> AsyncIterator[Message]:
        for message in memory.prices(self.desk.data, self._seen(), self.venue, self.now, self.warmup, self.interval):
            yield message

    @property
    def now(self) -> Nanoseconds:
        return Nanoseconds(self.desk.clock.now())

    @handles
    def on_universe(self, changed: UniverseChanged) -> None:
        if changed.universe == self._universe:
            self._follow(changed.symbols)
            self._listen()

    @handles
    def on_instrument(self, instrument: Instrument) -> None:
        self._instruments[instrument.symbol] = instrument

    @handles
    def on_refused(self, refused: OrderRefused) -> None:
        if refused.strategy == self.desk.name:
            self.orders.pop(refused.order, None)
            self._turns.pop(refused.order, None)

    @handles
    def on_approved(self, approval: ApprovedOrder) -> None:
        self._book(approval)
        if approval.strategy == self.desk.name:
            self._keep_order(approval.order)

    @handles
    def on_order(self, event: OrderEvent) -> None:
        self._book(event)
        if event.strategy != self.desk.name:
            return
        self._keep_order(event.order)
        self._keep_lot(event.symbol, event.time)
        if isinstance(event, OrderReplaced) and event.order in self._turns:
            self._review_later(event.order)

    @handles
    def on_account(self, message: PositionAdjusted | Reconciled) -> None:
        """A split, a sale by hand, a difference with the broker: the lots are what the ledger makes of them."""
        self._book(message)
        for symbol in tuple(self.lots):
            self._keep_lot(symbol, message.time)

    @handles
    def on_review(self, review: _Review) -> None:
        order = self.orders.get(review.order)
        if order is not None and self._turns.get(review.order) == review.turn:
            before = self._asked
            self.on_unfilled(review.order, order)
            self._review_later(review.order, review.vain + (self._asked > before))

    def on_unfilled(self, number: int, order: OpenOrder) -> None:
        """An order it placed is open longer than `patience`: it is taken back. Comes again while it stays open."""
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
            self.orders[number] = OpenOrder(symbol, side, quantity, price)
            self._review_later(number)
        return number

    def cancel(self, number: int, symbol: Symbol, reason: str) -> None:
        self._asked += 1
        self.publish(CancelOrder(order=number, symbol=symbol, venue=self.venue, strategy=self.desk.name, reason=reason))

    def reprice(self, number: int, price: Won, reason: str) -> None:
        """Ask to move what is open of an order to another price."""
        order = self.orders[number]
        self._asked += 1
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

    def _listen(self) -> None:
        """To what it follows, holds or has ordered; without codes of its own to everything."""
        if self._symbols or self._universe:
            self.listen(self._seen())

    def _seen(self) -> tuple[Symbol, ...]:
        ordered = (order.symbol for order in self.orders.values())
        return tuple(dict.fromkeys((*self._symbols, *self.lots, *ordered)))

    def _review_later(self, number: int, vain: int = 0) -> None:
        self._turn += 1
        self._turns[number] = self._turn
        wait = self._patience * min(2 ** max(vain - 1, 0), _RARELY)
        self.after(wait, _Review(order=number, turn=self._turn, vain=vain))

    def _book(self, message: ApprovedOrder | OrderEvent | PositionAdjusted | Reconciled) -> None:
        """In the order heard: the past has no numbers any more when it is relived."""
        self._ledger.fold(message, self._ledger.number + 1)

    def _keep_order(self, number: int) -> None:
        known = self._ledger.orders.get(number)
        if known is None or not known.live:
            self.orders.pop(number, None)
            return
        order = self.orders.get(number)
        if order is None:
            order = self.orders[number] = OpenOrder(known.symbol, known.side, known.open, known.price)
            if number in self._turns:
                self._review_later(number)
        order.open, order.price = known.open, known.price

    def _keep_lot(self, symbol: Symbol, time: Nanoseconds) -> None:
        held = self._ledger.lots(self.desk.name, symbol)
        if held.quantity <= 0:
            self.lots.pop(symbol, None)
            return
        lot = self.lots.setdefault(symbol, Lot(0, 0, time))
        lot.quantity, lot.cost = held.quantity, held.cost
