"""Every recorded event and frame, and Kiwoom's own examples, read to the values stated in them."""

import gzip
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.orders.chejan import order_record
from actors.gateways.kiwoom.real_time.records import PARSERS, RealMessage, midnight
from actors.market.time import KST, kst
from messages import AfterHoursBook, BestQuote, ExpectedPrice, IndexTick, OrderBook, SessionChanged, Tick, ViTriggered

DATA = Path(__file__).parents[2].parent / "shared" / "data"
NOON = int(datetime(2026, 9, 11, 12, tzinfo=KST).timestamp()) * 1_000_000_000
READ_BY = {
    "ocx/condition_20220118.jsonl": "test_kiwoom_conditions",
    "ocx/opt10001_005930_20220118.jsonl": "test_twin_shapes",
    "ocx/order_chejan_005930_20220118.jsonl": "test_kiwoom_orders",
    "ocx/realdata_005930_20220118_first6.jsonl": "test_kiwoom_records",
    "ws/frames_20260716_krx.jsonl": "test_kiwoom_records",
    "ws/ws_005930_20260911_115618_115644.jsonl": "test_kiwoom_recordings",
    "ws/ws_20260910_reg_before_login.jsonl": "test_kiwoom_recordings",
}
"""The module that holds each recording against the parser."""
FIELDS: Mapping[type[RealMessage], Mapping[str, int]] = {
    Tick: {"price": 10, "size": 15, "volume": 13, "ask": 27, "bid": 28, "open": 16, "high": 17, "low": 18},
    BestQuote: {"ask": 27, "bid": 28},
    OrderBook: {"ask_total": 121, "bid_total": 125},
    AfterHoursBook: {"ask_total": 131, "bid_total": 135},
    ExpectedPrice: {"price": 10, "size": 15},
    ViTriggered: {"trigger_price": 1221, "static_reference": 1236, "dynamic_reference": 1237, "count": 1490},
    IndexTick: {"volume": 13},
    SessionChanged: {},
}
"""Whole numbers of a message and the FID that states each."""
CLOCKS: Mapping[type[RealMessage], int] = {OrderBook: 21, AfterHoursBook: 21, ViTriggered: 1223}


def the(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"recorded events are not there: {name}")
    return path


def items(name: str) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = [json.loads(line) for line in the(name).read_text("utf-8").splitlines()]
    frames: list[dict[str, Any]] = [line["frame"] for line in lines if line.get("frame")]
    data: list[Any] = [item for frame in frames for item in frame.get("data") or ()]
    return [item for item in data if isinstance(item, dict) and "values" in item]


def read(kind: str, item: str, values: Mapping[str, str]) -> RealMessage:
    text = "\t".join(values.get(str(fid), "") for fid in codes.REAL_TYPES[kind].fids)
    message = PARSERS[kind](item, text, midnight(NOON), NOON)
    assert message is not None
    return message


def assert_stated(message: RealMessage, values: Mapping[str, str]) -> None:
    kind = type(message)
    for field, fid in FIELDS[kind].items():
        assert getattr(message, field) == abs(int(values[str(fid)])), field
    clock = values.get(str(CLOCKS.get(kind, 20)))
    if clock is not None:
        assert kst(message.time).strftime("%H%M%S") == clock
    if isinstance(message, Tick):
        assert (message.value, message.strength) == (int(values["14"]) * 1_000_000, float(values["228"]))
        assert message.side == ("buyer" if values["15"][0] == "+" else "seller")
    if isinstance(message, OrderBook):
        for field, first in (("ask_prices", 41), ("bid_prices", 51), ("ask_sizes", 61), ("bid_sizes", 71)):
            assert getattr(message, field) == tuple(abs(int(values[str(first + n)])) for n in range(10)), field


def test_every_recording_is_held_against_the_parser_somewhere() -> None:
    the("ocx")
    there = sorted(path.relative_to(DATA).as_posix() for folder in ("ocx", "ws") for path in (DATA / folder).iterdir())
    assert there == sorted(READ_BY)
    for name, module in READ_BY.items():
        assert Path(name).name in (Path(__file__).parent / f"{module}.py").read_text("utf-8"), name


def test_each_print_of_a_recorded_session_reads_field_by_field_and_so_do_its_orders() -> None:
    found = items("ws/ws_005930_20260911_115618_115644.jsonl")
    prints = [item["values"] for item in found if item["type"] == "0B"]
    for values in prints:
        assert_stated(read(codes.TRADE, "005930", values), values)
    orders = [order_record({int(fid): text for fid, text in i["values"].items()}) for i in found if i["type"] == "00"]
    assert (len(prints), [record.status for record in orders]) == (88, [codes.ACCEPTED, codes.FILLED])
    filled = next(item["values"] for item in found if item["type"] == "00" and item["values"]["913"] == codes.FILLED)
    record = orders[1]
    assert (record.quantity, record.open, record.amount) == (int(filled["900"]), int(filled["902"]), int(filled["903"]))
    assert (record.fill_price, record.fill_quantity) == (int(filled["914"]), int(filled["915"]))


def test_a_session_out_of_hours_has_nothing_to_read() -> None:
    assert items("ws/ws_20260910_reg_before_login.jsonl") == []


@pytest.mark.parametrize(
    ("api", "kind", "message"),
    [
        ("0B", codes.TRADE, Tick),
        ("0C", codes.BEST_QUOTE, BestQuote),
        ("0D", codes.BOOK, OrderBook),
        ("0E", codes.AFTER_HOURS, AfterHoursBook),
        ("0H", codes.EXPECTED, ExpectedPrice),
        ("0J", codes.INDEX, IndexTick),
        ("0s", codes.SESSION, SessionChanged),
        ("1h", codes.VI, ViTriggered),
    ],
)
def test_kiwooms_own_example_of_each_type_reads_to_what_it_states(
    api: str, kind: str, message: type[RealMessage]
) -> None:
    with gzip.open(the("rest/kiwoom_rest_official_doc_207.jsonl.gz"), "rt", encoding="utf-8") as file:
        sheets = [msgspec.json.decode(line, type=dict[str, Any]) for line in file]
    (example,) = [sheet["real_example"]["data"][0] for sheet in sheets if sheet.get("api_id") == api]
    found = read(kind, example["item"] or "09", example["values"])
    assert type(found) is message
    assert_stated(found, example["values"])
    if isinstance(found, IndexTick):
        assert (found.index, found.hundredths, found.value) == ("001", 176_261, 60_711_859_000_000)
