"""A strategy of one's own in one file: buys the break out of the morning's range."""

import datetime as dt
from collections.abc import Sequence

from actors.market.time import kst
from actors.strategies.base import Strategy
from messages import Bar, OrderEvent, OrderSubmitting, Side, Symbol
from runtime.actor import handles
from runtime.settings.bounds import TimeOfDay


class Breakout(Strategy):
    """Notes the highest price of the first `minutes` of trading and buys the first bar that closes above it.

    Sells when a bar closes `stop` (a part of one) below the average price, or from `leave` on (KST as HH:MM; blank
    for never). One entry a code and day.
    """

    warmup = 7 * 3_600.0
    interval = 60

    def __init__(
        self,
        *,
        universe: str = "",
        symbols: Sequence[str] = (),
        budget: int = 1_000_000,
        minutes: int = 15,
        stop: float = 0.01,
        leave: TimeOfDay = "15:00",
    ) -> None:
        super().__init__(universe=universe, symbols=symbols, budget=budget)
        self._minutes = minutes
        self._stop = stop
        self._leave = leave
        self._ranges: dict[Symbol, tuple[int, int]] = {}
        """Bars seen and their highest price."""
        self._entered: dict[Symbol, dt.date] = {}
        """The day of the newest entry."""
        self._day = dt.date.min

    @handles
    def on_order(self, event: OrderEvent) -> None:
        super().on_order(event)
        if isinstance(event, OrderSubmitting) and event.side is Side.BUY and event.strategy == self.desk.name:
            self._entered[event.symbol] = kst(event.time).date()

    @handles
    def on_bar(self, bar: Bar) -> None:
        if bar.interval != self.interval or bar.venue is not self.venue:
            return
        self._begin_day(kst(bar.time).date())
        seen, highest = self._ranges.get(bar.symbol, (0, 0))
        if bar.symbol in self.lots:
            self._consider_exit(bar)
        elif seen < self._minutes:
            self._ranges[bar.symbol] = (seen + 1, max(highest, bar.high))
        elif bar.close > highest and self._entered.get(bar.symbol) != self._day and not self._late(bar):
            price = self.on_grid(bar.symbol, bar.close, up=True)
            if self.buy(bar.symbol, price, f"closed at {bar.close}, above {highest}"):
                self._entered[bar.symbol] = self._day

    def _begin_day(self, day: dt.date) -> None:
        if day != self._day:
            self._day = day
            self._ranges.clear()

    def _consider_exit(self, bar: Bar) -> None:
        lot = self.lots[bar.symbol]
        if bar.close <= lot.price * (1 - self._stop):
            self.close(bar.symbol, f"stopped {1 - bar.close / lot.price:.2%} below {lot.price:.0f}")
        elif self._late(bar):
            self.close(bar.symbol, f"it is {self._leave}")

    def _late(self, bar: Bar) -> bool:
        return bool(self._leave) and kst(bar.time).strftime("%H:%M") >= self._leave
