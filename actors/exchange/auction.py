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
    """The price of most volume, then least surplus, then nearest to index `reference`, the last price.

    Only a price counts at which every better order is served. A market order counts as a limit beyond the best of its
    own side, all of the other side and the last price. None where nothing matches.
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
    """Where the price may be: around the best limits and the last price, as far as market orders take it."""
    bids, asks = book.bids, book.asks
    ends = [ladder.best for ladder in (bids, asks) if ladder.best != ladder.end]
    low, high = (min(ends), max(ends)) if ends else (reference, reference)
    low, high = _reach(bids, asks, low, sells, buys), _reach(asks, bids, high, buys, sells)
    low, high = min(low, reference), max(high, reference)
    if sells:
        low = max(min(low, _beyond(asks, bids, reference)), 0)
    if buys:
        high = min(max(high, _beyond(bids, asks, reference)), asks.end - 1)
    return low, high


def _beyond(own: Ladder, other: Ladder, reference: int) -> int:
    """A tick better than the best limit of its side; than the last price, where nobody has a limit."""
    if own.best != own.end:
        return own.best - own.step
    return reference if other.best != other.end else reference - own.step


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
