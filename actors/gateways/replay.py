"""A recording through the port: what was recorded or imported, in time order, moving a simulated clock."""

import datetime as dt
import sqlite3
from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Self

from actors.gateways.agenda import CLOSING
from actors.gateways.playback import DAY, BarFeed, Playback, Played
from actors.gateways.port import FeedMessage
from actors.market import krx
from actors.market.calendar import Calendar, UnknownDayError
from actors.market.files import imports, recordings
from actors.market.storage import indications, store
from actors.market.storage.events import MarketEvent
from actors.market.storage.history import EVER, History
from actors.market.storage.loose import Stored
from actors.market.time import SECOND, at, kst
from actors.market.venues import HOME, spell, split
from messages import (
    Bar,
    FeedEnded,
    IndexTick,
    Instrument,
    Market,
    Nanoseconds,
    OrderBook,
    Ranked,
    Symbol,
    Tick,
    Won,
)
from runtime.clock import Clock
from runtime.disk.errors import DatabaseError
from runtime.disk.reading import reading
from runtime.settings.bounds import Code, Count, Day, Span
from runtime.settings.config import ConfigError


class ReplayGateway:
    """Feed and Reference over recordings.

    `source` is a data folder, a market.sqlite, or files that `import` reads. With `bars` = 0 ticks, books and
    indications are played, otherwise bars of so many seconds (under a day), each at its end: first a tick of size 0
    that carries the close, then the bar. Sessions, interruptions, halts and condition searches come as they were
    recorded, sessions from the calendar where they were not; then a day is closed only after the prints of its closing
    auction. `since` and `until` are dates, both played. Records within `batch` seconds come together, at the end of
    that time. A code names its venue, as on a live feed. What two runs wrote into one store is played once; the second
    of each counts as rejected. Base prices that were not recorded are the last close before the day, or the first
    price. It is played in its own time: on any other clock bars would not close when they did.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        source: str | list[str],
        symbols: Sequence[Code] = (),
        bars: Count = 0,
        since: Day = "",
        until: Day = "",
        batch: Span = 0.1,
        market: Market = Market.KOSPI,
        markets: dict[Code, Market] | None = None,
    ) -> None:
        if not 0 <= bars * SECOND < DAY:
            raise ValueError(f"bars = {bars}: 0 for ticks, or seconds of less than a day")
        if clock.name != "simulated":
            raise ValueError('source: a recording is played in its own time; set time = "simulated"')
        self._clock = clock
        self._places = [Path(place) for place in ([source] if isinstance(source, str) else source)]
        self._symbols = list(dict.fromkeys(split(code)[0] for code in symbols))
        self._interval = bars
        self._span = (_midnight("since", since, 0), _midnight("until", until, EVER - DAY) + DAY)
        self.batch = batch
        self._market = market
        self._markets = markets or {}
        self._bars = BarFeed()
        self._calendar = Calendar()
        self._opened = ExitStack()
        self._history: History | None = None
        self._trades: Collection[Symbol] = ()
        self._books: Collection[Symbol] = ()
        self._value: dict[Symbol, int] = {}
        self._instant = 0
        self._seen: set[Stored] = set()
        self._recorded: dict[Symbol, int] = {}
        self._records = self._rejected = self._out_of_order = 0

    async def __aenter__(self) -> Self:
        self._open()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._opened.close()

    def begins(self) -> int | None:
        """Start of the first day's first session, nanoseconds. Raises ConfigError where there is nothing."""
        try:
            first = next(self._playback().events(), None)
        except sqlite3.Error as error:
            mend = "give a data folder, its market.sqlite, or files"
            raise ConfigError(f"{self._places[0]} cannot be replayed: {error}; {mend}") from error
        except DatabaseError as error:
            raise ConfigError(f"nothing can be replayed: {error}") from error
        if first is None:
            raise ConfigError(f"{self._places[0]}: nothing to replay; import something, or mend symbols, bars, since")
        return first[0]

    def watch(self, trades: Collection[Symbol], books: Collection[Symbol]) -> None:
        self._trades = frozenset(trades)
        self._books = frozenset(books)

    async def stream(self) -> AsyncIterator[Sequence[FeedMessage]]:
        for due, messages in self._playback().batches(round(self.batch * SECOND)):
            if (left := due - self._clock.now()) > 0:
                await self._clock.sleep(left / SECOND)
            wanted = [given for message in messages for given in self._given(message)]
            if wanted:
                yield wanted
        yield [self._ended()]

    async def instruments(self, symbols: Collection[Symbol]) -> Sequence[Instrument]:
        history = self._open()
        day = kst(self._clock.now()).date()
        recorded = history.instruments(day)
        known = self._known(history)
        wanted = [symbol for symbol in symbols or known if symbol in known]
        return [recorded.get(symbol) or self._instrument(history, symbol, day) for symbol in wanted]

    async def ranking(self, count: int) -> Sequence[Ranked]:
        value = self._known(self._open()) | self._value
        ordered = sorted(value, key=lambda symbol: (-value[symbol], symbol))
        return [Ranked(symbol=s, rank=rank, value=Won(value[s])) for rank, s in enumerate(ordered[:count], 1)]

    def _known(self, history: History) -> dict[Symbol, int]:
        """Every code of the recording, with no trading value yet; looked up once."""
        if not self._recorded:
            contents = history.contents()
            self._recorded = {content.symbol: 0 for content in contents if content.kind not in indications.KINDS}
        return self._recorded

    def _playback(self) -> Playback:
        return Playback(self._open(), self._symbols, self._interval, self._span)

    def _open(self) -> History:
        if self._history is None:
            stored = [place for place in self._places if place.is_dir() or _is_store(place)]
            if stored and len(self._places) > 1:
                raise ConfigError(f"{stored[0]}: one data folder, or several files; import the files into it")
            self._history = History(stored[0]) if stored else History.over(self._read_files())
            self._opened.callback(self._history.close)
        return self._history

    def _read_files(self) -> sqlite3.Connection:
        with ExitStack() as opened:
            connection = opened.enter_context(closing(sqlite3.connect(":memory:", isolation_level=None)))
            for migration in store.MIGRATIONS:
                connection.executescript(migration)
            for place in self._places:
                self._read_file(place, connection)
            opened.pop_all()
            return connection

    def _read_file(self, place: Path, connection: sqlite3.Connection) -> None:
        try:
            recording = imports.load(place, recordings.Terms())(connection).recording
        except (recordings.Unrecognised, OSError) as error:
            raise ConfigError(f"{place} cannot be replayed: {error}") from error
        self._rejected += recording.rejected.total()
        self._out_of_order += recording.out_of_order

    def _given(self, message: Played) -> Iterable[FeedMessage]:
        if isinstance(message, MarketEvent):
            return (message,)
        if not self._is_watched(message):
            return ()
        if not isinstance(message, Bar) and self._is_repeated(message):
            self._rejected += 1
            return ()
        self._records += 1
        if isinstance(message, Bar):
            tick, bar = self._bars.given(message)
            self._rank(tick)
            return tick, bar
        if isinstance(message, Tick):
            self._rank(message)
        return (message,)

    def _is_watched(self, message: Stored | Bar) -> bool:
        if isinstance(message, IndexTick):
            return True
        watched = self._books if isinstance(message, OrderBook) else self._trades
        return spell(message.symbol, message.venue) in watched

    def _is_repeated(self, message: Stored) -> bool:
        """Two runs that played one recording may have written it into one store."""
        if message.received != self._instant:
            self._instant = message.received
            self._seen.clear()
        if message in self._seen:
            return not isinstance(message, Tick) or message.volume > 0
        self._seen.add(message)
        return False

    def _rank(self, tick: Tick) -> None:
        if tick.venue is HOME:
            self._value[tick.symbol] = tick.value

    def _ended(self) -> FeedEnded:
        return FeedEnded(
            feed="replay",
            time=Nanoseconds(self._clock.now()),
            records=self._records,
            rejected=self._rejected,
            out_of_order=self._out_of_order,
        )

    def _instrument(self, history: History, symbol: Symbol, day: dt.date) -> Instrument:
        name, listed = history.issues().get(symbol, ("", ""))
        market = self._markets.get(symbol) or (Market(listed) if listed else self._market)
        base = history.price_before(symbol, self._closed_before(day)) or history.open_after(symbol, at(day))
        lower, upper = krx.price_limits(base, market, day) if base else (Won(0), Won(0))
        return Instrument(
            symbol=symbol,
            name=name or symbol,
            market=market,
            base_price=Won(base),
            upper_limit=upper,
            lower_limit=lower,
        )

    def _closed_before(self, day: dt.date) -> int:
        """What trades later than this after a close is no close."""
        try:
            return self._calendar.previous_day(day).close + CLOSING
        except UnknownDayError:
            return at(day)


def _is_store(file: Path) -> bool:
    """A file with a table per code may have the same ending."""
    if file.suffix != ".sqlite" or not file.is_file():
        return file.suffix == ".sqlite"
    with closing(reading(file)) as connection:
        return connection.execute("SELECT 1 FROM sqlite_master WHERE name IN ('meta', 'blocks')").fetchone() is not None


def _midnight(key: str, text: str, otherwise: int) -> int:
    if not text:
        return otherwise
    try:
        return at(dt.date.fromisoformat(text))
    except ValueError:
        raise ValueError(f"{key} = {text!r} is no date; write 2025-09-02") from None
