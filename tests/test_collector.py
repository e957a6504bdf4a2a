import datetime as dt
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from actors.collector import Collector
from actors.commands.history import verify
from actors.gateways.kiwoom.queries.queries import QueryRefused
from actors.market.calendar import Calendar
from actors.market.charts.certificate import DAILY, grid
from actors.market.time import SECOND, at
from messages import StopSystem
from runtime.life.vitals import Vitals
from runtime.testing import Stage, in_virtual_time
from tests.fake_archive import FakeArchive, bar, real_minutes

EVENING = at(dt.date(2022, 1, 14), 16)
"""A Friday."""


class Rig:
    """A collector on a stage, over an archive of some codes."""

    def __init__(
        self, folder: Path, *, start: int = EVENING, begin: dt.date = dt.date(2022, 1, 10), **keys: Any
    ) -> None:
        self.folder = folder
        self.begin = begin
        self.now = start
        self.archive = FakeArchive({}, self._time)
        self.keys: dict[str, Any] = {"symbols": ("005930",), "days": False, **keys}
        self.runs = 0

    def _time(self) -> int:
        return self.stage.clock.now()

    def offer(
        self, until: int, codes: Sequence[str] = ("005930",), price: int = 10_000, lengths: Sequence[int] = (60, DAILY)
    ) -> None:
        days = list(Calendar().days(self.begin, dt.date(2022, 1, 28)))
        for code in codes:
            for interval in lengths:
                times = [time for day in days for time in grid(day, interval) if time < until]
                self.archive.charts[code, interval] = [bar(code, interval, time, price) for time in times]

    async def run(self, **keys: Any) -> dict[str, Any]:
        """To its end; the summary."""
        self.runs += 1
        vitals = _vitals(self.folder)
        vitals.run = self.runs
        collector = Collector(self.archive, vitals, self.folder, **(self.keys | keys))
        self.stage = Stage(collector, name="collector", start=self.now, data=self.folder)
        await self.stage.start()
        for _ in range(2_000):
            if self.stage.heard(StopSystem):
                break
            await self.stage.advance(60)
        (self.end,) = self.stage.heard(StopSystem)
        await self.stage.stop()
        summary: dict[str, Any] = json.loads((vitals.run_folder / "summary.json").read_text(encoding="utf-8"))
        return summary

    @property
    def pages(self) -> int:
        return len(self.archive.asked)

    def stored(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "market.sqlite")) as connection:
            return connection.execute(query, values).fetchall()


@in_virtual_time
async def test_a_new_code_is_collected_to_yesterdays_close(tmp_path: Path) -> None:
    rig = Rig(tmp_path, days=True)
    rig.offer(EVENING)
    summary = await rig.run()
    assert (rig.end.code, rig.end.reason) == (0, "everything is collected")
    assert {name: summary[name] for name in ("symbols", "pages", "missing", "conflicts")} == {
        "symbols": 1,
        "pages": 4,
        "missing": 0,
        "conflicts": 0,
    }
    assert summary["bars"] == 4 * 382 + 4
    assert rig.stored("SELECT nm_code, last_update FROM company_info") == [("회사005930", "20220114000000")]
    assert verify(tmp_path).holds


@in_virtual_time
async def test_a_daily_update_of_a_hundred_codes_takes_a_hundred_pages(tmp_path: Path) -> None:
    codes = tuple(f"{code:06}" for code in range(100))
    rig = Rig(tmp_path, symbols=codes, minutes=(60,))
    rig.offer(EVENING, codes, lengths=(3_600,))
    await rig.run()
    first, rig.now = rig.pages, at(dt.date(2022, 1, 18), 7)
    rig.offer(rig.now, codes, lengths=(3_600,))
    summary = await rig.run()
    assert rig.pages - first == summary["pages"] == 100
    assert (summary["bars"], summary["missing"]) == (100 * 7 * 2, 0)
    assert (await rig.run())["pages"] == 0


