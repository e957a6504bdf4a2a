"""Made-up prints and books of a trading day that take as much room as real ones do.

Held against recordings of two issues: 0.65 seconds with a print for each print (0.63 there), the best ask another at
16 % of the prints (16 to 19 %), 31 % of the sizes of five levels another from print to print (27 to 30 %), 6.0 bits in
the size of a print (4.5 to 7.8).
"""

import heapq
import math
from collections.abc import Iterator
from operator import attrgetter
from random import Random

from messages import Aggressor, Nanoseconds, OrderBook, Shares, Symbol, Tick, Won

NINE = 1_763_424_000_000_000_000
"""2025-11-18 09:00:00 KST."""
SECOND = 1_000_000_000
LENGTH = 23_400.0
"""Seconds from the opening to the closing auction's end."""
LEVELS = 10
BURST, BURST_GAP = 0.38, 0.25
"""Of the prints, those that follow another at once, and after how long."""
REQUOTES = 1.5
"""Changes of the book for each print."""
_STEPS = (2_000, 1), (5_000, 5), (20_000, 10), (50_000, 50), (200_000, 100), (500_000, 500)


def messages(prints: int, codes: int, of: int, seed: int) -> Iterator[Tick | OrderBook]:
    """About so many prints of every n-th of `of` codes, in the order they come; trade among all of them is Zipf's."""
    ranks = [(2 * place + 1) * of // (2 * codes) for place in range(codes)]
    weights = [1 / (rank + 20) for rank in ranks]
    share = prints / sum(weights)
    rng = Random(seed)
    issues = [
        Issue(Symbol(f"{rank:05}0"), weight * share, Random(rng.random()))
        for rank, weight in zip(ranks, weights, strict=True)
    ]
    return heapq.merge(*(issue.messages() for issue in issues), key=attrgetter("received"))


class Issue:
    """One made-up issue: a walk on the price steps, queues at ten levels a side, sizes with a long tail."""

    def __init__(self, symbol: Symbol, prints: float, rng: Random) -> None:
        price = round(math.exp(rng.uniform(math.log(1_000), math.log(300_000))))
        self._symbol = symbol
        gap = LENGTH / max(prints, 1)
        self._wait_rate = (1 - BURST) / max(gap - BURST * BURST_GAP, gap / 10)
        self._rng = rng
        self._lot = max(2_000_000 / price, 1.0)
        self._step = next(step for bound, step in _STEPS if price < bound)
        self._ask = price // self._step * self._step
        self._asks = [self._queue() for _ in range(LEVELS)]
        self._bids = [self._queue() for _ in range(LEVELS)]
        self._open = self._high = self._low = self._ask
        self._volume = self._value = self._bought = self._sold = 0

    def messages(self) -> Iterator[Tick | OrderBook]:
        """A book after each print and after each change of the queues."""
        rng, now, burst = self._rng, self._wait(), False
        while now < LENGTH:
            yield self._print(now)
            yield self._book(now + 0.000_2)
            burst = rng.random() < BURST
            after = now + (rng.expovariate(1 / BURST_GAP) if burst else self._wait())
            for moment in sorted(rng.uniform(now, after) for _ in range(self._requotes(burst=burst))):
                self._requote()
                yield self._book(min(moment, LENGTH))
            now = after

    def _wait(self) -> float:
        return self._rng.expovariate(self._wait_rate)

    def _requotes(self, *, burst: bool) -> int:
        return 0 if burst else round(self._rng.expovariate((1 - BURST) / REQUOTES))

    def _queue(self) -> int:
        return 1 + round(self._lot * self._rng.lognormvariate(0.0, 1.2))

    def _requote(self) -> None:
        queues = self._asks if self._rng.random() < 0.5 else self._bids
        level = min(int(self._rng.expovariate(0.4)), LEVELS - 1)
        queues[level] = max(queues[level] + round(self._lot * self._rng.gauss(0, 1.5)), 1)

    def _print(self, now: float) -> Tick:
        buys = self._rng.random() < 0.5
        size = 1 + round(self._lot * self._rng.lognormvariate(-1.5, 1.4))
        price = self._ask if buys else self._ask - self._step
        size = self._take(size, buys=buys)
        self._volume += size
        self._value += size * price
        self._bought, self._sold = self._bought + size * buys, self._sold + size * (not buys)
        self._high, self._low = max(self._high, price), min(self._low, price)
        received = NINE + round(now * SECOND)
        return Tick(
            symbol=self._symbol,
            time=Nanoseconds(received // SECOND * SECOND),
            received=Nanoseconds(received),
            price=Won(price),
            size=Shares(size),
            side=Aggressor.BUYER if buys else Aggressor.SELLER,
            volume=Shares(self._volume),
            value=Won(self._value // 1_000_000 * 1_000_000),
            ask=Won(self._ask),
            bid=Won(self._ask - self._step),
            open=Won(self._open),
            high=Won(self._high),
            low=Won(self._low),
            strength=round(self._bought / max(self._sold, 1) * 100, 2),
        )

    def _take(self, size: int, *, buys: bool) -> int:
        near, far = (self._asks, self._bids) if buys else (self._bids, self._asks)
        size = min(size, near[0])
        near[0] -= size
        if not near[0]:
            del near[0], far[-1]
            near.append(self._queue())
            far.insert(0, self._queue())
            self._ask += self._step if buys else -self._step
        return size

    def _book(self, now: float) -> OrderBook:
        received = NINE + round(now * SECOND)
        ask, bid, step = self._ask, self._ask - self._step, self._step
        return OrderBook(
            symbol=self._symbol,
            time=Nanoseconds(received // SECOND * SECOND),
            received=Nanoseconds(received),
            ask_prices=tuple(range(ask, ask + LEVELS * step, step)),
            ask_sizes=tuple(self._asks),
            bid_prices=tuple(range(bid, bid - LEVELS * step, -step)),
            bid_sizes=tuple(self._bids),
            ask_total=Shares(sum(self._asks)),
            bid_total=Shares(sum(self._bids)),
        )
