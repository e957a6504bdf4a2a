"""Figures that follow from the data of one issue, exactly: pure functions, and folds that whoever asks keeps."""

import datetime as dt
from typing import Final, NamedTuple

from actors.market import krx
from actors.market.bars import start_of
from actors.market.time import SECOND
from messages import Aggressor, Designation, Instrument, OrderBook, Tick, ViKind, ViReleased, ViTriggered

_BUYER, _SELLER = Aggressor.BUYER, Aggressor.SELLER
_NEVER_INTERRUPTED: Final = (Designation.LIQUIDATION, Designation.OVERHEATED)
_AUCTION: Final = krx.VI_AUCTION * SECOND


class Bands(NamedTuple):
    """The prices, reached exactly, at which a volatility interruption begins; 0 where there is no such band."""

    static_down: int
    static_up: int
    dynamic_down: int
    dynamic_up: int


class Room(NamedTuple):
    """Won from a price to the day's limits, and the same in parts of the price."""

    up: int
    down: int
    up_part: float
    down_part: float


def aggressor(price: int, ask: int, bid: int) -> Aggressor:
    """Who crossed a spread seen before the print, for a source that does not say; NONE between the quotes."""
    if ask and price >= ask:
        return _BUYER
    return _SELLER if bid and price <= bid else Aggressor.NONE


def spread(ask: int, bid: int) -> int | None:
    """Won between the best prices; None where a side is empty. 0 or less in an auction, where prices may cross."""
    return ask - bid if ask and bid else None


def relative_spread(ask: int, bid: int) -> float | None:
    """The spread as a part of the middle of both prices."""
    return 2 * (ask - bid) / (ask + bid) if ask and bid else None


def imbalance(book: OrderBook, levels: int = 10) -> float | None:
    """(bids - asks) / (bids + asks) over the sizes of the best `levels`: 1 all bids, -1 all asks; None if empty."""
    return _share(sum(book.bid_sizes[:levels]), sum(book.ask_sizes[:levels]))


def total_imbalance(book: OrderBook) -> float | None:
    """The same over all waiting shares (총잔량), those beyond the tenth level too."""
    return _share(book.bid_total, book.ask_total)


def room(price: int, instrument: Instrument) -> Room:
    """How far the price may still move today. Raises ValueError where there is no price, or no limit."""
    if price <= 0:
        raise ValueError(f"{price} is no price")
    if not instrument.upper_limit or not instrument.lower_limit:
        raise ValueError(f"{instrument.symbol} has no limits today")
    up, down = instrument.upper_limit - price, price - instrument.lower_limit
    return Room(up, down, up / price, down / price)


def strength(bought: int, sold: int) -> float | None:
    """체결강도 as Kiwoom rounds it: bought / sold x 100, to two decimals; None where nothing was sold."""
    return round(bought * 100 / sold, 2) if sold else None


class Strength:
    """체결강도 of the day out of the prints, held against the delivered one.

    Without the day's first print it needs what was `bought` and `sold` before (FID 1031 and 1030).
    Shares that an auction traded count for neither side.
    """

    __slots__ = ("_whole", "bought", "compared", "differences", "sold")

    def __init__(self, bought: int = 0, sold: int = 0) -> None:
        self.bought = bought
        self.sold = sold
        self.compared = 0
        """Prints that delivered a figure while this one was whole."""
        self.differences = 0
        """Those that said another."""
        self._whole = bought + sold > 0

    @property
    def value(self) -> float | None:
        """None before anything was sold, and where earlier prints of the day are missing."""
        return strength(self.bought, self.sold) if self._whole else None

    def add(self, tick: Tick) -> None:
        """A lost print is for `DataLost` to tell; here it shows as differences from then on."""
        if tick.volume == tick.size:
            self._whole = True
        if tick.side is _BUYER:
            self.bought += tick.size
        elif tick.side is _SELLER:
            self.sold += tick.size
        if self._whole and tick.strength:
            self._compare(tick.strength)

    def _compare(self, delivered: float) -> None:
        own = strength(self.bought, self.sold)
        self.compared += 1
        if own is None or abs(own - delivered) > 0.005:
            self.differences += 1


