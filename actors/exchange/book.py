"""Price-time matching of one issue: two ladders of first-in-first-out queues over the day's price grid.

Prices are positions on that grid, so that the next price is one more whatever the tick.
"""

from collections import deque
from collections.abc import Callable, Iterator
from itertools import compress
from typing import Any

LEVELS = 10
MARKET = -2
"""The index of an order that waits in an auction without a price."""


class Order:
    """An order in the market; `owner` is None for the synthetic crowd."""

    __slots__ = ("buy", "index", "open", "owner")

    def __init__(self, buy: bool, index: int, size: int, owner: Any = None) -> None:
        self.buy = buy
        self.index = index
        self.open = size
        self.owner = owner


Levels = tuple[tuple[int, ...], tuple[int, ...]]
Fill = Callable[[Order, Order, int, int], None]
"""Called with the resting order, the incoming one, the price's index and the size."""
_NOTHING: Levels = (0,) * LEVELS, (0,) * LEVELS


class Ladder:
    """One side: `best` is the index of its best price and `end` where it has none; `step` leads away from it.

    `changes` counts what happened to it: what was worked out of it holds until then.
    """

    __slots__ = ("_shown", "_shown_for", "best", "changes", "end", "queues", "sizes", "step", "total")

    def __init__(self, prices: int, step: int) -> None:
        self.step = step
        self.end = prices if step > 0 else -1
        self.best = self.end
        self.sizes = [0] * prices
        self.queues: dict[int, deque[Order]] = {}
        self.total = 0
        self.changes = 0
        self._shown: Levels = _NOTHING
        self._shown_for = (0, 0)

    def add(self, order: Order) -> None:
        """Put the order last in its price's queue."""
        index = order.index
        queue = self.queues.get(index)
        if queue is None:
            queue = self.queues[index] = deque()
        queue.append(order)
        self.sizes[index] += order.open
        self.total += order.open
        self.changes += 1
        if (self.best - index) * self.step > 0:
            self.best = index

    def remove(self, order: Order) -> None:
        """Take a resting order out."""
        self.queues[order.index].remove(order)
        self.reduce(order, order.open)

    def drop(self, index: int, place: int) -> bool:
        """Take out the crowd's order that stands at `place` in a queue; False where there is none of theirs."""
        queue = self.queues.get(index)
        if queue is None or place >= len(queue) or queue[place].owner is not None:
            return False
        order = queue[place]
        del queue[place]
        self.reduce(order, order.open)
        return True

    def reduce(self, order: Order, size: int) -> None:
        """Lower a resting order's size; it keeps its place."""
        order.open -= size
        self.sizes[order.index] -= size
        self.total -= size
        self.changes += 1
        if not self.sizes[order.index] and order.index == self.best:
            self._advance()

    def take(self, incoming: Order, limit: int, low: int, high: int, fill: Fill) -> bool:
        """Match as far as `limit`; True where it stopped before a price at or beyond `low` or `high`."""
        step, sizes = self.step, self.sizes
        self.changes += 1
        while incoming.open and (limit - self.best) * step >= 0:
            index = self.best
            if index >= high or index <= low:
                return True
            queue = self.queues[index]
            while queue and incoming.open:
                resting = queue[0]
                size = min(resting.open, incoming.open)
                resting.open -= size
                incoming.open -= size
                sizes[index] -= size
                self.total -= size
                if not resting.open:
                    queue.popleft()
                    if not queue:
                        self._advance()
                fill(resting, incoming, index, size)
        return False

    def available(self, limit: int) -> int:
        """How much could be taken as far as `limit`."""
        if (limit - self.best) * self.step < 0:
            return 0
        low, high = sorted((self.best, limit))
        return sum(self.sizes[low : high + 1])

    def pour(self, size: int) -> Iterator[tuple[Order, int]]:
        """Take `size` from the best prices on, whatever they are: an auction's matching."""
        while size:
            queue = self.queues[self.best]
            order = queue[0]
            taken = min(order.open, size)
            size -= taken
            if taken == order.open:
                queue.popleft()
            self.reduce(order, taken)
            yield order, taken

    def levels(self, prices: list[int], skip: int) -> Levels:
        """Prices and sizes of the first ten levels, padded with 0; `skip` shares from the best on are left out."""
        if self._shown_for != (self.changes, skip):
            self._shown_for = self.changes, skip
            self._shown = self._levels(prices, skip)
        return self._shown

    def _levels(self, prices: list[int], skip: int) -> Levels:
        index, sizes, step, end = self.best, self.sizes, self.step, self.end
        while index != end and sizes[index] <= skip:
            skip -= sizes[index]
            index += step
        if index == end:
            return _NOTHING
        part = self._part(index)
        shown = sizes[part]
        remaining = [*filter(None, shown)][:LEVELS]
        remaining[0] -= skip
        return _padded([*compress(prices[part], shown)][:LEVELS]), _padded(remaining)

    def _part(self, index: int) -> slice:
        """From `index` on, wide enough for ten levels where there are as many."""
        width = LEVELS
        while True:
            beyond = index + self.step * width
            part = slice(index, beyond if beyond >= 0 else None, self.step)
            shown = self.sizes[part]
            if len(shown) < width or width - shown.count(0) >= LEVELS:
                return part
            width *= 2

    def _advance(self) -> None:
        index, end, step, sizes = self.best, self.end, self.step, self.sizes
        while index != end and not sizes[index]:
            index += step
        self.best = index


