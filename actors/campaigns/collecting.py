"""The collecting campaign: kill a backfill at random, over and over, and hold what is stored against the truth.

On request: `python -m actors.campaigns.collecting DATA --kills 200`.
"""

import argparse
import shutil
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, Final

import msgspec

from actors.campaigns.processes import ProcessFailed, Service, toml
from actors.gateways.kiwoom.twin.server import make_exchange
from actors.gateways.kiwoom.twin.settings import TwinSettings
from actors.market.calendar import Calendar
from actors.market.charts import collection
from actors.market.charts.certificate import DAILY
from actors.market.storage import store
from actors.market.time import at
from messages import Bar, Symbol

CONFIG: Final = Path(__file__).parents[2] / "examples" / "collect.toml"
_CODES: Final = ("900010", "900020")
_LENGTHS: Final = (60, 1_800, DAILY)
_LOOK: Final = 0.002
_LIFE: Final = 60.0
"""Seconds of the wall within which a life that nobody kills is over."""
_PAGES: Final = 14
"""At most, before a kill: a chart has about eleven, and begins with the newest after each one."""


class Outcome(msgspec.Struct):
    """What a campaign came to."""

    kills: int = 0
    backfills: int = 0
    """Collected to their end, and begun anew on an empty folder."""
    pages: int = 0
    bars: int = 0
    duplicates: int = 0
    """Bars stored more than once, or that disagree with themselves."""
    missing: int = 0
    """Of the exchange's own bars, after a backfill came to its end."""
    wrong: int = 0
    """Bars that are not those of the exchange."""
    lost_pages: int = 0
    """Pages that were there before a kill and not after it."""
    failures: list[str] = []
    ends: dict[str, int] = {}

    @property
    def holds(self) -> bool:
        return not (self.duplicates or self.missing or self.wrong or self.lost_pages or self.failures)


class Campaign:
    """Backfills of one folder after the other, until there were so many kills."""

    def __init__(self, data: Path, seed: int, say: Callable[[str], None], *, history: int = 25) -> None:
        """`history` is how many days of minutes a backfill has."""
        self._data = data
        self._rng = Random(seed)
        self._say = say
        self._history = history
        self._ends: Counter[str] = Counter()
        self.outcome = Outcome()

    def run(self, kills: int) -> Outcome:
        """Raises ProcessFailed where a life does not end by itself."""
        while self.outcome.kills < kills or not self.outcome.backfills:
            self._backfill(kills)
        self.outcome.ends = dict(sorted(self._ends.items()))
        return self.outcome

    def _backfill(self, kills: int) -> None:
        number = self.outcome.backfills
        folder = self._data / f"backfill-{number:03}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        market = {"issues": len(_CODES), "intensity": 0.01, "history": self._history, "seed": number + 1}
        twin = {"begin": "15:45", "finish": "15:46", **market}
        while not self._live(folder, twin, kill=self.outcome.kills < kills):
            self._check(folder)
        self._check(folder)
        self._reckon(folder, msgspec.convert(twin, TwinSettings))
        self.outcome.backfills += 1
        self._say(f"{self.outcome.kills} kills, {self.outcome.backfills} backfills, holds: {self.outcome.holds}")

    def _live(self, folder: Path, twin: dict[str, Any], *, kill: bool) -> bool:
        """One life; whether it came to its end."""
        before = _pages(folder)
        service = Service(CONFIG, folder, _overrides(folder, twin))
        killed = False
        try:
            if kill and self._wait(service, folder, before):
                killed = True
                service.kill()
                self.outcome.kills += 1
                self._ends[f"killed with {min(_pages(folder) - before, 9)} new pages"] += 1
            elif service.sleep(_LIFE):
                raise ProcessFailed(f"a backfill of {folder} did not end: {service.last_words()}")
        finally:
            service.kill()
        self.outcome.lost_pages += max(before - _pages(folder), 0)
        if service.code == 0:
            self._ends["ended"] += 1
        elif not killed:
            self.outcome.failures.append(f"{folder.name}: exit {service.code}: {service.last_words()}")
        return service.code == 0

    def _wait(self, service: Service, folder: Path, before: int) -> bool:
        """Until so many pages more are there and a moment has passed, or any moment of the start; False at its end."""
        wanted = self._rng.choice((0, self._rng.randint(1, _PAGES)))
        until = time.monotonic() + _LIFE
        while _pages(folder) < before + wanted and not service.ended and time.monotonic() < until:
            time.sleep(_LOOK)
        return service.sleep(self._rng.uniform(0.0, 0.06) if wanted else self._rng.uniform(0.0, 2.5))

    def _check(self, folder: Path) -> None:
        """After each life every certificate must hold."""
        if not (folder / store.FILE).exists():
            return
        with closing(sqlite3.connect(folder / store.FILE)) as connection:
            for chart in collection.charts(connection):
                said = collection.certificates(connection, chart)
                found = {made.day: made for made in collection.derive_all(connection, Calendar(), chart)}
                if said != found:
                    self.outcome.failures.append(f"{folder.name}: certificates of {chart} do not hold")
            self.outcome.duplicates += _one(connection, "SELECT count(*) FROM set_aside")
            twice = "SELECT count(*) - count(DISTINCT symbol || ' ' || interval || ' ' || time) FROM bars"
            self.outcome.duplicates += _one(connection, twice)

    def _reckon(self, folder: Path, settings: TwinSettings) -> None:
        exchange, today = make_exchange(settings), at(settings.day)
        with closing(sqlite3.connect(folder / store.FILE)) as connection:
            self.outcome.pages += _one(connection, "SELECT count(*) FROM pages")
            self.outcome.missing += _one(connection, "SELECT coalesce(sum(missing), 0) FROM certificates")
            for code in _CODES:
                for length in _LENGTHS:
                    truth = [bar for bar in exchange.charts(Symbol(code), length) if bar.time < today]
                    self._compare(connection, code, length, truth)

    def _compare(self, connection: sqlite3.Connection, code: str, length: int, truth: list[Bar]) -> None:
        query = "SELECT time, open, high, low, close, volume FROM bars WHERE symbol=? AND interval=?"
        stored = {row[0]: row for row in connection.execute(query, (code, length))}
        for bar in truth:
            row = stored.pop(bar.time, None)
            self.outcome.missing += row is None
            expected = (bar.time, bar.open, bar.high, bar.low, bar.close, bar.volume)
            self.outcome.wrong += row is not None and row != expected
        self.outcome.wrong += len(stored)
        self.outcome.bars += len(truth)


def _overrides(folder: Path, twin: dict[str, Any]) -> list[str]:
    settings = {
        "system.data": str(folder),
        "gateway.kiwoom.twin": twin,
        "actor.collector.symbols": list(_CODES),
        "actor.collector.minutes": [length // 60 for length in _LENGTHS if length != DAILY],
    }
    return [f"{name}={toml(value)}" for name, value in settings.items()]


def _pages(folder: Path) -> int:
    """Stored in a folder, which somebody may be writing to."""
    place = folder / store.FILE
    if not place.exists():
        return 0
    try:
        with closing(sqlite3.connect(place)) as connection:
            return _one(connection, "SELECT count(*) FROM pages")
    except sqlite3.OperationalError:
        return 0


def _one(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])


def main() -> None:
    """Run it, print the outcome, exit 0 only if everything holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    outcome = Campaign(given.data, given.seed, _say).run(given.kills)
    _say(msgspec.json.format(msgspec.json.encode(outcome)).decode())
    sys.exit(0 if outcome.holds else 1)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
