"""The collector fills a store with the broker's charts, page by page, and certifies every day of them."""

import asyncio
import datetime as dt
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Protocol, TypeVar

import msgspec

from actors.analysis.progress import Pages
from actors.gateways.port import Archive, Page, Reference
from actors.market.calendar import Calendar
from actors.market.charts import certificate, collection, paging
from actors.market.charts.certificate import DAILY, Chart
from actors.market.charts.collected import Collected, length, report, totals
from actors.market.charts.collection import Taken
from actors.market.charts.comparison import Proof
from actors.market.charts.paging import Outlook, Paging, Trail, Unfinished
from actors.market.charts.spans import Span
from actors.market.charts.standing import bounds, not_offered_anew, standing_of
from actors.market.storage import store
from actors.market.time import SECOND, at, kst
from actors.market.time import text as when
from messages import Bar, Nanoseconds, StopSystem, Symbol
from runtime.actor import Actor
from runtime.disk.database import Database
from runtime.disk.errors import DatabaseError, DatabaseLocked
from runtime.life.vitals import Vitals, peak_memory_mb
from runtime.logs import clean_object
from runtime.settings.bounds import Day, Several

_Code = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Z]{6}$", description="codes of six digits or capitals")]
_Codes = Annotated[tuple[_Code, ...], msgspec.Meta(min_length=1)]
_Minutes = Literal[1, 3, 5, 10, 15, 30, 45, 60]
_PAUSE: Final = 30.0
"""Seconds after a query that failed."""
_DEAD: Final = 3
"""Codes in a row about which nothing was answered, after which nobody is asked any more."""
_LOCKED: Final = 5
"""Times that a locked file is tried again."""
_FAILED: Final = 1
_LAST_LOOK: Final = 3.0
"""Seconds at the end for charts of which it is not known how they stand: a stop has ten for everything."""

Value = TypeVar("Value")


class Library(Archive, Reference, Protocol):
    """Charts, and the names of what they show."""


class Unanswered(Unfinished):
    """Nobody answers: it need not be the chart's fault."""


