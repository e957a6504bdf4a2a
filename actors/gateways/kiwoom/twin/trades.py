"""주식체결 strings: 42 fields in table order, rendered print by print."""

from typing import NamedTuple

from actors.exchange.events import Print
from actors.gateways.kiwoom.twin import values
from messages import Aggressor, Instrument

_MILLION = 1_000_000
_HUNDRED_MILLION = 100_000_000
_NONE = Aggressor.NONE
_BUYER = Aggressor.BUYER

_TEMPLATE = (
    "%s\t%s\t%s\t%s\t%s%d\t%d\t%d\t%s\t%s\t%+d\t%+d\t%s\t%.2f\t%s\t%.2f\t%s\t%s\t0\t%s\t%s\t\t%s"
    "\t%d\t%d\t%s\t%d\t%d\t%s%d\t%s\t%s\t%d\t%s"
)
"""20; 10-12; 27; 28; 15; 13; 14; 16-18; 25; 26; 29; 30; 31; 32; 228; 311; 290; 691; 822; 567, 568; 851; 1890-1892;
1030; 1031; 1032; 1071; 1072; 1313; 1315, 1316, 1314; 1497, 1498; 620; 732."""


IN_HOURS, AFTER_HOURS = "2", "3"
"""FID 290."""


class Face(NamedTuple):
    """All that depends on a print's price alone."""

    head: str
    direction: str
    cost: str
    capital: str
    margins: str
    cfd_cost: str


class Faces(dict[int, Face]):
    """Made when a price first trades."""

    def __init__(self, issue: Instrument, cost_rate: int) -> None:
        self._issue = issue
        self._cost_rate = cost_rate

    def __missing__(self, price: int) -> Face:
        issue, base = self._issue, self._issue.base_price
        rate = values.percent(values.change_rate(price, base))
        face = self[price] = Face(
            head=f"{values.marked(price, base)}\t{values.signed(price - base)}\t{rate}",
            direction=values.direction(price, issue),
            cost=str(-(-price * self._cost_rate // 100_000)),
            capital=str(round(price * issue.listed_shares / _HUNDRED_MILLION)),
            margins=f"{price * 40 // 100}\t{price * 32 // 100}",
            cfd_cost=str(round(price * 533 / 100_000)),
        )
        return face


class Marks(dict[int, str]):
    """Prices with their mark."""

    def __init__(self, base: int) -> None:
        self._base = base

    def __missing__(self, price: int) -> str:
        text = self[price] = values.marked(price, self._base)
        return text


class Tape:
    """The prints of one issue; every one must be counted, rendered or not."""

    def __init__(self, issue: Instrument, yesterday: tuple[int, int], cost_rate: int) -> None:
        self.marks = Marks(issue.base_price)
        self.volume = self.value = self.last = self.opening = 0
        self.part = IN_HOURS
        self._issue = issue
        self._faces = Faces(issue, cost_rate)
        self._volume_before, self._value_before = yesterday
        self._sold = self._bought = self._sales = self._purchases = 0
        self._high = self._low = 0
        self._high_time = self._low_time = self._open_time = "000000"
        self._upper_time = self._lower_time = "000000"
        self._extremes = self._extreme_times = self._limit_times = ""

    def count(self, event: Print) -> None:
        """Take a print into the day's sums."""
        self.volume, self.value, self.last = event.volume, event.value, event.price
        if event.side is _BUYER:
            self._bought += event.size
            self._purchases += 1
        elif event.side is not _NONE:
            self._sold += event.size
            self._sales += 1
        if event.high != self._high or event.low != self._low:
            self._stretch(event)

    def render(self, event: Print) -> str:
        """The string of a print that was just counted."""
        face = self._faces[event.price]
        size, volume, value = event.size, event.volume, event.value
        sold, bought = self._sold, self._bought
        mark, sides = self._sides(event.side, size)
        share = values.ratio(volume * 100 / self._volume_before) if self._volume_before else "0.00"
        bought_share = values.ratio(bought * 100 / (sold + bought), 50.0) if sold + bought else "0.00"
        listed = self._issue.listed_shares
        marks = self.marks
        return _TEMPLATE % (
            values.hhmmss(event.time),
            face.head,
            marks[event.ask],
            marks[event.bid],
            mark,
            size,
            volume,
            value // _MILLION,
            self._extremes,
            face.direction,
            volume - self._volume_before,
            value - self._value_before,
            share,
            volume * 100 / listed if listed else 0.0,
            face.cost,
            event.strength,
            face.capital,
            self.part,
            share,
            self._limit_times,
            self._extreme_times,
            sold,
            bought,
            bought_share,
            self._sales,
            self._purchases,
            mark,
            event.price * size // 1_000,
            sides,
            face.margins,
            value // volume,
            face.cfd_cost,
        )

    def _sides(self, side: Aggressor, size: int) -> tuple[str, str]:
        if side is _BUYER:
            return "+", f" 0\t+{size}\t+{size}"
        if side is _NONE:
            return "", " 0\t 0\t0"
        return "-", f"-{size}\t 0\t-{size}"

    def _stretch(self, event: Print) -> None:
        time, marks = values.hhmmss(event.time), self.marks
        if not self._high:
            self.opening, self._open_time = event.open, time
        if event.high != self._high:
            self._high, self._high_time = event.high, time
        if event.low != self._low:
            self._low, self._low_time = event.low, time
        if event.price == self._issue.upper_limit:
            self._upper_time = time
        elif event.price == self._issue.lower_limit:
            self._lower_time = time
        self._extremes = f"{marks[event.open]}\t{marks[event.high]}\t{marks[event.low]}"
        self._extreme_times = f"{self._open_time}\t{self._high_time}\t{self._low_time}"
        self._limit_times = f"{self._upper_time}\t{self._lower_time}"
