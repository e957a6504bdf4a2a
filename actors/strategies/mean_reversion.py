"""Mean reversion on bars: buys what fell far below its mean, sells when it is back."""

from collections.abc import Sequence

import msgspec

from actors.analysis.technical import Rolling, Rsi
from actors.strategies.base import Strategy
from messages import Bar, Symbol
from runtime.actor import handles
from runtime.bounds import ActorName, Amount, Code, Figure, Part, Percent, Several, Span


class _Series(msgspec.Struct):
    closes: Rolling
    rsi: Rsi
    held: int = 0


class MeanReversion(Strategy):
    """Works on bars of `interval` seconds, one decision a bar.

    Enters where the close lies `entry` deviations below the mean of the last `window` closes and the relative
    strength index is at most `oversold`: a limit at the close. Leaves at the market when the close is back at
    the mean, `stop` (a part of one) below the average price, or after `hold` bars.
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
        self.warmup = float(window * interval)
        self.interval = interval
        self._window = window
        self._entry = entry
        self._oversold = oversold
        self._stop = stop
        self._hold = hold
        self._series: dict[Symbol, _Series] = {}

    @handles
    def on_bar(self, bar: Bar) -> None:
        if bar.interval != self.interval or bar.venue is not self.venue:
            return
        series = self._series.get(bar.symbol)
        if series is None:
            series = self._series[bar.symbol] = _Series(Rolling(self._window), Rsi(self._window // 2))
        series.closes.add(bar.close)
        series.rsi.add(bar.close)
        if bar.symbol in self.lots:
            self._consider_exit(bar, series)
        else:
            series.held = 0
            self._consider_entry(bar, series)

    def _consider_entry(self, bar: Bar, series: _Series) -> None:
        score, rsi = series.closes.score, series.rsi.value
        if score is None or rsi is None or score > -self._entry or rsi > self._oversold:
            return
        price = self.on_grid(bar.symbol, bar.close, up=True)
        self.buy(bar.symbol, price, f"{-score:.1f} deviations below its mean, RSI {rsi:.0f}")

    def _consider_exit(self, bar: Bar, series: _Series) -> None:
        series.held += 1
        lot, mean = self.lots[bar.symbol], series.closes.mean
        if mean is not None and bar.close >= mean:
            self.close(bar.symbol, f"back at its mean of {mean:.0f}")
        elif bar.close <= lot.price * (1 - self._stop):
            self.close(bar.symbol, f"stopped {1 - bar.close / lot.price:.2%} below {lot.price:.0f}")
        elif series.held >= self._hold:
            self.close(bar.symbol, f"held for {series.held} bars")
