"""Foreign rows of a print and the book seen before it, as ticks and books."""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, Protocol

import numpy as np

from actors.market.storage.blocks import BOOK, LEVELS, TICK, Array
from actors.market.time import SECOND
from messages import Symbol

_NONE, _BUYER, _SELLER = 0, 1, 2
_SIDES = ("ask", "ask_size", "bid", "bid_size")
_DAY = 86_400 * SECOND
_MOST = 1 << 62
"""Shares, or won, of a day: what a column holds."""
_OFFSET = 9 * 3_600 * SECOND

Row = tuple[int, Symbol, int, dict[str, int]]
_Print = tuple[int, int, dict[str, int]]
_Levels = tuple[tuple[int, ...], ...]


class Sink(Protocol):
    """Where a file's contents and faults go."""

    out_of_order: int
    duplicates: int
    ticks: dict[Symbol, Array]
    books: dict[Symbol, Array]

    def reject(self, row: int, reason: str) -> None:
        """Count a row that makes no sense."""
        ...


def has_time(places: Mapping[str, int]) -> bool:
    return bool({"received", "date", "time"} & {*places})


def are_prints(places: Mapping[str, int]) -> bool:
    return has_time(places) and "price" in places and bool({"total", "size"} & {*places})


def cells(places: Mapping[str, int]) -> dict[str, int]:
    """The fields to read, and the least value of each; a size may carry the sign of its aggressor."""
    wanted = {"price": 1, "total": 0, "size": -(10**15)}
    wanted |= {f"{side}{level}": 0 for side in _SIDES for level in range(1, LEVELS + 1)}
    return {field: least for field, least in wanted.items() if field in places}


def collect(sink: Sink, rows: Iterable[Row]) -> None:
    """Every print as a tick, every changed book as a book, by arrival; numbers count from 1."""
    found: dict[Symbol, list[_Print]] = {}
    for row, symbol, instant, figures in rows:
        found.setdefault(symbol, []).append((instant, row, figures))
    number = 0
    for symbol, prints in found.items():
        sink.out_of_order += sum(later[0] < earlier[0] for earlier, later in pairwise(prints))
        prints.sort(key=lambda print_: (print_[0], print_[2].get("total", 0)))
        fold = _Fold(number, signed=any(print_[2].get("size", 0) < 0 for print_ in prints))
        for print_ in prints:
            fold.take(sink, print_)
        number = fold.number
        sink.ticks[symbol] = np.array(fold.ticks, TICK)
        sink.books[symbol] = np.array(fold.books, BOOK)


class _Fold:
    def __init__(self, number: int, *, signed: bool) -> None:
        self.number = number
        self.ticks: list[tuple[Any, ...]] = []
        self.books: list[tuple[Any, ...]] = []
        self._signed = signed
        self._day = -1
        self._levels: _Levels = ()
        self._volume = self._value = self._open = self._high = self._low = 0

    def take(self, sink: Sink, print_: _Print) -> None:
        instant, row, figures = print_
        self._begin_day((instant + _OFFSET) // _DAY)
        told = abs(figures.get("size", 0))
        size = figures["total"] - self._volume if "total" in figures else told
        if size < 0:
            sink.reject(row, f"accumulated volume falls: {self._volume} to {figures['total']}")
            return
        if max(self._volume + size, self._value + figures["price"] * size) >= _MOST:
            sink.reject(row, f"more than a day can hold: {size} shares at {figures['price']}")
            return
        changed = self._take_book(instant, _levels(figures))
        if size:
            self._volume += size
            self._take_tick(instant, min(told, size) or size, figures)
        elif not changed:
            sink.duplicates += 1

    def _begin_day(self, day: int) -> None:
        if day != self._day:
            self._day = day
            self._volume = self._value = self._open = self._high = self._low = 0

    def _take_book(self, instant: int, levels: _Levels) -> bool:
        if levels == self._levels or not any(map(any, levels)):
            return False
        self._levels = levels
        self.number += 1
        totals = (sum(levels[1]), sum(levels[3]))
        self.books.append((self.number, instant - instant % SECOND, instant, 0, *totals, levels))
        return True

    def _take_tick(self, instant: int, size: int, figures: dict[str, int]) -> None:
        price = figures["price"]
        self._value += price * size
        self._open = self._open or price
        self._high = max(self._high, price)
        self._low = min(self._low or price, price)
        ask, bid = figures.get("ask1", 0), figures.get("bid1", 0)
        side = self._sign(figures) if self._signed else self._side(price, ask, bid)
        totals = (self._volume, self._value, ask, bid, self._open, self._high, self._low)
        self.number += 1
        self.ticks.append((self.number, instant - instant % SECOND, instant, 0, price, size, side, *totals, 0.0))

    @staticmethod
    def _sign(figures: dict[str, int]) -> int:
        return _SELLER if figures["size"] < 0 else _BUYER

    def _side(self, price: int, ask: int, bid: int) -> int:
        if len(self.ticks) == 0:
            return _NONE
        return _BUYER if ask and price >= ask else _SELLER if bid and price <= bid else _NONE


def _levels(figures: Mapping[str, int]) -> _Levels:
    return tuple(tuple(figures.get(f"{side}{n}", 0) for n in range(1, LEVELS + 1)) for side in _SIDES)
