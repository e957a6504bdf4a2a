"""The monitor shows a person how the run goes: a live screen on a terminal, plain lines where there is none."""

import asyncio
import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, ClassVar, Final, cast

from rich.console import Console
from rich.live import Live
from rich.text import Text

from actors.account.ledger import Booked, Ledger
from actors.account.order import Order
from actors.account.recovery import History, replay
from actors.analysis.screen import Issue, View, line, screen
from actors.market.venues import HOME
from messages import (
    ActorFailed,
    CashAdjusted,
    ExitDelayed,
    FeedLost,
    FeedRestored,
    HaltConfirmed,
    HaltTrading,
    Instrument,
    LinkLost,
    LinkRestored,
    Message,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
    Reconciled,
    ResumeTrading,
    RunStarted,
    RunStopping,
    Symbol,
    Tick,
    TradingHalted,
)
from runtime.actor import Actor, handles, latest
from runtime.clock import text
from runtime.life.vitals import Vitals
from runtime.logs import clean
from runtime.settings.bounds import ActorName, Count, Rate, Seconds

_HOUR: Final = 3_600
_NEWS: Final = 6
_Halting = HaltTrading | TradingHalted | HaltConfirmed | ResumeTrading
_Trouble = ActorFailed | ExitDelayed | LinkLost | LinkRestored | FeedLost | FeedRestored


class _Hour(Message):
    journalled: ClassVar = False


