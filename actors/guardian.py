"""Guardian: stops, profit taking, loss limits, the end of the day, the kill switch; it only ever lowers exposure."""

from actors.account.ledger import FOREIGN, Booked, Ledger
from actors.account.order import Order
from actors.account.recovery import History, replay, state_at
from actors.limits.rule import minute_of
from actors.limits.stops import Floors, HighWater, Stops, part
from actors.market.time import SECOND, kst
from actors.market.venues import HOME
from actors.ordering.exits import Exit, Owned, floor, in_the_way
from actors.ordering.operator import Operator
from messages import (
    CancelOrder,
    EquityPeaked,
    ExitDelayed,
    HaltConfirmed,
    HaltTrading,
    Instrument,
    Kind,
    LedgerFolded,
    Message,
    Nanoseconds,
    OrderFilled,
    OrderIntent,
    OrderRefused,
    OrderRejected,
    Purpose,
    Reconciled,
    ReconciliationWanted,
    ResumeTrading,
    Session,
    SessionChanged,
    Settlement,
    SettleOrder,
    Shares,
    Side,
    Symbol,
    Tick,
    Venue,
    ViReleased,
    ViTriggered,
    Won,
)
from runtime import faultpoints
from runtime.actor import Actor, handles, latest
from runtime.bounds import Amount, Count, Figure, Loss, Seconds, Span, TimeOfDay
from runtime.verbs import Answer, answers

_TRADING = (Session.OPENING_AUCTION, Session.CONTINUOUS, Session.CLOSING_AUCTION)
_ALARM = 3
"""Attempts without success after which a person must look."""
_COMPLAIN_EVERY = 60 * SECOND
_AUCTIONS = (Session.OPENING_AUCTION, Session.CLOSING_AUCTION)

_breached = faultpoints.point("guardian: a loss limit reached, the halt not said")
_begun = faultpoints.point("guardian: an exit begun, nothing asked for")
_asked_back = faultpoints.point("guardian: a cancel asked for, the sale not")
_offered = faultpoints.point("guardian: a sale asked for")


class Evening(Message):
    """The day's holdings must go, or it is time to see how long until then."""

    journalled = False


class Look(Message):
    """The guardian's own beat."""

    journalled = False


