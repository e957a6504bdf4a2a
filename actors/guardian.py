"""Guardian: stops, profit taking, loss limits, the end of the day, the kill switch; it only ever lowers exposure."""

from contextlib import suppress

from actors.account.ledger import Booked, Ledger
from actors.account.recovery import History, replay, state_at
from actors.limits.rule import minute_of
from actors.limits.stops import Floors, HighWater, Peaks, Stops, part
from actors.market.calendar import Calendar, UnknownDayError
from actors.market.time import SECOND, kst
from actors.market.venues import HOME
from actors.ordering.exits import Exits
from actors.ordering.halting import NO_REASON
from actors.ordering.operator import Operator
from messages import (
    CancelOrder,
    CashAdjusted,
    EquityPeaked,
    ExitDelayed,
    HaltConfirmed,
    HaltTrading,
    HoldingPeaked,
    Instrument,
    InstrumentHalted,
    LedgerFolded,
    Message,
    Nanoseconds,
    OrderIntent,
    OrderRefused,
    OrderRejected,
    PeaksCarried,
    Purpose,
    Reconciled,
    ReconciliationWanted,
    ResumeTrading,
    Session,
    SessionChanged,
    Settlement,
    SettleOrder,
    Symbol,
    Tick,
    Venue,
    ViReleased,
    ViTriggered,
    Won,
)
from runtime.actor import Actor, handles, latest
from runtime.disk import faultpoints
from runtime.envelope import Envelope
from runtime.outside.verbs import Answer, answers
from runtime.settings.bounds import Amount, Count, Figure, Loss, Seconds, Span, TimeOfDay

_TRADING = (Session.OPENING_AUCTION, Session.CONTINUOUS, Session.CLOSING_AUCTION)
_SILENT = 30 * SECOND
"""After which the broker's price of a holding is newer than the last print."""
_AUCTIONS = (Session.OPENING_AUCTION, Session.CLOSING_AUCTION)
_TOLD_AT_START = (Session.CONTINUOUS, Session.CLOSING_AUCTION)
"""Whoever starts in one of these hears so at once; of all others only what comes next is announced."""

