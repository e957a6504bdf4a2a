"""What of a record is news: fills, changes, ends, each said once, in whatever order the records come."""

from collections.abc import Callable
from typing import Final

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.orders.chejan import OrderRecord
from actors.gateways.kiwoom.orders.owners import Owners
from actors.gateways.kiwoom.orders.tracking import (
    Number,
    Pending,
    Request,
    Tracked,
    external,
    fill_fields,
    missed,
    part_from_journal,
)
from actors.gateways.port import BrokerReport
from actors.market.venues import HOME
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
    ReconciliationWanted,
    ReplaceRejected,
    Shares,
    Won,
)

NO_REASON: Final = "refused without a reason"
_NO_SENSE: Final = "a fill whose amount no count of shares explains"
_CLEARING: Final = (codes.ACCEPTED, codes.FILLED)
_ENDED_SOMEHOW: Final = "its rest was taken back, or moved to another number: the broker's lists will tell"
_MISSING_FILLS: Final = "fills are missing: the broker's amount is larger than ours"


class News:
    """Follows every order of one account through its records; `report` gets each event.

    `release` gets each screen that is not needed any more.
    """

    def __init__(self, report: Callable[[BrokerReport], None], release: Callable[[str], None]) -> None:
        self._report = report
        self.owners = Owners(release)
        self._foreign: set[str] = set()
        self._unsure: list[tuple[OrderRecord, int]] = []
        """Records that the answer to a request may yet tell to be ours, and when they came."""
        self.repeated = 0
        """Records that brought nothing new."""

    def record(self, record: OrderRecord, now: int) -> None:
        """One record about any order of the account; `now` is its time."""
        tracked = self._find(record, now)
        if tracked is None and self.owners.may_tell(record):
            self._unsure.append((record, now))
        elif tracked is None:
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
        """The KRX's day is over: what is still open there is dead, and Kiwoom says nothing of it."""
        for tracked in self.owners.orders:
            if tracked.venue is not HOME:
                continue
            rest = tracked.open
            for number in tracked.numbers.values():
                number.dead = number.quantity - number.filled
            if rest:
                self.say(OrderExpired, tracked, now, broker_order=[*tracked.numbers][-1], expired=Shares(rest))

    def _find(self, record: OrderRecord, now: int) -> Tracked | None:
        tracked = self.owners.named(record.number)
        if tracked is not None:
            self.owners.heard(record)
            return tracked
        request = self.owners.request_for(record)
        if request is None:
            return self.owners.heir(record)
        self.bind(request, record.number, now)
        return self.owners.of(request)

    def sort_out(self) -> None:
        """An answer came, or none will: it is known by now whose the records were that it might have told of."""
        unsure, self._unsure = self._unsure, []
        for record, now in unsure:
            self.record(record, now)

    def _of_before(self, tracked: Tracked, record: OrderRecord, now: int) -> None:
        """A number that was given up before this connection: how much of the journal's figures is its, nobody knows."""
        self.repeated += 1
        if record.fill_quantity and not tracked.asked_about:
            tracked.asked_about = True
            self.say(OrderUnknown, tracked, now, reason=f"a fill of {record.number}, which was given up before")

    def bind(self, request: Request, name: str, now: int) -> None:
        request.number, request.listed, request.refused = name, False, False
        tracked, asked = self.owners.of(request), request.instruction
        self.owners.name(tracked, name)
        if asked.action is Action.NEW:
            if name not in tracked.numbers:
                tracked.add(name, asked.quantity, asked.price)
            self._accept(tracked, name, now)
        elif asked.action is Action.REPLACE and name not in tracked.numbers:
            tracked.pending[name] = Pending(name, asked.quantity, asked.price, asked.broker_order)
            self._resume_clearing(tracked, tracked.pending[name], now)
        self.sort_out()

    def _number(self, tracked: Tracked, record: OrderRecord) -> Number:
        number = tracked.numbers.get(record.number)
        if number is None:
            number = tracked.add(record.number, record.quantity, record.price)
        return number

    def _accept(self, tracked: Tracked, name: str, now: int) -> None:
        if not tracked.accepted:
            tracked.accepted = True
            self.say(OrderAccepted, tracked, now, broker_order=name)

    def _stands(self, tracked: Tracked, record: OrderRecord, now: int) -> None:
        number = self._number(tracked, record)
        self._accept(tracked, record.number, now)
        if record.open < number.open:
            self._clear(tracked, number, record, now)

    def _traded(self, tracked: Tracked, record: OrderRecord, now: int) -> None:
        if record.action is Action.REPLACE and record.number not in tracked.numbers:
            self._replacing(tracked, record, now)
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
        if not quantity:
            self.say(OrderUnknown, tracked, now, reason=_NO_SENSE)
            return
        number.amount = record.amount
        number.filled += quantity
        number.commission = max(number.commission, record.commission)
        number.tax = max(number.tax, record.tax)
        price = record.fill_price if exact else round(gained / quantity)
        fields = fill_fields(tracked, number, quantity, price)
        self.say(OrderFilled, tracked, now, fill=record.fill, source="record" if exact else "jump", **fields)
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
        self.say(
            OrderReplaced,
            tracked,
            now,
            broker_order=pending.name,
            original=pending.original,
            quantity=Shares(pending.quantity),
            price=Won(pending.price),
        )
        self.owners.settle_number(pending.name)

    def _canceled(self, tracked: Tracked, record: OrderRecord, now: int) -> None:
        self.owners.settle_number(record.number)
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
            self.say(OrderUnknown, tracked, now, reason=_MISSING_FILLS)
        elif self.owners.change_asked(number.name):
            number.held = dead
        elif self._may_have_moved(tracked, number, record):
            self._ask_about(tracked, number, dead, now)
        else:
            number.dead += dead
            self._die(tracked, number, dead, record.reason, now)

    def _may_have_moved(self, tracked: Tracked, number: Number, record: OrderRecord) -> bool:
        """Of a change asked for before this connection the clearing may come first, and nothing here tells of it."""
        unexplained = tracked.resumed and not record.open and not record.reason
        return unexplained and record.status in _CLEARING and not self.owners.cancel_asked(number.name)

    def _ask_about(self, tracked: Tracked, number: Number, dead: int, now: int) -> None:
        if number.held:
            self.repeated += 1
            return
        number.held = dead
        self.say(OrderUnknown, tracked, now, reason=_ENDED_SOMEHOW)

    def _kill(self, tracked: Tracked, reason: str, now: int) -> None:
        for number in tracked.numbers.values():
            dead, number.dead = number.open, number.quantity - number.filled
            if dead > 0:
                self._die(tracked, number, dead, reason, now)

    def _die(self, tracked: Tracked, number: Number | str, dead: int, reason: str, now: int) -> None:
        if isinstance(number, Number):
            number.canceled += dead
            name, dead, left = number.name, tracked.canceled, tracked.open
        else:
            name, left = number, 0
        fields = {"broker_order": name, "canceled": Shares(dead), "reason": reason, "open": Shares(left)}
        self.say(OrderCanceled, tracked, now, **fields)
        self._finish(tracked)

    def _refused_late(self, tracked: Tracked, record: OrderRecord, now: int) -> None:
        request = self.owners.asking(record.number)
        told = request.message if request is not None and not request.is_taken else ""
        reason = record.reason or told or NO_REASON
        if record.action is Action.NEW:
            number = self._number(tracked, record)
            dead, number.dead = number.open, number.quantity - number.filled
            if dead > 0:
                self._die(tracked, number, dead, reason, now)
                self._report(ReconciliationWanted(reason=f"{record.number} is refused after it was accepted"))
        elif request is not None:
            tracked.pending.pop(record.number, None)
            self.refuse(request, reason, now)

    def refuse(self, request: Request, reason: str, now: int) -> None:
        tracked, asked = self.owners.of(request), request.instruction
        if asked.action is Action.NEW:
            self.owners.let_go(request)
            if tracked.numbers:
                self._kill(tracked, reason, now)
            else:
                self.say(OrderRejected, tracked, now, reason=reason)
            return
        self.owners.settle(request)
        if asked.action is Action.CANCEL:
            self.say(CancelRejected, tracked, now, reason=reason)
        else:
            self.say(ReplaceRejected, tracked, now, reason=reason)
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

    def _finish(self, tracked: Tracked) -> None:
        if not tracked.open and not tracked.pending:
            self.owners.finish(tracked)

    def say(self, event: Callable[..., BrokerReport], tracked: Tracked, now: int, **fields: object) -> None:
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
