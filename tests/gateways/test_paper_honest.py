"""Nothing that the market would not have given: each of these once filled on paper."""

import asyncio
import datetime as dt
from collections.abc import Sequence

import pytest

from actors.gateways.port import FeedMessage
from actors.market.time import SECOND, at
from messages import (
    Aggressor,
    Bar,
    FeedLost,
    InstrumentHalted,
    Nanoseconds,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    Session,
    SessionChanged,
    Side,
    Validity,
    Venue,
    ViKind,
    ViReleased,
    ViTriggered,
    Won,
)
from runtime.testing import in_virtual_time
from tests.fake_feed import FakeFeed, instrument
from tests.gateways.paper_desk import BOOK, Desk, wish
from tests.market.market_data import CODE, NINE, bar, book, tick

_NOW = Nanoseconds(NINE)
TRIGGERED = ViTriggered(
    symbol=CODE,
    time=_NOW,
    kind=ViKind.STATIC,
    trigger_price=Won(11_000),
    static_reference=Won(10_000),
    dynamic_reference=Won(10_990),
    upward=True,
    count=1,
)
RELEASED = ViReleased(symbol=CODE, time=_NOW)


def sessions(*names: Session) -> list[SessionChanged]:
    return [SessionChanged(session=name, time=_NOW) for name in names]


class Late(FakeFeed):
    """Gives what happened within a tenth of a second together."""

    batch = 0.1


@in_virtual_time
async def test_a_share_of_a_book_is_taken_once_though_later_books_still_show_it() -> None:
    desk = await Desk().open()
    await desk.give(BOOK)
    await desk.order(Side.BUY, 20, 10_010)

    await desk.give(BOOK)
    again = desk.fills()
    await desk.give(book(1, [(10_010, 8)], [(10_000, 4)]))

    assert again == [(10_010, 5)]
    assert desk.fills() == [(10_010, 5), (10_010, 3)]


@in_virtual_time
async def test_what_a_print_took_of_the_book_is_not_there_for_us() -> None:
    desk = await Desk().open()
    await desk.give(BOOK, tick(0, 10_010, 5, side=Aggressor.BUYER))
    await desk.order(Side.BUY, 1)
    await desk.give(BOOK, tick(0, 9_990, 1, side=Aggressor.SELLER, ask=10_020, bid=9_990))
    await desk.order(Side.BUY, 1)
    await desk.order(Side.SELL, 2)

    assert desk.fills() == [(10_020, 1), (10_020, 1), (9_990, 2)]


@in_virtual_time
async def test_two_orders_at_a_price_do_not_both_get_the_share_that_passed_the_line() -> None:
    desk = await Desk().open()
    await desk.give(BOOK)
    await desk.order(Side.BUY, 2, 10_000)
    await desk.order(Side.BUY, 2, 10_000)

    await desk.give(tick(1, 10_000, 5, side=Aggressor.SELLER))
    first = desk.fills()
    await desk.give(tick(2, 10_000, 2, side=Aggressor.SELLER))

    assert first == [(10_000, 1)]
    assert desk.fills() == [(10_000, 1), (10_000, 1), (10_000, 1)]


@pytest.mark.parametrize(
    "news",
    [
        sessions(Session.CLOSED_FOR_DAY, Session.OPENING_AUCTION, Session.CONTINUOUS),
        [TRIGGERED, RELEASED],
        [FeedLost(feed="f", time=_NOW, reason="cut")],
        [InstrumentHalted(symbol=CODE, time=_NOW, halted=True)],
    ],
    ids=["another day", "an interruption", "a lost feed", "a halt"],
)
@in_virtual_time
async def test_a_book_from_before_fills_nothing(news: Sequence[FeedMessage]) -> None:
    desk = await Desk().open()
    await desk.give(BOOK, *news)

    await desk.order(Side.BUY, 1)
    waiting = desk.fills()
    await desk.give(book(60, [(10_500, 5)], [(10_490, 5)]))

    assert waiting == []
    assert desk.fills() == [(10_500, 1)]


@in_virtual_time
async def test_the_last_book_of_a_code_whose_books_are_no_longer_watched_fills_nothing() -> None:
    desk = await Desk().open()
    await desk.give(BOOK)
    desk.broker.watch([CODE], [])

    await desk.order(Side.BUY, 1)

    assert desk.fills() == []


@in_virtual_time
async def test_a_part_at_once_that_came_before_any_book_ends_with_the_first_one() -> None:
    desk = await Desk().open()
    await desk.order(Side.BUY, 9, 10_010, validity=Validity.IOC)
    await desk.give(BOOK)

    assert desk.kinds()[0] is OrderAccepted
    assert desk.kinds()[-1] is OrderCanceled
    assert desk.fills() == [(10_010, 5)]


@in_virtual_time
async def test_at_the_price_of_an_auction_nobody_knows_who_was_served() -> None:
    desk = await Desk().open()
    await desk.give(*sessions(Session.CLOSING_AUCTION), BOOK)
    await desk.order(Side.BUY, 3, 10_010)
    await desk.order(Side.BUY, 3, 10_020)

    await desk.give(tick(1, 10_010, 100))

    assert desk.fills() == [(10_010, 3)]


