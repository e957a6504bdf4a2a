"""The screener ranks issues by trading value and names the universe that strategies and the receiver follow."""

from collections.abc import Sequence
from typing import ClassVar

from actors.gateways.port import Reference
from messages import (
    Message,
    Nanoseconds,
    Ranked,
    RankingChanged,
    Symbol,
    Tick,
    UniverseChanged,
    Won,
)
from runtime.actor import Actor, handles, latest
from runtime.bounds import Count, Several, Span


class _Ask(Message):
    journalled: ClassVar = False


class _Rank(Message):
    journalled: ClassVar = False


class Screener(Actor, publishes=(RankingChanged, UniverseChanged)):
    """Asks the broker for its ranking each `period` seconds, and each `refresh` seconds ranks by its own ticks.

    The universe bears this actor's name and holds `top` issues. A newcomer takes the place of one at least
    `slack` ranks below it, so that two around the last place do not take turns. It is said only when it changes.
    """

    def __init__(
        self,
        feed: Reference,
        *,
        top: Several = 30,
        slack: Count = 5,
        period: Span = 60.0,
        refresh: Span = 10.0,
    ) -> None:
        self._feed = feed
        self._top = top
        self._slack = slack
        self._period = period
        self._refresh_each = refresh
        self._values: dict[Symbol, int] = {}
        self._universe: tuple[Symbol, ...] = ()
        self._asking = False

    def on_start(self) -> None:
        self._ask()
        self.every(self._period, _Ask())
        self.every(self._refresh_each, _Rank())

    @latest
    def on_tick(self, tick: Tick) -> None:
        self._values[tick.symbol] = tick.value

    @handles
    def on_ask(self, _: _Ask) -> None:
        self._ask()

    @handles
    def on_rank(self, _: _Rank) -> None:
        if self._values:
            self._rank()

    def _ask(self) -> None:
        if not self._asking:
            self._asking = True
            self.spawn(self._refresh())

    async def _refresh(self) -> None:
        try:
            ranked = await self._feed.ranking(self._top + self._slack)
        except (TimeoutError, ConnectionError) as error:
            self.desk.log.warning("no ranking came; our own figures count", reason=str(error))
        else:
            self._take(ranked)
        finally:
            self._asking = False
        self._rank()

    def _take(self, ranked: Sequence[Ranked]) -> None:
        self._values = {row.symbol: max(row.value, self._values.get(row.symbol, 0)) for row in ranked}

    def _rank(self) -> None:
        ordered = sorted(self._values, key=lambda symbol: (-self._values[symbol], symbol))
        now = Nanoseconds(self.desk.clock.now())
        rows = tuple(Ranked(symbol=s, rank=n, value=Won(self._values[s])) for n, s in enumerate(ordered, 1))
        self.publish(RankingChanged(source=self.desk.name, time=now, rows=rows))
        universe = self._chosen(ordered)
        if sorted(universe) != sorted(self._universe):
            self._universe = universe
            self.publish(UniverseChanged(universe=self.desk.name, time=now, symbols=universe))

    def _chosen(self, ordered: list[Symbol]) -> tuple[Symbol, ...]:
        ranks = {symbol: rank for rank, symbol in enumerate(ordered)}
        last = len(ordered) + self._slack
        chosen = sorted(self._universe, key=lambda symbol: ranks.get(symbol, last))
        for symbol in ordered[: self._top]:
            if symbol in chosen:
                continue
            if len(chosen) >= self._top and ranks.get(chosen[-1], last) - ranks[symbol] < self._slack:
                break
            chosen = sorted((*chosen[: self._top - 1], symbol), key=lambda symbol: ranks.get(symbol, last))
        return tuple(chosen)