class Interruptions:
    """The bands of one issue on one day, from the references of the auctions.

    The static reference is the last auction's price: the base price before the opening one, the open after it,
    after an interruption the first price traded once it has lasted its two minutes. The dynamic one is the last price.
    Who begins in mid-session knows of no interruption before, and takes the open.
    """

    __slots__ = ("_date", "_opened", "_resumes", "differences", "instrument", "last", "reference")

    def __init__(self, instrument: Instrument, date: dt.date) -> None:
        self.instrument = instrument
        """To be replaced by a newer one of the same day, which may know the members of the KOSPI 200."""
        self._date = date
        self._resumes = 0
        self._opened = False
        self.reference: int = instrument.base_price
        """Of the static band."""
        self.last = 0
        self.differences = 0
        """Interruptions whose delivered references or price were not ours."""

    def add(self, tick: Tick) -> None:
        opens = tick.open > 0 and not self._opened
        if opens or not self.last:
            self.reference = tick.open or tick.price
            self._opened = opens
            self._resumes = 0  # an opening that was interrupted is over with it
        elif self._resumes and tick.time >= self._resumes:
            self.reference = tick.price
            self._resumes = 0
        self.last = tick.price

    def begin(self, event: ViTriggered, *, closing_auction: bool = False) -> None:
        """Hold the delivered figures against ours, and take the delivered static reference over."""
        known = self.last > 0
        if known and not self._agrees(event, self.bands(closing_auction=closing_auction)):
            self.differences += 1
        if event.kind is not ViKind.DYNAMIC and event.static_reference:
            self.reference = event.static_reference
        self._resumes = event.time + _AUCTION
        self._opened = self._opened or known

    def end(self, event: ViReleased) -> None:
        """The next price is the auction's, even where it lasted less than it should."""
        if self._resumes:
            self._resumes = min(self._resumes, event.time)

    def bands(self, *, closing_auction: bool = False) -> Bands:
        """The dynamic band is none before the first price; an issue in 정리매매, or one called 단기과열, has none."""
        if self.instrument.designation in _NEVER_INTERRUPTED:
            return Bands(0, 0, 0, 0)
        market, kospi200 = self.instrument.market, self.instrument.kospi200
        static = krx.static_vi_percent(market)
        dynamic = krx.dynamic_vi_percent(market, kospi200, closing_auction) if self.last else None
        return Bands(*self._prices(self.reference, static), *self._prices(self.last, dynamic))

    def _prices(self, reference: int, percent: int | None) -> tuple[int, int]:
        if percent is None or not reference:
            return 0, 0
        return krx.vi_prices(reference, percent, self.instrument.market, self._date)

    def _agrees(self, event: ViTriggered, bands: Bands) -> bool:
        if event.kind is ViKind.DYNAMIC:
            return event.dynamic_reference == self.last and self._reached(event, bands.dynamic_up, bands.dynamic_down)
        reached = self._reached(event, bands.static_up, bands.static_down)
        return event.static_reference == self.reference and reached

    @staticmethod
    def _reached(event: ViTriggered, up: int, down: int) -> bool:
        return event.trigger_price >= up if event.upward else event.trigger_price <= down


class Turnover:
    """Won traded in the newest intervals of so many seconds, cut as bars are, from price x size of the prints."""

    __slots__ = ("_before", "_interval", "_start", "_value", "_value_before")

    def __init__(self, interval: int) -> None:
        self._interval = interval
        self._start = self._before = 0
        self._value = self._value_before = 0

    def add(self, tick: Tick) -> None:
        """By the exchange's time; a print too late for its interval counts in the one under way."""
        start = start_of(tick.time, self._interval)
        if start > self._start:
            self._before, self._value_before = self._start, self._value
            self._start, self._value = start, 0
        self._value += tick.price * tick.size

    def last(self, now: int) -> int:
        """Won of the last whole interval before `now` (nanoseconds): 0 where nothing traded in it."""
        wanted = start_of(now, self._interval) - self._interval * SECOND
        if wanted == self._start:
            return self._value
        return self._value_before if wanted == self._before else 0

    def under_way(self, now: int) -> int:
        """Won of the interval that `now` lies in, so far."""
        return self._value if start_of(now, self._interval) == self._start else 0


def _share(bids: int, asks: int) -> float | None:
    return (bids - asks) / (bids + asks) if bids + asks else None
