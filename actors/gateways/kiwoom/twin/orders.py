"""Orders as the control takes them, and what it says of them in every order that Kiwoom is known for."""

import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, NamedTuple

from actors.exchange.events import OrderReport, Report
from actors.exchange.port import ExchangePort
from actors.exchange.records import Refusal
from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.twin.account_queries import message
from actors.gateways.kiwoom.twin.chejan import Chejan
from actors.gateways.kiwoom.twin.limits import RateLimit
from actors.gateways.kiwoom.twin.market_queries import Desk
from actors.gateways.kiwoom.twin.outbox import Answer, Event
from actors.gateways.kiwoom.twin.registrations import Registrations
from actors.gateways.kiwoom.twin.settings import TwinSettings
from messages import Action, Market, Side, Symbol, Venue

_WRONG_ARGUMENT: Final = -300
_FOREIGN_ACCOUNT: Final = -302
_OVERLOAD: Final = -308
_MOCK_KINDS: Final = ("00", "03")
_ACCEPTED: Final = "100000"
_ANSWERS: Final = ("official", "recorded", "late")
_ANSWER_WEIGHTS: Final = (45, 45, 10)
_CLEARINGS: Final = ("after", "before", "none")
_CLEARING_WEIGHTS: Final = (80, 15, 5)
_LATE_REFUSALS: Final = {Action.NEW: "00Z217", Action.REPLACE: "00Z924", Action.CANCEL: "00Z924"}
_DELAY: Final = (0.002, 0.01)
"""Seconds until the server's refusal."""


class Submission(NamedTuple):
    """The arguments of SendOrder, in its order."""

    name: str
    screen: str
    account: str
    kind: int
    code: str
    quantity: int
    price: int
    hoga: str
    original: str


class Request(NamedTuple):
    """One SendOrder that was taken."""

    name: str
    screen: str
    tr: str
    action: Action
    side: Side
    symbol: Symbol
    quantity: int
    price: int
    hoga: str
    original: str
    answer: str
    clearing: str


