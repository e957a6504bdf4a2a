"""The demo's pipeline for hours at a steady pace: whether it holds more and more memory, handles or tasks.

python -m benchmarks.soak [--hours 8] [--speed 5] [--data DIR] [--trace]

The exchange is a process of its own, so that what it remembers of the day is not counted; the twin of Kiwoom's
control lives in this one, as the control does. What is judged is the steady part: an hour of trading after the start
and up to the close's auction. A sample each simulated minute goes to DIR/soak.csv as it is taken; the figures follow at
the end, or on Ctrl-C. With --trace each ten minutes say besides how much Python's objects take, those of the twin
apart; that is three times slower, and as the notes take memory themselves, the process's own is not judged.
Exit code 0 only if the run ended well and nothing that is judged was missed. It needs Linux.
"""

import argparse
import asyncio
import csv
import datetime as dt
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple

import msgspec

from actors.campaigns.processes import ExchangeProcess
from benchmarks import memory
from messages import Message
from runtime import logs
from runtime.actor import Actor, handles
from runtime.clock import kst
from runtime.life.vitals import Vitals
from runtime.loops.loop import qt_loop, run
from runtime.settings.config import load
from runtime.system import System

DEMO: Final = Path("examples/demo.toml")
BEGIN: Final = dt.datetime(2026, 11, 18, 8, 30)
CLOSE: Final = "15:20:00"
"""From here on little happens: it would flatter a slope."""
WARM_UP: Final = 1.5
"""Simulated hours until every text of a day's hour was remembered once; that part of a run shorter than 8 hours."""
MOST_MB: Final = 1.0
"""Memory that may be gained in a simulated hour."""
_LOOK_INSIDE: Final = 10
"""Samples from one look at the objects to the next."""
_OWN: Final = """
[actor.soak]
use = "benchmarks.soak:Sampler"
file = "{file}"
"""


class Sample(NamedTuple):
    """What the process holds at one instant; a row of the file."""

    time: str
    """Korean time of the simulated day."""
    simulated_h: float
    wall_h: float
    memory_mb: float
    unused_mb: float
    """Of it, holes that malloc keeps for later."""
    ours_mb: float
    twins_mb: float
    """Python's objects by whose code asked for them, as far as that was noted."""
    handles: int
    tasks: int
    threads: int
    waiting: int
    """Messages in all mailboxes."""
    deepest: int
    """The most that ever waited in one of them."""
    handled: int
    stored_mb: float
    """Of all files of the run."""


class _Look(Message):
    journalled: ClassVar = False


class Sampler(Actor):
    """Appends a sample each simulated minute to `file`."""

    def __init__(self, vitals: Vitals, *, file: str) -> None:
        self._vitals = vitals
        self._file = Path(file)

    def on_start(self) -> None:
        self._began = self.desk.clock.now()
        self._looks = 0
        self._held = memory.Held()
        self.every(60.0, _Look())

    @handles
    def on_look(self, _: _Look) -> None:
        now = self.desk.clock.now()
        boxes = self._vitals.mailboxes().values()
        if self._looks % _LOOK_INSIDE == 0:
            self._held = memory.held()
        self._looks += 1
        sample = Sample(
            time=kst(now).strftime("%H:%M:%S"),
            simulated_h=round((now - self._began) / 3.6e12, 5),
            wall_h=round(self._vitals.wall_s / 3_600, 5),
            memory_mb=round(memory.resident_mb(), 3),
            unused_mb=round(memory.unused_mb(), 3),
            ours_mb=round(self._held.ours, 3),
            twins_mb=round(self._held.twins, 3),
            handles=len(os.listdir("/proc/self/fd")) - 1,  # noqa: PTH208 - the one it opens is not counted
            tasks=len(asyncio.all_tasks()),
            threads=len(os.listdir("/proc/self/task")),  # noqa: PTH208
            waiting=sum(box.depth for box in boxes),
            deepest=max((box.high_water for box in boxes), default=0),
            handled=sum(box.handled for box in boxes),
            stored_mb=round(_size(self.desk.data) / 2**20, 3),
        )
        with self._file.open("a", newline="", encoding="utf-8") as out:
            csv.writer(out).writerow(sample)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=8.0, help="simulated, from 08:30")
    parser.add_argument("--speed", type=float, default=5.0, help="simulated seconds in one of the wall")
    parser.add_argument("--data", type=Path, default=Path("var/soak"))
    parser.add_argument("--trace", action="store_true", help="say whose objects take how much")
    options = parser.parse_args()
    if options.trace:
        memory.trace()
    options.data.mkdir(parents=True, exist_ok=True)
    samples, code = soak(options.data, options.hours, options.speed)
    sys.exit(code or not show(samples, options.hours))


def soak(folder: Path, hours: float, speed: float) -> tuple[list[Sample], int]:
    """Run it to its end, or to Ctrl-C, and give what the file says, and the exit code."""
    file = folder / "soak.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerow(Sample._fields)
    began, code = time.perf_counter(), 0
    with ExchangeProcess(folder / "exchange", _world(hours), speed) as exchange:
        try:
            code = run(_system(folder, file, exchange.address).run, qt_loop())
        except KeyboardInterrupt:
            print("stopped early")
    print(f"{'wall':34} {time.perf_counter() - began:>11,.0f} s, exit code {code}")
    return read(file), code


