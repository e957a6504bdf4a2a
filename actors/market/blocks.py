"""Ticks, books and bars as numpy arrays, and arrays as compressed columns: what a market day is stored as."""

import zlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from messages import Aggressor, Bar, OrderBook, Symbol, Tick, Venue

Array = NDArray[np.void]

SIDES: Final[tuple[Aggressor, ...]] = (Aggressor.NONE, Aggressor.BUYER, Aggressor.SELLER)
"""Stored as their place in this tuple."""
VENUES: Final[tuple[Venue, ...]] = (Venue.KRX, Venue.NXT, Venue.SOR)
LEVELS: Final = 10
_SIDE = dict(enumerate(SIDES))
_VENUE = dict(enumerate(VENUES))

_WHEN = [("number", "<i8"), ("time", "<i8"), ("received", "<i8"), ("venue", "i1")]
_TOTALS = [("ask_total", "<i8"), ("bid_total", "<i8")]
_PRINT = ("price", "size", "side", "volume", "value", "ask", "bid", "open", "high", "low", "strength")

TICK: Final = np.dtype([*_WHEN, *((name, {"side": "i1", "strength": "<f8"}.get(name, "<i8")) for name in _PRINT)])
BOOK: Final = np.dtype([*_WHEN, *_TOTALS, ("levels", "<i8", (4, LEVELS))])
"""`levels` holds ask prices, ask sizes, bid prices, bid sizes."""
BAR: Final = np.dtype(
    [(name, "<i8") for name in ("time", "open", "high", "low", "close", "volume", "value", "bought", "sold", "prints")],
)


def pack(array: Array) -> bytes:
    """Column after column, compressed."""
    columns = [np.ascontiguousarray(array[name]).tobytes() for name in array.dtype.names or ()]
    return zlib.compress(b"".join(columns), 1)


def unpack(data: bytes, dtype: np.dtype[np.void], count: int) -> Array:
    """What `pack` made. Raises ValueError where the bytes are not `count` rows of that kind."""
    try:
        plain = zlib.decompress(data)
    except zlib.error as error:
        raise ValueError(f"a damaged block: {error}") from error
    if len(plain) != count * dtype.itemsize:
        raise ValueError(f"a block of {count} rows holds {len(plain)} bytes, not {count * dtype.itemsize}")
    array = np.empty(count, dtype)
    offset = 0
    for name in dtype.names or ():
        column = array[name]
        array[name] = np.frombuffer(plain, column.dtype, column.size, offset).reshape(column.shape)
        offset += column.nbytes
    return array


def tick_row(number: int, tick: Tick) -> tuple[Any, ...]:
    """In the order of TICK."""
    side = tick.side
    return (
        number,
        tick.time,
        tick.received,
        0 if tick.venue is Venue.KRX else VENUES.index(tick.venue),
        tick.price,
        tick.size,
        1 if side is Aggressor.BUYER else 2 if side is Aggressor.SELLER else 0,
        tick.volume,
        tick.value,
        tick.ask,
        tick.bid,
        tick.open,
        tick.high,
        tick.low,
        tick.strength,
    )


def book_row(number: int, book: OrderBook) -> tuple[Any, ...]:
    """In the order of BOOK."""
    return (
        number,
        book.time,
        book.received,
        0 if book.venue is Venue.KRX else VENUES.index(book.venue),
        book.ask_total,
        book.bid_total,
        (full(book.ask_prices), full(book.ask_sizes), full(book.bid_prices), full(book.bid_sizes)),
    )


def full(levels: Sequence[int]) -> tuple[int, ...]:
    """Ten levels, 0 where there is none."""
    return tuple(levels) if len(levels) == LEVELS else (*levels, *(0,) * LEVELS)[:LEVELS]


def ticks(symbol: Symbol, array: Array) -> list[Tick]:
    """The messages an array of TICK holds."""
    rows: list[tuple[Any, ...]] = array.tolist()
    return [
        Tick(
            symbol=symbol,
            venue=_VENUE[venue],
            time=time,
            received=received,
            price=price,
            size=size,
            side=_SIDE[side],
            volume=volume,
            value=value,
            ask=ask,
            bid=bid,
            open=opened,
            high=high,
            low=low,
            strength=strength,
        )
        for _, time, received, venue, price, size, side, volume, value, ask, bid, opened, high, low, strength in rows
    ]


def books(symbol: Symbol, array: Array) -> list[OrderBook]:
    """The messages an array of BOOK holds."""
    names = ("time", "received", "venue", "ask_total", "bid_total", "levels")
    columns: list[list[Any]] = [array[name].tolist() for name in names]
    return [
        OrderBook(
            symbol=symbol,
            venue=_VENUE[venue],
            time=time,
            received=received,
            ask_prices=tuple(asks),
            ask_sizes=tuple(ask_sizes),
            bid_prices=tuple(bids),
            bid_sizes=tuple(bid_sizes),
            ask_total=ask_total,
            bid_total=bid_total,
        )
        for time, received, venue, ask_total, bid_total, (asks, ask_sizes, bids, bid_sizes) in zip(
            *columns, strict=True
        )
    ]


def bar(symbol: Symbol, venue: int, interval: int, row: Sequence[Any]) -> Bar:
    """The message a row of BAR holds."""
    time, opened, high, low, close, volume, value, bought, sold, prints = row
    return Bar(
        symbol=symbol,
        venue=_VENUE[venue],
        interval=interval,
        time=time,
        open=opened,
        high=high,
        low=low,
        close=close,
        volume=volume,
        value=value,
        bought=bought,
        sold=sold,
        prints=prints,
    )


def in_order(array: Array) -> Array:
    """By arrival: `received`, and within one instant `number`."""
    return array[np.lexsort((array["number"], array["received"]))]
