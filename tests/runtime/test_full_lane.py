"""Who hears too slowly for what is said ends the run, in order."""

import asyncio
from pathlib import Path
from typing import ClassVar

from messages import Message, RunStarted, RunStopping
from runtime.actor import Actor, handles
from runtime.loops.loop import new_loop, run
from runtime.settings.config import load
from runtime.system import System

HERE = "tests.runtime.test_full_lane"
TABLES = """
[system]
data = '{data}'
time = "simulated"
[actor.deaf]
use = "{here}:Deaf"
[actor.chatty]
use = "{here}:Chatty"
[actor.one]
use = "{here}:Worker"
"""

log: list[str] = []


class Said(Message):
    """Nothing the journal or the log would want."""

    journalled: ClassVar = False


class Due(Said):
    """It is time to say more."""


class Chatty(Actor, publishes=(Said,)):
    """Says more than anybody can hear."""

    @handles
    def on_run(self, _: RunStarted) -> None:
        self.every(0.001, Due())

    @handles
    def on_own(self, _: Due) -> None:
        for _index in range(900):
            self.publish(Said())


class Deaf(Actor):
    """Hears one thing a second."""

    @handles
    async def on_message(self, _: Said | RunStopping) -> None:
        await asyncio.sleep(1.0)


class Worker(Actor):
    """Says how it is told of the end."""

    def on_stop(self) -> None:
        log.append("one stops")

    @handles
    def on_stopping(self, _: RunStopping) -> None:
        log.append("one told to stop")


def test_a_full_order_lane_ends_the_run_in_order(tmp_path: Path) -> None:
    path = tmp_path / "test.toml"
    path.write_text(TABLES.format(data=tmp_path / "data", here=HERE), encoding="utf-8")
    made = System(load(path))

    assert run(made.run, new_loop("virtual")) == 4
    assert "deaf: 16384 order messages wait" in made.vitals.stopping
    assert log == ["one told to stop", "one stops"]
