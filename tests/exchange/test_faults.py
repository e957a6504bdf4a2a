import datetime as dt
import random

from actors.exchange.faults import Fault, FaultKind, FaultScript
from actors.market.time import at

TEN = at(dt.date(2025, 9, 2), 10)


def script(*faults: Fault) -> FaultScript:
    return FaultScript(faults, random.Random(7))


def struck(of: FaultScript, kind: str, count: int, symbol: str = "") -> list[int]:
    return [number for number in range(1, count + 1) if of.on_record(kind, TEN, symbol)]


def test_a_fault_strikes_the_nth_record_of_its_kind_and_no_other() -> None:
    faults = script(Fault(kind=FaultKind.DROP, record="chejan", nth=3))
    assert struck(faults, "주식체결", 5) == []
    assert struck(faults, "chejan", 5) == [3]
    assert faults.spent


def test_a_fault_strikes_as_often_as_it_says() -> None:
    assert struck(script(Fault(kind=FaultKind.DELAY, nth=2, times=2)), "chejan", 6) == [2, 3]
    assert struck(script(Fault(kind=FaultKind.DELAY, nth=4, times=0)), "chejan", 6) == [4, 5, 6]


def test_a_fault_of_a_symbol_leaves_the_others_alone() -> None:
    faults = script(Fault(kind=FaultKind.DROP, symbol="900010", times=0))
    assert struck(faults, "주식체결", 2, "900020") == []
    assert struck(faults, "주식체결", 2, "900010") == [1, 2]


def test_a_fault_strikes_within_its_hours() -> None:
    early = Fault(kind=FaultKind.STALL, at=dt.time(10, 0, 1), times=0)
    past = Fault(kind=FaultKind.STALL, until=dt.time(10), times=0)
    now = Fault(kind=FaultKind.STALL, at=dt.time(10), until=dt.time(10, 0, 1), times=0)
    assert script(early, past, now).on_record("tr", TEN) == (now,)


def test_a_fault_of_the_clock_needs_no_record() -> None:
    faults = script(Fault(kind=FaultKind.DISCONNECT, record="clock", at=dt.time(10)))
    assert [fault.kind for fault in faults.due(TEN)] == [FaultKind.DISCONNECT]
    assert faults.due(TEN) == ()


def test_a_fault_of_any_record_is_not_one_of_the_clock() -> None:
    assert script(Fault(kind=FaultKind.DROP)).due(TEN) == ()


def test_chance_repeats_with_its_generator() -> None:
    def once() -> list[int]:
        return struck(script(Fault(kind=FaultKind.DROP, chance=0.3, times=0)), "chejan", 200)

    assert once() == once()
    assert 30 < len(once()) < 90
