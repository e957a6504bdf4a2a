"""Rows of whole numbers that only ever grow, held in an array: a day of them as objects takes ten times the memory."""

from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar, overload

Row = TypeVar("Row")


class Series(Sequence[Row]):
    """`make` makes a row of its `width` whole numbers, such as the `_make` of a named tuple, each time one is read."""

    def __init__(self, make: Callable[[Iterable[int]], Row], width: int) -> None:
        self._make = make
        self._width = width
        self._figures = array("q")

    def append(self, *figures: int) -> None:
        """Raises ValueError where there are more or fewer than a row has, OverflowError beyond 64 bits."""
        if len(figures) != self._width:
            raise ValueError(f"{len(figures)} figures for a row of {self._width}")
        self._figures.extend(figures)

    def __len__(self) -> int:
        return len(self._figures) // self._width

    @overload
    def __getitem__(self, place: int) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> list[Row]: ...

    def __getitem__(self, place: int | slice) -> Row | list[Row]:
        if isinstance(place, slice):
            return [self[at] for at in range(len(self))[place]]
        first = range(len(self))[place] * self._width
        return self._make(self._figures[first : first + self._width])
