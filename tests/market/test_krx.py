import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.market import krx
from messages import Kind, Market

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
TODAY = dt.date(2025, 9, 2)
OLD = dt.date(2022, 1, 3)
STOCKS = (Market.KOSPI, Market.KOSDAQ, Market.KONEX)

boards = st.tuples(st.sampled_from(Market), st.sampled_from((OLD, dt.date(2023, 6, 1), TODAY)))
prices = st.integers(min_value=1, max_value=3_000_000)


@pytest.mark.parametrize(
    ("price", "tick"),
    [
        (1, 1),
        (1_999, 1),
        (2_000, 5),
        (4_995, 5),
        (5_000, 10),
        (19_990, 10),
        (20_000, 50),
        (49_950, 50),
        (50_000, 100),
        (199_900, 100),
        (200_000, 500),
        (499_500, 500),
        (500_000, 1_000),
        (2_000_000, 1_000),
    ],
)
def test_stocks_have_one_tick_table_since_the_reform(price: int, tick: int) -> None:
    assert {krx.tick_size(price, market, dt.date(2023, 1, 25)) for market in STOCKS} == {tick}


@pytest.mark.parametrize(
    ("price", "kospi", "kosdaq"),
    [(999, 1, 1), (1_000, 5, 5), (5_000, 10, 10), (10_000, 50, 50), (50_000, 100, 100), (100_000, 500, 100)],
)
def test_ticks_were_wider_before_the_reform(price: int, kospi: int, kosdaq: int) -> None:
    assert krx.tick_size(price, Market.KOSPI, dt.date(2023, 1, 24)) == kospi
    assert krx.tick_size(price, Market.KOSDAQ, dt.date(2023, 1, 24)) == kosdaq


def test_shares_below_a_thousand_won_had_the_five_won_tick_until_october_2010() -> None:
    for market in (Market.KOSPI, Market.KOSDAQ):
        assert [krx.tick_size(price, market, dt.date(2010, 10, 1)) for price in (5, 999, 4_995, 5_000)] == [5, 5, 5, 10]
        assert [krx.tick_size(price, market, dt.date(2010, 10, 4)) for price in (5, 999, 4_995, 5_000)] == [1, 1, 5, 10]
    assert krx.tick_size(150_000, Market.KOSPI, dt.date(2010, 10, 1)) == 500
    assert krx.tick_size(150_000, Market.KOSDAQ, dt.date(2010, 10, 1)) == 100
    assert krx.price_limits(500, Market.KOSPI, dt.date(2010, 10, 1)) == (425, 575)


def test_funds_got_the_one_won_tick_in_december_2023() -> None:
    day_before, day = dt.date(2023, 12, 10), dt.date(2023, 12, 11)

    assert [krx.tick_size(1_999, market, day_before) for market in (Market.ETF, Market.ETN)] == [5, 5]
    assert [krx.tick_size(1_999, market, day) for market in (Market.ETF, Market.ETN)] == [1, 1]
    assert [krx.tick_size(price, Market.ETF, day) for price in (2_000, 150_000)] == [5, 5]
    assert krx.tick_size(500, Market.ELW, day) == 5


@pytest.mark.parametrize("name", ["all_2022-01-03_2022-01-14", "all_2023-01-18_2023-01-27_tick_change"])
def test_every_real_price_of_the_whole_market_is_on_a_tick(name: str) -> None:
    path = DATA / "marcap" / f"{name}.parquet"
    if not path.exists():
        pytest.skip(f"no recorded market at {path}")
    parquet: Any = pytest.importorskip("pyarrow.parquet")
    columns = parquet.read_table(path, columns=["Date", "Market", "Open", "High", "Low", "Close"]).to_pydict()
    rows = {(p, m, d) for c in ("Open", "High", "Low", "Close") for p, m, d in _priced(columns, c)}

    assert len(rows) > 20_000
    assert [row for row in rows if not _fits(*row)] == []


