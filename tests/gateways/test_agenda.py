from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from actors.gateways.agenda import INTERRUPTION, LATE, Agenda, whole
from actors.market.storage.events import Event, MarketEvent
from actors.market.time import SECOND
from messages import Nanoseconds, Session, SessionChanged, Symbol, Venue, ViKind, ViReleased, ViTriggered, Won
from tests.market.market_data import CODE, NINE, OTHER

MINUTE = 60 * SECOND
PHASES = [
    SessionChanged(session=session, time=Nanoseconds(NINE + minute * MINUTE))
    for session, minute in (
        (Session.OPENING_AUCTION, -30),
        (Session.CONTINUOUS, 0),
        (Session.CLOSING_AUCTION, 380),
        (Session.CLOSED_FOR_DAY, 390),
    )
]
OPENING, OPEN, CLOSING, CLOSED = PHASES
seconds = st.integers(-1_800, 25_000)


def session(name: Session, second: float = 0, venue: Venue = Venue.KRX, remaining: int = 0) -> SessionChanged:
    return SessionChanged(session=name, venue=venue, time=Nanoseconds(instant(second)), code="x", remaining=remaining)


def triggered(symbol: Symbol = CODE, count: int = 1) -> ViTriggered:
    price = Won(11_000)
    return ViTriggered(
        symbol=symbol,
        time=Nanoseconds(NINE),
        kind=ViKind.STATIC,
        trigger_price=price,
        static_reference=price,
        dynamic_reference=price,
        upward=True,
        count=count,
    )


def released(symbol: Symbol = CODE, second: int = 0) -> ViReleased:
    return ViReleased(symbol=symbol, time=Nanoseconds(instant(second)))


def instant(second: float) -> int:
    return NINE + round(second * SECOND)


def told(*events: tuple[float, MarketEvent]) -> list[Event]:
    return [Event(instant(second), number, message) for number, (second, message) in enumerate(events, 1)]


def played(events: Sequence[Event], records: Sequence[float]) -> list[MarketEvent | float]:
    """What a day plays, with its records as the seconds they were received in."""
    agenda = Agenda(events, PHASES)
    found: list[MarketEvent | float] = []
    for second in records:
        found += [event.message for event in agenda.before(instant(second), 0)]
        found.append(second)
    return [*found, *(event.message for event in agenda.rest(instant(records[-1]) if records else -1))]


def test_a_day_of_which_no_session_was_recorded_has_those_of_the_calendar() -> None:
    assert played([], [1, 2]) == [OPENING, OPEN, 1, 2, CLOSING, CLOSED]
    closing = 390 * 60
    assert played([], [closing + 25, closing + 60]) == [*PHASES[:3], closing + 25, CLOSED, closing + 60]


def test_a_day_of_which_sessions_were_recorded_has_those_alone() -> None:
    end = 390 * 60
    day = told(
        (-1_799.5, session(Session.OPENING_AUCTION)),
        (0.4, session(Session.CONTINUOUS)),
        (22_800.4, session(Session.CLOSING_AUCTION)),
        (end + 0.1, session(Session.CLOSED)),
        (end + 40, session(Session.CLOSED_FOR_DAY)),
    )

    assert played(day, [-60, 0.2, 30, end + 20, end + 700]) == [
        day[0].message,
        -60,
        0.2,
        day[1].message,
        30,
        day[2].message,
        day[3].message,
        end + 20,
        day[4].message,
        end + 700,
    ]


def test_a_late_opening_is_late_in_a_replay_too() -> None:
    auction, late = session(Session.OPENING_AUCTION), session(Session.CONTINUOUS)

    assert played(told((-1_800, auction), (3_600, late)), [-100, 100, 3_700])[:5] == [auction, -100, 100, late, 3_700]


def test_what_was_not_recorded_after_a_recorder_s_death_comes_from_the_calendar() -> None:
    day = told((0.4, session(Session.CONTINUOUS)))

    assert played(day, [10, 18_000]) == [day[0].message, 10, 18_000, CLOSING, CLOSED]


def test_a_recorder_that_missed_the_close_leaves_a_day_that_is_closed_all_the_same() -> None:
    day = told((0.4, session(Session.CONTINUOUS)))

    assert played(day, [10, 26_000]) == [day[0].message, 10, 26_000, CLOSED]


def test_before_the_first_recorded_session_the_calendar_tells_them() -> None:
    day = told((10_800, session(Session.CONTINUOUS)))

    assert played(day, [5, 10_801])[:5] == [OPENING, OPEN, 5, day[0].message, 10_801]


