"""The real-time side of the gateway over the twin: everything registered comes, and agrees with itself."""

import asyncio
import datetime as dt
import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.ocx import OcxGateway
from actors.gateways.kiwoom.twin.registrations import ELSEWHERE, Registrations
from actors.gateways.kiwoom.twin.settings import TwinSettings
from actors.gateways.kiwoom.twin.twin import Twin
from actors.gateways.kiwoom.twin.venues import NextradeHours
from actors.gateways.port import FeedMessage
from actors.market.derived import Strength
from actors.market.time import SECOND, at, kst
from actors.market.venues import spell
from actors.receiver import Receiver
from messages import (
    AfterHoursBook,
    Aggressor,
    Bar,
    BestQuote,
    DataLost,
    IndexTick,
    Instrument,
    Nanoseconds,
    OrderBook,
    Session,
    SessionChanged,
    Symbol,
    Tick,
    Venue,
)
from runtime.clock import SimulatedClock
from runtime.loops.loop import VirtualLoop
from runtime.testing import Stage, in_virtual_time
from tests.fake_feed import STARTED, FakeFeed


def day(
    folder: Path, settings: dict[str, Any], watched: Sequence[str] = (), **keys: Any
) -> tuple[list[FeedMessage], list[Instrument], dict[str, int]]:
    """What a gateway gives of a twin's day."""
    said: list[FeedMessage] = []
    listed: list[Instrument] = []
    counts: dict[str, int] = {}

    @in_virtual_time
    async def run() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        twin = msgspec.convert(settings, TwinSettings)
        clock = SimulatedClock(Twin(twin, SimulatedClock(0, loop), random.Random(1)).start, loop)
        gateway = OcxGateway(clock, folder, random.Random(1), twin=twin, **keys)
        async with gateway:
            listed.extend(await gateway.instruments(()))
            codes = [Symbol(code) for code in watched] or [instrument.symbol for instrument in listed]
            gateway.watch(codes, codes[:1])
            async for batch in gateway.stream():
                said.extend(batch)
            counts.update(gateway.statistics())

    run()
    return said, listed, counts


def test_quotes_and_indices_come_where_they_are_wanted_and_are_read_without_a_rejection(tmp_path: Path) -> None:
    settings = {"issues": 5, "begin": "08:59", "finish": "09:02"}
    said, listed, counts = day(tmp_path / "all", settings, quotes=True, indices=["001", "101"])
    plain, _, _ = day(tmp_path / "plain", settings)

    kinds, plain_kinds = Counter(map(type, said)), Counter(map(type, plain))
    assert kinds[BestQuote] > 50
    assert plain_kinds[BestQuote] == plain_kinds[IndexTick] == 0
    assert kinds[Tick] == plain_kinds[Tick] > 100
    assert counts.get("real rejected", 0) == counts.get("real fallbacks", 0) == counts["slot failures"] == 0
    indices = [message for message in said if isinstance(message, IndexTick)]
    boards = {"001" if instrument.market == "KOSPI" else "101" for instrument in listed if len(instrument.market) > 3}
    assert {tick.index for tick in indices} == boards
    assert all(0 < tick.hundredths < 1_000_000 for tick in indices)
    assert len({(tick.index, tick.time) for tick in indices}) == len(indices) <= 2 * 121


def test_a_quote_agrees_with_the_prints_best_prices(tmp_path: Path) -> None:
    said, _, _ = day(tmp_path, {"issues": 2, "begin": "08:59", "finish": "09:02"}, quotes=True)
    quotes: dict[Symbol, tuple[int, int]] = {}
    agreeing = 0
    for message in said:
        if isinstance(message, BestQuote):
            quotes[message.symbol] = (message.ask, message.bid)
        elif isinstance(message, Tick):
            agreeing += quotes.get(message.symbol) == (message.ask, message.bid)
    assert agreeing > 20


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> list[FeedMessage]:
    """From a minute before the close to the end of all trading, three issues at the KRX and one at all venues."""
    watched = ["900010", "900020", "900030", "900010_NX", "900010_AL"]
    settings = {"issues": 3, "begin": "15:19", "finish": "20:01", "intensity": 0.4}
    said, _, counts = day(tmp_path_factory.mktemp("evening"), settings, watched, after_hours=True)
    assert counts.get("real rejected", 0) == counts["slot failures"] == 0
    return said


def clock(instant: int) -> str:
    return kst(instant).strftime("%H:%M:%S")


