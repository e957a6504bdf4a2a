"""As-of joins: each print beside the newest book that came before it."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.market.storage.blocks import BOOK, TICK, Array

Places = NDArray[np.int64]


class Joined(NamedTuple):
    """Three arrays of one length."""

    ticks: Array
    books: Array
    """Zeros where no book came before."""
    known: NDArray[np.bool_]
    """Whether one did."""


def places(ticks: Array, books: Array) -> Places:
    """For each tick the place of the newest book of its venue that came before it, -1 where none did.

    Both by arrival, which is by `received` and then by `number`: of two with the same numbers none came before.
    """
    found = np.full(len(ticks), -1, np.int64)
    for venue in np.unique(ticks["venue"]):
        mine, theirs = np.flatnonzero(ticks["venue"] == venue), np.flatnonzero(books["venue"] == venue)
        before = _before(ticks[mine], books[theirs])
        found[mine[before > 0]] = theirs[before[before > 0] - 1]
    return found


def asof(ticks: Iterable[Array], books: Iterator[Array], before: Array, within: int) -> Iterator[Joined]:
    """Join stretch by stretch; `before` has books that came before all others, and a book serves `within` ns."""
    known = before
    for rows in ticks:
        last = int(rows["received"][-1])
        while (not len(known) or known["received"][-1] <= last) and (more := next(books, None)) is not None:
            known = np.concatenate([known, more])
        yield _join(rows, known, within)
        reached = int(np.searchsorted(known["received"], last))
        known = np.concatenate([newest(known[:reached]), known[reached:]])


def newest(books: Array) -> Array:
    """The last of each venue, of books by arrival."""
    _, backwards = np.unique(books["venue"][::-1], return_index=True)
    return books[np.sort(len(books) - 1 - backwards)]


def concatenated(parts: Iterable[Joined]) -> Joined:
    """The same rows as one."""
    none = Joined(np.empty(0, TICK), np.empty(0, BOOK), np.empty(0, np.bool_))
    return Joined(*(np.concatenate(columns) for columns in zip(none, *parts, strict=True)))


def _join(ticks: Array, books: Array, within: int) -> Joined:
    found = places(ticks, books)
    known = found >= 0
    known[known] = ticks["received"][known] - books["received"][found[known]] <= within
    beside = np.zeros(len(ticks), BOOK)
    beside[known] = books[found[known]]
    return Joined(ticks, beside, known)


def _before(ticks: Array, books: Array) -> Places:
    """How many of the books came before each tick."""
    first = np.searchsorted(books["received"], ticks["received"], "left")
    last = np.searchsorted(books["received"], ticks["received"], "right")
    for place in np.flatnonzero(first < last):
        first[place] += np.searchsorted(books["number"][first[place] : last[place]], ticks["number"][place])
    return first
