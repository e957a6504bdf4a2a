import datetime as dt
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from actors.exchange.events import Print, ViEnded, ViStarted
from actors.market.bars import BarBuilder
from actors.market.derived import (
    Bands,
    Interruptions,
    Strength,
    Turnover,
    aggressor,
    imbalance,
    relative_spread,
    room,
    spread,
    strength,
    total_imbalance,
)
from actors.market.time import SECOND
from messages import (
    Aggressor,
    Designation,
    Instrument,
    Market,
    Nanoseconds,
    Symbol,
    Tick,
    Venue,
    ViKind,
    ViReleased,
    ViTriggered,
    Won,
)
from tests.exchange.desk import BUY, DATE, SELL, Desk
from tests.market.market_data import CODE, NINE, book, tick

DATA = Path(__file__).parents[2].parent / "shared" / "data"
TODAY = dt.date(2025, 9, 2)
BUYER, SELLER, NONE = Aggressor.BUYER, Aggressor.SELLER, Aggressor.NONE


def recorded() -> list[dict[str, str]]:
    path = DATA / "ws/ws_005930_20260911_115618_115644.jsonl"
    if not path.exists():
        pytest.skip("recorded frames are not there")
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    items: list[dict[str, Any]] = [item for line in lines for item in line.get("frame", {}).get("data", [])]
    return [item["values"] for item in items if item["type"] == "0B"]