def test_a_countdown_and_another_venue_s_hours_are_no_session_of_the_home_venue() -> None:
    countdown = session(Session.CLOSED_FOR_DAY, remaining=600)
    other = session(Session.CLOSED_FOR_DAY, venue=Venue.NXT)

    assert played(told((1, countdown), (2, other)), [3]) == [OPENING, OPEN, countdown, other, 3, CLOSING, CLOSED]


def test_an_event_stands_where_it_was_published_among_prints_received_before_and_told_after_it() -> None:
    vi = triggered()
    agenda = Agenda([Event(instant(10.3), 7, vi)], [])

    assert not agenda.before(instant(10.0), 6)
    (event,) = agenda.before(instant(10.2), 8)
    assert (event.time, event.message) == (instant(10.2), vi)


def test_an_event_of_the_moment_of_a_print_comes_by_its_number() -> None:
    for number, expected in ((6, 0), (8, 1)):
        assert len(Agenda([Event(instant(1), 7, triggered())], []).before(instant(1), number)) == expected


def test_a_repeated_event_comes_once() -> None:
    vi, end = triggered(), released(second=120)

    assert [event.message for event in whole(told((1, vi), (1.5, vi), (120, end), (120.5, end)))] == [vi, end]


def test_an_interruption_whose_release_was_lost_ends_by_itself() -> None:
    lost, other, again, end = triggered(), triggered(OTHER), triggered(count=2), released(second=5_000)

    found = whole(told((1, lost), (3, other), (4_880, again), (5_000, end)))

    assert [(event.time, type(event.message)) for event in found] == [
        (instant(1), ViTriggered),
        (instant(3), ViTriggered),
        (instant(1) + INTERRUPTION, ViReleased),
        (instant(3) + INTERRUPTION, ViReleased),
        (instant(4_880), ViTriggered),
        (instant(5_000), ViReleased),
    ]


happenings = st.one_of(
    st.builds(session, st.sampled_from(Session), seconds, st.sampled_from(Venue), st.sampled_from((0, 60))),
    st.builds(triggered, st.sampled_from((CODE, OTHER)), st.integers(1, 4)),
    st.builds(released, st.sampled_from((CODE, OTHER)), seconds),
)
days = st.lists(st.tuples(seconds, happenings), max_size=12).map(lambda day: told(*sorted(day, key=lambda one: one[0])))


@settings(max_examples=30, deadline=None)
@given(days, st.lists(seconds, min_size=1, max_size=20).map(sorted))
def test_whatever_was_recorded_is_played_once_and_the_day_is_closed(day: list[Event], records: list[int]) -> None:
    events = [message for message in played(day, records) if isinstance(message, SessionChanged | ViTriggered)]

    wanted = {event.message: None for event in day if not isinstance(event.message, ViReleased)}
    assert [message for message in events if message not in PHASES] == list(wanted)
    assert any(isinstance(m, SessionChanged) and m.session is Session.CLOSED_FOR_DAY for m in events)


@settings(max_examples=30, deadline=None)
@given(days)
def test_nothing_stays_interrupted(day: list[Event]) -> None:
    open_: dict[Symbol, int] = {}
    for event in whole(day):
        if isinstance(event.message, ViTriggered):
            open_[event.message.symbol] = event.time
        elif isinstance(event.message, ViReleased):
            open_.pop(event.message.symbol, None)

    assert open_ == {}


@settings(max_examples=30, deadline=None)
@given(days, st.lists(seconds, min_size=1, max_size=20).map(sorted))
def test_an_event_comes_before_the_first_record_that_was_received_after_it(
    day: list[Event], records: list[int]
) -> None:
    agenda, last = Agenda(day, []), 0
    for second in records:
        for event in agenda.before(instant(second), 0):
            assert last <= event.time < instant(second)
        last = instant(second)
    assert all(event.time >= last for event in agenda.rest(last) if event.message not in PHASES)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(seconds, min_size=1, max_size=20).map(sorted), st.lists(st.integers(0, LATE - 1), min_size=4, max_size=4)
)
def test_sessions_that_were_told_in_time_are_never_told_twice(records: list[int], delays: list[int]) -> None:
    day = [Event(p.time + late, n, p) for n, (p, late) in enumerate(zip(PHASES, delays, strict=True))]

    assert [message for message in played(day, records) if not isinstance(message, int)] == PHASES
