"""A reload swaps leaves one by one: the old one finishes and says goodbye, the new one misses nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

import pytest

from messages import HaltTrading
from runtime.actor import Actor, handles
from runtime.life.reload import PATIENCE, reload
from runtime.loops.loop import new_loop, run
from runtime.outside.inbox import Command
from runtime.outside.reception import Reception
from runtime.outside.verbs import Declined
from runtime.settings.config import load
from runtime.system import System

HERE = "tests.runtime.life.test_reload"

log: list[str] = []


class Gate:
    """A gateway."""

    def __init__(self, *, width: int = 1) -> None:
        self.width = width

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...


class Hearer(Actor):
    """Hears with a delay, and says goodbye."""

    def __init__(
        self, gate: Gate | None = None, *, word: str = "old", clings: bool = False, fails: bool = False
    ) -> None:
        self.gate = gate
        self.word = word
        self.clings = clings
        self.fails = fails

    async def on_start(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        await asyncio.sleep(0.01)
        if self.fails:
            raise RuntimeError("no start")
        log.append(f"{self.word} starts")

    async def on_stop(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        if self.clings:
            await asyncio.Event().wait()
        await asyncio.sleep(0.01)
        log.append(f"{self.word} stops")

    @handles
    async def on_halt(self, message: HaltTrading) -> None:
        await asyncio.sleep(0.01)
        log.append(f"{self.word} {message.reason}")


class Stage:
    """A running system, its config file, and what may be said in it."""

    def __init__(self, made: System, path: Path) -> None:
        self.made = made
        self._path = path

    def say(self, *reasons: str) -> None:
        for reason in reasons:
            self.made.crew.bus.publish(HaltTrading(reason=reason, by="test"), "test")

    def change(self, before: str, after: str) -> None:
        text = self._path.read_text(encoding="utf-8")
        assert before in text
        self._path.write_text(text.replace(before, after), encoding="utf-8")

    async def reload(self) -> dict[str, Any]:
        return await reload(self.made.crew)


@pytest.fixture(autouse=True)
def _forget() -> None:
    log.clear()


def play(tmp_path: Path, scene: Callable[[Stage], Awaitable[object]], **keys: str) -> int:
    """The exit code of a run during which the scene is played."""
    path = tmp_path / "test.toml"
    lines = "".join(f"{key} = {value}\n" for key, value in keys.items())
    path.write_text(
        f"[system]\ndata = '{tmp_path / 'data'}'\ntime = 'simulated'\n"
        f"[gateway.gate]\nuse = '{HERE}:Gate'\nwidth = 1\n"
        f"[actor.first]\nuse = '{HERE}:Hearer'\nword = 'first'\n"
        f"[actor.hearer]\nuse = '{HERE}:Hearer'\nword = 'old'\n{lines}"
        f"[actor.last]\nuse = '{HERE}:Hearer'\nword = 'last'\n",
        encoding="utf-8",
    )
    made = System(load(path))

    async def both() -> int:
        task = asyncio.get_running_loop().create_task(made.run())
        await asyncio.sleep(1.0)
        await scene(Stage(made, path))
        await asyncio.sleep(1.0)
        made.stop("enough")
        return await task

    return run(both, new_loop("virtual"))


def of(*words: str) -> list[str]:
    """The lines of these actors."""
    return [line for line in log if line.split()[0] in words]


def test_the_old_one_hears_what_waited_and_says_goodbye_before_the_new_one_starts(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.say("1", "2")
        stage.change("'old'", "'new'")
        answer = asyncio.ensure_future(stage.reload())
        await asyncio.sleep(0.005)
        stage.say("3")
        assert await answer == {"swapped": ["hearer"], "needs_restart": []}
        stage.say("4")

    assert play(tmp_path, scene) == 0
    assert of("old", "new") == [
        "old starts",
        "old 1",
        "old 2",
        "old stops",
        "new starts",
        "new 3",
        "new 4",
        "new stops",
    ]


def test_the_new_one_has_the_place_of_the_old_one_at_the_end(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.change("'first'", "'new'")
        await stage.reload()

    assert play(tmp_path, scene) == 0
    assert [line for line in log if "stops" in line] == ["first stops", "last stops", "old stops", "new stops"]


def test_one_that_clings_is_cut_off_and_replaced_all_the_same(tmp_path: Path) -> None:
    took: list[float] = []

    async def scene(stage: Stage) -> None:
        stage.change("'old'", "'new'")
        stage.change("clings = true", "clings = false")
        began = asyncio.get_running_loop().time()
        assert (await stage.reload())["swapped"] == ["hearer"]
        took.append(asyncio.get_running_loop().time() - began)

    assert play(tmp_path, scene, clings="true") == 0
    assert PATIENCE <= took[0] < PATIENCE + 1
    assert of("old", "new") == ["old starts", "new starts", "new stops"]


def test_a_new_one_that_does_not_start_is_named(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.change("'old'", "'new'\nfails = true")
        assert await stage.reload() == {"swapped": ["hearer"], "needs_restart": [], "failed": ["hearer"]}
        stage.change("fails = true", "fails = false")
        assert await stage.reload() == {"swapped": ["hearer"], "needs_restart": []}

    assert play(tmp_path, scene) == 0
    assert of("new") == ["new starts", "new stops"]


def test_what_names_a_gateway_that_is_new_or_changed_needs_a_restart(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.change("'old'", "'new'\ngate = 'gate'")
        stage.change("width = 1", "width = 2")
        stage.change("'last'", f"'last'\ngate = 'other'\n[gateway.other]\nuse = '{HERE}:Gate'")
        answer = await stage.reload()
        assert (answer["swapped"], sorted(answer["needs_restart"])) == ([], ["gate", "hearer", "last", "other"])

    assert play(tmp_path, scene) == 0
    assert of("new") == []


def test_a_leaf_may_go_and_another_may_come(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        stage.change("[actor.hearer]", "[actor.other]")
        assert await stage.reload() == {"swapped": ["hearer", "other"], "needs_restart": []}
        assert [seat.name for seat in stage.made.crew.seats.values()] == ["system", "first", "other", "last"]

    assert play(tmp_path, scene) == 0
    assert of("old") == ["old starts", "old stops", "old starts", "old stops"]


def test_who_stops_or_reloads_already_reloads_no_more(tmp_path: Path) -> None:
    async def scene(stage: Stage) -> None:
        reception = Reception(stage.made.crew, stage.made.leave)
        command = Command(tmp_path / "1.command.json", "reload", {})
        stage.say("1")
        stage.change("'old'", "'new'")
        first = asyncio.ensure_future(reception.answer(command))
        await asyncio.sleep(0)
        with pytest.raises(Declined, match="reloads already"):
            await reception.answer(command)
        assert (await first)["swapped"] == ["hearer"]
        stage.made.stop("enough")
        with pytest.raises(Declined, match="is stopping"):
            await reception.answer(command)

    assert play(tmp_path, scene) == 0
