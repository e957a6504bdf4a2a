"""Prints into bars and bars into longer bars, cut where a clock in Korea shows a whole interval."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from actors.market.time import SECOND
from messages import Aggressor, Bar, Nanoseconds, Shares, Symbol, Tick, Venue, Won

_OFFSET = 9 * 3_600 * SECOND
_BUYER = Aggressor.BUYER
_SELLER = Aggressor.SELLER


def start_of(instant: int, interval: int) -> Nanoseconds:
    """Start of the interval of so many seconds that `instant` lies in; days begin at midnight in Korea."""
    return Nanoseconds(instant - (instant + _OFFSET) % (interval * SECOND))


class BarBuilder:
    """Folds the prints of one issue; an interval without a print has no bar."""

    __slots__ = (
        "_bought", "_close", "_end", "_high", "_low", "_open", "_prints", "_sold", "_start", "_symbol", "_under_way",
        "_value", "_venue", "_volume", "interval", "late",
    )  # fmt: skip

    def __init__(self, symbol: Symbol, venue: Venue, interval_seconds: int) -> None:
        self.late = 0
        """Prints of an interval that was over or not seen from its start; they are in no bar."""
        self._symbol = symbol
        self._venue = venue
        self.interval = interval_seconds
        self._under_way = False
        self._start = self._end = self._open = self._high = self._low = self._close = 0
        self._volume = self._value = self._bought = self._sold = self._prints = 0

    def add(self, tick: Tick) -> Bar | None:
        """The bar before, if this print begins the next one and `due` did not give it out."""
        time = tick.time
        if time < self._start or (time < self._end and not self._prints):
            self.late += 1
            return None
        done = self._take() if time >= self._end and self._prints else None
        if not self._prints:
            self._begin(tick)
        self.fold(tick)
        return done

    def fold(self, tick: Tick) -> bool:
        """Take a print of the bar under way: the hot half of `add`. False, and nothing done, for any other print."""
        if not (self._end > tick.time >= self._start and self._under_way):
            return False
        price, size = tick.price, tick.size
        if price > self._high:
            self._high = price
        elif price < self._low:
            self._low = price
        self._close = price
        self._volume += size
        self._value += price * size
        self._prints += 1
        if tick.side is _BUYER:
            self._bought += size
        elif tick.side is _SELLER:
            self._sold += size
        return True

    def due(self, now: int) -> Bar | None:
        """The bar that has ended by `now`; a feed whose prints come late passes a `now` that is as late."""
        return self._take() if self._prints and now >= self._end else None

    def miss(self, instant: int) -> Bar | None:
        """The interval of `instant` has prints that nobody saw, so it has no bar; the bar before, if there is one."""
        start = start_of(instant, self.interval)
        done = self._take() if self._prints and self._end <= start else None
        self._start, self._end = start, start + self.interval * SECOND
        self._prints = 0
        self._under_way = False
        return done

    def _begin(self, tick: Tick) -> None:
        self._start = start_of(tick.time, self.interval)
        self._end = self._start + self.interval * SECOND
        self._under_way = True
        self._open = self._high = self._low = tick.price
        self._volume = self._value = self._bought = self._sold = 0

    def _take(self) -> Bar:
        bar = Bar(
            symbol=self._symbol,
            venue=self._venue,
            interval=self.interval,
            time=Nanoseconds(self._start),
            open=Won(self._open),
            high=Won(self._high),
            low=Won(self._low),
            close=Won(self._close),
            volume=Shares(self._volume),
            value=Won(self._value),
            bought=Shares(self._bought),
            sold=Shares(self._sold),
            prints=self._prints,
        )
        self._prints = 0
        self._under_way = False
        return bar


def group(bars: Iterable[Bar], interval: int) -> Iterator[Bar]:
    """Bars of one issue in order of time into bars of `interval` seconds, a multiple of theirs."""
    for start, parts in groupby(bars, key=lambda bar: start_of(bar.time, interval)):
        yield _merge(list(parts), start, interval)


def _merge(parts: list[Bar], start: Nanoseconds, interval: int) -> Bar:
    first = parts[0]
    if interval % first.interval:
        raise ValueError(f"bars of {first.interval} seconds do not fill bars of {interval}")
    return Bar(
        symbol=first.symbol,
        venue=first.venue,
        interval=interval,
        time=start,
        open=first.open,
        high=max(bar.high for bar in parts),
        low=min(bar.low for bar in parts),
        close=parts[-1].close,
        volume=Shares(sum(bar.volume for bar in parts)),
        value=Won(sum(bar.value for bar in parts)),
        bought=Shares(sum(bar.bought for bar in parts)),
        sold=Shares(sum(bar.sold for bar in parts)),
        prints=sum(bar.prints for bar in parts),
    )
