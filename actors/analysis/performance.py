"""What a run's fills and equity come to: round trips, profit, drawdown, ratios."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby, pairwise
from typing import Final, NamedTuple

from messages import Nanoseconds, Shares, Side, Symbol, Won
from runtime.clock import SECOND, kst

YEAR: Final = 365 * 86_400 * SECOND
TRADING_DAYS: Final = 245
"""A year at the KRX."""
LEAST_DAYS: Final = 20
"""Daily returns below which a Sharpe ratio says nothing."""


class Fill(NamedTuple):
    """What one record of a fill newly brought; money in won."""

    order: int
    strategy: str
    symbol: Symbol
    side: Side
    time: Nanoseconds
    quantity: Shares
    amount: Won
    commission: Won
    tax: Won
    reason: str = ""
    """Why the order was wished for."""

    @property
    def price(self) -> float:
        """Average of the record."""
        return self.amount / self.quantity if self.quantity else 0.0


class Point(NamedTuple):
    """The account at an instant; money in won."""

    time: Nanoseconds
    equity: Won
    invested: Won
    """Worth of the holdings."""
    laid_in: Won = Won(0)
    """Since the start, without a trade; less what was taken out."""

    @property
    def earned(self) -> int:
        """The equity without what was laid in: only this rises by gains and falls by losses."""
        return self.equity - self.laid_in


@dataclass(slots=True)
class RoundTrip:
    """From flat to flat in one issue for one strategy; open while shares are left."""

    strategy: str
    symbol: Symbol
    opened: Nanoseconds
    closed: int = 0
    """0 while it is open."""
    bought: int = 0
    sold: int = 0
    """Shares."""
    paid: int = 0
    received: int = 0
    """Won, without commission and tax."""
    commission: int = 0
    tax: int = 0
    last: int = 0
    """Price the rest is valued at."""
    reasons: list[str] = field(default_factory=list[str])

    @property
    def quantity(self) -> int:
        """Shares still held; negative where more was sold than bought."""
        return self.bought - self.sold

    @property
    def profit(self) -> int:
        """Won after commission and tax, what is left at its last price."""
        return self.received - self.paid + self.quantity * self.last - self.commission - self.tax

    @property
    def percent(self) -> float:
        """Profit in percent of what was paid."""
        return 100 * self.profit / self.paid if self.paid else 0.0

    @property
    def seconds(self) -> float:
        """How long it was held; 0 while it is open."""
        return max(self.closed - self.opened, 0) / SECOND if self.closed else 0.0

    def add(self, fill: Fill) -> None:
        """Take in a fill of this issue and strategy."""
        if fill.side is Side.BUY:
            self.bought, self.paid = self.bought + fill.quantity, self.paid + fill.amount
        else:
            self.sold, self.received = self.sold + fill.quantity, self.received + fill.amount
        self.commission, self.tax = self.commission + fill.commission, self.tax + fill.tax
        self.closed = fill.time if not self.quantity else 0
        if fill.reason and fill.reason not in self.reasons:
            self.reasons.append(fill.reason)


class Trades(NamedTuple):
    """Figures over closed round trips; money in won after costs, None where there is nothing to divide by."""

    closed: int
    wins: int
    losses: int
    win_rate: float | None
    """Percent."""
    profit_factor: float | None
    """Won gained for each won lost."""
    average_win: float | None
    average_loss: float | None
    average_seconds: float | None
    median_seconds: float | None


class Curve(NamedTuple):
    """Figures over a series of the account; percentages of the first equity, None where the series is too short.

    What was laid in or taken out on the way is neither gain nor loss.
    """

    start: int
    end: int
    percent: float
    drawdown: int
    """Won, the deepest fall below an earlier high."""
    drawdown_percent: float
    """Of that high; the deepest in percent, perhaps another fall."""
    yearly_percent: float | None
    sharpe: float | None
    exposure: float
    """Percent of the equity that was invested, on average over time."""


def round_trips(fills: Iterable[Fill]) -> list[RoundTrip]:
    """In the order of their first fill. What costs came without shares after a trip ended still belongs to it."""
    trips: list[RoundTrip] = []
    newest: dict[tuple[str, Symbol], RoundTrip] = {}
    for fill in fills:
        key = (fill.strategy, fill.symbol)
        trip = newest.get(key)
        if trip is None or (trip.closed and fill.quantity):
            trip = newest[key] = RoundTrip(fill.strategy, fill.symbol, fill.time)
            trips.append(trip)
        trip.add(fill)
    return trips


def trades(trips: Iterable[RoundTrip]) -> Trades:
    """Sum up the closed ones; a trip that came out even is neither win nor loss."""
    closed = [trip for trip in trips if trip.closed]
    wins = [trip.profit for trip in closed if trip.profit > 0]
    losses = [trip.profit for trip in closed if trip.profit < 0]
    times = [trip.seconds for trip in closed]
    return Trades(
        closed=len(closed),
        wins=len(wins),
        losses=len(losses),
        win_rate=100 * len(wins) / len(closed) if closed else None,
        profit_factor=sum(wins) / -sum(losses) if losses else None,
        average_win=statistics.fmean(wins) if wins else None,
        average_loss=statistics.fmean(losses) if losses else None,
        average_seconds=statistics.fmean(times) if times else None,
        median_seconds=statistics.median(times) if times else None,
    )


def curve(points: Sequence[Point]) -> Curve:
    """`points` by time, at least one; between two of them the account is taken to have stood still."""
    start, end = points[0].equity, points[-1].equity
    won, percent = _drawdown(points)
    return Curve(
        start=start,
        end=end,
        percent=100 * (points[-1].earned - points[0].earned) / start if start else 0.0,
        drawdown=won,
        drawdown_percent=percent,
        yearly_percent=_yearly(points),
        sharpe=_sharpe(points),
        exposure=_exposure(points),
    )


def falls(equities: Iterable[int]) -> list[int]:
    """How far each value lies below the highest so far, 0 or less."""
    values = list(equities)
    return [value - high for value, high in zip(values, accumulate(values, max), strict=True)]


def percentile(ordered: Sequence[int], share: float) -> int:
    """The value at the nearest rank of a sorted series; 0 where it is empty."""
    if not ordered:
        return 0
    return ordered[min(max(int(share * len(ordered) + 0.999_999) - 1, 0), len(ordered) - 1)]


def _drawdown(points: Sequence[Point]) -> tuple[int, float]:
    below = falls(point.earned for point in points)
    highs = ((fall, point.equity - fall) for fall, point in zip(below, points, strict=True))
    return -min(below), -min((100 * fall / high for fall, high in highs if high > 0), default=0.0)


def _yearly(points: Sequence[Point]) -> float | None:
    span, end = points[-1].time - points[0].time, points[-1].earned
    if span < YEAR or points[0].equity <= 0 or end <= 0:
        return None
    return 100 * ((end / points[0].equity) ** (YEAR / span) - 1)


def _sharpe(points: Sequence[Point]) -> float | None:
    closes = [list(day)[-1] for _, day in groupby(points, key=lambda point: kst(point.time).date())]
    returns = [(b.earned - a.earned) / a.equity for a, b in pairwise(closes) if a.equity > 0]
    if len(returns) < LEAST_DAYS or not (deviation := statistics.stdev(returns)):
        return None
    return statistics.fmean(returns) / deviation * TRADING_DAYS**0.5


def _exposure(points: Sequence[Point]) -> float:
    span = points[-1].time - points[0].time
    shares = ((b.time - a.time) * a.invested / a.equity for a, b in pairwise(points) if a.equity > 0)
    return 100 * sum(shares) / span if span > 0 else 0.0
