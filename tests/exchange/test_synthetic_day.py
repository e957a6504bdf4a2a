"""A stretch of the synthetic market with its crowd: what holds whatever the seed draws."""

import datetime as dt
import hashlib
import os
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from actors.exchange.events import BookChanged, ExchangeEvent, OrderReport, Print
from actors.exchange.exchange import Exchange
from actors.exchange.records import BookSnapshot
from actors.market import krx
from actors.market.time import SECOND
from messages import Aggressor, Instrument, Kind, Side, Validity, Won
from tests.exchange.desk import DATE

ROOT = Path(__file__).parents[2]


def exchange_of(seed: int = 3, minutes: int = 4, issues: int = 12) -> Exchange:
    return Exchange(
        date=DATE,
        cash=Won(5_000_000_000),
        commission=0.00015,
        issues=issues,
        seed=seed,
        begin=dt.time(9),
        finish=dt.time(9, minutes),
    )


def play(exchange: Exchange) -> list[ExchangeEvent]:
    events: list[ExchangeEvent] = []
    while exchange.now < exchange.end:
        events += exchange.advance(exchange.now + SECOND // 10)
    return events


@pytest.fixture(scope="module")
def opening() -> tuple[Exchange, list[ExchangeEvent], list[tuple[Instrument, BookSnapshot]]]:
    exchange = exchange_of()
    events: list[ExchangeEvent] = []
    books: list[tuple[Instrument, BookSnapshot]] = []
    while exchange.now < exchange.end:
        events += exchange.advance(exchange.now + SECOND)
        books += [(of, exchange.book(of.symbol)) for of in exchange.issues()]
    return exchange, events, books


Played = tuple[Exchange, list[ExchangeEvent], list[tuple[Instrument, BookSnapshot]]]


def test_cumulative_figures_follow_from_the_prints(opening: Played) -> None:
    exchange, events, _ = opening
    volume, value, bought = Counter[str](), Counter[str](), Counter[str]()
    for event in events:
        if isinstance(event, Print):
            volume[event.symbol] += event.size
            value[event.symbol] += event.size * event.price
            bought[event.symbol] += event.size if event.side is Aggressor.BUYER else 0
            assert (event.volume, event.value) == (volume[event.symbol], value[event.symbol])
            assert event.low <= event.price <= event.high
    for of in exchange.issues():
        figures = exchange.statistics(of.symbol)
        assert (figures.volume, figures.value, figures.bought) == (
            volume[of.symbol],
            value[of.symbol],
            bought[of.symbol],
        )
    assert [row.value for row in exchange.ranking()] == sorted(value.values(), reverse=True)


def test_every_price_is_on_its_tick_and_inside_the_limits(opening: Played) -> None:
    exchange, events, _ = opening
    for event in events:
        if isinstance(event, Print):
            of = exchange.instrument(event.symbol)
            assert of is not None
            assert krx.is_on_tick(event.price, of.market, DATE)
            assert of.lower_limit <= event.price <= of.upper_limit


def test_books_are_strictly_ordered_on_tick_and_nearly_always_full(opening: Played) -> None:
    _, _, books = opening
    full = 0
    for of, book in books:
        asks = [price for price in book.ask_prices if price]
        bids = [price for price in book.bid_prices if price]
        assert asks == sorted(set(asks))
        assert bids == sorted(set(bids), reverse=True)
        assert not asks or not bids or bids[0] < asks[0]
        assert all(krx.is_on_tick(price, of.market, DATE) for price in (*asks, *bids))
        assert [bool(price) for price in book.ask_prices] == [bool(size) for size in book.ask_sizes]
        assert sum(book.ask_sizes) <= book.ask_total
        full += len(asks) == len(bids) == 10
    assert full > 0.9 * len(books)


def test_events_come_in_order_of_time_and_a_book_once_a_slice(opening: Played) -> None:
    _, events, _ = opening
    times = [event.time for event in events]
    assert times == sorted(times)
    changed = Counter((event.symbol, event.time) for event in events if isinstance(event, BookChanged))
    assert set(changed.values()) == {1}


def test_the_market_opens_with_a_gap_and_a_single_print(opening: Played) -> None:
    exchange, events, _ = opening
    first: dict[str, Print] = {}
    for event in events:
        if isinstance(event, Print):
            first.setdefault(event.symbol, event)
    assert len(first) == len(exchange.issues())
    assert {event.side for event in first.values()} == {Aggressor.NONE}
    bases = {of.symbol: of.base_price for of in exchange.issues()}
    assert any(event.price != bases[event.symbol] for event in first.values())


def test_the_day_does_not_depend_on_how_it_is_sliced() -> None:
    def seen(slice_: int) -> list[ExchangeEvent]:
        exchange = exchange_of(minutes=2)
        events: list[ExchangeEvent] = []
        while exchange.now < exchange.end:
            events += exchange.advance(exchange.now + slice_)
        return [event for event in events if not isinstance(event, BookChanged)]

    assert seen(SECOND // 10) == seen(7 * SECOND)


def test_an_order_of_ours_moves_the_market() -> None:
    quiet, moved = exchange_of(minutes=2), exchange_of(minutes=2)
    for exchange in (quiet, moved):
        exchange.advance(exchange.start + 30 * SECOND)
    code = moved.issues()[0].symbol
    best = moved.book(code)
    size = best.ask_sizes[0] + 1
    answer = moved.place(moved.account, Side.BUY, Kind.LIMIT, Validity.IOC, code, size, best.ask_prices[1], "0101")
    assert isinstance(answer, str)
    for exchange in (quiet, moved):
        exchange.advance(exchange.start + 31 * SECOND)
    assert moved.fills
    assert moved.statistics(code).volume > quiet.statistics(code).volume
    others = [of.symbol for of in moved.issues()[1:]]
    assert [moved.statistics(of) for of in others] == [quiet.statistics(of) for of in others]


def test_a_fill_has_one_time_in_its_print_its_report_and_the_record() -> None:
    exchange = exchange_of(minutes=2, issues=2)
    events = exchange.advance(exchange.start + 10 * SECOND)
    code = exchange.issues()[0].symbol
    best = exchange.book(code)
    for side, price in ((Side.BUY, best.bid_prices[0]), (Side.BUY, best.bid_prices[1])):
        exchange.place(exchange.account, side, Kind.LIMIT, Validity.DAY, code, 40, price, "0101")
    events = play(exchange)
    told = [event.time for event in events if isinstance(event, OrderReport) and event.fill]
    printed = {event.time for event in events if isinstance(event, Print) and event.symbol == code}
    assert told
    assert told == [fill.time for fill in exchange.fills]
    assert printed.issuperset(told)
    assert [order.time for order in exchange.orders if order.filled] == [
        max(fill.time for fill in exchange.fills if fill.number == order.number)
        for order in exchange.orders
        if order.filled
    ]


def test_another_seed_is_another_day() -> None:
    assert digest(1) != digest(2)


def test_one_seed_is_one_day_whatever_the_hash_seed() -> None:
    script = "from tests.exchange.test_synthetic_day import digest; print(digest(5))"
    digests = [
        subprocess.run(
            [sys.executable, "-c", script],
            check=True,
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
        ).stdout
        for seed in ("0", "4711")
    ]
    assert digests[0] == digests[1]
    assert digests[0].strip() == digest(5)


def digest(seed: int) -> str:
    exchange = exchange_of(seed, minutes=2, issues=6)
    code = exchange.issues()[0].symbol
    lines: list[str] = []
    while exchange.now < exchange.end:
        lines += map(repr, exchange.advance(exchange.now + 5 * SECOND))
        for side in (Side.BUY, Side.SELL):
            lines.append(repr(exchange.place(exchange.account, side, Kind.BEST, Validity.DAY, code, 3, 0, "0101")))
    lines.append(repr(exchange.account_state(exchange.account)))
    lines.append(repr(exchange.charts(code, 60)[:50]))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def test_charts_reach_back_before_today_and_end_with_it(opening: Played) -> None:
    exchange, events, _ = opening
    of = exchange.issues()[2]
    minutes, days = exchange.charts(of.symbol, 60), exchange.charts(of.symbol, 86_400)
    prints: defaultdict[int, list[Print]] = defaultdict(list)
    for event in events:
        if isinstance(event, Print) and event.symbol == of.symbol:
            prints[event.time - event.time % (60 * SECOND)].append(event)
    today = [bar for bar in minutes if bar.time >= exchange.start]
    assert [(bar.time, bar.volume, bar.prints) for bar in today] == [
        (minute, sum(event.size for event in of_minute), len(of_minute)) for minute, of_minute in prints.items()
    ]
    assert len(minutes) > 900
    assert len(days) > 600
    for bars in (minutes, days, exchange.charts(of.symbol, 300)):
        assert [bar.time for bar in bars] == sorted({bar.time for bar in bars})
        assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in bars)
        assert all(
            krx.is_on_tick(bar.high, of.market, DATE) and krx.is_on_tick(bar.low, of.market, DATE) for bar in bars
        )
    assert minutes[-len(today) - 1].close == of.base_price
    assert days[-1].volume == exchange.statistics(of.symbol).volume
