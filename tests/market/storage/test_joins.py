from itertools import pairwise
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from actors.market.storage import joins
from actors.market.storage.blocks import BOOK, TICK, Array, in_order

Event = tuple[int, int, bool]
"""Received, venue, whether it is a print."""

events = st.lists(st.tuples(st.integers(1, 12), st.integers(0, 2), st.booleans()), max_size=40)
cuts = st.lists(st.integers(1, 12), max_size=4)


def told(events: list[Event], shuffled: list[int]) -> tuple[Array, Array]:
    """Numbers run through both kinds, as those of a run do."""
    ticks = np.zeros(sum(is_print for *_, is_print in events), TICK)
    books = np.zeros(len(events) - len(ticks), BOOK)
    for rows, wanted in ((ticks, True), (books, False)):
        mine = [(n, r, v) for n, (r, v, is_print) in zip(shuffled, events, strict=True) if is_print is wanted]
        for place, (number, received, venue) in enumerate(mine):
            rows[place]["number"], rows[place]["received"], rows[place]["venue"] = number, received, venue
    return in_order(ticks), in_order(books)


def one_by_one(ticks: Array, books: Array, within: int) -> list[int]:
    """Number of the book beside each print, -1 where there is none."""
    found: list[int] = []
    for tick in ticks:
        newest = None
        for book in books:
            came = (book["received"], book["number"]) < (tick["received"], tick["number"])
            if came and book["venue"] == tick["venue"]:
                newest = book
        fits = newest is not None and tick["received"] - newest["received"] <= within
        found.append(int(newest["number"]) if newest is not None and fits else -1)
    return found


def cut(rows: Array, at: list[int]) -> list[Array]:
    """In stretches, as a stream gives them: none empty, and none that divides one `received`."""
    borders = [0, *np.searchsorted(rows["received"], sorted(at)).tolist(), len(rows)]
    return [rows[first:last] for first, last in pairwise(borders) if first < last]


@given(events, st.randoms(use_true_random=False), cuts, cuts, st.sampled_from([0, 1, 3, 100]))
def test_each_print_has_the_newest_book_of_its_venue_before_it(
    events: list[Event], random: Random, tick_cuts: list[int], book_cuts: list[int], within: int
) -> None:
    numbers = list(range(len(events)))
    random.shuffle(numbers)
    ticks, books = told(events, numbers)

    stretches = joins.asof(cut(ticks, tick_cuts), iter(cut(books, book_cuts)), np.empty(0, BOOK), within)
    joined = joins.concatenated(stretches)

    assert np.array_equal(joined.ticks, ticks)
    assert np.where(joined.known, joined.books["number"], -1).tolist() == one_by_one(ticks, books, within)


def test_a_print_before_the_first_book_is_marked() -> None:
    ticks, books = told([(1, 0, True), (2, 0, False), (3, 0, True)], [1, 2, 3])

    joined = joins.concatenated(joins.asof([ticks], iter([books]), np.empty(0, BOOK), 100))

    assert joined.known.tolist() == [False, True]
    assert joined.books["received"].tolist() == [0, 2]


def test_of_a_print_and_a_book_of_one_instant_the_number_says_which_came_first() -> None:
    ticks, books = told([(5, 0, False), (5, 0, True), (5, 0, False)], [7, 8, 9])

    joined = joins.concatenated(joins.asof([ticks], iter([books]), np.empty(0, BOOK), 100))

    assert joined.books["number"].tolist() == [7]
