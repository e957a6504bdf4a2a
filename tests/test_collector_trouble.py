"""A collector whose codes, lines and disks fail: what can be had is had, and what cannot is said as it is."""

import datetime as dt
import sqlite3
from pathlib import Path
from typing import Any

from actors.collector import Collector
from actors.gateways.kiwoom.queries.queries import QueryRefused
from actors.market.time import at
from messages import Nanoseconds
from runtime.disk.database import DatabaseError
from runtime.testing import in_virtual_time
from tests.fake_archive import FakeArchive
from tests.test_collector import EVENING, Rig


@in_virtual_time
async def test_delisted_codes_do_not_keep_the_others_from_being_asked(tmp_path: Path) -> None:
    codes = ("123450", "123460", "005930")
    rig = Rig(tmp_path, symbols=codes, days=True, minutes=(1, 60))
    rig.offer(EVENING, ("005930",), lengths=(60, 3_600, 86_400))
    summary = await rig.run()
    lengths = ("1 min", "60 min", "day")
    assert summary["failed"] == [
        f"{code} {length}: nothing is offered under this code" for code in codes[:2] for length in lengths
    ]
    assert summary["bars"] == 4 * (382 + 7 + 1)


class OneRefused(FakeArchive):
    """Will not answer about one code."""

    refused = "123450"

    def bars(self, symbol: Any, interval: int, since: Nanoseconds, until: Nanoseconds | None = None) -> Any:
        if symbol == self.refused:
            self.failures.append(QueryRefused("opt10080: -300 input"))
        return super().bars(symbol, interval, since, until)


@in_virtual_time
async def test_a_code_that_is_refused_all_day_costs_its_own_charts_alone(tmp_path: Path) -> None:
    rig = Rig(tmp_path, symbols=("123450", "005930"), days=True, minutes=(1, 60))
    rig.archive = OneRefused({}, rig.archive.now)
    rig.offer(EVENING, ("005930",), lengths=(60, 3_600, 86_400))
    summary = await rig.run()
    assert summary["failed"] == [f"123450 {length}: opt10080: -300 input" for length in ("1 min", "60 min", "day")]
    assert summary["bars"] == 4 * (382 + 7 + 1)


@in_virtual_time
async def test_a_continuation_that_comes_empty_once_is_not_the_end_of_the_chart(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.offer(EVENING)
    rig.archive = Emptied(rig.archive.charts, rig.archive.now)
    summary = await rig.run()
    assert (summary["bars"], summary["missing"], summary["failed"]) == (4 * 382, 0, [])
    assert rig.stored("SELECT offered FROM goals") == [(at(dt.date(2022, 1, 10), 9),)]


@in_virtual_time
async def test_a_chart_that_ends_with_a_full_page_is_at_its_end_when_that_is_seen_again(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.offer(EVENING)
    rig.archive = Ending(rig.archive.charts, rig.archive.now, rows=382)
    summary = await rig.run()
    assert (summary["failed"], summary["missing"], summary["pages"]) == ([], 0, 2 * 6)
    assert (await rig.run())["pages"] == 0


class Ending(FakeArchive):
    """Says after a full page that there is more, and then there is none."""

    def _page(self, symbol: Any, interval: int, rows: Any, above: int, last: bool, *, first: bool) -> Any:
        return super()._page(symbol, interval, rows, above, last and len(rows) < self.rows, first=first)


class Emptied(FakeArchive):
    """Loses its place once, and has nothing more to say."""

    lost = False

    def _page(self, symbol: Any, interval: int, rows: Any, above: int, last: bool, *, first: bool) -> Any:
        if first or self.lost:
            return super()._page(symbol, interval, rows, above, last, first=first)
        self.lost = True
        return super()._page(symbol, interval, [], above, last=True, first=first)


@in_virtual_time
async def test_a_full_disk_leaves_every_chart_that_it_kept_from_being_stored_unfinished(
    tmp_path: Path, monkeypatch: Any
) -> None:
    rig = Rig(tmp_path, symbols=("005930", "000660"))
    rig.offer(EVENING, ("005930", "000660"))
    monkeypatch.setattr(Collector, "_take", _full)
    summary = await rig.run()
    assert (rig.end.code, rig.end.reason) == (1, "nothing can be stored: market.sqlite: the disk is full")
    assert [line.partition(": ")[2] for line in summary["failed"]] == [
        "nothing can be stored: market.sqlite: the disk is full"
    ] * 2


def _full(_collector: Collector, _connection: sqlite3.Connection, **_: Any) -> None:
    raise DatabaseError("market.sqlite: the disk is full")
