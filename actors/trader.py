"""Trader: approvals to the broker, journal first, and the broker's word back; no handler waits."""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from actors.account.ledger import Booked, Ledger
from actors.account.recovery import replay
from actors.gateways.port import Broker, Instruction, Outcome, SendResult, Urgency
from actors.market.time import SECOND
from actors.ordering import requests
from actors.ordering.outbox import Item, Outbox
from actors.ordering.reconciler import Reconciler
from actors.ordering.reconciliation import known_orders
from messages import (
    Action,
    ApprovedOrder,
    ApprovedReplace,
    CancelOrder,
    CancelRejected,
    ExternalOrderSeen,
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
    ReplaceRejected,
    ResumeTrading,
    Session,
    SessionChanged,
    TradingHalted,
)
from runtime.actor import Actor, handles
from runtime.bounds import Several, Span
from runtime.envelope import Envelope

_BACK_OFF = (0.2, 0.5, 1.0, 2.0)
"""Seconds an overloaded broker is left alone, by attempt."""
_LONG = 5 * SECOND
"""After which the broker's silence about an order that shall be canceled is suspicious."""
_REFUSALS = {Action.NEW: OrderRejected, Action.REPLACE: ReplaceRejected, Action.CANCEL: CancelRejected}


class Journal(Protocol):
    """The journal: what happened, and the proof that it is on the disk."""

    def read(self, first: int = ..., types: tuple[type[Message], ...] = ...) -> AsyncIterator[Envelope]:
        """Every stored message of these types from number `first` on."""
        ...

    async def durable(self, number: int) -> None:
        """Return when the message of this number survives a power cut."""
        ...


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
        ExternalOrderSeen,
        Reconciled,
        LedgerFolded,
        HaltTrading,
        TradingHalted,
        LinkLost,
        LinkRestored,
    ),
    obeys=(ApprovedOrder, ApprovedReplace, CancelOrder, HaltTrading),
    core=True,
):
    """Sends what was approved, the most urgent first, each order once.

    `max_age`: seconds after which an approval is too old to send. `reconcile`: seconds between two
    matches with the broker. `outbox`: how many requests may wait.
    """

    def __init__(
        self, broker: Broker, journal: Journal, *, max_age: Span = 5.0, reconcile: Span = 60.0, outbox: Several = 1_000
    ) -> None:
        self._broker = broker
        self._journal = journal
        self._max_age = max_age
        self._period = reconcile
        self._outbox = Outbox(outbox)
        self._approvals = requests.Approvals()
        self._ledger = Ledger()
        self._reconciler: Reconciler
        self._started = False
        self._halted = ""
        self._links: dict[str, str] = {}
        self._suspicion = asyncio.Event()
        self._digest = (0, "")

    async def on_start(self) -> None:
        self._reconciler = Reconciler(self._broker, self._ledger, self.desk.clock, self.desk.log, self._say)
        await replay(self._journal, self._ledger)
        self._reconciler.end_earlier_orders()
        await self._broker.open(self._say, known_orders(self._ledger))
        await self._reconciler.start()
        self._started = True
        self.spawn(self._send_for_ever())
        self.spawn(self._reconcile_for_ever())

    @handles
    def on_booked(self, message: Booked) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        for odd in self._ledger.fold(message, envelope.number):
            self.publish(HaltTrading(reason=odd, by=self.desk.name))
        match message:
            case ApprovedOrder():
                self._approvals.note(message)
                self._admit(requests.place(message), message.purpose)
            case ApprovedReplace():
                order = self._ledger.orders[message.order]
                self._approvals.note(message)
                asked = requests.change(order, request=message.number, quantity=message.quantity, price=message.price)
                self._admit(asked, order.purpose)
            case Reconciled():
                self._digest = envelope.number, self._ledger.digest()
                self.publish(LedgerFolded(reconciliation=self._digest[0], digest=self._digest[1]))
                self._cancel_entries(envelope.number)
            case OrderCanceled() | OrderExpired():
                self._outbox.nudge()
                order = self._ledger.orders.get(message.order)
                if order is not None and not order.settled:
                    self._suspicion.set()
            case _:
                self._outbox.nudge()

    @handles
    def on_cancel(self, message: CancelOrder) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        self._cancel(message.order, envelope.number, message.reason)

    @handles
    def on_halt(self, message: HaltTrading) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        first, self._halted = not self._halted, message.reason
        self._drop_entries()
        self._cancel_entries(envelope.number)
        if first:
            self.publish(TradingHalted(time=self._now(), reason=message.reason))

    @handles
    def on_resume(self, _message: ResumeTrading) -> None:
        self._halted = ""

    @handles
    def on_session(self, message: SessionChanged) -> None:
        if message.session is Session.CLOSED_FOR_DAY and not message.remaining:
            self.spawn(self._end_day())

    @handles
    def on_link(self, message: LinkLost | LinkRestored) -> None:
        if isinstance(message, LinkLost):
            self._links[message.gateway] = message.reason
            self._drop_entries()
            return
        self._links.pop(message.gateway, None)
        self._outbox.nudge()
        self._suspicion.set()

    @handles
    def on_folded(self, message: LedgerFolded) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        number, digest = self._digest
        if message.reconciliation == number and message.digest != digest:
            reason = f"the ledgers of {envelope.source} and {self.desk.name} differ"
            self.publish(HaltTrading(reason=reason, by=self.desk.name))

    def _admit(self, instruction: Instruction, purpose: Purpose) -> None:
        item = Item(instruction, Urgency.EXIT if purpose is Purpose.EXIT else Urgency.ENTRY, self._now())
        reason = self._obstacle(item) if item.urgency is Urgency.ENTRY else ""
        if reason or self._outbox.full:
            self._refuse(item, reason or f"{len(self._outbox)} requests wait")
        else:
            self._outbox.put(item)

    def _cancel(self, number: int, request: int, reason: str) -> None:
        order = self._ledger.orders.get(number)
        if order is None:
            self.desk.log.warning("cancel of an order that is not ours", order=number)
        elif not order.live:
            self.publish(CancelRejected(**requests.event(order, self._now()), reason=f"it is {order.phase}"))
        elif (item := self._outbox.withdraw(number, Action.NEW)) is not None:
            self._approvals.use(item.instruction)
            fields = requests.event(order, self._now())
            self.publish(OrderCanceled(**fields, broker_order="", canceled=order.open, reason=f"never sent: {reason}"))
        elif not order.canceling and not self._outbox.waits(number, Action.CANCEL):
            self._outbox.put(Item(requests.cancel(order, request=request), Urgency.CANCEL, self._now()))
        elif not order.broker_order and self._now() - order.time > _LONG:
            self._suspicion.set()

    def _drop_entries(self) -> None:
        for item in self._outbox.drain(Urgency.ENTRY):
            self._refuse(item, self._obstacle(item))

    def _cancel_entries(self, request: int) -> None:
        """Again and again while the halt is on, until none is open."""
        for order in self._ledger.live() if self._halted else ():
            if order.purpose is Purpose.ENTRY:
                self._cancel(order.number, request, f"halted: {self._halted}")

    async def _send_for_ever(self) -> None:
        while True:
            item = self._next()
            if item is None:
                await self._news()
                continue
            await self._broker.turn(item.urgency)
            item = self._next()
            if item is not None:
                self._outbox.take(item)
                await self._submit(item)

    async def _news(self) -> None:
        due = self._outbox.next_due(self.desk.clock.now())
        timer = None if due is None else self.desk.clock.call_at(due, self._outbox.nudge)
        try:
            await self._outbox.news()
        finally:
            if timer is not None:
                timer.cancel()

    def _next(self) -> Item | None:
        return None if self._links else self._outbox.ready(self.desk.clock.now(), self._can_go)

    def _can_go(self, item: Item) -> bool:
        """A change or a cancel waits until the broker's number of its order is known."""
        order = self._ledger.orders[item.order]
        return item.instruction.action is Action.NEW or bool(order.broker_order) or not order.live

    async def _submit(self, item: Item) -> None:
        asked = self._up_to_date(item)
        reason = self._obstacle(item)
        if reason:
            self._refuse(item, reason)
            return
        number = self.publish(requests.submitting(asked, self._now()))
        await self._journal.durable(number)
        reason = self._obstacle(item)
        if reason:
            self._refuse(item, reason)
            return
        self._approvals.prove(asked)
        self._answer(item, asked, self._broker.send(asked))

    def _up_to_date(self, item: Item) -> Instruction:
        """The request with the broker's number and the open quantity of this moment."""
        asked, order = item.instruction, self._ledger.orders[item.order]
        if asked.action is Action.CANCEL:
            return requests.cancel(order, request=asked.request)
        if asked.action is Action.REPLACE:
            return requests.change(order, request=asked.request, quantity=asked.quantity, price=asked.price)
        return asked

    def _obstacle(self, item: Item) -> str:
        order = self._ledger.orders[item.order]
        if not order.live:
            return f"it is {order.phase}"
        if item.urgency is Urgency.CANCEL:
            return ""
        if self._halted and item.urgency is Urgency.ENTRY:
            return f"halted: {self._halted}"
        if self._links:
            return "the order link is lost"
        age = (self.desk.clock.now() - item.since) / SECOND
        return f"too old: {age:.3f} s" if age > self._max_age else ""

    def _answer(self, item: Item, asked: Instruction, result: SendResult) -> None:
        fields = requests.event(self._ledger.orders[item.order], self._now())
        match result.outcome:
            case Outcome.SENT:
                self.publish(OrderSent(**fields, action=asked.action, request=asked.request, screen=result.screen))
            case Outcome.UNKNOWN:
                self.publish(OrderUnknown(**fields, reason=result.reason))
                self._suspicion.set()
            case Outcome.LATER:
                self._later(item)
                return
            case Outcome.NEVER | Outcome.HALT:
                self._refuse(item, result.reason, result.code)
        self._approvals.use(asked)
        if result.outcome is Outcome.HALT:
            self.publish(HaltTrading(reason=result.reason, by=self.desk.name))

    def _later(self, item: Item) -> None:
        pause = _BACK_OFF[min(item.attempts, len(_BACK_OFF) - 1)]
        item.attempts += 1
        item.not_before = self.desk.clock.now() + round(pause * SECOND)
        self._outbox.put(item)

    def _refuse(self, item: Item, reason: str, code: int = 0) -> None:
        self._approvals.use(item.instruction)
        fields = requests.event(self._ledger.orders[item.order], self._now())
        self.publish(_REFUSALS[item.instruction.action](**fields, reason=reason, code=code))

    async def _reconcile_for_ever(self) -> None:
        while True:
            timer = self.desk.clock.call_later(self._period, self._suspicion.set)
            await self._suspicion.wait()
            timer.cancel()
            self._suspicion.clear()
            if not self._links:
                await self._reconciler.look()

    async def _end_day(self) -> None:
        """Nothing outlives the day; an order still open after the match has expired."""
        if not await self._reconciler.look():
            return
        await self.desk.clock.sleep(1)
        for order in self._ledger.live():
            fields = requests.event(order, self._now())
            self.publish(OrderExpired(**fields, broker_order=order.broker_order, expired=order.open))

    def _say(self, message: Message) -> None:
        """Before the start is over nobody else speaks of orders, and the ledger must know at once."""
        number = self.publish(message)
        if not self._started and isinstance(message, Booked):
            self._ledger.fold(message, number)

    def _now(self) -> Nanoseconds:
        return Nanoseconds(self.desk.clock.now())
