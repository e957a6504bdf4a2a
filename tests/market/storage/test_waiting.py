import sqlite3
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from actors.market.storage import loose, store
from actors.market.storage.waiting import TOGETHER, Waiting
from runtime.envelope import Envelope
from tests.market.market_data import tick

PRINTS = st.integers(0, 2 * TOGETHER + 1)
"""That come between two looks of the writer."""


def told(number: int) -> Envelope:
    return Envelope(number=number, time=0, source="receiver", cause=0, message=tick(number, 100 + number % 7))


@given(st.lists(st.tuples(PRINTS, st.integers(0, 3)), max_size=6))
def test_whenever_the_writer_looks_each_message_is_stored_once_and_counted_till_then(
    looks: list[tuple[int, int]],
) -> None:
    waiting = Waiting("ticks")
    number = stored = 0
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for script in store.MIGRATIONS:
            connection.executescript(script)
        for prints, most in [*looks, (0, number + 1_000)]:
            for number in range(number + 1, number + prints + 1):  # noqa: B020
                waiting.add(told(number))
            waiting.seal()
            pieces = list(waiting.pieces)[:most]
            if pieces:
                loose.write(connection, "ticks", pieces)
                waiting.stored(pieces)
                stored += sum(piece.rows for piece in pieces)
            assert waiting.rows == number - stored
        found = connection.execute("SELECT number, price FROM ticks ORDER BY number").fetchall()

    assert found == [(n, 100 + n % 7) for n in range(1, number + 1)]


def test_a_piece_says_between_which_times_it_lies() -> None:
    waiting = Waiting("ticks")
    for second in (5, 3, 9, 4):
        waiting.add(Envelope(number=second, time=0, source="receiver", cause=0, message=tick(second, 100)))
    waiting.seal()

    assert [(piece.since, piece.until) for piece in waiting.pieces] == [(tick(3, 100).received, tick(9, 100).received)]
