"""Orders to the control and its answers back: screens, time-outs, and the tracker between them."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import structlog

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.control import Calls
from actors.gateways.kiwoom.orders.chejan import OrderRecord, order_record, time_of
from actors.gateways.kiwoom.orders.orders import OrderTracker
from actors.gateways.kiwoom.queries.reference import Issues
from actors.gateways.kiwoom.real_time.records import midnight
from actors.gateways.kiwoom.screens import Screens, ScreensExhausted
from actors.gateways.port import BrokerReport, Instruction, KnownOrder, Outcome, SendResult
from messages import Action, ReconciliationWanted, Side
from runtime.clock import Clock
from runtime.disk import faultpoints

_LOG = structlog.get_logger("gateway.kiwoom")
_ORDER_NUMBER: Final = "주문번호"
_TEXT_AFTER: Final = 1.0
"""Seconds in which the text of a refusal may follow its blank number."""

_handing = faultpoints.point("gateway: screen taken, SendOrder not called")
_handed = faultpoints.point("gateway: SendOrder returned")
_answered = faultpoints.point("gateway: order number read, not told")
_refused = faultpoints.point("gateway: blank order number read, text not known")
_worded = faultpoints.point("gateway: a text about an order is told")
_read = faultpoints.point("gateway: chejan record read, not folded")
_folded = faultpoints.point("gateway: chejan record folded")
_overdue = faultpoints.point("gateway: the time for an answer is over")


class Trading:
    """Sends the orders of one account and turns what comes back into reports."""

    def __init__(
        self, calls: Calls, clock: Clock, screens: Screens, issues: Issues, *, account: str, timeout: float
    ) -> None:
        self._calls = calls
        self._clock = clock
        self._screens = screens
        self._issues = issues
        self._account = account
        self._timeout = timeout
        self._names: dict[str, str] = {}
        self._serial = 0
        self._report: Callable[[BrokerReport], None] | None = None
        self._early: list[BrokerReport] = []
        self._early_records: list[tuple[OrderRecord, int]] = []
        """With their times: whose orders they are is known when somebody opens."""
        self._tracker = OrderTracker(self.report, self._release)
        self.counts: Counter[str] = Counter()

    def open(self, report: Callable[[BrokerReport], None], known: Sequence[KnownOrder]) -> None:
        """Report from now on, first what came before there was anybody to tell."""
        self._tracker.know(known)
        for order in known:  # an order whose number never came is known by its screen: no look-alike shall bear it too
            self._screens.put_last("order", order.screen)
        self._report = report
        early, self._early = self._early, []
        for message in early:
            report(message)
        records, self._early_records = self._early_records, []
        for record, time in records:
            self._fold(record, time)

    def report(self, message: BrokerReport) -> None:
        """Tell whoever opened, now or when somebody does."""
        if self._report is None:
            self._early.append(message)
        else:
            self._report(message)

    def send(self, instruction: Instruction) -> SendResult:
        """Hand one request to the control; never waits."""
        reason = self._objection(instruction)
        if reason:
            return SendResult(outcome=Outcome.NEVER, reason=reason)
        try:
            screen = self._take_screen()
        except ScreensExhausted as error:
            return SendResult(outcome=Outcome.LATER, reason=str(error))
        self._serial += 1
        name = self._names[screen] = f"order-{self._serial}"
        self._tracker.sending(instruction, screen, name)
        _handing()
        error = codes.error_of(self._calls.send_order(self._arguments(instruction, screen, name)))
        _handed()
        if error.outcome is Outcome.SENT:
            self._clock.call_later(self._timeout, partial(self._overdue, screen, name))
            return SendResult(outcome=Outcome.SENT, code=error.code, screen=screen)
        if error.outcome is Outcome.UNKNOWN:
            self._tracker.doubted(screen)
        else:
            self._tracker.not_sent(screen)
        return SendResult(
            outcome=error.outcome, reason=f"{error.meaning}; {error.mend}", code=error.code, screen=screen
        )

    def learn(self, order: int, broker_order: str) -> None:
        """What the account's lists told of an order whose answer was lost."""
        self._tracker.learn(order, broker_order)

    def read_answer(self, screen: str, name: str, tr: str) -> str | None:
        """Inside OnReceiveTrData: the order number where the answer is to one of our orders."""
        if self._names.get(screen) != name:
            return None
        return self._calls.data(tr, name, 0, _ORDER_NUMBER)

    def on_answer(self, screen: str, name: str, number: str) -> None:
        """The answer to an order, whose number is blank or of noughts where it was refused."""
        _answered()
        self._tracker.answered(screen, name, number, self._clock.now())
        if not number.strip("0"):
            _refused()
            self._clock.call_later(_TEXT_AFTER, partial(self._overdue, screen, name))

    def on_text(self, screen: str, name: str, text: str) -> None:
        """A text of the server about an order."""
        self._tracker.messaged(screen, name, text, self._clock.now())
        _worded()

    def on_record(self, fields: dict[int, str]) -> None:
        """One chejan record; those of other accounts are not ours."""
        now = self._clock.now()
        try:
            record = order_record(fields)
        except ValueError as error:
            self.counts["rejected"] += 1
            _LOG.warning("order record rejected", reason=str(error), so_far=self.counts["rejected"])
            self.report(ReconciliationWanted(reason="an order record could not be read"))
            return
        if record.account != self._account:
            self.counts["of other accounts"] += 1
            return
        self.counts["records"] += 1
        _read()
        time = time_of(record, midnight(now), now)
        if self._report is None:
            self._early_records.append((record, time))
        else:
            self._fold(record, time)

    def _fold(self, record: OrderRecord, time: int) -> None:
        self._tracker.record(record, time)
        _folded()

    def day_over(self) -> None:
        """The KRX closed: what is open there is dead."""
        self._tracker.expire(self._clock.now())

    @property
    def repeated(self) -> int:
        """Records that brought nothing new."""
        return self._tracker.repeated

    def _take_screen(self) -> str:
        try:
            return self._screens.take("order")
        except ScreensExhausted:
            self._tracker.spare()
            return self._screens.take("order")

    def _objection(self, instruction: Instruction) -> str:
        if (instruction.kind, instruction.validity) not in codes.HOGA:
            return f"Kiwoom has no {instruction.kind} order that is {instruction.validity}"
        if instruction.quantity <= 0:
            return f"{instruction.quantity} shares are no order"
        if instruction.action is not Action.NEW and not instruction.broker_order:
            return "the broker's number of the order is not known yet"
        if instruction.action is Action.NEW and instruction.side is Side.BUY:
            warning = self._issues.warning(instruction.symbol)
            return f"{instruction.symbol} is {warning}: Kiwoom would ask a person first" if warning else ""
        return ""

    def _arguments(self, instruction: Instruction, screen: str, name: str) -> list[str | int]:
        priced = instruction.kind in codes.PRICED and instruction.action is not Action.CANCEL
        return [
            name,
            screen,
            self._account,
            codes.order_type(instruction.venue, instruction.action, instruction.side),
            instruction.symbol,
            instruction.quantity,
            instruction.price if priced else 0,
            codes.HOGA[instruction.kind, instruction.validity],
            instruction.broker_order,
        ]

    def _overdue(self, screen: str, name: str) -> None:
        _overdue()
        self._tracker.overdue(screen, name, self._clock.now())

    def _release(self, screen: str) -> None:
        self._names.pop(screen, None)
        self._screens.free(screen)
