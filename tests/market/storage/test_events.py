import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from actors.market.storage import events, store
from actors.market.storage.events import Event, MarketEvent
from actors.market.storage.history import EVER, History
from actors.market.time import SECOND
from messages import (
    ConditionEntered,
    ConditionLeft,
    InstrumentHalted,
    Nanoseconds,
    Session,
    SessionChanged,
    Venue,
    ViKind,
    ViReleased,
    ViTriggered,
    Won,
)
from runtime.disk.errors import DatabaseBroken
from tests.market.market_data import CODE, NINE, OTHER

NOW = Nanoseconds(NINE)
MESSAGES: list[MarketEvent] = [
    SessionChanged(session=Session.CONTINUOUS, time=NOW, code="3"),
    SessionChanged(venue=Venue.NXT, session=Session.CLOSED, time=NOW, code="Q", remaining=60),
    ViTriggered(
        symbol=CODE,
        time=NOW,
        kind=ViKind.BOTH,
        trigger_price=Won(11_000),
        static_reference=Won(10_000),
        dynamic_reference=Won(10_700),
        upward=True,
        count=2,
    ),
    InstrumentHalted(symbol=OTHER, time=NOW, halted=True, reason="공시"),
    ConditionEntered(symbol=OTHER, condition="급등주", time=NOW),
    ConditionLeft(symbol=OTHER, condition="급등주", time=NOW),
    ViReleased(symbol=CODE, venue=Venue.NXT, time=NOW),
]
EVENTS = [Event(NINE + place * SECOND, 100 + place, message) for place, message in enumerate(MESSAGES)]


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        for script in store.MIGRATIONS:
            made.executescript(script)
        events.write(made, EVENTS)
        yield made


def test_every_kind_of_event_comes_back_as_it_was(connection: sqlite3.Connection) -> None:
    assert History.over(connection).events([]) == EVENTS


def test_events_of_some_codes_are_theirs_and_those_of_no_issue(connection: sqlite3.Connection) -> None:
    history = History.over(connection)

    assert history.events([CODE]) == [*EVENTS[:3], EVENTS[6]]
    assert history.events([CODE], NINE + SECOND, NINE + 6 * SECOND) == EVENTS[1:3]


def test_an_event_can_be_read_by_sqlite_alone(connection: sqlite3.Connection) -> None:
    query = "SELECT json_extract(message, '$.trigger_price') FROM events WHERE type = 'ViTriggered' AND symbol = ?"

    assert connection.execute(query, (CODE,)).fetchall() == [(11_000,)]


def test_packing_and_pruning_leave_events_alone(connection: sqlite3.Connection) -> None:
    while store.pack_some(connection):
        continue

    assert History.over(connection).events([]) == EVENTS


def test_a_store_of_an_older_version_has_no_events() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as made:
        for script in store.MIGRATIONS[:-1]:
            made.executescript(script)

        assert History.over(made).events([], 0, EVER) == []


def test_an_event_that_cannot_be_read_is_one_line(connection: sqlite3.Connection) -> None:
    connection.execute('UPDATE events SET message = \'{"type":"Parade"}\' WHERE number = 103')

    with pytest.raises(DatabaseBroken, match="the event of number 103 cannot be read"):
        History.over(connection).events([])
