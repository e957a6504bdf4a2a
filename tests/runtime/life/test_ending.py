"""However a part clings to its life, the run ends in order and in time."""

import asyncio
import gc
from collections.abc import Coroutine, Generator
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar, Self

import pytest

from messages import Message, RunStarted, StopSystem
from runtime.actor import Actor, handles
from runtime.disk import chain
from runtime.disk.journal import NAME
from runtime.loops.loop import new_loop, run
from runtime.process.locks import is_held
from runtime.settings.config import load
from runtime.system import System

HERE = "tests.runtime.life.test_ending"

log: list[str] = []


class Bell(Message):
    journalled: ClassVar = False


class Clock(Actor, publishes=(StopSystem,)):
    """Stops the system after two seconds."""

    @handles
    def on_run(self, _: RunStarted) -> None:
        self.after(2.0, Bell())

    @handles
    def on_bell(self, _: Bell) -> None:
        self.publish(StopSystem(reason="done", code=1))

    def on_stop(self) -> None:
        log.append("one stops")


class Deaf(Actor):
    """Its work swallows every wish to end it, as `except:` does in a loop."""

    alive: ClassVar[bool] = True

    def on_start(self) -> None:
        self.spawn(self._work())

    async def _work(self) -> None:
        while Deaf.alive:
            try:
                await asyncio.sleep(3.0)
            except BaseException:  # noqa: BLE001, S112 - what a careless author writes
                continue


class DeafAtTheEnd(Deaf):
    """Its goodbye does as well."""

    def on_start(self) -> None:
        """Nothing yet."""

    def on_stop(self) -> Coroutine[Any, Any, None]:
        return self._work()


class Gate:
    """Takes a while to close."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(0.05)
        log.append("gate closed")


class Stuck(Gate):
    """Never opens."""

    async def __aenter__(self) -> Self:
        log.append("stuck")
        await asyncio.Event().wait()
        return self


class Hanging(Gate):
    """Never closes, and swallows the wish to end that."""

    async def __aexit__(self, *_: object) -> None:
        while Deaf.alive:
            try:
                await asyncio.sleep(3.0)
            except BaseException:  # noqa: BLE001, S112 - as above
                continue


@pytest.fixture(autouse=True)
def _forget() -> Generator[None]:
    log.clear()
    Deaf.alive = True
    yield
    Deaf.alive = False
    gc.collect()


def system(tmp_path: Path, *tables: str, time: str = "simulated") -> System:
    path = tmp_path / "test.toml"
    head = f"[system]\ndata = '{tmp_path / 'data'}'\ntime = '{time}'\n"
    path.write_text(head + "".join(tables), encoding="utf-8")
    return System(load(path))


def part(kind: str, name: str, maker: str) -> str:
    return f"[{kind}.{name}]\nuse = '{HERE}:{maker}'\n"


@pytest.mark.parametrize("maker", ["Deaf", "DeafAtTheEnd"])
def test_work_that_swallows_its_end_keeps_nobody_from_theirs(tmp_path: Path, maker: str) -> None:
    loop = new_loop("virtual")
    made = system(tmp_path, part("actor", "one", "Clock"), part("actor", "deaf", maker))

    assert run(made.run, loop) == 1
    assert loop.time() < 12.0
    assert log == ["one stops"]
    assert chain.verify(tmp_path / "data" / NAME).ok
    assert [entry.type for entry in chain.entries(tmp_path / "data" / NAME)][-1] == chain.CLOSED


def test_a_gateway_that_hangs_at_its_goodbye_keeps_neither_the_journal_nor_the_end(tmp_path: Path) -> None:
    loop = new_loop("virtual")
    gates = part("gateway", "gate", "Gate"), part("gateway", "hanging", "Hanging")
    made = system(tmp_path, *gates, part("actor", "one", "Clock"))

    assert run(made.run, loop) == 1
    assert loop.time() < 12.0
    assert log == ["one stops", "gate closed"]
    assert [entry.type for entry in chain.entries(tmp_path / "data" / NAME)][-1] == chain.CLOSED
    assert not is_held(tmp_path / "data")


def test_asked_twice_during_the_start_what_is_open_is_closed_all_the_same(tmp_path: Path) -> None:
    made = system(tmp_path, part("gateway", "gate", "Gate"), part("gateway", "stuck", "Stuck"), time="real")

    async def scene() -> int:
        task = asyncio.get_running_loop().create_task(made.run())
        while "stuck" not in log:  # noqa: ASYNC110 - what is waited for is in another task's hands
            await asyncio.sleep(0.001)
        made.leave("asked to stop")
        await asyncio.sleep(0.01)
        made.leave("asked to stop")
        return await task

    began = monotonic()
    assert run(scene, new_loop("asyncio")) == 0
    assert monotonic() - began < 30
    assert log == ["stuck", "gate closed"]
    assert not is_held(tmp_path / "data")
