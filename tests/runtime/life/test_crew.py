"""Who sits where, and what each seat's actor is made with."""

from pathlib import Path
from random import Random
from typing import ClassVar

import pytest

from messages import Message, RunStarted, StopSystem
from runtime.actor import Actor, handles
from runtime.loops.loop import Kind, new_loop, run
from runtime.settings.config import load
from runtime.system import System

CONFIG = """
[system]
data = '{data}'
time = "simulated"
seed = 5

[actor.dice]
use = "tests.runtime.life.test_crew:Dice"
replicas = 2

[actor.last]
use = "tests.runtime.life.test_crew:Last"
"""


class Dice(Actor):
    def __init__(self, rng: Random) -> None:
        self.thrown = rng.random()


class Last(Dice, publishes=(StopSystem,)):
    def on_start(self) -> None:
        self.publish(StopSystem(reason="thrown"))


def test_each_replica_throws_dice_of_its_own_that_are_the_seeds(tmp_path: Path) -> None:
    path = tmp_path / "test.toml"
    path.write_text(CONFIG.format(data=tmp_path / "data"), encoding="utf-8")
    made = System(load(path))
    assert run(made.run, new_loop("virtual")) == 0

    seats = {seat.name: seat.actor for seat in made.crew.seats.values() if isinstance(seat.actor, Dice)}
    assert {name: actor.thrown for name, actor in seats.items()} == {
        name: Random(f"5:{name}").random() for name in ("dice/1", "dice/2", "last")
    }


class Ring(Message):
    journalled: ClassVar = False


class Rung(Actor, publishes=(StopSystem,)):
    """Ends at the hundredth ring, or as soon as it was kept warm."""

    def __init__(self) -> None:
        self.rings = self.warmed = 0

    @handles
    def on_run(self, _: RunStarted) -> None:
        self.every(0.01, Ring())

    @handles
    def on_ring(self, _: Ring) -> None:
        self.rings += 1
        if self.warmed or self.rings == 100:
            self.publish(StopSystem(reason="rung"))

    def keep_warm(self) -> None:
        self.warmed += 1


@pytest.mark.parametrize(("time", "loop", "warm"), [("real", "asyncio", True), ("simulated", "virtual", False)])
def test_only_by_the_wall_is_what_has_to_be_quick_kept_warm(tmp_path: Path, time: str, loop: Kind, warm: bool) -> None:
    path = tmp_path / "test.toml"
    path.write_text(
        f"[system]\ndata = '{tmp_path / 'data'}'\ntime = '{time}'\n[actor.bell]\nuse = '{__name__}:Rung'\n",
        encoding="utf-8",
    )
    made = System(load(path))
    assert run(made.run, new_loop(loop)) == 0

    (rung,) = (seat.actor for seat in made.crew.seats.values() if isinstance(seat.actor, Rung))
    assert (rung.warmed > 0) is warm
