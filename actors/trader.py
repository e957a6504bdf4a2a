"""Trader: approvals to the broker, journal first, and the broker's word back; no handler waits."""

import asyncio

from actors.account.ledger import Booked, Ledger
from actors.account.recovery import replay
from actors.gateways.port import Broker, BrokerReport, Instruction, Urgency
from actors.limits.activity import korean_day
from actors.ordering import requests
from actors.ordering.cancels import Cancels
from actors.ordering.closing import Closing
from actors.ordering.halting import Halt
from actors.ordering.outbox import Item
from actors.ordering.reconciler import Reconciler
from actors.ordering.refused import RefusedExits
from actors.ordering.scribe import Journal, Scribe
from actors.ordering.sender import Sender
from actors.ordering.settling import NotSettledError, settlement
from actors.ordering.statement import known_orders
from messages import (
    ActorFailed,
    ApprovedOrder,
    ApprovedReplace,
    CancelOrder,
    CancelRejected,
    CashAdjusted,
    DayMatched,
    ExternalOrderSeen,
    HaltConfirmed,
    HaltTrading,
    LedgerFolded,
    LinkLost,
    LinkRestored,
    Message,
    Nanoseconds,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    OrderSent,
    OrderSubmitting,
    OrderUnknown,
    PositionAdjusted,
    Purpose,
    Reconciled,
    ReconciliationWanted,
    ReplaceRejected,
    ResumeTrading,
    Session,
    SessionChanged,
    SettleOrder,
    StopSystem,
    TradingHalted,
)
from runtime.actor import Actor, handles
from runtime.disk import faultpoints
from runtime.life.exits import DONE, UNREACHABLE
from runtime.settings.bounds import Rate, Several, Span

_replayed = faultpoints.point("recovery: journal read")
_closed = faultpoints.point("recovery: orders of before ended, broker not asked")
_connected = faultpoints.point("recovery: broker open, account not read")
_recovered = faultpoints.point("recovery: reconciled, nothing sent yet")
_folded = faultpoints.point("trader: an order event is folded")
_heard = faultpoints.point("trader: the broker's word is said")
_halting = faultpoints.point("trader: halted, cancels not sent")
_settled = faultpoints.point("trader: an order is settled by a person")


_ON_ITS_WAY = 1.0
"""Seconds by which an intent that was said is an order."""


class _Orphaned(Message):
    strategy: str
    failure: int
    """Number of its last ActorFailed."""


class _StillLost(Message):
    gateway: str
    breaks: int
    """How many links were lost until then, this one included."""


