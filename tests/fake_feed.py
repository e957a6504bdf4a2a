"""A feed and reference that gives what a test puts in."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence

from actors.gateways.port import FeedMessage, Found
from messages import Condition, Instrument, Market, Nanoseconds, Ranked, RunStarted, Symbol, Won

STARTED = RunStarted(time=Nanoseconds(0), run=1, version="0", config="", seed=1)


class FakeFeed:
    def __init__(self) -> None:
        self.watched: list[tuple[list[Symbol], list[Symbol]]] = []
        self.ranked: list[Symbol] = []
        self.matched: list[Symbol] = []
        self.searched: list[tuple[str, bool]] = []
        self.follows = True
        self.listed: list[Symbol] = []
        self.fails = False
        self._batches: asyncio.Queue[Sequence[FeedMessage]] = asyncio.Queue()

    def give(self, *messages: FeedMessage) -> None:
        self._batches.put_nowait(messages)

    def watch(self, trades: Collection[Symbol], books: Collection[Symbol]) -> None:
        self.watched.append((list(trades), list(books)))

    async def stream(self) -> AsyncIterator[Sequence[FeedMessage]]:
        while True:
            yield await self._batches.get()

    async def instruments(self, symbols: Collection[Symbol]) -> Sequence[Instrument]:
        if self.fails:
            raise TimeoutError("no answer")
        return [instrument(symbol) for symbol in symbols or self.listed]

    async def ranking(self, count: int) -> Sequence[Ranked]:
        if self.fails:
            raise TimeoutError("no answer")
        ranked = self.ranked[:count]
        return [Ranked(symbol=s, rank=n, value=Won(1_000_000 - n * 1_000)) for n, s in enumerate(ranked, 1)]

    async def conditions(self) -> Sequence[Condition]:
        return [Condition(index=0, name="급등주")]

    async def search(self, condition: str, *, live: bool) -> Found:
        if self.fails:
            raise TimeoutError("no answer")
        self.searched.append((condition, live))
        return Found(symbols=tuple(self.matched), live=live and self.follows)


def instrument(symbol: Symbol, market: Market = Market.KOSPI) -> Instrument:
    return Instrument(
        symbol=symbol,
        name="삼성전자",
        market=market,
        base_price=Won(10_000),
        upper_limit=Won(13_000),
        lower_limit=Won(7_000),
    )
