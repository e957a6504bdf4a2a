"""Figures of a series of prices, one price at a time, exact in whole won. Not ready is None, never 0."""

from collections import deque
from math import sqrt


class Rolling:
    """Mean and deviation of the last `length` values."""

    def __init__(self, length: int) -> None:
        if length < 2:
            raise ValueError(f"a window of {length} values has no deviation; take at least 2")
        self._values: deque[int] = deque(maxlen=length)
        self._sum = self._squares = 0

    def add(self, value: int) -> None:
        values = self._values
        if len(values) == values.maxlen:
            oldest = values[0]
            self._sum -= oldest
            self._squares -= oldest * oldest
        values.append(value)
        self._sum += value
        self._squares += value * value

    @property
    def mean(self) -> float | None:
        return self._sum / len(self._values) if self._ready else None

    @property
    def deviation(self) -> float | None:
        """Of the population."""
        if not self._ready:
            return None
        count = len(self._values)
        return sqrt(self._squares * count - self._sum * self._sum) / count

    @property
    def score(self) -> float | None:
        """How many deviations the newest value lies from the mean; None where nothing moved."""
        deviation = self.deviation
        if not deviation:
            return None
        return (self._values[-1] - self._sum / len(self._values)) / deviation

    @property
    def _ready(self) -> bool:
        return len(self._values) == self._values.maxlen


class Rsi:
    """Relative strength index after Wilder, 0 to 100."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._count = 0
        self._last = 0
        self._gain = self._loss = 0.0

    def add(self, price: int) -> None:
        change = price - self._last if self._count else 0
        self._last = price
        weight = min(max(self._count, 1), self._length)
        self._count += 1
        self._gain += (max(change, 0) - self._gain) / weight
        self._loss += (max(-change, 0) - self._loss) / weight

    @property
    def value(self) -> float | None:
        """None until `length` changes came, or where nothing moved."""
        total = self._gain + self._loss
        return 100 * self._gain / total if self._count > self._length and total else None
