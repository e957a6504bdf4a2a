"""Random schedules of calls against the pacer, judged by a sliding window that knows nothing of it.

python -m actors.campaigns.pacing [--schedules 1000000] [--seed 1]
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from rich.console import Console

from actors.gateways.pacer import Pacer
from actors.gateways.port import Urgency
from actors.market.time import SECOND
from runtime.clock import SteppedClock

ORDER_LIMITS: Final = ((5, 1),)
QUERY_LIMITS: Final = ((5, 1), (5, 18), (25, 90), (50, 180), (1_000, 3_600))
"""What the broker allows: calls within seconds."""
PATIENCE: Final = SECOND
"""What a cancel or an exit may wait at the 99th percentile while the rest saturates."""

_BEGIN: Final = 1_756_771_200 * SECOND
_LONG: Final = 30 * 3_600 * SECOND
_ORDERS: Final = (Urgency.CANCEL, Urgency.EXIT, Urgency.ENTRY)
_QUERIES: Final = (Urgency.QUERY, Urgency.BACKFILL)


class Call(NamedTuple):
    """One call of a schedule."""

    at: int
    """Nanoseconds after the begin."""
    urgency: Urgency


@dataclass(slots=True)
class Schedule:
    """A pattern of bursts; after `restart` nanoseconds the process dies and a new one starts, 0 for never."""

    calls: list[Call]
    restart: int = 0
    saturated: bool = False
    """Backfill and entries without end, and now and then a cancel or an exit."""


@dataclass(slots=True)
class Tally:
    """What the schedules showed."""

    schedules: int = 0
    calls: int = 0
    restarts: int = 0
    violations: list[str] = field(default_factory=list[str])
    lost: int = 0
    """Calls that never got their turn."""
    waits: list[int] = field(default_factory=list[int])
    """Nanoseconds that each cancel or exit waited while the rest saturated."""

    @property
    def p99(self) -> int:
        return sorted(self.waits)[len(self.waits) * 99 // 100] if self.waits else 0

    def show(self) -> None:
        """The figures on the terminal."""
        say = Console(highlight=False).print
        say(f"{self.schedules:,} schedules, {self.calls:,} calls, {self.restarts:,} restarts")
        say(f"{len(self.violations)} window violations, {self.lost} calls without a turn")
        longest = max(self.waits, default=0)
        say(f"cancel or exit under saturation: p99 {self.p99 / SECOND:.3f} s, longest {longest / SECOND:.3f} s")
        for line in self.violations[:20]:
            say(line, markup=False)

    @property
    def ok(self) -> bool:
        return not self.violations and not self.lost and self.p99 <= PATIENCE


def draw(rng: Random) -> Schedule:
    """A schedule: mostly short bursts, at times long ones, saturation, or a restart in between."""
    kind = rng.random()
    if kind < 0.1:
        return _saturating(rng)
    count = 1_100 if kind > 0.9999 else rng.randint(20, 80) if kind > 0.97 else rng.randint(2, 16)
    among = rng.choice((_ORDERS, _QUERIES, (*_ORDERS, *_QUERIES)))
    length = round(10 ** rng.uniform(-2, 2.6) * SECOND)
    starts = [rng.randint(0, length) for _ in range(rng.randint(1, 4))]
    calls = [Call(rng.choice(starts) + rng.randint(0, length // 20), rng.choice(among)) for _ in range(count)]
    restart = rng.randint(1, length) if rng.random() < 0.01 else 0
    return Schedule(sorted(calls), restart)


def _saturating(rng: Random) -> Schedule:
    calls = [Call(rng.randint(0, SECOND), Urgency.BACKFILL) for _ in range(6)]
    calls += [Call(rng.randint(0, 4 * SECOND), Urgency.ENTRY) for _ in range(12)]
    for urgency in (Urgency.CANCEL, Urgency.EXIT):
        calls += [Call(rng.randint(n * 2 * SECOND, round((n * 2 + 0.8) * SECOND)), urgency) for n in range(3)]
    return Schedule(sorted(calls), saturated=True)


def play(schedule: Schedule, tally: Tally, folder: Path) -> str:
    """Run one schedule to its end; what it violated in words, blank where nothing."""
    given: dict[bool, list[int]] = {True: [], False: []}
    history = folder / "pacer.txt" if schedule.restart else None
    clock, rest = SteppedClock(_BEGIN), list(schedule.calls)
    if schedule.restart:
        before = [call for call in rest if call.at < schedule.restart]
        _run(Pacer(clock, history), clock, before, given, tally, until=_BEGIN + schedule.restart)
        rest = [call for call in rest if call.at >= schedule.restart]
        clock = SteppedClock(_BEGIN + schedule.restart + 1)
        tally.restarts += 1
    pacer = Pacer(clock, history)
    waits = _run(pacer, clock, rest, given, tally, until=_BEGIN + _LONG)
    if schedule.saturated:
        tally.waits += waits
    tally.lost += pacer.waiting()
    if history is not None:
        history.unlink()
    return violated(sorted(given[True]), ORDER_LIMITS) or violated(sorted(given[False]), QUERY_LIMITS)


def violated(times: Sequence[int], limits: Sequence[tuple[int, int]]) -> str:
    """The first limit that calls at these instants broke, in words; blank where none."""
    for count, seconds in limits:
        for first, beyond in zip(times, times[count:], strict=False):
            if beyond - first <= seconds * SECOND:
                return f"{count + 1} calls within {(beyond - first) / SECOND:.3f} s, {count} in {seconds} s allowed"
    return ""


def _run(
    pacer: Pacer, clock: SteppedClock, calls: list[Call], given: dict[bool, list[int]], tally: Tally, *, until: int
) -> list[int]:
    waits: list[int] = []

    def granted(call: Call) -> None:
        now = clock.now()
        given[call.urgency <= Urgency.ENTRY].append(now)
        if call.urgency <= Urgency.EXIT:
            waits.append(now - _BEGIN - call.at)

    tally.calls += len(calls)
    for call in calls:
        clock.advance(max(clock.now(), _BEGIN + call.at))
        pacer.ask(call.urgency, partial(granted, call))
    clock.advance(until)
    return waits


def campaign(schedules: int, seed: int) -> Tally:
    """Each schedule is drawn from its own seed, so that a violation repeats by itself."""
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        for trial in range(schedules):
            name = f"{seed}/{trial}"
            fault = play(draw(Random(name)), tally, Path(folder))
            tally.schedules += 1
            if fault:
                tally.violations.append(f"schedule {name}: {fault}")
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    tally = campaign(options.schedules, options.seed)
    tally.show()
    sys.exit(not tally.ok)


if __name__ == "__main__":
    main()
