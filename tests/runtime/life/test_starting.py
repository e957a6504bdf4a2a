"""A system that is not ready says so to whoever asks for more than how it does."""

import asyncio
from pathlib import Path
from typing import Any, ClassVar

from runtime.actor import Actor
from runtime.loops.loop import new_loop, run
from runtime.outside.inbox import send
from runtime.settings.config import load
from runtime.system import System

HERE = "tests.runtime.life.test_starting"


class Unhurried(Actor):
    """Starts when it is let."""

    go: ClassVar[asyncio.Event]

    async def on_start(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        await self.go.wait()


def test_while_it_starts_it_says_so_to_whoever_asks_for_more(tmp_path: Path) -> None:
    path = tmp_path / "test.toml"
    path.write_text(
        f"[system]\ndata = '{tmp_path / 'data'}'\n[actor.one]\nuse = '{HERE}:Unhurried'\n", encoding="utf-8"
    )
    made = System(load(path))

    async def ask() -> list[dict[str, Any]]:
        Unhurried.go = asyncio.Event()
        task = asyncio.get_running_loop().create_task(made.run())
        while not made.crew.seats:  # noqa: ASYNC110 - what is waited for is the system's own start
            await asyncio.sleep(0.001)
        said = [await asyncio.to_thread(send, made.folder, verb) for verb in ("reload", "halt", "status")]
        Unhurried.go.set()
        await asyncio.to_thread(send, made.folder, "stop")
        await task
        return said

    reloaded, halted, status = run(ask, new_loop("asyncio"))
    assert reloaded == {"error": "the system is still starting, reload has to wait; ask again"}
    assert halted == {"error": "the system is still starting, halt has to wait; ask again"}
    assert status["run"] == 1
