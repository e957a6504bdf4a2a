"""Seeds of the whole system in simulated time: run, killed, started again, and held against the exchange's record."""

import gc
import hashlib
import logging
import os
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Final

import msgspec
import structlog

from actors.account import invariants
from actors.campaigns.swarm import verdict
from actors.campaigns.swarm.flock import Outcome
from actors.campaigns.swarm.life import End, Life, expected
from actors.campaigns.swarm.world import WORLD, World
from actors.market.time import SECOND
from messages import OrderUnknown
from runtime.disk import chain, faultpoints
from runtime.disk.journal import NAME
from runtime.envelope import Envelope
from runtime.life.exits import CORE_FAILED
from runtime.system import GC_THRESHOLDS

_QUIET: Final = 65 * SECOND
"""Two periods of reconciliation, and some."""
_LOOKS: Final = 30
_AGAIN: Final = 11 * SECOND
_FUSES: Final = ("send", "send", "record", "answer", "journal")


def play(seed: int, data: Path, days: int = 0) -> Outcome:
    """One seed from its first start to its last check; its folder below `data` stays only where something broke."""
    began = time.process_time()
    folder = data / f"seed-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    world = World(seed, folder, days)
    token = WORLD.set(world)
    try:
        outcome = _Play(world).run()
    finally:
        WORLD.reset(token)
        gc.unfreeze()
    if not outcome.breaches:
        shutil.rmtree(folder)
    outcome.cpu = time.process_time() - began
    return outcome


class _Play:
    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = Random(f"play {world.seed}")
        self._left: Path | None = None
        self._lives = 0
        self._life: Life
        self._counts: Counter[str] = Counter()

    def run(self) -> Outcome:
        world = self._world
        self._begin()
        self._trade()
        while world.nights:
            self._sleep()
            self._trade()
        world.heal()
        journal = self._settle()
        self._counts["records"] = len(journal)
        self._counts["sent"] = len(world.sent)
        self._counts["fills"] = sum(len(day.fills) for day in world.days)
        self._counts["unknown"] = sum(isinstance(e.message, OrderUnknown) for e in journal)
        self._counts["lives"] = self._lives
        self._counts["interruptions"] = sum(len(day.vi_list()) for day in world.days)
        digest = _digest(self._left, world)
        return Outcome(seed=world.seed, digest=digest, breaches=world.breaches, counts=dict(self._counts), cpu=0.0)

    def _begin(self) -> None:
        self._life = Life(self._world, self._lives, self._left)
        self._lives += 1

    def _trade(self) -> None:
        while self._world.now < self._world.until:
            self._live()

    def _sleep(self) -> None:
        """From one day to the next: the day is seen to its end, left in order, or cut off."""
        world, rng, life = self._world, self._rng, self._life
        life.go(world.exchange.end + _QUIET if rng.random() < 0.5 else world.now + SECOND)
        if life.end is End.REACHED and rng.random() < 0.5:
            life.stop("the night")
            self._counts["stops"] += 1
        self._bury()
        world.sleep()
        self._counts["nights"] += 1
        self._begin()

    def _live(self) -> None:
        """Run the system until it ends, dies, or the faults are over; then start the next."""
        world, rng, life = self._world, self._rng, self._life
        share = rng.expovariate(world.weather.lives / 600)
        until = min(world.now + round(share * SECOND) + SECOND, world.until)
        if rng.random() < 0.7:
            life.arm(*self._fuse())
        while life.go(min(until, world.now + 5 * SECOND)) is End.REACHED and world.now < until and not life.cut:
            pass
        if life.end is End.REACHED and world.now >= world.until:
            return
        if life.end is End.REACHED and life.cut:
            life.go(min(world.now + round(rng.uniform(0, 30) * SECOND), world.until))
        if life.end is End.REACHED and rng.random() < 0.3:
            life.stop("the swarm stops it")
            self._counts["stops"] += 1
        self._next()

    def _fuse(self) -> tuple[str, int, int]:
        """What ends a life: the n-th time that something passes, or a point in the code."""
        rng = self._rng
        if faultpoints.POINTS and rng.random() < 0.5:
            return rng.choice(list(faultpoints.POINTS)), rng.choice((1, 1, 2, 5)), 0
        return rng.choice(_FUSES), rng.choice((1, 2, 3, 5, 8, 20, 50)), rng.choice((0, 0, 1, 2, 3, 5, 9))

    def _next(self) -> None:
        self._bury()
        self._world.now += round(self._rng.choice((0.1, 1.0, 5.0, 20.0)) * SECOND)
        self._begin()

    def _bury(self) -> None:
        life, world = self._life, self._world
        code, error = life.result()
        if error is not None and (world.healed or not expected(error)):
            world.breaches.append(f"life {life.number} ended by {type(error).__name__}: {error}")
        self._counts["crashes"] += life.end is not End.ENDED
        self._counts["refused starts"] += error is not None
        self._counts["failures"] += code == CORE_FAILED
        self._left = life.bury()

    def _settle(self) -> list[Envelope]:
        """On a healthy line, until the journal agrees with the exchange."""
        world = self._world
        if self._life.cut or self._life.end is not End.REACHED:
            self._next()
        self._life.go(world.now + _QUIET)
        breaches: list[str] = []
        for _ in range(_LOOKS):
            if self._life.end is not End.REACHED:
                self._next()
                self._life.go(world.now + _QUIET)
            breaches = verdict.agreement(world, _journal(self._life.folder), self._life.lots())
            if not breaches:
                break
            self._life.go(world.now + _AGAIN)
        world.breaches += breaches
        if self._life.end is End.REACHED:
            world.breaches += invariants.bounded(self._life.mailboxes())
            self._life.stop("the seed is over")
        self._bury()
        assert self._left is not None
        proof = chain.verify(self._left / NAME)
        if not proof.ok:
            world.breaches.append(f"I11: {proof.problem}")
        journal = _journal(self._left)
        world.breaches += verdict.conduct(world, journal)
        return journal


def _journal(folder: Path) -> list[Envelope]:
    return list(chain.envelopes(folder / NAME))


def _digest(folder: Path | None, world: World) -> str:
    assert folder is not None
    digest = hashlib.sha256()
    for entry in chain.entries(folder / NAME):
        digest.update(entry.hash)
    for day in world.days:
        digest.update(msgspec.json.encode((day.orders, day.fills)))
    return digest.hexdigest()[:32]


def main(arguments: Sequence[str]) -> None:
    """Play `COUNT` seeds from `FIRST` on below `FOLDER`, of `DAYS` days, an Outcome a line.

    A fifth word shows the systems' logs.
    """
    first, count, folder, days = int(arguments[0]), int(arguments[1]), Path(arguments[2]), int(arguments[3])
    level = logging.INFO if len(arguments) > 4 else logging.CRITICAL
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(level))
    folder.mkdir(parents=True, exist_ok=True)
    gc.set_threshold(*GC_THRESHOLDS)
    os.chdir(folder)  # records name files: by their names below it, which are the same wherever it is
    for seed in range(first, first + count):
        sys.stdout.write(msgspec.json.encode(play(seed, Path(), days)).decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
