"""`guard CONFIG`: runs a config each trading day, starts it again, takes back its orders when it stays down."""

import asyncio
import datetime as dt
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Protocol

import structlog
import typer

from actors.commands import advice
from actors.gateways.dead_man import Canceller, canceller
from actors.market.calendar import Calendar, TradingDay, UnknownDayError
from actors.market.time import SECOND, at
from runtime.cli import ConfigPath, Overrides, fail
from runtime.clock import WallClock, kst, text
from runtime.disk import folders
from runtime.life import alarm
from runtime.life.exits import BAD_CONFIG, DONE
from runtime.outside.adopted import Adopted
from runtime.outside.guard import Guard, Terms
from runtime.outside.latch import Latch
from runtime.process import heartbeat, signals
from runtime.process.locks import AlreadyRunning, Lock
from runtime.settings.config import Config, ConfigError, load
from runtime.settings.parts import Part, plan

EARLIEST = dt.time(7, 30)
"""KST; from when on a trading day is run."""
LATEST = dt.time(22)
"""KST; when its run is stopped at the latest. Every venue has closed for two hours."""
PROGRAM = (sys.executable, "-c", "from actors.commands import main; main()")
_HEARD = 5.0
"""Seconds that an alarm has while the guard ends; one that takes longer goes on without it."""
_MEND = "install a version that knows them, or add the year to actors/market/calendar.toml, and start the guard again"
_SOON = dt.timedelta(days=30)
"""Before the calendar ends a person is told so."""
_CLEARED = 600 * SECOND
"""Before a day begins, what still runs from another one is stopped."""
_LEAST_PATIENCE = 4 * heartbeat.SECONDS
"""After half of the patience a system is killed, and one that lives beats once a second."""
_NAP = 30.0
"""Seconds; a wall clock may be set while the night is waited out."""


class Keeper(Protocol):
    """What of a Guard a day needs."""

    @property
    def adopts(self) -> bool: ...

    @property
    def down(self) -> bool: ...

    @property
    def overstayed(self) -> bool: ...

    async def keep(self, over: Callable[[], bool], late: Callable[[], bool]) -> int: ...


def guard(
    config: ConfigPath,
    overrides: Overrides = [],  # noqa: B006 - typer's way
    *,
    patience: Annotated[
        float, typer.Option(min=_LEAST_PATIENCE, help="Seconds without a heartbeat until open orders are taken back.")
    ] = 10.0,
    once: Annotated[bool, typer.Option("--once", help="Start now, whatever the day, and end with the run.")] = False,
    stop_after: Annotated[float, typer.Option(min=0.0, help="Seconds after which all is stopped; 0 is never.")] = 0.0,
) -> None:
    """Run a config each trading day from 07:30, start it again when it falls, take back its orders when it stays down.

    Exit codes: the last run's when it was asked to stop, 1 in use, 2 bad config, 4 it fell too often and stays down.
    """
    try:
        loaded = load(config, overrides)
        parts = plan(loaded)
    except ConfigError as error:
        fail(str(error), BAD_CONFIG)
    remark(parts)
    data = Path(loaded.system.data)
    try:
        with Lock(data / "guard.lock", f"the guard of {data}"):
            bell = Bell(loaded.system.alarm)
            watch = _guard(loaded, parts, overrides, patience, bell)
            _adopt(watch, folders.held(data))
            days = None if once or loaded.system.time != "real" else Calendar()
            code = asyncio.run(_keep(watch, days, stop_after, bell))
    except (AlreadyRunning, UnknownDayError, OSError) as error:
        fail(str(error))
    raise typer.Exit(code)


def remark(parts: list[Part]) -> None:
    """What its first start may be refused for is said now, not in the morning of the next trading day."""
    for note in advice.notes(parts):
        say(f"note: {note}")


def _adopt(watch: Guard, running: list[Path]) -> None:
    """A guard that was killed leaves its system behind; the next one takes it over."""
    if len(running) > 1:
        fail(f"{len(running)} systems run there, a guard keeps one: stop the others: {', '.join(map(str, running))}")
    for folder in running:
        watch.adopt(Adopted(folder))


