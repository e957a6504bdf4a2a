"""What the recorder stores, sustained, beside trading: ticks a second, and a bare executemany as the floor.

Sustained is what lets no backlog grow: the newest stored print is never much older than the recorder's period.

python -m benchmarks.recorder [--rate 50000] [--seconds 20] [--folder FOLDER]
"""

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import ClassVar, cast

from actors.market.storage import store
from actors.market.time import SECOND
from benchmarks import line
from messages import FeedEnded, Message
from runtime.actor import Actor, handles

CODES = 100
_GAUGE = """
[actor.gauge]
use = "benchmarks.recorder:Gauge"
"""
_WARM = 2 * SECOND
"""Until the first batch is there."""


class _Look(Message):
    journalled: ClassVar = False


class Gauge(Actor):
    """Looks twice a second how old the newest stored print is."""

    def __init__(self, data: Path) -> None:
        self.ages: list[int] = []
        """Nanoseconds."""
        self._path = data / store.FILE
        self._ended = False

    def on_start(self) -> None:
        self._began = self.desk.clock.now()
        self.every(0.5, _Look())

    @handles
    def on_look(self, _: _Look) -> None:
        now = self.desk.clock.now()
        with closing(sqlite3.connect(self._path)) as connection:
            (newest,) = connection.execute("SELECT max(until) FROM loose WHERE kind = 'ticks'").fetchone()
        if newest is not None and now - self._began > _WARM and not self._ended:
            self.ages.append(now - newest)

    @handles
    def on_end(self, _: FeedEnded) -> None:
        self._ended = True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=50_000)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--folder", help="on the disk to be measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        folder = Path(scratch)
        outcomes = line.trade(
            folder, rate=options.rate, seconds=options.seconds, every=options.rate // 50, codes=CODES, beside=_GAUGE
        )
        stored = _stored(folder / "data" / store.FILE)
        floor = _floor(folder / "floor.sqlite", 200_000)
    feed = outcomes.line
    print(f"{'ticks sent':34} {feed.emitted:>11,}, at most {feed.fell_behind:,} late")
    print(f"{'ticks stored':34} {stored:>11,}, {stored / outcomes.wall:,.0f} a second of the whole run")
    ages = next(cast("Gauge", seat.actor).ages for seat in outcomes.system.crew.seats.values() if seat.name == "gauge")
    print(f"{'newest print stored':34} {max(ages) / SECOND:>11.2f} s old at most, {ages[-1] / SECOND:.2f} s at the end")
    print(f"{'  floor: bare executemany':34} {floor:>11,.0f} rows a second")
    line.show("slot > ApprovedOrder published", feed.approved)
    print(f"{'longest gap of the loop':34} {outcomes.longest_ms:>11.1f} ms")
    print(f"{'CPU':34} {outcomes.cpu:>11.1f} s of {outcomes.wall:.1f} s")
    sys.exit(outcomes.code)


def _stored(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        loose = connection.execute("SELECT count(*) FROM ticks").fetchone()[0]
        packed = connection.execute("SELECT coalesce(sum(count), 0) FROM blocks WHERE kind = 'ticks'").fetchone()[0]
    return loose + packed


def _floor(path: Path, count: int) -> float:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(store.MIGRATIONS[0].split(";")[0])
        start = time.perf_counter()
        connection.executemany(f"INSERT INTO ticks VALUES ({','.join('?' * 16)})", _rows(count))  # noqa: S608
        connection.commit()
        return count / (time.perf_counter() - start)


def _rows(count: int) -> Iterator[tuple[object, ...]]:
    return ((number, "005930", *([number] * 13), 0.0) for number in range(count))


if __name__ == "__main__":
    main()
