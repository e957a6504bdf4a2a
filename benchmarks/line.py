"""A control that sends records at a steady rate, on a timer and through a signal of Qt's, and actors that measure."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple, Self, cast

from PyQt5.QtCore import QObject, Qt, QTimer, pyqtSignal

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.control import Calls
from actors.gateways.kiwoom.real_time.feed import Intake
from actors.gateways.port import (
    BrokerReport,
    BrokerState,
    FeedMessage,
    Instruction,
    KnownOrder,
    Outcome,
    SendResult,
    Urgency,
)
from messages import (
    ApprovedOrder,
    FeedEnded,
    Instrument,
    Market,
    Nanoseconds,
    OrderAccepted,
    OrderCanceled,
    OrderIntent,
    OrderRefused,
    Purpose,
    Ranked,
    Session,
    SessionChanged,
    Shares,
    Side,
    Symbol,
    Tick,
    Won,
)
from runtime import logs
from runtime.actor import Actor, handles
from runtime.clock import Clock, kst
from runtime.loops.loop import qt_loop, run
from runtime.mailbox import Statistics
from runtime.settings.config import load
from runtime.system import System

CASH: Final = Won(1_000_000_000_000)
_PRICE: Final = 70_000
_LAST_WORDS: Final = 20
"""Lines of a log."""
_AHEAD: Final = 0.5
"""Seconds from the stream's beginning to its first record."""
_PACE: Final = 1
"""Milliseconds between two looks at what is due."""

CONFIG: Final = """
[system]
data = "{data}"
[gateway.line]
use = "benchmarks.line:Line"
rate = {rate}
seconds = {seconds}
books = {books}
codes = {codes}
[actor.meter]
use = "benchmarks.line:Meter"
line = "line"
[actor.recorder]
use = "actors.recorder:Recorder"
[actor.trader]
use = "actors.trader:Trader"
broker = "line"
[actor.accountant]
use = "actors.accountant:Accountant"
[actor.risk]
use = "actors.risk:Risk"
max_orders_second = 100_000
max_orders_minute = 1_000_000
max_orders_day = 10_000_000
duplicate_seconds = 0.0
max_alike_day = 10_000_000
max_repeats = 10_000_000
max_gross_value = 1_000_000_000_000
max_position_value = 1_000_000_000_000
max_positions = 1_000
[actor.guardian]
use = "actors.guardian:Guardian"
[actor.eager]
use = "benchmarks.line:Eager"
line = "line"
every = {every}
[actor.receiver]
use = "actors.receiver:Receiver"
feed = "line"
symbols = [{symbols}]
"""


class _Source(QObject):
    real = pyqtSignal(object, object, object)


class _NoCalls:
    """Answers blank, as the control does to a question it has no data for."""

    def real(self, _code: str, _fid: int) -> str:
        return ""


