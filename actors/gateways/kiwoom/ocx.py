"""The Kiwoom OCX gateway: one body of logic over the real control and over its twin."""

import asyncio
import datetime as dt
import random
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Annotated, ClassVar, Final, Literal, Self, cast

import structlog
from msgspec import Meta

from actors.gateways.dead_man import Canceller
from actors.gateways.kiwoom import belonging
from actors.gateways.kiwoom.control import Calls, Control
from actors.gateways.kiwoom.events import Events
from actors.gateways.kiwoom.login import Login, LoginFailed, Server, open_session, refuse_failure
from actors.gateways.kiwoom.orders.trading import Trading
from actors.gateways.kiwoom.queries import accounts
from actors.gateways.kiwoom.queries.charts import Charts
from actors.gateways.kiwoom.queries.conditions import Conditions
from actors.gateways.kiwoom.queries.interruptions import Interruptions
from actors.gateways.kiwoom.queries.members import Members
from actors.gateways.kiwoom.queries.queries import Answer, Queries, QueryRefused
from actors.gateways.kiwoom.queries.reference import Issues
from actors.gateways.kiwoom.real_time.feed import Intake
from actors.gateways.kiwoom.real_time.registrations import Registrations
from actors.gateways.kiwoom.screens import Screens
from actors.gateways.kiwoom.twin.dead_man import ExchangeCanceller
from actors.gateways.kiwoom.twin.settings import TwinSettings
from actors.gateways.pacer import Pacer
from actors.gateways.port import (
    BrokerOrder,
    BrokerReport,
    BrokerState,
    FeedMessage,
    Found,
    Instruction,
    KnownOrder,
    Outcome,
    Page,
    SendResult,
    Urgency,
)
from actors.market.calendar import Calendar, UnknownDayError
from messages import Condition, Instrument, LinkLost, Nanoseconds, Ranked, Session, SessionChanged, Symbol, Venue
from runtime.clock import Clock, TimerHandle
from runtime.logs import hide
from runtime.process.locks import name_lock, name_path
from runtime.settings.bounds import Rate, Span
from runtime.settings.config import ConfigError

_LOG = structlog.get_logger("gateway.kiwoom")
NAME: Final = "kiwoom"
IndexCode = Annotated[str, Meta(pattern=r"^[0-9]{3}$", description="codes of indices, three digits")]
_LINK_EVERY: Final = 5.0
_RUNNING: Final = {Session.CONTINUOUS: "3", Session.CLOSING_AUCTION: "2"}
"""What FID 215 said when the KRX's session began that runs now."""