def read(file: Path) -> list[Sample]:
    """The samples of a file, oldest first."""
    with file.open(newline="", encoding="utf-8") as lines:
        return [msgspec.convert(row, Sample, strict=False) for row in list(csv.reader(lines))[1:]]


def show(samples: Sequence[Sample], hours: float) -> bool:
    """Print slopes and what is flat, each with whether it is what was wanted; whether all of them are."""
    warm_up = WARM_UP * min(1.0, hours / 8)
    warm = [sample for sample in samples if sample.simulated_h >= warm_up]
    steady = [sample for sample in warm if sample.time < CLOSE]
    if len(steady) < 3:
        print(f"{len(samples)} samples: too few after the first {warm_up:g} hours to say anything")
        return False
    print(f"{'samples':34} {len(samples):>11,}, steady from {steady[0].time} to {steady[-1].time}")
    met = [_show_memory(samples, steady)]
    met += [_say_flat(name, warm, judged=name != "waiting") for name in ("handles", "tasks", "threads", "waiting")]
    print(f"{'messages handled':34} {samples[-1].handled:>11,}, at most {samples[-1].deepest:,} waiting for one actor")
    print(f"{'stored':34} {samples[-1].stored_mb:>11.1f} MB")
    return all(met)


def _show_memory(samples: Sequence[Sample], steady: Sequence[Sample]) -> bool:
    traced = any(sample.ours_mb for sample in samples)
    slope = _slope(steady, "memory_mb")
    verdict = "traced, so not judged" if traced else f"wanted: at most {MOST_MB:g}, {_verdict(good=slope <= MOST_MB)}"
    print(f"{'memory, MB a simulated hour':34} {slope:>+11.3f}    {verdict}")
    print(f"{'  of it holes that malloc keeps':34} {_slope(steady, 'unused_mb'):>+11.3f}")
    if traced:
        print(f"{'  objects that our code asked for':34} {_slope(steady, 'ours_mb'):>+11.3f}")
        print(f"{'  objects of the twin':34} {_slope(steady, 'twins_mb'):>+11.3f}")
    highest = max(sample.memory_mb for sample in samples)
    print(
        f"{'memory':34} {steady[0].memory_mb:>11.1f} MB first, {steady[-1].memory_mb:.1f} last, {highest:.1f} at most"
    )
    print(f"{'  gained in each hour of the clock':34} {'':>11} {', '.join(_hourly(samples))}")
    return traced or slope <= MOST_MB


def _hourly(samples: Sequence[Sample]) -> Iterator[str]:
    for hour, part in groupby(samples, key=lambda sample: sample.time[:2]):
        own = [sample.memory_mb for sample in part]
        yield f"{hour}h {own[-1] - own[0]:+.1f}"


def _slope(samples: Sequence[Sample], name: str) -> float:
    hours = [sample.simulated_h for sample in samples]
    return statistics.linear_regression(hours, [getattr(sample, name) for sample in samples]).slope


def _say_flat(name: str, samples: Sequence[Sample], *, judged: bool) -> bool:
    """Flat is what a straight line through it raises by less than one from end to end."""
    counts = [getattr(sample, name) for sample in samples]
    hours = [sample.simulated_h for sample in samples]
    rise = _slope(samples, name) * (hours[-1] - hours[0])
    wanted = f"    wanted: flat, {_verdict(good=rise < 1)} (a line rises by {rise:+.2f})" if judged else ""
    print(f"{name:34} {counts[0]:>11,} first, {counts[-1]:,} last, {max(counts):,} at most{wanted}")
    return not judged or rise < 1


def _verdict(*, good: bool) -> str:
    return "met" if good else "MISSED"


def _world(hours: float) -> dict[str, Any]:
    """The demo's day, longer."""
    (gateway,) = (part for part in load(DEMO).parts if part.kind == "gateway")
    finish = (BEGIN + dt.timedelta(hours=hours)).time()
    return gateway.keys["twin"] | {"begin": f"{BEGIN:%H:%M}", "finish": f"{finish:%H:%M:%S}"}


def _system(folder: Path, file: Path, exchange: str) -> System:
    config = folder / "soak.toml"
    config.write_text(DEMO.read_text(encoding="utf-8") + _OWN.format(file=file.as_posix()), encoding="utf-8")
    overrides = [
        f'system.data="{folder.as_posix()}"',
        f'gateway.kiwoom.twin={{ exchange = "{exchange}" }}',
        "actor.monitor.line=600.0",
    ]
    system = System(load(config, overrides))
    logs.configure(system.folder / "logs", console=True, level=system.config.system.log_level, now=system.now)
    return system


def _size(folder: Path) -> int:
    return sum(found.stat().st_size for found in folder.rglob("*") if found.is_file())


if __name__ == "__main__":
    main()
