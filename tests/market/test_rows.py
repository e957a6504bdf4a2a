import datetime as dt
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.market.bars import BarBuilder
from actors.market.files import recordings
from actors.market.rows import Row, Rows
from actors.market.storage import blocks
from actors.market.time import SECOND
from messages import Aggressor, Instrument, Market, Symbol, Venue, Won
from tests.market.market_data import CODE, NINE, book, tick

DATA = Path(__file__).parents[2].parent / "shared" / "data"
TODAY = dt.date(2025, 9, 2)


def issue(symbol: Symbol = CODE, base: int = 100, market: Market = Market.KOSDAQ) -> Instrument:
    return Instrument(
        symbol=symbol,
        name="x",
        market=market,
        base_price=Won(base),
        upper_limit=Won(base * 13 // 10),
        lower_limit=Won(base * 7 // 10),
    )


def rows_of(fold: Rows, *messages: object) -> list[Row]:
    found = [fold.add(message) for message in messages]  # type: ignore[arg-type]
    return [row for row in (*found, fold.due(1 << 62)) if row is not None]


def test_a_row_sums_its_second_and_keeps_the_rest_of_the_day() -> None:
    buyer, seller = Aggressor.BUYER, Aggressor.SELLER
    rows = rows_of(
        Rows(issue(), TODAY),
        book(0, [(102, 5), (103, 6)], [(101, 7)]),
        tick(0.2, 102, 3, side=buyer, volume=3),
        tick(0.9, 101, 2, side=seller, volume=5),
        book(2.5, [], [(130, 900)]),
        tick(5, 103, 1, side=buyer, volume=6),
    )
    assert [(row.time - NINE) // SECOND for row in rows] == [0, 2, 5]
    first, second, third = rows
    assert (first.price, first.bought, first.sold, first.value, first.prints) == (101, 3, 2, 508, 2)
    assert (first.ask_prices, first.resting, first.change) == ((102, 103, 0, 0, 0), 18, 1.0)
    assert (first.vi_up, first.vi_down) == (113, 91)
    assert (second.price, second.bought, second.value, second.prints, second.resting) == (101, 0, 0, 0, 900)
    assert (third.day_volume, third.bid_prices[0]) == (6, 130)


def test_a_quiet_codes_row_does_not_wait_and_what_comes_late_is_counted() -> None:
    fold = Rows(issue(), TODAY)
    fold.add(tick(0.5, 100))
    early, row = fold.due(NINE + SECOND - 1), fold.due(NINE + SECOND)
    assert (early, row is not None, fold.due(NINE + 2 * SECOND)) == (None, True, None)
    assert fold.add(tick(0.9, 101)) is None
    assert fold.add(msgspec.structs.replace(tick(1, 101), venue=Venue.NXT)) is None
    assert (fold.late, fold.due(1 << 62)) == (1, None)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(90, 110), st.integers(1, 50)), max_size=40))
def test_rows_of_prints_alone_are_the_bars_of_a_second(prints: list[tuple[int, int, int]]) -> None:
    ticks = [tick(second, price, size, side=Aggressor.BUYER) for second, price, size in prints]
    builder, fold = BarBuilder(CODE, Venue.KRX, 1), Rows(issue(), TODAY)
    bars = [bar for bar in (*map(builder.add, ticks), builder.due(1 << 62)) if bar is not None]
    rows = rows_of(fold, *ticks)
    assert [(r.time, r.price, r.value, r.bought, r.prints) for r in rows] == [
        (b.time, b.close, b.value, b.bought, b.prints) for b in bars
    ]
    assert fold.late == builder.late


def test_a_recorded_days_rows_hold_every_share_and_won_that_traded() -> None:
    path = DATA / "ticks/133820_20250902_tick_book5.csv.gz"
    if not path.exists():
        pytest.skip("the recorded ticks are not here")
    recording = recordings.read(path, recordings.Terms())
    symbol = Symbol("133820")
    ticks = list(blocks.ticks(symbol, recording.ticks[symbol]))
    fold = Rows(issue(symbol, 2_000), TODAY)
    messages = sorted((*ticks, *blocks.books(symbol, recording.books[symbol])), key=lambda m: m.received)
    rows = rows_of(fold, *messages)
    assert fold.late == 0
    assert sum(row.value for row in rows) == sum(t.price * t.size for t in ticks)
    assert sum(row.prints for row in rows) == len(ticks)
    assert rows[-1].day_volume == ticks[-1].volume
    assert len({row.time for row in rows}) == len(rows)
