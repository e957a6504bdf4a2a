"""The way out: the most urgent request first, each once, and none that could be taken for another one under way."""

import asyncio
from collections.abc import Callable
from typing import Final

from actors.account.ledger import Ledger
from actors.account.order import Order, Phase
from actors.gateways.port import Broker, Instruction, Outcome, SendResult, Urgency
from actors.market.time import SECOND
from actors.ordering import requests
from actors.ordering.outbox import Item, Outbox
from actors.ordering.scribe import Scribe
from messages import (
    Action,
    CancelRejected,
    HaltTrading,
    Nanoseconds,
    OrderRejected,
    OrderSent,
    OrderUnknown,
    ReplaceRejected,
)
from runtime.clock import Clock
from runtime.disk import faultpoints

_BACK_OFF: Final = (0.2, 0.5, 1.0, 2.0)
"""Seconds an overloaded broker is left alone, by attempt."""
_REFUSALS: Final = {Action.NEW: OrderRejected, Action.REPLACE: ReplaceRejected, Action.CANCEL: CancelRejected}
_IN_FLIGHT: Final = (Phase.SUBMITTING, Phase.SENT, Phase.UNKNOWN)

_turn = faultpoints.point("trader: has its turn, nothing written")
_written = faultpoints.point("trader: submission written, not durable")
_durable = faultpoints.point("trader: submission durable, not sent")
_sent = faultpoints.point("trader: sent, answer not booked")
_answered = faultpoints.point("trader: answer booked")


