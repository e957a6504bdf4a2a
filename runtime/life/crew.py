"""The crew of a run: its actors in their seats around one bus, made from the plan of the config."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import structlog

from runtime.actor import Log
from runtime.bus import Bus
from runtime.clock import Clock, SteppedClock
from runtime.disk.journal import Journal
from runtime.life.seat import Seat, Shard
from runtime.life.supervisor import Supervisor
from runtime.life.vitals import Vitals
from runtime.mailbox import Mailbox, Statistics
from runtime.pump import Pump
from runtime.settings.config import Config
from runtime.settings.parts import Part, generator, make, plan


class Crew:
    """Who sits where. `gather` comes first, `seat_actors` when the gateways are open."""

    def __init__(self, config: Config, data: Path, vitals: Vitals, log: Log) -> None:
        self.config = config
        self.plan = plan(config)
        self.data = data
        self.vitals = vitals
        self.log = log
        self.seats: dict[Mailbox, Seat] = {}
        self.built: dict[str, Any] = {}
        """What a constructor may ask for, by name: gateways, and what every run has."""
        self.begun = False
        """Every actor has started and knows it."""
        self.swapping = asyncio.Lock()
        """Held while a reload swaps actors: a stop comes after it."""
        self.bus: Bus
        self.pump: Pump
        self.supervisor: Supervisor
        self._clock: Clock
        self._visible: Callable[[], Awaitable[None]]

    def gather(self, clock: Clock, journal: Journal, stop: Callable[[str, int], None]) -> None:
        """Lay the bus and its pump, on the running loop; `stop` is for who cannot go on."""
        simulated = self.config.system.time == "simulated"
        self._clock, self._visible = clock, journal.visible
        self.built = {"clock": clock, "journal": journal, "data": self.data, "vitals": self.vitals}
        self.bus = Bus(clock)
        rng = Random(f"{self.config.system.seed}:pump") if simulated else None
        pump = self.pump = Pump(asyncio.get_running_loop(), rng, stepped=isinstance(clock, SteppedClock))
        self.supervisor = Supervisor(self.bus, clock, self.log, self.seats, stop)
        if isinstance(clock, SteppedClock):
            clock.idle = lambda: pump.resting
        pump.bus = self.bus
        pump.keep_warm = self._keep_warm if clock.name == "wall" else None
        pump.failed = self.supervisor.handler_failed
        pump.recovered = self.supervisor.recovered
        pump.waits = lambda mailbox, envelope, work: self.seats[mailbox].wait_for(envelope, work)

    def gateways(self) -> dict[str, Any]:
        """Make every gateway, those first that others stand on; nothing is opened."""
        gateways = [part for part in self.plan if part.table.kind == "gateway"]
        for part in gateways:
            self.built[part.table.name] = make(self.config, part, self.built)
        return {part.table.name: self.built[part.table.name] for part in gateways}

    def seat_actors(self) -> None:
        """Make every actor of the plan, in its seat; none starts."""
        for part in self.plan:
            if part.table.kind == "actor":
                self.add(part)

    def add(self, part: Part) -> list[Seat]:
        """Seat one actor, or its replicas."""
        table = part.table
        if table.replicas == 1:
            return [self.seat(table.name, self._maker(part, table.name))]
        names = [f"{table.name}/{number + 1}" for number in range(table.replicas)]
        return [
            self.seat(name, self._maker(part, name), Shard(number, table.replicas)) for number, name in enumerate(names)
        ]

    def seat(self, name: str, maker: Callable[[], Any], shard: Shard | None = None) -> Seat:
        """Who `maker` makes, behind a mailbox of its own."""
        mailbox = Mailbox(name, self.pump.ready, self.supervisor.overflowed)
        seat = self.seats[mailbox] = Seat(
            name,
            maker,
            bus=self.bus,
            pump=self.pump,
            clock=self._clock,
            rng=generator(self.config, name),
            log=structlog.get_logger(name),
            data=self.data,
            failed=self.supervisor.failed,
            mailbox=mailbox,
            shard=shard,
            settled=self._visible,
        )
        return seat

    def mailboxes(self) -> dict[str, Statistics]:
        """The counts of every mailbox, by actor."""
        now = self._clock.now()
        return {seat.name: mailbox.statistics(now) for mailbox, seat in self.seats.items()}

    def _keep_warm(self) -> None:
        for seat in self.seats.values():
            seat.keep_warm()

    def _maker(self, part: Part, name: str) -> Callable[[], Any]:
        return partial(make, self.config, part, self.built, name)
