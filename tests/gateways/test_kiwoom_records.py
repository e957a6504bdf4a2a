import json
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.real_time.records import (
    PARSERS,
    MalformedError,
    midnight,
    parse_book,
    parse_expected,
    parse_index,
    parse_quote,
    parse_session,
    parse_trade,
    parse_vi,
    vi_subject,
)
from actors.gateways.kiwoom.real_time.verification import assembled, differing_fids
from actors.market.time import KST
from messages import Aggressor, Session, Venue, ViKind, ViReleased, ViTriggered
from messages.base import Message

DATA = Path(__file__).parents[2].parent / "shared" / "data"
NOON = int(datetime(2022, 1, 18, 12, tzinfo=KST).timestamp()) * 1_000_000_000
DAY = midnight(NOON)


def lines(name: str) -> list[dict[str, Any]]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"recorded events are not there: {name}")
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def raw(kind: str, values: dict[str, str]) -> str:
    return "\t".join(values.get(str(fid), "") for fid in codes.REAL_TYPES[kind].fids)


def trade(**changes: str) -> str:
    fields = {"20": "142942", "10": "-77100", "27": "-77100", "28": "-76900", "15": "+3", "13": "7884712"}
    fields |= {"14": "608869", "16": "+77600", "17": "+77800", "18": " 76600", "228": "61.12"}
    return raw(codes.TRADE, fields | {key[1:]: value for key, value in changes.items()})


def book() -> str:
    values = {"21": "135622", "121": "4343", "125": "26747"}
    for level in range(1, 11):
        values |= {str(40 + level): f"+{6500 + 10 * level}", str(60 + level): str(level)}
        values |= {str(50 + level): f"-{6500 - 10 * level}", str(70 + level): str(20 * level)}
    return raw(codes.BOOK, values)


def vi(**changes: str) -> str:
    values = {"9001": "A094480", "302": "갤럭시아머니트리", "9068": "1", "1221": "4125", "1223": "111454"}
    values |= {"1224": "111703", "1225": "정적", "1236": "3750", "1490": "1", "9069": "1"}
    return raw(codes.VI, values | {key[1:]: value for key, value in changes.items()})


def test_recorded_trades_read_as_they_were_named() -> None:
    read = quotes = 0
    for event in lines("ocx/realdata_005930_20220118_first6.jsonl"):
        code, kind, data = event["args"]
        named = dict(zip(event["single_data"]["names"], event["single_data"]["values"], strict=True))
        if kind == codes.BEST_QUOTE:
            quote = parse_quote(code, data, DAY, NOON)
            assert (quote.ask, quote.bid) == (abs(int(named["매도호가"])), abs(int(named["매수호가"])))
            quotes += 1
            continue
        tick = parse_trade(code, data, DAY, NOON)
        read += 1
        assert datetime.fromtimestamp(tick.time / 1e9, KST).strftime("%Y%m%d%H%M%S") == "20220118" + named["체결시간"]
        assert (tick.price, tick.volume) == (abs(int(named["현재가"])), int(named["누적거래량"]))
        assert (tick.ask, tick.bid) == (abs(int(named["매도호가"])), abs(int(named["매수호가"])))
        assert tick.value == int(named["누적거래대금"]) * 1_000_000
        assert tick.side is (Aggressor.BUYER if named["거래량"].startswith("+") else Aggressor.SELLER)
        assert tick.strength == float(named["체결강도"])
    assert (read, quotes) == (4, 2)


def test_recorded_frames_read_when_laid_out_in_table_order() -> None:
    ticks = [
        parse_trade(item["item"], raw(codes.TRADE, item["values"]), DAY, NOON)
        for line in lines("ws/ws_005930_20260911_115618_115644.jsonl")
        for item in line.get("frame", {}).get("data", [])
        if item["type"] == "0B"
    ]
    assert len(ticks) == 88
    assert ticks[0].price == 257_750
    assert all(later.volume - earlier.volume == later.size for earlier, later in pairwise(ticks))


