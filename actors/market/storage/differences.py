"""Ticks, books and indications as the small differences that compress well, and exactly back.

A row of integers is a column. Those that walk (number, time, price, accumulated figures) are differences from the
record before, those that stay close to another column are differences from that one: `received` from `time`, quotes
from the price, a level's price from the level before it. Sums wrap at 64 bits, so any figures come back.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.market.storage.planes import Integers

Array = NDArray[np.void]

_WALKING_TICK: Final = ("number", "time", "price", "volume", "value", "open", "high", "low", "strength")
_TICK_COLUMNS: Final = len(_WALKING_TICK) + 6
_WALKING_BOOK: Final = 3
_BOOK_COLUMNS: Final = 46
_BESIDE: Final = ("number", "time", "received", "venue")
_BUYER: Final = 1
"""A buyer's print is at the ask, another at the bid, but for the quotes having moved."""
_EXACT: Final = -1
"""In place of a power of ten: the bits of a float."""


class Differences(NamedTuple):
    """`bases` are the first record's, a value a row of `rest`; `powers` of ten divided time, value and strength."""

    powers: tuple[int, int, int]
    bases: Integers
    rest: Integers


class Codec(NamedTuple):
    """How one kind of rows becomes differences and comes back."""

    columns: int
    """Rows of the differences."""
    take: Callable[[Array], Differences]
    """Of at least one row."""
    fill: Callable[[Differences, Array], None]
    """Every column of an array."""


def figures(dtype: np.dtype[np.void]) -> Codec:
    """Of rows that have nothing but when, where and whole numbers."""
    return Codec(len(dtype.names or ()), _of_figures, _to_figures)


def of_ticks(array: Array) -> Differences:
    """`array` has at least a row; 15 rows come back."""
    walking = {name: array[name] for name in _WALKING_TICK}
    time, time_power = _divided(array["time"], 9)
    value, value_power = _divided(array["value"], 6)
    strength, strength_power = _whole(array["strength"])
    walking |= {"time": time, "value": value, "strength": strength}
    price = array["price"]
    spread = array["ask"] - array["bid"]
    quote = price - array["bid"] - spread * (array["side"] == _BUYER)
    near = (array["received"] - array["time"], array["size"], array["side"], array["venue"], spread, quote)
    rows = np.empty((_TICK_COLUMNS, len(array)), np.int64)
    for place, row in enumerate((*walking.values(), *near)):
        rows[place] = row
    bases = _differ(rows, len(walking))
    rows[3, 1:] -= array["size"][1:]
    return Differences((time_power, value_power, strength_power), bases, rows)


def to_ticks(found: Differences, array: Array) -> None:
    """Fill every column of `array`."""
    time_power, value_power, strength_power = found.powers
    rows = found.rest
    near = rows[len(_WALKING_TICK) :]
    near += found.bases[len(_WALKING_TICK) :, None]
    received, size, side, array["venue"], spread, quote = near
    rows[3, 1:] += size[1:]
    _sum(found.bases, rows, len(_WALKING_TICK))
    array["number"], time, price, array["volume"], value, array["open"], array["high"], array["low"], strength = rows[
        :9
    ]
    time = _multiplied(time, time_power)
    array["time"], array["received"] = time, received + time
    array["price"], array["size"], array["value"] = price, size, _multiplied(value, value_power)
    array["side"], bid = side, price - quote - spread * (side == _BUYER)
    array["ask"], array["bid"] = bid + spread, bid
    array["strength"] = strength.view(np.float64) if strength_power == _EXACT else strength / 10**strength_power