class Bell:
    """The alarm of a guard."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._log = structlog.get_logger("guard")
        self._tasks: dict[asyncio.Task[None], None] = {}

    def __call__(self, words: str) -> None:
        """Sound it; nobody waits for its end."""
        work = alarm.sound(self._command, f"guard: {words}", self._log)
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)

    async def heard(self) -> None:
        """A loop that ends would take an alarm with it that was sounded just before."""
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=_HEARD)


def _guard(config: Config, parts: list[Part], overrides: list[str], patience: float, bell: Bell) -> Guard:
    settings = [word for override in overrides for word in ("--set", override)]
    return Guard(
        (*PROGRAM, "run", str(config.path), *settings),
        lambda: folders.current(Path(config.system.data)),
        latch=Latch(Path(config.system.data)),
        say=say,
        alarm=bell,
        dead_man=partial(take_back, _cancellers(parts)),
        terms=Terms(patience=patience),
    )


def _cancellers(parts: list[Part]) -> list[tuple[str, str, Canceller]]:
    """Gateway, account and who can take back its orders; the others are named in a line each."""
    found: list[tuple[str, str, Canceller]] = []
    for part in parts:
        if part.table.kind != "gateway":
            continue
        offered = canceller(part.maker, part.keywords)
        if isinstance(offered, str):
            say(f"no dead-man for {part.table.name}: {offered}")
        else:
            found.append((part.table.name, str(part.keywords.get("account", "")), offered))
    return found


async def take_back(cancellers: list[tuple[str, str, Canceller]]) -> str:
    """Ask each of (gateway, account, canceller); what came of it, in one line. Raises what they raise."""
    lines: list[str] = []
    for name, account, through in cancellers:
        cleared = await through.cancel_all(account)
        left = f", still open: {'; '.join(cleared.left)}" if cleared.left else ""
        lines.append(f"{name}: {cleared.canceled} orders taken back{left}")
    return ", ".join(lines) or "nothing can be taken back from here: look at the broker's own screen"


async def _keep(watch: Guard, days: Calendar | None, stop_after: float, bell: Bell) -> int:
    loop = asyncio.get_running_loop()
    over = asyncio.Event()

    def leave() -> None:
        over.set()
        watch.leave()

    signals.catch(loop, leave, at_once=False)
    if stop_after:
        loop.call_later(stop_after, leave)
    try:
        return await (watch.keep(lambda: False) if days is None else each_day(watch, days, over, bell))
    finally:
        await bell.heard()


async def each_day(watch: Keeper, days: Calendar, over: asyncio.Event, call: Callable[[str], None]) -> int:
    """Keep a system on every trading day until it is over; what runs already is watched whatever the day.

    Raises UnknownDayError where the calendar ends, and calls a person; a month before that too.
    """
    code, warned = DONE, False
    while not over.is_set():
        day = _next_day_or_call(days, call)
        if not warned and days.last - day.date < _SOON:
            warned = True
            call(f"trading days are known until {days.last} only: {_MEND}")
        begin, end = at(day.date, EARLIEST.hour, EARLIEST.minute), day.phases[-1].end
        if not watch.adopts:
            await _until(begin, over)
        if over.is_set():
            break
        last = begin - _CLEARED if WallClock.now() < begin else at(day.date, LATEST.hour, LATEST.minute)
        code = await watch.keep(
            lambda begin=begin, end=end: not begin <= WallClock.now() < end,
            lambda last=last: WallClock.now() >= last,
        )
        if watch.down:
            return code
        if watch.overstayed or WallClock.now() < begin:
            continue
        say(f"the day ended with code {code}")
        await _until(end, over)
    return code


def _next_day_or_call(days: Calendar, call: Callable[[str], None]) -> TradingDay:
    try:
        return next_day(days, WallClock.now())
    except UnknownDayError as error:
        words = f"{error}: no other day is run; {_MEND}"
        call(words)
        raise UnknownDayError(words) from error


def next_day(days: Calendar, now: int) -> TradingDay:
    """The trading day that runs, or else the next one. Raises UnknownDayError."""
    today = kst(now).date()
    day = days.day(today)
    return day if day is not None and now < day.phases[-1].end else days.next_day(today)


async def _until(instant: int, over: asyncio.Event) -> None:
    if WallClock.now() < instant and not over.is_set():
        say(f"waiting until {text(instant)[:16]}")
    while (left := (instant - WallClock.now()) / SECOND) > 0 and not over.is_set():
        await _first(over.wait, min(left, _NAP))


async def _first(wait: Callable[[], Awaitable[Any]], seconds: float) -> None:
    try:
        await asyncio.wait_for(wait(), seconds)
    except TimeoutError:
        return


def say(line: str) -> None:
    """One line with its time in Korea. A terminal that closed and a full disk must not end who watches."""
    with suppress(OSError):
        sys.stderr.write(f"{text(WallClock.now())[:19]} guard: {line}\n")
        sys.stderr.flush()
