import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from actors.market.storage import blocks
from actors.market.storage.blocks import BOOK, TICK, Array
from tests.market.market_data import NINE

INTEGERS = st.one_of(st.integers(-3, 3), st.integers(-(1 << 63), (1 << 63) - 1), st.just(NINE))
FLOATS = st.one_of(st.integers(0, 10**6).map(lambda hundredths: hundredths / 100), st.floats(width=64))


def filled(dtype: np.dtype[np.void], columns: dict[str, list[float]]) -> Array:
    array = np.zeros(len(columns["number"]), dtype)
    for name, column in columns.items():
        array[name] = column
    return array


@st.composite
def ticks(draw: st.DrawFn) -> Array:
    count = draw(st.integers(1, 12))
    kinds = {"venue": st.integers(0, 2), "side": st.integers(0, 2), "strength": FLOATS}
    names = TICK.names or ()
    return filled(TICK, {n: draw(st.lists(kinds.get(n, INTEGERS), min_size=count, max_size=count)) for n in names})


@st.composite
def books(draw: st.DrawFn) -> Array:
    count = draw(st.integers(1, 6))
    names = [name for name in BOOK.names or () if name not in ("venue", "levels")]
    array = filled(BOOK, {n: draw(st.lists(INTEGERS, min_size=count, max_size=count)) for n in names})
    array["levels"] = draw(arrays.arrays(np.int64, (count, 4, 10), elements=INTEGERS))
    return array


@given(st.one_of(ticks(), books()))
def test_any_figures_come_back_from_a_block(array: Array) -> None:
    assert blocks.unpack(blocks.pack(array), array.dtype, len(array)).tobytes() == array.tobytes()


def walk(count: int) -> Array:
    rng = np.random.default_rng(1)
    array = np.zeros(count, TICK)
    array["number"] = np.cumsum(rng.integers(1, 400, count))
    array["received"] = NINE + np.cumsum(rng.integers(1, 10**9, count))
    array["time"] = array["received"] // 10**9 * 10**9
    array["side"] = rng.integers(1, 3, count)
    array["ask"] = 70_000 + 100 * np.cumsum(rng.integers(-1, 2, count))
    array["bid"] = array["ask"] - 100
    array["price"] = np.where(array["side"] == 1, array["ask"], array["bid"])
    array["size"] = rng.integers(1, 200, count)
    array["volume"] = np.cumsum(array["size"])
    array["value"] = np.cumsum(array["size"] * array["price"]) // 10**6 * 10**6
    array["strength"] = np.round(rng.uniform(90, 110, count), 2)
    return array


def test_a_block_of_prints_takes_a_tenth_of_the_array() -> None:
    array = walk(8_192)

    assert len(blocks.pack(array)) < array.nbytes / 10


def test_a_block_of_an_older_version_is_read() -> None:
    array = walk(100)
    plain = b"".join(array[name].tobytes() for name in TICK.names or ())

    assert blocks.unpack(zlib.compress(plain, 1), TICK, 100).tobytes() == array.tobytes()


@pytest.mark.parametrize("old", [False, True])
def test_other_bytes_are_no_block(old: bool) -> None:
    array = walk(100)
    plain = b"".join(array[name].tobytes() for name in TICK.names or ())
    good = zlib.compress(plain, 1) if old else blocks.pack(array)
    bad = [b"", good[:3], good[:-9], good[:4] + zlib.compress(b"nothing of the kind"), b"\x05" + good[1:]]

    for data in bad:
        with pytest.raises(ValueError, match="block"):
            blocks.unpack(data, TICK, 100)
    with pytest.raises(ValueError, match="block"):
        blocks.unpack(good, TICK, 99)


def test_rows_in_order_stay_the_same_array() -> None:
    array = walk(50)

    assert blocks.in_order(array) is array
    assert blocks.in_order(array[::-1]).tobytes() == array.tobytes()
