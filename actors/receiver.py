"""The receiver publishes what a feed gives, folds prints into bars, and decides what the feed watches."""

import asyncio
import datetime as dt
from collections.abc import Container, Sequence
from contextlib import suppress
from typing import ClassVar, Final, Protocol, get_args

import msgspec

from actors.gateways.port import Feed, FeedMessage, Reference
from actors.market.bars import BarBuilder
from actors.market.lateness import Lateness
from actors.market.lines import Line
from actors.market.losses import Losses
from actors.market.storage.pivot import Past, begun
from actors.market.time import SECOND, kst
from actors.market.venues import split
from actors.market.wants import Ended, Wants, Wish
from messages import (
    Bar,
    DataLost,
    DataRestored,
    FeedEnded,
    FeedLost,
    Message,
    Nanoseconds,
    OrderBook,
    OrderCanceled,
    RunStarted,
    SessionChanged,
    StopSystem,
    Symbol,
    Tick,
    Venue,
)
from runtime.actor import Actor, handles
from runtime.disk.errors import DatabaseError
from runtime.life.vitals import Vitals
from runtime.settings.bounds import Code, Count, Seconds, Several

_Key = tuple[Symbol, Venue]
_EVER: Final = 1 << 62
_COUNTS: Final = ("ticks", "books", "bars", "out_of_order", "repeated", "lost_shares", "late_prints", "unknown_codes")
_TELL_WITHIN: Final = 0.2
"""Seconds from the first print that shows a loss, in which those of other issues join it."""
_TELL_EACH: Final = 0.8
_AT_ONCE: Final = 1.0
"""Seconds that prices wait for the day's data of their issues."""


class _CloseBars(Message):
    journalled: ClassVar = False


class _Register(Message):
    journalled: ClassVar = False


class _TellLosses(Message):
    journalled: ClassVar = False


class MarketFeed(Feed, Reference, Protocol):
    """What a receiver needs of a gateway."""