@in_virtual_time
async def test_an_auction_s_print_that_is_heard_late_is_not_for_orders_that_came_after_the_auction() -> None:
    desk = await Desk().open()
    await desk.order(Side.BUY, 1)

    await desk.give(tick(0, 10_000, 100, ask=10_020, bid=10_000))
    waiting = desk.fills()
    await desk.give(tick(1, 10_020, 5, side=Aggressor.BUYER, ask=10_020, bid=10_000))

    assert waiting == []
    assert desk.fills() == [(10_020, 1)]


@in_virtual_time
async def test_at_the_upper_limit_an_order_for_any_price_waits_in_line_like_all_others() -> None:
    desk = await Desk(cash=100_000_000).open()
    await desk.give(book(0, [], [(13_000, 50), (12_990, 9)]))
    await desk.order(Side.BUY, 5)

    await desk.give(tick(1, 13_000, 30, side=Aggressor.SELLER))
    waiting = desk.fills()
    await desk.give(tick(2, 13_000, 22, side=Aggressor.SELLER))

    assert waiting == []
    assert desk.fills() == [(13_000, 2)]


@in_virtual_time
async def test_without_books_an_order_for_any_price_crosses_the_spread_that_prints_tell() -> None:
    desk = await Desk().open()
    await desk.order(Side.BUY, 2)

    await desk.give(tick(1, 10_000, 5, side=Aggressor.SELLER, ask=10_010, bid=10_000))
    await desk.order(Side.SELL, 1)
    await desk.give(tick(1, 10_010, 5, side=Aggressor.BUYER, ask=10_010, bid=10_000))

    assert desk.fills() == [(10_010, 2), (10_000, 1)]


@in_virtual_time
async def test_an_order_meets_the_market_of_its_arrival_though_a_feed_gives_it_late() -> None:
    desk = await Desk(feed=Late()).open()
    await desk.give(BOOK)
    desk.broker.send(wish(Side.BUY, 1))
    await desk.clock.sleep(0.1)

    early = tick(0.04, 9_000, 9, side=Aggressor.SELLER)
    await desk.give(early, book(0.045, [(10_300, 5)], [(10_290, 5)]), book(0.06, [(10_400, 5)], [(10_390, 5)]))

    assert desk.fills() == [(10_300, 1)], "the book of 0.05 s, neither the one before nor the one after"


@in_virtual_time
async def test_an_order_in_a_quiet_market_arrives_all_the_same() -> None:
    desk = await Desk(feed=Late()).open()
    await desk.give(BOOK)
    await desk.order(Side.BUY, 1)
    await desk.clock.sleep(0.1)

    assert desk.fills() == [(10_010, 1)]


@in_virtual_time
async def test_what_trades_after_hours_fills_no_order_of_the_day() -> None:
    desk = await Desk().open()
    await desk.order(Side.BUY, 1, 10_010)
    await desk.give(*sessions(Session.CLOSED, Session.AFTER_HOURS_CLOSE), tick(1, 10_000, 5))

    assert desk.kinds() == [OrderAccepted, OrderExpired]


@in_virtual_time
async def test_an_order_on_its_way_when_the_broker_closes_is_heard_of_no_more() -> None:
    desk, wrong = await Desk().open(), list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: wrong.append(context))
    async with desk.broker:
        desk.broker.send(wish(Side.BUY, 1, 10_010))
    await desk.clock.sleep(1)

    assert (desk.reports, wrong) == ([], [])


@in_virtual_time
async def test_a_session_told_again_does_not_end_an_interruption() -> None:
    desk = await Desk().open()
    await desk.give(*sessions(Session.CONTINUOUS), TRIGGERED, *sessions(Session.CONTINUOUS), BOOK)
    await desk.order(Side.BUY, 1, 10_010)
    waiting = desk.fills()

    await desk.give(RELEASED, BOOK)

    assert waiting == []
    assert desk.fills() == [(10_010, 1)]


@in_virtual_time
async def test_a_session_that_is_only_announced_has_not_begun() -> None:
    desk = await Desk().open()
    announced = SessionChanged(session=Session.CLOSED_FOR_DAY, time=_NOW, remaining=600)
    await desk.give(*sessions(Session.CONTINUOUS), BOOK)
    await desk.order(Side.BUY, 9, 10_010)

    await desk.give(announced, book(1, [(10_010, 20)], []))

    assert desk.fills() == [(10_010, 5), (10_010, 4)]


@in_virtual_time
async def test_between_the_closing_auction_and_the_day_s_end_books_fill_nothing() -> None:
    desk = await Desk().open()
    await desk.give(*sessions(Session.CLOSING_AUCTION), BOOK)
    await desk.order(Side.BUY, 1, 10_010)
    await desk.give(*sessions(Session.CLOSED), BOOK)
    waiting = desk.fills()

    await desk.give(tick(1, 10_000, 100, side=Aggressor.BUYER))

    assert waiting == []
    assert desk.fills() == [(10_000, 1)], "the auction's print may come late"


