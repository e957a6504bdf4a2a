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
    buys, sells = book.market_buys.total, book.market_sells.total
    if not buys and not sells and not book.crossed:
        return None
    low, high = _range(book, reference, buys, sells)
    demand = _demand(book, low, high, buys)
    supply = _supply(book, low, high, sells)
    sizes = [*map(min, demand, supply)]
    most = max(sizes)

    def merit(at: int) -> tuple[bool, int, int, int]:
        served = (at == high - low or demand[at + 1] <= most) and (at == 0 or supply[at - 1] <= most)
        return served, -abs(demand[at] - supply[at]), -abs(low + at - reference), at

    best = max((at for at, size in enumerate(sizes) if size == most), key=merit)
    return Outcome(low + best, most) if most else None


def match(book: Book, size: int) -> Iterator[tuple[Order, int]]:
    """Trade `size` on both sides, market orders first, then by price and time; yields each order's part."""
    for buy in (True, False):
        waiting = book.markets(buy)
        served = min(size, waiting.total)
        yield from waiting.pour(served)
        yield from book.own(buy).pour(size - served)


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
