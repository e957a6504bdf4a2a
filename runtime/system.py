"""The life of a run: opens, starts, supervises, drains, stops, on one page."""

import asyncio
import gc
import traceback
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import structlog

from messages import HaltTrading, RunStarted, RunStopping
from runtime.actor import words
from runtime.clock import SECOND, Clock, SimulatedClock, SteppedClock, TimerHandle, WallClock
from runtime.disk import faultpoints, folders
from runtime.disk.errors import DatabaseError
from runtime.disk.journal import Journal
from runtime.life import ending
from runtime.life.beginning import set_clock, start
from runtime.life.crew import Crew
from runtime.life.ending import PART_TO_STOP, UNHURRIED, Ending, in_time
from runtime.life.exits import CORE_FAILED, DONE, FAILED, STOPPED_BY_RISK
from runtime.life.overseer import Overseer
from runtime.life.supervisor import NAME
from runtime.life.vitals import Vitals
from runtime.loops.loop import Kind, VirtualLoop, Watchdog, virtual_loop
from runtime.outside.above import take_over
from runtime.outside.door import Door
from runtime.outside.latch import Latch, Latching
from runtime.outside.reception import Reception
from runtime.process import signals
from runtime.process.locks import folder_lock
from runtime.settings.config import Config
from runtime.settings.parts import make

HEAD_SECONDS = 60
GC_THRESHOLDS = 50_000, 20, 50
"""Messages are no garbage of the collector's: with Python's own thresholds it looks for it all the time."""
BLIND_LOOK = 0.1
BLIND_SECONDS = 60.0
"""How long a run without its journal goes on taking back and selling before it ends all the same."""
DISTRIBUTION = "kiwoom-actors"

_locked = faultpoints.point("system: folder locked")
_chained = faultpoints.point("system: the run is in the journal, no gateway open")
_opened = faultpoints.point("system: gateways open, no actor started")
_latched = faultpoints.point("system: started halted, no actor started")
_one_started = faultpoints.point("system: an actor started, the others not")
_told = faultpoints.point("system: the start is said")
_stopping = faultpoints.point("system: the stop is said")
_closed = faultpoints.point("system: everything closed, folder locked")


