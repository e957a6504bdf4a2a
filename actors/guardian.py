"""Guardian: stops, profit taking, loss limits and the end of the day; it only ever lowers exposure."""

from dataclasses import dataclass

from actors.account.ledger import FOREIGN, Booked, Ledger
from actors.account.order import Order
from actors.account.recovery import History, replay
from actors.limits.rule import minute_of
from actors.market.time import SECOND, kst
from messages import (
    CancelOrder,
    HaltTrading,
    Instrument,
    Kind,
    LedgerFolded,
    Message,
    OrderFilled,
    OrderIntent,
    OrderRefused,
    OrderRejected,
    Purpose,
    Reconciled,
    ResumeTrading,
    Session,
    SessionChanged,
    Shares,
    Side,
    Symbol,
    Tick,
    Venue,
    Won,
)
from runtime.actor import Actor, handles, latest
from runtime.bounds import Figure, Loss, Span, TimeOfDay

_ONE = 1_000_000
"""Parts are whole millionths, so that thresholds in won are exact."""
_TRADING = (Session.OPENING_AUCTION, Session.CONTINUOUS, Session.CLOSING_AUCTION)
_ALARM = 3
"""Attempts without success after which a person must look."""
_COMPLAIN_EVERY = 60 * SECOND


class Evening(Message):
    """The day's holdings must go, or it is time to see how long until then."""

    journalled = False


class Look(Message):
    """The guardian's own beat."""

    journalled = False


@dataclass(slots=True)
class Exit:
    """A holding on its way out."""

    reason: str
    order: int = 0
    """Intent of the newest attempt."""
    attempts: int = 0
    next: int = 0
    """Not before this instant is the next step taken."""
    said: int = 0
    """When it was last said that this takes too long."""


Owned = tuple[Symbol, str]


