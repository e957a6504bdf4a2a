"""Records in, order events out: which of our orders a record belongs to, and what of it is news."""

from collections.abc import Callable, Sequence
from typing import Final

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.chejan import OrderRecord
from actors.gateways.kiwoom.tracking import (
    Number,
    Pending,
    Request,
    Tracked,
    external,
    fill_fields,
    fits,
    from_instruction,
    from_journal,
    missed,
    part_from_journal,
    resembles,
)
from actors.gateways.port import BrokerReport, Instruction, KnownOrder
from messages import (
    Action,
    CancelRejected,
    Nanoseconds,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    OrderUnknown,
    ReplaceRejected,
    Shares,
    Won,
)

_NO_REASON: Final = "refused without a reason"
_NO_ANSWER: Final = "no answer came"
_MISSING_FILLS: Final = "fills are missing: the broker's amount is larger than ours"


class OrderTracker:
    """Follows every order of one account through answers, texts and records, in whatever order they come.

    `report` gets each event, `release` each screen that is not needed any more.
    """

    def __init__(self, report: Callable[[BrokerReport], None], release: Callable[[str], None]) -> None:
        self._report = report
        self._release = release
        self._requests: dict[str, Request] = {}
        self._orders: dict[int, Tracked] = {}
        self._owners: dict[str, Tracked] = {}
        self._unbound: list[Tracked] = []
        self._foreign: set[str] = set()
        self.repeated = 0
        """Records that brought nothing new."""

    def know(self, known: Sequence[KnownOrder]) -> None:
        """Bind records of these orders to their numbers; one without the broker's number by what it asked for."""
        for order in known:
            tracked = self._orders[order.order] = from_journal(order)
            if order.broker_order:
                self._owners |= dict.fromkeys((*order.earlier, order.broker_order), tracked)
            else:
                self._unbound.append(tracked)

    def sending(self, instruction: Instruction, screen: str, name: str) -> None:
        """A request is about to be handed over on this screen, under this RQName."""
        self._requests[screen] = Request(instruction, screen, name)
        tracked = self._orders.get(instruction.order)
        if tracked is None:
            tracked = self._orders[instruction.order] = from_instruction(instruction)
        if instruction.broker_order and instruction.broker_order not in self._owners:
            self._owners[instruction.broker_order] = tracked
        tracked.screens.append(screen)

    def not_sent(self, screen: str) -> None:
        """The interface refused the request of this screen: nothing will follow."""
        if screen in self._requests:
            self._settle(self._requests[screen])

    def spare(self) -> None:
        """Give back the screen least needed: of an order known by its number, or by what its records will say."""
        requests = [one for one in self._requests.values() if one.number or one.unknown]
        request = min(requests, key=lambda one: not one.number, default=None)
        if request is not None:
            if not request.number and request.instruction.action is Action.NEW:
                self._unbound.append(self._tracked(request))
            self._settle(request)

    def learn(self, order: int, name: str) -> None:
        """The broker's lists have told which number an order got whose answer was lost, or blank that it has none."""
        tracked = self._orders[order]
        self._unbound = [one for one in self._unbound if one is not tracked]
        for request in [one for one in self._requests.values() if one.instruction.order == order and not one.number]:
            if request.instruction.action is Action.NEW:
                self._settle(request)
        if name:
            self._owners[name], tracked.accepted = tracked, True
            if name not in tracked.numbers:
                tracked.add(name, tracked.quantity, tracked.price)

    def answered(self, screen: str, name: str, number: str, now: int) -> None:
        """OnReceiveTrData of a request; a blank number is a refusal, whose reason may come after it."""
        request = self._requests.get(screen)
        if request is None or request.name != name or request.number:
            return
        if number:
            self._bind(request, number, now)
            return
        request.refused = True
        if request.message:
            self._refuse(request, request.message, now)

    def messaged(self, screen: str, name: str, text: str, now: int) -> None:
        """OnReceiveMsg of a request."""
        request = self._requests.get(screen)
        if request is None or request.name != name:
            return
        request.message = text
        if request.refused:
            self._refuse(request, text, now)

    def overdue(self, screen: str, name: str, now: int) -> None:
        """The time for an answer to this request is over."""
        request = self._requests.get(screen)
        if request is None or request.name != name or request.number or request.unknown:
            return
        if request.refused:
            self._refuse(request, _NO_REASON, now)
        elif request.instruction.action is Action.CANCEL:
            self._refuse(request, request.message or _NO_ANSWER, now)
        else:
            request.unknown = True
            self._say(OrderUnknown, self._tracked(request), now, reason=request.message or _NO_ANSWER)

    def record(self, record: OrderRecord, now: int) -> None:
        """One record about any order of the account; `now` is its time."""
        tracked = self._find(record, now)
        if tracked is None:
            self._external(record, now)
        elif record.number in tracked.earlier:
            self._of_before(tracked, record, now)
        elif record.status == codes.REFUSED:
            self._refused_late(tracked, record, now)
        elif record.status == codes.FILLED:
            self._traded(tracked, record, now)
        elif record.status == codes.CANCELED:
            self._clear(tracked, self._number(tracked, record), record, now)
        elif record.action is Action.NEW or record.number in tracked.numbers:
            self._stands(tracked, record, now)
        elif record.action is Action.REPLACE:
            self._replacing(tracked, record, now)
        elif record.status == codes.CONFIRMED:
            self._canceled(tracked, record, now)

    def expire(self, now: int) -> None:
        """The day is over: what is still open is dead, and Kiwoom says nothing of it."""
        for tracked in self._orders.values():
            rest = tracked.open
            for number in tracked.numbers.values():
                number.dead = number.quantity - number.filled
            if rest:
                self._say(OrderExpired, tracked, now, broker_order=[*tracked.numbers][-1], expired=Shares(rest))

    def _find(self, record: OrderRecord, now: int) -> Tracked | None:
        tracked = self._owners.get(record.number)
        if tracked is not None:
            return tracked
        request = self._request_for(record)
        if request is not None:
            self._bind(request, record.number, now)
            return self._tracked(request)
        tracked = self._owners.get(record.original) or self._from_before(record)
        if tracked is not None:
            self._owners[record.number] = tracked
        return tracked

    def _request_for(self, record: OrderRecord) -> Request | None:
        if record.screen in self._requests:
            request = self._requests[record.screen]
            return request if fits(request, record) else None
        if record.screen.strip("0"):
            return None
        return next((request for request in self._requests.values() if fits(request, record)), None)

    def _from_before(self, record: OrderRecord) -> Tracked | None:
        alike = [tracked for tracked in self._unbound if resembles(tracked, record)]
        if not alike:
            return None
        found = next((tracked for tracked in alike if tracked.screen == record.screen), alike[0])
        self._unbound.remove(found)
        return found

    def _of_before(self, tracked: Tracked, record: OrderRecord, now: int) -> None:
        """A number that was given up before this connection: how much of the journal's figures is its, nobody knows."""
        self.repeated += 1
        if record.fill_quantity and not tracked.asked_about:
            tracked.asked_about = True
            self._say(OrderUnknown, tracked, now, reason=f"a fill of {record.number}, which was given up before")

    def _bind(self, request: Request, name: str, now: int) -> None:
        request.number = name
        tracked, asked = self._tracked(request), request.instruction
        self._owners[name] = tracked
        if asked.action is Action.NEW:
            if name not in tracked.numbers:
                tracked.add(name, asked.quantity, asked.price)
            self._accept(tracked, name, now)
        elif asked.action is Action.REPLACE and name not in tracked.numbers:
            tracked.pending[name] = Pending(name, asked.quantity, asked.price, asked.broker_order)
            self._resume_clearing(tracked, tracked.pending[name], now)

    def _number(self, tracked: Tracked, record: OrderRecord) -> Number:
        number = tracked.numbers.get(record.number)
        if number is None:
            number = tracked.add(record.number, record.quantity, record.price)
        return number

    def _accept(self, tracked: Tracked, name: str, now: int) -> None:
        if not tracked.accepted:
            tracked.accepted = True
            self._say(OrderAccepted, tracked, now, broker_order=name)

    def _stands(self, tracked: Tracked, record: OrderRecord, now: int) -> None:
        number = self._number(tracked, record)
        self._accept(tracked, record.number, now)
        if record.open < number.open:
            self._clear(tracked, number, record, now)

    def _traded(self, tracked: Tracked, record: OrderRecord, now: int) -> None:
        if record.number in tracked.pending:
            self._confirm(tracked, tracked.pending[record.number], now)
        number = self._number(tracked, record)
        self._accept(tracked, record.number, now)
        if not record.fill_quantity:
            self._clear(tracked, number, record, now)
            return
        if number.whole:
            part_from_journal(tracked, number, record)
        self._book(tracked, number, record, now)

    def _book(self, tracked: Tracked, number: Number, record: OrderRecord, now: int) -> None:
        gained = record.amount - number.amount
        if gained <= 0:
            self.repeated += 1
            return
        exact = gained == record.fill_price * record.fill_quantity
        quantity = record.fill_quantity if exact else missed(number, record)
        number.amount = record.amount
        number.filled += quantity
        number.commission = max(number.commission, record.commission)
        number.tax = max(number.tax, record.tax)
        price = record.fill_price if exact else round(gained / quantity)
        fields = fill_fields(tracked, number, quantity, price)
        self._say(OrderFilled, tracked, now, fill=record.fill, source="record" if exact else "jump", **fields)
        self._finish(tracked)

    def _replacing(self, tracked: Tracked, record: OrderRecord, now: int) -> None:
        pending = Pending(record.number, record.quantity, record.price, record.original)
        tracked.pending[record.number] = pending
        if record.status == codes.CONFIRMED:
            self._confirm(tracked, pending, now)
        else:
            self._resume_clearing(tracked, pending, now)

    def _resume_clearing(self, tracked: Tracked, pending: Pending, now: int) -> None:
        original = tracked.numbers.get(pending.original)
        if original is not None and original.held:
            self._confirm(tracked, pending, now)

    def _confirm(self, tracked: Tracked, pending: Pending, now: int) -> None:
        del tracked.pending[pending.name]
        tracked.add(pending.name, pending.quantity, pending.price)
        tracked.move(pending.original, pending.quantity)
        self._say(
            OrderReplaced,
            tracked,
            now,
            broker_order=pending.name,
            original=pending.original,
            quantity=Shares(pending.quantity),
            price=Won(pending.price),
        )
        self._settle_number(pending.name)

    def _canceled(self, tracked: Tracked, record: OrderRecord, now: int) -> None:
        self._settle_number(record.number)
        if not tracked.numbers:
            tracked.add(record.original, tracked.quantity, tracked.price)
        number = tracked.numbers.get(record.original)
        dead = record.quantity if number is None else min(record.quantity, number.open)
        if dead <= 0 or record.number in tracked.cancels:
            self.repeated += 1
            return
        tracked.cancels[record.number] = None
        if number is not None:
            number.dead += dead
        self._die(tracked, number or record.original, dead, "", now)

    def _clear(self, tracked: Tracked, number: Number, record: OrderRecord, now: int) -> None:
        for pending in [one for one in tracked.pending.values() if one.original == number.name]:
            self._confirm(tracked, pending, now)
        dead = number.open - record.open
        if dead <= 0:
            self.repeated += 1
        elif record.amount > number.amount and not number.whole:
            self._say(OrderUnknown, tracked, now, reason=_MISSING_FILLS)
        elif self._replacement_asked(number.name):
            number.held = dead
        else:
            number.dead += dead
            self._die(tracked, number, dead, record.reason, now)

    def _die(self, tracked: Tracked, number: Number | str, dead: int, reason: str, now: int) -> None:
        if isinstance(number, Number):
            number.canceled += dead
            name, dead, left = number.name, tracked.canceled, tracked.open
        else:
            name, left = number, 0
        fields = {"broker_order": name, "canceled": Shares(dead), "reason": reason, "open": Shares(left)}
        self._say(OrderCanceled, tracked, now, **fields)
        self._finish(tracked)

    def _replacement_asked(self, name: str) -> bool:
        asked = (request.instruction for request in self._requests.values() if not request.number)
        return any(one.action is Action.REPLACE and one.broker_order == name for one in asked)

    def _refused_late(self, tracked: Tracked, record: OrderRecord, now: int) -> None:
        request = next((one for one in self._requests.values() if one.number == record.number), None)
        reason = record.reason or (request.message if request else "") or _NO_REASON
        if record.action is Action.NEW:
            number = self._number(tracked, record)
            dead, number.dead = number.open, number.quantity - number.filled
            if dead > 0:
                self._die(tracked, number, dead, reason, now)
        elif request is not None:
            tracked.pending.pop(record.number, None)
            self._refuse(request, reason, now)

    def _refuse(self, request: Request, reason: str, now: int) -> None:
        tracked, asked = self._tracked(request), request.instruction
        self._settle(request)
        if asked.action is Action.NEW:
            self._say(OrderRejected, tracked, now, reason=reason)
        elif asked.action is Action.CANCEL:
            self._say(CancelRejected, tracked, now, reason=reason)
        else:
            self._say(ReplaceRejected, tracked, now, reason=reason)
            self._release_held(tracked, asked.broker_order, now)

    def _release_held(self, tracked: Tracked, name: str, now: int) -> None:
        number = tracked.numbers.get(name)
        if number is not None and number.held:
            dead, number.held = number.held, 0
            number.dead += dead
            self._die(tracked, number, dead, "", now)

    def _external(self, record: OrderRecord, now: int) -> None:
        known = record.number in self._foreign or record.original in self._foreign
        self._foreign.update(name for name in (record.number, record.original) if name)
        if known:
            return
        self._report(external(record, now))

    def _tracked(self, request: Request) -> Tracked:
        return self._orders[request.instruction.order]

    def _settle_number(self, name: str) -> None:
        for request in [one for one in self._requests.values() if one.number == name]:
            if request.instruction.action is not Action.NEW:
                self._settle(request)

    def _settle(self, request: Request) -> None:
        del self._requests[request.screen]
        self._tracked(request).screens.remove(request.screen)
        self._release(request.screen)

    def _finish(self, tracked: Tracked) -> None:
        if tracked.open or tracked.pending:
            return
        for screen in list(tracked.screens):
            request = self._requests[screen]
            if request.number or request.instruction.action is Action.NEW:
                self._settle(request)

    def _say(self, event: Callable[..., BrokerReport], tracked: Tracked, now: int, **fields: object) -> None:
        self._report(
            event(
                order=tracked.order,
                symbol=tracked.symbol,
                venue=tracked.venue,
                strategy=tracked.strategy,
                time=Nanoseconds(now),
                **fields,
            )
        )
