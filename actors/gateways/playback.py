"""The order in which a recording happens: its records, what was recorded besides, sessions; bars as a feed has them."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Final

from actors.gateways.agenda import Agenda
from actors.market.calendar import Calendar, UnknownDayError
from actors.market.storage import store
from actors.market.storage.events import Event, MarketEvent
from actors.market.storage.history import History
from actors.market.storage.loose import Stored
from actors.market.time import SECOND, at, kst
from messages import Aggressor, Bar, Nanoseconds, OrderBook, Session, SessionChanged, Shares, Symbol, Tick, Venue, Won

Played = Stored | Bar | MarketEvent
DAY: Final = 86_400 * SECOND


class Playback:
    """Walks through the days of a history that have records; `Agenda` says what each has besides.

    A bar is known at its end; what was recorded while it ran comes behind it.
    """

    def __init__(self, history: History, symbols: Sequence[Symbol], interval: int, span: tuple[int, int]) -> None:
        self._history = history
        self._symbols = symbols
        self._interval = interval
        self._span = span
        self._calendar = Calendar()

    def batches(self, length: int) -> Iterator[tuple[int, list[Played]]]:
        """What happens within each `length` nanoseconds, with the end of that time."""
        for due, events in groupby(self.events(), key=lambda event: -(-event[0] // length) * length):
            yield due, list(map(itemgetter(1), events))

    def events(self) -> Iterator[tuple[int, Played]]:
        """Each record and whatever else happened, with its time, which never falls."""
        agenda = Agenda((), ())
        midnight = last = -DAY
        for time, begun, number, record in self._records():
            if not midnight <= begun < midnight + DAY:
                yield from _not_before(last, agenda.rest(last))
                day = kst(begun).date()
                midnight = at(day)
                agenda = self._agenda(day)
            yield from _not_before(last, agenda.before(begun, number))
            last = time
            yield time, record
        yield from _not_before(last, agenda.rest(last))

    def _records(self) -> Iterator[tuple[int, int, int, Stored | Bar]]:
        if self._interval:
            for bar in self._history.bar_messages(self._symbols, self._interval, *self._span):
                yield bar.time + self._interval * SECOND, bar.time, 0, bar
        else:
            for number, message in _with_prices(self._history.numbered(self._symbols, *self._span, store.KINDS)):
                yield message.received, message.received, number, message

    def _agenda(self, day: dt.date) -> Agenda:
        told = self._history.events(self._symbols, at(day), at(day) + DAY)
        return Agenda(told, self._phases(day), charted=self._interval > 0)

    def _phases(self, date: dt.date) -> list[SessionChanged]:
        try:
            day = self._calendar.day(date)
        except UnknownDayError:
            day = None
        if day is None:
            return []
        sessions = [SessionChanged(session=p.session, time=p.start) for p in day.phases if p.start < day.close]
        return [*sessions, SessionChanged(session=Session.CLOSED_FOR_DAY, time=day.close)]


def _with_prices(numbered: Iterable[tuple[int, Stored]]) -> Iterator[tuple[int, Stored]]:
    """Indications wait for the day's first print or book: a day without any is not played."""
    waiting: list[tuple[int, Stored]] = []
    played = told = -1
    for number, message in numbered:
        day = (message.received + store.KST_OFFSET) // store.DAY
        if day != played and not isinstance(message, Tick | OrderBook):
            if day != told:
                waiting, told = [], day
            waiting.append((number, message))
            continue
        if day == told:
            yield from waiting
        waiting, played, told = [], day, -1
        yield number, message


def _not_before(last: int, events: Iterable[Event]) -> Iterator[tuple[int, MarketEvent]]:
    for event in events:
        yield max(event.time, last), event.message


class BarFeed:
    """Gives each bar as a feed would: a tick of size 0 with its close and the day so far, then the bar."""

    def __init__(self) -> None:
        self._days: dict[tuple[Symbol, Venue], tuple[int, Tick]] = {}

    def given(self, bar: Bar) -> tuple[Tick, Bar]:
        time = Nanoseconds(bar.time + bar.interval * SECOND)
        day = (bar.time + 9 * 3_600 * SECOND) // DAY
        known, before = self._days.get((bar.symbol, bar.venue), (-1, None))
        same = before if known == day else None
        tick = Tick(
            symbol=bar.symbol,
            venue=bar.venue,
            time=time,
            received=time,
            price=bar.close,
            size=Shares(0),
            side=Aggressor.NONE,
            volume=Shares(bar.volume + (same.volume if same else 0)),
            value=Won((bar.value or bar.close * bar.volume) + (same.value if same else 0)),
            ask=Won(0),
            bid=Won(0),
            open=same.open if same else bar.open,
            high=max(bar.high, same.high) if same else bar.high,
            low=min(bar.low, same.low) if same else bar.low,
            strength=0.0,
        )
        self._days[bar.symbol, bar.venue] = (day, tick)
        return tick, bar
