"""The recorder stores prices, bars, events and the state of every order, in batches, by one writer."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

from actors.market.storage import events, indications, loose, retention, store
from actors.market.storage.events import Event, MarketEvent
from actors.market.storage.indications import Indication
from actors.market.storage.loose import EVER, Kind, Stored
from actors.market.storage.order_states import LIVE, OrderStates
from actors.market.storage.retention import Chores
from actors.market.storage.sampling import Sampling
from actors.market.storage.waiting import TOGETHER, Waiting
from actors.market.time import SECOND, kst
from messages import (
    Bar,
    FeedEnded,
    Instrument,
    MailboxOverflowed,
    MailboxRecovered,
    Message,
    OrderBook,
    OrderEvent,
    OrderIntent,
    OrderRefused,
    Session,
    SessionChanged,
    Tick,
)
from runtime.actor import Actor, handles
from runtime.disk.database import Database
from runtime.disk.errors import DatabaseError
from runtime.envelope import Envelope
from runtime.settings.bounds import Count, Seconds, Several, Span

_PIECES = store.CHUNK // TOGETHER
"""Of a transaction."""
Write = Callable[[sqlite3.Connection, Iterable[Any]], None]


class Recorder(Actor, publishes=(MailboxOverflowed, MailboxRecovered)):
    """Writes to market.sqlite in the data folder each `period` seconds; a minute suits simulated time.

    Events are what a replay needs besides prices: sessions, interruptions, halts, and who entered or left a search.
    Indications are expected prices, best quotes, after-hours books and index values, as far as the feed sends them.

    Up to `backlog` messages of a kind wait for the disk; more are lost, counted in the table `gaps` and said
    as an overflow of this actor. With `books_every` one book of a code is stored in so many seconds, and the last one
    before nothing came for as long; 0 stores every one; how many it left out is in the table `sampling`. Prints are
    never left out. When the day or the feed ends, the day is packed into blocks. Of the days with ticks, or with
    books, the newest `keep_ticks` and `keep_books` stay, and of indications as many as of ticks; 0 keeps all. Bars
    shorter than a minute go with the ticks they were made of.
    """

    def __init__(
        self,
        data: Path,
        *,
        period: Span = 1.0,
        backlog: Several = 400_000,
        books_every: Seconds = 0.0,
        keep_ticks: Count = 0,
        keep_books: Count = 0,
    ) -> None:
        self.lost: dict[str, int] = {}
        """By kind, since the last time everything could be stored."""
        self._path = data / store.FILE
        self._period = self._pause = period
        self._backlog = backlog
        self._sampling = Sampling(round(books_every * SECOND)) if books_every else None
        self._began = 0
        self._keep: dict[Kind, int] = {**dict.fromkeys(store.KINDS, keep_ticks), "books": keep_books}
        self._ticks = Waiting("ticks")
        self._books = Waiting("books")
        self._sampled: list[Envelope] = []
        """Books to be stored that wait for those of lower numbers."""
        self._indications = {kind: Waiting(kind) for kind in indications.KINDS}
        self._bars: deque[Bar] = deque()
        self._events: deque[Event] = deque()
        self._instruments: list[tuple[str, Instrument]] = []
        self._orders = OrderStates()
        self._over = self._closing = False
        self._chores: Chores | None = None
        self._something = asyncio.Event()
        self._stopping: asyncio.Future[None]
        self._written: asyncio.Future[None]

    def on_start(self) -> None:
        loop = asyncio.get_running_loop()
        self._began = self.desk.clock.now()
        self._stopping, self._written = loop.create_future(), loop.create_future()
        self.spawn(self._write())

    async def on_stop(self) -> None:
        self._stopping.set_result(None)
        self._something.set()
        await self._written
        if self._sampling is not None:
            self.desk.log.info("books were sampled", stored=self._sampling.kept, left_out=self._sampling.left_out)

    @handles
    def on_tick(self, tick: Tick) -> None:
        self._take(self._ticks, tick)

    @handles
    def on_book(self, book: OrderBook) -> None:
        if self._sampling is None:
            self._take(self._books, book)
            return
        envelope = self.desk.office.envelope
        assert envelope is not None
        self._keep_sampled(self._sampling.take(book, envelope))
        self._something.set()

    @handles
    def on_indication(self, indication: Indication) -> None:
        self._take(self._indications[indications.kind_of(indication)], indication)

    @handles
    def on_bar(self, bar: Bar) -> None:
        if len(self._bars) < self._backlog:
            self._bars.append(bar)
            self._something.set()
        else:
            self._lose(bar)

    @handles
    def on_instrument(self, instrument: Instrument) -> None:
        self._instruments.append((kst(self.desk.clock.now()).date().isoformat(), instrument))
        self._something.set()

    @handles
    def on_intent(self, intent: OrderIntent) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        self._orders.wanted(envelope.number, envelope.time, intent)
        self._something.set()

    @handles
    def on_order(self, event: OrderEvent | OrderRefused) -> None:
        self._orders.take(self.desk.clock.now(), event)
        self._something.set()

    @handles
    def on_event(self, event: MarketEvent) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        self._over = self._over or _ends_the_day(event)
        self._something.set()
        if len(self._events) < self._backlog:
            self._events.append(Event(envelope.time, envelope.number, event))
        else:
            self._lose(event)

    @handles
    def on_feed_ended(self, _: FeedEnded) -> None:
        self._over = True
        self._something.set()

    def _take(self, waiting: Waiting, message: Stored) -> None:
        envelope = self.desk.office.envelope
        assert envelope is not None
        if waiting.rows < self._backlog:
            waiting.add(envelope)
            self._something.set()
        else:
            self._lose(message)

    def _keep_sampled(self, envelopes: Iterable[Envelope]) -> None:
        for envelope in envelopes:
            if self._books.rows + len(self._sampled) < self._backlog:
                self._sampled.append(envelope)
            else:
                self._lose(envelope.message)

    def _lose(self, message: Message) -> None:
        kind = type(message).__name__
        lost = self.lost[kind] = self.lost.get(kind, 0) + 1
        if lost == 1:
            self.publish(MailboxOverflowed(actor=self.desk.name, subject=kind, refused=1))

    async def _write(self) -> None:
        try:
            async with self._opened() as database:
                await database.submit(retention.prepare)
                self._orders.load(await database.execute(LIVE))
                self._tidy_up(before=retention.midnight(self._began))
                last = False
                while not last:
                    await self._something.wait()
                    await self._sleep()
                    self._something.clear()
                    last = self._stopping.done()
                    await self._store(database)
        finally:
            self._written.set_result(None)

    def _opened(self) -> Database:
        return Database(
            self._path,
            migrations=store.MIGRATIONS,
            page_size=store.PAGE_SIZE,
            clock=self.desk.clock,
            commit_every=self._period,
            inline=self.desk.clock.name == "stepped",  # a day in a minute: two threads would fight for Python's lock
        )

    async def _sleep(self) -> None:
        """What tidying took of the time is over."""
        pause, self._pause = self._pause, self._period
        with suppress(TimeoutError):
            await self.desk.clock.wait(self._stopping, pause)

    async def _store(self, database: Database) -> None:
        try:
            await self._store_orders(database)
            await self._drain(database, self._events, events.write)
            await self._store_prices(database, self._ticks)
            self._release_books()
            for waiting in (self._books, *self._indications.values()):
                await self._store_prices(database, waiting)
            await self._drain(database, self._bars, store.write_bars)
            await self._recover(database)
            await self._note_sampling(database)
            await self._tidy(database)
        except DatabaseError as error:
            others = sum(waiting.rows for waiting in self._indications.values())
            books = self._books.rows + len(self._sampled)
            prices = {"ticks": self._ticks.rows, "books": books, "indications": others}
            waiting = {"events": len(self._events), **prices, "bars": len(self._bars)}
            self._something.set()
            what = "the last could not be stored" if self._stopping.done() else "nothing can be stored now; it waits"
            self.desk.log.error(what, reason=str(error), **waiting)

    def _release_books(self) -> None:
        if self._sampling is None:
            return
        ended = self._over or self._stopping.done()
        self._keep_sampled(self._sampling.due(EVER if ended else self.desk.clock.now()))
        for envelope in sorted(self._sampled, key=attrgetter("number")):
            self._books.add(envelope)
        self._sampled.clear()
        if self._sampling.holds:
            self._something.set()

    async def _drain(self, database: Database, waiting: deque[Any], write: Write) -> None:
        """What waits now: what comes meanwhile must not keep the other kinds waiting."""
        left = len(waiting)
        while left:
            chunk = list(islice(waiting, min(left, store.CHUNK)))
            await database.run(partial(_run, write, chunk))
            left -= len(chunk)
            for _ in chunk:
                waiting.popleft()

    async def _store_prices(self, database: Database, waiting: Waiting) -> None:
        """What waits now, as below."""
        waiting.seal()
        left = len(waiting.pieces)
        while left:
            pieces = list(islice(waiting.pieces, min(left, _PIECES)))
            await database.run(partial(loose.write, kind=waiting.kind, pieces=pieces))
            waiting.stored(pieces)
            left -= len(pieces)

    async def _store_orders(self, database: Database) -> None:
        instruments, self._instruments = self._instruments, []
        rows = self._orders.taken()
        if not rows and not instruments:
            return
        try:
            await database.run(partial(_write_few, rows, instruments))
        except DatabaseError:
            self._instruments = [*instruments, *self._instruments]
            self._orders.give_back(rows)
            raise

    async def _recover(self, database: Database) -> None:
        lost, self.lost = self.lost, {}
        if lost:
            await database.run(partial(_write_gaps, self.desk.clock.now(), lost))
            self.publish(MailboxRecovered(actor=self.desk.name, subjects=tuple(lost)))

    async def _note_sampling(self, database: Database) -> None:
        if self._sampling is not None:
            sampling = self._sampling
            so_far = (self._began, self.desk.clock.now(), sampling.every, sampling.kept, sampling.left_out)
            await database.run(partial(store.write_sampling, row=so_far))

    def _tidy_up(self, before: int = EVER) -> None:
        self._chores = Chores(retention.newest(self._keep, self.desk.clock.now), before)
        self._something.set()

    async def _tidy(self, database: Database) -> None:
        """Until the next batch is due; to the end where the day is over and nothing more will come."""
        if self._over:
            self._over, self._closing = False, True
            self._tidy_up()
        until = self.desk.clock.now() + round(self._period * SECOND)
        while self._chores is not None and (self.desk.clock.now() < until or (self._closing and self._stopping.done())):
            if not await database.run(self._chores.step):
                self._chores, self._closing = None, False
            await asyncio.sleep(0)  # where the writer has no thread of its own, others have their turn here
        if self._chores is not None:
            self._something.set()
        left = (until - self.desk.clock.now()) / SECOND
        self._pause = min(max(left, 0.0), self._period)  # whatever was set back meanwhile


def _ends_the_day(event: MarketEvent) -> bool:
    return isinstance(event, SessionChanged) and event.session is Session.CLOSED_FOR_DAY and not event.remaining


def _run(write: Write, rows: Iterable[Any], connection: sqlite3.Connection) -> None:
    write(connection, rows)


def _write_few(
    orders: list[tuple[Any, ...]],
    instruments: list[tuple[str, Instrument]],
    connection: sqlite3.Connection,
) -> None:
    store.write_orders(connection, orders)
    for day, instrument in instruments:
        store.write_instruments(connection, day, [instrument])


def _write_gaps(time: int, lost: dict[str, int], connection: sqlite3.Connection) -> None:
    for subject, count in lost.items():
        store.write_gap(connection, time, subject, count)
