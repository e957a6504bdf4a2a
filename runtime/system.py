"""The life of a run: opens, starts, supervises, drains, stops, on one page."""

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any, Protocol, runtime_checkable

import structlog

from messages import RunStarted, RunStopping
from runtime import folders
from runtime import reload as reloading
from runtime.bus import Bus
from runtime.clock import Clock, SimulatedClock, SteppedClock, TimerHandle, WallClock
from runtime.config import Config
from runtime.inbox import Inbox
from runtime.journal import Journal
from runtime.locks import folder_lock
from runtime.loop import VirtualLoop, Watchdog
from runtime.mailbox import Mailbox
from runtime.overseer import Overseer
from runtime.parts import Part, make, plan
from runtime.pump import Pump
from runtime.seat import Seat, Shard
from runtime.supervisor import NAME, Supervisor
from runtime.vitals import Vitals

DONE, FAILED, BAD_CONFIG, STOPPED_BY_RISK, CORE_FAILED = range(5)
POLL_SECONDS = 0.05
HEAD_SECONDS = 60
DISTRIBUTION = "kiwoom-actors"


@runtime_checkable
class Begins(Protocol):
    """A gateway whose time is not the wall's: a recording or a simulated day."""

    def begins(self) -> int | None:
        """Nanoseconds; when its time starts."""
        ...