def of_books(array: Array) -> Differences:
    """`array` has at least a row; 46 rows come back."""
    time, time_power = _divided(array["time"], 9)
    levels = np.ascontiguousarray(array["levels"].transpose(1, 2, 0))
    asks, ask_sizes, bids, bid_sizes = levels
    rows = np.empty((_BOOK_COLUMNS, len(array)), np.int64)
    rows[0], rows[1], rows[2] = array["number"], time, asks[0]
    rows[3], rows[4] = array["received"] - array["time"], array["venue"]
    rows[5], rows[6] = array["ask_total"] - ask_sizes.sum(axis=0), array["bid_total"] - bid_sizes.sum(axis=0)
    rows[7] = bids[0] - asks[0]
    rows[8:17], rows[17:26] = asks[1:] - asks[:-1], bids[1:] - bids[:-1]
    rows[26:36], rows[36:46] = ask_sizes, bid_sizes
    return Differences((time_power, 0, 0), _differ(rows, _WALKING_BOOK), rows)


def to_books(found: Differences, array: Array) -> None:
    """Fill every column of `array`."""
    rows = found.rest
    rows[_WALKING_BOOK:] += found.bases[_WALKING_BOOK:, None]
    _sum(found.bases, rows, _WALKING_BOOK)
    time = _multiplied(rows[1], found.powers[0])
    array["number"], array["time"], array["received"], array["venue"] = rows[0], time, rows[3] + time, rows[4]
    levels = np.empty((4, 10, len(array)), np.int64)
    levels[0, 0], levels[2, 0] = rows[2], rows[2] + rows[7]
    levels[0, 1:], levels[2, 1:] = rows[8:17], rows[17:26]
    np.cumsum(levels[0], axis=0, out=levels[0])
    np.cumsum(levels[2], axis=0, out=levels[2])
    levels[1], levels[3] = rows[26:36], rows[36:46]
    array["levels"] = levels.transpose(2, 0, 1)
    array["ask_total"], array["bid_total"] = rows[5] + levels[1].sum(axis=0), rows[6] + levels[3].sum(axis=0)


TICKS: Final = Codec(_TICK_COLUMNS, of_ticks, to_ticks)
BOOKS: Final = Codec(_BOOK_COLUMNS, of_books, to_books)


def _of_figures(array: Array) -> Differences:
    time, time_power = _divided(array["time"], 9)
    names = _figure_names(array)
    rows = np.empty((len(names) + len(_BESIDE), len(array)), np.int64)
    rows[0], rows[1] = array["number"], time
    for place, name in enumerate(names, 2):
        rows[place] = array[name]
    rows[-2], rows[-1] = array["received"] - array["time"], array["venue"]
    return Differences((time_power, 0, 0), _differ(rows, len(names) + 2), rows)


def _to_figures(found: Differences, array: Array) -> None:
    rows, names = found.rest, _figure_names(array)
    rows[-2:] += found.bases[-2:, None]
    _sum(found.bases, rows, len(names) + 2)
    array["number"], array["time"] = rows[0], _multiplied(rows[1], found.powers[0])
    for place, name in enumerate(names, 2):
        array[name] = rows[place]
    array["received"], array["venue"] = rows[-2] + array["time"], rows[-1]


def _figure_names(array: Array) -> list[str]:
    return [name for name in array.dtype.names or () if name not in _BESIDE]


def _differ(rows: Integers, walking: int) -> Integers:
    bases = rows[:, 0].copy()
    rows[:walking, 1:] = rows[:walking, 1:] - rows[:walking, :-1]
    rows[:walking, 0] = 0
    rows[walking:] -= bases[walking:, None]
    return bases


def _sum(bases: Integers, rows: Integers, walking: int) -> None:
    rows[:walking, 0] = bases[:walking]
    np.cumsum(rows[:walking], axis=1, out=rows[:walking])


def _divided(column: NDArray[Any], power: int) -> tuple[NDArray[Any], int]:
    whole = column // 10**power
    return (whole, power) if np.array_equal(whole * 10**power, column) else (column, 0)


def _multiplied(column: Integers, power: int) -> Integers:
    return column * 10**power if power else column


def _whole(column: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """Hundredths where that is exact."""
    with np.errstate(over="ignore", invalid="ignore"):
        hundredths = np.rint(column * 100)
    if np.array_equal(hundredths / 100, column) and (hundredths < 1 << 53).all() and not np.signbit(column).any():
        return hundredths.astype(np.int64), 2
    return np.ascontiguousarray(column).view(np.int64), _EXACT