def test_after_hours_and_nextrade_are_announced_with_their_letters(evening: list[FeedMessage]) -> None:
    sessions = [message for message in evening if isinstance(message, SessionChanged)]
    letters = [(message.code, message.venue, message.session, clock(message.time)[:5]) for message in sessions]
    assert [letter for letter in letters if letter[0] in {*"abcdPQRSTUV"}] == [
        ("S", Venue.NXT, Session.CLOSED, "15:20"),
        ("T", Venue.NXT, Session.AFTER_HOURS_SINGLE, "15:30"),
        ("U", Venue.NXT, Session.CONTINUOUS, "15:40"),
        ("a", Venue.KRX, Session.AFTER_HOURS_CLOSE, "15:40"),
        ("b", Venue.KRX, Session.CLOSED, "16:00"),
        ("c", Venue.KRX, Session.AFTER_HOURS_SINGLE, "16:00"),
        ("d", Venue.KRX, Session.CLOSED_FOR_DAY, "18:00"),
        ("V", Venue.NXT, Session.CLOSED_FOR_DAY, "20:00"),
    ]


@pytest.mark.parametrize(
    ("date", "letters"),
    [
        ("2026-11-18", "P 08:00 Q 08:50 R 09:00 S 15:20 T 15:30 U 15:40 V 20:00"),
        ("2026-01-02", "R 10:00 S 15:20 T 15:30 U 15:40 V 20:00"),
        ("2026-11-19", "R 10:00 S 16:20 T 16:30 U 16:40 V 20:00"),
        ("2024-11-18", ""),
    ],
)
def test_nextrades_letters_follow_its_hours_of_the_day(date: str, letters: str) -> None:
    midnight = at(dt.date.fromisoformat(date), 0)
    found = NextradeHours(midnight).due(midnight + 24 * 3_600 * SECOND)
    assert " ".join(f"{letter} {clock(time)[:5]}" for time, letter in found) == letters


def test_what_was_announced_before_the_day_is_not_announced_again() -> None:
    ten = at(dt.date(2026, 11, 18), 10)
    hours = NextradeHours(ten)
    assert [letter for _, letter in hours.due(ten + 6 * 3_600 * SECOND)] == ["S", "T", "U"]
    assert list(hours.due(ten + 6 * 3_600 * SECOND)) == []


def prints(said: list[FeedMessage], symbol: str, begins: str, ends: str, venue: Venue = Venue.KRX) -> list[Tick]:
    ticks = [message for message in said if isinstance(message, Tick) and message.venue is venue]
    return [tick for tick in ticks if tick.symbol == symbol and begins <= clock(tick.time) < ends]


@pytest.mark.parametrize("symbol", ["900010", "900020", "900030"])
def test_after_the_close_trades_go_at_its_price_and_count_in_the_days_volume(
    evening: list[FeedMessage], symbol: str
) -> None:
    close = prints(evening, symbol, "15:30:00", "15:30:01")[-1]
    late = prints(evening, symbol, "15:40:00", "16:00:00")
    assert len(late) > 3
    assert {(tick.price, tick.side) for tick in late} == {(close.price, Aggressor.NONE)}
    days = [close, *late, *prints(evening, symbol, "16:00:00", "18:00:01")]
    assert all(after.volume == before.volume + after.size for before, after in pairwise(days))
    assert {(tick.open, tick.high, tick.low, tick.strength) for tick in days[1:]} == {
        (close.open, close.high, close.low, close.strength)
    }


@pytest.mark.parametrize("symbol", ["900010", "900020", "900030"])
def test_single_prices_come_every_ten_minutes_within_ten_percent_of_the_close(
    evening: list[FeedMessage], symbol: str
) -> None:
    close = prints(evening, symbol, "15:30:00", "15:30:01")[-1].price
    single = prints(evening, symbol, "16:00:00", "20:00:00")
    assert 6 < len(single) <= 12
    assert all(clock(tick.time)[3:] in {f"{minute}0:00" for minute in range(6)} for tick in single)
    assert "16:10:00" <= clock(single[0].time) <= clock(single[-1].time) <= "18:00:00"
    assert len({tick.price for tick in single}) > 1
    assert all(close * 9 <= tick.price * 10 <= close * 11 for tick in single)


