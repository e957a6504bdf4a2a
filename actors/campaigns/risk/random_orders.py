"""Random orders against the real limits, each judged by a second opinion that shares no code with them.

python -m actors.campaigns.risk.random_orders [--orders 1000000] [--seed 1]
"""

import argparse
import asyncio
import sys
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from rich.console import Console

from actors.campaigns.risk.bench import Bench
from actors.campaigns.risk.naive import Naive, Wanted
from actors.campaigns.risk.objections import objections
from actors.campaigns.risk.scenery import Scenery
from messages import (
    ApprovedOrder,
    ApprovedReplace,
    Designation,
    OrderIntent,
    OrderRefused,
    ReplaceIntent,
    Session,
)

STEPS = 120
"""Events of one scene; about half of them are orders."""


@dataclass(slots=True)
class Tally:
    """How the orders were judged."""

    orders: int = 0
    approved: int = 0
    refused: Counter[str] = field(default_factory=Counter[str])
    wrong: list[str] = field(default_factory=list[str])
    """Orders that passed and should not have, or were refused without that reason, with what repeats them."""

    def show(self) -> None:
        """The figures on the terminal."""
        say = Console(highlight=False).print
        say(f"{self.orders:,} orders: {self.approved:,} approved, {sum(self.refused.values()):,} refused")
        for rule, count in self.refused.most_common():
            say(f"  {count:>9,}  {rule}")
        for line in self.wrong[:20]:
            say(line, markup=False)
        say(f"{len(self.wrong)} passed that should not, or refused without the reason given")


class Scene:
    """One day's piece of a made-up market, told to the real risk and to the second opinion alike."""

    def __init__(self, name: str, tally: Tally) -> None:
        rng = Random(name)
        self._name = name
        self._tally = tally
        limits = _limits(rng)
        self._naive = Naive(limits)
        self._bench = Bench(limits)
        self._scenery = Scenery(rng, self._bench, self._naive)

    async def play(self) -> None:
        """Tell what happens, and compare what becomes of each order."""
        await self._bench.start()
        self._scenery.open()
        self._handle_all()
        for _ in range(STEPS):
            for intent in self._scenery.step():
                self._bench.tell(intent)
            self._handle_all()

    def _handle_all(self) -> None:
        while (message := self._bench.next()) is not None:
            self._handle(message)

    def _handle(self, message: object) -> None:
        """The order path's own messages come round as they do on the bus: behind what waits already."""
        self._bench.keep_warm()
        if not isinstance(message, OrderIntent | ReplaceIntent):
            self._bench.handle()
            return
        now, naive = self._bench.now, self._naive
        wanted = naive.asked(message) if isinstance(message, OrderIntent) else naive.changed(message)
        against = {"change"} if wanted is None else objections(naive, wanted, now)
        self._bench.handle()
        self._compare(message, wanted, against, self._bench.answer)

    def _compare(self, message: object, wanted: Wanted | None, against: set[str], answer: object) -> None:
        tally = self._tally
        tally.orders += 1
        if isinstance(answer, ApprovedOrder | ApprovedReplace):
            tally.approved += 1
            self._naive.approved(answer, self._bench.now)
            if against:
                tally.wrong.append(f"{self._name}: passed in spite of {sorted(against)}: {message}")
            return
        assert isinstance(answer, OrderRefused)
        tally.refused[answer.rule] += 1
        if answer.rule not in against or not answer.figures:
            tally.wrong.append(f"{self._name}: refused by {answer}, but {sorted(against)} speak against {wanted}")
        if answer.rule == "repeated execution":
            self._naive.disabled.add(answer.strategy)


def _limits(rng: Random) -> dict[str, object]:
    """Tight enough that every rule has something to refuse; percents are exact in binary."""

    def pick(*tight_to_loose: float) -> float:
        return tight_to_loose[-1] if rng.random() < 0.7 else rng.choice(tight_to_loose)

    return {
        "commission": pick(0.0, 0.0035, 0.00015),
        "max_order_value": pick(500_000, 2_000_000, 50_000_000),
        "max_quantity": pick(20, 100, 10_000),
        "max_volume_percent": pick(0.5, 5.0, 100.0),
        "max_listed_percent": pick(0.5, 1.0, 50.0),
        "collar_percent": pick(0.5, 3.0, 30.0),
        "collar_ticks": pick(2, 10, 60),
        "max_orders_second": pick(2, 4, 100),
        "max_orders_minute": pick(4, 20, 1_000),
        "max_orders_day": pick(8, 30, 1_000),
        "cancel_reserve": 1,
        "duplicate_seconds": pick(60.0, 5.0, 0.5, 0.0),
        "max_alike_day": pick(1, 3, 10),
        "max_repeats": pick(1, 2, 5, 50),
        "repeat_seconds": pick(1.0, 600.0, 60.0),
        "max_position_value": pick(800_000, 5_000_000, 10**9),
        "max_sector_value": pick(1_000_000, 10_000_000, 10**9),
        "max_gross_value": pick(2_000_000, 20_000_000, 10**9),
        "max_positions": pick(1, 2, 10),
        "max_daily_loss_percent": pick(0.5, 2.0, 50.0),
        "max_drawdown_percent": pick(0.5, 3.0, 50.0),
        "max_losers": pick(1, 2, 3),
        "stale_seconds": pick(2.0, 10.0, 600.0),
        "adopt": rng.random() < 0.5,
        "sessions": (Session.CONTINUOUS,),
        "forbidden": (Designation.ALERT,),
    }


async def _campaign(orders: int, seed: int) -> Tally:
    tally = Tally()
    scene = 0
    while tally.orders < orders:
        await Scene(f"{seed}/{scene}", tally).play()
        scene += 1
    return tally


def campaign(orders: int, seed: int) -> Tally:
    """At least that many orders, in scenes each drawn from a seed of its own, so that a wrong one repeats by itself."""
    return asyncio.run(_campaign(orders, seed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tally = campaign(options.orders, options.seed)
    tally.show()
    sys.exit(bool(tally.wrong))


if __name__ == "__main__":
    main()