def _priced(columns: dict[str, list[Any]], name: str) -> Any:
    return zip(columns[name], columns["Market"], columns["Date"], strict=True)


def _fits(price: int, market: str, date: str) -> bool:
    return krx.is_on_tick(price, Market(market.split(maxsplit=1)[0]), dt.date.fromisoformat(date[:10]))


@given(prices, boards)
def test_rounding_gives_the_nearest_grid_prices_on_both_sides(price: int, board: tuple[Market, dt.date]) -> None:
    low, high = krx.round_down(price, *board), krx.round_up(price, *board)

    assert low <= price <= high
    assert krx.is_on_tick(low, *board)
    assert krx.is_on_tick(high, *board)
    assert high - low in (0, krx.tick_size(price, *board))
    assert (low == high) == krx.is_on_tick(price, *board)


@given(prices, st.integers(min_value=0, max_value=400), boards)
def test_moving_up_and_back_down_ends_where_it_began(price: int, ticks: int, board: tuple[Market, dt.date]) -> None:
    start = krx.round_up(price, *board)

    assert krx.move(krx.move(start, ticks, *board), -ticks, *board) == start


@given(prices, boards)
def test_one_move_goes_to_the_next_price_and_skips_none(price: int, board: tuple[Market, dt.date]) -> None:
    assert krx.move(price, 1, *board) == krx.round_up(price + 1, *board)
    assert krx.move(price, -1, *board) == krx.round_down(price - 1, *board)


def test_a_move_crosses_bands_and_stops_at_zero() -> None:
    assert krx.move(1_998, 4, Market.KOSPI, TODAY) == 2_010
    assert krx.move(2_010, -4, Market.KOSPI, TODAY) == 1_998
    assert krx.move(3, -10, Market.KOSPI, TODAY) == 0


@pytest.mark.parametrize(
    ("base", "date", "limits"),
    [
        (60_300, TODAY, (42_300, 78_300)),
        (121_700, TODAY, (85_200, 158_200)),
        (77_500, OLD, (54_300, 100_500)),
        (135_300, TODAY, (94_800, 175_800)),
    ],
)
def test_price_limits_are_the_published_ones(base: int, date: dt.date, limits: tuple[int, int]) -> None:
    assert krx.price_limits(base, Market.KOSPI, date) == limits


def test_price_limits_follow_board_leverage_and_time() -> None:
    assert krx.price_limits(10_000, Market.KONEX, TODAY) == (8_500, 11_500)
    assert krx.price_limits(10_000, Market.ETF, TODAY, multiple=2) == (4_000, 16_000)
    assert krx.price_limits(10_000, Market.KOSPI, dt.date(2015, 6, 12)) == (8_500, 11_500)
    assert krx.price_limits(10_000, Market.KOSDAQ, dt.date(2005, 3, 28)) == (8_500, 11_500)
    assert krx.price_limits(10_000, Market.KOSDAQ, dt.date(2005, 3, 25)) == (8_800, 11_200)
    assert krx.price_limits(10_000, Market.KOSPI, dt.date(2005, 3, 25)) == (8_500, 11_500)
    assert krx.price_limits(1, Market.KOSPI, TODAY) == (1, 1)


@given(prices, boards)
def test_price_limits_lie_on_the_grid_around_the_base_and_within_the_percentage(
    price: int, board: tuple[Market, dt.date]
) -> None:
    base = krx.round_up(price, *board)
    percent = 15 if board[0] is Market.KONEX else 30
    lower, upper = krx.price_limits(base, *board)

    assert krx.is_on_tick(lower, *board)
    assert krx.is_on_tick(upper, *board)
    assert 100 * (base - lower) <= percent * base
    assert 100 * (upper - base) <= percent * base
    assert base - lower >= upper - base
    assert base - lower - (upper - base) < krx.tick_size(upper, *board)


