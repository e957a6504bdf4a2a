import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.exchange.events import Print, ViEnded, ViStarted
from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.real_time.records import parse_book, parse_expected, parse_trade, parse_vi
from actors.gateways.kiwoom.twin.announcements import vi_text
from actors.gateways.kiwoom.twin.books import LEVELS, SideText
from actors.gateways.kiwoom.twin.trades import Marks, Tape
from messages import Aggressor, Instrument, Market, Nanoseconds, Shares, Symbol, ViKind, ViTriggered, Won
from runtime.testing import in_virtual_time
from tests.gateways.twin_consumer import Consumer, trading

RECORDED = Path(__file__).parents[2].parent / "shared" / "data" / "ocx"
SAMSUNG = Instrument(
    symbol=Symbol("005930"),
    name="삼성전자",
    market=Market.KOSPI,
    base_price=Won(77_500),
    upper_limit=Won(100_500),
    lower_limit=Won(54_300),
    listed_shares=Shares(5_969_782_550),
)
YESTERDAY = (8_785_122, 608_869_500_000 + 70_033_816_000)
COST_RATE_OF_2022 = 260
RUNNING = {822, 851, 567, 568, 1890, 1891, 1892, 1030, 1031, 1032, 1071, 1072, 620}
AFTERNOON = Nanoseconds(1_642_485_600_000_000_000 - 6 * 3_600 * 1_000_000_000)
needs_recordings = pytest.mark.skipif(not RECORDED.exists(), reason="the recorded events are not beside this checkout")


def recorded(file: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (RECORDED / file).read_text("utf-8").splitlines()]


def recorded_prints() -> list[dict[int, str]]:
    rows = [row for row in recorded("realdata_005930_20220118_first6.jsonl") if row["args"][1] == codes.TRADE]
    return [dict(zip(codes.REAL_TYPES[codes.TRADE].fids, row["args"][2].split("\t"), strict=False)) for row in rows]


def print_of(fields: dict[int, str], value: int) -> Print:
    clock, size = fields[20], int(fields[15])
    seconds = int(clock[:2]) * 3_600 + int(clock[2:4]) * 60 + int(clock[4:])
    prices = {fid: Won(abs(int(fields[fid]))) for fid in (10, 27, 28, 16, 17, 18)}
    return Print(
        symbol=SAMSUNG.symbol,
        time=Nanoseconds((seconds - 9 * 3_600) * 1_000_000_000),
        price=prices[10],
        size=Shares(abs(size)),
        side=Aggressor.BUYER if size > 0 else Aggressor.SELLER,
        volume=Shares(int(fields[13])),
        value=Won(value),
        ask=prices[27],
        bid=prices[28],
        open=prices[16],
        high=prices[17],
        low=prices[18],
        strength=float(fields[228]),
    )


@needs_recordings
def test_prints_are_written_as_recorded() -> None:
    tape = Tape(SAMSUNG, YESTERDAY, COST_RATE_OF_2022)
    rows = recorded_prints()
    value = YESTERDAY[1] + int(rows[0][29])
    for place, fields in enumerate(rows):
        value += abs(int(fields[10]) * int(fields[15])) if place else 0
        event = print_of(fields, value)
        tape.count(event)
        written = tape.render(event).split("\t")
        assert len(written) == len(fields) == 42
        ours = dict(zip(fields, written, strict=True))
        expected = {fid: text for fid, text in fields.items() if fid not in RUNNING and fid != 14}
        assert {fid: text for fid, text in ours.items() if fid not in RUNNING and fid != 14} == expected
        assert abs(int(ours[14]) - int(fields[14])) <= 1


def shape(text: str) -> str:
    return re.sub(r"\d+", "9", text.strip().lstrip("+-"))


async def recorded_purchase() -> Consumer:
    consumer = await trading(answers="recorded")
    consumer.order(quantity=1, hoga="03")
    await consumer.rest(1)
    return consumer


@needs_recordings
@in_virtual_time
async def test_a_purchase_reads_as_the_recorded_one() -> None:
    consumer = await recorded_purchase()
    rows = recorded("order_chejan_005930_20220118.jsonl")
    ours = [(name, args) for name, args in consumer.events if name != "OnEventConnect"]
    assert [name for name, _ in ours] == [row["event"] for row in rows]
    message, answer = ours[0][1], ours[1][1]
    assert (message[2], message[3]) == (rows[0]["args"][2], rows[0]["args"][3])
    assert list(answer[2:5]) == rows[1]["args"][2:]
    assert shape(consumer.numbers[0]) == shape(rows[1]["single_data"]["values"][0])
    for (_, args), row, (_, fields) in zip(ours[2:], rows[2:], consumer.records, strict=True):
        assert [str(part) for part in args] == row["args"]
        texts = {fid: shape(text) for fid, text in fields.items() if fid not in (302, 9205)}
        wanted = dict(zip(fields, map(shape, row["single_data"]["values"]), strict=True))
        assert texts == {fid: text for fid, text in wanted.items() if fid not in (302, 9205)}