class Guardian(
    Actor,
    publishes=(
        OrderIntent,
        CancelOrder,
        HaltTrading,
        ResumeTrading,
        ReconciliationWanted,
        SettleOrder,
        LedgerFolded,
        EquityPeaked,
        ExitDelayed,
    ),
    core=True,
):
    """Watches every holding from the first price on, whoever's strategy bought it, and sells until it is gone.

    Percents are of the average cost (stops), of the day's opening equity (daily loss) and of its highest
    (drawdown); 0 turns one off. `flatten_at` is KST as HH:MM, blank for never. `patience`: seconds a step
    of an exit gets: a limit at the bid first, then market orders, until flat. Into a call auction no market
    order is sent but a limit `auction_percent` below the last price. With `adopt` shares bought by hand are
    guarded too.
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
        auction_percent: Loss = 3.0,
        adopt: bool = False,
    ) -> None:
        self._journal = journal
        self._stops = Stops(loss=part(stop_loss), profit=part(take_profit), trailing=part(trailing))
        self._floors = Floors(daily_loss=part(max_daily_loss), drawdown=part(max_drawdown))
        self._flatten_on_loss = flatten_on_loss
        self._flatten_at = flatten_at
        self._flatten_minute = minute_of(flatten_at) if flatten_at else None
        self._patience = round(patience * SECOND)
        self._auction = part(auction_percent)
        self._adopt = adopt
        self._ledger = Ledger()
        self._operator = Operator(self._ledger, self.publish)
        self._ready = False
        self._halted = False
        self._flattening = ""
        """Why everything is sold, what fills late as well; blank while it may stay."""
        self._closed = self._single_price = False
        """Whether nothing trades, or all in one auction."""
        self._interrupted: dict[Symbol, None] = {}
        self._instruments: dict[Symbol, Instrument] = {}
        self._high_water = HighWater()
        self._looking = self._awaiting_evening = False
        self._bids: dict[Symbol, Won] = {}
        self._peaks: dict[Owned, int] = {}
        """Highest price since the holding began."""
        self._exits: dict[Owned, Exit] = {}
        self._asked: dict[int, int] = {}
        """When the cancel of an order was last asked for."""

    async def on_start(self) -> None:
        await replay(self._journal, self._ledger)
        async for envelope in self._journal.read(0, (EquityPeaked,)):
            peak = envelope.message
            if isinstance(peak, EquityPeaked) and kst(peak.time).date().isoformat() == self._ledger.day:
                self._high_water.recall(self._ledger, peak.equity)
        self._look_on()

    def unfinished(self) -> int:
        """Orders that may still trade and holdings on their way out."""
        return len(tuple(self._ledger.live())) + len(self._exits)

    @answers("orders")
    def tell_orders(self, *, everything: bool = False) -> Answer:
        return self._operator.orders(everything=everything)

    @answers("positions")
    def tell_positions(self) -> Answer:
        return self._operator.positions()

    @answers("halt")
    async def tell_halt(self, *, patience: Seconds = 0.0) -> Answer:
        return await self._operator.halt(patience)

    @answers("resume")
    async def resume(self, *, by: str, patience: Seconds = 90.0) -> Answer:
        return await self._operator.resume(by, patience)

    @answers("settle")
    async def settle(
        self, *, order: str, outcome: Settlement, by: str, quantity: Count = 0, price: Amount = 0
    ) -> Answer:
        return await self._operator.settle(order, outcome, quantity, price, by)

    @latest
    def on_tick(self, tick: Tick) -> None:
        if tick.venue is not HOME:
            return
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
        self._operator.hear(message, envelope.number)
        if isinstance(message, Reconciled):
            self._ready = self._ready or message.start
            state = state_at(envelope.number, self._ledger)
            if state is not None:
                self.publish(state)
            self._watch_all()
        elif isinstance(message, Instrument):
            self._instruments[message.symbol] = message
        else:
            if isinstance(message, OrderRejected):
                self._put_off(message.order)
            if isinstance(message, OrderFilled) and not self._ledger.lots(message.strategy, message.symbol).quantity:
                self._peaks.pop((message.symbol, message.strategy), None)
            self._step_all(getattr(message, "symbol", None))
        self._keep_flat()
        self._look_on()

    @handles
    def on_refused(self, message: OrderRefused) -> None:
        self._put_off(message.order)

    @handles
    def on_halt(self, message: HaltTrading) -> None:
        """What is on its way out goes on at once, at the market, whatever the halt takes back."""
        self._halted = True
        self._operator.hear(message, 0)
        for leaving in self._exits.values():
            leaving.next = self.desk.clock.now()
        if message.flatten:
            self._flattening = message.reason
        self._keep_flat()

    @handles
    def on_halt_over(self, message: HaltConfirmed | ResumeTrading) -> None:
        if isinstance(message, ResumeTrading):
            self._halted, self._flattening = False, ""
        self._operator.hear(message, 0)

    @handles
    def on_session(self, message: SessionChanged) -> None:
        if message.venue is Venue.KRX and not message.remaining:
            self._closed = message.session not in _TRADING
            self._single_price = message.session in _AUCTIONS

    @handles
    def on_interruption(self, message: ViTriggered | ViReleased) -> None:
        if isinstance(message, ViTriggered):
            self._interrupted[message.symbol] = None
        else:
            self._interrupted.pop(message.symbol, None)
            self._step_all(message.symbol)

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
        reason = self._stops.reason(holding, price, peak)
        if reason:
            self._begin(key, reason)

    def _watch_equity(self) -> None:
        """Not before everything held has a price: at its cost nothing was ever lost or won."""
        ledger = self._ledger
        if not self._ready or not all(ledger.prices.get(symbol) for symbol, _, _ in ledger.each()):
            return
        equity = ledger.touch()
        if self._high_water.rises(ledger, equity):
            self.publish(EquityPeaked(time=Nanoseconds(self.desk.clock.now()), equity=Won(equity)))
        reason = "" if self._halted else self._floors.breach(ledger, equity)
        if reason:
            self._halted = True
            _breached()
            self.publish(HaltTrading(reason=reason, by=self.desk.name, flatten=self._flatten_on_loss))

    def _keep_flat(self) -> None:
        if self._flattening and self._ready:
            self._flatten(self._flattening)

    def _flatten(self, reason: str) -> None:
        for symbol, owner, holding in tuple(self._ledger.each()):
            if holding.quantity > 0:
                self._begin((symbol, owner), reason)

    def _begin(self, key: Owned, reason: str) -> None:
        if key in self._exits or (key[1] == FOREIGN and not self._adopt):
            return
        self._exits[key] = Exit(reason)
        _begun()
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
        stands = own is not None and leaving.stands(own, auction=self._in_auction(symbol))
        if own is not None and own.live and (stands or not leaving.is_due(now, self._patience)):
            if leaving.is_due(now, self._patience) and not leaving.auction:
                self._complain(key, leaving, now)
            return
        obstacles = [order for order in self._ledger.live(symbol) if in_the_way(order, owner)]
        for order in obstacles:
            self._cancel(order, leaving.reason)
        if not obstacles and leaving.is_due(now, self._patience) and not self._closed:
            self._sell(key, leaving, now)

    def _in_auction(self, symbol: Symbol) -> bool:
        return self._single_price or symbol in self._interrupted

    def _sell(self, key: Owned, leaving: Exit, now: int) -> None:
        symbol, owner = key
        leaving.auction = self._in_auction(symbol)
        price = self._bids.get(symbol, Won(0))
        if leaving.auction:
            last, today = self._ledger.prices.get(symbol, 0), kst(self.desk.clock.now()).date()
            price = floor(self._instruments.get(symbol), last, self._auction, today)
        limit = price > 0 and (leaving.auction or leaving.attempts == 0)
        leaving.attempts += 1
        leaving.next = now + self._patience
        leaving.order = self.publish(
            OrderIntent(
                symbol=symbol,
                side=Side.SELL,
                quantity=Shares(self._ledger.sellable(owner, symbol)),
                kind=Kind.LIMIT if limit else Kind.MARKET,
                price=price if limit else Won(0),
                purpose=Purpose.EXIT,
                strategy=owner,
                reason=leaving.reason,
            )
        )
        _offered()
        if leaving.attempts > _ALARM:
            self._complain(key, leaving, now)

    def _complain(self, key: Owned, leaving: Exit, now: int) -> None:
        if leaving.said and 0 <= now - leaving.said < _COMPLAIN_EVERY:
            return
        leaving.said = now
        symbol, owner = key
        left = Shares(self._ledger.lots(owner, symbol).quantity)
        attempts, reason = leaving.attempts, leaving.reason
        self.publish(ExitDelayed(symbol=symbol, strategy=owner, left=left, attempts=attempts, reason=reason))

    def _cancel(self, order: Order, reason: str) -> None:
        now = self.desk.clock.now()
        if 0 <= now - self._asked.get(order.number, 0) < self._patience:
            return
        self._asked[order.number] = now
        self.publish(
            CancelOrder(
                order=order.number, symbol=order.symbol, venue=order.venue, strategy=order.strategy, reason=reason
            )
        )
        _asked_back()

    def _put_off(self, order: int) -> None:
        """An attempt that came to nothing is not repeated at once."""
        for leaving in self._exits.values():
            if leaving.order == order:
                leaving.next = self.desk.clock.now() + self._patience
