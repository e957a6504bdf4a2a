"""Momentum on prints: buys what rises while buyers press, leaves when they stop."""

from collections.abc import Sequence

from actors.analysis.factors import TickWindow
from actors.market.time import SECOND
from actors.strategies import memory
from actors.strategies.base import Lot, OpenOrder, Strategy
from messages import Side, Symbol, Tick
from runtime.actor import handles
from runtime.settings.bounds import ActorName, Amount, Code, Figure, Part, Seconds, Span


class Momentum(Strategy):
    """Buys strength, sells weakness.

    Enters when, within `window` seconds, the price rose by `rise`, 체결강도 is `strength` or more and `value`
    won were traded: a limit at the best ask.

    Leaves at `take` or `stop` (parts of one, from the average price), when it fell `trail` from its highest
    since the entry, or after `hold` seconds: a limit at the best bid, moved to the bid while it does not fill.
    After an order in a code it leaves the code alone for `cooldown` seconds.
    """

    def __init__(
        self,
        *,
        universe: ActorName = "",
        symbols: Sequence[Code] = (),
        budget: Amount = 1_000_000,
        patience: Span = 5.0,
        window: Span = 30.0,
        rise: Part = 0.004,
        strength: Figure = 120.0,
        value: Amount = 10_000_000,
        take: Figure = 0.01,
        stop: Part = 0.007,
        trail: Part = 0.006,
        hold: Seconds = 600.0,
        cooldown: Seconds = 60.0,
    ) -> None:
        super().__init__(universe=universe, symbols=symbols, budget=budget, patience=patience)
        self.warmup = window
        self._window = window
        self._rise = rise
        self._strength = strength
        self._value = value
        self._take = take
        self._stop = stop
        self._trail = trail
        self._hold = round(hold * SECOND)
        self._cooldown = round(cooldown * SECOND)
        self._windows: dict[Symbol, TickWindow] = {}
        self._highest: dict[Symbol, int] = {}
        self._bids: dict[Symbol, int] = {}
        self._rested: dict[Symbol, int] = {}

    async def on_start(self) -> None:
        await super().on_start()
        self._highest = {
            symbol: memory.highest(self.desk.data, symbol, self.venue, lot.since, self.now)
            for symbol, lot in self.lots.items()
        }

    @handles
    def on_tick(self, tick: Tick) -> None:
        if tick.venue is not self.venue:
            return
        window = self._windows.get(tick.symbol)
        if window is None:
            window = self._windows[tick.symbol] = TickWindow(self._window)
        window.add(tick)
        self._bids[tick.symbol] = tick.bid or tick.price
        lot = self.lots.get(tick.symbol)
        if lot is not None:
            self._consider_exit(tick, lot)
        elif tick.received >= self._rested.get(tick.symbol, 0):
            self._consider_entry(tick, window)

    def on_unfilled(self, number: int, order: OpenOrder) -> None:
        bid = self.on_grid(order.symbol, self._bids.get(order.symbol, 0))
        if order.side is Side.BUY or not order.price or not bid:
            super().on_unfilled(number, order)
        elif bid != order.price:
            self.reprice(number, bid, "the exit did not fill; after the bid")

    def _consider_entry(self, tick: Tick, window: TickWindow) -> None:
        change, strength = window.change, window.strength
        if change is None or strength is None or change < self._rise or strength < self._strength:
            return
        if window.value < self._value or not self.may_enter(tick.symbol):
            return
        price = self.on_grid(tick.symbol, tick.ask or tick.price, up=True)
        reason = f"rose {change:.2%} in {self._window:g} s, strength {strength:.0f}"
        if self.buy(tick.symbol, price, reason):
            self._highest[tick.symbol] = tick.price
            self._rested[tick.symbol] = tick.received + self._cooldown

    def _consider_exit(self, tick: Tick, lot: Lot) -> None:
        symbol = tick.symbol
        highest = self._highest[symbol] = max(self._highest.get(symbol, 0), tick.price)
        reason = self._exit_reason(tick, lot, highest)
        if reason and not self.ordered(symbol):
            self.sell(symbol, self.on_grid(symbol, tick.bid or tick.price), reason)
            self._rested[symbol] = tick.received + self._cooldown

    def _exit_reason(self, tick: Tick, lot: Lot, highest: int) -> str:
        result = tick.price / lot.price - 1
        if result >= self._take:
            return f"took {result:.2%}"
        if result <= -self._stop:
            return f"stopped at {result:.2%}"
        if tick.price <= highest * (1 - self._trail):
            return f"fell {1 - tick.price / highest:.2%} from its highest"
        if tick.received - lot.since >= self._hold:
            return f"held for {self._hold // SECOND} s"
        return ""
