"""The campaign: the system is started, killed and started again, and held against what the exchange did."""

import shutil
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from actors.campaigns.chaos.certificate import Certificate
from actors.campaigns.chaos.lives import DayRun, Tally
from actors.campaigns.chaos.plan import Plan
from actors.campaigns.chaos.scenes import scene_of
from runtime.disk.faultpoints import POINTS

A_DAY: Final = 40
"""Kills."""
POINT_DAYS: Final = 1_000
"""A day's number, divided by it, leaves the place of its point."""


def points() -> tuple[str, ...]:
    """The names of all points at which the system of a campaign can be killed."""
    for module in ("trader", "risk", "guardian", "accountant", "receiver", "recorder", "gateways.kiwoom.ocx"):
        import_module(f"actors.{module}")
    import_module("runtime.cli")
    return tuple(POINTS)


class Campaign:
    """Kills by a plan, day after day, and writes down what came of it."""

    def __init__(
        self, plan: Plan, certificate: Certificate, folder: Path, *, speed: float, say: Callable[[str], None]
    ) -> None:
        self._plan = plan
        self._certificate = certificate
        self._folder = folder
        self._speed = speed
        self._say = say
        self._tally = Tally(certificate, say)

    def run(self, kills: int) -> None:
        """As many kills, and a few more, where a day is not over."""
        number = 0
        while (left := kills - self._tally.kills.total()) > 0:
            self.day(number, min(left, A_DAY))
            number += 1

    def run_points(self, names: Sequence[str], times: int) -> None:
        """Each named point so often: in a day of its own, or in as many where it is passed at the end of one."""
        self._certificate.unreached = tuple(names)
        for place, name in enumerate(names):
            days = times if scene_of(name).act == "close" else 1
            for turn in range(days):
                self.day(turn * POINT_DAYS + place, times // days, name)
            self._certificate.unreached = tuple(name for name in names if not self._tally.points[name])

    def day(self, number: int, kills: int, point: str = "") -> None:
        """One day, from its first start to its last check; with a point every kill is there."""
        began, certificate = time.monotonic(), self._certificate
        day = self._plan.day(number, kills, point)
        run = DayRun(self._plan, day, self._folder, self._tally, speed=self._speed)
        run.run()
        certificate.wall += time.monotonic() - began
        certificate.days += 1
        self._tally.write()
        name = f"day {number} ({point})" if point else f"day {number}"
        self._say(
            f"{name}: {certificate.killed} kills so far, {certificate.orders} orders, {certificate.fills} fills, "
            f"{len(certificate.failures)} failures, {certificate.wall:.0f} s"
        )
        if not any(failure.day == number for failure in certificate.failures):
            shutil.rmtree(run.folder)
