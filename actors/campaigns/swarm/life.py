"""One system of a seed: started on what the one before it left on the disk, and ended or abandoned at an instant."""

import asyncio
import shutil
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from actors.campaigns.swarm.world import World
from actors.market.time import SECOND
from actors.strategies.base import Lot, Strategy
from messages import Symbol
from runtime.disk import faultpoints
from runtime.disk.errors import DatabaseError
from runtime.disk.journal import Journal
from runtime.loops.loop import Deadlock, VirtualLoop
from runtime.mailbox import Statistics
from runtime.settings.config import load
from runtime.system import System

CONFIG: Final = Path(__file__).with_name("swarm.toml")
_LAST_WORDS: Final = 400.0
"""Simulated seconds an orderly stop may take: a start that waits for the broker is waited for."""
_RESERVE: Final = 1 << 16
_LEFT_BEHIND: Final = ("lock", "journal.sqlite-shm", "market.sqlite-shm")


class End(StrEnum):
    """How a life ended."""

    REACHED = "reached"
    """The time that was given is over, and the system lives."""
    ABANDONED = "abandoned"
    ENDED = "ended"
    STUCK = "stuck"


class SimulatedSystem(System):
    """A system whose disk is the world's: slow at times, and out of order."""

    def __init__(self, world: World, folder: Path, number: int) -> None:
        config = load(CONFIG, world.overrides)
        settings = msgspec.structs.replace(config.system, data=str(folder), seed=world.seed * 1_000 + number)
        super().__init__(msgspec.structs.replace(config, system=settings))
        self._world = world

    def new_journal(self) -> Journal:
        """Slow at times, and refused now and then."""
        world = self._world
        return Journal(
            self.folder,
            clock=self.clock,
            failed=self.journal_failed,
            reserve=_RESERVE,
            delay=world.journal_delay,
            fault=world.journal_fault,
        )


class Life:
    """A system on a loop of its own, which is simply never run again when the system shall be dead."""

    def __init__(self, world: World, number: int, before: Path | None) -> None:
        self.world = world
        self.number = number
        self.folder = world.folder / f"{number:03}"
        self.folder.mkdir(parents=True)
        if before is not None:
            _inherit(before, self.folder)
        self.system = SimulatedSystem(world, self.folder, number)
        self.loop = VirtualLoop(Random(f"ties {world.seed} {number}"))
        self._remains = world.folder / f"{number:03}-left"
        self.end = End.REACHED
        self.cut = False
        self._born = world.now
        world.catch_up()
        world.heard = self.heard
        faultpoints.listen(self.passed)
        self._fuse: tuple[str, int, int] = ("", 0, 0)
        self._task = self.loop.create_task(self.system.run())
        self._task.add_done_callback(lambda _: self._over(End.ENDED))

    def arm(self, kind: str, count: int, steps: int) -> None:
        """Abandon the system `steps` turns of the loop after the `count`-th time that `kind` happens to it."""
        self._fuse = (kind, count, steps)

    def go(self, until: int) -> End:
        """Run to an instant of the world, or to the end of this life."""
        if self._task.done():
            return self.end
        self.end = End.REACHED
        timer = self.loop.call_at_elapsed(max(until - self._born, self.loop.elapsed), self.loop.stop)
        try:
            self.loop.run_forever()
        except Deadlock as error:
            self.end = End.STUCK
            self.world.breaches.append(f"stuck: {error}")
        timer.cancel()
        self.world.now = self._born + self.loop.elapsed
        return self.end

    def heard(self, kind: str) -> None:
        """Something passed the gateway."""
        if kind == "cut":
            self.cut = True
        wanted, count, steps = self._fuse
        if kind == wanted and count > 0:
            self._fuse = (wanted, count - 1, steps)
            if count == 1:
                self._count_down(steps)

    def passed(self, point: str) -> None:
        """A named point in the code of the system that lives."""
        wanted, count, steps = self._fuse
        if point == wanted and count > 0:
            self._fuse = (wanted, count - 1, steps)
            if count == 1:
                self._abandon()

    def stop(self, reason: str) -> None:
        """Ask for an orderly stop and wait for it."""
        self.system.stop(reason)
        if self.go(self.world.now + round(_LAST_WORDS * SECOND)) is End.REACHED:
            self.world.breaches.append(f"life {self.number}: no end within {_LAST_WORDS:g} s of an orderly stop")

    def mailboxes(self) -> dict[str, Statistics]:
        """The counts of every mailbox, by actor."""
        return {seat.name: box.statistics(self.world.now) for box, seat in self.system.crew.seats.items()}

    def lots(self) -> dict[str, dict[Symbol, Lot]]:
        """What each strategy believes it holds."""
        actors = ((seat.name, seat.actor) for seat in self.system.crew.seats.values())
        return {name: actor.lots for name, actor in actors if isinstance(actor, Strategy)}

    def bury(self) -> Path:
        """What is on the disk for the next life; nothing that this system does afterwards is seen by anybody."""
        self._take_remains()
        self._tear_down()
        return self._remains

    def result(self) -> tuple[int | None, BaseException | None]:
        """Exit code and exception of a system that ended."""
        if self.end is not End.ENDED or self._task.cancelled():
            return None, None
        error = self._task.exception()
        return (None, error) if error is not None else (self._task.result(), None)

    def _over(self, end: End) -> None:
        if self.end is not End.ABANDONED:
            self.end = end
        self.loop.stop()

    def _count_down(self, steps: int) -> None:
        if steps:
            self.loop.call_soon(self._count_down, steps - 1)
        else:
            self._abandon()

    def _abandon(self) -> None:
        """Here and now, in the middle of whatever it does: what it goes on to do goes nowhere."""
        self._take_remains()
        self._over(End.ABANDONED)

    def _take_remains(self) -> None:
        if self._remains.exists():
            return
        self._remains.mkdir()
        _inherit(self.folder, self._remains)
        faultpoints.listen(_nobody)
        self.world.hang_up()

    def _tear_down(self) -> None:
        loop = self.loop
        loop.set_exception_handler(_ignore)
        for _ in range(50):
            left = asyncio.all_tasks(loop)
            if not left:
                break
            for task in left:
                task.cancel()
            loop.call_later(1.0, loop.stop)
            with suppress(Exception):
                loop.run_forever()
        loop.close()


def expected(error: BaseException) -> bool:
    """Whether a system may end like that because of what went wrong around it."""
    return isinstance(error, (DatabaseError, ConnectionError, TimeoutError))


def _inherit(before: Path, folder: Path) -> None:
    for path in sorted(before.iterdir()):
        if path.is_file() and path.name not in _LEFT_BEHIND:
            shutil.copyfile(path, folder / path.name)


def _ignore(_loop: asyncio.AbstractEventLoop, _context: dict[str, object]) -> None:
    """Whatever the dead say."""


def _nobody(_: str) -> None:
    """Nobody listens to the dead."""