class Trader(
    Actor,
    publishes=(
        OrderSubmitting,
        OrderSent,
        OrderAccepted,
        OrderRejected,
        OrderUnknown,
        OrderFilled,
        OrderReplaced,
        OrderCanceled,
        OrderExpired,
        CancelRejected,
        ReplaceRejected,
        PositionAdjusted,
        CashAdjusted,
        ExternalOrderSeen,
        ReconciliationWanted,
        Reconciled,
        DayMatched,
        LedgerFolded,
        HaltTrading,
        TradingHalted,
        HaltConfirmed,
        LinkLost,
        LinkRestored,
        StopSystem,
    ),
    obeys=(ApprovedOrder, ApprovedReplace, CancelOrder, HaltTrading, SettleOrder),
    core=True,
):
    """Sends what was approved, the most urgent first, each order once.

    `max_age`: seconds after which an approval is too old to send. `reconcile`: seconds between two
    matches with the broker. `outbox`: how many entries may wait. `commission`: the broker's rate, for what a
    person says has filled. `link_patience`: how long the order link may be lost before the run ends, for the guard to
    start a new one. When the last venue where an order of ours stands has closed, it writes the match of journal,
    live records and statement as match.txt and match.csv.
    """

    def __init__(
        self,
        broker: Broker,
        journal: Journal,
        *,
        max_age: Span = 5.0,
        reconcile: Span = 60.0,
        outbox: Several = 1_000,
        commission: Rate = 0.00015,
        link_patience: Span = 30.0,
    ) -> None:
        self._broker = broker
        self._journal = journal
        self._max_age = max_age
        self._period = reconcile
        self._bound = outbox
        self._commission = commission
        self._link_patience = link_patience
        self._ledger = Ledger(commission=commission)
        self._halt = Halt()
        self._scribe: Scribe
        self._sender: Sender
        self._reconciler: Reconciler
        self._closing: Closing
        self._cancels: Cancels
        self._refused = RefusedExits()
        self._started = False
        self._links: dict[str, str] = {}
        self._breaks = 0
        self._suspicion = asyncio.Event()
        self._digest = (0, "")
        self._day_over = False
        self._day_ended = asyncio.Event()
        self._ending = asyncio.Lock()
        self._ends = 0
        """How many times the day is yet to be ended: one waits for the other."""
        self._closed_on = 0
        """The Korean day on which a venue closed last."""

    async def on_start(self) -> None:
        clock, log = self.desk.clock, self.desk.log
        self._scribe = Scribe(self._journal, self.publish, log)
        self._sender = Sender(
            self._broker,
            self._ledger,
            self._scribe,
            clock,
            bound=self._bound,
            max_age=self._max_age,
            forbids=self._forbids,
            suspect=self._suspicion.set,
        )
        self._cancels = Cancels(self._ledger, self._sender, clock, log, say=self.publish, suspect=self._suspicion.set)
        self._reconciler = Reconciler(self._broker, self._ledger, clock, log, self._say, breaks=lambda: self._breaks)
        self._closing = Closing(self._reconciler, self._ledger, clock, log, say=self._say, data=self.desk.data)
        await replay(self._journal, self._ledger)
        _replayed()
        self._reconciler.end_earlier_runs()
        _closed()
        await self._broker.open(self._report, known_orders(self._ledger, clock.now()))
        _connected()
        await self._reconciler.end_earlier_days()
        await self._reconciler.start()
        _recovered()
        self._started = True
        for urgency in (Urgency.CANCEL, Urgency.EXIT, Urgency.ENTRY):
            self.spawn(self._sender.run(urgency))
        self.spawn(self._reconciler.run(self._suspicion, self._period, lambda: not self._links))

    async def on_stop(self) -> None:
        """The day's match is not left half done, nor left out because an order outlives the run."""
        if self._day_over:
            await self._day_ended.wait()
        if self._closed_on == korean_day(self._now()) and self._closing.goes_on() and not self._links:
            left = [order.number for order in self._ledger.live()]
            self.desk.log.error("orders stand at a venue that is open, and nobody watches them from here", orders=left)
            await self._closing.run()

    @handles
    def on_booked(self, message: Booked) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        for odd in self._ledger.fold(message, envelope.number):
            self.publish(HaltTrading(reason=odd, by=self.desk.name))
        _folded()
        self._cancels.hear(message, envelope.number)
        match message:
            case ApprovedOrder():
                self._place(message, envelope.number)
            case ApprovedReplace():
                self._change(message)
            case Reconciled():
                self._digest = envelope.number, self._ledger.digest()
                self.publish(LedgerFolded(reconciliation=self._digest[0], digest=self._digest[1]))
                self._take_back(envelope.number)
                self._cancels.ask_again(envelope.number)
            case OrderUnknown():
                self._suspicion.set()
            case OrderRejected() if self._refused.asks(self._ledger.orders.get(message.order), self._now()):
                self._suspicion.set()
            case CancelRejected() if self._halt.reason:
                self._suspicion.set()
            case OrderCanceled() | OrderExpired():
                order = self._ledger.orders.get(message.order)
                if order is not None and not order.settled:
                    self._suspicion.set()
            case _:
                pass
        self._sender.outbox.nudge()
        self._confirm_halt()

    @handles
    def on_cancel(self, message: CancelOrder) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        self._cancels.ask(message.order, envelope.number, message.reason)

    @handles
    def on_failed(self, message: ActorFailed) -> None:
        """Nobody watches the entries of a strategy that stays off."""
        envelope = self.desk.envelope
        assert envelope is not None
        if message.off:
            self._cancels.disown(message.actor, envelope.number)
            self.after(_ON_ITS_WAY, _Orphaned(strategy=message.actor, failure=envelope.number))

    @handles
    def on_orphaned(self, message: _Orphaned) -> None:
        self._cancels.disown(message.strategy, message.failure)

    @handles
    def on_settle(self, message: SettleOrder) -> None:
        try:
            events = settlement(self._ledger, message, self._now(), self._commission)
        except NotSettledError as error:
            self.desk.log.warning("not settled", order=message.order, by=message.by, reason=str(error))
            return
        if any(isinstance(event, OrderRejected) for event in events):
            self._broker.learn(message.order, "")
        for event in events:
            self._say(event)
        _settled()
        self._suspicion.set()

    @handles
    def on_halt(self, message: HaltTrading) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        if message.by == "journal":
            self._scribe.blind = self._scribe.blind or message.reason
        first = self._halt.begin(message.reason, self._ledger, envelope.number)
        _halting()
        self._sender.drop_entries()
        self._take_back(envelope.number)
        if first:
            self.publish(TradingHalted(time=self._now(), reason=self._halt.reason))
        self._confirm_halt()

    @handles
    def on_resume(self, message: ResumeTrading) -> None:
        """Who believes to have resumed is told where a newer halt stays."""
        self._halt.lift(message)
        if self._halt.reason:
            self.publish(TradingHalted(time=self._now(), reason=self._halt.reason))

    @handles
    def on_doubt(self, _message: ReconciliationWanted) -> None:
        self._suspicion.set()

    @handles
    def on_session(self, message: SessionChanged) -> None:
        if message.session is not Session.CLOSED_FOR_DAY or message.remaining:
            self._day_over &= self._closed_on == korean_day(self._now())
            return
        if self._closing.ends(message.venue):
            self._day_over = True
            self._ends += 1
            self._day_ended.clear()
            self.spawn(self._end_day())
        self._closed_on = korean_day(self._now())

    @handles
    def on_link(self, message: LinkLost | LinkRestored) -> None:
        if isinstance(message, LinkLost):
            self._breaks += 1
            self._links[message.gateway] = message.reason
            self.after(self._link_patience, _StillLost(gateway=message.gateway, breaks=self._breaks))
            self._sender.drop_entries()
        else:
            self._links.pop(message.gateway, None)
            self._suspicion.set()
        self._sender.held = "the order link is lost" if self._links else ""
        self._sender.outbox.nudge()

    @handles
    def on_still_lost(self, message: _StillLost) -> None:
        """Without a link no stop can be sold: a new process logs in again where this one cannot.

        After a day that is matched nobody has to, but a feed that is cut never says that it ended.
        """
        reason = self._links.get(message.gateway)
        if reason is None or message.breaks != self._breaks:
            return
        done = self._day_over and self._day_ended.is_set() and self._closing.matched
        code = DONE if done and not self._closing.goes_on() else UNREACHABLE
        self.publish(StopSystem(reason=f"no link to {message.gateway}: {reason}", code=code))

    @handles
    def on_folded(self, message: LedgerFolded) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        number, digest = self._digest
        if message.reconciliation == number and message.digest != digest:
            reason = f"the ledgers of {envelope.source} and {self.desk.name} differ"
            self.publish(HaltTrading(reason=reason, by=self.desk.name))

    def _place(self, approval: ApprovedOrder, number: int) -> None:
        leaves = approval.purpose is Purpose.EXIT
        if leaves and self._scribe.blind:
            self._scribe.keep(number)
        self._sender.approvals.note(approval)
        self._admit(requests.place(approval), approval.purpose)

    def _change(self, approval: ApprovedReplace) -> None:
        order = self._ledger.orders[approval.order]
        self._sender.approvals.note(approval)
        asked = requests.change(order, request=approval.number, quantity=approval.quantity, price=approval.price)
        self._admit(asked, order.purpose)

    def _admit(self, instruction: Instruction, purpose: Purpose) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        urgency = Urgency.EXIT if purpose is Purpose.EXIT else Urgency.ENTRY
        self._sender.admit(Item(instruction, urgency, envelope.time))

    def _take_back(self, request: int) -> None:
        """Again and again while the halt is on, until nothing is open."""
        for order in self._halt.left(self._ledger):
            self._cancels.ask(order.number, request, f"halted: {self._halt.reason}")

    def _confirm_halt(self) -> None:
        if self._halt.just_confirmed(self._ledger):
            self.publish(HaltConfirmed(time=self._now(), reason=self._halt.reason))

    def _forbids(self, item: Item) -> str:
        if self._halt.reason and item.urgency is Urgency.ENTRY:
            return f"halted: {self._halt.reason}"
        if self._scribe.blind and item.urgency is Urgency.ENTRY:
            return f"the journal failed: {self._scribe.blind}"
        return "the order link is lost" if self._links else ""

    async def _end_day(self) -> None:
        try:
            async with self._ending:
                await self._closing.run()
        finally:
            self._ends -= 1
            if not self._ends:
                self._day_ended.set()

    def _report(self, report: BrokerReport) -> None:
        self._say(report)

    def _say(self, message: Message) -> int:
        """Before the start is over nobody else speaks of orders, and the ledger must know at once."""
        number = self._scribe.say(message)
        _heard()
        if not self._started and isinstance(message, Booked):
            self._ledger.fold(message, number)
        return number

    def _now(self) -> Nanoseconds:
        return Nanoseconds(self.desk.clock.now())
