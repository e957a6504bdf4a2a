"""Who sits where, and what each seat's actor is made with."""

from pathlib import Path
from random import Random

from messages import StopSystem
from runtime.actor import Actor
from runtime.loops.loop import new_loop, run
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
