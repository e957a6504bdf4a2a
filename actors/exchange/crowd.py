"""The synthetic crowd: seeded orders and cancellations around a latent fair price, a minute at a time."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actors.exchange.synthetic import Profile

SECONDS = 60
"""Length of a batch."""

_SECOND = 1_000_000_000
_DAY = 23_400
_MIX = (0.235, 0.470, 0.640, 0.810, 0.905)
_NEAR, _DEEP, _NEAR_SHARE = 1.6, 14.0, 0.62
_PLACES = 9
_PATIENCE = 8.0
"""Ticks from the fair price beyond which nobody trades at market."""
_MARKET_BETA = 0.4
_GAP = 0.35
_REACH = 0.26
_MAX = 2**62

_Floats = NDArray[np.float64]
_Integers = NDArray[np.int64]


class Batch(NamedTuple):
    """A minute of the crowd in order of time, a column each; a last row lies beyond all time."""

    times: list[int]
    issues: list[int]
    actions: list[int]
    """0 buy, 1 sell, 2 cancel a buy, 3 cancel a sell, 4 buy at market, 5 sell at market."""
    indexes: list[int]
    """Of the price; of a market order the farthest price at which it is sent at all."""
    sizes: list[int]
    """Shares; for a cancellation the place in the queue."""


class News(NamedTuple):
    """A jump of the fair price, and the index somebody at once trades up or down to."""

    time: int
    issue: int
    buy: bool
    target: int


class Crowd:
    """Draws batches; what it draws depends on the seed alone, never on what others trade."""

    def __init__(
        self, grids: Sequence[Sequence[int]], bases: Sequence[int], profiles: Sequence[Profile], seed: int
    ) -> None:
        self._rng = np.random.Generator(np.random.PCG64(seed))
        self._grids = [(np.asarray(grid, dtype=np.float64), np.arange(len(grid), dtype=np.float64)) for grid in grids]
        self._ends = np.array([len(grid) - 1 for grid in grids], dtype=np.float64)
        self._rates = np.array([profile.rate for profile in profiles])
        self._sizes = np.array([profile.size for profile in profiles])
        self._volatility = np.array([profile.volatility for profile in profiles])
        self._jumps = np.array([profile.jumps for profile in profiles])
        self._bases = np.asarray(bases, dtype=np.float64)
        self._log = self._rng.normal(0.0, _GAP * self._volatility)

    def batch(self, start: int, intensity: float, trading: bool) -> tuple[Batch, list[News]]:
        """The minute from `start`; `intensity` scales the number of orders, the fair price moves only in `trading`."""
        path, news = self._path(start, trading)
        return self._orders(start, intensity, path), news

    def _path(self, start: int, trading: bool) -> tuple[_Floats, list[News]]:
        count = len(self._bases)
        if not trading:
            return self._indexes(np.tile(self._log, (SECONDS, 1))), []
        rng, volatility = self._rng, self._volatility / math.sqrt(_DAY)
        common = rng.normal(0.0, 1.0, (SECONDS, 1)) * _MARKET_BETA
        own = rng.normal(0.0, math.sqrt(1 - _MARKET_BETA**2), (SECONDS, count))
        steps = (common + own) * volatility
        jumped = rng.random((SECONDS, count)) < self._jumps / _DAY
        jump = rng.uniform(0.025, 0.085, (SECONDS, count)) * np.where(rng.random((SECONDS, count)) < 0.5, -1.0, 1.0)
        steps += np.where(jumped, jump, 0.0)
        logs = np.clip(self._log + np.cumsum(steps, axis=0), -_REACH, _REACH)
        self._log = logs[-1]
        path = self._indexes(logs)
        return path, [self._news(start, second, issue, path, jump) for second, issue in np.argwhere(jumped).tolist()]

    def _news(self, start: int, second: int, issue: int, path: _Floats, jump: _Floats) -> News:
        return News(start + second * _SECOND, issue, bool(jump[second, issue] > 0), round(float(path[second, issue])))

    def _indexes(self, logs: _Floats) -> _Floats:
        prices = (self._bases * np.exp(logs)).T
        columns: list[_Floats] = [np.interp(prices[issue], *grid) for issue, grid in enumerate(self._grids)]
        return np.column_stack(columns)

    def _orders(self, start: int, intensity: float, path: _Floats) -> Batch:
        rng = self._rng
        counts = rng.poisson(self._rates * SECONDS * intensity).astype(np.intp)  # 32 bits on Kiwoom's Python
        total = int(counts.sum())
        issues = np.repeat(np.arange(len(counts)), counts)
        offsets = rng.integers(0, SECONDS * _SECOND, total)
        order = np.argsort(offsets, kind="stable")
        issues, offsets = issues[order], offsets[order]
        actions = np.searchsorted(np.array(_MIX), rng.random(total), side="right")
        fair = path[offsets // _SECOND, issues]
        indexes = self._prices(actions, fair, issues, total)
        sizes = np.where((actions == 2) | (actions == 3), rng.integers(0, _PLACES, total), self._shares(issues, total))
        columns = (issues, actions, indexes, sizes)
        last = ([*column.tolist(), 0] for column in columns)
        return Batch([*(offsets + start).tolist(), _MAX], *last)

    def _prices(self, actions: _Integers, fair: _Floats, issues: _Integers, total: int) -> _Integers:
        near = self._rng.exponential(_NEAR, total)
        deep = self._rng.uniform(0.0, _DEEP, total)
        distance = np.where(self._rng.random(total) < _NEAR_SHARE, near, deep)
        distance = np.where((actions == 2) | (actions == 3), deep, distance)
        distance = np.where(actions >= 4, -_PATIENCE, distance)
        indexes = np.where(actions % 2 == 0, np.floor(fair - distance), np.ceil(fair + distance))
        return np.clip(indexes, 0.0, self._ends[issues]).astype(np.int64)

    def _shares(self, issues: _Integers, total: int) -> _Integers:
        return np.maximum(1, self._sizes[issues] * self._rng.lognormal(0.0, 0.9, total)).astype(np.int64)


def activity(since_open: float, session: float) -> float:
    """Orders per average second `since_open` seconds into a session that lasts `session`: a U over the day."""
    if since_open < 0:
        return 0.45 + 0.9 * math.exp(since_open / 300)
    return 0.62 + 2.2 * math.exp(-since_open / 1_500) + 1.1 * math.exp((since_open - session) / 1_200)
