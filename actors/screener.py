"""The screener ranks issues by trading value, and names the universe that strategies and the receiver follow."""

import datetime as dt
from typing import ClassVar

from actors.gateways.port import Found, Reference, Searching
from actors.market.time import kst
from actors.market.venues import spell
from messages import (
    ConditionEntered,
    ConditionLeft,
    FeedRestored,
    Message,
    Nanoseconds,
    Ranked,
    RankingChanged,
    Symbol,
    Tick,
    UniverseChanged,
    Venue,
    Won,
)
from runtime.actor import Actor, handles, latest
from runtime.settings.bounds import Count, Several, Span


class _Ask(Message):
    journalled: ClassVar = False


class _Rank(Message):
    journalled: ClassVar = False


class Screener(Actor, publishes=(RankingChanged, UniverseChanged)):
    """Asks the broker for its ranking each `period` seconds, and each `refresh` seconds ranks by its own ticks.

    The universe bears this actor's name and holds `top` issues. A newcomer takes the place of one at least
    `slack` ranks below it, so that two around the last place do not take turns. It is said only when it changes.
    With a `condition` only what this search at `searches` matches is in it: followed while issues enter and leave,
    or asked again each `period` where it can't be followed or shall not be (`live = false`).
    The universe names the codes of `venue`, whose prints alone count; the broker's own ranking is that of the KRX.
    """

    def __init__(
        self,
        feed: Reference,
        searches: Searching | None = None,
        *,
        top: Several = 30,
        slack: Count = 5,
        period: Span = 60.0,
        refresh: Span = 10.0,
        condition: str = "",
        live: bool = True,
        venue: Venue = Venue.KRX,
    ) -> None:
        if condition and searches is None:
            raise ValueError(f'condition = "{condition}": say who searches: searches = "NAME OF A GATEWAY"')
        self._feed = feed
        self._top = top
        self._slack = slack
        self._period = period
        self._refresh_each = refresh
        self._venue = venue
        self._values: dict[Symbol, int] = {}
        self._own: dict[Symbol, int] = {}
        self._day = dt.date.min
        self._universe: tuple[Symbol, ...] = ()
        self._matches = _Matches(condition, searches) if condition and searches else None
        self._live = live
        self._asking = False

    def on_start(self) -> None:
        self._ask()
        self.every(self._period, _Ask())
        self.every(self._refresh_each, _Rank())

    @latest
    def on_tick(self, tick: Tick) -> None:
        if tick.venue is self._venue:
            self._values[tick.symbol] = self._own[tick.symbol] = tick.value

    @handles
    def on_ask(self, _: _Ask) -> None:
        self._ask()

    @handles
    def on_rank(self, _: _Rank) -> None:
        self._rank()

    @handles
    def on_condition(self, event: ConditionEntered | ConditionLeft) -> None:
        if self._matches is not None and event.condition == self._matches.name:
            self._matches.fold(event)
            self._choose(self._ordered())

    @handles
    def on_feed_restored(self, _: FeedRestored) -> None:
        """What a cut feed followed it follows no more."""
        if self._matches is not None:
            self._matches.followed = False
            self._ask()

    def _ask(self) -> None:
        if not self._asking and not (self._matches is not None and self._matches.followed):
            self._asking = True
            self.spawn(self._refresh())

    async def _refresh(self) -> None:
        try:
            await (self._take_ranking() if self._matches is None else self._search(self._matches))
        except (TimeoutError, ConnectionError) as error:
            self.desk.log.warning("no ranking came; our own figures count", reason=str(error))
        finally:
            self._asking = False
        self._rank()

    async def _take_ranking(self) -> None:
        ranked = await self._feed.ranking(self._top + self._slack)
        self._forget_yesterday()
        self._values = {row.symbol: max(row.value, self._own.get(row.symbol, 0)) for row in ranked}

    def _forget_yesterday(self) -> None:
        today = kst(self.desk.clock.now()).date()
        if today != self._day:
            self._day = today
            self._own = {}

    async def _search(self, matches: "_Matches") -> None:
        matches.expect()
        found = await matches.searches.search(matches.name, live=self._live)
        matches.take(found)

    def _ordered(self) -> list[Symbol]:
        values = self._values
        if self._matches is None:
            return sorted(values, key=lambda symbol: (-values[symbol], symbol))
        return sorted(self._matches.symbols, key=lambda symbol: (-values.get(symbol, 0), symbol))

    def _rank(self) -> None:
        ordered = self._ordered()
        if not ordered and not self._universe:
            return
        now = Nanoseconds(self.desk.clock.now())
        rows = tuple(Ranked(symbol=s, rank=n, value=Won(self._values.get(s, 0))) for n, s in enumerate(ordered, 1))
        self.publish(RankingChanged(source=self.desk.name, time=now, rows=rows))
        self._choose(ordered)

    def _choose(self, ordered: list[Symbol]) -> None:
        universe = self._chosen(ordered)
        if sorted(universe) != sorted(self._universe):
            self._universe = universe
            now = Nanoseconds(self.desk.clock.now())
            watched = tuple(spell(symbol, self._venue) for symbol in universe)
            self.publish(UniverseChanged(universe=self.desk.name, time=now, symbols=watched))

    def _chosen(self, ordered: list[Symbol]) -> tuple[Symbol, ...]:
        ranks = {symbol: rank for rank, symbol in enumerate(ordered)}
        last = len(ordered) + self._slack
        stay = self._universe if self._matches is None else [s for s in self._universe if s in ranks]
        chosen = sorted(stay, key=lambda symbol: ranks.get(symbol, last))
        for symbol in ordered[: self._top]:
            if symbol in chosen:
                continue
            if len(chosen) >= self._top and ranks.get(chosen[-1], last) - ranks[symbol] < self._slack:
                break
            chosen = sorted((*chosen[: self._top - 1], symbol), key=lambda symbol: ranks.get(symbol, last))
        return tuple(chosen)


class _Matches:
    """The issues of one condition search; what changes while its answer is on the way counts after the answer."""

    def __init__(self, name: str, searches: Searching) -> None:
        self.name = name
        self.searches = searches
        self.symbols: dict[Symbol, None] = {}
        self.followed = False
        self._meanwhile: list[ConditionEntered | ConditionLeft] | None = None

    def expect(self) -> None:
        self._meanwhile = []

    def take(self, found: Found) -> None:
        self.symbols = dict.fromkeys(found.symbols)
        self.followed = found.live
        meanwhile, self._meanwhile = self._meanwhile, None
        for event in meanwhile or ():
            self.fold(event)

    def fold(self, event: ConditionEntered | ConditionLeft) -> None:
        if self._meanwhile is not None:
            self._meanwhile.append(event)
        if isinstance(event, ConditionEntered):
            self.symbols[event.symbol] = None
        else:
            self.symbols.pop(event.symbol, None)