class Waiting:
    """Market orders that wait for an auction, first come, first served."""

    __slots__ = ("_orders", "changes", "total")

    def __init__(self) -> None:
        self.total = 0
        self.changes = 0
        self._orders: deque[Order] = deque()

    def add(self, order: Order) -> None:
        self._orders.append(order)
        self.total += order.open
        self.changes += 1

    def remove(self, order: Order) -> None:
        """Take an order out."""
        self._orders.remove(order)
        self.reduce(order, order.open)

    def reduce(self, order: Order, size: int) -> None:
        """Lower an order's size; it keeps its place."""
        order.open -= size
        self.total -= size
        self.changes += 1

    def pour(self, size: int) -> Iterator[tuple[Order, int]]:
        """Take `size`, at most all there is: an auction's matching."""
        while size:
            order = self._orders[0]
            taken = min(order.open, size)
            size -= taken
            self.reduce(order, taken)
            if not order.open:
                self._orders.popleft()
            yield order, taken

    def leave(self) -> list[Order]:
        """Everybody, who waits no more."""
        left = list(self._orders)
        self._orders.clear()
        self.total = 0
        self.changes += 1
        return left


class Book:
    """Both ladders of an issue, and the market orders that wait for an auction."""

    __slots__ = ("asks", "bids", "index_of", "market_buys", "market_sells", "prices")

    def __init__(self, prices: list[int]) -> None:
        self.prices = prices
        """Every price of the day, lowest first."""
        self.index_of = {price: index for index, price in enumerate(prices)}
        self.bids = Ladder(len(prices), -1)
        self.asks = Ladder(len(prices), 1)
        self.market_buys = Waiting()
        self.market_sells = Waiting()

    @property
    def ask(self) -> int:
        """Best ask in won, 0 when there is none."""
        best = self.asks.best
        return self.prices[best] if best != self.asks.end else 0

    @property
    def bid(self) -> int:
        """Best bid in won, 0 when there is none."""
        best = self.bids.best
        return self.prices[best] if best >= 0 else 0

    @property
    def changes(self) -> tuple[int, int, int, int]:
        """Other than before whenever something in the book is."""
        return self.bids.changes, self.asks.changes, self.market_buys.changes, self.market_sells.changes

    @property
    def crossed(self) -> bool:
        return self.bids.best >= self.asks.best

    def reaches(self, buy: bool, limit: int) -> bool:
        """Whether an order with that limit finds somebody."""
        other = self.asks if buy else self.bids
        return (limit - other.best) * other.step >= 0

    def own(self, buy: bool) -> Ladder:
        return self.bids if buy else self.asks

    def other(self, buy: bool) -> Ladder:
        return self.asks if buy else self.bids

    def markets(self, buy: bool) -> Waiting:
        return self.market_buys if buy else self.market_sells

    def wait(self, order: Order) -> None:
        """Put a market order into the auction."""
        order.index = MARKET
        self.markets(order.buy).add(order)

    def remove(self, order: Order) -> None:
        """Take an order out, from its queue or from the market orders of the auction."""
        if order.index == MARKET:
            self.markets(order.buy).remove(order)
        else:
            self.own(order.buy).remove(order)

    def reduce(self, order: Order, size: int) -> None:
        """Lower an order's size below what is open; it keeps its place."""
        if order.index == MARKET:
            self.markets(order.buy).reduce(order, size)
        else:
            self.own(order.buy).reduce(order, size)


def _padded(figures: list[int]) -> tuple[int, ...]:
    return (*figures, *(0,) * (LEVELS - len(figures)))
