"""A collector of many codes that is told to stop, or whose day changes: soon over, with a report that is true."""

import asyncio
import datetime as dt
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from actors import collector as module
from actors.collector import Collector
from actors.commands.history import verify
from actors.market.charts.collected import Collected
from actors.market.time import SECOND, at
from runtime.life.vitals import Vitals
from runtime.testing import Stage, in_virtual_time
from tests.test_collector import EVENING, Rig

CODES = tuple(f"{code:06}" for code in range(5))


class Counting(Collector):
    """Counts how often it looks how a chart stands."""

    looks = 0

    def _reckon(self, connection: sqlite3.Connection, one: Collected) -> Any:
        self.looks += 1
        return super()._reckon(connection, one)


class Late(Counting):
    """Hears only a second later that something is stored."""

    async def _store(self, database: Any, work: Any) -> Any:
        value = await super()._store(database, work)
        await asyncio.sleep(1.0)
        return value


class Wrapped:
    """Another archive's pages, each after a second, and no more than `most` of a paging."""

    def __init__(self, archive: Any, most: int = 1 << 30) -> None:
        self.archive, self.most = archive, most

    def __getattr__(self, name: str) -> Any:
        return getattr(self.archive, name)

    async def instruments(self, symbols: Any) -> Any:
        await asyncio.sleep(1.0)
        return await self.archive.instruments(symbols)

    async def bars(self, *asked: Any) -> Any:
        served = 0
        async for page in self.archive.bars(*asked):
            await asyncio.sleep(1.0)
            yield page
            served += 1
            if served == self.most:
                return


def hours(folder: Path, **keys: Any) -> Rig:
    """Five codes of few bars, a page a second, nothing newer than Thursday's."""
    wanted: dict[str, Any] = {"symbols": CODES, "minutes": (60,), **keys}
    rig = Rig(folder, **wanted)
    rig.offer(at(dt.date(2022, 1, 13), 18), CODES, lengths=(3_600,))
    rig.archive.rows = 10
    rig.archive = Wrapped(rig.archive)  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
    return rig


class Stopped:
    """A collector of some codes, and the word to stop after so many seconds."""

    def __init__(self, folder: Path, kind: type[Counting] = Counting) -> None:
        self.rig = hours(folder)
        self.vitals = Vitals(folder=folder, config=Path("c.toml"), digest="", seed=1, time_kind="simulated")
        self.collector = kind(self.rig.archive, self.vitals, folder, **self.rig.keys)
        self.rig.stage = Stage(self.collector, name="collector", start=EVENING, data=folder)

    async def run(self, seconds: float) -> dict[str, Any]:
        """What it tells."""
        stage = self.rig.stage
        await stage.start()
        await stage.advance(seconds)
        self.looked = self.collector.looks
        self.vitals.stopping = "told to"
        await stage.stop()
        return self.vitals.summary


@in_virtual_time
async def test_a_stop_looks_again_at_the_chart_under_way_alone(tmp_path: Path) -> None:
    stopped = Stopped(tmp_path)
    summary = await stopped.run(8.5)
    assert stopped.looked == len(CODES) + 2
    assert stopped.collector.looks == stopped.looked + 1
    assert summary["failed"] == [f"{code} 60 min: interrupted; start it again and it goes on" for code in CODES[2:]]
    assert [chart["present"] for chart in summary["charts"]] == [28, 28, 10, 0, 0]
    assert verify(tmp_path).holds
    assert (await stopped.rig.run())["failed"] == []


@in_virtual_time
async def test_a_page_stored_at_the_moment_of_the_stop_is_in_the_report(tmp_path: Path) -> None:
    summary = await Stopped(tmp_path, Late).run(1.0 + 1.0 + len(CODES) + 1.0 + 1.5)
    assert [chart["present"] for chart in summary["charts"]] == [10, 0, 0, 0, 0]


@in_virtual_time
async def test_what_a_stop_leaves_no_time_to_look_at_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LAST_LOOK", 0.0)
    summary = await Stopped(tmp_path).run(0.5)
    assert len(summary["failed"]) == len(CODES)
    assert summary["failed"][0] == "000000 60 min: interrupted before it was looked at; start it again and it goes on"


@in_virtual_time
async def test_a_summary_that_cannot_be_written_leaves_the_report(tmp_path: Path) -> None:
    stopped = Stopped(tmp_path)
    (stopped.vitals.run_folder / "summary.json").mkdir()
    await stopped.run(5.5)
    assert "000000 60 min" in stopped.vitals.closing


@in_virtual_time
async def test_pages_that_are_broken_off_are_asked_for_once_and_said(tmp_path: Path) -> None:
    rig = hours(tmp_path, symbols=CODES[:1])
    rig.archive.most = 2  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    summary = await rig.run()
    assert summary["failed"] == [
        "000000 60 min: no more than 2 pages are given, back to 2022-01-11; set since to a later day"
    ]
    assert summary["pages"] == 2


@in_virtual_time
async def test_midnight_changes_nothing_of_what_a_collector_set_out_to_do(tmp_path: Path) -> None:
    rig = hours(tmp_path, start=at(dt.date(2022, 1, 13), 23, 59) + 55 * SECOND)
    summary = await rig.run()
    assert rig.stored("SELECT max(stored) > ? FROM pages", at(dt.date(2022, 1, 14))) == [(1,)]
    assert {chart["until"] for chart in summary["charts"]} == {"2022-01-12"}
    assert (summary["failed"], summary["missing"], summary["bars"]) == ([], 0, 5 * 3 * 7)
    assert verify(tmp_path).holds


@in_virtual_time
async def test_bars_of_an_adjustment_that_are_offered_no_more_are_said_to_be_aside(tmp_path: Path) -> None:
    rig = Rig(tmp_path, minutes=(60,))
    rig.offer(EVENING, lengths=(3_600,))
    await rig.run()
    rig.now = at(dt.date(2022, 1, 17), 16)
    rig.begin = dt.date(2022, 1, 12)
    rig.offer(rig.now, price=2_000, lengths=(3_600,))
    summary = await rig.run()
    assert (summary["adjusted"], summary["missing"]) == (1, 0)
    assert summary["charts"][0]["left_aside"] == 2 * 7
    assert rig.stored("SELECT count(*) FROM set_aside WHERE reason='adjusted'") == [(4 * 7,)]