class System:
    """One run of one config."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.plan = plan(config)
        data = Path(config.system.data)
        self.folder = folders.fresh(data) if config.system.fresh else data
        self.vitals = Vitals(
            folder=self.folder,
            config=config.path,
            digest=config.digest,
            seed=config.system.seed,
            time_kind=config.system.time,
        )
        self.log = structlog.get_logger(NAME)
        self.seats: dict[Mailbox, Seat] = {}
        self.clock: Clock = self._clock()
        self._code = DONE
        self._over: asyncio.Future[None]
        self._leaving = 0
        self._head_timer: TimerHandle | None = None

    @property
    def simulated(self) -> bool:
        return self.config.system.time == "simulated"

    def now(self) -> int:
        """Nanoseconds by the system's clock."""
        return self.clock.now()

    async def run(self) -> int:
        """Everything, from the lock on the data folder to its release. Returns the process's exit code."""
        self._over = asyncio.get_running_loop().create_future()
        async with AsyncExitStack() as stack:
            stack.enter_context(folder_lock(self.folder))
            journal = self._prepare()
            gateways = await self._open(stack, journal)
            try:
                await self._start(gateways)
                await self._until_over()
            finally:
                await self._stop()
        return STOPPED_BY_RISK if self._code == DONE and self.vitals.halted else self._code

    def stop(self, reason: str, code: int = DONE) -> None:
        """Begin an orderly stop; the worst code of several counts."""
        self._code = max(self._code, code)
        if not self.vitals.stopping:
            self.vitals.stopping = reason
            self.log.info("stopping", reason=reason, code=code)
        if not self._over.done():
            self._over.set_result(None)

    def assemble(self, built: dict[str, Any]) -> None:
        """Lay every actor's desk and check the wiring; nothing starts."""
        for part in self.plan:
            if part.table.kind == "actor":
                self.add(part, built)

    def add(self, part: Part, built: dict[str, Any]) -> list[Seat]:
        """Seat one actor, or its replicas."""
        table = part.table
        names = [table.name] if table.replicas == 1 else [f"{table.name}/{n + 1}" for n in range(table.replicas)]
        shards = [Shard(n, table.replicas) if table.replicas > 1 else None for n in range(table.replicas)]
        return [
            self._seat(name, partial(self._make, part, built, name), shard)
            for name, shard in zip(names, shards, strict=True)
        ]

    def _clock(self) -> Clock:
        if self.config.system.time == "sped-up":
            return SteppedClock(0)
        return WallClock()

    def _prepare(self) -> Journal:
        loop = asyncio.get_running_loop()
        if isinstance(loop, VirtualLoop):
            self.clock = SimulatedClock(0, loop)
        self.bus = Bus(self.clock)
        self.pump = Pump(loop, Random(f"{self.config.system.seed}:pump") if self.simulated else None)
        self.supervisor = Supervisor(self.bus, self.clock, self.log, self.seats, self.stop)
        if isinstance(self.clock, SteppedClock):
            self.clock.idle = lambda: self.pump.resting
        self.pump.bus = self.bus
        self.pump.failed = self.supervisor.handler_failed
        self.pump.recovered = self.supervisor.recovered
        self.pump.waits = lambda mailbox, envelope, work: self.seats[mailbox].wait_for(envelope, work)
        return Journal(self.folder, clock=self.clock, failed=self._journal_failed)

    def _journal_failed(self, error: BaseException) -> None:
        self.stop(f"the journal failed: {error}", CORE_FAILED)

    async def _open(self, stack: AsyncExitStack, journal: Journal) -> dict[str, Any]:
        built: dict[str, Any] = {"clock": self.clock, "journal": journal, "data": self.folder, "vitals": self.vitals}
        for part in self.plan:
            if part.table.kind == "gateway":
                built[part.table.name] = self._make(part, built, part.table.name)
        self._set_clock([part for part in built.values() if isinstance(part, Begins)])
        await stack.enter_async_context(journal)
        self.vitals.run, self.vitals.journal_head = journal.run, lambda: journal.head
        self.bus.begin(journal.run, journal)
        for part in self.plan:
            if part.table.kind == "gateway":
                await stack.enter_async_context(built[part.table.name])
        return built

    def _set_clock(self, gateways: list[Begins]) -> None:
        starts = [start for gateway in gateways if (start := gateway.begins()) is not None]
        if starts and isinstance(self.clock, SteppedClock):
            self.clock.advance(min(starts))
        elif starts and isinstance(self.clock, SimulatedClock):
            self.clock.begin(min(starts))

    async def _start(self, built: dict[str, Any]) -> None:
        settings = self.config.system
        alarm = () if self.simulated else settings.alarm
        overseer = partial(Overseer, alarm=alarm, stop=self.stop, halted=self._halted)
        self._seat(NAME, overseer, None)
        self.assemble(built)
        self.built = built
        self.vitals.mailboxes = self._mailboxes
        for seat in list(self.seats.values()):
            await seat.start()
        self.bus.publish(
            RunStarted(
                time=self.clock.now(),  # type: ignore[arg-type]
                run=self.vitals.run,
                version=version(DISTRIBUTION),
                config=self.config.digest,
                seed=settings.seed,
            ),
            NAME,
        )
        self._say_head()
        gc.collect()
        gc.freeze()

    def _halted(self, reason: str) -> None:
        self.vitals.halted = reason

    def _say_head(self) -> None:
        """Print what proves the journal later, for whoever keeps it elsewhere."""
        number, digest = self.vitals.journal_head()
        self.log.info("journal head", number=number, head=digest)
        if not self.simulated:
            self._head_timer = self.clock.call_later(HEAD_SECONDS, self._say_head)

    async def _until_over(self) -> None:
        if self.simulated:
            await self._over
            return
        loop = asyncio.get_running_loop()
        self._catch_signals(loop)
        watchdog = Watchdog(loop)
        self.vitals.lag = watchdog
        watchdog.start()
        inbox = Inbox(self.folder)
        try:
            while not self._over.done():
                for command in inbox.poll():
                    command.answer(self._answer(command.verb))
                await asyncio.wait([self._over], timeout=POLL_SECONDS)
        finally:
            watchdog.stop()

    def _answer(self, verb: str) -> dict[str, Any]:
        match verb:
            case "status":
                return self.vitals.snapshot()
            case "stop":
                self.stop("asked to stop")
                return {"stopping": True}
            case "reload":
                return reloading.reload(self)
            case _:
                return {"error": f"unknown command {verb!r}; known: status, stop, reload"}

    async def _stop(self) -> None:
        for seat in self.seats.values():
            if not seat.started:
                seat.retire()
        stopping = RunStopping(time=self.clock.now(), reason=self.vitals.stopping, code=self._code)  # type: ignore[arg-type]
        self.bus.publish(stopping, NAME)
        if self._head_timer is not None:
            self._head_timer.cancel()
        try:
            await self._within(self._drained())
            for seat in reversed(list(self.seats.values())):
                await self._within(seat.stop())
                await self._within(self._drained())
        except TimeoutError:
            self._code = max(self._code, FAILED)
            self.log.error("the stop took too long; what is left is cut off", seconds=self.config.system.stop_timeout)
            for seat in self.seats.values():
                await seat.clear()

    async def _within(self, work: Awaitable[None]) -> None:
        if self.simulated:
            await work
        else:
            await asyncio.wait_for(work, self.config.system.stop_timeout)

    async def _drained(self) -> None:
        quiet = 0
        while quiet < 3:
            await asyncio.sleep(0.001)
            quiet = quiet + 1 if self.pump.idle else 0

    def _mailboxes(self) -> dict[str, Any]:
        now = self.clock.now()
        return {seat.name: mailbox.statistics(now) for mailbox, seat in self.seats.items()}

    def _make(self, part: Part, built: dict[str, Any], name: str) -> Any:
        rng = Random(f"{self.config.system.seed}:{name}")
        return make(self.config, part, {**built, "rng": rng})

    def _seat(self, name: str, maker: Callable[[], Any], shard: Shard | None) -> Seat:
        mailbox = Mailbox(name, self.pump.ready, self.supervisor.overflowed)
        seat = self.seats[mailbox] = Seat(
            name,
            maker,
            bus=self.bus,
            pump=self.pump,
            clock=self.clock,
            rng=Random(f"{self.config.system.seed}:{name}"),
            log=structlog.get_logger(name),
            data=self.folder,
            failed=self.supervisor.failed,
            mailbox=mailbox,
            shard=shard,
        )
        return seat

    def _catch_signals(self, loop: asyncio.AbstractEventLoop) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                loop.add_signal_handler(number, self._leave)
            except (NotImplementedError, RuntimeError):
                with suppress(ValueError):
                    signal.signal(number, partial(self._leave_soon, loop))

    def _leave_soon(self, loop: asyncio.AbstractEventLoop, _number: int, _frame: object) -> None:
        loop.call_soon_threadsafe(self._leave)

    def _leave(self) -> None:
        self._leaving += 1
        if self._leaving > 1:
            raise SystemExit(FAILED)
        self.stop("interrupted")
