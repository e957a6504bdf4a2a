"""Round trips, drawdown and ratios, by hand."""

import pytest

from actors.analysis.performance import (
    TRADING_DAYS,
    YEAR,
    Fill,
    Point,
    curve,
    falls,
    percentile,
    round_trips,
    trades,
)
from messages import Nanoseconds, Shares, Side, Symbol, Won
from runtime.clock import SECOND

CODE = Symbol("005930")
DAY = 86_400 * SECOND


def fill(side: Side, quantity: int, amount: int, second: int, *, fees: int = 0, tax: int = 0, who: str = "a") -> Fill:
    return Fill(
        order=second,
        strategy=who,
        symbol=CODE,
        side=side,
        time=Nanoseconds(second * SECOND),
        quantity=Shares(quantity),
        amount=Won(amount),
        commission=Won(fees),
        tax=Won(tax),
        reason=f"reason {second}",
    )


def points(*equities: int, step: int = SECOND, invested: int = 0) -> list[Point]:
    return [Point(Nanoseconds(i * step), Won(equity), Won(invested)) for i, equity in enumerate(equities)]


def test_a_round_trip_goes_from_flat_to_flat_and_bears_its_costs() -> None:
    (trip,) = round_trips(
        [
            fill(Side.BUY, 10, 1_000, 1, fees=2),
            fill(Side.BUY, 5, 520, 2, fees=1),
            fill(Side.SELL, 7, 735, 3, fees=1, tax=3),
            fill(Side.SELL, 8, 860, 11, fees=2, tax=4),
        ]
    )
    assert (trip.paid, trip.received, trip.commission, trip.tax) == (1_520, 1_595, 6, 7)
    assert trip.profit == 75 - 13
    assert trip.percent == pytest.approx(100 * 62 / 1_520)
    assert trip.seconds == 10


def test_an_open_trip_is_valued_at_its_last_price() -> None:
    (trip,) = round_trips([fill(Side.BUY, 10, 1_000, 1, fees=2), fill(Side.SELL, 4, 440, 2)])
    trip.last = 120
    assert not trip.closed
    assert trip.profit == 440 - 1_000 + 6 * 120 - 2
    assert trip.seconds == 0


def test_what_follows_a_closed_trip_is_a_new_one_and_strategies_keep_theirs_apart() -> None:
    fills = [fill(Side.BUY, 1, 10, 1), fill(Side.BUY, 1, 10, 2, who="b"), fill(Side.SELL, 1, 12, 3)]
    trips = round_trips([*fills, fill(Side.BUY, 1, 11, 4)])
    assert [(trip.strategy, bool(trip.closed)) for trip in trips] == [("a", True), ("b", False), ("a", False)]


def test_costs_that_come_late_without_shares_belong_to_the_trip_that_ended() -> None:
    trips = round_trips([fill(Side.BUY, 1, 10, 1), fill(Side.SELL, 1, 12, 2), fill(Side.SELL, 0, 0, 3, tax=1)])
    assert [trip.profit for trip in trips] == [1]


def test_trades_are_summed_up_over_closed_trips_only() -> None:
    rounds = [(100, 130, 1), (100, 90, 3), (100, 120, 5), (100, 100, 9)]
    fills: list[Fill] = []
    for place, (paid, received, held) in enumerate(rounds):
        fills += [fill(Side.BUY, 1, paid, place * 100), fill(Side.SELL, 1, received, place * 100 + held)]
    found = trades(round_trips([*fills, fill(Side.BUY, 1, 100, 999)]))
    assert (found.closed, found.wins, found.losses, found.win_rate) == (4, 2, 1, 50.0)
    assert (found.profit_factor, found.average_win, found.average_loss) == (5.0, 25.0, -10.0)
    assert (found.average_seconds, found.median_seconds) == (4.5, 4.0)


def test_nothing_traded_leaves_nothing_to_divide_by() -> None:
    found = trades([])
    assert (found.closed, found.win_rate, found.profit_factor, found.median_seconds) == (0, None, None, None)


def test_the_deepest_fall_in_won_and_in_percent_may_be_two_falls() -> None:
    found = curve(points(100, 50, 1_000, 900, 1_200))
    assert (found.drawdown, found.drawdown_percent) == (100, 50.0)
    assert found.percent == 1_100.0
    assert falls([100, 50, 1_000, 900]) == [0, -50, 0, -100]


def test_a_year_is_needed_for_a_yearly_figure() -> None:
    assert curve(points(100, 110, step=YEAR - 1)).yearly_percent is None
    assert curve(points(100, 110, 121, step=YEAR)).yearly_percent == pytest.approx(10.0)


def test_a_sharpe_ratio_needs_twenty_daily_returns_that_differ() -> None:
    equities = [1_000_000]
    for day in range(20):
        equities.append(equities[-1] * (102 if day % 2 else 101) // 100)
    assert curve(points(*equities[:20], step=DAY)).sharpe is None
    assert curve(points(*[100] * 30, step=DAY)).sharpe is None
    deviation = (20 * 0.005**2 / 19) ** 0.5
    assert curve(points(*equities, step=DAY)).sharpe == pytest.approx(0.015 / deviation * TRADING_DAYS**0.5, rel=1e-4)


def test_exposure_is_weighed_by_time() -> None:
    series = [
        Point(Nanoseconds(0), Won(100), Won(0)),
        Point(Nanoseconds(30), Won(100), Won(50)),
        Point(Nanoseconds(40), Won(100), Won(0)),
    ]
    assert curve(series).exposure == pytest.approx(12.5)
    assert curve(series[:1]).exposure == 0.0


def test_a_percentile_is_the_value_at_the_nearest_rank() -> None:
    values = list(range(1, 1_001))
    assert [percentile(values, share) for share in (0.5, 0.99, 0.999, 1.0)] == [500, 990, 999, 1_000]
    assert percentile([7], 0.999) == 7
    assert percentile([], 0.5) == 0


def test_money_laid_in_is_neither_a_rise_nor_the_end_of_a_fall() -> None:
    series = [
        Point(Nanoseconds(0), Won(1_000), Won(0)),
        Point(Nanoseconds(1), Won(900), Won(0)),
        Point(Nanoseconds(2), Won(5_900), Won(0), Won(5_000)),
        Point(Nanoseconds(3), Won(5_850), Won(0), Won(5_000)),
    ]
    found = curve(series)
    assert (found.start, found.end, found.percent, found.drawdown) == (1_000, 5_850, -15.0, 150)
    assert found.drawdown_percent == pytest.approx(10.0)


def test_daily_returns_are_those_of_the_money_that_was_there() -> None:
    plain, laid = [Point(Nanoseconds(0), Won(1_000_000), Won(0))], [Point(Nanoseconds(0), Won(1_000_000), Won(0))]
    for day in range(1, 22):
        gain = 101 + day % 2
        plain.append(Point(Nanoseconds(day * DAY), Won(plain[-1].equity * gain // 100), Won(0)))
        total = Won(day * 100_000)
        laid.append(Point(Nanoseconds(day * DAY), Won(laid[-1].equity * gain // 100 + 100_000), Won(0), total))
    assert curve(laid).sharpe == pytest.approx(curve(plain).sharpe, rel=1e-3)
