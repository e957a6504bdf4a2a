"""Mean reversion on bars: buys what fell far below its mean, sells when it is back."""

from collections.abc import Sequence
from typing import Final

import msgspec

from actors.analysis.technical import Rolling, Rsi
from actors.market.time import SECOND, kst
from actors.strategies.base import Strategy
from messages import Bar, Instrument, Symbol
from runtime.actor import handles
from runtime.settings.bounds import ActorName, Amount, Code, Figure, Part, Percent, Several, Span

_REBASED: Final = 0.03
"""How far a day's base price may be from our last close, a part of one, until it is another than that day's close."""


class _Series(msgspec.Struct):
    closes: Rolling
    rsi: Rsi
    held: int = 0
    time: int = 0
    """Of the newest bar, and its close."""
    close: int = 0

    def add(self, bar: Bar) -> None:
        self.closes.add(bar.close)
        self.rsi.add(bar.close)
        self.time, self.close = bar.time, bar.close


class MeanReversion(Strategy):
    """Works on bars of `interval` seconds, one decision a bar.

    Enters where the close lies `entry` deviations below the mean of the last `window` closes and the relative
    strength index is at most `oversold`: a limit at the close. Leaves at the market when the close is back at
    the mean, `stop` (a part of one) below the average price, or after `hold` bars. Where the exchange sets a new base
    price (a split, 권리락), bars of before are forgotten: nothing has fallen.
    """

    def __init__(
        self,
        *,
        universe: ActorName = "",
        symbols: Sequence[Code] = (),
        budget: Amount = 1_000_000,
        patience: Span = 120.0,
        interval: Several = 60,
        window: Several = 30,
        entry: Figure = 2.0,
        oversold: Percent = 30.0,
        stop: Part = 0.01,
        hold: Several = 60,
    ) -> None:
        if not 4 <= window <= 10_000:
            raise ValueError(f"window = {window}: 4 to 10,000 bars")
        super().__init__(universe=universe, symbols=symbols, budget=budget, patience=patience)
        self.warmup = float(max(window, hold) * interval)
        self.interval = interval
        self._window = window
        self._entry = entry
        self._oversold = oversold
        self._stop = stop
        self._hold = hold
        self._series: dict[Symbol, _Series] = {}

    @handles
    def on_instrument(self, instrument: Instrument) -> None:
        super().on_instrument(instrument)
        series, base = self._series.get(instrument.symbol), instrument.base_price
        if series is None or not base or kst(series.time).date() >= kst(self.now).date():
            return
        if abs(series.close - base) > _REBASED * base:
            self._series[instrument.symbol] = self._begin(series.held)

    @handles
    def on_bar(self, bar: Bar) -> None:
        if bar.interval != self.interval or bar.venue is not self.venue:
            return
        series = self._series.get(bar.symbol)
        if series is None:
            series = self._series[bar.symbol] = self._begin()
        series.add(bar)
        if bar.symbol in self.lots:
            self._consider_exit(bar, series)
        else:
            series.held = 0
            self._consider_entry(bar, series)

    def _begin(self, held: int = 0) -> _Series:
        return _Series(Rolling(self._window), Rsi(self._window // 2), held)

    def _consider_entry(self, bar: Bar, series: _Series) -> None:
        score, rsi = series.closes.score, series.rsi.value
        if score is None or rsi is None or score > -self._entry or rsi > self._oversold:
            return
        price = self.on_grid(bar.symbol, bar.close, up=True)
        self.buy(bar.symbol, price, f"{-score:.1f} deviations below its mean, RSI {rsi:.0f}")

    def _consider_exit(self, bar: Bar, series: _Series) -> None:
        lot, mean = self.lots[bar.symbol], series.closes.mean
        series.held += bar.time + bar.interval * SECOND >= lot.since
        if mean is not None and bar.close >= mean:
            self.close(bar.symbol, f"back at its mean of {mean:.0f}")
        elif bar.close <= lot.price * (1 - self._stop):
            self.close(bar.symbol, f"stopped {1 - bar.close / lot.price:.2%} below {lot.price:.0f}")
        elif series.held >= self._hold:
            self.close(bar.symbol, f"held for {series.held} bars")
