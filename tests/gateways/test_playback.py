import asyncio
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from actors.gateways.playback import BarFeed, Playback
from actors.gateways.replay import ReplayGateway
from actors.market.storage import store
from actors.market.storage.history import EVER, History
from actors.market.time import SECOND, text
from messages import Bar, Session, SessionChanged, Symbol, Tick, Venue
from runtime.clock import SimulatedClock, WallClock
from runtime.loops.loop import VirtualLoop
from runtime.testing import in_virtual_time
from tests.market.market_data import CODE, NINE, OTHER, bar, tick
from tests.market.storage import writing

HALF_PAST_THREE = 6.5 * 3_600
DAY = 86_400.0


@contextmanager
def stored(data: Path) -> Generator[sqlite3.Connection]:
    with closing(sqlite3.connect(data / store.FILE, isolation_level=None)) as connection:
        for script in store.MIGRATIONS:
            connection.executescript(script)
        yield connection


def keep(connection: sqlite3.Connection, *ticks: Tick) -> None:
    writing.write_ticks(connection, list(enumerate(ticks, store.OWN_NUMBERS)))


def at_nextrade(message: Any) -> Any:
    return structs.replace(message, venue=Venue.NXT)


def events(data: Path, interval: int = 0) -> list[tuple[str, str]]:
    """Time of day, and the session or the price."""
    with History(data) as history:
        found = list(Playback(history, [], interval, (0, EVER)).events())
    assert [time for time, _ in found] == sorted(time for time, _ in found)
    return [(text(time)[11:19], _said(event)) for time, event in found]


def _said(event: object) -> str:
    if isinstance(event, SessionChanged):
        return event.session.value
    return str(event.price if isinstance(event, Tick) else getattr(event, "close", "book"))


def gateway(data: Path, **settings: Any) -> ReplayGateway:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return ReplayGateway(SimulatedClock(NINE, loop), source=str(data), **settings)


async def given(played: ReplayGateway, trades: list[str]) -> list[Any]:
    async with played:
        return await _all(played, trades)


async def _all(played: ReplayGateway, trades: list[str]) -> list[Any]:
    played.watch([Symbol(code) for code in trades], [])
    return [message async for batch in played.stream() for message in batch]


def test_the_day_is_closed_after_its_auction_and_before_what_trades_after_hours(tmp_path: Path) -> None:
    with stored(tmp_path) as connection:
        late = at_nextrade(tick(10 * 3_600, 104))
        keep(connection, tick(HALF_PAST_THREE + 25, 102), tick(HALF_PAST_THREE + 660, 103), late)

    assert events(tmp_path)[-4:] == [
        ("15:30:25", "102"),
        ("15:30:25", Session.CLOSED_FOR_DAY.value),
        ("15:41:00", "103"),
        ("19:00:00", "104"),
    ]


def test_the_bar_after_the_close_comes_when_the_day_is_closed(tmp_path: Path) -> None:
    with stored(tmp_path) as connection:
        store.write_bars(connection, [bar(390, 1, 1, 1, 1), bar(395, 2, 2, 2, 2)])

    assert events(tmp_path, 60)[-3:] == [
        ("15:31:00", "1"),
        ("15:31:00", Session.CLOSED_FOR_DAY.value),
        ("15:36:00", "2"),
    ]


def test_the_times_of_long_bars_and_sessions_never_fall(tmp_path: Path) -> None:
    with stored(tmp_path) as connection:
        bars = [structs.replace(bar(minute, 1, 1, 1, 1), interval=1_800) for minute in (330, 360, 390)]
        store.write_bars(connection, bars)

    assert len(events(tmp_path, 1_800)) == 7


@in_virtual_time
async def _venues(data: Path) -> None:
    assert [m.venue for m in await given(gateway(data), [CODE]) if isinstance(m, Tick)] == [Venue.KRX]
    async with gateway(data) as played:
        assert [m.venue for m in await _all(played, [f"{CODE}_NX", OTHER]) if isinstance(m, Tick)] == [Venue.NXT]
        assert [row.value for row in await played.ranking(9)] == [0]
    bars = [m for m in await given(gateway(data, bars=60), [CODE, f"{CODE}_NX"]) if isinstance(m, Tick)]
    assert [(m.venue, m.volume, m.high) for m in bars] == [(Venue.KRX, 1_000, 100), (Venue.NXT, 1_000, 900)]


def test_a_venue_is_played_only_to_those_who_watch_it(tmp_path: Path) -> None:
    with stored(tmp_path) as connection:
        keep(connection, tick(0, 100, volume=1), at_nextrade(tick(1, 900, volume=1)))
        store.write_bars(connection, [bar(0, 100, 100, 100, 100), at_nextrade(bar(0, 900, 900, 900, 900))])

    _venues(tmp_path)


@in_virtual_time
async def _once(data: Path) -> None:
    *played, ended = await given(gateway(data), [CODE, OTHER])
    assert [(m.symbol, m.volume) for m in played if isinstance(m, Tick)] == [(CODE, 1), (CODE, 2), (OTHER, 1)]
    assert (ended.records, ended.rejected) == (3, 3)


def test_what_two_runs_recorded_into_one_store_is_played_once(tmp_path: Path) -> None:
    with stored(tmp_path) as connection:
        day = [tick(0, 100, volume=1), tick(0, 100, volume=2), tick(0, 100, symbol=OTHER, volume=1)]
        keep(connection, *day, *day)

    _once(tmp_path)


def test_the_day_of_one_venue_is_not_added_to_that_of_another() -> None:
    feed = BarFeed()
    first, other = bar(0, 100, 110, 90, 100), at_nextrade(bar(1, 500, 500, 500, 500))

    assert [feed.given(each)[0].volume for each in (first, other, first)] == [1_000, 1_000, 2_000]


def base_price(data: Path, clock: Any, bars: int = 0) -> int:
    async def ask() -> int:
        async with ReplayGateway(clock, source=str(data), bars=bars) as played:
            (found,) = await played.instruments([CODE])
        return found.base_price

    return asyncio.run(ask())


class _At:
    """A clock that only says what time it is."""

    name = "simulated"

    def __init__(self, now: int) -> None:
        self.now = lambda: now


def test_the_base_price_of_a_day_of_prints_is_the_close_before_it(tmp_path: Path) -> None:
    with stored(tmp_path) as connection:
        closing, evening = tick(HALF_PAST_THREE + 5, 10_200), tick(8 * 3_600, 9_900)
        keep(connection, tick(0, 10_000), closing, evening, at_nextrade(evening), tick(DAY, 11_000))

    assert base_price(tmp_path, _At(NINE + round(DAY) * SECOND)) == 10_200
    assert base_price(tmp_path, _At(NINE)) == 10_000, "nothing came before: the first price"


def test_a_recording_is_played_in_its_own_time_alone(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='set time = "simulated"'):
        ReplayGateway(WallClock(), source=str(tmp_path))


def test_a_table_for_each_code_can_be_played_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "bars_60.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute('CREATE TABLE "005930" (date TEXT, open INT, high INT, low INT, close INT, volume INT)')
        connection.execute("INSERT INTO \"005930\" VALUES ('20250902090000', 10, 12, 9, 11, 100)")
        connection.commit()

    @in_virtual_time
    async def play() -> None:
        assert [m.close for m in await given(gateway(path, bars=60), [CODE]) if isinstance(m, Bar)] == [11]

    play()