_breached = faultpoints.point("guardian: a loss limit reached, the halt not said")


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
        HoldingPeaked,
        PeaksCarried,
        ExitDelayed,
    ),
    core=True,
):
    """Watches every holding from the first price on, whoever's strategy bought it, and sells until it is gone.

    Percents are of the average cost (stops), of the day's opening equity (daily loss) and of its highest
    (drawdown); 0 turns one off. `flatten_at` is KST as HH:MM, blank for never. `patience`: seconds a step
    of an exit gets: a limit at the bid first, then market orders, until flat. Into a call auction no market
    order is sent but a limit `auction_percent` below the last price. With `adopt` shares bought by hand are
    guarded too. A restart knows how high a holding stood, and goes on with what was on its way out that day.
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
        self._ledger = Ledger()
        self._operator = Operator(self._ledger, self.publish)
        self._exits = Exits(
            self._ledger,
            self.publish,
            self._now,
            patience=round(patience * SECOND),
            auction=part(auction_percent),
            adopt=adopt,
        )
        self._bids = self._exits.bids
        self._heard: dict[Symbol, int] = {}
        """When the newest print of an issue was received."""
        self._ready = False
        self._halted = 0
        """Number of the newest halt in force; 0 while there is none."""
        self._limit_said = False
        """Whether one in force is for a loss limit: it is said beside any other, which may sell nothing."""
        self._flattening = ""
        """Why everything is sold, what fills late as well; blank while it may stay."""
        self._high_water = HighWater()
        self._peaks = Peaks()
        self._carried = ""
        """The day of the last state that later starts can go on from."""
        self._looking = self._awaiting_evening = False

    async def on_start(self) -> None:
        await replay(self._journal, self._ledger)
        state = await self._journal.newest(PeaksCarried)
        if state is not None:
            self._go_on_from(state)
        first = state.reconciliation + 1 if state is not None else 0
        async for envelope in self._journal.read(first, (EquityPeaked, HoldingPeaked, OrderIntent, CashAdjusted)):
            self._recall(envelope)
        self._high_water.restore(self._ledger)
        with suppress(UnknownDayError):
            self._exits.closed = Calendar().session_at(self._now()) not in _TOLD_AT_START
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
        self._heard[symbol] = tick.received
        if tick.size and symbol in self._exits.suspended:
            self._exits.trades_again(symbol)
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
        news = envelope.number > self._ledger.number
        self._ledger.fold(message, envelope.number)
        self._operator.hear(message, envelope.number)
        if isinstance(message, Reconciled):
            self._ready = self._ready or message.start
            self._state(envelope.number)
            self._price(message)
            self._watch_all()
            self._step()
        elif isinstance(message, Instrument):
            self._exits.instruments[message.symbol] = message
        else:
            if isinstance(message, OrderRejected):
                self._exits.put_off(message.order)
            elif isinstance(message, CashAdjusted) and news:
                self._high_water.moves(message)
            self._step(getattr(message, "symbol", None))
        self._keep_flat()
        self._look_on()

    @handles
    def on_refused(self, message: OrderRefused) -> None:
        self._exits.put_off(message.order, rule=message.rule)

    @handles
    def on_halt(self, message: HaltTrading) -> None:
        """What is on its way out goes on at once, at the market, whatever the halt takes back."""
        envelope = self.desk.envelope
        assert envelope is not None
        self._halted = envelope.number
        self._limit_said |= message.by == self.desk.name
        self._operator.hear(message, envelope.number)
        self._exits.hurry()
        if message.flatten:
            self._flattening = message.reason or NO_REASON
        self._keep_flat()

    @handles
    def on_halt_over(self, message: HaltConfirmed | ResumeTrading) -> None:
        if isinstance(message, ResumeTrading) and message.lifts(self._halted):
            self._halted, self._limit_said, self._flattening = 0, False, ""
        self._operator.hear(message, 0)

    @handles
    def on_session(self, message: SessionChanged) -> None:
        if message.venue is Venue.KRX and not message.remaining:
            self._exits.closed = message.session not in _TRADING
            self._exits.single_price = message.session in _AUCTIONS

    @handles
    def on_interruption(self, message: ViTriggered | ViReleased) -> None:
        if isinstance(message, ViTriggered):
            self._exits.interrupt(message.symbol)
        else:
            self._exits.release(message.symbol)
            self._step(message.symbol)

    @handles
    def on_standstill(self, message: InstrumentHalted) -> None:
        if not message.halted:
            self._exits.trades_again(message.symbol)

    @handles
    def on_look(self, _look: Look) -> None:
        self._looking = False
        self._step()
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

    def _price(self, broker: Reconciled) -> None:
        """Where no prints come the broker's price stands in, while it is one of the home market."""
        for position in () if self._exits.closed else broker.positions:
            if position.last and broker.time - self._heard.get(position.symbol, 0) >= _SILENT:
                self._ledger.mark(position.symbol, position.last)

    def _watch_all(self) -> None:
        for symbol, owner, _ in tuple(self._ledger.each()):
            price = self._ledger.prices.get(symbol, 0)
            if price:
                self._watch(symbol, owner, price)
        self._watch_equity()

    def _watch(self, symbol: Symbol, owner: str, price: int) -> None:
        holding = self._ledger.lots(owner, symbol)
        if holding.quantity <= 0:
            return
        peak = self._peak(symbol, owner, holding.since, price) if self._stops.trailing else 0
        reason = self._stops.reason(holding, price, peak)
        if reason:
            self._begin(symbol, owner, reason)

    def _peak(self, symbol: Symbol, owner: str, since: int, price: int) -> int:
        if self._peaks.rises(symbol, owner, since, price):
            now = Nanoseconds(self._now())
            self.publish(HoldingPeaked(symbol=symbol, strategy=owner, since=since, time=now, price=Won(price)))
        return self._peaks.of(symbol, owner, since)

    def _watch_equity(self) -> None:
        """Not before everything held has a price: at its cost nothing was ever lost or won."""
        ledger = self._ledger
        if not self._ready or not all(ledger.prices.get(symbol) for symbol, _, _ in ledger.each()):
            return
        equity = ledger.touch()
        if self._high_water.rises(ledger, equity):
            self.publish(EquityPeaked(time=Nanoseconds(self.desk.clock.now()), equity=Won(equity)))
        reason = "" if self._limit_said else self._floors.breach(ledger, equity)
        if reason:
            _breached()
            self._limit_said = True
            self._halted = self.publish(HaltTrading(reason=reason, by=self.desk.name, flatten=self._flatten_on_loss))

    def _keep_flat(self) -> None:
        if self._flattening and self._ready:
            self._flatten(self._flattening)

    def _flatten(self, reason: str) -> None:
        for symbol, owner, holding in tuple(self._ledger.each()):
            if holding.quantity > 0:
                self._begin(symbol, owner, reason)

    def _begin(self, symbol: Symbol, owner: str, reason: str) -> None:
        self._exits.begin(symbol, owner, reason)
        self._look_on()

    def _step(self, symbol: Symbol | None = None) -> None:
        """Before the account is known nothing may be sold: nor what an earlier run had begun to sell."""
        if self._ready:
            self._exits.step(symbol)

    def _state(self, reconciliation: int) -> None:
        state = state_at(reconciliation, self._ledger)
        if state is None:
            return
        self.publish(state)
        if self._carried == self._ledger.day or self._exits:
            return
        self._carried = day = self._ledger.day
        peaks, equity = self._peaks.carried(self._ledger), Won(self._high_water.said(day))
        self.publish(PeaksCarried(reconciliation=reconciliation, day=day, peaks=peaks, equity=equity))

    def _go_on_from(self, state: PeaksCarried) -> None:
        self._carried = state.day
        for peak in state.peaks:
            self._peaks.rises(peak.symbol, peak.strategy, peak.since, peak.price)
        if state.equity and state.day == kst(self._now()).date().isoformat():
            self._high_water.recall(state.equity, state.day)

    def _recall(self, envelope: Envelope) -> None:
        message, today = envelope.message, kst(self._now()).date()
        match message:
            case HoldingPeaked():
                self._peaks.rises(message.symbol, message.strategy, message.since, message.price)
            case EquityPeaked() if kst(message.time).date() == today:
                self._high_water.recall(message.equity, today.isoformat())
            case CashAdjusted():
                self._high_water.moves(message)
            case OrderIntent() if message.purpose is Purpose.EXIT and envelope.source == self.desk.name:
                if kst(envelope.time).date() == today:
                    self._exits.recall(message, envelope.number)
            case _:
                pass

    def _now(self) -> int:
        return self.desk.clock.now()