class Line:
    """Feed, reference and broker in one: `rate` records a second, `books` of them (a part of 1, in tenths) books.

    An order is taken at once and canceled by the broker. `fell_behind` is the most records that were due and not sent.
    """

    needs_loop: ClassVar = "qt"

    def __init__(self, clock: Clock, *, rate: int, seconds: float, books: float, codes: int) -> None:
        self.asked: dict[int, int] = {}
        """Intent to the instant the slot took the record it answers."""
        self.approved: list[int] = []
        self.sent: list[int] = []
        """Nanoseconds since that instant."""
        self.refused: Counter[str] = Counter()
        self.emitted = self.fell_behind = 0
        self._clock = clock
        self._rate = rate
        self._total = round(rate * seconds)
        self._books_of_ten = round(books * 10)
        self._symbols = _symbols(codes)
        self._volumes = dict.fromkeys(self._symbols, 1_000_000)
        self._second = ""
        self._plan: list[_Text] = []
        self._report: Callable[[BrokerReport], None]

    async def __aenter__(self) -> Self:
        self._source = _Source()
        self._beat = QTimer()
        self._beat.setTimerType(Qt.TimerType.PreciseTimer)
        self._beat.timeout.connect(self._emit)
        self.intake = Intake(cast("Calls", _NoCalls()), self._clock, "line", "9", lambda: None)
        self._source.real.connect(self.intake.add)
        self.intake.say(SessionChanged(session=Session.CONTINUOUS, time=Nanoseconds(self._clock.now()), code="3"))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._beat.stop()
        self._source.real.disconnect(self.intake.add)

    def watch(self, trades: Collection[Symbol], books: Collection[Symbol]) -> None:
        del trades, books

    def stream(self) -> AsyncIterator[Sequence[FeedMessage]]:
        self._began = time.perf_counter() + _AHEAD
        asyncio.get_running_loop().call_later(_AHEAD, self._beat.start, _PACE)
        return self.intake.stream()

    async def instruments(self, symbols: Collection[Symbol]) -> Sequence[Instrument]:
        return [_instrument(symbol) for symbol in symbols]

    async def ranking(self, count: int) -> Sequence[Ranked]:
        del count
        return ()

    async def open(self, report: Callable[[BrokerReport], None], known: Sequence[KnownOrder]) -> None:
        del known
        self._report = report

    def learn(self, order: int, broker_order: str) -> None:
        del order, broker_order

    async def turn(self, urgency: Urgency) -> None:
        del urgency

    async def state(self) -> BrokerState:
        return BrokerState(time=Nanoseconds(self._clock.now()), cash=CASH, orderable=CASH, positions=(), orders=())

    def send(self, instruction: Instruction) -> SendResult:
        self.sent.append(time.time_ns() - self.asked.pop(instruction.order))
        asyncio.get_running_loop().call_soon(self._answer, instruction)
        return SendResult(outcome=Outcome.SENT)

    def _answer(self, asked: Instruction) -> None:
        fields: dict[str, Any] = {
            "order": asked.order,
            "symbol": asked.symbol,
            "strategy": asked.strategy,
            "time": Nanoseconds(self._clock.now()),
            "broker_order": f"{len(self.sent):07d}",
        }
        self._report(OrderAccepted(**fields))
        self._report(OrderCanceled(**fields, canceled=asked.quantity, reason="taken back at once"))

    def _emit(self) -> None:
        elapsed = time.perf_counter() - self._began
        due = min(round(elapsed * self._rate), self._total)
        self.fell_behind = max(self.fell_behind, due - self.emitted)
        emit, symbols, volumes, plan = self._source.real.emit, self._symbols, self._volumes, self._planned()
        for number in range(self.emitted, due):
            symbol = symbols[number % len(symbols)]
            book, head, tail = plan[number % len(plan)]
            if book:
                emit(symbol, codes.BOOK, book)
            else:
                volume = volumes[symbol] = volumes[symbol] + 10
                emit(symbol, codes.TRADE, f"{head}{volume}{tail}")
        self.emitted = due
        if due == self._total:
            self._beat.stop()
            ended = FeedEnded(feed="line", time=Nanoseconds(self._clock.now()), records=self.emitted)
            self.intake.say(ended)

    def _planned(self) -> "list[_Text]":
        """What comes round and round in this second: what a record costs to write is not what is measured."""
        second = kst(self._clock.now()).strftime("%H%M%S")
        if second != self._second:
            self._second = second
            self._plan = [_text(second, number, self._books_of_ten) for number in range(70)]
        return self._plan


class Eager(Actor, publishes=(OrderIntent,)):
    """Wants a share at every so many ticks."""

    def __init__(self, line: Line, *, every: int) -> None:
        self._line = line
        self._every = every
        self._left = every

    @handles
    def on_tick(self, tick: Tick) -> None:
        self._left -= 1
        if self._left:
            return
        self._left = self._every
        number = self.publish(
            OrderIntent(
                symbol=tick.symbol,
                side=Side.BUY,
                quantity=Shares(1),
                price=tick.ask,
                purpose=Purpose.ENTRY,
                strategy=self.desk.name,
                reason="every so often",
            )
        )
        self._line.asked[number] = tick.received


class Meter(Actor):
    """Notes when approvals were published, and what was refused."""

    def __init__(self, line: Line) -> None:
        self._line = line

    @handles
    def on_approved(self, approved: ApprovedOrder) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        self._line.approved.append(envelope.time - self._line.asked[approved.order])

    @handles
    def on_refused(self, refused: OrderRefused) -> None:
        self._line.refused[refused.rule] += 1