class Sender:
    """Takes what was approved, and hands it to the broker when its turn has come.

    `forbids` says why a request may not leave now, blank where it may; `suspect` hears that the broker should be
    asked what it knows.
    """

    def __init__(
        self,
        broker: Broker,
        ledger: Ledger,
        scribe: Scribe,
        clock: Clock,
        *,
        bound: int,
        max_age: float,
        forbids: Callable[[Item], str],
        suspect: Callable[[], None],
    ) -> None:
        self._broker = broker
        self._ledger = ledger
        self._scribe = scribe
        self._clock = clock
        self._max_age = round(max_age * SECOND)
        self._forbids = forbids
        self._suspect = suspect
        self._flying: dict[int, Order] = {}
        """Handed over, or about to be, and not heard of: the ledger learns of it a moment later."""
        self.outbox = Outbox(bound)
        self._wire = asyncio.Lock()
        self.approvals = requests.Approvals()
        self.held = ""
        """Why nothing leaves at all; blank while the order link is up."""

    def admit(self, item: Item) -> None:
        """Lay an approved request in the outbox, or refuse it at once; an exit always finds room."""
        reason = ""
        if item.urgency is Urgency.ENTRY:
            reason = self._obstacle(item) or (f"{len(self.outbox)} requests wait" if self.outbox.full else "")
        if reason:
            self._refuse(item, reason)
        else:
            self.outbox.put(item)

    def withdraw(self, order: int) -> bool:
        """Take a new order out that was not sent yet; whether there was one."""
        item = self.outbox.withdraw(order, Action.NEW)
        if item is not None:
            self.approvals.use(item.instruction)
        return item is not None

    def drop_entries(self) -> None:
        """Refuse every entry that waits."""
        for item in self.outbox.drain(Urgency.ENTRY):
            self._refuse(item, self._obstacle(item))

    async def run(self, urgency: Urgency) -> None:
        """Send for ever what is this urgent; with turns of its own no cancel waits behind one asked for by an entry."""
        while True:
            item = self._next(lambda item: item.urgency is urgency)
            if item is None:
                await self._news()
            elif reason := self._obstacle(item):
                self.outbox.take(item)
                self._refuse(item, reason)
            else:
                await self._broker.turn(urgency)
                await self._use_turn(urgency)

    async def _use_turn(self, urgency: Urgency) -> None:
        """One at a time; the most urgent there is by now, and nothing less urgent than the turn was given for."""
        async with self._wire:
            item = self._next(lambda item: item.urgency <= urgency)
            if item is not None:
                self.outbox.take(item)
                await self._submit(item)

    def _next(self, wanted: Callable[[Item], bool]) -> Item | None:
        if self.held:
            return None
        return self.outbox.ready(self._clock.now(), lambda item: wanted(item) and self._can_go(item))

    def _can_go(self, item: Item) -> bool:
        """A change or a cancel waits for the broker's number, a new order for that of its look-alike."""
        if self._obstacle(item):
            return True
        order = self._ledger.orders[item.order]
        if item.instruction.action is not Action.NEW:
            return bool(order.broker_order)
        return self._look_alike(order) is None

    def _look_alike(self, order: Order) -> Order | None:
        """An order in flight whose records could be taken for those of this one."""
        others = self._ledger.unsettled(order.symbol)
        return next((o for o in others if o is not order and _is_like(order, o) and self._in_flight(o)), None)

    def _in_flight(self, order: Order) -> bool:
        if order.broker_orders or order.filled or not order.live:
            return False
        return order.number in self._flying or order.phase in _IN_FLIGHT

    async def _news(self) -> None:
        now = self._clock.now()
        times = (self.outbox.next_due(now), self.outbox.next_too_old(now, self._max_age))
        due = min((time for time in times if time is not None), default=None)
        timer = None if due is None else self._clock.call_at(due, self.outbox.nudge)
        try:
            await self.outbox.news()
        finally:
            if timer is not None:
                timer.cancel()

    async def _submit(self, item: Item) -> None:
        reason = self._obstacle(item)
        if reason:
            self._refuse(item, reason)
            return
        asked = self._up_to_date(item)
        if asked.action is Action.NEW:
            self._flying = {n: order for n, order in self._flying.items() if self._in_flight(order)}
            self._flying[item.order] = self._ledger.orders[item.order]
        _turn()
        number = self._scribe.say(requests.submitting(asked, self._now()))
        _written()
        reason = await self._prove(item, number)
        _durable()
        reason = reason or self._obstacle(item)
        if reason:
            self._refuse(item, reason)
            return
        self.approvals.prove(asked)
        result = self._broker.send(asked)
        _sent()
        self._answer(item, asked, result)
        _answered()

    async def _prove(self, item: Item, number: int) -> str:
        lowers = item.urgency is not Urgency.ENTRY and item.instruction.action is not Action.REPLACE
        blind = self._scribe.blind
        reason = await self._scribe.prove(number, lowers=lowers)
        if self._scribe.blind and not blind:
            self._scribe.say(HaltTrading(reason=f"the journal failed: {self._scribe.blind}", by="journal"))
        return reason

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
        return self._forbids(item) or self._too_old(item, order)

    def _too_old(self, item: Item, order: Order) -> str:
        age = abs(self._clock.now() - item.since)  # whose clock was set back is of no known age
        if age <= self._max_age:
            return ""
        other = self._look_alike(order) if item.instruction.action is Action.NEW else None
        behind = f", behind order {other.number} which looks like it and is {other.phase}" if other else ""
        return f"too old: {age / SECOND:.3f} s{behind}"

    def _answer(self, item: Item, asked: Instruction, result: SendResult) -> None:
        fields = requests.event(self._ledger.orders[item.order], self._now())
        match result.outcome:
            case Outcome.SENT:
                self._scribe.say(OrderSent(**fields, action=asked.action, request=asked.request, screen=result.screen))
            case Outcome.UNKNOWN:
                self._scribe.say(OrderUnknown(**fields, reason=result.reason, screen=result.screen))
                self._suspect()
            case Outcome.LATER:
                self._later(item)
                return
            case Outcome.NEVER | Outcome.HALT:
                self._refuse(item, result.reason, result.code)
        self.approvals.use(asked)
        if result.outcome is Outcome.HALT:
            self._scribe.say(HaltTrading(reason=result.reason, by="trader"))

    def _later(self, item: Item) -> None:
        pause = _BACK_OFF[min(item.attempts, len(_BACK_OFF) - 1)]
        item.attempts += 1
        item.not_before = self._clock.now() + round(pause * SECOND)
        self.outbox.put(item)

    def _refuse(self, item: Item, reason: str, code: int = 0) -> None:
        self.approvals.use(item.instruction)
        if item.instruction.action is Action.NEW:
            self._flying.pop(item.order, None)
        fields = requests.event(self._ledger.orders[item.order], self._now())
        self._scribe.say(_REFUSALS[item.instruction.action](**fields, reason=reason, code=code))

    def _now(self) -> Nanoseconds:
        return Nanoseconds(self._clock.now())


def _is_like(order: Order, other: Order) -> bool:
    same = (order.symbol, order.side, order.quantity) == (other.symbol, other.side, other.quantity)
    return same and (order.price == other.price or not order.price or not other.price)
