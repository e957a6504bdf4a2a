"""Which days a venue trades, and from when to when each part of such a day lasts."""

import datetime as dt
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from actors.market.time import at, kst
from messages import Nanoseconds, Session, Venue

_TABLE = Path(__file__).with_suffix(".toml")
_DAY = dt.timedelta(days=1)
_TRADING = (Session.CONTINUOUS, Session.CLOSING_AUCTION)


class UnknownDayError(LookupError):
    """The table says nothing about that day."""


class Phase(NamedTuple):
    """A part of a day, its end excluded."""

    session: Session
    start: Nanoseconds
    end: Nanoseconds


class TradingDay(NamedTuple):
    """A day on which the venue trades; pauses between its phases belong to none of them."""

    date: dt.date
    phases: tuple[Phase, ...]

    @property
    def open(self) -> Nanoseconds:
        """Start of continuous trading."""
        return next(phase.start for phase in self.phases if phase.session is Session.CONTINUOUS)

    @property
    def close(self) -> Nanoseconds:
        """End of the last phase that makes the day's prices."""
        return next(phase.end for phase in reversed(self.phases) if phase.session in _TRADING)

    def session_at(self, instant: int) -> Session:
        """PRE_OPEN before the first phase, CLOSED in a pause, CLOSED_FOR_DAY after the last phase."""
        if instant < self.phases[0].start:
            return Session.PRE_OPEN
        if instant >= self.phases[-1].end:
            return Session.CLOSED_FOR_DAY
        return next((phase.session for phase in self.phases if phase.start <= instant < phase.end), Session.CLOSED)


_Part = tuple[Session, dt.time, dt.time]


class _Hours(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    venue: Venue
    since: dt.date
    normal: tuple[_Part, ...]
    new_year: tuple[_Part, ...]
    exam: tuple[_Part, ...]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    first: dt.date
    last: dt.date
    closed: frozenset[dt.date]
    exam_days: frozenset[dt.date]
    hours: tuple[_Hours, ...]


class Calendar:
    """The days of one venue, read from a table: ours, or a file of the same form."""

    def __init__(self, venue: Venue = Venue.KRX, table: Path = _TABLE) -> None:
        self._venue = venue
        self._table = _read(table)
        self._hours = sorted((h for h in self._table.hours if h.venue is venue), key=lambda h: h.since, reverse=True)
        self._days: dict[dt.date, TradingDay | None] = {}

    @property
    def first(self) -> dt.date:
        """The first day of which anything is known."""
        return max(self._table.first, min((hours.since for hours in self._hours), default=self._table.last))

    @property
    def last(self) -> dt.date:
        """The last day of which anything is known."""
        return self._table.last

    @cached_property
    def dates(self) -> tuple[dt.date, ...]:
        """Every trading day that is known, oldest first."""
        every = (self.first + offset * _DAY for offset in range((self.last - self.first).days + 1))
        return tuple(date for date in every if self._is_open(date))

    def day(self, date: dt.date) -> TradingDay | None:
        """None on a day without trading; raises UnknownDayError outside the table."""
        if date not in self._days:
            self._days[date] = self._make(date)
        return self._days[date]

    def session_at(self, instant: int) -> Session:
        """CLOSED on a day without trading."""
        day = self.day(kst(instant).date())
        return day.session_at(instant) if day else Session.CLOSED

    def next_day(self, date: dt.date) -> TradingDay:
        """The first trading day after `date`."""
        return next(self._walk(date, _DAY))

    def previous_day(self, date: dt.date) -> TradingDay:
        """The last trading day before `date`."""
        return next(self._walk(date, -_DAY))

    def settlement(self, date: dt.date) -> dt.date:
        """When cash and shares of a trade on `date` change hands: two trading days later."""
        return self.next_day(self.next_day(date).date).date

    def taxed_on(self, date: dt.date) -> dt.date:
        """The day whose rates tax a sale on `date`: when it settles, or itself where the calendar ends before that."""
        try:
            return self.settlement(date)
        except UnknownDayError:
            return date

    def days(self, first: dt.date, last: dt.date) -> Iterator[TradingDay]:
        """The trading days from `first` to `last`, both included."""
        for offset in range((last - first).days + 1):
            day = self.day(first + offset * _DAY)
            if day:
                yield day

    def _walk(self, date: dt.date, step: dt.timedelta) -> Iterator[TradingDay]:
        while True:
            date += step
            day = self.day(date)
            if day:
                yield day

    def _make(self, date: dt.date) -> TradingDay | None:
        hours = next((hours for hours in self._hours if hours.since <= date), None)
        if hours is None or not self._table.first <= date <= self._table.last:
            raise UnknownDayError(f"no trading hours of {self._venue} are known for {date}")
        if not self._is_open(date):
            return None
        return TradingDay(date, tuple(_phase(date, part) for part in self._parts(date, hours)))

    def _parts(self, date: dt.date, hours: _Hours) -> tuple[_Part, ...]:
        if date in self._table.exam_days:
            return hours.exam
        return hours.new_year if self._is_first_of_year(date) else hours.normal

    def _is_first_of_year(self, date: dt.date) -> bool:
        earlier = (date - offset * _DAY for offset in range(1, date.timetuple().tm_yday))
        return not any(self._is_open(day) for day in earlier)

    def _is_open(self, date: dt.date) -> bool:
        return date.weekday() < 5 and date not in self._table.closed


def _phase(date: dt.date, part: _Part) -> Phase:
    session, start, end = part
    return Phase(session, _instant(date, start), _instant(date, end))


def _instant(date: dt.date, time: dt.time) -> Nanoseconds:
    return at(date, time.hour, time.minute, time.second)


@lru_cache(maxsize=8)
def _read(path: Path) -> _Table:
    return msgspec.toml.decode(path.read_bytes(), type=_Table)