class Guardian(Actor, publishes=(OrderIntent, CancelOrder, HaltTrading, LedgerFolded), core=True):
    """Watches every holding from the first price on, whoever's strategy bought it, and sells until it is gone.

    Percents are of the average cost (stops), of the day's opening equity (daily loss) and of its highest
    (drawdown); 0 turns one off. `flatten_at` is KST as HH:MM, blank for never. `patience`: seconds a step
    of an exit gets: a limit at the bid first, then market orders, until flat. With `adopt` shares bought
    by hand are guarded too.
    """

    def __init__(
        self,
        journal: History,
        *,
        stop_loss: Loss = 3.0,
        take_profit: Figure = 0.0,
        trailing: Loss = 0.0,
        max_daily_loss: Loss = 2.0,
        max_drawdown: Loss = 3.0,
        flatten_on_loss: bool = False,
        flatten_at: TimeOfDay = "",
        patience: Span = 3.0,
        adopt: bool = False,
    ) -> None:
        self._journal = journal
        self._stop_loss, self._take_profit, self._trailing = map(_part, (stop_loss, take_profit, trailing))
        self._max_daily_loss, self._max_drawdown = _part(max_daily_loss), _part(max_drawdown)
        self._flatten_on_loss = flatten_on_loss
        self._flatten_at = flatten_at
        self._flatten_minute = minute_of(flatten_at) if flatten_at else None
        self._patience = round(patience * SECOND)
        self._adopt = adopt
        self._ledger = Ledger()
        self._ready = False
        self._halted = False
        self._closed = False
        self._looking = self._awaiting_evening = False
        self._bids: dict[Symbol, Won] = {}
        self._peaks: dict[Owned, int] = {}
        """Highest price since the holding began."""
        self._exits: dict[Owned, Exit] = {}
        self._asked: dict[int, int] = {}
        """When the cancel of an order was last asked for."""

    async def on_start(self) -> None:
        await replay(self._journal, self._ledger)
        self._look_on()

    @latest
    def on_tick(self, tick: Tick) -> None:
        symbol = tick.symbol
        self._ledger.mark(symbol, tick.price)
        self._bids[symbol] = tick.bid
        owners = self._ledger.holdings.get(symbol)
        if owners is None or not self._ready:
            return
        for owner in tuple(owners):
            self._watch(symbol, owner, tick.price)
        self._watch_equity()

    @handles
    def on_booked(self, message: Booked) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        self._ledger.fold(message, envelope.number)
        if isinstance(message, Reconciled):
            self._ready = self._ready or message.start
            self.publish(LedgerFolded(reconciliation=envelope.number, digest=self._ledger.digest()))
            self._watch_all()
        elif not isinstance(message, Instrument):
            if isinstance(message, OrderRejected):
                self._put_off(message.order)
            if isinstance(message, OrderFilled) and not self._ledger.lots(message.strategy, message.symbol).quantity:
                self._peaks.pop((message.symbol, message.strategy), None)
            self._step_all(message.symbol)
        self._look_on()

    @handles
    def on_refused(self, message: OrderRefused) -> None:
        self._put_off(message.order)

    @handles
    def on_halt(self, message: HaltTrading) -> None:
        self._halted = True
        if message.flatten:
            self._flatten(message.reason)

    @handles
    def on_resume(self, _message: ResumeTrading) -> None:
        self._halted = False

    @handles
    def on_session(self, message: SessionChanged) -> None:
        if message.venue is Venue.KRX and not message.remaining:
            self._closed = message.session not in _TRADING

    @handles
    def on_look(self, _look: Look) -> None:
        self._looking = False
        self._step_all(None)
        self._look_on()

    @handles
    def on_evening(self, _evening: Evening) -> None:
        self._awaiting_evening = False
        if self._until_evening() <= 0:
            self._flatten(f"end of the day at {self._flatten_at}")
        self._look_on()

    def _look_on(self) -> None:
        """Every second while something is on its way out, and when the day's holdings must go."""
        if self._exits and not self._looking:
            self._looking = True
            self.after(1.0, Look())
        if self._flatten_minute is not None and not self._awaiting_evening and self._owns():
            self._awaiting_evening = True
            self.after(max(float(self._until_evening()), 1.0), Evening())

    def _owns(self) -> bool:
        return any(holding.quantity > 0 for _, _, holding in self._ledger.each())

    def _until_evening(self) -> int:
        """Seconds until the day's holdings must go, 0 and less from then on."""
        now = kst(self.desk.clock.now())
        return (self._flatten_minute or 0) * 60 - (now.hour * 3_600 + now.minute * 60 + now.second)

    def _watch_all(self) -> None:
        for symbol, owner, _ in tuple(self._ledger.each()):
            price = self._ledger.prices.get(symbol, 0)
            if price:
                self._watch(symbol, owner, price)
        self._watch_equity()

    def _watch(self, symbol: Symbol, owner: str, price: int) -> None:
        key, holding = (symbol, owner), self._ledger.lots(owner, symbol)
        if holding.quantity <= 0:
            self._peaks.pop(key, None)
            return
        peak = self._peaks[key] = max(self._peaks.get(key, 0), price)
        worth, cost = price * holding.quantity, holding.cost
        if self._stop_loss and worth * _ONE <= cost * (_ONE - self._stop_loss):
            self._begin(key, f"stop loss at {price}, cost {cost} for {holding.quantity}")
        elif self._take_profit and worth * _ONE >= cost * (_ONE + self._take_profit):
            self._begin(key, f"profit taken at {price}, cost {cost} for {holding.quantity}")
        elif self._trailing and price * _ONE <= peak * (_ONE - self._trailing):
            self._begin(key, f"trailing stop at {price}, highest {peak}")

    def _watch_equity(self) -> None:
        ledger = self._ledger
        equity = ledger.touch()
        if self._halted or not self._ready:
            return
        for name, reference, part in (
            ("daily loss", ledger.opening, self._max_daily_loss),
            ("drawdown", ledger.high, self._max_drawdown),
        ):
            if part and equity < reference and (reference - equity) * _ONE >= reference * part:
                self._halted = True
                reason = f"{name}: equity {equity}, was {reference}"
                self.publish(HaltTrading(reason=reason, by=self.desk.name, flatten=self._flatten_on_loss))
                return

    def _flatten(self, reason: str) -> None:
        for symbol, owner, holding in tuple(self._ledger.each()):
            if holding.quantity > 0:
                self._begin((symbol, owner), reason)

    def _begin(self, key: Owned, reason: str) -> None:
        if key in self._exits or (key[1] == FOREIGN and not self._adopt):
            return
        self._exits[key] = Exit(reason)
        self._step(key)
        self._look_on()

    def _step_all(self, symbol: Symbol | None) -> None:
        for key in tuple(self._exits):
            if symbol is None or key[0] == symbol:
                self._step(key)

    def _step(self, key: Owned) -> None:
        symbol, owner = key
        leaving, now = self._exits[key], self.desk.clock.now()
        if self._ledger.lots(owner, symbol).quantity <= 0:
            del self._exits[key]
            return
        own = self._ledger.orders.get(leaving.order)
        if own is not None and own.live and (now < leaving.next or own.kind is Kind.MARKET):
            if now >= leaving.next:
                self._complain(key, leaving, now)
            return
        in_the_way = [order for order in self._ledger.live(symbol) if _in_the_way(order, owner)]
        for order in in_the_way:
            self._cancel(order, leaving.reason)
        if not in_the_way and now >= leaving.next and not self._closed:
            self._sell(key, leaving, now)

    def _sell(self, key: Owned, leaving: Exit, now: int) -> None:
        symbol, owner = key
        quantity = self._ledger.sellable(owner, symbol)
        bid = self._bids.get(symbol, Won(0))
        limit = leaving.attempts == 0 and bid > 0
        leaving.attempts += 1
        leaving.next = now + self._patience
        leaving.order = self.publish(
            OrderIntent(
                symbol=symbol,
                side=Side.SELL,
                quantity=Shares(quantity),
                kind=Kind.LIMIT if limit else Kind.MARKET,
                price=bid if limit else Won(0),
                purpose=Purpose.EXIT,
                strategy=owner,
                reason=leaving.reason,
            )
        )
        if leaving.attempts > _ALARM:
            self._complain(key, leaving, now)

    def _complain(self, key: Owned, leaving: Exit, now: int) -> None:
        if now - leaving.said < _COMPLAIN_EVERY:
            return
        leaving.said = now
        symbol, owner = key
        left = self._ledger.lots(owner, symbol).quantity
        self.desk.log.error("still not flat", symbol=symbol, strategy=owner, attempts=leaving.attempts, left=left)

    def _cancel(self, order: Order, reason: str) -> None:
        now = self.desk.clock.now()
        if now < self._asked.get(order.number, 0) + self._patience:
            return
        self._asked[order.number] = now
        self.publish(
            CancelOrder(
                order=order.number, symbol=order.symbol, venue=order.venue, strategy=order.strategy, reason=reason
            )
        )

    def _put_off(self, order: int) -> None:
        """An attempt that came to nothing is not repeated at once."""
        for leaving in self._exits.values():
            if leaving.order == order:
                leaving.next = self.desk.clock.now() + self._patience


def _in_the_way(order: Order, owner: str) -> bool:
    """A sale of the same owner binds the shares; a buy of anybody's would meet the exit."""
    return order.side is Side.BUY or order.strategy == owner


def _part(percent: float) -> int:
    return round(percent * (_ONE // 100))