def test_what_waits_for_the_close_is_told_on_one_side_and_trades_when_the_other_comes(
    evening: list[FeedMessage],
) -> None:
    books = [book for book in evening if isinstance(book, AfterHoursBook) and book.symbol == "900010"]
    assert len(books) > 20
    assert all(not (book.ask_total and book.bid_total) for book in books)
    assert all("15:40:00" <= clock(book.time) <= "16:00:00" for book in books)
    assert (books[-1].ask_total, books[-1].bid_total) == (0, 0)
    turns = sum(bool(before.ask_total) != bool(after.ask_total) for before, after in pairwise(books))
    assert 0 < turns <= len(prints(evening, "900010", "15:40:00", "16:00:00")) + 1


def test_a_receiver_folds_the_evening_without_a_loss_and_mixes_no_venues(evening: list[FeedMessage]) -> None:
    ticks = [message for message in evening if isinstance(message, Tick)]
    merged = [tick for tick in ticks if tick.venue is Venue.SOR]
    assert {tick.size for tick in prints(evening, "900010", "15:40:00", "18:00:01")} <= {tick.size for tick in merged}
    lost: list[DataLost] = []
    bars: list[Bar] = []

    @in_virtual_time
    async def receive() -> None:
        feed = FakeFeed()
        stage = Stage(Receiver(feed, intervals=[60], stop_at_end=False), start=ticks[0].received)
        await stage.start()
        stage.tell(STARTED)
        feed.give(*ticks)
        await stage.advance(30)
        lost.extend(stage.heard(DataLost))
        bars.extend(stage.heard(Bar))

    receive()
    assert lost == []
    assert {clock(bar.time)[:5] for bar in bars if bar.symbol == "900010"} >= {"15:30", "15:40", "16:10"}


def test_a_day_that_ends_at_the_close_is_what_it_was_without_an_evening(tmp_path: Path) -> None:
    short, _, _ = day(tmp_path / "short", {"issues": 2, "begin": "15:18", "finish": "15:31", "intensity": 0.1})
    long, _, _ = day(tmp_path / "long", {"issues": 2, "begin": "15:18", "finish": "15:45", "intensity": 0.1})
    until = at(dt.date(2026, 11, 18), 15, 31)
    of_both = [
        [message for message in said if isinstance(message, (Tick, OrderBook)) and message.received < until]
        for said in (short, long)
    ]
    assert of_both[0] == of_both[1]
    assert len(of_both[0]) > 100


@pytest.mark.parametrize("interval", [60, 3_600, 86_400])
def test_charts_of_every_venue_come_by_page_and_their_volumes_add_up(interval: int, tmp_path: Path) -> None:
    charts: dict[Venue, list[Bar]] = {}
    pages: Counter[Venue] = Counter()

    @in_virtual_time
    async def run() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        settings = TwinSettings(issues=1, begin="15:29", finish="15:31", intensity=0.1, history=3)
        start = Twin(settings, SimulatedClock(0, loop), random.Random(1)).start
        async with OcxGateway(SimulatedClock(start, loop), tmp_path, random.Random(1), twin=settings) as gateway:
            for venue in Venue:
                async for page in gateway.bars(spell(Symbol("900010"), venue), interval, Nanoseconds(0)):
                    charts.setdefault(venue, [])[:0] = page.bars
                    pages[venue] += 1

    run()
    volumes = {venue: {bar.time: bar.volume for bar in bars} for venue, bars in charts.items()}
    assert all({(bar.symbol, bar.venue) for bar in bars} == {("900010", venue)} for venue, bars in charts.items())
    assert all(len(volumes[venue]) == len(charts[venue]) > 15 for venue in Venue)
    assert pages[Venue.KRX] > 1 or interval == 3_600
    assert {*volumes[Venue.NXT]} <= {*volumes[Venue.KRX]}
    assert len(volumes[Venue.NXT]) < len(volumes[Venue.KRX]) or interval < 86_400, "Nextrade is younger"
    assert volumes[Venue.SOR] == {
        time: volume + volumes[Venue.NXT].get(time, 0) for time, volume in volumes[Venue.KRX].items()
    }


def test_over_a_morning_every_delivered_strength_is_what_the_prints_give(tmp_path: Path) -> None:
    said, listed, _ = day(tmp_path, {"issues": 12, "begin": "08:59", "finish": "09:20", "intensity": 0.5, "seed": 3})
    strengths = {instrument.symbol: Strength() for instrument in listed}
    volumes: Counter[Symbol] = Counter()
    for message in said:
        if isinstance(message, Tick):
            strengths[message.symbol].add(message)
            volumes[message.symbol] += message.size
            assert volumes[message.symbol] == message.volume
    assert sum(fold.compared for fold in strengths.values()) > 1_000
    assert [fold.differences for fold in strengths.values()] == [0] * 12


