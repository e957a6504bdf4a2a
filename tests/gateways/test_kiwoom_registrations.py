"""What is registered at the control: 2,400 codes over screens of a hundred, paced, in the order wanted."""

import random
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.gateways.kiwoom.control import Calls
from actors.gateways.kiwoom.real_time.registrations import Registrations
from actors.gateways.kiwoom.screens import CODES_A_SCREEN, Screens
from actors.gateways.kiwoom.twin.registrations import BOOK, TRADE
from actors.gateways.kiwoom.twin.registrations import Registrations as TwinRegistrations
from actors.market.time import SECOND
from messages import Session, SessionChanged, Symbol, Venue
from runtime.clock import SteppedClock
from runtime.testing import START
from tests.gateways.kiwoom_bench import Bench, on_a_bench

CODES = [Symbol(f"{code:06d}") for code in range(3_000)]


class Control:
    """The twin's own registrations, with the instants of the calls."""

    def __init__(self, clock: SteppedClock) -> None:
        self.twin = TwinRegistrations()
        self.clock = clock
        self.calls: list[tuple[int, str, list[Any]]] = []
        self.unknown: set[str] = set()

    def dynamicCall(self, signature: str, arguments: list[Any], /) -> Any:  # noqa: N802 - Qt's name
        name = signature.partition("(")[0]
        self.calls.append((self.clock.now(), name, arguments))
        if name == "SetRealReg" and self.unknown.intersection(arguments[1].split(";")):
            return -500
        twin = self.twin
        run = {
            "SetRealReg": twin.set_real,
            "SetRealRemove": twin.remove,
            "DisconnectRealData": twin.disconnect,
        }[name]
        return run(*arguments)

    def wanted(self, kind: int) -> set[str]:
        return {code for code, bits in self.twin.wanted.items() if bits & kind}


def desk() -> tuple[Control, Registrations, SteppedClock]:
    clock = SteppedClock(START)
    control = Control(clock)
    return control, Registrations(Calls(control), clock, Screens()), clock  # type: ignore[arg-type]


def test_the_trades_of_2400_codes_and_the_books_of_the_first_hundred_fit_on_screens_of_a_hundred() -> None:
    control, registrations, clock = desk()
    registrations.watch(CODES[:2_400], CODES[:100])
    clock.advance(START + 60 * SECOND)

    assert control.wanted(TRADE) == {*CODES[:2_400]}
    assert control.wanted(BOOK) == {*CODES[:100]}
    screens = Counter(arguments[0] for _, name, arguments in control.calls if name == "SetRealReg")
    assert (len(screens), registrations.refused) == (25, 0)
    sizes = [len(arguments[1].split(";")) for _, _, arguments in control.calls]
    assert max(sizes) == CODES_A_SCREEN


def test_what_is_wanted_first_is_registered_first() -> None:
    control, registrations, clock = desk()
    shuffled = random.Random(1).sample(CODES, 250)
    registrations.watch(shuffled, ())
    clock.advance(START + 10 * SECOND)
    registered = [code for _, _, arguments in control.calls for code in arguments[1].split(";")]
    assert registered == shuffled