@in_virtual_time
async def test_nextrade_s_news_of_an_interruption_does_not_end_the_auction_here() -> None:
    desk = await Desk().open()
    await desk.give(TRIGGERED, ViReleased(symbol=CODE, venue=Venue.NXT, time=_NOW), BOOK)

    await desk.order(Side.BUY, 1, 10_010)

    assert desk.fills() == []


@in_virtual_time
async def test_an_order_for_any_price_needs_a_limit_to_bind_cash_at() -> None:
    desk = await Desk().open()
    known = instrument(CODE)
    desk.broker._instruments[CODE] = type(known)(  # pyright: ignore[reportPrivateUsage]
        symbol=CODE, name="", market=known.market, base_price=Won(0), upper_limit=Won(0), lower_limit=Won(0)
    )
    await desk.give(BOOK)
    await desk.order(Side.BUY, 1)

    assert desk.kinds() == [OrderRejected]


@in_virtual_time
async def test_the_lists_of_a_day_have_its_own_orders_and_what_is_still_open() -> None:
    desk = await Desk().open()
    await desk.give(BOOK)
    await desk.order(Side.BUY, 1, 10_010)
    await desk.order(Side.BUY, 1, 10_000)
    today = [order.broker_order for order in (await desk.broker.state()).orders]
    await desk.clock.sleep(86_400)
    await desk.order(Side.BUY, 2, 10_000)
    tomorrow = [order.broker_order for order in (await desk.broker.state()).orders]

    assert today == ["0000001", "0000002"]
    assert tomorrow == ["0000002", "0000003"]


@in_virtual_time
async def test_the_last_day_of_the_calendar_is_traded_like_any_other() -> None:
    desk = await Desk().open()
    await desk.clock.sleep((at(dt.date(2027, 12, 30), 10) - NINE) / SECOND)
    await desk.give(BOOK)
    await desk.order(Side.BUY, 1)
    await desk.order(Side.SELL, 1)

    assert desk.fills() == [(10_010, 1), (10_000, 1)]
    assert [report.tax for report in desk.reports if isinstance(report, OrderFilled)] == [0, 20]


async def over_bars(desk: Desk, *bars: Bar) -> list[tuple[int, int]]:
    """Each is given at its end."""
    for each in bars:
        await desk.clock.sleep((each.time + 60_000_000_000 - desk.clock.now()) / 1e9)
        await desk.give(each)
    return desk.fills()


@in_virtual_time
async def test_a_bar_that_only_touches_a_limit_does_not_fill_it() -> None:
    desk = await Desk().open()
    await over_bars(desk, bar(0, 10_000, 10_000, 10_000, 10_000))
    await desk.order(Side.BUY, 10, 10_000)

    assert await over_bars(desk, bar(1, 10_000, 10_020, 10_000, 10_010)) == []


@in_virtual_time
async def test_a_limit_that_waited_is_filled_at_its_own_price_when_the_next_bar_opens_beyond_it() -> None:
    desk = await Desk().open()
    await over_bars(desk, bar(0, 10_000, 10_000, 10_000, 10_000))
    await desk.order(Side.BUY, 10, 9_950)

    assert await over_bars(desk, bar(1, 9_900, 9_900, 9_900, 9_900)) == [(9_950, 10)]


@in_virtual_time
async def test_a_bar_locked_at_the_upper_limit_sells_nothing() -> None:
    desk = await Desk(cash=100_000_000).open()
    await over_bars(desk, bar(0, 12_990, 13_000, 12_990, 13_000))
    await desk.order(Side.BUY, 10)
    await desk.order(Side.BUY, 10, 13_000)

    assert await over_bars(desk, bar(1, 13_000, 13_000, 13_000, 13_000)) == []
    assert await over_bars(desk, bar(2, 13_000, 13_000, 12_990, 13_000)) == [(13_000, 10), (13_000, 10)]


@in_virtual_time
async def test_an_order_that_takes_long_to_the_market_misses_the_open() -> None:
    desk = await Desk(latency=2.0).open()
    await over_bars(desk, bar(0, 10_000, 10_000, 10_000, 10_000))
    await desk.order(Side.BUY, 10)

    found = await over_bars(desk, bar(1, 10_100, 10_100, 10_100, 10_100), bar(2, 10_200, 10_200, 10_200, 10_200))

    assert found == [(10_200, 10)]


@in_virtual_time
async def test_an_order_of_nine_o_clock_is_too_late_for_the_opening_auction() -> None:
    desk = await Desk().open()
    await desk.order(Side.BUY, 10)

    found = await over_bars(desk, bar(0, 10_000, 10_100, 10_000, 10_100), bar(1, 10_100, 10_100, 10_100, 10_100))

    assert found == [(10_100, 10)]


@in_virtual_time
async def test_an_order_of_the_instant_of_the_close_is_too_late_for_its_auction() -> None:
    desk = await Desk(latency=0.0).open()
    await over_bars(desk, bar(0, 10_000, 10_000, 10_000, 10_000))
    await desk.give(*sessions(Session.CLOSING_AUCTION))
    await desk.order(Side.BUY, 10)

    assert await over_bars(desk, bar(1, 10_100, 10_100, 10_100, 10_100)) == []