def test_a_recorded_book_reads_level_by_level() -> None:
    items = lines("ws/frames_20260716_krx.jsonl")[0]["frame"]["data"]
    read = parse_book("000020", raw(codes.BOOK, items[0]["values"]), DAY, NOON)
    assert read.ask_prices == tuple(range(6500, 6600, 10))
    assert read.bid_prices[:3] == (6490, 6480, 6470)
    assert read.ask_sizes[0] == 20
    assert (read.bid_sizes[-1], read.ask_total, read.bid_total) == (132, 4343, 26747)
    with pytest.raises(MalformedError):
        parse_trade("000810", raw(codes.TRADE, items[1]["values"]), DAY, NOON)


@pytest.mark.parametrize(
    ("text", "price"), [("+77100", 77100), ("--77100", 77100), ("+-77100", 77100), (" 77100", 77100), ("2087", 2087)]
)
def test_marks_of_a_price_are_colours(text: str, price: int) -> None:
    assert parse_trade("005930", trade(_10=text), DAY, NOON).price == price


@pytest.mark.parametrize(
    ("text", "side", "size"),
    [("+3", Aggressor.BUYER, 3), ("-20", Aggressor.SELLER, 20), (" 7", Aggressor.NONE, 7)],
)
def test_the_sign_of_the_size_says_who_crossed_the_spread(text: str, side: Aggressor, size: int) -> None:
    tick = parse_trade("005930", trade(_15=text), DAY, NOON)
    assert (tick.side, tick.size) == (side, size)


@pytest.mark.parametrize("fid", ["20", "10", "27", "28", "15", "13", "14", "16", "17", "18", "228"])
@pytest.mark.parametrize("value", ["", " ", "+-", "1_000", "９", "뷁", "9" * 40, "1e400", "nan", "0x10", "--", "-\x00"])
def test_a_malformed_field_of_a_trade_is_refused(fid: str, value: str) -> None:
    with pytest.raises(MalformedError):
        parse_trade("005930", trade(**{f"_{fid}": value}), DAY, NOON)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"_20": "888888"}, "005930"),
        ({"_20": "246060"}, "005930"),
        ({}, "00593"),
        ({}, "005930_XX"),
        ({"_10": "0"}, "005930"),
    ],
)
def test_a_trade_that_cannot_be_is_refused(changes: dict[str, str], code: str) -> None:
    with pytest.raises(MalformedError):
        parse_trade(code, trade(**changes), DAY, NOON)


def test_a_suffix_names_the_venue() -> None:
    assert parse_trade("005930_AL", trade(), DAY, NOON).venue is Venue.SOR
    assert parse_trade("005930_NX", trade(), DAY, NOON).venue is Venue.NXT


@pytest.mark.parametrize("index", [0, 1, 2, 4, 5, 25, 59, 61, 63])
@pytest.mark.parametrize("value", ["", "+-", "x", "9" * 40])
def test_a_malformed_field_of_a_book_is_refused(index: int, value: str) -> None:
    fields = book().split("\t")
    fields[index] = value
    with pytest.raises(MalformedError):
        parse_book("000020", "\t".join(fields), DAY, NOON)


def test_a_negative_size_is_not_a_size() -> None:
    fields = book().split("\t")
    fields[2] = "-5"
    with pytest.raises(MalformedError):
        parse_book("000020", "\t".join(fields), DAY, NOON)


def test_an_auctions_estimate_is_read() -> None:
    read = parse_expected("005930", "110206\t+60500\t+200\t+0.33\t-7805\t768293\t2", DAY, NOON)
    assert (read.price, read.size) == (60_500, 7_805)


@pytest.mark.parametrize(
    ("data", "session", "seconds", "left"),
    [
        ("0\t085950\t000010", Session.OPENING_AUCTION, 32_390, 10),
        ("3\t090000\t000000", Session.CONTINUOUS, 32_400, 0),
        ("8\t888888\t000000", Session.CLOSED_FOR_DAY, 57_600, 0),
        ("c\t160000\t000000", Session.AFTER_HOURS_SINGLE, 57_600, 0),
    ],
)
def test_announcements_become_sessions(data: str, session: Session, seconds: int, left: int) -> None:
    read = parse_session("09", data, DAY, NOON)
    assert read is not None
    assert (read.session, read.remaining, read.time) == (session, left, DAY + seconds * 1_000_000_000)


def test_nextrade_has_closed_for_the_day_in_the_evening_only() -> None:
    """An older text of Kiwoom's has it say V after the closing price trades, in the afternoon."""
    read = [parse_session("09", f"V\t{clock}\t000000", DAY, NOON) for clock in ("160000", "200000")]
    assert [one.session for one in read if one] == [Session.CLOSED, Session.CLOSED_FOR_DAY]


