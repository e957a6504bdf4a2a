"""The market day: sessions, the agenda of what is due, and the crowd, stepped to an instant."""

import random
from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Any

from actors.exchange.after_hours import AfterHours
from actors.exchange.book import Order
from actors.exchange.crowd import SECONDS, Batch, Crowd, News, activity
from actors.exchange.events import BookChanged, ExchangeEvent, Halted, PhaseChanged
from actors.exchange.issue import Issue, Surroundings
from actors.exchange.synthetic import Profile
from actors.market import krx
from actors.market.calendar import TradingDay
from actors.market.time import SECOND
from messages import Instrument, Nanoseconds, Session, Symbol

_COUNTDOWN = (600, 300, 60, 30, 10)
_OPENING_COUNTDOWN = (1_200, *_COUNTDOWN)
_PRELUDE = 300 * SECOND
_EAGERNESS = 2
"""Ticks by which the crowd gives way in an auction."""

_AFTER_HOURS = (
    (Session.AFTER_HOURS_CLOSE, "a", "b", Session.CLOSED),
    (Session.AFTER_HOURS_SINGLE, "c", "d", Session.CLOSED_FOR_DAY),
)
"""For whoever stays that long."""


class Market:
    """All issues of a day; `run` brings them to an instant and leaves what happened in `events`."""

    def __init__(
        self,
        *,
        day: TradingDay,
        begin: int,
        finish: int,
        instruments: Sequence[Instrument],
        profiles: Sequence[Profile],
        seed: int,
        intensity: float,
        unseen: float,
        filled: Callable[[Any, int, int, int], None],
    ) -> None:
        self.events: list[ExchangeEvent] = []
        self.session = Session.PRE_OPEN
        self.day = day
        self.now = 0
        self._finish = finish
        self._intensity = intensity
        self._unseen = unseen
        self._seen_from = begin - _PRELUDE
        self._rng = random.Random(f"interruptions {seed}")
        self._agenda: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._planned = 0
        around = Surroundings(self.events.append, filled, self._interrupted, self._extension)
        self.issues = [Issue(instrument, day.date, around) for instrument in instruments]
        self.by_symbol = {issue.instrument.symbol: issue for issue in self.issues}
        bases = [instrument.base_price for instrument in instruments]
        self._crowd = Crowd([issue.book.prices for issue in self.issues], bases, profiles, seed)
        self._after_hours = AfterHours(self.issues, profiles, day.date, seed, intensity)
        self._batch = Batch([2**62], [0], [0], [0], [0])
        self._at = 0
        self.closing = self._plan_day()
        """When the closing auction begins."""
        self.plan(begin, self._estimate)

    def plan(self, time: int, work: Callable[..., None], *arguments: Any) -> None:
        """Do `work` when the market comes to `time`; what is planned first is done first."""
        self._planned += 1
        heappush(self._agenda, (time, self._planned, work, arguments))

    def run(self, until: int) -> None:
        """Bring everything to `until`; what is due comes before the crowd's orders of the same instant."""
        agenda = self._agenda
        while agenda and agenda[0][0] <= until:
            time, _, work, arguments = heappop(agenda)
            self._trade(time)
            self.now = time
            work(*arguments)
        self._trade(until + 1)
        self.now = until

    def collect(self) -> list[ExchangeEvent]:
        """What happened since the last call, and which books changed."""
        now = Nanoseconds(self.now)
        events = self.events[:]
        self.events.clear()
        for issue in self.issues:
            if issue.changed:
                issue.changed = False
                events.append(BookChanged(symbol=issue.instrument.symbol, time=now))
        return events

    def set_halt(self, symbol: Symbol, halted: bool, reason: str) -> None:
        """Stop an issue or let it trade again."""
        issue = self.by_symbol[symbol]
        if halted:
            issue.halt()
        else:
            issue.resume(self.now)
        self.events.append(Halted(symbol=symbol, time=Nanoseconds(self.now), halted=halted, reason=reason))

    def _plan_day(self) -> int:
        phases = {phase.session: phase for phase in self.day.phases}
        opening, closing = phases[Session.OPENING_AUCTION], phases[Session.CLOSING_AUCTION]
        self.plan(opening.start, self._enter, Session.OPENING_AUCTION, "0", (opening.end - opening.start) // SECOND)
        self._plan_countdown(opening.end, Session.OPENING_AUCTION, "0", _OPENING_COUNTDOWN)
        self.plan(opening.end, self._open)
        self.plan(closing.start, self._enter, Session.CLOSING_AUCTION, "2", (closing.end - closing.start) // SECOND)
        self._plan_countdown(closing.end, Session.CLOSING_AUCTION, "2", _COUNTDOWN[1:])
        self.plan(closing.end, self._close)
        self.plan(opening.start, self._draw)
        for session, begins, ends, after in _AFTER_HOURS:
            if session in phases:
                self.plan(phases[session].start, self._announce, session, begins, 0)
                self.plan(phases[session].end, self._announce, after, ends, 0)
        self._after_hours.plan(phases, self.plan, self.events.append)
        return closing.start

    def _plan_countdown(self, end: int, session: Session, code: str, seconds: Sequence[int]) -> None:
        for remaining in seconds:
            self.plan(end - remaining * SECOND, self._announce, session, code, remaining)

    def _enter(self, session: Session, code: str, remaining: int) -> None:
        self.session = session
        for issue in self.issues:
            issue.begin(session)
        self._announce(session, code, remaining)

    def _announce(self, session: Session, code: str, remaining: int) -> None:
        time = Nanoseconds(self.now)
        self.events.append(PhaseChanged(time=time, session=session, code=code, remaining=remaining))

    def _open(self) -> None:
        self._enter(Session.CONTINUOUS, "3", 0)
        for issue in self.issues:
            issue.uncross(self.now, bounded=True)

    def _close(self) -> None:
        for issue in self.issues:
            issue.uncross(self.now, bounded=True)
        self._enter(Session.CLOSED, "4", 0)

    def finish(self) -> None:
        """End the day, whatever session it is in."""
        if self.session is not Session.CLOSED:
            self._enter(Session.CLOSED, "4", 0)
        self._enter(Session.CLOSED_FOR_DAY, "8", 0)
        self._agenda.clear()
        self._batch, self._at = Batch([2**62], [0], [0], [0], [0]), 0

    def _estimate(self) -> None:
        for issue in self.issues:
            if issue.calling and not issue.halted and issue.accepts():
                issue.estimate(self.now)
        if self.now < self._finish:
            self.plan(self.now + SECOND, self._estimate)

    def _draw(self) -> None:
        if self.session not in (Session.CONTINUOUS, Session.OPENING_AUCTION, Session.CLOSING_AUCTION):
            return
        session = (self.day.close - self.day.open) / SECOND
        rate = activity((self.now - self.day.open) / SECOND, session) * self._intensity
        if self.now < self._seen_from:
            rate *= self._unseen
        self._batch, news = self._crowd.batch(self.now, rate, self.session is Session.CONTINUOUS)
        self._at = 0
        for item in news:
            self.plan(item.time, self._react, item)
        self.plan(self.now + SECONDS * SECOND, self._draw)

    def _react(self, news: News) -> None:
        issue = self.issues[news.issue]
        size = issue.book.other(news.buy).available(news.target)
        if size and not issue.halted and issue.accepts():
            issue.enter(Order(news.buy, news.target, size), self.now)

    def _interrupted(self, issue: Issue) -> None:
        assert issue.interruption is not None
        self.plan(issue.interruption.release, self._release, issue)

    def _release(self, issue: Issue) -> None:
        issue.release(self.now)

    def _extension(self) -> int:
        return self._rng.randrange(krx.VI_EXTENSION * SECOND)

    def _trade(self, before: int) -> None:
        """The crowd's orders up to `before`, itself excluded."""
        times, who, actions, indexes, sizes = self._batch
        at, issues = self._at, self.issues
        while times[at] < before:
            issue = issues[who[at]]
            if not issue.halted:
                self._act(issue, actions[at], indexes[at], sizes[at], times[at])
            at += 1
        self._at = at

    def _act(self, issue: Issue, action: int, index: int, size: int, now: int) -> None:
        buy = action % 2 == 0
        if action >= 4:
            if issue.calling or issue.book.reaches(buy, index):
                issue.enter_market(Order(buy, index, size), now)
        elif action >= 2:
            if issue.book.own(buy).drop(index, size):
                issue.changed = True
        else:
            if issue.calling:
                top = len(issue.book.prices) - 1
                index = min(index + _EAGERNESS, top) if buy else max(index - _EAGERNESS, 0)
            issue.enter(Order(buy, index, size), now)