class Monitor(Actor):
    """Draws anew every `refresh` seconds by the wall on a terminal; elsewhere it writes a line every `line` seconds.

    Simulated time has no wall: there it writes a line each hour of it. Everything goes to stderr. `codes` issues
    are shown, held ones first, then by trading value; `receiver` names the actor whose counts tell the pace.
    """

    def __init__(
        self,
        vitals: Vitals,
        journal: History,
        *,
        refresh: Seconds = 0.5,
        line: Seconds = 10.0,
        codes: Count = 10,
        commission: Rate = 0.00015,
        receiver: ActorName = "receiver",
    ) -> None:
        if refresh < 0.25 or line < 0.25:
            raise ValueError("refresh and line are seconds, at least 0.25")
        self._vitals = vitals
        self._journal = journal
        self._refresh = refresh
        self._line = line
        self._codes = codes
        self._receiver = receiver
        self._ledger = Ledger(commission=commission)
        self._console = Console(stderr=True)
        self._live = False
        self._ticks: dict[Symbol, Tick] = {}
        self._instruments: dict[Symbol, Instrument] = {}
        self._opening: int | None = None
        self._fills = 0
        self._halted = ""
        self._news: list[str] = []
        self._pace = _Pace()
        self._written = ""

    async def on_start(self) -> None:
        await replay(self._journal, self._ledger)
        if self.desk.clock.name == "simulated":
            self.every(_HOUR, _Hour())
        elif self._console.is_terminal:
            self._live = True
            self._console.render_lines(screen(self.view()))  # the first time is slow: before prices flow
            self.spawn(self._draw())
        else:
            self.spawn(self._write())

    @latest
    def on_tick(self, tick: Tick) -> None:
        if tick.venue is not HOME:
            return
        self._ticks[tick.symbol] = tick
        self._ledger.mark(tick.symbol, tick.price)

    @handles
    def on_booked(self, message: Booked) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        self._ledger.fold(message, envelope.number)
        match message:
            case Instrument():
                self._instruments[message.symbol] = message
            case Reconciled() if self._opening is None:
                self._opening = self._ledger.equity
            case CashAdjusted(costs=False) if self._opening is not None:
                self._opening += message.cash
            case OrderFilled() if message.quantity:
                self._fills += 1
                self._remember(
                    f"{message.side.value} {self._name(message.symbol)} {message.quantity:,} at {message.price:,}"
                )
            case OrderRejected() | OrderUnknown():
                self._say(f"{type(message).__name__} {self._name(message.symbol)}: {message.reason}")
            case _:
                pass

    @handles
    def on_halting(self, message: _Halting) -> None:
        if isinstance(message, ResumeTrading):
            self._halted = ""
            self._say(f"trading resumed by {message.by}")
        elif isinstance(message, HaltConfirmed):
            self._say("halted: nothing it takes back is open any more")
        elif not self._halted:
            self._halted = message.reason
            self._say(f"trading halted: {message.reason}")

    @handles
    def on_trouble(self, message: _Trouble) -> None:
        match message:
            case ActorFailed():
                self._say(f"{message.actor} failed in {message.handler}: {message.error}")
            case ExitDelayed():
                self._say(f"still {message.left} of {self._name(message.symbol)} to sell: {message.reason}")
            case LinkLost() | FeedLost():
                self._say(f"{type(message).__name__}: {message.reason}")
            case _:
                self._say(type(message).__name__)

    @handles
    def on_started(self, message: RunStarted) -> None:
        self._say(f"run {message.run} started, seed {message.seed}")

    @handles
    def on_stopping(self, message: RunStopping) -> None:
        self._say(f"stopping: {message.reason}")

    @handles
    def on_hour(self, _: _Hour) -> None:
        self._line_of(self.view())

    def on_stop(self) -> None:
        if not self._live:
            self._line_of(self.view())

    def view(self) -> View:
        """What there is to see now."""
        ledger, vitals, now = self._ledger, self._vitals, self.desk.clock.now()
        ticks: int | None = vitals.extras.get(self._receiver, dict)().get("ticks")
        return View(
            time=now,
            progress=self._progress(now),
            ticks=ticks,
            pace=self._pace.of(ticks or 0, vitals.wall_s),
            equity=ledger.equity,
            result=ledger.equity - (ledger.equity if self._opening is None else self._opening),
            cash=ledger.cash,
            fills=self._fills,
            issues=[self._issue(symbol) for symbol in self._shown()],
            positions=len(ledger.positions()),
            orders=[self._order(order) for order in ledger.live()],
            mailboxes=vitals.mailboxes(),
            longest_block_ms=vitals.lag.longest_ms if vitals.lag else 0.0,
            halted=self._halted,
            news=self._news,
        )

    async def _draw(self) -> None:
        with Live(console=self._console, auto_refresh=False, redirect_stdout=False) as live, _logs_above():
            try:
                while True:
                    live.update(screen(self.view()), refresh=True)
                    await asyncio.sleep(self._refresh)
            finally:
                live.update(screen(self.view()), refresh=True)

    async def _write(self) -> None:
        while True:
            await asyncio.sleep(self._line)
            self._line_of(self.view())

    def _line_of(self, view: View) -> None:
        """Nothing where nothing but the time is new: nights of a long replay."""
        words = line(view._replace(time=0, progress=None, pace=0.0))
        if words != self._written:
            self._written = words
            self._print(line(view))

    def _print(self, words: str) -> None:
        self._console.print(Text(clean(words)), soft_wrap=True, highlight=False)

    def _say(self, news: str) -> None:
        self._remember(news)
        if not self._live:
            self._print(self._news[-1])

    def _remember(self, news: str) -> None:
        self._news = [*self._news[1 - _NEWS :], clean(f"{text(self.desk.clock.now())[:19]}  {news}")]

    def _progress(self, now: int) -> float | None:
        for figures in self._vitals.extras.values():
            found = figures()
            begins, ends = found.get("begins"), found.get("ends")
            if begins is not None and ends is not None and ends > begins:
                return min(max((now - begins) / (ends - begins), 0.0), 1.0)
        return None

    def _shown(self) -> list[Symbol]:
        held = [position.symbol for position in self._ledger.positions()]
        ranked = sorted(self._ticks, key=lambda symbol: -self._ticks[symbol].value)
        return list(dict.fromkeys((*held, *ranked)))[: self._codes]

    def _issue(self, symbol: Symbol) -> Issue:
        tick, instrument = self._ticks.get(symbol), self._instruments.get(symbol)
        own = list(self._ledger.holdings.get(symbol, {}).values())
        price, base = self._ledger.prices.get(symbol, 0), instrument.base_price if instrument else 0
        return Issue(
            name=self._name(symbol),
            price=price,
            percent=100 * (price - base) / base if base and price else 0.0,
            value=tick.value if tick else 0,
            held=sum(holding.quantity for holding in own),
            profit=sum(self._ledger.worth(symbol, holding) - holding.cost for holding in own),
        )

    def _order(self, order: Order) -> str:
        price = f"{order.price:,}" if order.price else order.kind.value
        return f"{order.side.value} {self._name(order.symbol)} {order.open:,} at {price} {order.phase.value}"

    def _name(self, symbol: Symbol) -> str:
        instrument = self._instruments.get(symbol)
        return f"{instrument.name} {symbol}" if instrument else symbol


class _Pace:
    """Ticks a second between two looks."""

    def __init__(self) -> None:
        self._ticks = 0
        self._wall = 0.0

    def of(self, ticks: int, wall: float) -> float:
        span, self._wall = wall - self._wall, wall
        more, self._ticks = ticks - self._ticks, ticks
        return more / span if span > 0 else 0.0


@contextmanager
def _logs_above() -> Generator[None]:
    """Log lines scroll by above the screen instead of through it."""
    plain = sys.__stderr__
    handlers = cast("list[logging.StreamHandler[Any]]", logging.getLogger().handlers)
    moved = [handler for handler in handlers if getattr(handler, "stream", None) is plain]
    for handler in moved:
        handler.setStream(sys.stderr)
    try:
        yield
    finally:
        for handler in moved:
            handler.setStream(plain)
