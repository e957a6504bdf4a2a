import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from actors.market.storage import store
from actors.market.storage.history import History, order_state
from actors.market.storage.retention import Chores
from actors.market.time import SECOND
from actors.recorder import Recorder
from messages import (
    BestQuote,
    FeedEnded,
    MailboxOverflowed,
    MailboxRecovered,
    Nanoseconds,
    OrderIntent,
    OrderRefused,
    Purpose,
    Session,
    SessionChanged,
    Shares,
    Side,
    ViReleased,
    Won,
)
from runtime.disk.database import Database, Work
from runtime.disk.reading import reading
from runtime.testing import Stage, in_virtual_time
from tests.fake_feed import instrument
from tests.market.market_data import CODE, NINE, OTHER, bar, book, tick

ROOT = Path(__file__).parents[1]
DAY = 86_400.0


async def started(data: Path, *, backlog: int = 1_000, books_every: float = 0.0, keep: int = 0) -> Stage:
    stage = Stage(Recorder(data, backlog=backlog, books_every=books_every, keep_ticks=keep, keep_books=keep))
    await stage.start()
    return stage


def intent() -> OrderIntent:
    return OrderIntent(
        symbol=CODE,
        side=Side.BUY,
        quantity=Shares(5),
        price=Won(10_000),
        purpose=Purpose.ENTRY,
        strategy="s",
        reason="because",
    )


@in_virtual_time
async def _record(data: Path) -> None:
    stage = await started(data)
    stage.tell(instrument(CODE))
    stage.tell(tick(0, 100), book(0, [(101, 1)], [(100, 2)]), tick(0, 101, symbol=OTHER), bar(0, 1, 2, 1, 2))
    await stage.advance(1.1)
    stage.tell(tick(1, 102))
    await stage.advance(1.1)
    with History(data) as history:
        assert len(list(history.messages([]))) == 3
    stage.tell(FeedEnded(feed="f", time=Nanoseconds(NINE), records=1))
    await stage.stop()


def test_what_was_said_is_stored_within_a_second_and_packed_at_the_end(tmp_path: Path) -> None:
    _record(tmp_path)

    with History(tmp_path) as history:
        assert list(history.messages([])) == [
            tick(0, 100),
            book(0, [(101, 1)], [(100, 2)]),
            tick(0, 101, symbol=OTHER),
            tick(1, 102),
        ]
        assert list(history.bar_messages([], 60)) == [bar(0, 1, 2, 1, 2)]
        assert [content.count for content in history.contents()] == [1, 1, 1, 2]
        assert history.issues() == {CODE: ("삼성전자", "KOSPI")}


