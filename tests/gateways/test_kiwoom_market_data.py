"""The real-time side of the gateway over the twin: everything registered comes, and agrees with itself."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.ocx import OcxGateway
from actors.gateways.kiwoom.twin.registrations import ELSEWHERE, Registrations
from actors.gateways.kiwoom.twin.settings import TwinSettings
from actors.gateways.kiwoom.twin.twin import Twin
from actors.gateways.port import FeedMessage
from actors.market.derived import Strength
from actors.market.time import kst
from actors.receiver import Receiver
from messages import (
    BestQuote,
    DataLost,
    IndexTick,
    Instrument,
    Session,
    SessionChanged,
    Symbol,
    Tick,
    Venue,
)
from runtime.clock import SimulatedClock
from runtime.loop import VirtualLoop
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


def test_after_hours_are_announced_with_their_letters(tmp_path: Path) -> None:
    said, _, _ = day(tmp_path, {"issues": 1, "begin": "15:29", "finish": "18:01", "intensity": 0.01})
    sessions = [message for message in said if isinstance(message, SessionChanged) and message.venue is Venue.KRX]
    letters = [(message.code, message.session, kst(message.time).strftime("%H:%M")) for message in sessions]
    assert [letter for letter in letters if letter[0] in "abcd"] == [
        ("a", Session.AFTER_HOURS_CLOSE, "15:40"),
        ("b", Session.CLOSED, "16:00"),
        ("c", Session.AFTER_HOURS_SINGLE, "16:00"),
        ("d", Session.CLOSED_FOR_DAY, "18:00"),
    ]


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