class Receiver(
    Actor,
    core=True,
    publishes=(*get_args(FeedMessage), DataLost, DataRestored, StopSystem),
):
    """Reads one feed from the moment the run has started.

    `intervals` are the bars it builds, in seconds; one that traded is published `grace` seconds after its end, or as
    much later as all prints come late, so that those on their way still belong to it. Trades are watched for every
    code of every universe, of `symbols`, held or with an open order, of earlier runs as well; books for the first
    `books` of them, held and ordered ones first.
    `settle` is the least time between two registrations. A tick of size 0 carries a price and no trade.
    With `whole_market` the trades of every listed code are watched, after all others.
    Volume that no print carried is told as `DataLost` within a second of the print that shows it, and each second
    again while more is missing; after `calm` seconds without a loss the issue counts as complete again.
    """

    def __init__(
        self,
        feed: MarketFeed,
        vitals: Vitals | None = None,
        *,
        symbols: Sequence[Code] = (),
        intervals: Sequence[Several] = (1, 60),
        grace: Seconds = 0.2,
        books: Count = 100,
        settle: Seconds = 1.0,
        calm: Seconds = 10.0,
        whole_market: bool = False,
        stop_at_end: bool = True,
    ) -> None:
        self.counts: dict[str, int] = dict.fromkeys(_COUNTS, 0)
        """`lost_shares`: volume the accumulated figure says, which no print of ours carried. `late_prints`: too late
        for a bar, or in an interval not seen from its start, once for each interval. `repeated`: seen before."""
        self._feed = feed
        self._vitals = vitals
        self._wants = Wants([Symbol(code) for code in symbols])
        self._intervals = tuple(intervals)
        self._grace = round(grace * SECOND)
        self._books = books
        self._settle = settle
        self._stop_at_end = stop_at_end
        self._everything = whole_market
        self._lines: dict[_Key, Line] = {}
        self._announced: dict[Symbol, None] = {}
        self._unfinished: dict[BarBuilder, None] = {}
        self._day = dt.date.min
        self._losses = Losses(calm)
        self._past = Past()
        self._lateness = Lateness()
        self._registering = self._closing = self._telling = False
        self._registered: tuple[list[Symbol], list[Symbol]] | None = None

    @handles
    def on_run_started(self, _: RunStarted) -> None:
        self._register()
        self.spawn(self._read())
        if self._everything:
            self.spawn(self._list_market())

    def on_start(self) -> None:
        if self._vitals is not None:
            self._vitals.add(self.desk.name, self.counts.copy)
        try:
            self._past = Past.stored(self.desk.data, self.desk.clock.now(), max(self._intervals, default=0))
        except DatabaseError as error:
            self.desk.log.warning("what was stored cannot be read: no bar of this minute", reason=str(error))

    def on_stop(self) -> None:
        self.desk.log.info("received", **self.counts)

    @handles
    def on_wish(self, message: Wish) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        self._wants.fold(message, envelope.number)
        self._ask()

    @handles
    def on_order_ended(self, event: Ended) -> None:
        if not (isinstance(event, OrderCanceled) and event.open):
            self._wants.end(event)

    @handles
    def on_close_bars(self, _: _CloseBars) -> None:
        self._closing = False
        self._close_bars(self.desk.clock.now() - self._grace - self._lateness.behind)
        if self._unfinished:
            self._close_bars_later()

    @handles
    def on_register(self, _: _Register) -> None:
        self._registering = False
        self._register()
        self.spawn(self._announce())

    @handles
    def on_tell_losses(self, _: _TellLosses) -> None:
        self._tell_losses()
        self._telling = bool(self._losses)
        if self._telling:
            self.after(_TELL_EACH, _TellLosses())

    async def _read(self) -> None:
        stream = self._feed.stream()  # before all else: what comes until it is read waits there
        await self._announce_at_once()
        async for batch in stream:
            for message in batch:
                kind = type(message)
                if kind is Tick:
                    self._take_tick(message)  # type: ignore[arg-type]
                elif kind is OrderBook:
                    self.counts["books"] += 1
                    self.publish(message)
                else:
                    await self._take(message)

    async def _take(self, message: FeedMessage) -> None:
        match message:
            case FeedEnded():
                self._end(message)
            case SessionChanged():
                self.publish(message)
                if self._is_new_day():
                    await self._announce_at_once()
            case Bar():
                self._line(message).charted = True
                self._publish_bar(message)
            case FeedLost():
                self._cut()
                self.publish(message)
            case _:
                self.publish(message)

    def _take_tick(self, tick: Tick) -> None:
        self.counts["ticks"] += 1
        self._lateness.note(tick.time, tick.received)
        line = self._lines.get((tick.symbol, tick.venue)) or self._line(tick)
        missing = 0 if line.charted else tick.volume - line.volume - tick.size
        repeated = False
        if tick.time < line.time or (missing < 0 and line.volume):
            self.counts["out_of_order"] += tick.time < line.time
            repeated = self._look_back(line, tick)
        else:
            if missing and line.volume and not line.is_over(tick):
                self._lose(line, tick)
            elif missing > 0:
                self._join_late(line, tick)
            line.time, line.volume = tick.time, tick.volume
        if tick.size and not repeated:
            for builder in line.builders:
                if not builder.fold(tick):
                    self._begin_bar(builder, tick)
        self.publish(tick)

    def _lose(self, line: Line, tick: Tick) -> None:
        first, last = line.volume, tick.volume - tick.size
        if line.cut:
            line.cut = False
            self._miss(line.builders, tick.time)
        self.counts["lost_shares"] += last - first
        self._losses.add((tick.symbol, tick.venue), first, last, self.desk.clock.now())
        if not self._telling:
            self._telling = True
            self.after(_TELL_WITHIN, _TellLosses())

    def _cut(self) -> None:
        """Nobody sees the rest of what is under way, nor the beginning of what follows where volume is missing."""
        for line in self._lines.values():
            line.cut = True
            self._miss(line.builders, self.desk.clock.now())

    def _miss(self, builders: Sequence[BarBuilder], instant: int) -> None:
        for builder in builders:
            done = builder.miss(instant)
            self._unfinished.pop(builder, None)
            if done is not None:
                self._publish_bar(done)

    def _join_late(self, line: Line, tick: Tick) -> None:
        """Before the first print seen others traded: a bar of the rest of their interval alone would not be true."""
        line.since = tick.volume - tick.size
        self._losses.forget((tick.symbol, tick.venue))
        stored = self._past.before(tick)
        for builder in line.builders:
            earlier = begun(stored, tick, builder.interval)
            if earlier is not None:
                for print_ in earlier:
                    self._begin_bar(builder, print_)
            else:
                self._miss([builder], tick.time)

    def _tell_losses(self) -> None:
        now = Nanoseconds(self.desk.clock.now())
        lost, restored = self._losses.told(), self._losses.over(now)
        if lost:
            self.publish(DataLost(time=now, rows=lost))
        if restored:
            self.publish(DataRestored(time=now, rows=restored))

    def _look_back(self, line: Line, tick: Tick) -> bool:
        """A print of the past fills a hole or came before, then True; where the volume fell, a new day has begun."""
        code, first = (tick.symbol, tick.venue), tick.volume - tick.size
        if line.is_over(tick):
            line.since, line.time, line.volume = 0, tick.time, tick.volume
            self._losses.forget(code)
            if first > 0:
                self._join_late(line, tick)
            return False
        filled = self._losses.fill(code, first, tick.volume)
        self.counts["lost_shares"] -= filled
        repeated = not filled and tick.size > 0 and line.volume > 0 and first >= line.since
        self.counts["repeated"] += repeated
        return repeated

    def _line(self, message: Tick | Bar) -> Line:
        key = message.symbol, message.venue
        return self._lines.setdefault(key, Line(*key, self._intervals))

    def _begin_bar(self, builder: BarBuilder, tick: Tick) -> None:
        late = builder.late
        done = builder.add(tick)
        if builder.late == late:
            self._unfinished[builder] = None
        else:
            self.counts["late_prints"] += 1
        if done is not None:
            self._publish_bar(done)
        if not self._closing:
            self._close_bars_later()

    def _close_bars(self, until: int) -> None:
        for builder in list(self._unfinished):
            bar = builder.due(until)
            if bar is not None:
                del self._unfinished[builder]
                self._publish_bar(bar)

    def _close_bars_later(self) -> None:
        self._closing = True
        past = (self.desk.clock.now() - self._grace - self._lateness.behind) % SECOND
        self.after((SECOND - past) / SECOND, _CloseBars())

    def _publish_bar(self, bar: Bar) -> None:
        self.counts["bars"] += 1
        self.publish(bar)

    def _end(self, ended: FeedEnded) -> None:
        self._close_bars(_EVER)
        self._tell_losses()
        out_of_order = ended.out_of_order + self.counts["out_of_order"]
        self.publish(msgspec.structs.replace(ended, out_of_order=out_of_order))
        if self._stop_at_end:
            self.publish(StopSystem(reason="the feed ended"))

    def _ask(self) -> None:
        if not self._registering:
            self._registering = True
            self.after(self._settle, _Register())

    def _register(self) -> None:
        wanted = self._wants.codes
        registration = (wanted, wanted[: self._books])
        if registration != self._registered:
            before = {split(code) for code in self._registered[0]} if self._registered else set[_Key]()
            now = {split(code) for code in wanted}
            self._turn_over(now - before, before - now)
            self._registered = registration
            self._feed.watch(*registration)

    def _turn_over(self, new: Container[_Key], gone: Container[_Key]) -> None:
        """What traded while nobody watched is not lost; of a bar whose rest nobody sees there is none."""
        for key, line in self._lines.items():
            if key in new:
                line.volume = 0
                self._losses.forget(key)
            elif key in gone:
                self._miss(line.builders, self.desk.clock.now())

    def _say_unknown(self, asked: Sequence[Symbol], found: Container[Symbol]) -> None:
        unknown = [symbol for symbol in asked if symbol not in found]
        self.counts["unknown_codes"] += len(unknown)
        if unknown:
            self.desk.log.warning("nothing is known of these codes: nothing is bought of them", codes=unknown)

    async def _list_market(self) -> None:
        try:
            found = await self._feed.instruments(())
        except (TimeoutError, ConnectionError) as error:
            self.desk.log.error("the market was not listed: only the universes are watched", reason=str(error))
            return
        self._announced |= {instrument.symbol: None for instrument in found}
        for instrument in found:
            self.publish(instrument)
        self._wants.rest = [instrument.symbol for instrument in found]
        self._ask()

    def _is_new_day(self) -> bool:
        day = kst(self.desk.clock.now()).date()
        if day == self._day:
            return False
        self._day = day
        self._announced = {}
        return True

    def _unannounced(self) -> list[Symbol]:
        self._is_new_day()
        wanted = dict.fromkeys(split(code)[0] for code in self._wants.codes)
        return [symbol for symbol in wanted if symbol not in self._announced]

    async def _announce_at_once(self) -> None:
        """Before the prices, which do not wait for it long: who guards a holding needs them."""
        if self._unannounced():
            told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.spawn(self._announce(told))
            with suppress(TimeoutError):
                await self.desk.clock.wait(told, _AT_ONCE)

    async def _announce(self, told: asyncio.Future[None] | None = None) -> None:
        new = self._unannounced()
        self._announced |= dict.fromkeys(new)
        try:
            found = await self._feed.instruments(new) if new else ()
            for instrument in found:
                self.publish(instrument)
            self._say_unknown(new, {instrument.symbol for instrument in found})
        except (TimeoutError, ConnectionError) as error:
            self.desk.log.warning("the day's data of new codes did not come", codes=new, reason=str(error))
            self._announced = {symbol: None for symbol in self._announced if symbol not in new}
            self._ask()
        if told is not None:
            told.set_result(None)
