"""Due times in order: the heap behind the stepped clock and the loops."""

import random
from heapq import heapify, heappop, heappush
from typing import Generic, Protocol, TypeVar


class Cancellable(Protocol):
    """What a heap holds: it can say that it was cancelled."""

    def cancelled(self) -> bool:
        """Whether it must not run any more."""
        ...


When = TypeVar("When", int, float)
Handle = TypeVar("Handle", bound=Cancellable)


class Timers(Generic[When, Handle]):
    """Handles by due time; those due at the same time in order of creation, or as `ties` draws.

    Cancelled ones go when they come up, and all at once when they may be more than half.
    """

    def __init__(self, ties: random.Random | None = None) -> None:
        self._heap: list[tuple[When, float, int, Handle]] = []
        self._ties = ties
        self._sequence = 0
        self._cancelled = 0

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, when: When, handle: Handle) -> None:
        self._sequence += 1
        tie = self._ties.random() if self._ties else 0.0
        heappush(self._heap, (when, tie, self._sequence, handle))

    def next_due(self) -> When | None:
        """Due time of the first live handle; None when there is none."""
        heap = self._heap
        while heap and heap[0][3].cancelled():
            heappop(heap)
        return heap[0][0] if heap else None

    def pop(self) -> Handle:
        """Take the handle whose time `next_due` gave."""
        return heappop(self._heap)[3]

    def count_cancelled(self) -> None:
        """Be told of each cancelled handle, still here or not."""
        self._cancelled += 1
        if self._cancelled > max(100, len(self._heap) // 2):
            self._heap = [entry for entry in self._heap if not entry[3].cancelled()]
            heapify(self._heap)
            self._cancelled = 0

    def clear(self) -> None:
        self._heap.clear()
        self._cancelled = 0