@in_virtual_time
async def test_events_are_stored_within_a_second_with_when_they_were_said(tmp_path: Path) -> None:
    stage = await started(tmp_path)
    countdown = SessionChanged(session=Session.CLOSING_AUCTION, time=Nanoseconds(NINE), code="2", remaining=60)
    await stage.advance(0.25)
    first = stage.tell(countdown)
    stage.tell(ViReleased(symbol=CODE, time=Nanoseconds(NINE)))
    await stage.advance(1.1)
    stage.tell(tick(1, 100))
    await stage.advance(1.1)

    with History(tmp_path) as history:
        stored = history.events([])
    await stage.stop()

    assert [(event.time - NINE, event.number - first) for event in stored] == [(SECOND // 4, 0), (SECOND // 4, 1)]
    assert stored[0].message == countdown


@in_virtual_time
async def test_more_events_than_the_backlog_are_a_gap(tmp_path: Path) -> None:
    stage = await started(tmp_path, backlog=2)

    stage.tell(*[ViReleased(symbol=CODE, time=Nanoseconds(NINE + n)) for n in range(5)])
    await stage.stop()

    with History(tmp_path) as history:
        assert len(history.events([])) == 2
        assert [(gap.subject, gap.lost) for gap in history.gaps()] == [("ViReleased", 3)]


@in_virtual_time
async def test_more_indications_than_the_backlog_are_a_gap(tmp_path: Path) -> None:
    stage = await started(tmp_path, backlog=2)

    stage.tell(*[_quote(n) for n in range(5)])
    await stage.stop()

    with History(tmp_path) as history:
        assert len(history.indications("best_quotes", CODE)) == 2
        assert [(gap.subject, gap.lost) for gap in history.gaps()] == [("BestQuote", 3)]


@in_virtual_time
async def test_indications_go_with_the_ticks_of_their_days(tmp_path: Path) -> None:
    for day in range(2):
        stage = Stage(Recorder(tmp_path, keep_ticks=1), start=NINE + round(day * DAY * SECOND))
        await stage.start()
        stage.tell(_quote(day * DAY), SessionChanged(session=Session.CLOSED_FOR_DAY, time=Nanoseconds(NINE)))
        await stage.advance(1.1)
        await stage.stop()

    with History(tmp_path) as history:
        assert history.indications("best_quotes", CODE)["received"].tolist() == [_quote(DAY).received]


def _quote(second: float) -> BestQuote:
    time = Nanoseconds(NINE + round(second * SECOND))
    return BestQuote(symbol=CODE, time=time, received=time, ask=Won(101), bid=Won(100))


@in_virtual_time
async def test_a_close_that_is_only_announced_packs_nothing(tmp_path: Path) -> None:
    stage = await started(tmp_path)
    closed = SessionChanged(session=Session.CLOSED_FOR_DAY, time=Nanoseconds(NINE), remaining=600)
    stage.tell(tick(0, 100), closed)
    await stage.advance(1.1)
    await stage.stop()

    with closing(reading(tmp_path / store.FILE)) as connection:
        assert connection.execute("SELECT price FROM ticks").fetchall() == [(100,)]


@in_virtual_time
async def test_an_order_left_open_goes_on_after_a_restart(tmp_path: Path) -> None:
    first = await started(tmp_path)
    number = first.tell(intent())
    await first.stop()

    second = await started(tmp_path)
    second.tell(OrderRefused(order=number, symbol=CODE, strategy="s", side=Side.BUY, rule="cash", figures={}, limit=1))
    await second.stop()

    state = order_state(tmp_path, number)
    assert state is not None
    assert (state["state"], state["reason"], state["quantity"]) == ("refused", "cash: limit 1", 5)


@in_virtual_time
async def test_more_than_the_backlog_is_lost_counted_and_said(tmp_path: Path) -> None:
    stage = await started(tmp_path, backlog=2)

    stage.tell(*[tick(n, 100) for n in range(5)])
    await stage.advance(1.1)
    stage.tell(tick(6, 100))
    await stage.stop()

    assert stage.said == [
        MailboxOverflowed(actor="actor", subject="Tick", refused=1),
        MailboxRecovered(actor="actor", subjects=("Tick",)),
    ]
    with History(tmp_path) as history:
        assert len(history.ticks(CODE)) == 3
        assert [(gap.subject, gap.lost) for gap in history.gaps()] == [("Tick", 3)]


@in_virtual_time
async def test_books_are_sampled_where_that_is_wanted(tmp_path: Path) -> None:
    stage = await started(tmp_path, books_every=1.0)

    stage.tell(*[book(n / 10, [(101, n)], [(100, n)]) for n in range(1, 25)])
    await stage.stop()

    with History(tmp_path) as history:
        assert history.books(CODE)["levels"][:, 1, 0].tolist() == [1, 11, 21, 24], "and the last one there was"
    with closing(reading(tmp_path / store.FILE)) as connection:
        assert connection.execute("SELECT every, kept, left_out FROM sampling").fetchall() == [(SECOND, 4, 20)]


@in_virtual_time
async def test_the_last_book_before_a_quiet_stretch_is_stored_while_it_lasts(tmp_path: Path) -> None:
    stage = await started(tmp_path, books_every=2.0)

    stage.tell(*[book(n / 10, [(101, n)], [(100, n)]) for n in range(1, 10)])
    await stage.advance(60)
    stage.tell(tick(60, 100))
    await stage.advance(1.1)

    with History(tmp_path) as history:
        assert history.books(CODE)["levels"][:, 1, 0].tolist() == [1, 9]
    await stage.stop()


@in_virtual_time
async def test_a_clock_that_was_set_back_leaves_out_no_more_books_than_usual(tmp_path: Path) -> None:
    stage = await started(tmp_path, books_every=1.0)

    stage.tell(*[book(second, [(101, n)], [(100, n)]) for n, second in enumerate((3_600, 0, 0.5, 1, 1.5, 2), 1)])
    await stage.stop()

    with History(tmp_path) as history:
        assert sorted(history.books(CODE)["levels"][:, 1, 0].tolist()) == [1, 2, 4, 6]


@in_virtual_time
async def test_a_quiet_stretch_is_one_however_seldom_the_recorder_writes(tmp_path: Path) -> None:
    stage = Stage(Recorder(tmp_path, period=60.0, books_every=1.0))
    await stage.start()

    stage.tell(*[book(second, [(101, n)], [(100, n)]) for n, second in enumerate((0, 0.3, 0.6, 5, 5.5, 9), 1)])
    await stage.stop()

    with History(tmp_path) as history:
        assert history.books(CODE)["levels"][:, 1, 0].tolist() == [1, 3, 4, 5, 6]


@in_virtual_time
async def test_a_start_packs_what_days_before_left_and_lets_old_ones_go(tmp_path: Path) -> None:
    before = await started(tmp_path)
    for earlier in (tick(-2 * DAY, 100), tick(-DAY, 101), tick(0, 102)):
        before.tell(earlier)
        await before.advance(1.1)
    await before.stop()

    after = await started(tmp_path, keep=1)
    await after.stop()

    with History(tmp_path) as history:
        assert history.ticks(CODE)["price"].tolist() == [101, 102], "of the packed days one stays; today is not packed"
    with closing(reading(tmp_path / store.FILE)) as connection:
        assert connection.execute("SELECT price FROM ticks").fetchall() == [(102,)]


@in_virtual_time
async def test_the_close_packs_the_day_while_others_go_on(tmp_path: Path) -> None:
    stage = await started(tmp_path)
    stage.tell(tick(0, 100), SessionChanged(session=Session.CLOSED_FOR_DAY, time=Nanoseconds(NINE)))
    await stage.advance(1.1)
    stage.tell(tick(5, 101))
    await stage.stop()

    with closing(reading(tmp_path / store.FILE)) as connection:
        assert connection.execute("SELECT price FROM ticks").fetchall() == [(101,)]
        assert connection.execute("SELECT sum(count) FROM blocks").fetchone() == (1,)


class Slow(Recorder):
    """Its disk takes its time."""

    async def _store(self, database: Database) -> None:
        await super()._store(database)
        await self.desk.clock.sleep(5)


@in_virtual_time
async def test_what_comes_while_the_last_batch_is_written_is_stored_too(tmp_path: Path) -> None:
    stage = Stage(Slow(tmp_path))
    await stage.start()
    stage.tell(tick(0, 100))
    await stage.advance(1.1)
    stage.tell(tick(1, 101))
    await stage.stop()

    with History(tmp_path) as history:
        assert history.ticks(CODE)["price"].tolist() == [100, 101]


class Tidier(Recorder):
    def _opened(self) -> Database:
        return Tidying(self._path, migrations=store.MIGRATIONS, clock=self.desk.clock, commit_every=0)


class Tidying(Database):
    """There is always something to tidy, a third of a second each."""

    async def run(self, work: Work[Any]) -> Any:
        if getattr(work, "__self__", None).__class__ is not Chores:
            return await super().run(work)
        await self._clock.sleep(0.3)
        return True


@in_virtual_time
async def test_tidying_makes_no_message_wait_for_a_second_period(tmp_path: Path) -> None:
    stage = Stage(Tidier(tmp_path))
    await stage.start()
    for said in range(12):
        stage.tell(tick(said / 2, 100))
        await stage.advance(0.5)
        with History(tmp_path) as history:
            assert len(history.ticks(CODE)) >= said - 2
    await stage.stop()


def test_a_kill_loses_no_more_than_a_second(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.recorder_process", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        said = [int(process.stdout.readline()) for _ in range(150)]
        process.kill()
        said += [int(line) for line in process.stdout if line.endswith("\n")]

    with History(tmp_path) as history:
        ticks = history.ticks(CODE)["received"].tolist()
        releases = [event.message.time for event in history.events([])]
    for stored in (ticks, releases):
        assert stored == said[: len(stored)], "a run of the first, without a hole"
        newest = stored[-1] if stored else said[0]
        assert said[-1] - newest < 1.5 * SECOND, "a second, and half of one for a busy machine"