def issue(base: int = 12_510, *, market: Market = Market.KOSDAQ, kospi200: bool = False) -> Instrument:
    return Instrument(
        symbol=CODE,
        name="x",
        market=market,
        base_price=Won(base),
        upper_limit=Won(base * 13 // 10),
        lower_limit=Won(base * 7 // 10),
        kospi200=kospi200,
    )


def triggered(kind: ViKind, price: int, second: float, *, static: int = 0, dynamic: int = 0) -> ViTriggered:
    return ViTriggered(
        symbol=CODE,
        time=Nanoseconds(NINE + round(second * SECOND)),
        kind=kind,
        trigger_price=Won(price),
        static_reference=Won(static),
        dynamic_reference=Won(dynamic),
        upward=True,
        count=1,
    )


def test_the_strength_of_every_recorded_print_is_the_ratio_of_its_recorded_sums() -> None:
    frames = recorded()
    assert len(frames) == 88
    assert [strength(int(f["1031"]), int(f["1030"])) for f in frames] == [float(f["228"]) for f in frames]


def test_strength_recomputed_from_the_prints_alone_agrees_with_all_recorded_figures() -> None:
    frames = recorded()
    fold = Strength(int(frames[0]["1031"]), int(frames[0]["1030"]))
    for frame in frames[1:]:
        fold.add(as_tick(frame))
    assert (fold.bought, fold.sold) == (int(frames[-1]["1031"]), int(frames[-1]["1030"]))
    assert (fold.compared, fold.differences) == (87, 0)
    assert fold.value == float(frames[-1]["228"])


def test_a_missing_print_shows_as_differences() -> None:
    frames = recorded()
    fold = Strength(int(frames[0]["1031"]) + 50_000, int(frames[0]["1030"]))
    for frame in frames[1:]:
        fold.add(as_tick(frame))
    assert fold.differences == fold.compared == 87


def test_without_the_days_first_print_there_is_no_strength_and_nothing_is_compared() -> None:
    fold = Strength()
    fold.add(tick(1, 100, 5, side=BUYER, volume=500))
    fold.add(tick(1, 100, 5, side=SELLER, volume=505))
    assert (fold.value, fold.compared) == (None, 0)


def test_an_auctions_shares_count_for_neither_side() -> None:
    fold = Strength()
    fold.add(tick(0, 100, 1_000, volume=1_000))
    fold.add(tick(1, 100, 3, side=BUYER, volume=1_003))
    before = fold.value
    fold.add(tick(2, 100, 2, side=SELLER, volume=1_005))
    assert (before, fold.value) == (None, 150.0)


def test_the_side_by_the_quotes_never_contradicts_the_recorded_one() -> None:
    sides = [(as_tick(frame).side, by_quotes(frame)) for frame in recorded()]
    assert sum(own is not NONE for _, own in sides) > 40
    assert all(own in (NONE, delivered) for delivered, own in sides)


@pytest.mark.parametrize(
    ("price", "ask", "bid", "side"),
    [(101, 101, 100, BUYER), (100, 101, 100, SELLER), (102, 101, 100, BUYER), (100, 0, 0, NONE), (100, 102, 98, NONE)],
)
def test_who_reaches_the_other_side_crosses_the_spread(price: int, ask: int, bid: int, side: Aggressor) -> None:
    assert aggressor(price, ask, bid) is side


def test_spread_and_imbalance_are_none_where_a_side_is_empty() -> None:
    empty = book(0, [], [])
    assert (spread(0, 100), relative_spread(100, 0), imbalance(empty), total_imbalance(empty)) == (None,) * 4
    two = book(0, [(101, 10), (102, 90)], [(100, 30), (99, 70)])
    assert (spread(101, 100), imbalance(two, 1), imbalance(two)) == (1, 0.5, 0.0)
    assert relative_spread(101, 100) == pytest.approx(2 / 201)


def test_a_recorded_book_leans_as_its_totals_say() -> None:
    path = DATA / "ws/frames_20260716_krx.jsonl"
    if not path.exists():
        pytest.skip("recorded frames are not there")
    values = json.loads(path.read_text("utf-8").splitlines()[0])["frame"]["data"][0]["values"]
    sides = [
        [(int(values[str(p + n)]), int(values[str(s + n)])) for n in range(1, 11)] for p, s in ((40, 60), (50, 70))
    ]
    asks_and_bids = [[(abs(price), size) for price, size in side] for side in sides]
    levels = book(0, asks_and_bids[0], asks_and_bids[1])
    asks, bids = sum(levels.ask_sizes), sum(levels.bid_sizes)
    assert (asks, bids) == (int(values["121"]), int(values["125"]))
    assert imbalance(levels) == total_imbalance(levels) == (26_747 - 4_343) / (26_747 + 4_343)


def test_the_room_to_the_limits_is_exact() -> None:
    assert room(10_000, issue(10_000)) == (3_000, 3_000, 0.3, 0.3)
    with pytest.raises(ValueError, match="no price"):
        room(0, issue())
    with pytest.raises(ValueError, match="no limits"):
        room(10_000, issue(0))


@pytest.mark.parametrize(
    ("reference", "down", "up"),
    [(12_510, 11_250, 13_770), (118_400, 106_500, 130_300), (4_905, 4_410, 5_400), (3_750, 3_375, 4_125)],
)
def test_static_prices_are_those_of_published_interruptions(reference: int, down: int, up: int) -> None:
    fold = Interruptions(issue(reference), TODAY)
    assert fold.bands()[:2] == (down, up)


@pytest.mark.parametrize(
    ("last", "up", "member"), [(505_000, 521_000, True), (10_060, 10_670, False)], ids=["KOSPI200", "other"]
)
def test_dynamic_prices_are_those_of_published_interruptions(last: int, up: int, *, member: bool) -> None:
    fold = Interruptions(issue(last, market=Market.KOSPI, kospi200=member), TODAY)
    assert fold.bands().dynamic_up == 0
    fold.add(tick(0, last))
    assert fold.bands().dynamic_up == up


def test_the_opening_auction_and_each_interruptions_auction_give_the_static_reference() -> None:
    fold = Interruptions(issue(10_000), TODAY)
    fold.add(tick(0, 10_500))
    fold.add(tick(1, 11_000))
    opened = fold.bands()
    fold.begin(triggered(ViKind.STATIC, 11_550, 2, static=10_500))
    fold.add(tick(2, 11_400))
    late_print_of_before = fold.reference
    fold.add(tick(140, 11_700))
    fold.add(tick(141, 11_900))

    assert opened == Bands(9_450, 11_550, 10_340, 11_660)
    assert (late_print_of_before, fold.reference, fold.last, fold.differences) == (10_500, 11_700, 11_900, 0)


def test_an_opening_auction_that_was_interrupted_gives_the_open_all_the_same() -> None:
    bands = Interruptions(issue(10_000), TODAY)
    bands.begin(triggered(ViKind.STATIC, 11_000, -20, static=10_000))
    bands.end(ViReleased(symbol=CODE, time=Nanoseconds(NINE + 100 * SECOND)))
    for price, second in ((11_300, 105), (11_800, 130)):
        bands.add(replace(tick(second, price), open=Won(11_300)))
    assert (bands.reference, bands.last) == (11_300, 11_800)


@pytest.mark.parametrize("designation", [Designation.LIQUIDATION, Designation.OVERHEATED])
def test_an_issue_that_is_never_interrupted_has_no_bands(designation: Designation) -> None:
    bands = Interruptions(replace(issue(), designation=designation), TODAY)
    bands.add(tick(0, 12_510))
    assert bands.bands() == (0, 0, 0, 0)


def test_an_interruption_that_ends_early_takes_its_next_price() -> None:
    fold = Interruptions(issue(10_000), TODAY)
    fold.add(tick(0, 10_000))
    fold.begin(triggered(ViKind.STATIC, 11_000, 1, static=10_000))
    fold.end(ViReleased(symbol=CODE, time=Nanoseconds(NINE + 30 * SECOND)))
    fold.add(tick(30, 10_900))
    assert fold.reference == 10_900


def test_delivered_references_that_are_not_ours_are_counted_and_taken_over() -> None:
    fold = Interruptions(issue(10_000), TODAY)
    fold.add(tick(0, 10_000))
    fold.begin(triggered(ViKind.STATIC, 11_220, 1, static=10_200))
    assert (fold.differences, fold.reference) == (1, 10_200)


@pytest.mark.parametrize("upward", [True, False])
def test_the_bands_are_those_at_which_the_simulated_exchange_interrupts(*, upward: bool) -> None:
    desk = Desk(begin=dt.time(8, 30))
    desk.order(SELL, 10, 10_000)
    desk.order(BUY, 10, 10_000)
    desk.wait_until(9, 0, 1)
    fold = Interruptions(desk.exchange.issues()[0], DATE)
    seen = fold_all(fold, desk)
    for step in range(1, 20):
        price = 10_000 + step * (150 if upward else -150)
        desk.order(SELL if upward else BUY, 1, price)
        desk.order(BUY if upward else SELL, 1, price)
        desk.wait_until(9, 3 * step)
        seen += fold_all(fold, desk)
    assert seen >= 2
    assert fold.differences == 0


def fold_all(fold: Interruptions, desk: Desk) -> int:
    """Folds what was said since the last call; the interruptions among it."""
    seen = 0
    for event in desk.said:
        if isinstance(event, Print):
            fold.add(msgspec.structs.replace(tick(0, event.price), time=event.time, open=event.open))
        elif isinstance(event, ViStarted):
            seen += 1
            fields = {name: getattr(event, name) for name in ViTriggered.__struct_fields__ if hasattr(event, name)}
            fold.begin(ViTriggered(**fields))
        elif isinstance(event, ViEnded):
            fold.end(ViReleased(symbol=event.symbol, time=event.time))
    desk.said.clear()
    return seen


PRINTS = st.lists(
    st.tuples(st.integers(0, 200), st.integers(1, 10**9), st.integers(1, 10**9)), min_size=1, max_size=40
).map(sorted)


@given(PRINTS, st.sampled_from([1, 60]))
def test_value_a_second_and_a_minute_is_that_of_the_bars(prints: list[tuple[int, int, int]], interval: int) -> None:
    bars, fold = BarBuilder(CODE, Venue.KRX, interval), Turnover(interval)
    for second, price, size in prints:
        one = tick(second, price, size)
        now = one.time
        done = bars.add(one)
        fold.add(one)
        if done is not None and done.time + interval * SECOND == now - now % (interval * SECOND):
            assert fold.last(now) == done.value
    end = NINE + (prints[-1][0] + interval) * SECOND
    last = bars.due(1 << 62)
    assert last is not None
    assert fold.last(end) == last.value
    assert (fold.last(end + interval * SECOND), fold.under_way(end)) == (0, 0)


def test_value_of_longer_intervals_is_cut_at_midnight_in_korea_as_bars_are() -> None:
    fold = Turnover(86_400)
    fold.add(tick(-3_600, 100, 2))
    fold.add(tick(0, 100, 3))

    assert fold.under_way(NINE) == 500


def as_tick(frame: dict[str, str]) -> Tick:
    size = int(frame["15"])
    return Tick(
        symbol=Symbol("005930"),
        time=Nanoseconds(NINE),
        received=Nanoseconds(NINE),
        price=Won(abs(int(frame["10"]))),
        size=abs(size),  # type: ignore[arg-type]
        side=BUYER if size > 0 else SELLER,
        volume=int(frame["13"]),  # type: ignore[arg-type]
        value=Won(0),
        ask=Won(abs(int(frame["27"]))),
        bid=Won(abs(int(frame["28"]))),
        open=Won(0),
        high=Won(0),
        low=Won(0),
        strength=float(frame["228"]),
    )


def by_quotes(frame: dict[str, str]) -> Aggressor:
    print_ = as_tick(frame)
    return aggressor(print_.price, print_.ask, print_.bid)


def test_a_print_before_the_open_is_no_opening_auction() -> None:
    fold = Interruptions(issue(10_000), TODAY)
    fold.add(msgspec.structs.replace(tick(-1_500, 10_000), open=Won(0), high=Won(0), low=Won(0)))
    before = fold.reference
    fold.add(tick(0, 10_500))
    fold.add(tick(1, 11_000))
    assert (before, fold.reference) == (10_000, 10_500)