def test_a_whole_new_universe_is_no_storm_and_what_stays_is_never_let_go() -> None:
    control, registrations, clock = desk()
    registrations.watch(CODES[:300], CODES[:100])
    clock.advance(START + 30 * SECOND)
    control.calls.clear()
    stay = [CODES[5], CODES[299]]
    registrations.watch([*stay, *CODES[1_000:1_300]], stay)
    for tenth in range(1, 400):
        clock.advance(START + 30 * SECOND + tenth * SECOND // 10)
        assert {*stay} <= control.wanted(TRADE)

    assert control.wanted(TRADE) == {*stay, *CODES[1_000:1_300]}
    assert control.wanted(BOOK) == {*stay}
    a_second = Counter(time // SECOND for time, name, _ in control.calls if name == "SetRealReg")
    assert max(a_second.values()) <= 10
    steps = sorted({time for time, _, _ in control.calls})
    assert min(later - earlier for earlier, later in pairwise(steps)) >= SECOND // 10


@given(st.lists(st.tuples(st.sets(st.integers(0, 400), max_size=400), st.integers(0, 60)), min_size=1, max_size=6))
@settings(max_examples=25, deadline=None)
def test_whatever_was_wanted_before_what_is_wanted_last_is_registered(wishes: list[tuple[set[int], int]]) -> None:
    control, registrations, clock = desk()
    for wanted, tenths in wishes:
        registrations.watch([CODES[place] for place in sorted(wanted)], ())
        clock.advance(clock.now() + tenths * SECOND // 10)
    clock.advance(clock.now() + 60 * SECOND)
    assert control.wanted(TRADE) == {CODES[place] for place in wishes[-1][0]}


@on_a_bench
async def test_who_watches_nextrade_in_mid_session_hears_of_its_session_once(bench: Bench) -> None:
    stream = bench.gateway.stream()
    await bench.settle(60)
    for code in ("005930", "005930_NX", "000660_NX"):
        bench.gateway.watch([Symbol(code)], ())
    await bench.settle(1)
    said = [(m.venue, m.session) for m in await bench.batch(stream) if isinstance(m, SessionChanged)]
    assert said == [(Venue.KRX, Session.CONTINUOUS), (Venue.NXT, Session.CONTINUOUS)]
    assert bench.control.called("SetRealReg")[-1][1] == "000660_NX"


@given(st.lists(st.integers(0, 249), min_size=1, max_size=4, unique=True))
@settings(max_examples=25, deadline=None)
def test_codes_that_are_refused_keep_no_other_from_its_prices_and_are_tried_again(places: list[int]) -> None:
    control, registrations, clock = desk()
    control.unknown = {CODES[place] for place in places}
    registrations.watch(CODES[:250], CODES[250:260])
    clock.advance(START + 300 * SECOND)
    assert control.wanted(TRADE) == {*CODES[:260]} - control.unknown
    assert control.wanted(BOOK) == {*CODES[250:260]}
    steps = [time for time, _, _ in control.calls]
    assert min(later - earlier for earlier, later in pairwise(steps)) >= SECOND // 10

    control.unknown = set()
    clock.advance(START + 600 * SECOND)
    assert control.wanted(TRADE) == {*CODES[:260]}


def test_books_do_not_wait_for_trades_that_are_refused() -> None:
    control, registrations, clock = desk()
    control.unknown = {CODES[0]}
    registrations.watch(CODES[:100], CODES[1:3])
    clock.advance(START + SECOND // 2)
    assert control.wanted(BOOK) == {*CODES[1:3]}


def test_new_codes_do_not_wait_for_one_that_is_refused_for_ever() -> None:
    control, registrations, clock = desk()
    control.unknown = {CODES[0]}
    registrations.watch(CODES[:1], ())
    clock.advance(START + 3_600 * SECOND)
    tried = len(control.calls)
    registrations.watch(CODES[:150], ())
    clock.advance(clock.now() + SECOND)
    assert control.wanted(TRADE) == {*CODES[1:150]}
    assert tried < 70


@pytest.mark.parametrize("held", [0, 99])
def test_a_control_that_refuses_everything_is_not_asked_without_pause(held: int) -> None:
    control, registrations, clock = desk()
    registrations.watch(CODES[:held], ())
    clock.advance(START + 10 * SECOND)
    control.unknown = {*CODES}
    registrations.watch(CODES[: held + 150], ())
    control.calls.clear()
    clock.advance(START + 70 * SECOND)
    assert len(control.calls) < 10


def test_what_is_wanted_is_known_at_once_and_forgotten_at_the_end() -> None:
    _, registrations, _ = desk()
    wanted = registrations.wanted
    registrations.watch(CODES[:2], CODES[1:3])
    assert wanted == {*CODES[:3]}
    registrations.watch(CODES[3:4], ())
    assert wanted == {CODES[3]}
    registrations.close()
    assert not wanted