def test_announcements_for_derivatives_say_nothing_and_unknown_ones_are_refused() -> None:
    assert parse_session("09", "s\t153500\t000000", DAY, NOON) is None
    with pytest.raises(MalformedError):
        parse_session("09", "Z\t153500\t000000", DAY, NOON)


def test_an_interruption_begins_and_ends() -> None:
    begun, over = (parse_vi("094480", vi(_9068=event), DAY, NOON) for event in "12")
    assert isinstance(begun, ViTriggered)
    assert (begun.symbol, begun.kind, begun.trigger_price, begun.upward) == ("094480", ViKind.STATIC, 4125, True)
    assert (begun.static_reference, begun.dynamic_reference, begun.count) == (3750, 0, 1)
    assert isinstance(over, ViReleased)
    assert over.time - begun.time == 129_000_000_000


def test_the_same_interruption_of_another_venue_has_the_same_subject_and_is_the_krxs() -> None:
    assert vi_subject(vi()) == vi_subject(vi(_9001="094480_AL"))
    for code in ("094480", "094480_NX", "094480_AL"):
        assert parse_vi(code, vi(_9001=code), DAY, NOON).venue is Venue.KRX


@pytest.mark.parametrize("changes", [{"_9068": "3"}, {"_1223": ""}, {"_1221": "+-"}, {"_9001": "?"}, {"_1225": "x"}])
def test_a_malformed_interruption_is_refused(changes: dict[str, str]) -> None:
    with pytest.raises(MalformedError):
        parse_vi("094480", vi(**changes), DAY, NOON)


@pytest.mark.parametrize(("text", "hundredths"), [("-1762.61", 176_261), ("+276151", 276_151), ("850.5", 85_050)])
def test_index_values_come_with_and_without_a_point(text: str, hundredths: int) -> None:
    data = f"110430\t{text}\t-1.0\t-9.71\t2800\t725277\t60711859\t1\t1\t1\t5\t-1"
    assert parse_index("001", data, DAY, NOON).hundredths == hundredths


def test_fields_that_differ_are_named_and_a_string_can_be_made_of_single_answers() -> None:
    data = trade()
    answers = dict(zip(codes.REAL_TYPES[codes.TRADE].fids, data.split("\t"), strict=True))
    assert differing_fids(codes.TRADE, data, answers.__getitem__) == ()
    again = parse_trade("005930", assembled(codes.TRADE, answers.__getitem__), DAY, NOON)
    assert again == parse_trade("005930", data, DAY, NOON)
    shifted = data.replace("-77100", "0\t-77100", 1)
    assert differing_fids(codes.TRADE, shifted, answers.__getitem__)[0] == 10


CELLS = st.one_of(
    st.sampled_from(
        ["", " ", "+-", "-", "0", "+1", "-77000", "090000", "1.5", "inf", "9" * 30, "A005930", "뷁", "\ufffd"]
    ),
    st.text(max_size=6),
)


@given(st.sampled_from(sorted(PARSERS)), st.sampled_from(["005930", "A005930", "", "_AL", "뷁"]), st.data())
@settings(max_examples=400, deadline=None)
def test_whatever_comes_is_read_or_refused(kind: str, code: str, data: st.DataObject) -> None:
    good = {codes.TRADE: trade(), codes.BOOK: book(), codes.VI: vi()}.get(
        kind, "3\t090000\t000000\t1\t1\t1\t1\t1\t1\t1\t1\t1"
    )
    fields = good.split("\t")
    for _ in range(data.draw(st.integers(0, 3))):
        fields[data.draw(st.integers(0, len(fields) - 1))] = data.draw(CELLS)
    text = "\t".join(fields[: data.draw(st.integers(0, len(fields)))] if data.draw(st.booleans()) else fields)
    try:
        message = PARSERS[kind](code, text, DAY, NOON)
    except ValueError:
        return
    assert message is None or isinstance(message, Message)
    values = msgspec.structs.astuple(message) if message is not None else ()
    assert all(abs(value) < 2**63 for value in values if isinstance(value, int))