def test_an_issue_at_three_venues_comes_three_times_each_whole_and_none_mixed(tmp_path: Path) -> None:
    settings = {"issues": 2, "begin": "08:59", "finish": "09:04"}
    codes = ["900010", "900010_NX", "900010_AL"]
    said, _, counts = day(tmp_path, settings, codes)
    ticks = [message for message in said if isinstance(message, Tick)]
    sums = {venue: sum(tick.size for tick in ticks if tick.venue is venue) for venue in Venue}
    last = {tick.venue: tick.volume for tick in ticks}

    assert {tick.symbol for tick in ticks} == {"900010"}
    assert all(last[venue] == sums[venue] > 0 for venue in Venue)
    assert sums[Venue.SOR] == sums[Venue.KRX] + sums[Venue.NXT]
    opened = min(tick.time for tick in ticks if tick.venue is Venue.NXT)
    assert kst(opened).strftime("%H:%M:%S") >= "09:00:30"
    assert counts.get("real out_of_order", 0) == counts.get("real rejected", 0) == 0


def test_a_venues_code_let_go_is_silent_and_the_others_go_on() -> None:
    registrations = Registrations()
    registrations.set_real("4000", "900010;900010_NX", "10", "0")
    both = dict(registrations.wanted)
    registrations.remove("4000", "900010_NX")
    assert both["900010"] & ELSEWHERE
    assert registrations.wanted == {"900010": both["900010_NX"]}
    registrations.set_real("4000", "900010_AL", "10", "0")
    assert registrations.wanted["900010"] == ELSEWHERE
    registrations.disconnect("4000")
    assert registrations.wanted == {}


@pytest.mark.parametrize("kind", ["drop", "repeat", "reorder"])
def test_what_the_line_drops_is_told_to_the_share_and_what_it_repeats_or_mixes_up_is_no_loss(
    kind: str, tmp_path: Path
) -> None:
    fault = {"kind": kind, "record": codes.TRADE, "times": 0, "chance": 0.05}
    said, _, _ = day(tmp_path, {"issues": 4, "begin": "08:59", "finish": "09:05", "faults": [fault]})
    ticks = [message for message in said if isinstance(message, Tick)]
    first: dict[Symbol, Tick] = {}
    volumes: dict[Symbol, dict[int, int]] = {}
    for tick in ticks:
        first.setdefault(tick.symbol, tick)
        volumes.setdefault(tick.symbol, {})[tick.volume] = tick.size
    gone = {
        symbol: max(seen) - sum(size for volume, size in seen.items() if volume >= first[symbol].volume)
        - (first[symbol].volume - first[symbol].size)
        for symbol, seen in volumes.items()
    }  # fmt: skip

    told: dict[Symbol, int] = {}

    @in_virtual_time
    async def receive() -> None:
        told.update(await told_by_a_receiver(ticks))

    receive()
    assert told == {symbol: shares for symbol, shares in gone.items() if shares}
    assert bool(told) == (kind == "drop")


async def told_by_a_receiver(ticks: Sequence[Tick]) -> dict[Symbol, int]:
    feed = FakeFeed()
    stage = Stage(Receiver(feed))
    await stage.start()
    stage.tell(STARTED)
    feed.give(*ticks)
    await stage.advance(30)
    return {row.symbol: row.total for lost in stage.heard(DataLost) for row in lost.rows}


def test_a_chart_of_an_issue_nobody_watches_brings_no_prints_of_it(tmp_path: Path) -> None:
    said: list[FeedMessage] = []

    @in_virtual_time
    async def run() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        settings = TwinSettings(issues=2, begin="09:01", finish="09:02", intensity=0.3, history=1)
        clock = SimulatedClock(Twin(settings, SimulatedClock(0, loop), random.Random(1)).start, loop)
        async with OcxGateway(clock, tmp_path, random.Random(1), twin=settings) as gateway:
            gateway.watch([Symbol("900010")], ())
            async for _ in gateway.bars(Symbol("900020"), 60, Nanoseconds(0)):
                await clock.sleep(30)
            async for batch in gateway.stream():
                said.extend(batch)
            assert gateway.statistics()["real unasked"] > 0

    run()
    assert {message.symbol for message in said if isinstance(message, (Tick, OrderBook))} == {"900010"}
