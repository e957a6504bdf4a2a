"""Trading after the close: at the close's price for a while, then every ten minutes at a single price near it."""

import datetime as dt
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from actors.exchange.events import AfterHoursWaiting, ExchangeEvent
from actors.exchange.issue import Issue
from actors.exchange.synthetic import Profile
from actors.market import krx
from actors.market.calendar import Phase
from actors.market.time import SECOND
from messages import Nanoseconds, Session, Shares

SINGLE_EVERY: Final = 600 * SECOND
BAND: Final = 10
"""Percent of the close by which a single price may differ from it."""
_SHARE: Final = 0.05
"""Of the day's orders a second, as many come at the close's price."""
_GATHERED: Final = 20
"""Orders that a single price gathers at most."""
_STEP: Final = 0.12
"""Of the day's volatility, from one single price to the next."""

Plan = Callable[..., None]
Emit = Callable[[ExchangeEvent], None]


class AfterHours:
    """The crowd after the close; it draws nothing before, so a day that ends at the close is what it was without."""

    def __init__(
        self, issues: Sequence[Issue], profiles: Sequence[Profile], date: dt.date, seed: int, intensity: float
    ) -> None:
        self._rows = [
            _Row(issue, profile, random.Random(f"after hours {seed} {issue.instrument.symbol}"), intensity)
            for issue, profile in zip(issues, profiles, strict=True)
        ]
        self._date = date

    def plan(self, phases: Mapping[Session, Phase], plan: Plan, emit: Emit) -> None:
        """Put both sessions on the agenda; `plan(time, work, *arguments)` calls the work with its time before them."""
        at_close, single = phases.get(Session.AFTER_HOURS_CLOSE), phases.get(Session.AFTER_HOURS_SINGLE)
        for row in self._rows:
            if at_close is not None:
                plan(at_close.start, self._arrive, row, at_close.start, at_close.end, plan, emit)
                plan(at_close.end, _leave, row, at_close.end, emit)
            for time in range(single.start + SINGLE_EVERY, single.end + 1, SINGLE_EVERY) if single is not None else ():
                plan(time, row.trade_single, time, self._date)

    def _arrive(self, row: "_Row", now: int, end: int, plan: Plan, emit: Emit) -> None:
        """An order, unless it is the session's start, and the time of the next one."""
        if not row.trades or not row.rate:
            return
        if row.begun:
            emit(row.enter(now))
        row.begun = True
        following = now + round(row.rng.expovariate(row.rate) * SECOND)
        if following < end:
            plan(following, self._arrive, row, following, end, plan, emit)


class _Row:
    def __init__(self, issue: Issue, profile: Profile, rng: random.Random, intensity: float) -> None:
        self.rng = rng
        self.rate = profile.rate * intensity * _SHARE
        self.begun = False
        self._issue = issue
        self._profile = profile
        self._waiting = 0
        """Shares: bids where it is above 0, asks where it is below."""
        self._single = 0

    @property
    def trades(self) -> bool:
        """Only what traded today has a close."""
        return self._issue.figures.prints > 0 and not self._issue.halted

    def enter(self, now: int) -> AfterHoursWaiting:
        buy, size = self.rng.random() < 0.5, self._size()
        matched = min(size, max(-self._waiting if buy else self._waiting, 0))
        if matched:
            self._issue.trade_after_hours(self._issue.figures.last, matched, now)
        self._waiting += size if buy else -size
        return self.waiting(now)

    def leave(self, now: int) -> AfterHoursWaiting:
        self._waiting = 0
        return self.waiting(now)

    def waiting(self, now: int) -> AfterHoursWaiting:
        asks, bids = Shares(max(-self._waiting, 0)), Shares(max(self._waiting, 0))
        return AfterHoursWaiting(symbol=self._issue.instrument.symbol, time=Nanoseconds(now), asks=asks, bids=bids)

    def trade_single(self, now: int, date: dt.date) -> None:
        if not self.trades or not self.rate:
            return
        orders = min(self.rng.expovariate(1 / (self.rate * SINGLE_EVERY / SECOND)), _GATHERED)
        step = self.rng.gauss(0.0, self._profile.volatility * _STEP)
        if orders >= 1:
            self._single = self._near_close(round((self._single or self._issue.figures.last) * (1 + step)), date)
            self._issue.trade_after_hours(self._single, sum(self._size() for _ in range(int(orders))), now)

    def _near_close(self, price: int, date: dt.date) -> int:
        instrument, close = self._issue.instrument, self._issue.figures.last
        low = max(krx.round_up(-(-close * (100 - BAND) // 100), instrument.market, date), instrument.lower_limit)
        high = min(krx.round_down(close * (100 + BAND) // 100, instrument.market, date), instrument.upper_limit)
        return min(max(krx.round_down(price, instrument.market, date), low), high)

    def _size(self) -> int:
        return max(1, round(self._profile.size * self.rng.lognormvariate(0.0, 0.9)))


def _leave(row: _Row, now: int, emit: Emit) -> None:
    if row.begun:
        emit(row.leave(now))