class OrderDesk:
    """Takes SendOrder, answers it, and passes on what the exchange reports."""

    def __init__(
        self,
        *,
        desk: Desk,
        settings: TwinSettings,
        chejan: Chejan,
        registrations: Registrations,
        limit: RateLimit,
        rng: random.Random,
        later: Callable[[float, Callable[[], None]], None],
        send: Callable[[Event], None],
    ) -> None:
        self._desk = desk
        self._exchange: ExchangePort = desk.exchange
        self._settings = settings
        self._chejan = chejan
        self._registrations = registrations
        self._limit = limit
        self._rng = rng
        self._later = later
        self._send = send
        self._waiting: dict[str, Request] = {}
        self._requests: dict[str, Request] = {}
        self._held: dict[str, OrderReport] = {}
        """Confirmations that wait for the clearing record, by the order it clears."""
        self._cleared_by: dict[str, str] = {}

    def order(self, given: Submission) -> int:
        """SendOrder: 0 where the call was taken, which says nothing of the order."""
        asked = codes.ORDER_TYPES.get(given.kind)
        issue = self._desk.board.issues.get(given.code)
        if asked is None or issue is None or not given.name or given.quantity < 0 or given.price < 0:
            return _WRONG_ARGUMENT
        if given.account != self._exchange.account:
            return _FOREIGN_ACCOUNT
        if not self._limit.allows():
            return _OVERLOAD
        if not self._registrations.use(given.screen):
            return _WRONG_ARGUMENT
        side = asked.side or Side.BUY
        request = Request(
            name=given.name,
            screen=given.screen,
            tr=_tr_name(asked.action, side, issue.market),
            action=asked.action,
            side=side,
            symbol=issue.symbol,
            quantity=given.quantity,
            price=given.price,
            hoga=given.hoga,
            original=given.original.strip(),
            answer=self._draw(self._settings.answers, _ANSWERS, _ANSWER_WEIGHTS),
            clearing=self._draw(self._settings.clearing, _CLEARINGS, _CLEARING_WEIGHTS),
        )
        self._take(request, asked.venue)
        return 0

    def tell(self, reports: Sequence[OrderReport]) -> None:
        """Send what the exchange reported since the last time, answers of the control included."""
        late: list[tuple[Request, str]] = []
        for report in reports:
            request = self._waiting.pop(report.number, None)
            if request is not None and report.report is Report.REJECTED:
                self._chejan.follow(report)
                self._answer(request, "", message(self._desk, _LATE_REFUSALS[request.action], report.reason))
                continue
            if request is not None and request.answer == "late":
                late.append((request, report.number))
            elif request is not None:
                self._accept(request, report.number)
            self._record(report)
        for report in self._held.values():
            self._send(self._chejan.order(report))
        self._held.clear()
        for request, number in late:
            self._accept(request, number)

    def _draw(self, setting: str, choices: Sequence[str], weights: Sequence[int]) -> str:
        return self._rng.choices(choices, weights)[0] if setting == "mixed" else setting

    def _take(self, request: Request, venue: Venue) -> None:
        taken = self._refused_here(request, venue) or self._pass_on(request)
        if isinstance(taken, Refusal):
            text = message(self._desk, taken.code, taken.reason)
            self._later(self._rng.uniform(*_DELAY), partial(self._answer, request, "", text))
            return
        self._waiting[taken] = self._requests[taken] = request

    def _refused_here(self, request: Request, venue: Venue) -> Refusal | None:
        if self._exchange.now >= self._exchange.end:
            return Refusal(code="00Z218", reason="장종료")
        if venue is not Venue.KRX:
            return Refusal(code="00Z235", reason="지원하지 않는 거래소입니다")
        if request.action is Action.CANCEL:
            return self._mismatch(request)
        if request.hoga not in codes.KINDS or (self._desk.is_mock and request.hoga not in _MOCK_KINDS):
            return Refusal(code="00Z236", reason="지원하지 않는 호가구분입니다")
        kind = codes.KINDS[request.hoga][0]
        if kind not in codes.PRICED and request.price:
            return Refusal(code="00Z237", reason="단가를 입력하지 않는 호가입니다")
        return self._mismatch(request) if request.action is Action.REPLACE else None

    def _mismatch(self, request: Request) -> Refusal | None:
        original = self._requests.get(request.original)
        if original is None or (original.symbol, original.side) == (request.symbol, request.side):
            return None
        return Refusal(code="00Z238", reason="원주문의 종목 또는 매매구분과 다릅니다")

    def _pass_on(self, request: Request) -> str | Refusal:
        account, exchange = self._exchange.account, self._exchange
        if request.action is Action.CANCEL:
            return exchange.cancel(account, request.original, request.quantity, request.screen)
        if request.action is Action.REPLACE:
            return exchange.replace(account, request.original, request.quantity, request.price, request.screen)
        kind, validity = codes.KINDS[request.hoga]
        return exchange.place(
            account, request.side, kind, validity, request.symbol, request.quantity, request.price, request.screen
        )

    def _accept(self, request: Request, number: str) -> None:
        self._answer(request, number, message(self._desk, _ACCEPTED, _accepted_words(request)))

    def _answer(self, request: Request, number: str, text: str) -> None:
        names = (request.screen, request.name, request.tr)
        answer = Answer(request.tr.lower(), (request.name,), {"주문번호": number})
        events = [
            Event("answer", "OnReceiveTrData", (*names, "", "", 0, "", "", ""), answer, request.symbol),
            Event("message", "OnReceiveMsg", (*names, text), None, request.symbol),
        ]
        for event in reversed(events) if request.answer == "recorded" else events:
            self._send(event)

    def _record(self, report: OrderReport) -> None:
        if report.report is Report.EXPIRED:
            self._chejan.follow(report)
        elif report.report is Report.CLEARED:
            self._clear(report)
        elif self._confirms(report) and self._clearing(report) == "before":
            self._held[report.original] = report
        else:
            self._send(self._chejan.order(report))
            if report.report is Report.FILLED:
                self._send(self._chejan.balance(report))

    def _clear(self, report: OrderReport) -> None:
        event, held = self._chejan.order(report), self._held.pop(report.number, None)
        if self._cleared_by.pop(report.number, "after") != "none":
            self._send(event)
        if held is not None:
            self._send(self._chejan.order(held))

    def _confirms(self, report: OrderReport) -> bool:
        return report.report in (Report.REPLACED, Report.CANCELED) and report.action is not Action.NEW

    def _clearing(self, report: OrderReport) -> str:
        request = self._requests.get(report.number)
        clearing = self._cleared_by[report.original] = request.clearing if request else "after"
        return clearing


def _tr_name(action: Action, side: Side, market: Market) -> str:
    board = "KQ" if market is Market.KOSDAQ else "KP"
    if action is Action.CANCEL:
        return f"KOA_NORMAL_{board}_CANCEL"
    if action is Action.REPLACE:
        return f"KOA_NORMAL_{board}_MODIFY"
    return f"KOA_NORMAL_{'SELL' if side is Side.SELL else 'BUY'}_{board}_ORD"


def _accepted_words(request: Request) -> str:
    side = "매도" if request.side is Side.SELL else "매수"
    return {
        Action.NEW: f"{side}주문완료",
        Action.REPLACE: f"{side}정정주문완료",
        Action.CANCEL: f"{side}취소주문완료",
    }[request.action]