@pytest.mark.parametrize(
    ("reference", "percent", "date", "down", "up"),
    [
        (12_510, 10, TODAY, None, 13_770),
        (118_400, 10, TODAY, None, 130_300),
        (4_905, 10, TODAY, None, 5_400),
        (3_750, 10, TODAY, None, 4_125),
        (344, 10, TODAY, 309, 379),
        (18_000, 10, TODAY, 16_200, None),
        (505_000, 3, TODAY, None, 521_000),
        (520_000, 3, TODAY, 504_000, None),
        (10_060, 6, TODAY, None, 10_670),
    ],
)
def test_interruptions_begin_at_the_prices_seen_in_the_market(
    reference: int, percent: int, date: dt.date, down: int | None, up: int | None
) -> None:
    low, high = krx.vi_prices(reference, percent, Market.KOSPI, date)

    assert down in (None, low)
    assert up in (None, high)


def test_dynamic_bands_are_narrow_for_kospi200_and_at_the_close() -> None:
    percents = [
        krx.dynamic_vi_percent(Market.KOSPI, index, close) for index in (True, False) for close in (False, True)
    ]

    assert percents == [3, 2, 6, 4]
    assert krx.static_vi_percent(Market.KOSDAQ) == 10
    assert krx.NARROWEST_VI == 2
    assert krx.static_vi_percent(Market.ELW) is None
    assert krx.dynamic_vi_percent(Market.ELW, kospi200=False, closing_auction=False) is None


@pytest.mark.parametrize(
    ("amount", "rate", "won"),
    [
        (373_500, 0.00015, 50),
        (177_000, 0.00015, 20),
        (1_673_430, 0.00015, 250),
        (680_000, 0.00015, 100),
        (77_000, 0.0035, 260),
        (258_000, 0.0035, 900),
        (100_000, 0.0003, 30),
        (0, 0.00015, 0),
    ],
)
def test_commission_is_floored_to_ten_won_as_kiwoom_prints_it(amount: int, rate: float, won: int) -> None:
    assert krx.commission(amount, rate) == won


@given(st.integers(min_value=0, max_value=10**12), st.integers(min_value=0, max_value=9_999))
def test_commission_takes_the_rate_as_the_decimal_it_is_written_as(amount: int, millionths: int) -> None:
    assert krx.commission(amount, millionths / 1_000_000) == amount * millionths // 10_000_000 * 10


def test_tax_is_what_official_statements_show() -> None:
    year_2024 = dt.date(2024, 5, 2)

    assert krx.tax(177_000, Market.KOSPI, year_2024) == 318
    assert krx.tax(680_000, Market.KOSPI, year_2024) == 1_224


@pytest.mark.parametrize(
    ("settlement", "stocks", "konex"),
    [
        (dt.date(2019, 5, 31), 30, 30),
        (dt.date(2019, 6, 3), 25, 10),
        (dt.date(2022, 12, 29), 23, 10),
        (dt.date(2023, 1, 2), 20, 10),
        (dt.date(2024, 1, 2), 18, 10),
        (dt.date(2024, 12, 30), 18, 10),
        (dt.date(2025, 1, 2), 15, 10),
        (dt.date(2025, 12, 30), 15, 10),
        (dt.date(2026, 1, 2), 20, 10),
    ],
)
def test_tax_rate_changes_with_the_day_of_settlement(settlement: dt.date, stocks: int, konex: int) -> None:
    assert krx.tax_rate(Market.KOSPI, settlement) == krx.tax_rate(Market.KOSDAQ, settlement) == stocks
    assert krx.tax_rate(Market.KONEX, settlement) == konex
    assert {krx.tax(1_000_000, market, settlement) for market in (Market.ETF, Market.ETN, Market.ELW)} == {0}


def test_an_order_without_a_price_binds_cash_at_the_upper_limit() -> None:
    reserved = {kind: krx.reserve_price(kind, 70_000, 91_000) for kind in Kind}

    assert reserved == {
        Kind.LIMIT: 70_000,
        Kind.CONDITIONAL: 70_000,
        Kind.MARKET: 91_000,
        Kind.BEST: 91_000,
        Kind.PRIORITY: 91_000,
    }
