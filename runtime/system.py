"""The life of a run: opens, starts, supervises, drains, stops, on one page."""

import asyncio
import gc
import signal
import traceback
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
from runtime.loop import VirtualLoop, Watchdog, virtual_loop
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
GC_THRESHOLDS = 50_000, 20, 50
"""Messages are no garbage of the collector's: with Python's own thresholds it looks for it all the time."""
UNHURRIED = 300.0
"""Seconds that a run which ended by itself has for its last work, such as packing the day."""
PART_TO_STOP = 0.7
"""Of the seconds a stop may take: after them, each actor has LAST_WORDS left."""
LAST_WORDS = 0.2
SLEEPY_TURNS = 1_000
"""Of a millisecond, in which nothing happened but that handlers waited."""
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
        self.vitals = self._vitals()
        self.log = structlog.get_logger(NAME)
        self.seats: dict[Mailbox, Seat] = {}
        self.clock: Clock = self._clock()
        self._code = DONE
        self._over: asyncio.Future[None]
        self._leaving = 0
        self._opening: asyncio.Task[Any] | None = None
        """Who opens the gateways: only a cancellation ends that early."""
        self._asked = False
        """Whether somebody waits for the end."""
        self._deadline = 0.0
        self._head_timer: TimerHandle | None = None

    @property
    def simulated(self) -> bool:
        return self.config.system.time == "simulated"

    def now(self) -> int:
        """Nanoseconds by the system's clock."""
        return self.clock.now()

    def rehearse(self) -> None:
        """Call every constructor and let go of what it made, so that no wrong value is found later. Raises ConfigError.

        Nothing is opened, connected or written.
        """
        loop = virtual_loop()
        try:
            clock = SimulatedClock(0, loop) if self.simulated else self._clock()
            journal = Journal(self.folder, clock=clock)
            built: dict[str, Any] = {"clock": clock, "journal": journal, "data": self.folder, "vitals": self._vitals()}
            for part in self.plan:
                built[part.table.name] = self._make(part, built, part.table.name)
        finally:
            loop.close()
        if isinstance(clock, SteppedClock) and not any(getattr(part.maker, "steps_clock", False) for part in self.plan):
            raise self.config.error(
                "system", "time", "no gateway here moves a sped-up clock", 'set time = "simulated" or "real"'
            )

    async def run(self) -> int:
        """Everything, from the lock on the data folder to its release. Returns the process's exit code."""
        loop = asyncio.get_running_loop()
        self._over, self._opening = loop.create_future(), asyncio.current_task()
        self._catch_signals(loop)
        loop.set_exception_handler(self._unhandled)
        try:
            return await self._run()
        except asyncio.CancelledError:
            if not self._leaving:
                raise
            return self._code

    async def _run(self) -> int:
        async with AsyncExitStack() as stack:
            stack.enter_context(folder_lock(self.folder))
            journal = self._prepare()
            gateways = await self._open(stack, journal)
            self._opening = None
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

    def rng(self, name: str) -> Random:
        """The generator of one part: the same in every run of a seed."""
        return Random(f"{self.config.system.seed}:{name}")

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

    def _vitals(self) -> Vitals:
        return Vitals(
            folder=self.folder,
            config=self.config.path,
            digest=self.config.digest,
            seed=self.config.system.seed,
            time_kind=self.config.system.time,
        )

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
            if not self._over.done():
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
        gc.set_threshold(*GC_THRESHOLDS)

    def _unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A callback raised and nobody was there to take it: what it drove stands still, so the process ends."""
        error = context.get("exception")
        if error is None:
            loop.default_exception_handler(context)
            return
        trace = "".join(traceback.format_exception(error))
        self.log.error("unhandled", message=context.get("message"), error=str(error), trace=trace)
        self.stop(f"unhandled: {type(error).__name__}: {error}", CORE_FAILED)

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
        watchdog = Watchdog(asyncio.get_running_loop())
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
                self._asked = True
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
        hurried = self._asked or self._code != DONE
        seconds = self.config.system.stop_timeout * PART_TO_STOP if hurried else UNHURRIED
        self._deadline = asyncio.get_running_loop().time() + seconds
        await self._within(NAME, self._drained())
        for seat in reversed(list(self.seats.values())):
            await self._within(seat.name, seat.stop())
            await self._within(seat.name, self._drained())
        for seat in self.seats.values():
            await seat.clear()

    async def _within(self, name: str, work: Awaitable[None]) -> None:
        """One that takes too long is cut off; the others have their turn all the same."""
        left = self._deadline - asyncio.get_running_loop().time()
        try:
            await asyncio.wait_for(work, max(left, LAST_WORDS))
        except TimeoutError:
            self._code = max(self._code, FAILED)
            self.log.error("the stop took too long; what is left is cut off", part=name)

    async def _drained(self) -> None:
        quiet = asleep = 0
        while quiet < 3:
            await asyncio.sleep(0.001)
            quiet = quiet + 1 if self.pump.idle else 0
            asleep = asleep + 1 if self.pump.resting and not quiet else 0
            if asleep > SLEEPY_TURNS:
                self._cut_sleepers()

    def _cut_sleepers(self) -> None:
        """A leaf whose handler never comes back must not keep the others from their end."""
        for seat in list(self.seats.values()):
            if seat.busy and seat.started and not seat.off and not seat.actor.core:
                seat.leaving = True
                self.supervisor.failed(seat, "at the stop", TimeoutError("a handler did not come back"))

    def _mailboxes(self) -> dict[str, Any]:
        now = self.clock.now()
        return {seat.name: mailbox.statistics(now) for mailbox, seat in self.seats.items()}

    def _make(self, part: Part, built: dict[str, Any], name: str) -> Any:
        return make(self.config, part, {**built, "rng": self.rng(name)})

    def _seat(self, name: str, maker: Callable[[], Any], shard: Shard | None) -> Seat:
        mailbox = Mailbox(name, self.pump.ready, self.supervisor.overflowed)
        seat = self.seats[mailbox] = Seat(
            name,
            maker,
            bus=self.bus,
            pump=self.pump,
            clock=self.clock,
            rng=self.rng(name),
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
        if self.simulated:
            self._leave()
        else:
            loop.call_soon_threadsafe(self._leave)

    def _leave(self) -> None:
        self._leaving += 1
        if self._leaving > 1:
            raise SystemExit(FAILED)
        self._asked = True
        self.stop("interrupted")
        if self._opening is not None:
            self._opening.cancel()