@pytest.mark.parametrize(
    ("letters", "venue", "session"),
    [
        ("0", Venue.KRX, Session.OPENING_AUCTION),
        ("3", Venue.KRX, Session.CONTINUOUS),
        ("2", Venue.KRX, Session.CLOSING_AUCTION),
        ("4b", Venue.KRX, Session.CLOSED),
        ("89d", Venue.KRX, Session.CLOSED_FOR_DAY),
        ("a", Venue.KRX, Session.AFTER_HOURS_CLOSE),
        ("c", Venue.KRX, Session.AFTER_HOURS_SINGLE),
        ("PRU", Venue.NXT, Session.CONTINUOUS),
        ("QS", Venue.NXT, Session.CLOSED),
        ("T", Venue.NXT, Session.AFTER_HOURS_SINGLE),
        ("VW", Venue.NXT, Session.CLOSED_FOR_DAY),
        ("efos", None, None),
    ],
)
def test_every_value_of_fid_215_is_read(letters: str, venue: Venue | None, session: Session | None) -> None:
    for letter in letters:
        read = parse_session("09", f"{letter}\t200000\t000000", DAY, NOON)
        assert (read.venue, read.session, read.code) == (venue, session, letter) if read else venue is None


def test_no_value_of_fid_215_is_left_out() -> None:
    assert sorted(codes.SESSIONS) == sorted("0324b89dacPRUQSTVWefos")


@pytest.mark.parametrize("kind", [codes.TRADE, codes.BOOK, codes.VI])
def test_a_field_nobody_reads_may_differ(kind: str) -> None:
    data = {codes.TRADE: trade(_822="5"), codes.BOOK: book(), codes.VI: vi()}[kind]
    answers = dict(zip(codes.REAL_TYPES[kind].fids, data.split("\t"), strict=True))
    unread = {codes.TRADE: 822, codes.BOOK: 216, codes.VI: 302}[kind]
    read = {codes.TRADE: 228, codes.BOOK: 80, codes.VI: 9069}[kind]
    assert differing_fids(kind, data, (answers | {unread: "something else"}).__getitem__) == ()
    assert differing_fids(kind, data, (answers | {read: "something else"}).__getitem__) == (read,)


def test_a_time_left_that_is_none_leaves_nothing() -> None:
    read = parse_session("09", "9\t999999\t999999", DAY, NOON)
    assert read is not None
    assert (read.session, read.remaining) == (Session.CLOSED_FOR_DAY, 0)


@pytest.mark.parametrize("released", ["", " ", "      ", "888888"])
def test_an_interruption_is_over_although_its_time_cannot_be_read(released: str) -> None:
    over = parse_vi("094480", vi(_9068="2", _1224=released), DAY, NOON + 5)
    assert isinstance(over, ViReleased)
    assert over.time == NOON


@pytest.mark.parametrize("silence", ["", "   "])
def test_what_the_control_says_nothing_of_does_not_differ(silence: str) -> None:
    """Else one silent field would have every record read field by field, and refused for its blank."""
    data = trade()
    answers = dict(zip(codes.REAL_TYPES[codes.TRADE].fids, data.split("\t"), strict=True))
    assert differing_fids(codes.TRADE, data, (answers | {228: silence}).__getitem__) == ()


AS_IN_THE_TABLE = {
    codes.TRADE: trade(),
    codes.BOOK: book(),
    codes.BEST_QUOTE: "-77000\t-76900",
    codes.AFTER_HOURS: "165208\t43955\t+156\t0\t0",
    codes.EXPECTED: "110206\t+60500\t+200\t+0.33\t-7805\t768293\t2",
    codes.SESSION: "3\t090000\t000000",
    codes.VI: vi(),
    codes.INDEX: "110430\t-1762.61\t-189.51\t-9.71\t2800\t725277\t60711859\t1\t1\t1\t5\t-1",
}


@pytest.mark.parametrize("kind", sorted(PARSERS))
@pytest.mark.parametrize("more", ["통합", "005930_AL", "1\tKRX\tY", ""])
def test_fields_that_kiwoom_adds_behind_the_others_change_nothing(kind: str, more: str) -> None:
    data, code = AS_IN_THE_TABLE[kind], "001" if kind == codes.INDEX else "005930"
    assert PARSERS[kind](code, f"{data}\t{more}", DAY, NOON) == PARSERS[kind](code, data, DAY, NOON)