class Outcomes(NamedTuple):
    """What a run left: its exit code, the line, the mailboxes' statistics, CPU and wall seconds."""

    system: System
    code: int
    line: Line
    mailboxes: dict[str, Statistics]
    cpu: float
    wall: float

    @property
    def longest_ms(self) -> float:
        lag = self.system.vitals.lag
        return lag.longest_ms if lag else 0.0


def trade(
    folder: Path,
    *,
    rate: int,
    seconds: float,
    every: int,
    books: float = 0.0,
    codes: int = 30,
    spin: bool = False,
    beside: str = "",
) -> Outcomes:
    """Run the whole pipeline on the Qt loop over a line, with recorder and journal at work, and tables of `beside`."""
    file = folder / "line.toml"
    text = CONFIG.format(
        data=(folder / "data").as_posix(),
        rate=rate,
        seconds=seconds,
        books=books,
        codes=codes,
        every=every,
        symbols=", ".join(f'"{symbol}"' for symbol in _symbols(codes)),
    )
    file.write_text(text + beside, encoding="utf-8")
    system = System(load(file))
    logs.configure(system.folder / "logs", console=False, now=system.now)
    cpu, wall = time.process_time(), time.perf_counter()
    code = run(system.run, qt_loop(spin=spin))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    if code:
        _say_why(system.folder / "logs")
    return Outcomes(system, code, system.crew.built["line"], system.vitals.mailboxes(), cpu, wall)


def _say_why(logs_folder: Path) -> None:
    for file in sorted(logs_folder.iterdir()):
        lines = file.read_text(encoding="utf-8").splitlines()
        print(*[line for line in lines if '"level":"info"' not in line.replace(" ", "")][-_LAST_WORDS:], sep="\n")


def percentile(nanoseconds: Sequence[int | float], part: float) -> float:
    """In microseconds."""
    ordered = sorted(nanoseconds)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] / 1_000 if ordered else 0.0


def show(name: str, nanoseconds: Sequence[int | float], note: str = "") -> None:
    """One aligned line of percentiles."""
    figures = "  ".join(f"p{part * 100:g} {percentile(nanoseconds, part):>9,.0f}" for part in (0.5, 0.99, 0.999))
    print(f"{name:34} {figures}  us   {len(nanoseconds):,} {note}")


def bare_fsyncs(folder: Path, count: int = 300) -> list[int]:
    """Nanoseconds of a write of 400 bytes and its fsync."""
    taken: list[int] = []
    handle = os.open(folder / "bare", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for _ in range(count):
        start = time.perf_counter_ns()
        os.write(handle, bytes(400))
        os.fsync(handle)
        taken.append(time.perf_counter_ns() - start)
    os.close(handle)
    return taken


def _symbols(count: int) -> list[Symbol]:
    return [Symbol(f"9{number:04d}0") for number in range(1, count + 1)]


def _instrument(symbol: Symbol) -> Instrument:
    return Instrument(
        symbol=symbol,
        name=symbol,
        market=Market.KOSPI,
        base_price=Won(_PRICE),
        upper_limit=Won(91_000),
        lower_limit=Won(49_000),
        listed_shares=Shares(1_000_000_000),
    )


class _Text(NamedTuple):
    book: str
    """Blank for a print."""
    head: str
    tail: str
    """What stands before and after a print's accumulated volume."""


def _text(second: str, number: int, books_of_ten: int) -> _Text:
    price = _PRICE + number % 7 * 100
    if number % 10 < books_of_ten:
        return _Text(_book(second, price), "", "")
    head = f"{second}\t+{price}\t+100\t+0.14\t+{price + 100}\t+{price}\t+10\t"
    return _Text("", head, "\t70000\t+70000\t+70600\t+70000\t2" + "\t0" * 5 + "\t101.20" + "\t0" * 23)


def _book(second: str, price: int) -> str:
    levels = "\t".join(
        f"+{price + 100 * (step + 1)}\t{100 + step}\t0\t+{price - 100 * step}\t{200 + step}\t0" for step in range(10)
    )
    return f"{second}\t{levels}\t1045\t0\t2045\t0" + "\t0" * 40
