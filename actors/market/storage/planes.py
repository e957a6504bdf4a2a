"""Rows of integers as few bytes: each row less its first value, as narrow as it fits, byte planes apart, deflated."""

import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

_WIDTHS: Final = (1, 2, 4, 8)
_DEFLATE: Final = (1, zlib.DEFLATED, zlib.MAX_WBITS, 7, zlib.Z_RLE)
"""Runs are all that is left to find: faster than searching for more, and smaller. A plane of 8,192 bytes fills zlib's
buffer of that memory level, so each has a code of its own."""


def squeeze(bases: Integers, rest: Integers) -> bytes:
    """`bases` has a value a row of `rest`; small figures take little room."""
    widths = _widths(rest)
    parts = [bases.astype("<i8").tobytes(), widths.tobytes()]
    for width in _WIDTHS:
        rows = np.flatnonzero(widths == width)
        if len(rows):
            narrow = rest[rows].astype(f"<i{width}")
            parts.append(narrow.view(np.uint8).reshape(len(rows), -1, width).transpose(0, 2, 1).tobytes())
    deflate = zlib.compressobj(*_DEFLATE)
    return deflate.compress(b"".join(parts)) + deflate.flush()


def restore(data: bytes, rows: int, count: int) -> tuple[Integers, Integers]:
    """What `squeeze` made of `rows` rows of `count` values. Raises ValueError for any other bytes."""
    try:
        plain = zlib.decompress(data)
    except zlib.error as error:
        raise ValueError(f"a damaged block: {error}") from error
    widths = np.frombuffer(plain[rows * 8 : rows * 9], np.uint8)
    if len(widths) != rows or len(plain) != rows * 9 + int(widths.sum()) * count:
        raise ValueError(f"a damaged block: {len(plain)} bytes are not {count} rows of {rows} columns")
    rest = np.zeros((rows, count), np.int64)
    offset = rows * 9
    for width in _WIDTHS:
        places = np.flatnonzero(widths == width)
        planes = np.frombuffer(plain, np.uint8, len(places) * width * count, offset).reshape(-1, width, count)
        offset += planes.size
        for place, plane in zip(places, planes, strict=True):
            rest[place] = np.ascontiguousarray(plane.T).view(f"<i{width}").reshape(count)
    return np.frombuffer(plain, "<i8", rows), rest


def _widths(rest: Integers) -> NDArray[np.uint8]:
    """Bytes a value of each row; 0 where all of them are 0."""
    least, most = rest.min(axis=1), rest.max(axis=1)
    largest = np.maximum(most, ~least)
    steps = (largest >= 1 << 7).astype(np.uint8) + (largest >= 1 << 15) + (largest >= 1 << 31)
    return np.where((least == 0) & (most == 0), 0, 1 << steps).astype(np.uint8)
