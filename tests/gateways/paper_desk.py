"""A broker on paper over a feed that gives what a test puts in."""

import asyncio
from collections.abc import Sequence
from typing import Any

from actors.gateways.paper import PaperBroker
from actors.gateways.port import BrokerReport, FeedMessage, Instruction
from messages import Action, Kind, Market, OrderFilled, Shares, Side, Validity, Won
from runtime.clock import SimulatedClock
from runtime.loops.loop import VirtualLoop
from tests.fake_feed import FakeFeed, instrument
from tests.market.market_data import CODE, NINE, book

BOOK = book(0, [(10_010, 5), (10_020, 7)], [(10_000, 4), (9_990, 9)])


class Desk:
    """Time starts at nine; an order takes 0.05 s to the market."""

    def __init__(
        self,
        *,
        cash: int = 10_000_000,
        market: Market = Market.KOSPI,
        feed: FakeFeed | None = None,
        latency: float = 0.05,
    ) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.clock = SimulatedClock(NINE, loop)
        self.feed = feed or FakeFeed()
        self.broker = PaperBroker(self.feed, self.clock, cash=cash, participation=0.5, latency=latency)
        self.reports: list[BrokerReport] = []
        self._market = market
        self._stream = aiter(self.broker.stream())

    async def open(self) -> "Desk":
        await self.broker.open(self.reports.append, ())
        self.broker._instruments[CODE] = instrument(CODE, self._market)  # pyright: ignore[reportPrivateUsage]
        return self

    async def give(self, *messages: FeedMessage) -> Sequence[FeedMessage]:
        self.feed.give(*messages)
        return await anext(self._stream)

    async def order(self, side: Side, quantity: int, price: int = 0, **terms: Any) -> None:
        self.broker.send(wish(side, quantity, price, **terms))
        await self.clock.sleep(0.1)

    def fills(self) -> list[tuple[int, int]]:
        return [(report.price, report.quantity) for report in self.reports if isinstance(report, OrderFilled)]

    def kinds(self) -> list[type[BrokerReport]]:
        return [type(report) for report in self.reports]


def wish(side: Side, quantity: int, price: int = 0, **terms: Any) -> Instruction:
    facts: dict[str, Any] = {
        "order": 1,
        "action": Action.NEW,
        "strategy": "s",
        "kind": Kind.LIMIT if price else Kind.MARKET,
        "validity": Validity.DAY,
    }
    return Instruction(symbol=CODE, side=side, quantity=Shares(quantity), price=Won(price), **(facts | terms))
