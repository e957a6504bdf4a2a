"""A live day that was recorded, played again: what strategies hear, and what fills."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from actors.gateways.paper import PaperBroker
from actors.gateways.port import BrokerReport, FeedMessage
from actors.gateways.replay import ReplayGateway
from actors.market.files.exports import Form, save, wanted
from actors.market.storage import indications, store
from actors.market.storage.history import EVER, History
from actors.recorder import Recorder
from messages import (
    AfterHoursBook,
    Bar,
    BestQuote,
    ExpectedPrice,
    FeedEnded,
    IndexTick,
    Message,
    Nanoseconds,
    OrderFilled,
    Session,
    SessionChanged,
    Shares,
    Side,
    Symbol,
    Tick,
    Venue,
    ViKind,
    ViReleased,
    ViTriggered,
    Won,
)
from runtime.clock import SimulatedClock
from runtime.loops.loop import VirtualLoop
from runtime.settings.config import ConfigError
from runtime.testing import Stage, in_virtual_time
from tests.gateways.paper_desk import wish
from tests.market.market_data import CODE, NINE, OTHER, bar, book, tick

CLOSE = 390 * 60.0
NEWS = (SessionChanged, ViTriggered, ViReleased)
Told = list[tuple[float, Message]]


def session(second: float, name: Session, code: str = "", remaining: int = 0, venue: Venue = Venue.KRX) -> Any:
    time = Nanoseconds(NINE + int(second) * 1_000_000_000)
    return SessionChanged(session=name, venue=venue, time=time, code=code, remaining=remaining)


def triggered(second: float) -> ViTriggered:
    return ViTriggered(
        symbol=CODE,
        time=Nanoseconds(NINE + int(second) * 1_000_000_000),
        kind=ViKind.STATIC,
        trigger_price=Won(11_000),
        static_reference=Won(10_000),
        dynamic_reference=Won(10_950),
        upward=True,
        count=1,
    )


def released(second: float) -> ViReleased:
    return ViReleased(symbol=CODE, time=Nanoseconds(NINE + int(second) * 1_000_000_000))


def day() -> Told:
    """When each was told, in seconds from nine, and what."""
    return [
        (0.3, session(0, Session.CONTINUOUS, "3")),
        (1.0, tick(1, 10_950, 5, volume=5)),
        (1.2, book(1.2, [(10_960, 50)], [(10_950, 50)])),
        (60.1, triggered(60)),
        (61.0, book(61, [(10_990, 50)], [(10_980, 50)])),
        (62.0, book(62, [(10_990, 40)], [(10_980, 60)])),
        (130.0, tick(130, 500, 1, symbol=OTHER, volume=1)),
        (185.2, released(185)),
        (185.4, tick(185.4, 11_100, 500, volume=505)),
        (190.0, book(190, [(11_110, 50)], [(11_100, 50)])),
        (300.0, session(300, Session.CONTINUOUS, "R", venue=Venue.NXT)),
        (22_200.1, session(22_800, Session.CLOSING_AUCTION, "2", remaining=600)),
        (22_800.2, session(22_800, Session.CLOSING_AUCTION, "2")),
        (CLOSE, tick(CLOSE, 11_200, 70, volume=575)),
        (CLOSE + 0.2, session(CLOSE, Session.CLOSED, "4")),
        (CLOSE + 30, session(CLOSE + 30, Session.CLOSED_FOR_DAY, "8")),
        (CLOSE + 900, tick(CLOSE + 900, 11_200, 7, volume=582)),
    ]


async def record(data: Path, told: Told) -> None:
    stage = Stage(Recorder(data))
    await stage.start()
    await say(stage, told)
    await stage.stop()


async def say(stage: Stage, told: Told) -> None:
    for second, message in told:
        await stage.advance(second - (stage.clock.now() - NINE) / 1e9)
        stage.tell(message)


def recorded(data: Path, told: Told) -> Path:
    in_virtual_time(record)(data, told)
    return data


def clock() -> SimulatedClock:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return SimulatedClock(NINE, loop)


async def heard(data: Path, **settings: Any) -> list[FeedMessage]:
    """Everything a replay gives, without its end."""
    async with ReplayGateway(clock(), source=str(data), **settings) as gateway:
        gateway.watch([CODE, OTHER], [CODE])
        return [message async for batch in gateway.stream() for message in batch][:-1]


@in_virtual_time
async def hear(data: Path, check: Callable[[list[FeedMessage]], None], **settings: Any) -> None:
    check(await heard(data, **settings))


def messages(told: Told) -> list[Message]:
    return [message for _, message in told]


def test_a_recorded_day_is_told_again_as_it_was(tmp_path: Path) -> None:
    hear(recorded(tmp_path, day()), _is_the_day)


def test_a_replay_that_is_recorded_plays_the_same_again(tmp_path: Path) -> None:
    first, second = recorded(tmp_path / "a", day()), tmp_path / "b"

    @in_virtual_time
    async def play() -> None:
        stage = Stage(Recorder(second), start=NINE)
        await stage.start()
        async with ReplayGateway(stage.clock, source=str(first), batch=0.5) as gateway:
            gateway.watch([CODE, OTHER], [CODE])
            async for batch in gateway.stream():
                stage.tell(*(message for message in batch if not isinstance(message, FeedEnded)))
        await stage.stop()

    play()
    hear(second, _is_the_day)


def test_expected_prices_quotes_and_indices_are_told_again_to_who_watches_the_issue(tmp_path: Path) -> None:
    told: Told = [
        (0.1, ExpectedPrice(symbol=CODE, **_at(0.1), price=Won(10_950), size=Shares(700))),
        (0.2, IndexTick(index="001", **_at(0.2), hundredths=265_432, volume=1, value=Won(2))),
        (1.0, tick(1, 10_950, 5, volume=5)),
        (2.0, BestQuote(symbol=OTHER, **_at(2), ask=Won(500), bid=Won(499))),
        (3.0, AfterHoursBook(symbol=CODE, **_at(3), ask_total=Shares(5), bid_total=Shares(0))),
    ]
    data = recorded(tmp_path, told)

    def check(found: list[FeedMessage]) -> None:
        assert [message for message in found if not isinstance(message, SessionChanged)] == messages(told)

    @in_virtual_time
    async def one_watched() -> None:
        async with ReplayGateway(clock(), source=str(data)) as gateway:
            gateway.watch([CODE], [])
            assert [one.symbol for one in await gateway.instruments([])] == [CODE], "an index is no issue"
            given = [message async for batch in gateway.stream() for message in batch]
        assert [type(message) for message in given if not isinstance(message, SessionChanged)] == [
            ExpectedPrice,
            IndexTick,
            Tick,
            AfterHoursBook,
            FeedEnded,
        ]

    hear(data, check)
    one_watched()


def test_a_day_that_has_nothing_but_indications_is_not_played(tmp_path: Path) -> None:
    def index(second: float) -> IndexTick:
        return IndexTick(index="001", **_at(second), hundredths=265_432, volume=1, value=Won(2))

    priced: Told = [(86_400.1, index(86_400.1)), (86_401, tick(86_401, 10_950, 5, volume=5)), (86_402, index(86_402))]
    data = recorded(tmp_path, [(0.1, index(0.1)), *priced, (2 * 86_400, index(2 * 86_400))])

    def check(found: list[FeedMessage]) -> None:
        assert [message for message in found if not isinstance(message, SessionChanged)] == messages(priced)

    @in_virtual_time
    async def begin() -> None:
        async with ReplayGateway(clock(), source=str(data), symbols=[OTHER]) as gateway:
            with pytest.raises(ConfigError, match="nothing to replay"):
                gateway.begins()

    hear(data, check)
    begin()


def _at(second: float) -> dict[str, Any]:
    received = NINE + round(second * 1_000_000_000)
    return {"time": Nanoseconds(received - received % 1_000_000_000), "received": Nanoseconds(received)}


def _is_the_day(found: list[FeedMessage]) -> None:
    assert found == messages(day())


def test_a_store_of_the_version_before_is_replayed_with_the_calendar_s_sessions(tmp_path: Path) -> None:
    prices = [(second, message) for second, message in day() if not isinstance(message, NEWS)]
    data = recorded(tmp_path, prices)
    with closing(sqlite3.connect(data / store.FILE)) as connection:
        for kind in indications.KINDS:
            connection.execute(f"DROP VIEW {kind}")
        connection.executescript("DROP TABLE events; DROP INDEX loose_by_time; UPDATE meta SET schema_version = 4")
        connection.executescript("ALTER TABLE loose DROP COLUMN since; ALTER TABLE loose DROP COLUMN until")

    def check(found: list[FeedMessage]) -> None:
        sessions = [message.session for message in found if isinstance(message, SessionChanged)]
        assert sessions == [
            Session.OPENING_AUCTION,
            Session.CONTINUOUS,
            Session.CLOSING_AUCTION,
            Session.CLOSED_FOR_DAY,
        ]
        assert [message for message in found if not isinstance(message, SessionChanged)] == messages(prices)

    hear(data, check)
    recorded(data, [(30_000.0, released(30_000))])
    with History(data) as history:
        assert [event.message for event in history.events([])] == [released(30_000)], "a newer recorder goes on with it"


def test_bars_of_a_recorded_day_are_played_between_its_sessions_and_interruptions(tmp_path: Path) -> None:
    bars: Told = [(60.0 * minute + 60, bar(minute, 10, 11, 9, 10)) for minute in (0, 1, 3, 390)]
    told = sorted([*day(), *bars], key=lambda one: one[0])

    def check(found: list[FeedMessage]) -> None:
        said = [message.time if isinstance(message, Bar) else message for message in found]
        minutes = {bar(minute, 1, 1, 1, 1).time: minute for minute in (0, 1, 3, 390)}
        short = [minutes[m] if isinstance(m, int) else type(m).__name__ for m in said if not isinstance(m, Tick)]
        names = ["SessionChanged"]
        assert short == [*names, 0, "ViTriggered", 1, 3, "ViReleased", *names * 4, 390, *names]

    hear(recorded(tmp_path, told), check, bars=60)


async def fills(data: Path, at: float) -> list[tuple[int, int]]:
    """Of an order to buy five at any price, sent so many seconds after nine."""
    time = clock()
    reports: list[BrokerReport] = []
    async with PaperBroker(ReplayGateway(time, source=str(data)), time, cash=10_000_000) as broker:  # type: ignore[arg-type]
        await broker.open(reports.append, ())
        broker.watch([CODE], [CODE])
        time.call_later(at, lambda: broker.send(wish(Side.BUY, 5)))
        await broker.instruments([Symbol(CODE)])
        async for _ in broker.stream():
            continue
    return [(report.price, report.quantity) for report in reports if isinstance(report, OrderFilled)]


@pytest.mark.parametrize(("at", "price"), [(2.0, 10_960), (61.5, 11_100), (191.0, 11_110), (23_000.0, 11_200)])
def test_an_order_fills_as_it_could_have_on_that_day(tmp_path: Path, at: float, price: int) -> None:
    data = recorded(tmp_path, day())

    @in_virtual_time
    async def play() -> None:
        assert await fills(data, at) == [(price, 5)]

    play()


def test_a_release_that_a_kill_lost_keeps_nobody_from_trading(tmp_path: Path) -> None:
    cut = [one for one in day() if not 61.5 < one[0] < 187]

    def check(found: list[FeedMessage]) -> None:
        (end,) = [message for message in found if isinstance(message, ViReleased)]
        assert (end.symbol, end.time) == (CODE, NINE + 240_100_000_000)

    hear(recorded(tmp_path, cut), check)


def test_events_are_not_exported_and_do_not_hinder_it(tmp_path: Path) -> None:
    data = recorded(tmp_path, day())

    with History(data) as history:
        parts = wanted(history.contents(), 0, EVER)
        kinds = [save(history, part, tmp_path / f"{part.kind}.csv", Form.CSV).kind for part in parts]

    assert kinds == ["ticks", "books"]
