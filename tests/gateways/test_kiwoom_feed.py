"""The line between the slot and the stream when nobody takes from it, and when somebody does."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, cast

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.control import Calls
from actors.gateways.kiwoom.real_time.feed import FLOOD, UNTAKEN, Intake
from actors.gateways.port import FeedMessage
from actors.market.venues import spell
from messages import FeedEnded, IndexTick, Nanoseconds, OrderBook, Session, SessionChanged, Tick, ViTriggered
from runtime.clock import SimulatedClock
from runtime.loops.loop import VirtualLoop
from runtime.testing import START, in_virtual_time
from tests.gateways.test_kiwoom_records import book, raw, trade

SESSION = "3\t090000\t000000"
PRINT = trade(_13="VOLUME").split("VOLUME")
ENDED = FeedEnded(feed="kiwoom", time=Nanoseconds(START), records=0)


class Silence:
    def real(self, _code: str, _fid: int) -> str:
        return ""


def interruption() -> str:
    fields = {"9001": "A005930", "9068": "1", "1221": "6310", "1223": "091500", "1224": "000000", "1225": "정적"}
    return raw(codes.VI, fields | {"1236": "5734", "1237": "", "1490": "1", "9069": "1"})


def intake(wanted: set[str] | None = None) -> Intake:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return Intake(cast("Calls", Silence()), SimulatedClock(START, loop), "kiwoom", "9", lambda: None, wanted)


def prints(line: Intake, first: int, last: int) -> None:
    head, tail = PRINT
    for volume in range(first, last):
        line.add("005930", codes.TRADE, f"{head}{volume}{tail}")


async def drained(stream: AsyncIterator[list[FeedMessage]], until: Callable[[], Any]) -> list[FeedMessage]:
    seen: list[FeedMessage] = []
    while until():
        seen += await anext(stream)
    return seen


def balance(line: Intake) -> int:
    counts = line.counts
    gone = sum(counts[name] for name in ("passed", "conflated", "rejected", "silent", "untaken"))
    return counts["received"] - gone - line.waiting


@in_virtual_time
async def test_a_line_nobody_takes_from_keeps_only_its_newest_records() -> None:
    line = intake()

    prints(line, 0, 3 * UNTAKEN)

    assert line.waiting <= UNTAKEN
    assert line.counts["untaken"] == 3 * UNTAKEN - line.waiting
    assert balance(line) == 0
    ticks = await drained(line.stream(), lambda: line.waiting)
    volumes = [tick.volume for tick in ticks if isinstance(tick, Tick)]
    assert volumes == list(range(3 * UNTAKEN - len(volumes), 3 * UNTAKEN))
    assert balance(line) == 0


@in_virtual_time
async def test_what_holds_until_another_comes_is_kept_for_whoever_streams_later() -> None:
    line = intake()
    line.say(SessionChanged(session=Session.OPENING_AUCTION, time=Nanoseconds(START), code="0"))
    line.add("09", codes.SESSION, SESSION)
    line.add("005930", codes.VI, interruption())

    prints(line, 0, 3 * UNTAKEN)

    seen = await drained(line.stream(), lambda: line.waiting)
    assert [type(message) for message in seen[:4]] == [SessionChanged, SessionChanged, ViTriggered, Tick]


@in_virtual_time
async def test_a_book_that_was_dropped_takes_no_newer_one_with_it() -> None:
    line = intake()
    line.add("005930", codes.BOOK, book())
    prints(line, 0, UNTAKEN)
    assert line.counts["untaken"] > 0

    line.add("005930", codes.BOOK, book().replace("135622", "135623"))

    seen = await drained(line.stream(), lambda: line.waiting)
    assert not isinstance(seen[-1], Tick)
    assert line.counts["conflated"] == 0


@in_virtual_time
async def test_nothing_is_dropped_from_the_moment_somebody_asks_for_the_stream() -> None:
    line = intake()
    stream = line.stream()

    prints(line, 0, 2 * UNTAKEN)

    assert line.waiting == 2 * UNTAKEN > FLOOD
    seen = await drained(stream, lambda: line.waiting)
    prints(line, 2 * UNTAKEN, 4 * UNTAKEN)
    seen += await drained(stream, lambda: line.waiting)
    assert len(seen) == 4 * UNTAKEN
    assert line.counts["untaken"] == 0


@in_virtual_time
async def test_a_stream_that_ended_is_no_taker_any_more() -> None:
    line = intake()
    stream = line.stream()
    line.say(ENDED)
    assert [batch async for batch in stream] == [[ENDED]]

    prints(line, 0, 2 * UNTAKEN)

    assert line.waiting <= UNTAKEN
    assert balance(line) == 0


@in_virtual_time
async def test_an_auction_begins_with_its_first_countdown_and_the_later_ones_only_count() -> None:
    line = intake()
    for announced in ("0\t084000\t002000", "0\t085900\t000100", SESSION, "2\t152000\t001000", "2\t152900\t000100"):
        line.add("09", codes.SESSION, announced)
    seen = await drained(line.stream(), lambda: line.waiting)
    told = [(m.session, m.remaining) for m in seen if isinstance(m, SessionChanged)]

    assert told == [
        (Session.OPENING_AUCTION, 0),
        (Session.OPENING_AUCTION, 60),
        (Session.CONTINUOUS, 0),
        (Session.CLOSING_AUCTION, 0),
        (Session.CLOSING_AUCTION, 60),
    ]


@in_virtual_time
async def test_a_countdown_that_comes_late_or_before_the_auction_begins_none() -> None:
    line = intake()
    late, early = ("0\t085900\t000100", "2\t152000\t001000"), ("0\t080000\t010000", "2\t151000\t002000")
    for announced in (early[0], SESSION, late[0], early[1], "4\t153000\t000000", late[1]):
        line.add("09", codes.SESSION, announced)
    seen = await drained(line.stream(), lambda: line.waiting)

    begun = [m.session for m in seen if isinstance(m, SessionChanged) and not m.remaining]
    assert begun == [Session.CONTINUOUS, Session.CLOSED]


@in_virtual_time
async def test_a_day_that_is_about_to_close_is_not_over() -> None:
    ends: list[int] = []
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    clock = SimulatedClock(START, loop)
    line = Intake(cast("Calls", Silence()), clock, "kiwoom", "8", lambda: ends.append(line.waiting))
    line.add("09", codes.SESSION, "8\t152959\t000001")
    line.add("09", codes.SESSION, SESSION)
    line.add("09", codes.SESSION, "8\t153000\t000000")
    stream = line.stream()
    seen = await drained(stream, lambda: line.waiting)

    assert len(ends) == 1
    assert isinstance(seen[-1], FeedEnded)
    assert [m.session for m in seen if isinstance(m, SessionChanged)][1] is Session.CONTINUOUS


@in_virtual_time
async def test_what_a_query_brings_of_an_issue_nobody_watches_is_no_feed() -> None:
    wanted = {"005930", "000660_NX"}
    line = intake(wanted)
    for code in ("005930", "A005930", "000660_NX", "000660", "035720"):
        line.add(code, codes.TRADE, trade())
        line.add(code, codes.BOOK, book())
    line.add("035720", codes.VI, interruption())
    line.add("09", codes.SESSION, SESSION)
    line.add("001", codes.INDEX, "110430\t-1762.61\t-1.0\t-9.71\t2800\t725277\t60711859\t1\t1\t1\t5\t-1")
    line.add("뷁", codes.TRADE, trade())

    wanted.add("035720")
    line.add("035720", codes.TRADE, trade())

    seen = await drained(line.stream(), lambda: line.waiting)
    told = [spell(message.symbol, message.venue) for message in seen if isinstance(message, Tick | OrderBook)]
    assert told == ["005930", "005930", "005930", "005930", "000660_NX", "000660_NX", "035720"]
    assert [type(message) for message in seen[6:9]] == [ViTriggered, SessionChanged, IndexTick]
    assert (line.counts["unasked"], line.counts["rejected"]) == (4, 1)
    assert balance(line) == 0
