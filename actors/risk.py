"""Risk: every intent meets every rule; the only maker of approvals."""

from msgspec.structs import replace

from actors.account.ledger import Booked, Ledger
from actors.account.recovery import History, replay, state_at
from actors.limits import exposure, loss, price, rate, size, state
from actors.limits.activity import ACTIVE, REPEATED, Active, Activity
from actors.limits.change import changeable
from actors.limits.rule import Limits, Quote, Refusal, Rule, View, Wish, of_change, of_intent
from actors.market.time import kst
from actors.market.venues import HOME
from actors.ordering.halting import NO_REASON
from messages import (
    ActivityCarried,
    ApprovedOrder,
    ApprovedReplace,
    CancelOrder,
    DataLost,
    DataRestored,
    Designation,
    Evidence,
    FeedLost,
    FeedRestored,
    HaltTrading,
    Instrument,
    InstrumentHalted,
    LedgerFolded,
    LinkLost,
    LinkRestored,
    MailboxOverflowed,
    MailboxRecovered,
    Nanoseconds,
    OrderBook,
    OrderFilled,
    OrderIntent,
    OrderRefused,
    Reconciled,
    ReplaceIntent,
    ResumeTrading,
    Session,
    SessionChanged,
    Side,
    StrategyDisabled,
    Symbol,
    Tick,
    TradingHalted,
    ViReleased,
    ViTriggered,
    Won,
)
from runtime.actor import Actor, handles, latest
from runtime.envelope import Envelope
from runtime.settings.bounds import Amount, Count, Figure, Percent, Rate, Seconds, TimeOfDay

RULES: tuple[Rule, ...] = (*state.RULES, *size.RULES, *price.RULES, *rate.RULES, *exposure.RULES, *loss.RULES)
"""In the order they are asked; the first no counts."""