class OcxGateway:
    """Kiwoom's Open API+ as feed, reference, broker and archive.

    `server` must be the one the login is on, and on the real one `live_confirmation` must be the last four digits
    of the account. A blank `account` is the first of the login. `last_session` is the announcement (FID 215) after
    which the feed ends; 8 follows the regular session, 9 the whole day. Of each watched code come the best prices
    whenever they change with `quotes` and what waits for the close with `after_hours`; `indices` are index codes
    (001 KOSPI, 101 KOSDAQ). Times are in seconds.
    """

    needs_loop: ClassVar = "qt"
    steps_clock: ClassVar = True

    def __init__(
        self,
        clock: Clock,
        data: Path,
        rng: random.Random,
        *,
        control: Literal["twin", "activex"] = "twin",
        account: str = "",
        server: Server = "mock",
        live_confirmation: str = "",
        commission: Rate = 0.00015,
        query_timeout: Span = 10.0,
        order_timeout: Span = 10.0,
        login_timeout: Span = 300.0,
        last_session: str = "9",
        quotes: bool = False,
        after_hours: bool = False,
        indices: Sequence[IndexCode] = (),
        twin: TwinSettings | None = None,
    ) -> None:
        if twin is not None and control != "twin":
            raise ValueError("twin settings without the twin")
        if control == "activex" and clock.name != "wall":
            raise ValueError('control: the real one lives in real time; set time = "real" in [system]')
        self.commission = commission
        self._clock = clock
        self._rng = rng
        self._kind = control
        self._twin = twin or TwinSettings(commission=commission)
        self._wanted = (account, server, live_confirmation)
        self._times = (query_timeout, order_timeout, login_timeout)
        self._last_session = last_session
        self._more = {"quotes": quotes, "after_hours": after_hours}
        self._indices = tuple(indices)
        self._data = data
        self._lost = False
        self._told: set[Venue] = set()
        self._timer: TimerHandle | None = None

    def begins(self) -> int | None:
        """When the twin's day begins; None with the real control, whose time is the wall's."""
        return self._twin.start if self._kind == "twin" else None

    @classmethod
    def dead_man(cls, *, control: str = "twin", twin: TwinSettings | None = None, **_others: object) -> Canceller | str:
        """Who can take back its orders when the process is gone, or why nobody can."""
        if control == "activex":
            return "Kiwoom allows one login, and it is the system's; keep the broker's own screen at hand"
        if twin is None or not twin.exchange:
            return "this twin's exchange lives and dies with the system"
        return ExchangeCanceller(twin.exchange)

    async def __aenter__(self) -> Self:
        """Connect, log in, hear announcements.

        Raises ConfigError, LoginFailed, LoginRefused, QueryRefused or TimeoutError.
        """
        _, server, confirmation = self._wanted
        if server == "real" and self._kind == "activex" and not confirmation:
            raise ConfigError("live_confirmation is missing: the last four digits of the account that shall trade")
        with ExitStack() as held:
            self._lock(held)
            self._connect_parts()
            self._held = held.pop_all()
        try:
            self._login = await self._log_in()
            belonging.refuse_another(self._data, self._login)
            self._trading = self._make_trading(self._login.account)
            self._registrations.sessions()
            self._registrations.indices(self._indices)
            self._say_session(Venue.KRX)
            await self._interruptions.begin()
        except BaseException:
            self._close()
            raise
        self._timer = self._clock.call_later(_LINK_EVERY, self._look_at_link)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def watch(self, trades: Collection[Symbol], books: Collection[Symbol]) -> None:
        if Venue.NXT not in self._told and any(code.endswith("_NX") for code in trades):
            self._say_session(Venue.NXT)
        self._registrations.watch(trades, books)

    def stream(self) -> AsyncIterator[Sequence[FeedMessage]]:
        return self._intake.stream()

    async def instruments(self, symbols: Collection[Symbol]) -> Sequence[Instrument]:
        return self._members.mark(await self._issues.instruments(symbols))

    async def ranking(self, count: int) -> Sequence[Ranked]:
        return await self._issues.ranking(count)

    async def conditions(self) -> Sequence[Condition]:
        return await self._conditions.names()

    async def search(self, condition: str, *, live: bool) -> Found:
        return await self._conditions.search(condition, live=live)

    def bars(
        self, symbol: Symbol, interval: int, since: Nanoseconds, until: Nanoseconds | None = None
    ) -> AsyncGenerator[Page, None]:
        return self._charts.bars(symbol, interval, since, until)

    async def open(self, report: Callable[[BrokerReport], None], known: Sequence[KnownOrder]) -> None:
        assert self._trading is not None
        belonging.claim(self._data, self._login)
        self._trading.open(report, known)

    def learn(self, order: int, broker_order: str) -> None:
        if self._trading is not None:
            self._trading.learn(order, broker_order)

    async def turn(self, urgency: Urgency) -> None:
        await self._pacer.turn(urgency)

    def send(self, instruction: Instruction) -> SendResult:
        if self._lost or self._trading is None or not self._calls.connected():
            return SendResult(outcome=Outcome.NEVER, reason="the link to Kiwoom is down: start the process again")
        return self._trading.send(instruction)

    async def state(self) -> BrokerState:
        try:
            return await accounts.read(self._queries, self._clock, self._login.account)
        except ValueError as error:
            raise QueryRefused(f"the account cannot be read: {error}") from error

    async def orders_of(self, day: dt.date) -> Sequence[BrokerOrder]:
        answer = await self._queries.whole(accounts.orders_of_day_question(self._login.account, day))
        try:
            return accounts.orders_of_day(answer.rows, day)
        except ValueError as error:
            raise QueryRefused(f"the orders of {day} cannot be read: {error}") from error

    def statistics(self) -> Mapping[str, int]:
        """Counts since the connection, by name."""
        trading = self._trading.counts if self._trading is not None else Counter[str]()
        return {
            **{f"real {name}": count for name, count in sorted(self._intake.counts.items())},
            **{f"order {name}": count for name, count in sorted(trading.items())},
            "real waiting": self._intake.waiting,
            "order repeated": self._trading.repeated if self._trading is not None else 0,
            "queries": self._queries.asked,
            "queries timed out": self._queries.timed_out,
            "queries overloaded": self._queries.overloaded,
            "registrations refused": self._registrations.refused,
            "conditions rejected": self._conditions.rejected,
            "rows rejected": self._charts.rejected + self._issues.rejected + self._interruptions.rejected,
            "slot failures": self._events.failures,
        }

    def read_answer(self, screen: str, name: str, tr: str, following: str) -> object:
        """Inside OnReceiveTrData."""
        if self._trading is not None:
            number = self._trading.read_answer(screen, name, tr)
            if number is not None:
                return number
        return self._queries.read(screen, name, tr, following)

    def on_answer(self, screen: str, name: str, answer: object) -> None:
        """What `read_answer` took."""
        if isinstance(answer, Answer):
            self._queries.deliver(screen, name, answer)
        elif self._trading is not None:
            self._trading.on_answer(screen, name, str(answer))

    def on_text(self, screen: str, name: str, text: str) -> None:
        """OnReceiveMsg."""
        self._queries.messaged(screen, name, text)
        if self._trading is not None:
            self._trading.on_text(screen, name, text)

    def on_order_record(self, fields: dict[int, str]) -> None:
        """OnReceiveChejanData about an order."""
        if self._trading is not None:
            self._trading.on_record(fields)

    def on_connect(self, code: int) -> None:
        """OnEventConnect: the answer to a login, or word of a cut."""
        if not self._connected.done():
            self._connected.set_result(code)
        elif code:
            self._lose(f"the control reports {code}")

    def add_real(self, code: str, kind: str, data: str) -> None:
        """Inside OnReceiveRealData."""
        self._intake.add(code, kind, data)

    def on_conditions_loaded(self, code: int) -> None:
        """OnReceiveConditionVer."""
        self._conditions.loaded(code)

    def on_condition_found(self, listed: str, name: str, more: bool) -> None:
        """OnReceiveTrCondition."""
        self._conditions.answered(listed, name, more=more)

    def on_condition_changed(self, code: str, mark: str, name: str) -> None:
        """OnReceiveRealCondition."""
        self._conditions.changed(code, mark, name)

    def _connect_parts(self) -> None:
        self._control = self._open_control()
        self._calls = Calls(self._control)
        self._pacer = Pacer(self._clock, self._history())
        self._screens = Screens()
        self._queries = Queries(self._calls, self._clock, self._pacer, self._screens, self._times[0])
        self._issues = Issues(self._calls, self._queries)
        self._charts = Charts(self._queries, self._clock)
        self._registrations = Registrations(self._calls, self._clock, self._screens, **self._more)
        wanted = self._registrations.wanted
        self._intake = Intake(self._calls, self._clock, NAME, self._last_session, self._day_over, wanted)
        self._interruptions = Interruptions(self._queries, self._clock, self._screens, self._intake.retell)
        self._members = Members(self._calls, self._queries, self._clock, self._data / "kospi200.txt", self._intake.say)
        self._conditions = Conditions(
            self._calls, self._clock, self._pacer, self._screens, self._times[0], self._intake.say
        )
        self._connected: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._trading: Trading | None = None
        self._events = Events(self._control, self._calls, self)

    def _open_control(self) -> Control:
        if self._kind == "activex":
            from actors.gateways.kiwoom import activex  # noqa: PLC0415 - needs Qt

            return activex.open_control()
        from actors.gateways.kiwoom.twin import twin  # noqa: PLC0415 - needs Qt

        control = twin.open_control(self._twin, self._clock, self._rng)
        control.backlog = lambda: self._intake.waiting
        return cast("Control", control)

    async def _log_in(self) -> Login:
        refuse_failure(self._calls.connect())
        try:
            refuse_failure(await self._clock.wait(self._connected, self._times[2]))
        except TimeoutError:
            raise LoginFailed(f"nobody logged in within {self._times[2]:g} s; log in, or allow more time") from None
        for number, account in enumerate(self._calls.login_info("ACCNO").split(";"), 1):
            if account.strip():
                hide(account.strip(), f"account {number}")
        account, server, confirmation = self._wanted
        login = open_session(self._calls, account=account, server=server, confirmation=confirmation)
        _LOG.info("logged in", server=login.server, accounts=len(login.accounts))
        return login

    def _say_session(self, venue: Venue) -> None:
        """Kiwoom announces changes: whoever comes in the middle of a session hears nothing of it."""
        now = self._clock.now()
        self._told.add(venue)
        with suppress(UnknownDayError):
            session = Calendar(venue).session_at(now)
            if session in _RUNNING:
                code = _RUNNING[session] if venue is Venue.KRX else ""
                self._intake.say(SessionChanged(venue=venue, session=session, time=Nanoseconds(now), code=code))

    def _lock(self, held: ExitStack) -> None:
        """Before anything connects: a second login cuts the first, and two systems on one account double everything."""
        if self._kind == "activex":
            server = self._wanted[1]
            held.enter_context(name_lock(f"the login to Kiwoom's {server} server", NAME, server))
        elif self._twin.exchange:
            held.enter_context(name_lock(f"the account at {self._twin.exchange}", "twin", self._twin.exchange))

    def _history(self) -> Path:
        """Kiwoom counts the queries of a login, whatever folder the system that asks keeps its books in."""
        of_login = name_path(NAME, self._wanted[1]).with_suffix(".pacer.txt")
        return of_login if self._kind == "activex" else self._data / "pacer.txt"

    def _make_trading(self, account: str) -> Trading:
        timeout = self._times[1]
        return Trading(self._calls, self._clock, self._screens, self._issues, account=account, timeout=timeout)

    def _look_at_link(self) -> None:
        if self._calls.connected():
            self._timer = self._clock.call_later(_LINK_EVERY, self._look_at_link)
        else:
            self._lose("GetConnectState says that the session is gone")

    def _lose(self, reason: str) -> None:
        if self._lost:
            return
        self._lost = True
        self._interruptions.stop()
        self._members.close()
        self._intake.lost(reason)
        if self._trading is not None:
            self._trading.report(LinkLost(gateway=NAME, time=Nanoseconds(self._clock.now()), reason=reason))

    def _day_over(self) -> None:
        if self._trading is not None:
            self._trading.day_over()

    def _close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with self._held:
            self._interruptions.stop()
            self._members.close()
            self._conditions.stop()
            self._registrations.close()
            self._events.close()
            self._control.close()
