"""A gateway of one's own in one file: prices that walk at random, in the place of a market."""

import datetime as dt
from collections.abc import AsyncIterator, Collection, Sequence
from random import Random
from typing import Self

from actors.gateways.port import FeedMessage
from actors.market import krx
from actors.market.time import at
from messages import (
    Aggressor,
    FeedEnded,
    Instrument,
    Market,
    Nanoseconds,
    Ranked,
    Session,
    SessionChanged,
    Shares,
    Symbol,
    Tick,
    Won,
)
from runtime.clock import Clock


class RandomWalk:
    """Feed and Reference for `symbols`: one print a code and second, for `hours` from 09:00 on `date`."""

    def __init__(
        self,
        clock: Clock,
        rng: Random,
        *,
        symbols: Sequence[str] = ("900001", "900002"),
        date: str = "2026-11-18",
        hours: float = 1.0,
        price: int = 20_000,
    ) -> None:
        self._clock = clock
        self._rng = rng
        self._day = dt.date.fromisoformat(date)
        self._base = Won(price)
        self._prices = {Symbol(code): self._base for code in symbols}
        self._volumes = dict.fromkeys(self._prices, 0)
        self._trades: Collection[Symbol] = ()
        self._seconds = round(hours * 3_600)
        self._given = 0

    async def __aenter__(self) -> Self:
        """Connect here."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect here."""

    def begins(self) -> int | None:
        """When its time starts; a gateway that lives in real time has no such method."""
        return at(self._day, 9)

    def watch(self, trades: Collection[Symbol], books: Collection[Symbol]) -> None:  # noqa: ARG002 - it has no books
        self._trades = trades

    async def stream(self) -> AsyncIterator[Sequence[FeedMessage]]:
        yield [SessionChanged(session=Session.CONTINUOUS, time=self._now)]
        for _ in range(self._seconds):
            await self._clock.sleep(1)
            ticks = [self._tick(symbol) for symbol in self._prices if symbol in self._trades]
            self._given += len(ticks)
            yield ticks
        yield [SessionChanged(session=Session.CLOSED_FOR_DAY, time=self._now)]
        yield [FeedEnded(feed="walk", time=self._now, records=self._given)]

    async def instruments(self, symbols: Collection[Symbol]) -> Sequence[Instrument]:
        return [self._instrument(symbol) for symbol in symbols or self._prices if symbol in self._prices]

    async def ranking(self, count: int) -> Sequence[Ranked]:
        return [Ranked(symbol=s, rank=n, value=Won(0)) for n, s in enumerate(list(self._prices)[:count], 1)]

    @property
    def _now(self) -> Nanoseconds:
        return Nanoseconds(self._clock.now())

    def _tick(self, symbol: Symbol) -> Tick:
        up, size = self._rng.random() < 0.5, self._rng.randint(1, 500)
        price = krx.move(self._prices[symbol], 1 if up else -1, Market.KOSPI, self._day)
        self._prices[symbol] = price
        self._volumes[symbol] += size
        return Tick(
            symbol=symbol,
            time=self._now,
            received=self._now,
            price=price,
            size=Shares(size),
            side=Aggressor.BUYER if up else Aggressor.SELLER,
            volume=Shares(self._volumes[symbol]),
            value=Won(self._volumes[symbol] * price),
            ask=krx.move(price, 1, Market.KOSPI, self._day),
            bid=price,
            open=self._base,
            high=price,
            low=price,
            strength=100.0,
        )

    def _instrument(self, symbol: Symbol) -> Instrument:
        lower, upper = krx.price_limits(self._base, Market.KOSPI, self._day)
        return Instrument(
            symbol=symbol,
            name=f"walk {symbol}",
            market=Market.KOSPI,
            base_price=self._base,
            upper_limit=upper,
            lower_limit=lower,
        )
