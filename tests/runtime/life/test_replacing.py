"""A leaf that fails is replaced whole, and however it fails the others go on."""

import asyncio
import gc
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from messages import ActorFailed, HaltTrading, Message, RunStarted, StopSystem, UniverseChanged
from runtime.actor import Actor, handles
from runtime.disk import chain
from runtime.disk.journal import NAME
from runtime.envelope import Envelope
from runtime.loops.loop import new_loop, run
from runtime.settings.config import load
from runtime.system import System

HERE = "tests.runtime.life.test_replacing"

log: list[str] = []


class Bell(Message):
    journalled: ClassVar = False
    number: int = 0


class Ringer(Actor, publishes=(HaltTrading, Bell, StopSystem)):
    """Halts `halts` times at once and rings each second; ends after ten."""

    def __init__(self, *, halts: int = 1) -> None:
        self.halts = halts

    @handles
    def on_run(self, _: RunStarted) -> None:
        for number in range(self.halts):
            self.publish(HaltTrading(reason=f"halt {number}", by="test"))
        self.every(1.0, Bell())

    @handles
    def on_bell(self, bell: Bell) -> None:
        if bell.number:
            return
        self.rung = getattr(self, "rung", 0) + 1
        self.publish(Bell(number=self.rung))
        if self.rung == 10:
            gc.collect()
            self.publish(StopSystem(reason="done"))


class Warming(Actor):
    """Takes three seconds to start, and fails once while a handler waits for the outside."""

    failed: ClassVar[bool] = False

    async def on_start(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        self.warm = False
        await asyncio.sleep(3.0)
        self.warm = True

    @handles
    async def on_bell(self, bell: Bell) -> None:
        if bell.number == 2 and not type(self).failed:
            type(self).failed = True
            await asyncio.sleep(0.1)
            raise RuntimeError("broken")
        log.append(f"{bell.number} {'warm' if self.warm else 'cold'}")


class Untidy(Actor):
    """Its work cannot even be ended."""

    def on_start(self) -> None:
        self.spawn(self._work())

    async def _work(self) -> None:
        try:
            await asyncio.sleep(1e6)
        finally:
            raise RuntimeError("no end")

    @handles
    def on_bell(self, bell: Bell) -> None:
        if bell.number == 2:
            raise RuntimeError("broken")


class Wordless(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")


class Unspeakable(Actor):
    """What it fails with cannot be written down."""

    how: ClassVar[Any] = None

    @handles
    def on_bell(self, bell: Bell) -> None:
        if bell.number == 2:
            raise self.how


class Nonsensical(Actor, publishes=(UniverseChanged,)):
    """Says what no journal can take."""

    @handles
    def on_bell(self, bell: Bell) -> None:
        if bell.number == 2:
            wrong: Any = Path("x")
            self.publish(UniverseChanged(universe="mine", time=wrong, symbols=()))


class Sulking(Actor):
    """Does not say goodbye."""

    @handles
    def on_bell(self, bell: Bell) -> None:
        pass

    def on_stop(self) -> None:
        raise RuntimeError("no word")


class Historian(Actor):
    """Counts the halts it was told of, and fails once; a new one relives in the journal what the one before heard."""

    failed: ClassVar[bool] = False

    async def on_start(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        self.known: list[str] = []
        await self.recall(self._past())

    async def _past(self) -> AsyncIterator[Envelope]:
        for envelope in chain.envelopes(self.desk.data / NAME, types=(HaltTrading,)):
            yield envelope

    @handles
    def on_halt(self, message: HaltTrading) -> None:
        self.known.append(message.reason)
        if message.reason == "halt 2" and not type(self).failed:
            type(self).failed = True
            raise RuntimeError("broken")

    @handles
    def on_bell(self, bell: Bell) -> None:
        if bell.number == 1:
            log.extend(self.known)


@pytest.fixture(autouse=True)
def _forget() -> None:
    log.clear()
    Warming.failed = Historian.failed = False


def play(tmp_path: Path, maker: str, *, halts: int = 1) -> int:
    path = tmp_path / "test.toml"
    path.write_text(
        f"[system]\ndata = '{tmp_path / 'data'}'\ntime = 'simulated'\n"
        f"[actor.ringer]\nuse = '{HERE}:Ringer'\nhalts = {halts}\n[actor.leaf]\nuse = '{HERE}:{maker}'\n",
        encoding="utf-8",
    )
    made = System(load(path))
    return run(made.run, new_loop("virtual"))


def failures(tmp_path: Path) -> list[ActorFailed]:
    said = (envelope.message for envelope in chain.envelopes(tmp_path / "data" / NAME))
    return [message for message in said if isinstance(message, ActorFailed)]


def test_a_new_instance_hears_nothing_before_it_has_started(tmp_path: Path) -> None:
    assert play(tmp_path, "Warming") == 0
    assert [line for line in log if "cold" in line] == []
    assert log == [f"{number} warm" for number in (1, 3, 4, 5, 6, 7, 8, 9, 10)]


def test_work_that_fails_while_it_is_ended_ends_nobody_else(tmp_path: Path) -> None:
    assert play(tmp_path, "Untidy") == 0
    assert [failure.handler for failure in failures(tmp_path)] == ["on_bell"]


@pytest.mark.parametrize("how", [RuntimeError("half \udcff a character"), Wordless(), RuntimeError("x" * 100_000)])
def test_an_error_that_cannot_be_written_down_fails_its_actor_alone(tmp_path: Path, how: Exception) -> None:
    Unspeakable.how = how
    assert play(tmp_path, "Unspeakable") == 0
    (failure,) = failures(tmp_path)
    assert failure.error.startswith(type(how).__name__)
    assert len(failure.error) < 3_000
    assert chain.verify(tmp_path / "data" / NAME).ok


def test_a_leaf_that_says_what_no_journal_can_take_fails_alone(tmp_path: Path) -> None:
    assert play(tmp_path, "Nonsensical") == 0
    assert [failure.actor for failure in failures(tmp_path)] == ["leaf"]
    assert chain.verify(tmp_path / "data" / NAME).ok


def test_a_new_instance_finds_in_the_journal_all_that_the_one_before_had_heard(tmp_path: Path) -> None:
    assert play(tmp_path, "Historian", halts=5) == 0
    assert log == [f"halt {number}" for number in range(5)]


def test_one_that_fails_as_it_leaves_is_not_one_that_failed_too_often(tmp_path: Path) -> None:
    assert play(tmp_path, "Sulking") == 0
    assert [(failure.handler, failure.failures, failure.off) for failure in failures(tmp_path)] == [
        ("on_stop", 1, False)
    ]