class Risk(
    Actor,
    publishes=(ApprovedOrder, ApprovedReplace, OrderRefused, StrategyDisabled, LedgerFolded, ActivityCarried),
    obeys=(OrderIntent, ReplaceIntent),
    weighs=(OrderIntent, ReplaceIntent),
    core=True,
):
    """Weighs each intent on its own ledger, in which its approvals count at once.

    The keys are limits, explained field by field in `actors.limits.rule.Limits`; `commission` is the
    broker's rate, for the cash a buy binds.
    """

    def __init__(
        self,
        journal: History,
        *,
        commission: Rate = 0.00015,
        max_order_value: Amount = 5_000_000,
        max_quantity: Count = 100_000,
        max_volume_percent: Figure = 5.0,
        max_listed_percent: Percent = 0.5,
        collar_percent: Percent = 3.0,
        collar_ticks: Count = 10,
        max_orders_second: Count = 4,
        max_orders_minute: Count = 60,
        max_orders_day: Count = 1_000,
        cancel_reserve: Count = 1,
        duplicate_seconds: Seconds = 5.0,
        max_alike_day: Count = 3,
        max_repeats: Count = 5,
        repeat_seconds: Seconds = 600.0,
        max_position_value: Amount = 10_000_000,
        max_sector_value: Amount = 30_000_000,
        max_gross_value: Amount = 50_000_000,
        max_positions: Count = 10,
        max_daily_loss_percent: Percent = 2.0,
        max_drawdown_percent: Percent = 3.0,
        max_losers: Count = 5,
        stale_seconds: Seconds = 10.0,
        max_clock_difference: Seconds = 2.0,
        sessions: tuple[Session, ...] = (Session.CONTINUOUS,),
        entries_until: TimeOfDay = "",
        forbidden: tuple[Designation, ...] = (
            Designation.ALERT,
            Designation.RISK,
            Designation.OVERHEATED,
            Designation.ADMINISTRATIVE,
            Designation.LIQUIDATION,
        ),
        adopt: bool = False,
    ) -> None:
        given = locals()
        self._limits = Limits(**{name: given[name] for name in Limits.__struct_fields__})
        _check(self._limits)
        self._journal = journal
        self._ledger = Ledger(commission=commission)
        self._view = View()
        self._quotes = self._view.quotes
        self._halt = 0
        """Number of the newest halt."""
        self._carried = ""
        """The day of the last state that later starts can go on from."""
        self._two_clocks = False
        """Whether the exchange's time is another than ours."""
        self._last_allowed: tuple[OrderIntent, Envelope] | None = None
        """To keep the way of the next one warm."""
        self._standing: dict[Symbol, int] = {}
        """Issues that stood still when the day's data came, and when that was."""

    async def on_start(self) -> None:
        self._view.judge = self.desk.name
        self._two_clocks = self.desk.clock.name != "simulated"
        await replay(self._journal, self._ledger)
        await self._recall(self._view.activity)

    async def _recall(self, activity: Activity) -> None:
        """A state of a day that is yet to come is of a clock that was wrong: it would forget what was sent today."""
        state, first = await self._journal.newest(ActivityCarried), 0
        if state is not None and state.day <= kst(self.desk.clock.now()).date().isoformat():
            activity.restore(state)
            self._carried = state.day
            first = state.reconciliation + 1
        async for envelope in self._journal.read(first, ACTIVE):
            assert isinstance(envelope.message, Active)
            activity.fold(envelope.message, envelope.time)

    def keep_warm(self) -> None:
        """Ask every rule, whatever the others say, about an order it allowed, as of the instant it judged last."""
        if self._last_allowed is None:
            return
        intent, envelope = self._last_allowed
        wish = of_intent(intent, envelope.source, self._view)
        for rule in RULES:
            rule(wish, self._ledger, self._view, self._limits)
        _approval(intent, envelope.number, wish.quote)

    @latest
    def on_price(self, message: Tick | OrderBook) -> None:
        symbol = message.symbol
        quotes = self._quotes if message.venue is HOME else self._view.elsewhere[message.venue]
        quote = quotes.get(symbol)
        if quote is None:
            quote = quotes[symbol] = Quote()
        quote.received = message.received
        if isinstance(message, OrderBook):
            quote.ask, quote.bid = message.ask_prices[0], message.bid_prices[0]
            return
        if symbol in self._standing:
            self._trades_again(message)
        price = message.price
        if not quote.reference:
            quote.reference = price if quote.last else message.open or price
        if self._two_clocks:
            self._view.clocks.compare(message.time, message.received)
        quote.volume, quote.ask, quote.bid = message.volume, message.ask, message.bid
        if price != quote.last:
            quote.last = price
            if message.venue is not HOME:
                return
            self._ledger.mark(symbol, price)
            if symbol in self._ledger.holdings:
                self._ledger.touch()

    @handles
    def on_booked(self, message: Booked) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        self._ledger.fold(message, envelope.number)
        if isinstance(message, Instrument):
            self._list(message)
        if isinstance(message, OrderFilled):
            self._ledger.touch()
        if isinstance(message, Reconciled):
            self._reconciled(message, envelope.number)

    @handles
    def on_intent(self, intent: OrderIntent) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        wish = of_intent(intent, envelope.source, self._view)
        refusal = self._judge(wish)
        if refusal is not None:
            self._refuse(intent, envelope.number, intent.side, refusal)
            return
        approval = _approval(intent, envelope.number, wish.quote)
        self.publish(approval)
        self._ledger.foresee(approval)
        self._view.activity.fold(approval, self._view.now)
        self._last_allowed = intent, envelope

    @handles
    def on_change(self, intent: ReplaceIntent) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        order = self._ledger.orders.get(intent.order)
        wish = None
        if order is not None:
            wish = of_change(intent, order, envelope.source, self._view, self._ledger.binds(order))
        refusal = changeable(order, intent)
        if wish is not None and refusal is None:
            refusal = self._judge(wish)
        if wish is None or refusal is not None:
            assert refusal is not None
            self._refuse(intent, envelope.number, order.side if order else Side.BUY, refusal)
            return
        approval = ApprovedReplace(
            number=envelope.number,
            order=intent.order,
            symbol=intent.symbol,
            venue=intent.venue,
            quantity=intent.quantity,
            price=intent.price,
            strategy=intent.strategy,
            evidence=_evidence(wish.quote),
        )
        self.publish(approval)
        self._ledger.foresee(approval)
        self._view.activity.fold(approval, self._view.now)

    @handles
    def on_cancel(self, message: CancelOrder) -> None:
        self._view.activity.fold(message, self.desk.clock.now())

    @handles
    def on_session(self, message: SessionChanged) -> None:
        if not message.remaining:
            self._view.sessions[message.venue] = message.session

    @handles
    def on_interruption(self, message: ViTriggered | ViReleased) -> None:
        if isinstance(message, ViTriggered):
            self._view.interrupted[message.symbol] = message.time
            return
        self._view.interrupted.pop(message.symbol, None)
        if message.symbol in self._quotes:
            self._quotes[message.symbol].reference = 0

    @handles
    def on_suspension(self, message: InstrumentHalted) -> None:
        self._standing.pop(message.symbol, None)
        self._view.suspended[message.symbol] = (message.reason or "거래정지") if message.halted else ""

    @handles
    def on_link(self, message: LinkLost | LinkRestored) -> None:
        if isinstance(message, LinkLost):
            self._view.links[message.gateway] = message.reason
        else:
            self._view.links.pop(message.gateway, None)

    @handles
    def on_feed(self, message: FeedLost | FeedRestored) -> None:
        if isinstance(message, FeedLost):
            self._view.feeds[message.feed] = message.reason
        else:
            self._view.feeds.pop(message.feed, None)

    @handles
    def on_loss(self, message: DataLost | DataRestored) -> None:
        for row in message.rows:
            if isinstance(message, DataLost):
                self._view.losses[row.symbol, row.venue] = row.total
            else:
                self._view.losses.pop((row.symbol, row.venue), None)

    @handles
    def on_gap(self, message: MailboxOverflowed) -> None:
        self._view.gaps[message.actor, message.subject] = message.refused

    @handles
    def on_caught_up(self, message: MailboxRecovered) -> None:
        for subject in message.subjects:
            self._view.gaps.pop((message.actor, subject), None)

    @handles
    def on_halt(self, message: HaltTrading | TradingHalted) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        if isinstance(message, HaltTrading):
            self._halt = envelope.number
        self._view.halted = message.reason or NO_REASON

    @handles
    def on_resume(self, message: ResumeTrading) -> None:
        if message.lifts(self._halt):
            self._view.halted = ""
        self._view.activity.fold(message, self.desk.clock.now())

    def _list(self, instrument: Instrument) -> None:
        symbol = instrument.symbol
        known = self._view.instruments.get(symbol)
        self._view.instruments[symbol] = instrument
        if known is not None and instrument == replace(known, kospi200=not known.kospi200):
            return  # whether it trades is not told anew with its bands
        if known is not None and known.base_price != instrument.base_price and symbol in self._quotes:
            self._quotes[symbol].reference = 0
        self._view.suspended.pop(symbol, None)
        self._standing.pop(symbol, None)
        if instrument.halted:
            self._standing[symbol] = self.desk.clock.now()

    def _trades_again(self, tick: Tick) -> None:
        """A trade since then ends it: an exit must not wait for word that nobody gives."""
        if tick.size and tick.venue is HOME and tick.received > self._standing[tick.symbol]:
            del self._standing[tick.symbol]
            self._view.suspended[tick.symbol] = ""

    def _reconciled(self, message: Reconciled, number: int) -> None:
        self._view.reconciled = self._view.reconciled or message.start
        state = state_at(number, self._ledger)
        if state is None:
            return
        self.publish(state)
        day = self._ledger.day
        remembered = self._view.activity.carried(number, day) if self._carried != day else None
        if remembered is not None:
            self._carried = day
            self.publish(remembered)

    def _judge(self, wish: Wish) -> Refusal | None:
        ledger, view, limits = self._ledger, self._view, self._limits
        view.look_at(self.desk.clock.now())
        for rule in RULES:
            refusal = rule(wish, ledger, view, limits)
            if refusal is not None:
                return refusal
        return None

    def _refuse(self, intent: OrderIntent | ReplaceIntent, number: int, side: Side, refusal: Refusal) -> None:
        refused = OrderRefused(
            order=number,
            symbol=intent.symbol,
            venue=intent.venue,
            strategy=intent.strategy,
            side=side,
            rule=refusal.rule,
            figures=refusal.figures,
            limit=refusal.limit,
        )
        self.publish(refused)
        if refusal.rule == REPEATED:
            self._view.activity.fold(refused, self._view.now)
            repeats = self._limits.max_repeats
            self.publish(
                StrategyDisabled(strategy=intent.strategy, symbol=intent.symbol, venue=intent.venue, repeats=repeats)
            )


def _approval(intent: OrderIntent, number: int, quote: Quote) -> ApprovedOrder:
    return ApprovedOrder(
        order=number,
        symbol=intent.symbol,
        venue=intent.venue,
        side=intent.side,
        quantity=intent.quantity,
        kind=intent.kind,
        price=intent.price,
        validity=intent.validity,
        purpose=intent.purpose,
        strategy=intent.strategy,
        evidence=_evidence(quote),
    )


def _evidence(quote: Quote) -> Evidence:
    return Evidence(last=Won(quote.last), ask=Won(quote.ask), bid=Won(quote.bid), time=Nanoseconds(quote.received))


def _check(limits: Limits) -> None:
    if limits.max_orders_second <= limits.cancel_reserve:
        raise ValueError(
            f"cancel_reserve = {limits.cancel_reserve} leaves no orders of {limits.max_orders_second} a second"
        )
