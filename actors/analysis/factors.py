"""What the prints of the last seconds say: change, buying strength, value. Not ready is None, never 0."""

from collections import deque

from messages import Aggressor, Tick

_SECOND = 1_000_000_000


class TickWindow:
    """The prints of one issue within the last `seconds`, by arrival."""

    def __init__(self, seconds: float) -> None:
        self._length = round(seconds * _SECOND)
        self._prints: deque[tuple[int, int, int, Aggressor]] = deque()
        self._first: int | None = None
        self._bought = self._sold = 0
        self.value = 0
        """Won traded within the window."""

    def add(self, tick: Tick) -> None:
        """A tick of size 0 carries a price and no volume."""
        if self._first is None:
            self._first = tick.received
        self._prints.append((tick.received, tick.price, tick.size, tick.side))
        self._count(tick.price, tick.size, tick.side)
        while self._prints[0][0] < tick.received - self._length:
            _, price, size, side = self._prints.popleft()
            self._count(price, -size, side)

    @property
    def ready(self) -> bool:
        """Whether prints came for as long as the window is."""
        return self._first is not None and self._prints[-1][0] - self._first >= self._length

    @property
    def change(self) -> float | None:
        """Newest against oldest price of the window, as a part of one."""
        if not self.ready:
            return None
        oldest = self._prints[0][1]
        return (self._prints[-1][1] - oldest) / oldest

    @property
    def strength(self) -> float | None:
        """체결강도 of the window: bought volume / sold volume x 100; None where nothing was sold."""
        if not self.ready or not self._sold:
            return None
        return 100 * self._bought / self._sold

    def _count(self, price: int, size: int, side: Aggressor) -> None:
        self.value += price * size
        if side is Aggressor.BUYER:
            self._bought += size
        elif side is Aggressor.SELLER:
            self._sold += size
