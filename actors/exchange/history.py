"""Charts of the synthetic market: made-up bars of the days before, and today's from its prints."""

import datetime as dt
import random
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import groupby
from math import exp

from actors.exchange.figures import MINUTE
from actors.exchange.synthetic import Profile
from actors.market import krx
from actors.market.calendar import TradingDay
from actors.market.time import SECOND, at, kst
from messages import Bar, Instrument, Nanoseconds, Shares, Symbol, Won

DAILY = 86_400
_WICK = 0.3


class History:
    """The days before today of one issue; its last close is today's base price."""

    def __init__(
        self,
        *,
        instrument: Instrument,
        profile: Profile,
        minute_days: Sequence[TradingDay],
        daily_days: Sequence[TradingDay],
        seed: int,
    ) -> None:
        """Both lists of days oldest first, the second before the first; bars are made up when first asked for."""
        self._instrument = instrument
        self._profile = profile
        self._minute_days = minute_days
        self._daily_days = daily_days
        self._rng = random.Random(f"history {seed} {instrument.symbol}")

    @cached_property
    def newest(self) -> list[Bar]:
        """Minutes of the day before today."""
        return self._backward(self._minute_days[-1:], int(self._instrument.base_price), self._minute_day)

    @cached_property
    def minutes(self) -> list[Bar]:
        newest = self.newest
        return self._backward(self._minute_days[:-1], self._oldest(newest), self._minute_day) + newest

    @cached_property
    def days(self) -> list[Bar]:
        minutes = self.minutes
        return self._backward(self._daily_days, self._oldest(minutes), self._daily_day) + merge(minutes, DAILY)

    @cached_property
    def yesterday(self) -> Bar | None:
        """The bar of the day before today; None where no days are made up."""
        days = merge(self.newest, DAILY) or self.days[-1:]
        return days[0] if days else None

    def _oldest(self, bars: Sequence[Bar]) -> int:
        return int(bars[0].open if bars else self._instrument.base_price)

    def _backward(
        self, days: Sequence[TradingDay], close: int, make: Callable[[TradingDay, int], list[Bar]]
    ) -> list[Bar]:
        made: list[list[Bar]] = []
        for day in reversed(days):
            bars = make(day, close)
            made.append(bars)
            close = int(bars[0].open)
        return [bar for bars in reversed(made) for bar in bars]

    def _minute_day(self, day: TradingDay, close: int) -> list[Bar]:
        starts = [*range(day.open, day.close - 10 * MINUTE, MINUTE), day.close]
        deviation = self._profile.volatility / len(starts) ** 0.5
        bars: list[Bar] = []
        for start in reversed(starts):
            bars.append(self._bar(start, close, deviation, 60, self._profile.rate * 20))
            close = int(bars[-1].open)
        return bars[::-1]

    def _daily_day(self, day: TradingDay, close: int) -> list[Bar]:
        start = at(day.date)
        return [self._bar(start, close, self._profile.volatility, DAILY, self._profile.rate * 8_000)]

    def _bar(self, start: int, close: int, deviation: float, seconds: int, orders: float) -> Bar:
        rng, of = self._rng, self._instrument
        opening = self._nearest(close * exp(-rng.gauss(0.0, deviation)))
        high = self._on_tick(max(opening, close) * (1 + abs(rng.gauss(0.0, deviation * _WICK))))
        low = self._on_tick(min(opening, close) * (1 - abs(rng.gauss(0.0, deviation * _WICK))))
        volume = max(1, int(self._profile.size * orders * rng.lognormvariate(0.0, 0.6)))
        return Bar(
            symbol=of.symbol,
            interval=seconds,
            time=Nanoseconds(start),
            open=Won(opening),
            high=Won(max(high, opening, close)),
            low=Won(low),
            close=Won(close),
            volume=Shares(volume),
            value=Won(volume * (opening + close) // 2),
        )

    def _nearest(self, price: float) -> int:
        """Not rounded down: a walk backwards would come down by half a tick each step."""
        return self._on_tick(price + krx.tick_size(int(price), self._instrument.market, dt.date.max) / 2)

    def _on_tick(self, price: float) -> int:
        return krx.round_down(max(int(price), 10), self._instrument.market, dt.date.max)


def today(symbol: Symbol, rows: Iterable[Sequence[int]]) -> list[Bar]:
    """Minute bars of `DayFigures.bars`."""
    return [
        Bar(
            symbol=symbol,
            interval=60,
            time=Nanoseconds(row[0]),
            open=Won(row[1]),
            high=Won(row[2]),
            low=Won(row[3]),
            close=Won(row[4]),
            volume=Shares(row[5]),
            value=Won(row[6]),
            bought=Shares(row[7]),
            sold=Shares(row[8]),
            prints=row[9],
        )
        for row in rows
    ]


def merge(bars: Sequence[Bar], seconds: int) -> list[Bar]:
    """Bars of a longer interval, on the clock of Seoul; a day's bar starts at its midnight."""
    return [_merged(start, list(group), seconds) for start, group in groupby(bars, lambda bar: _start(bar, seconds))]


def _start(bar: Bar, seconds: int) -> int:
    if seconds == DAILY:
        return at(kst(bar.time).date())
    return bar.time - bar.time % (seconds * SECOND)


def _merged(start: int, bars: Sequence[Bar], seconds: int) -> Bar:
    return Bar(
        symbol=bars[0].symbol,
        interval=seconds,
        time=Nanoseconds(start),
        open=bars[0].open,
        high=max(bar.high for bar in bars),
        low=min(bar.low for bar in bars),
        close=bars[-1].close,
        volume=Shares(sum(bar.volume for bar in bars)),
        value=Won(sum(bar.value for bar in bars)),
        bought=Shares(sum(bar.bought for bar in bars)),
        sold=Shares(sum(bar.sold for bar in bars)),
        prints=sum(bar.prints for bar in bars),
    )
