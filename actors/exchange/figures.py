"""What an issue did today: prices, volume, who bought, and its minute bars."""

from messages import Aggressor

MINUTE = 60_000_000_000
_NOBODY = Aggressor.NONE
_BUYER = Aggressor.BUYER


class DayFigures:
    """Figures of an issue's day, kept as its prints come."""

    __slots__ = (
        "bars",
        "bought",
        "high",
        "last",
        "last_size",
        "low",
        "opening",
        "prints",
        "sold",
        "strength",
        "time",
        "value",
        "volume",
    )

    def __init__(self, base_price: int) -> None:
        self.last = base_price
        self.opening = self.high = self.low = 0
        self.volume = self.value = self.bought = self.sold = 0
        self.prints = self.last_size = self.time = 0
        self.strength = 0.0
        self.bars: list[list[int]] = []
        """Minute start, open, high, low, close, volume, value, bought, sold, prints."""

    def add(self, price: int, size: int, side: Aggressor, time: int) -> None:
        """Count one print."""
        self.high = max(self.high, price)
        if price < self.low or not self.low:
            self.low = price
        self.opening = self.opening or price
        self.last, self.last_size, self.time = price, size, time
        self.prints += 1
        self.volume += size
        self.value += price * size
        if side is not _NOBODY:
            self._count_side(side, size)
        self._add_to_bar(price, size, side, time - time % MINUTE)

    def add_after_hours(self, price: int, size: int, time: int) -> None:
        """Count a print after the close, which no chart and no price of the day shows."""
        self.last_size, self.time = size, time
        self.prints += 1
        self.volume += size
        self.value += price * size

    def _count_side(self, side: Aggressor, size: int) -> None:
        if side is _BUYER:
            self.bought += size
        else:
            self.sold += size
        if self.sold:
            self.strength = round(self.bought * 100 / self.sold, 2)

    def _add_to_bar(self, price: int, size: int, side: Aggressor, minute: int) -> None:
        if not self.bars or self.bars[-1][0] != minute:
            self.bars.append([minute, price, price, price, price, 0, 0, 0, 0, 0])
        bar = self.bars[-1]
        if price > bar[2]:
            bar[2] = price
        elif price < bar[3]:
            bar[3] = price
        bar[4] = price
        bar[5] += size
        bar[6] += price * size
        bar[9] += 1
        if side is not _NOBODY:
            bar[7 if side is _BUYER else 8] += size