@needs_recordings
@in_virtual_time
async def test_basic_information_has_the_recorded_items_in_their_shape() -> None:
    consumer = await trading()
    single = recorded("opt10001_005930_20220118.jsonl")[0]["single_data"]
    ours: dict[str, str] = {}

    def read(name: str, args: tuple[Any, ...]) -> None:
        if name == "OnReceiveTrData":
            ours.update({item: consumer.call("GetCommData", args[2], args[1], 0, item) for item in single["names"]})

    consumer.inside = read
    consumer.ask("opt10001", {"종목코드": "900010"})
    await consumer.rest(1)
    wanted = dict(zip(single["names"], single["values"], strict=True))
    given = {item: text for item, text in ours.items() if text.strip() and item not in ("종목명", "신용비율")}
    assert {item: shape(text) for item, text in given.items()} == {item: shape(wanted[item]) for item in given}
    assert len(given) >= 30
    assert all(len(text) == 20 for text in given.values())


@in_virtual_time
async def test_what_is_written_reads_back_as_the_exchange_has_it() -> None:
    consumer = await trading(issues=3)
    exchange = consumer.twin.server.exchange
    seen = {codes.TRADE: 0, codes.BOOK: 0}

    def compare(name: str, args: tuple[Any, ...]) -> None:
        if name != "OnReceiveRealData" or args[1] not in seen:
            return
        seen[args[1]] += 1
        symbol = Symbol(args[0])
        if args[1] == codes.BOOK:
            book, snapshot = parse_book(args[0], args[2], 0, 0), exchange.book(symbol)
            assert (book.ask_prices, book.ask_sizes) == (snapshot.ask_prices, snapshot.ask_sizes)
            assert (book.bid_prices, book.bid_sizes) == (snapshot.bid_prices, snapshot.bid_sizes)
            assert (book.ask_total, book.bid_total) == (snapshot.ask_total, snapshot.bid_total)
            assert args[2].count("\t") == 102
        else:
            tick, statistics = parse_trade(args[0], args[2], 0, 0), exchange.statistics(symbol)
            assert tick.volume <= statistics.volume
            assert (tick.high, tick.low, tick.open) <= (statistics.high, statistics.open, statistics.open)

    consumer.inside = compare
    consumer.call("SetRealReg", "4000", "900010;900020;900030", "20;10;15;21", "0")
    await consumer.rest(30)
    assert min(seen.values()) > 20


@in_virtual_time
async def test_an_auction_announces_its_price() -> None:
    consumer = await trading(begin="08:59", finish="09:02")
    consumer.call("SetRealReg", "4000", "900010", "20;10;15", "0")
    await consumer.rest(40)
    fields = consumer.reals(codes.EXPECTED)
    assert fields
    expected = parse_expected("900010", "\t".join(fields[-1]), 0, 0)
    assert expected.price > 0
    assert expected.size > 0


def test_an_interruption_reads_back() -> None:
    started = ViStarted(
        symbol=SAMSUNG.symbol,
        time=AFTERNOON,
        kind=ViKind.DYNAMIC,
        trigger_price=Won(80_000),
        static_reference=Won(77_500),
        dynamic_reference=Won(77_600),
        upward=True,
        count=2,
        release=Nanoseconds(AFTERNOON + 130 * 10**9),
    )
    fields = vi_text(started, SAMSUNG, 1_000, 80_000_000, 77_000).split("\t")
    assert len(fields) == 19
    assert (fields[0], fields[4], fields[10], fields[14]) == ("A005930", "1", "동적", "+3.09")
    read = parse_vi("005930", "\t".join(fields), 0, 0)
    assert isinstance(read, ViTriggered)
    assert (read.upward, read.count, read.dynamic_reference) == (True, 2, 77_600)
    ended = ViEnded(symbol=SAMSUNG.symbol, time=started.release, started=started, price=Won(80_100))
    assert vi_text(ended, SAMSUNG, 1_000, 80_000_000, 77_000).split("\t")[4] == "2"


LEVEL = st.tuples(st.sampled_from([0, 77_400, 77_500, 77_600]), st.integers(1, 3))


@given(st.lists(st.lists(LEVEL, min_size=LEVELS, max_size=LEVELS), min_size=2, max_size=6))
@settings(max_examples=60, deadline=None)
def test_a_side_written_in_part_equals_one_written_anew(sides: list[list[tuple[int, int]]]) -> None:
    marks = Marks(77_500)
    text = SideText(marks)
    before = [(0, 0)] * LEVELS
    for side in sides:
        now = [(price, size if price else 0) for price, size in side]
        text.update(tuple(price for price, _ in now), tuple(size for _, size in now))
        for at, (price, size) in enumerate(now):
            old = before[at][1] if before[at][0] == price else 0
            change = f"{size - old:+d}" if size != old else "0"
            assert text.texts[at] == f"{marks[price]}\t{size}\t{change}"
        before = now
