"""The demo's pipeline for hours at a steady pace: whether it holds more and more memory, handles or tasks.

python -m benchmarks.soak [--hours 8] [--speed 5] [--data DIR]

The exchange is a process of its own, so that what it remembers of the day is not counted. A sample each simulated
minute goes to DIR/soak.csv as it is taken; the figures follow at the end, or on Ctrl-C. It needs Linux.
"""

import argparse
import asyncio
import csv
import datetime as dt
import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final, NamedTuple

import msgspec

from actors.campaigns.processes import ExchangeProcess
from messages import Message
from runtime import logs
from runtime.actor import Actor, handles
from runtime.clock import kst
from runtime.config import load
from runtime.loop import qt_loop, run
from runtime.system import System
from runtime.vitals import Vitals

DEMO: Final = Path("examples/demo.toml")
BEGIN: Final = dt.datetime(2026, 11, 18, 8, 30)
CLOSE: Final = "15:20:00"
"""From here on little happens."""
WARM_UP: Final = 1.0
"""Simulated hours left out of what is judged; an eighth of a run that is shorter than 8 hours."""
MOST_MB: Final = 1.0
"""Memory that may be gained in an hour."""
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")
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
        self.every(60.0, _Look())

    @handles
    def on_look(self, _: _Look) -> None:
        now = self.desk.clock.now()
        boxes = self._vitals.mailboxes().values()
        sample = Sample(
            time=kst(now).strftime("%H:%M:%S"),
            simulated_h=round((now - self._began) / 3.6e12, 5),
            wall_h=round(self._vitals.wall_s / 3_600, 5),
            memory_mb=round(_memory_mb(), 3),
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
    options = parser.parse_args()
    options.data.mkdir(parents=True, exist_ok=True)
    samples = soak(options.data, options.hours, options.speed)
    show(samples, options.hours)


def soak(folder: Path, hours: float, speed: float) -> list[Sample]:
    """Run it to its end, or to Ctrl-C, and give what the file says."""
    file = folder / "soak.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerow(Sample._fields)
    began = time.perf_counter()
    with ExchangeProcess(folder / "exchange", _world(hours), speed) as exchange:
        try:
            run(_system(folder, file, exchange.address).run, qt_loop())
        except KeyboardInterrupt:
            print("stopped early")
    print(f"{'wall':34} {time.perf_counter() - began:>11,.0f} s")
    return read(file)


def read(file: Path) -> list[Sample]:
    """The samples of a file, oldest first."""
    with file.open(newline="", encoding="utf-8") as lines:
        return [msgspec.convert(row, Sample, strict=False) for row in list(csv.reader(lines))[1:]]


def show(samples: Sequence[Sample], hours: float) -> None:
    """Slopes and what is flat, each with whether it is what was wanted."""
    warm_up = min(WARM_UP, hours / 8)
    warm = [sample for sample in samples if sample.simulated_h >= warm_up]
    if len(warm) < 3:
        print(f"{len(samples)} samples: too few after the first {warm_up:g} hours to say anything")
        return
    print(f"{'samples':34} {len(samples):>11,}, judged from {warm[0].time} to {warm[-1].time}")
    memory = [sample.memory_mb for sample in warm]
    _say_slope("memory, MB a simulated hour", [sample.simulated_h for sample in warm], memory)
    _say_slope("memory, MB an hour of the wall", [sample.wall_h for sample in warm], memory)
    trading = [sample for sample in warm if sample.time < CLOSE]
    if 2 < len(trading) < len(warm):
        hours_of_it, memory_of_it = [each.simulated_h for each in trading], [each.memory_mb for each in trading]
        _say_slope(f"  the same before {CLOSE}", hours_of_it, memory_of_it)
    print(f"{'memory':34} {memory[0]:>11.1f} MB first, {memory[-1]:.1f} last, {max(memory):.1f} at most")
    for name in ("handles", "tasks", "threads", "waiting"):
        _say_flat(name, warm, judged=name != "waiting")
    print(f"{'messages handled':34} {samples[-1].handled:>11,}, at most {samples[-1].deepest:,} waiting for one actor")
    print(f"{'stored':34} {samples[-1].stored_mb:>11.1f} MB")


def _say_slope(name: str, hours: Sequence[float], memory: Sequence[float]) -> None:
    slope = statistics.linear_regression(hours, memory).slope
    print(f"{name:34} {slope:>+11.3f}    wanted: at most {MOST_MB:g}, {_verdict(good=slope <= MOST_MB)}")


def _say_flat(name: str, samples: Sequence[Sample], *, judged: bool) -> None:
    """Flat is what a straight line through it raises by less than one from end to end."""
    counts = [getattr(sample, name) for sample in samples]
    hours = [sample.simulated_h for sample in samples]
    rise = statistics.linear_regression(hours, counts).slope * (hours[-1] - hours[0])
    wanted = f"    wanted: flat, {_verdict(good=rise < 1)} (a line rises by {rise:+.2f})" if judged else ""
    print(f"{name:34} {counts[0]:>11,} first, {counts[-1]:,} last, {max(counts):,} at most{wanted}")


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


def _memory_mb() -> float:
    resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return resident * _PAGE / 2**20


def _size(folder: Path) -> int:
    return sum(found.stat().st_size for found in folder.rglob("*") if found.is_file())


if __name__ == "__main__":
    main()
