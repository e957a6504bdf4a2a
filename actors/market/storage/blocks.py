"""Ticks, books and bars as numpy arrays, and arrays as compressed columns: what a market day is stored as."""

import struct
import zlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from actors.market.storage import differences, planes
from actors.market.storage.differences import Array
from messages import Aggressor, Bar, OrderBook, Symbol, Tick, Venue

SIDES: Final[tuple[Aggressor, ...]] = (Aggressor.NONE, Aggressor.BUYER, Aggressor.SELLER)
"""Stored as their place in this tuple."""
VENUES: Final[tuple[Venue, ...]] = (Venue.KRX, Venue.NXT, Venue.SOR)
LEVELS: Final = 10
_MARK = b"\x02"
"""First byte of a block; one of an older version begins as zlib does."""
_HEADER = 4
_SIDE = dict(enumerate(SIDES))
_VENUE = dict(enumerate(VENUES))

WHEN: Final = [("number", "<i8"), ("time", "<i8"), ("received", "<i8"), ("venue", "i1")]
_TOTALS = [("ask_total", "<i8"), ("bid_total", "<i8")]
_PRINT = ("price", "size", "side", "volume", "value", "ask", "bid", "open", "high", "low", "strength")

TICK: Final = np.dtype([*WHEN, *((name, {"side": "i1", "strength": "<f8"}.get(name, "<i8")) for name in _PRINT)])
BOOK: Final = np.dtype([*WHEN, *_TOTALS, ("levels", "<i8", (4, LEVELS))])
"""`levels` holds ask prices, ask sizes, bid prices, bid sizes."""
BAR: Final = np.dtype(
    [(name, "<i8") for name in ("time", "open", "high", "low", "close", "volume", "value", "bought", "sold", "prints")],
)


def pack(array: Array) -> bytes:
    """Rows of TICK, BOOK or an indication, at least one, as bytes that `unpack` knows."""
    found = _codec(array.dtype).take(array)
    return _MARK + struct.pack("<3b", *found.powers) + planes.squeeze(found.bases, found.rest)


def unpack(data: bytes, dtype: np.dtype[np.void], count: int) -> Array:
    """What `pack` made, or an older version. Raises ValueError where the bytes are not `count` rows of that kind."""
    if data[:1] != _MARK:
        return _unpack_plain(data, dtype, count)
    if len(data) < _HEADER:
        raise ValueError(f"a damaged block of {len(data)} bytes")
    codec = _codec(dtype)
    found = differences.Differences(
        struct.unpack("<3b", data[1:_HEADER]), *planes.restore(data[_HEADER:], codec.columns, count)
    )
    array = np.empty(count, dtype)
    codec.fill(found, array)
    return array


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
    received, number = array["received"], array["number"]
    later = received[1:] > received[:-1]
    if (later | ((received[1:] == received[:-1]) & (number[1:] >= number[:-1]))).all():
        return array
    return array[np.lexsort((number, received))]


def _unpack_plain(data: bytes, dtype: np.dtype[np.void], count: int) -> Array:
    """Whole columns one after another: schemas 1 to 3."""
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


def _codec(dtype: np.dtype[np.void]) -> differences.Codec:
    if dtype == TICK:
        return differences.TICKS
    return differences.BOOKS if dtype == BOOK else differences.figures(dtype)