class Collector(Actor, publishes=(StopSystem,)):
    """Collects `minutes` (lengths of bars) and, with `days`, day bars of `symbols` into market.sqlite.

    `since` and `until` are days, YYYY-MM-DD, both included. Without `since` it goes on from what is stored, and takes
    all that is offered of a code that is new; without `until` it ends with the last trading day before today.
    `in_session` also asks while the market is open, when queries are scarce. Each question is tried `attempts` times.
    """

    def __init__(
        self,
        archive: Library,
        vitals: Vitals,
        data: Path,
        *,
        symbols: _Codes,
        minutes: tuple[_Minutes, ...] = (1,),
        days: bool = True,
        since: Day = "",
        until: Day = "",
        in_session: bool = False,
        attempts: Several = 3,
        stop_at_end: bool = True,
    ) -> None:
        if not (minutes or days):
            raise ValueError("minutes is empty and days is false: there is nothing to collect")
        self._archive = archive
        self._vitals = vitals
        self._path = data / store.FILE
        self._since = _instant("since", since)
        self._until = _instant("until", until, after=1)
        if self._since and self._until and self._since >= self._until:
            raise ValueError(f"since = {since}: after until = {until}")
        self._in_session = in_session
        self._attempts = attempts
        self._stop_at_end = stop_at_end
        lengths = [*(60 * count for count in dict.fromkeys(minutes)), *([DAILY] if days else [])]
        self._charts = [
            Collected(chart=Chart(Symbol(code), interval)) for code in dict.fromkeys(symbols) for interval in lengths
        ]
        self._calendar = Calendar()
        self._show = Pages()
        self._outlook = Outlook(self._calendar, in_session=in_session)
        self._planned = 0
        self._unknown = {one.chart: one for one in self._charts}
        """Charts that may stand otherwise than was last seen."""
        self._unfinished = "interrupted; start it again and it goes on"
        """What is said of a chart that is not finished and has no reason of its own."""
        self._task: asyncio.Task[Any] | None = None
        self._ended: asyncio.Future[None]

    def on_start(self) -> None:
        self._ended = asyncio.get_running_loop().create_future()
        self._began = self.desk.clock.now()
        self._vitals.add(self.desk.name, self._figures)
        self.spawn(self._run())

    async def on_stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
        await self._ended
        self._tell()

    async def _run(self) -> None:
        self._task = asyncio.current_task()
        reason, code = "the collector failed", _FAILED
        try:
            async with self._opened() as database:
                reason, code = await self._collect(database)
        except DatabaseError as error:
            reason = _unstored(error)
            self.desk.log.error("collecting ended", reason=reason)
        finally:
            self._ended.set_result(None)
            if self._stop_at_end and not self._vitals.stopping:
                self.publish(StopSystem(reason=reason, code=code))

    async def _collect(self, database: Database) -> tuple[str, int]:
        try:
            with self._show:
                await self._ask_names(database)
                await self._estimate(database)
                await self._ask_charts(database)
        except DatabaseError as error:
            self._unfinished = _unstored(error)
            raise
        finally:
            await self._reckon_all(database)
        failed = sum(bool(one.failed) for one in self._charts)
        if failed:
            return f"{failed} charts are not finished", _FAILED
        missing = sum(one.standing.missing for one in self._charts)
        return "everything is collected" + (f" but {missing:,} bars that cannot be read" if missing else ""), 0

    def _opened(self) -> Database:
        return Database(
            self._path,
            migrations=store.MIGRATIONS,
            page_size=store.PAGE_SIZE,
            clock=self.desk.clock,
            commit_every=0.0,
        )

    async def _ask_names(self, database: Database) -> None:
        await self._wait_for_the_close()
        symbols = list(dict.fromkeys(one.chart.symbol for one in self._charts))
        try:
            found = await self._archive.instruments(symbols)
        except (TimeoutError, ConnectionError) as error:
            self._show.say(f"names are not known: {error}")
            return
        names = {instrument.symbol: instrument.name for instrument in found}
        for one in self._charts:
            one.name = names.get(one.chart.symbol, "")
        today = kst(self.desk.clock.now()).date().isoformat()
        await self._store(database, partial(store.write_instruments, day=today, instruments=found))

    async def _estimate(self, database: Database) -> None:
        self._planned = self.desk.clock.now()
        for one in self._charts:
            gaps = await self._look_at(database, one)
            self._outlook.plan(one.chart, gaps, self._planned)

    async def _ask_charts(self, database: Database) -> None:
        silent: dict[Symbol, None] = {}
        for one in self._charts:
            try:
                await self._finish(database, one, asking=len(silent) < _DEAD)
                silent.clear()
            except Unanswered as error:
                one.failed = str(error)
                silent[one.chart.symbol] = None
            except Unfinished as error:
                one.failed = str(error)
                silent.clear()
            if one.chart in self._unknown:
                await self._look_at(database, one)
            self._outlook.over(one.chart)
            missing = one.standing.missing
            self._look(one, one.failed or (f"{missing:,} bars missing" if missing else "all there"), over=True)

    async def _finish(self, database: Database, one: Collected, *, asking: bool) -> None:
        """Page until nothing is left that pages can fill. Raises Unfinished."""
        failures, dated, before, cut, reason = 0, True, [], False, ""
        while True:
            wanted, gaps = await self._store(database, partial(self._plan, one=one))
            if not gaps:
                return
            if not asking:
                raise Unanswered("not asked any more: the ones before it were not answered")
            failures = failures + 1 if gaps == before and not cut else 0
            if failures >= self._attempts and reason:
                raise Unanswered(reason)
            if failures >= self._attempts:
                raise Unfinished(f"from {when(gaps[0].since)[:16]} on its pages do not hold what they should")
            way = paging.next_paging(one.chart, gaps, wanted.until)
            before, cut, reason = gaps, False, ""
            try:
                cut, trusted = await self._page(database, one, way if dated else Paging(way.reach, None), wanted)
                dated = dated and trusted
            except (TimeoutError, ConnectionError) as error:
                reason = str(error)
                await self.desk.clock.sleep(_PAUSE)

    async def _page(self, database: Database, one: Collected, way: Paging, wanted: Span) -> tuple[bool, bool]:
        """Go one way; whether it was cut short with good reason, and whether its prices can be trusted."""
        await self._wait_for_the_close()
        self._unknown[one.chart] = one
        trail, clock = Trail(way), self.desk.clock
        asked = clock.now()
        start = None if way.start is None else Nanoseconds(way.start)
        async with aclosing(self._archive.bars(*one.chart, Nanoseconds(way.reach), start)) as pages:
            async for page in pages:
                proof = _proof(page, dated=way.start is not None)
                take = partial(self._take, chart=one.chart, bars=page.bars, proof=proof, wanted=wanted, now=clock.now())
                taken = await self._store(database, take)
                self._note(one, page, taken, way, clock.now() - asked)
                asked = clock.now()
                trail.page(page.since, page.rows, newest=page.newest, last=page.last)
                if len(one.factors) > self._attempts:
                    raise Unfinished("its prices come adjusted anew with every reading")
                if taken.mistrusted or taken.factor != 1.0 or self._closing_hour():
                    return True, not taken.mistrusted
        trail.end()
        one.restarts += trail.restarts
        return False, True

    def _plan(self, connection: sqlite3.Connection, one: Collected) -> tuple[Span, list[Span]]:
        goal = collection.want(connection, one.chart, self._since)
        now = self._planned or self.desk.clock.now()
        until = self._until or paging.yesterday(self._calendar, now)
        since = goal.since if self._since is None else self._since
        wanted = Span(since, max(since, min(until, certificate.final_before(self._calendar, now, one.chart.interval))))
        return wanted, collection.gaps(connection, self._calendar, one.chart, wanted)

    def _take(  # noqa: PLR0917 - what a page is and where it goes
        self,
        connection: sqlite3.Connection,
        chart: Chart,
        bars: Sequence[Bar],
        proof: Proof,
        wanted: Span,
        now: int,
    ) -> Taken:
        return collection.take(connection, self._calendar, chart, bars, proof, wanted, now)

    def _note(self, one: Collected, page: Page, taken: Taken, way: Paging, spent: int) -> None:
        one.take(taken)
        now = self.desk.clock.now()
        self._outlook.page(one.chart, Span(page.since if page.last else way.reach, page.since), now, spent)
        if page.last and page.bars:
            self._outlook.ends(one.chart, page.since, now)
        self._look(one, f"back to {when(page.since)[:16]}")

    def _look(self, one: Collected, note: str, *, over: bool = False) -> None:
        outlook = self._outlook
        self._show.show(
            f"{one.chart.symbol} {length(one.chart.interval)} {one.name}".strip(),
            one.pages,
            outlook.left[one.chart],
            all_done=outlook.done,
            all_left=outlook.all_left,
            seconds=outlook.seconds(self.desk.clock.now()),
            note=note,
            over=over,
        )

    def _figures(self) -> dict[str, Any]:
        told = {name: value for name, value in totals(self._charts).items() if name != "charts"}
        return told | {"left": self._outlook.all_left}

    async def _store(self, database: Database, work: Callable[[sqlite3.Connection], Value]) -> Value:
        """In one transaction, and stored when this returns; a recorder may be writing to the same file."""
        for _ in range(_LOCKED):
            try:
                return await database.run(work)
            except DatabaseLocked as error:
                self.desk.log.warning("waiting for the file", reason=str(error))
                await self.desk.clock.sleep(1.0)
        return await database.run(work)

    def _closing_hour(self) -> Span | None:
        """The market's hours where it is open and nothing may be asked."""
        return None if self._in_session else paging.market_hours(self._calendar, self.desk.clock.now())

    async def _wait_for_the_close(self) -> None:
        hours = self._closing_hour()
        if hours is not None:
            self._show.say(f"the market is open: waiting until {when(hours.until)[11:16]}, or set in_session = true")
            await self.desk.clock.sleep((hours.until - self.desk.clock.now()) / SECOND)

    async def _look_at(self, database: Database, one: Collected) -> list[Span]:
        """How a chart stands, by its certificates; what is left to be asked of it comes back."""
        gaps = await self._store(database, partial(self._reckon, one=one))
        self._unknown.pop(one.chart, None)
        return gaps

    async def _reckon_all(self, database: Database) -> None:
        clock = asyncio.get_running_loop().time
        until = clock() + _LAST_LOOK
        for one in list(self._unknown.values()):
            if clock() >= until:
                one.failed = one.failed or "interrupted before it was looked at; start it again and it goes on"
                continue
            try:
                await database.run(partial(self._reckon, one=one))
                del self._unknown[one.chart]
            except DatabaseError as error:
                one.failed = one.failed or _unstored(error)
        for one in self._charts:
            if one.wanting and not one.failed:
                one.failed = self._unfinished

    def _reckon(self, connection: sqlite3.Connection, one: Collected) -> list[Span]:
        wanted, gaps = self._plan(connection, one)
        one.asked, one.wanting = wanted.since, bool(gaps)
        one.since, one.until = possible = bounds(connection, one.chart, wanted)
        one.standing = standing_of(connection, self._calendar, one.chart, possible)
        if one.factors:
            one.left_aside = not_offered_anew(connection, one.chart)
        return gaps

    def _tell(self) -> None:
        vitals, clock = self._vitals, self.desk.clock
        number, head = vitals.journal_head()
        summary = {
            "run": vitals.run,
            "config": str(vitals.config),
            "config_digest": vitals.digest,
            "seed": vitals.seed,
            "time": vitals.time_kind,
            "started": when(self._began)[:19],
            "ended": when(clock.now())[:19],
            "stopped": vitals.stopping or "stopped",
            **totals(self._charts),
            "wall_s": round(vitals.wall_s, 3),
            "cpu_s": round(vitals.cpu_s, 3),
            "memory_mb": round(peak_memory_mb(), 1),
            "journal_number": number,
            "journal_head": head,
        }
        vitals.summary = clean_object(summary)
        vitals.closing = f"collected in {self._path}\n{report(self._charts)}"
        try:
            (vitals.run_folder / "summary.json").write_bytes(msgspec.json.format(msgspec.json.encode(vitals.summary)))
        except OSError as error:
            self.desk.log.error("the summary is not written", reason=str(error))


def _unstored(error: DatabaseError) -> str:
    return f"nothing can be stored: {error}"


def _proof(page: Page, *, dated: bool) -> Proof:
    return Proof(
        span=Span(page.since, page.until),
        holes=tuple(Span(*hole) for hole in page.holes),
        first=page.newest,
        last=page.last,
        dated=dated,
        rows=page.rows,
        digest=page.digest,
    )


def _instant(key: str, day: str, after: int = 0) -> int | None:
    """The midnight before a day, or so many days later; None where it is blank."""
    try:
        return at(dt.date.fromisoformat(day) + dt.timedelta(days=after)) if day else None
    except ValueError:
        raise ValueError(f"{key} = {day!r}: no such day") from None