@in_virtual_time
async def test_an_update_of_minutes_takes_the_newest_page_alone(tmp_path: Path) -> None:
    rig = Rig(tmp_path, days=True, begin=dt.date(2021, 12, 1))
    rig.offer(EVENING)
    await rig.run()
    before, rig.now = rig.pages, at(dt.date(2022, 1, 17), 16)
    rig.offer(rig.now)
    summary = await rig.run()
    assert rig.pages - before == 2, "one for minutes, one for days"
    assert (summary["bars"], summary["missing"], summary["conflicts"]) == (383, 0, 0)


@in_virtual_time
async def test_a_more_urgent_query_begins_the_paging_anew_and_nothing_is_stored_twice(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.offer(EVENING)
    rig.archive.rows = 300
    rig.archive.broken_after = [2, 3]
    summary = await rig.run()
    assert summary["pages"] == 2 + 3 + 7
    assert (summary["bars"], summary["missing"], summary["conflicts"]) == (4 * 382, 0, 0)
    assert summary["charts"][0]["restarts"] == 2


@in_virtual_time
async def test_queries_that_keep_coming_leave_a_chart_for_another_time(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.offer(EVENING)
    rig.archive.rows = 100
    rig.archive.broken_after = [2] * 100
    summary = await rig.run()
    assert rig.end.code == 1
    assert summary["failed"] == [
        "005930 1 min: more urgent queries keep coming between its pages; collect after the close"
    ]


@in_virtual_time
async def test_while_the_market_is_open_nothing_is_asked_unless_it_is_wanted(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "patient", start=at(dt.date(2022, 1, 14), 10))
    rig.offer(EVENING)
    await rig.run()
    ((first,),) = rig.stored("SELECT min(stored) FROM pages")
    assert first >= at(dt.date(2022, 1, 14), 15, 30)
    eager = Rig(tmp_path / "eager", start=rig.now, in_session=True)
    eager.offer(EVENING)
    await eager.run()
    ((last,),) = eager.stored("SELECT max(stored) FROM pages")
    assert last < rig.now + 300 * SECOND


@in_virtual_time
async def test_days_go_on_from_their_date_where_they_were_left(tmp_path: Path) -> None:
    rig = Rig(tmp_path, minutes=(), days=True, begin=dt.date(2020, 1, 2))
    rig.offer(EVENING)
    rig.archive.rows = 100
    await rig.run(since="2021-12-01")
    assert rig.pages == 1
    await rig.run(since="2021-08-01")
    kept = at(dt.date(2021, 12, 1))
    assert {until for _, _, until in rig.archive.asked[1:]} == {kept}
    assert verify(tmp_path).holds


@in_virtual_time
async def test_days_from_a_date_whose_prices_disagree_are_asked_from_the_newest(tmp_path: Path) -> None:
    rig = Rig(tmp_path, minutes=(), days=True, begin=dt.date(2021, 1, 4))
    rig.offer(EVENING)
    await rig.run(since="2021-12-01")
    rig.offer(EVENING, price=5_000)
    summary = await rig.run(since="2021-08-02")
    assert [until is None for _, _, until in rig.archive.asked] == [True, False, True]
    assert (summary["adjusted"], summary["missing"], summary["conflicts"]) == (1, 0, 0)
    assert rig.stored("SELECT DISTINCT close FROM bars") == [(5_000,)]
    assert verify(tmp_path).holds


@in_virtual_time
async def test_an_adjustment_collects_the_history_anew(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.offer(EVENING)
    await rig.run()
    rig.now = at(dt.date(2022, 1, 17), 16)
    rig.offer(rig.now, price=2_000)
    summary = await rig.run()
    assert (summary["adjusted"], summary["missing"], summary["conflicts"]) == (1, 0, 0)
    assert rig.stored("SELECT count(*), min(close), max(close) FROM bars") == [(5 * 382, 2_000, 2_000)]
    assert verify(tmp_path).holds


@in_virtual_time
async def test_a_time_out_is_tried_again_and_a_dead_line_is_left(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.offer(EVENING)
    rig.archive.failures = [TimeoutError("no answer"), QueryRefused("overloaded")]
    assert (await rig.run())["failed"] == []
    codes = tuple(f"{code:06}" for code in range(5))
    dead = Rig(tmp_path / "dead", symbols=codes)
    dead.archive.failures = [TimeoutError("no answer")] * 100
    summary = await dead.run()
    assert dead.end.code == 1
    assert len(summary["failed"]) == 5
    assert len(dead.archive.failures) == 100 - 3 * 3


@in_virtual_time
async def test_a_code_without_a_chart_is_named(tmp_path: Path) -> None:
    rig = Rig(tmp_path, symbols=("123456", "005930"))
    rig.offer(EVENING)
    summary = await rig.run()
    assert summary["failed"] == ["123456 1 min: nothing is offered under this code"]
    assert summary["bars"] == 4 * 382


@in_virtual_time
async def test_a_range_is_collected_as_asked(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.offer(EVENING)
    await rig.run(since="2022-01-11", until="2022-01-12")
    assert rig.stored("SELECT day, present, missing FROM certificates") == [
        ("2022-01-11", 382, 0),
        ("2022-01-12", 382, 0),
    ]


@in_virtual_time
async def test_a_day_under_way_is_collected_to_the_last_minute_that_is_over(tmp_path: Path) -> None:
    rig = Rig(tmp_path, start=at(dt.date(2022, 1, 14), 10, 30) + 10 * SECOND, in_session=True, until="2022-01-14")
    rig.offer(rig.now + 1)
    summary = await rig.run()
    assert (summary["failed"], summary["bars"]) == ([], 4 * 382 + 90)
    rig.now = at(dt.date(2022, 1, 14), 18) + 10 * SECOND
    rig.offer(rig.now)
    summary = await rig.run()
    assert (summary["bars"], summary["missing"], summary["conflicts"]) == (382 - 90, 0, 0)


@in_virtual_time
async def test_a_row_that_cannot_be_read_is_missing_in_the_certificate(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.offer(EVENING)
    rig.archive.torn = {rig.archive.charts["005930", 60][500].time}
    summary = await rig.run()
    assert (summary["missing"], summary["bars"]) == (1, 4 * 382 - 1)
    assert summary["charts"][0]["holes"] == ["2022-01-11"]
    assert rig.end.reason == "everything is collected but 1 bars that cannot be read"
    assert (await rig.run())["pages"] == 0, "read twice in vain, it is left alone"


@in_virtual_time
async def test_a_page_of_another_place_is_noticed_and_the_chart_paged_again(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    rig.offer(EVENING)
    rig.archive.rows = 300
    rig.archive.skips = 1
    summary = await rig.run()
    assert (summary["bars"], summary["missing"], summary["conflicts"]) == (4 * 382, 0, 0)
    assert summary["pages"] == 6 + 4


@pytest.mark.parametrize(("day", "keys"), [("2022-02-30", "since"), ("2022-01-32", "until")])
def test_a_day_that_is_none_is_refused(tmp_path: Path, day: str, keys: str) -> None:
    with pytest.raises(ValueError, match=keys):
        Collector(FakeArchive({}, lambda: 0), _vitals(tmp_path), tmp_path, symbols=("005930",), **{keys: day})  # type: ignore[arg-type]


def test_the_recorded_minutes_of_a_thin_fund_are_certified_as_they_are(tmp_path: Path) -> None:
    minutes = real_minutes("226490")
    if not minutes:
        pytest.skip("the recorded minutes are not there")

    @in_virtual_time
    async def inside() -> None:
        rig = Rig(tmp_path, symbols=("226490",), start=at(dt.date(2022, 9, 6), 7))
        rig.archive.charts["226490", 60] = minutes
        summary = await rig.run()
        assert (summary["bars"], summary["missing"], summary["conflicts"]) == (len(minutes), 0, 0)
        assert summary["pages"] == -(-len(minutes) // 900)
        days = rig.stored("SELECT day, expected, present, idle, missing, extra FROM certificates")
        assert len(days) == 184
        assert {day: expected for day, expected, *_ in days if expected != 382} == {"2022-01-03": 322}
        assert all(present + idle == expected for _, expected, present, idle, *_ in days)
        assert sum(present for _, _, present, *_ in days) == 56_992
        assert verify(tmp_path).holds

    inside()


def _vitals(folder: Path) -> Vitals:
    return Vitals(folder=folder, config=Path("c.toml"), digest="", seed=1, time_kind="simulated")
