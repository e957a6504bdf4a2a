"""The simulated Kiwoom behind the control: connection, queries, orders, real data, and the day they happen on."""

import datetime as dt
import random
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from actors.exchange.client import RemoteExchange
from actors.exchange.events import DayEnded, ExchangeEvent, Halted, OrderReport
from actors.exchange.exchange import Exchange
from actors.exchange.faults import Fault, FaultScript
from actors.gateways.kiwoom.twin.board import Board
from actors.gateways.kiwoom.twin.chejan import Chejan
from actors.gateways.kiwoom.twin.conditions import Conditions
from actors.gateways.kiwoom.twin.day import Day
from actors.gateways.kiwoom.twin.followed_day import FollowedDay
from actors.gateways.kiwoom.twin.limits import QueryLimit, RateLimit
from actors.gateways.kiwoom.twin.market_queries import Desk
from actors.gateways.kiwoom.twin.master import Master
from actors.gateways.kiwoom.twin.orders import OrderDesk, Submission
from actors.gateways.kiwoom.twin.outbox import Event, Outbox
from actors.gateways.kiwoom.twin.queries import QueryDesk
from actors.gateways.kiwoom.twin.registrations import Registrations
from actors.gateways.kiwoom.twin.settings import TwinSettings
from actors.market.time import SECOND
from messages import Won
from runtime.clock import Clock

_LOGIN: Final = 0.3
_LATENCY: Final = SECOND // 50
_CUT: Final = -106
_UNREACHABLE: Final = -101


class Server:
    """Everything of the twin but the control's surface.

    `deliver` gets each event, `show(code, type, fields)` real data where no fault script stands between. An
    `exchange` given was there before and stays; without one the settings say which.
    """

    def __init__(  # noqa: PLR0917 - the control hands on what it was given
        self,
        settings: TwinSettings,
        clock: Clock,
        rng: random.Random,
        deliver: Callable[[Event], None],
        show: Callable[[str, str, str], None],
        exchange: Exchange | None = None,
    ) -> None:
        self.connected = False
        self.backlog: Callable[[], int] = lambda: 0
        self.on_day_end: Callable[[], None] = lambda: None
        self.exchange = world = exchange or _exchange(settings)
        self.registrations = registrations = Registrations()
        self._settings = settings
        self._clock = clock
        self._deliver = deliver
        self._down_until = 0
        faults = msgspec.convert(settings.faults, tuple[Fault, ...])
        self.outbox = Outbox(FaultScript(faults, rng), clock, lambda: world.now, deliver, self._cut)
        self._board = Board(world, registrations.wanted, self._show_through_script if faults else show)
        self._reports: list[OrderReport] = []
        self._ended = False
        self._handlers: dict[type, Callable[[Any], None]] = {
            **self._board.shows,
            OrderReport: self._reports.append,
            DayEnded: self._end,
            Halted: _ignore,
        }
        desk = Desk(world, self._board, settings.commission, settings.server == "mock")
        limit, send = QueryLimit(clock, load_box=settings.load_box), self.outbox.send
        self.master = Master(world, self._board, settings)
        self.queries = QueryDesk(
            desk=desk, registrations=registrations, limit=limit, rng=rng, later=self._later, send=send
        )
        self.orders = OrderDesk(
            desk=desk,
            settings=settings,
            chejan=Chejan(world, self._board),
            registrations=registrations,
            limit=RateLimit(clock),
            rng=rng,
            later=self._later,
            send=send,
        )
        self.conditions = Conditions(desk=desk, registrations=registrations, limit=limit, later=self._later, send=send)
        self.day = self._day()

    def connect(self) -> int:
        """CommConnect: the day begins with the first login."""
        self.day.begin()
        self._later(_LOGIN, self._log_in)
        return 0

    def order(self, submission: Submission) -> int:
        """SendOrder; where answers come inside the call, so do the exchange's reports."""
        taken = self.orders.order(submission)
        exchange = self.exchange
        if not taken and self._settings.reentrant and isinstance(exchange, Exchange):
            self.handle(exchange.advance(exchange.now + _LATENCY))
        return taken

    def handle(self, events: Sequence[ExchangeEvent]) -> None:
        """Send what a slice of the day brought."""
        self.outbox.look_at_clock()
        self._board.look_at_clock()
        handlers = self._handlers
        for event in events:
            handlers[type(event)](event)
        if self._reports:
            reports, self._reports[:] = self._reports[:], ()
            self.orders.tell(reports)
        self.conditions.look()
        if self._ended:
            self._ended = False
            self._board.end_day()
            self.on_day_end()

    def _day(self) -> Day | FollowedDay:
        exchange, clock = self.exchange, self._clock
        if isinstance(exchange, RemoteExchange):
            skew = self._settings.skew
            return FollowedDay(exchange=exchange, clock=clock, skew=skew, handle=self.handle, backlog=self._behind)
        speed = self._settings.speed
        return Day(exchange=exchange, clock=clock, speed=speed, handle=self.handle, backlog=self._behind)

    def _end(self, event: DayEnded) -> None:
        del event
        self._ended = True

    def _log_in(self) -> None:
        if self._clock.now() < self._down_until:
            self._deliver(Event("login", "OnEventConnect", (_UNREACHABLE,)))
            return
        self.connected = True
        self.outbox.send(Event("login", "OnEventConnect", (0,)))

    def _cut(self, seconds: float) -> None:
        """The line breaks: registrations and searches are gone, and no login succeeds for so long."""
        self._down_until = self._clock.now() + round(seconds * SECOND)
        if not self.connected:
            return
        self.connected = False
        self.registrations.clear()
        self.conditions.clear()
        self.outbox.clear()
        self._clock.call_later(0.0, lambda: self._deliver(Event("login", "OnEventConnect", (_CUT,))))

    def _later(self, seconds: float, work: Callable[[], None]) -> None:
        if self._settings.reentrant:
            work()
        else:
            self._clock.call_later(seconds, work)

    def _show_through_script(self, code: str, kind: str, fields: str) -> None:
        self.outbox.send(Event(kind, "OnReceiveRealData", (code, kind, fields), None, code))

    def _behind(self) -> int:
        return max(self.backlog() - self._settings.backlog, 0)


def _ignore(event: Halted) -> None:
    del event


def _exchange(settings: TwinSettings) -> Exchange | RemoteExchange:
    return RemoteExchange(settings.exchange, follows=True) if settings.exchange else make_exchange(settings)


def make_exchange(settings: TwinSettings) -> Exchange:
    """The exchange of these settings, in this process. Raises ValueError for a day that it can't have."""
    return Exchange(
        date=settings.day,
        cash=Won(settings.cash),
        commission=settings.commission,
        seed=settings.seed,
        account=settings.account,
        latency_ms=settings.latency_ms,
        intensity=settings.intensity,
        begin=dt.time.fromisoformat(settings.begin),
        finish=dt.time.fromisoformat(settings.finish),
        issues=settings.issues,
        history_days=settings.history,
    )
