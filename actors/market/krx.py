"""The exchange's arithmetic by date: ticks, price limits, volatility bands, and what a trade costs."""

import datetime as dt
from bisect import bisect_right
from fractions import Fraction
from functools import lru_cache
from itertools import accumulate
from typing import Final, NamedTuple

from messages import Kind, Market, Won

VI_AUCTION: Final = 120
"""Seconds the call auction of a volatility interruption lasts at least."""

VI_EXTENSION: Final = 30
"""Seconds it is prolonged by at most, at random."""

NARROWEST_VI: Final = 2
"""Percent; no band is narrower."""

_KOSPI, _KOSDAQ, _KONEX, _ELW = Market.KOSPI, Market.KOSDAQ, Market.KONEX, Market.ELW
_NOT_SHARES = (Market.ETF, Market.ETN, Market.ELW)
_PENNY_REFORM = dt.date(2010, 10, 4)
_NARROW_REFORM = dt.date(2023, 1, 25)
_FUND_REFORM = dt.date(2023, 12, 11)
_WIDE_LIMITS = dt.date(2015, 6, 15)
_KOSDAQ_LIMITS = dt.date(2005, 3, 28)
_AT_UPPER_LIMIT = (Kind.MARKET, Kind.BEST, Kind.PRIORITY)


class _Grid(NamedTuple):
    starts: tuple[int, ...]
    ticks: tuple[int, ...]
    ranks: tuple[int, ...]

    @classmethod
    def of(cls, bands: dict[int, int]) -> "_Grid":
        starts, ticks = tuple(bands), tuple(bands.values())
        widths = [(end - start) // tick for start, end, tick in zip(starts, starts[1:], ticks, strict=False)]
        return cls(starts, ticks, tuple(accumulate(widths, initial=0)))

    def rank(self, price: int) -> int:
        band = bisect_right(self.starts, price) - 1
        return self.ranks[band] + (price - self.starts[band]) // self.ticks[band]

    def price(self, rank: int) -> int:
        band = bisect_right(self.ranks, rank) - 1
        return self.starts[band] + (rank - self.ranks[band]) * self.ticks[band]


_STOCKS = _Grid.of({0: 1, 2_000: 5, 5_000: 10, 20_000: 50, 50_000: 100, 200_000: 500, 500_000: 1_000})
_OLD_KOSPI = _Grid.of({0: 1, 1_000: 5, 5_000: 10, 10_000: 50, 50_000: 100, 100_000: 500, 500_000: 1_000})
_OLD_KOSDAQ = _Grid.of({0: 1, 1_000: 5, 5_000: 10, 10_000: 50, 50_000: 100})
_OLDEST_KOSPI = _Grid.of({0: 5, 5_000: 10, 10_000: 50, 50_000: 100, 100_000: 500, 500_000: 1_000})
_OLDEST_KOSDAQ = _Grid.of({0: 5, 5_000: 10, 10_000: 50, 50_000: 100})
_FUND = _Grid.of({0: 1, 2_000: 5})
_FLAT = _Grid.of({0: 5})

_TAX = {
    dt.date(2026, 1, 1): 20,
    dt.date(2025, 1, 1): 15,
    dt.date(2024, 1, 1): 18,
    dt.date(2023, 1, 1): 20,
    dt.date(2021, 1, 1): 23,
    dt.date(2019, 6, 3): 25,
    dt.date.min: 30,
}
_KONEX_TAX = {dt.date(2019, 6, 3): 10, dt.date.min: 30}


def tick_size(price: int, market: Market, date: dt.date) -> int:
    """Won between neighbouring prices at `price` and above it."""
    grid = _grid(market, date)
    return grid.ticks[bisect_right(grid.starts, price) - 1]


def round_down(price: int, market: Market, date: dt.date) -> Won:
    """The highest price on the grid that is not above `price`."""
    return Won(price - price % tick_size(price, market, date))


def round_up(price: int, market: Market, date: dt.date) -> Won:
    """The lowest price on the grid that is not below `price`."""
    return Won(price + -price % tick_size(price, market, date))


def is_on_tick(price: int, market: Market, date: dt.date) -> bool:
    return price % tick_size(price, market, date) == 0


def move(price: int, ticks: int, market: Market, date: dt.date) -> Won:
    """The price `ticks` steps higher, or lower when negative; 0 where prices end."""
    grid = _grid(market, date)
    start = price if ticks >= 0 else round_up(price, market, date)
    return Won(grid.price(max(grid.rank(start) + ticks, 0)))


def price_limits(base: int, market: Market, date: dt.date, multiple: int = 1) -> tuple[Won, Won]:
    """Lowest and highest price of the day; `multiple` is the leverage of an ETF or ETN, its sign left off."""
    tick = tick_size(base, market, date)
    amount = base * _limit_percent(market, date) * multiple // (100 * tick) * tick
    lowest = max(base - amount, 1)
    return round_up(lowest, market, date), round_down(base + amount, market, date)


def static_vi_percent(market: Market) -> int | None:
    """None where there are no volatility interruptions."""
    return None if market is _ELW else 10


def dynamic_vi_percent(market: Market, kospi200: bool, closing_auction: bool) -> int | None:
    """The narrow band is that of KOSPI200 members and of plain index funds; None where there are none."""
    if market is _ELW:
        return None
    if kospi200:
        return 2 if closing_auction else 3
    return 4 if closing_auction else 6


def vi_prices(reference: int, rate_percent: int, market: Market, date: dt.date) -> tuple[Won, Won]:
    """The prices down and up at which an interruption begins; reaching one exactly counts."""
    down = reference * (100 - rate_percent) // 100
    up = -(-reference * (100 + rate_percent) // 100)
    return round_down(down, market, date), round_up(up, market, date)


def commission(amount: int, rate: float) -> Won:
    """Floored to 10 won; `rate` is a part of one (0.00015) and counts as the decimal it is written as."""
    numerator, denominator = _exact(rate)
    return Won(amount * numerator // (denominator * 10) * 10)


def tax_rate(market: Market, settlement: dt.date) -> int:
    """Hundredths of a percent of a sale that settles on that day: two trading days after the trade."""
    if market in _NOT_SHARES:
        return 0
    table = _KONEX_TAX if market is _KONEX else _TAX
    return next(rate for since, rate in table.items() if since <= settlement)


def tax(amount: int, market: Market, settlement: dt.date) -> Won:
    """What a sale of that amount pays, floored to 1 won; buying is free of it."""
    return Won(amount * tax_rate(market, settlement) // 10_000)


def reserve_price(kind: Kind, price: int, upper_limit: int) -> Won:
    """The price at which the broker binds cash for a share bought: kinds without a price bind the upper limit."""
    return Won(upper_limit if kind in _AT_UPPER_LIMIT else price)


def _grid(market: Market, date: dt.date) -> _Grid:
    if market in _NOT_SHARES:
        return _FLAT if market is _ELW or date < _FUND_REFORM else _FUND
    if date >= _NARROW_REFORM:
        return _STOCKS
    if date >= _PENNY_REFORM:
        return _OLD_KOSPI if market is _KOSPI else _OLD_KOSDAQ
    return _OLDEST_KOSPI if market is _KOSPI else _OLDEST_KOSDAQ


def _limit_percent(market: Market, date: dt.date) -> int:
    if market is not _KONEX and date >= _WIDE_LIMITS:
        return 30
    return 12 if market is _KOSDAQ and date < _KOSDAQ_LIMITS else 15


@lru_cache(maxsize=64)
def _exact(rate: float) -> tuple[int, int]:
    return Fraction(str(rate)).as_integer_ratio()
