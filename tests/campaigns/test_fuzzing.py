"""The fuzzing campaign, with a small budget, and the recorded events and frames it starts from."""

import asyncio

import msgspec

from actors.campaigns import fuzzing
from actors.campaigns.fuzzing import READ, REJECTED, Line, is_typed
from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.real_time.records import PARSERS
from messages import Venue
from tests.market.market_data import book, tick


def test_no_mangled_record_crashes_the_line_or_passes_with_a_wrong_type_and_every_one_is_counted() -> None:
    outcomes = fuzzing.fuzz(10_000, seed=1)
    assert outcomes.failures == []
    assert outcomes.count(REJECTED) > 3_000
    for kind in PARSERS:
        assert outcomes.count(READ, f"{kind}, nothing") > 20 or kind == codes.VI


def test_a_parser_that_raises_is_a_crash_and_the_line_goes_on() -> None:
    async def run() -> list[str]:
        line = Line()
        line._intake._announced = lambda *_: 1 // 0  # type: ignore[method-assign]
        crashed, _ = await line.pass_on("09", codes.SESSION, "3\t090000\t000000")
        read, _ = await line.pass_on("005930", codes.BEST_QUOTE, "1\t2")
        return [crashed, read]

    assert asyncio.run(run()) == [f"{fuzzing.CRASHED} ZeroDivisionError", READ]


def test_wrong_types_are_seen() -> None:
    good = tick(0, 100)
    assert is_typed(good)
    assert is_typed(book(0, [(101, 1)], [(100, 1)]))
    wrong = [
        {"price": "100"},
        {"price": -1},
        {"size": 2**63},
        {"strength": float("nan")},
        {"strength": 1},
        {"venue": "KRX"},
    ]
    assert not any(is_typed(msgspec.structs.replace(good, **change)) for change in wrong)
    assert is_typed(msgspec.structs.replace(good, venue=Venue.NXT))
    short = msgspec.structs.replace(book(0, [], []), ask_prices=(1,))
    assert not is_typed(short)