class System:
    """One run of one config."""

    def __init__(self, config: Config) -> None:
        self.config = config
        data = Path(config.system.data)
        self.folder = folders.fresh(data) if config.system.fresh else data
        self.vitals = self._vitals()
        self.log = structlog.get_logger(NAME)
        self.crew = Crew(config, self.folder, self.vitals, self.log)
        self.clock: Clock = self._clock()
        self._code = DONE
        self._over: asyncio.Future[None]
        self._leaving = 0
        self._opening: asyncio.Task[Any] | None = None
        """Who opens the gateways: only a cancellation ends that early."""
        self._asked = False
        """Whether somebody waits for the end."""
        self._head_timer: TimerHandle | None = None
        self._latch = Latch(self.folder)
        self._latching: Latching
        self._seated = False
        """From when the actors have their mailboxes to when they have stopped."""
        self._blind = ""
        """Why there is no journal any more; blank while there is."""
        self._work: dict[asyncio.Task[None], None] = {}

    @property
    def simulated(self) -> bool:
        return self.config.system.time == "simulated"

    @property
    def loop(self) -> Kind:
        """The kind of loop it runs on."""
        if self.simulated:
            return "virtual"
        needs = [part.maker.needs_loop for part in self.crew.plan if hasattr(part.maker, "needs_loop")]
        return needs[0] if needs else "asyncio"

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
            for part in self.crew.plan:
                built[part.table.name] = make(self.config, part, built)
        finally:
            loop.close()
        stepped = (getattr(part.maker, "steps_clock", False) for part in self.crew.plan)
        if isinstance(clock, SteppedClock) and not any(stepped):
            raise self.config.error(
                "system", "time", "no gateway here moves a sped-up clock", 'set time = "simulated" or "real"'
            )
        if self.config.system.spin and self.loop != "qt":
            raise self.config.error("system", "spin", "no gateway here needs Qt's loop, which alone spins", "remove it")

    async def run(self) -> int:
        """Everything, from the lock on the data folder to its release. Returns the process's exit code."""
        loop = asyncio.get_running_loop()
        self._over, self._opening = loop.create_future(), asyncio.current_task()
        signals.catch(loop, self._interrupted, at_once=self.simulated)
        loop.set_exception_handler(self._unhandled)
        try:
            return await self._run()
        except asyncio.CancelledError:
            if not self._asked:
                raise
            return self._code

    async def _run(self) -> int:
        async with AsyncExitStack() as stack:
            stack.enter_context(folder_lock(self.folder))
            stack.callback(_closed)
            _locked()
            journal = self._prepare()
            if not self.simulated:
                answer = Reception(self.crew, self.leave).answer
                await stack.enter_async_context(Door(self.folder, self.log, answer=answer, look=self._look))
            await self._open(stack, journal)
            self._opening = None
            try:
                await self._start()
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

    def _vitals(self) -> Vitals:
        config, settings = self.config, self.config.system
        return Vitals(
            folder=self.folder, config=config.path, digest=config.digest, seed=settings.seed, time_kind=settings.time
        )

    def _clock(self) -> Clock:
        if self.config.system.time == "sped-up":
            return SteppedClock(0)
        return WallClock()

    def new_journal(self) -> Journal:
        """Of the run's folder, not opened."""
        return Journal(self.folder, clock=self.clock, failed=self.journal_failed)

    def _prepare(self) -> Journal:
        loop = asyncio.get_running_loop()
        if isinstance(loop, VirtualLoop):
            self.clock = SimulatedClock(0, loop)
        journal = self.new_journal()
        self.crew.gather(self.clock, journal, self.stop)
        return journal

    def journal_failed(self, error: BaseException) -> None:
        """End with CORE_FAILED once what is open is taken back, when asked, or after BLIND_SECONDS."""
        self._code = CORE_FAILED
        self._blind = f"the journal failed: {error}"
        self.log.error("blind", reason=self._blind)
        asyncio.get_running_loop().call_soon(self._go_blind)

    def _go_blind(self) -> None:
        """Nothing new without a journal, but what is open can still be taken back and what leaves can still be sold."""
        self.crew.bus.publish(HaltTrading(reason=self._blind, by="journal"), NAME)
        self._spawn(self._end_when_finished())

    async def _end_when_finished(self) -> None:
        until = self.clock.now() + round(BLIND_SECONDS * SECOND)
        while ending.unfinished(self.crew.seats) and self.clock.now() < until:
            await self.clock.sleep(BLIND_LOOK)
        self.stop(self._blind, CORE_FAILED)

    async def _open(self, stack: AsyncExitStack, journal: Journal) -> None:
        gateways = self.crew.gateways()
        set_clock(self.clock, gateways.values())
        stack.callback(self._tell_head)
        await stack.enter_async_context(journal)
        self.vitals.run, self.vitals.journal_head = journal.run, lambda: journal.head
        self._latching = Latching(journal, self._latch, self.log)
        self.crew.bus.begin(journal.run, self._latching)
        _chained()
        for name, gateway in gateways.items():
            await gateway.__aenter__()
            stack.push_async_exit(partial(self._part_with, name, gateway))
        _opened()

    async def _start(self) -> None:
        crew, settings = self.crew, self.config.system
        alarm = () if self.simulated else settings.alarm
        crew.seat(NAME, partial(Overseer, alarm=alarm, stop=self.stop, halted=self._halted, resumed=self._resumed))
        crew.seat_actors()
        self.vitals.mailboxes = crew.mailboxes
        self._seated = True
        take_over(Path(settings.data), self.folder)
        self._look()
        _latched()
        for seat in list(crew.seats.values()):
            if not self._over.done():
                await start(seat.start(), self._over)
                _one_started()
        now: Any = self.clock.now()
        started = RunStarted(
            time=now, run=self.vitals.run, version=version(DISTRIBUTION), config=self.config.digest, seed=settings.seed
        )
        crew.bus.publish(started, NAME)
        crew.begun = True
        _told()
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
        self.log.error("unhandled", message=context.get("message"), error=words(error), trace=trace)
        self.stop(f"unhandled: {type(error).__name__}: {words(error)}", CORE_FAILED)

    def _look(self) -> None:
        """A latch that is laid, whoever laid it, halts."""
        halt = self._latch.news() if self._seated else None
        if halt is not None:
            self.crew.bus.publish(HaltTrading(reason=halt.reason, by=halt.by, flatten=halt.flatten), NAME)
        if self._seated:
            take_over(Path(self.config.system.data), self.folder)

    def _halted(self, reason: str) -> None:
        self.vitals.halted = reason

    def _resumed(self, number: int) -> None:
        self.vitals.halted = ""
        self._spawn(self._lift(number))

    async def _lift(self, number: int) -> None:
        try:
            with suppress(DatabaseError):
                await self._latching.lift(number)
        except OSError as error:
            self.log.error("the latch cannot be removed: the next start is halted", error=str(error))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._work[task] = None
        task.add_done_callback(self._work.pop)

    def _tell_head(self) -> None:
        """What proves the journal later, for whoever keeps it elsewhere; at the close it covers the whole run."""
        number, digest = self.vitals.journal_head()
        if number:
            self.log.info("journal head", number=number, head=digest)

    def _say_head(self) -> None:
        self._tell_head()
        if not self.simulated:
            self._head_timer = self.clock.call_later(HEAD_SECONDS, self._say_head)

    async def _until_over(self) -> None:
        if self.simulated:
            await self._over
            return
        watchdog = Watchdog(asyncio.get_running_loop())
        self.vitals.lag = watchdog
        watchdog.start()
        try:
            await self._over
        finally:
            watchdog.stop()

    async def _stop(self) -> None:
        crew = self.crew
        async with crew.swapping:
            pass
        for mailbox, seat in crew.seats.items():
            if not seat.started:
                seat.retire()
            mailbox.make_room()
        stopping = RunStopping(time=self.clock.now(), reason=self.vitals.stopping, code=self._code)  # type: ignore[arg-type]
        crew.bus.publish(stopping, NAME)
        _stopping()
        if self._head_timer is not None:
            self._head_timer.cancel()
        end = Ending(crew.seats, crew.pump, crew.supervisor, self.log, seconds=self._time_for(PART_TO_STOP))
        await end.run()
        if end.late:
            self._code = max(self._code, FAILED)
        self._seated = False
        for task in list(self._work):
            task.cancel()

    def _time_for(self, part: float) -> float:
        """Seconds; somebody may wait for the end."""
        return self.config.system.stop_timeout * part if self._asked or self._code != DONE else UNHURRIED

    async def _part_with(self, name: str, gateway: Any, *error: object) -> None:
        """A broker that is gone may keep a goodbye for ever; what is left is cut off."""
        if not await in_time(gateway.__aexit__(*error), self._time_for(1 - PART_TO_STOP)):
            self.log.error("the goodbye took too long and is cut off", part=name)
            self._code = max(self._code, FAILED)

    def _interrupted(self) -> None:
        self._leaving += 1
        if self._leaving > 1:
            raise SystemExit(FAILED)
        self.leave("interrupted")

    def leave(self, reason: str) -> None:
        """Stop as somebody asked for who waits for the end; a start under way is broken off."""
        self._asked = True
        self.stop(reason)
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
