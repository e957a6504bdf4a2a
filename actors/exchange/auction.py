"""The single-price call auction: which price, how much, who trades."""

from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from actors.exchange.book import Book, Ladder, Order
from messages import Session


class Outcome(NamedTuple):
    """What an auction gives: the index of its price on the grid, and the shares that trade."""

    level: int
    size: int


def single_price(book: Book, reference: int) -> Outcome | None:
    """The price of most volume, then least surplus, then nearest to index `reference`, then the higher.

    Only a price counts at which every better order is served. None where nothing matches.
    """
    buys = sum(order.open for order in book.market_buys)
    sells = sum(order.open for order in book.market_sells)
    if not buys and not sells and not book.crossed:
        return None
    low, high = _range(book, reference, buys, sells)
    demand = _demand(book, low, high, buys)
    supply = _supply(book, low, high, sells)
    sizes = [min(wanted, offered) for wanted, offered in zip(demand, supply, strict=True)]

    def merit(at: int) -> tuple[int, bool, int, int, int]:
        size = sizes[at]
        served = (at == high - low or demand[at + 1] <= size) and (at == 0 or supply[at - 1] <= size)
        return size, served, -abs(demand[at] - supply[at]), -abs(low + at - reference), at

    best = max(range(high - low + 1), key=merit)
    return Outcome(low + best, sizes[best]) if sizes[best] else None


def match(book: Book, size: int) -> Iterator[tuple[Order, int]]:
    """Trade `size` on both sides, market orders first, then by price and time; yields each order's part."""
    for buy in (True, False):
        left = size
        queue = book.markets(buy)
        while queue and left:
            order = queue[0]
            taken = min(order.open, left)
            order.open -= taken
            left -= taken
            if not order.open:
                queue.popleft()
            yield order, taken
        yield from book.own(buy).pour(left)


def is_auction(session: Session) -> bool:
    return session in (Session.OPENING_AUCTION, Session.CLOSING_AUCTION)


def _range(book: Book, reference: int, buys: int, sells: int) -> tuple[int, int]:
    ends = [ladder.best for ladder in (book.bids, book.asks) if ladder.best != ladder.end]
    ends = ends or [reference]
    low, high = min(ends), max(ends)
    return _reach(book.bids, book.asks, low, sells, buys), _reach(book.asks, book.bids, high, buys, sells)


def _reach(ladder: Ladder, other: Ladder, index: int, wanted: int, offered: int) -> int:
    wanted += other.sizes[index]
    found = ladder.available(index)
    while found + offered < wanted and found < ladder.total:
        index += ladder.step
        found += ladder.sizes[index]
        wanted -= other.sizes[index - ladder.step]
    return index


def _demand(book: Book, low: int, high: int, market: int) -> list[int]:
    downward = reversed(book.bids.sizes[low : high + 1])
    return list(accumulate(downward, initial=market))[:0:-1]


def _supply(book: Book, low: int, high: int, market: int) -> list[int]:
    upward = book.asks.sizes[low : high + 1]
    return list(accumulate(upward, initial=market))[1:]
