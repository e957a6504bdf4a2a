"""What a chaos campaign does to the system, drawn from its seed: days, and the lives and deaths in each."""

import datetime as dt
from collections.abc import Sequence
from random import Random
from typing import Any, Final

import msgspec

from actors.campaigns.chaos.scenes import scene_of
from actors.campaigns.weather import Weather
from actors.market.time import SECOND, at

DATE: Final = dt.date(2026, 11, 18)
ACCOUNT: Final = "8000000011"
CASH: Final = 50_000_000
ISSUES: Final = 5
_BEGINS: Final = ("08:59:00", "10:00:00", "13:30:00", "15:10:00")
"""The last leaves too little time to die often at one point."""
_FINISH: Final = "18:01:00"
"""Far enough from the close that the last life comes before it, and hears the day end."""
LAST_KILL: Final = "15:30:30"
_SPAN: Final = 60 * SECOND
_KILL_AFTER: Final = 1.2
"""Mean seconds of the wall between the end of a recovery and the kill."""
_RECOVERY: Final = 1.5
"""Seconds of the wall in which a kill during recovery strikes."""
_POINT_WITHIN: Final = 4.0
"""Seconds of the wall after a recovery, within which a named point is passed or never."""
_SKEWS: Final = (0.0, 0.0, 0.0, 0.0, 0.0, 1.5, -1.5, 60.0, -60.0, 3_600.0)
_OF_A_START: Final = ("recovery:", "reconciler:", "journal: ", "emergency:", "system: ")
_STEPS: Final = (1, 1, 1, 2, 3, 5, 13)


class Trouble(msgspec.Struct, frozen=True):
    """Something that happens to the living system from outside."""

    kind: str
    """`locked` journal, `full` disk, `hung` process."""
    after: float
    seconds: float


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """How one process of the system lives and dies."""

    number: int
    end: str
    """`kill` after the recovery, `early` for one before it is over, `point` for a named one, `stop` in order."""
    delay: float
    point: str = ""
    faults: tuple[dict[str, Any], ...] = ()
    trouble: Trouble | None = None
    act: str = ""
    """What else is done with it: see `Scene.act`."""
    overrides: tuple[str, ...] = ()
    skew: float = 0.0
    """Seconds the clock of the computer is off."""

    @property
    def calm(self) -> bool:
        """Whether nothing goes wrong before it is killed."""
        return not self.faults and self.trouble is None and not self.overrides


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """One day at the exchange, on a data folder of its own."""

    number: int
    seed: str
    exchange: dict[str, Any]
    """Settings of the twin's exchange."""
    kills: int
    point: str = ""
    """Where every kill of the day is."""


class Plan:
    """Draws days and lives; the same seed and number, the same draw."""

    def __init__(self, seed: int, *, points: Sequence[str] = (), depth: int = 0) -> None:
        self._seed = seed
        self._points = tuple(points)
        self._starts = tuple(name for name in points if name.startswith(_OF_A_START))
        self._depth = depth

    @property
    def options(self) -> str:
        """With which the command draws the same."""
        return f"--seed {self._seed}" + (f" --recovery-depth {self._depth}" if self._depth else "")

    def day(self, number: int, kills: int, point: str = "") -> Day:
        """A day that lasts until all its kills are done, or to its close."""
        seed = f"{self._seed}:{number}"
        rng = Random(f"day {seed}")
        exchange = {
            "date": DATE.isoformat(),
            "begin": rng.choice(_BEGINS[:-1] if point else _BEGINS),
            "finish": _FINISH,
            "seed": rng.randrange(1_000_000_000),
            "issues": ISSUES,
            "intensity": rng.choice((0.3, 0.6, 1.0)),
            "cash": CASH,
            "account": ACCOUNT,
        }
        return Day(number=number, seed=seed, exchange=exchange, kills=kills, point=point)

    def lives(self, day: Day, now: int, first: int, *, simply: bool = False) -> list[Life]:
        """The next kills, one of which may be followed by others during the recoveries from it.

        At a named point `simply` the first time it is passed, which some points are once in a life.
        """
        rng = Random(f"life {day.seed} {first}")
        if day.point:
            before = scene_of(day.point).before
            names = (before, day.point) if before else (day.point,)
            return [self._at_point(rng, number, now, name, simply=simply) for number, name in enumerate(names, first)]
        depth = self._depth or rng.choice((0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3))
        lives = [self._life(rng, first, now)]
        lives += [self._early(rng, first + 1 + deep) for deep in range(depth)]
        return lives

    def _at_point(self, rng: Random, number: int, now: int, point: str, *, simply: bool) -> Life:
        scene = scene_of(point)
        stormy = not scene.act and not scene.faults and rng.random() < 0.5
        steps = 1 if scene.act or scene.before or simply or not number else rng.choice(_STEPS)
        return Life(
            number=number,
            end="point",
            delay=_POINT_WITHIN,
            point=f"{point}:{steps}",
            faults=Weather(rng, now, now + _SPAN).faults if stormy else scene.faults,
            trouble=Trouble(scene.trouble, rng.uniform(0.0, 2.0), 3.0) if scene.trouble else None,
            act=scene.act,
            overrides=scene.overrides,
        )

    def _life(self, rng: Random, number: int, now: int) -> Life:
        end = rng.choices(("kill", "point" if self._points else "kill", "stop"), (70, 25, 5))[0]
        stormy = rng.random() < 0.5
        weather = Weather(rng, now, now + _SPAN)
        return Life(
            number=number,
            end=end,
            delay=rng.expovariate(1 / _KILL_AFTER) if end != "point" else _POINT_WITHIN,
            point=f"{rng.choice(self._points)}:{rng.choice(_STEPS)}" if end == "point" else "",
            faults=(*weather.faults, *weather.breaks) if stormy else (),
            trouble=self._trouble(rng) if rng.random() < 0.2 else None,
            skew=rng.choice(_SKEWS),
        )

    def _early(self, rng: Random, number: int) -> Life:
        if not self._starts or rng.random() < 0.5:
            return Life(number=number, end="early", delay=rng.uniform(0.2, _RECOVERY))
        point = f"{rng.choice(self._starts)}:{rng.choice((1, 1, 2))}"
        return Life(number=number, end="early", delay=2 * _RECOVERY, point=point)

    def _trouble(self, rng: Random) -> Trouble:
        kind = rng.choice(("locked", "full", "hung"))
        return Trouble(kind, rng.uniform(0.0, 0.8), rng.choice((0.2, 1.0, 3.0)))


def instant(time: str) -> int:
    """Nanoseconds of a time on the campaigns' day."""
    moment = dt.time.fromisoformat(time)
    return at(DATE, moment.hour, moment.minute, moment.second)
