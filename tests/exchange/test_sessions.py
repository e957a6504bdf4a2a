import datetime as dt

import pytest

from actors.exchange.events import AuctionEstimate, DayEnded, Halted, PhaseChanged, Print, Report, ViEnded, ViStarted
from actors.exchange.exchange import Exchange
from actors.exchange.records import Halt
from actors.market.time import SECOND, at
from messages import Aggressor, Kind, Market, Session, ViKind, Won
from tests.exchange.desk import BUY, CODE, DATE, IOC, MARKET, SELL, Desk, filled, listed


def morning() -> Desk:
    """Opened at 10,000, so that bands stand: static 9,000 to 11,000, dynamic (6 %) 9,400 to 10,600."""
    desk = Desk(begin=dt.time(8, 30))
    desk.order(SELL, 10, 10_000)
    desk.order(BUY, 10, 10_000)
    desk.wait_until(9, 0, 1)
    assert desk.prints() == [(10_000, 10)]
    return desk


def vi_of(desk: Desk) -> ViStarted:
    (started,) = desk.of(ViStarted)
    assert isinstance(started, ViStarted)
    return started


def test_orders_gather_until_nine_and_trade_at_one_price() -> None:
    desk = Desk(begin=dt.time(8, 30))
    desk.order(SELL, 10, 9_900)
    desk.order(SELL, 10, 10_100)
    number = desk.order(BUY, 15, 10_200)
    assert desk.prints() == []
    desk.wait_until(8, 59, 59)
    assert [(e.price, e.size) for e in desk.of(AuctionEstimate) if isinstance(e, AuctionEstimate)][-1] == (10_100, 15)
    desk.wait_until(9, 0)
    (opening,) = desk.of(Print)
    assert isinstance(opening, Print)
    assert (opening.price, opening.size, opening.side, opening.open) == (10_100, 15, Aggressor.NONE, 10_100)
    assert filled(desk.reports(number)) == [(10_100, 15)]


def test_the_book_of_an_auction_shows_what_matching_would_leave() -> None:
    desk = Desk(begin=dt.time(8, 30))
    desk.order(SELL, 10, 9_900)
    desk.order(BUY, 4, 10_000)
    desk.order(BUY, 3, 9_800)
    book = desk.exchange.book(desk.code)
    assert (book.expected_price, book.expected_size) == (9_900, 4)
    assert (book.ask_prices[0], book.ask_sizes[0], book.bid_prices[0], book.bid_sizes[0]) == (9_900, 6, 9_800, 3)


def test_the_day_goes_through_its_phases_with_kiwooms_codes() -> None:
    desk = Desk(begin=dt.time(8, 30), held=0)
    desk.wait_until(15, 33)
    phases = [event for event in desk.said if isinstance(event, PhaseChanged)]
    seen = list(dict.fromkeys((phase.session, phase.code) for phase in phases))
    assert seen == [
        (Session.OPENING_AUCTION, "0"),
        (Session.CONTINUOUS, "3"),
        (Session.CLOSING_AUCTION, "2"),
        (Session.CLOSED, "4"),
        (Session.CLOSED_FOR_DAY, "8"),
    ]
    assert [phase.remaining for phase in phases if phase.code == "2"] == [600, 300, 60, 30, 10]
    ended = desk.of(DayEnded)
    assert len(ended) == 1


def test_a_day_may_begin_late_and_finish_early() -> None:
    exchange = Exchange(
        date=DATE,
        cash=Won(0),
        commission=0.0,
        issues=2,
        begin=dt.time(9),
        finish=dt.time(9, 1),
    )
    assert (exchange.start, exchange.end) == (at(DATE, 9), at(DATE, 9, 1))
    events = exchange.advance(exchange.end + SECOND)
    assert isinstance(events[0], PhaseChanged)
    assert events[0].session is Session.CONTINUOUS
    assert sum(isinstance(event, DayEnded) for event in events) == 1
    assert exchange.advance(exchange.end + 60 * SECOND) == []


def test_a_year_opens_an_hour_late() -> None:
    exchange = Exchange(date=dt.date(2025, 1, 2), cash=Won(0), commission=0.0, issues=1, intensity=0.0)
    events = exchange.advance(at(dt.date(2025, 1, 2), 10))
    opened = [e.time for e in events if isinstance(e, PhaseChanged) and e.session is Session.CONTINUOUS]
    assert opened == [at(dt.date(2025, 1, 2), 10)]


def test_there_is_no_exchange_on_a_holiday() -> None:
    with pytest.raises(ValueError, match="not a trading day"):
        Exchange(date=dt.date(2025, 9, 6), cash=Won(0), commission=0.0)


def test_an_order_that_reaches_the_dynamic_band_waits_in_an_auction() -> None:
    desk = morning()
    desk.order(SELL, 5, 10_590)
    desk.order(SELL, 5, 10_600)
    number = desk.order(BUY, 8, 10_700)
    assert filled(desk.reports(number)) == [(10_590, 5)]
    vi = vi_of(desk)
    assert (vi.kind, vi.trigger_price, vi.upward, vi.count) == (ViKind.DYNAMIC, 10_600, True, 1)
    assert (vi.static_reference, vi.dynamic_reference) == (10_000, 10_000)
    assert desk.exchange.statistics(desk.code).interrupted


def test_an_interruption_lasts_two_minutes_and_up_to_thirty_seconds_and_its_price_is_the_new_reference() -> None:
    desk = morning()
    desk.order(SELL, 8, 10_600)
    number = desk.order(BUY, 8, 10_600)
    vi = vi_of(desk)
    assert 120 * SECOND <= vi.release - vi.time < 150 * SECOND
    desk.wait((vi.release - desk.exchange.now) / SECOND - 0.001)
    assert desk.of(ViEnded) == []
    desk.wait(0.002)
    (ended,) = desk.of(ViEnded)
    assert isinstance(ended, ViEnded)
    assert (ended.time, ended.price) == (vi.release, 10_600)
    assert filled(desk.reports(number)) == [(10_600, 8)]
    assert desk.exchange.statistics(desk.code).static_reference == 10_600
    assert desk.exchange.vi_list()[0].ended == vi.release


def test_the_static_band_is_ten_percent_of_the_last_auction() -> None:
    desk = morning()
    for price in (10_500, 10_990, 11_000):
        desk.order(SELL, 1, price)
        desk.order(BUY, 1, price)
    assert desk.prints()[1:] == [(10_500, 1), (10_990, 1)]
    assert vi_of(desk).kind is ViKind.STATIC


def test_members_of_the_kospi200_have_the_narrow_band() -> None:
    desk = Desk(begin=dt.time(8, 30), instrument=listed(market=Market.KOSPI, kospi200=True))
    desk.order(SELL, 1, 10_000)
    desk.order(BUY, 1, 10_000)
    desk.wait_until(9, 0, 1)
    desk.order(BUY, 1, 9_700)
    desk.order(SELL, 1, 9_700)
    assert (vi_of(desk).trigger_price, vi_of(desk).upward) == (9_700, False)


def test_an_opening_price_beyond_the_static_band_is_put_off() -> None:
    desk = Desk(begin=dt.time(8, 30))
    desk.order(SELL, 5, 11_500)
    desk.order(BUY, 5, 11_500)
    desk.wait_until(9, 0, 1)
    assert desk.prints() == []
    assert vi_of(desk).static_reference == 10_000
    desk.wait_until(9, 2, 31)
    assert desk.prints() == [(11_500, 5)]


def test_immediate_orders_are_refused_in_an_auction() -> None:
    desk = Desk(begin=dt.time(8, 30))
    for kind, validity in ((Kind.LIMIT, IOC), (MARKET, IOC)):
        price = 10_000 if kind is Kind.LIMIT else 0
        number = desk.order(BUY, 1, price, kind, validity)
        assert [report.report for report in desk.reports(number)] == [Report.REJECTED]


def test_a_conditional_order_becomes_a_market_order_in_the_closing_auction() -> None:
    desk = morning()
    number = desk.order(SELL, 10, 10_400, Kind.CONDITIONAL)
    desk.wait_until(15, 20, 1)
    desk.order(BUY, 10, 9_900)
    desk.wait_until(15, 30)
    assert filled(desk.reports(number)) == [(9_900, 10)]


def test_a_limit_order_left_by_an_auction_trades_on_afterwards() -> None:
    desk = Desk(begin=dt.time(8, 30))
    desk.order(SELL, 10, 10_000)
    number = desk.order(BUY, 15, 10_000)
    desk.wait_until(9, 0, 1)
    desk.order(SELL, 5, 10_000)
    assert filled(desk.reports(number)) == [(10_000, 10), (10_000, 5)]


def test_a_halted_issue_takes_cancellations_only() -> None:
    desk = Desk()
    number = desk.order(BUY, 1, 9_900)
    desk.exchange.halt(desk.code, "조회공시")
    assert desk.refused(BUY, 1, 9_900) == "00Z222"
    request = desk.cancel(number)
    assert desk.reports(request)[-1].report is Report.CANCELED
    desk.exchange.resume(desk.code)
    desk.order(BUY, 1, 9_900)
    assert [event.halted for event in desk.of(Halted) if isinstance(event, Halted)] == [True, False]


def test_an_order_under_way_when_trading_stops_is_rejected() -> None:
    desk = Desk(latency_ms=(500, 500))
    desk.wait_until(15, 29, 59)
    desk.wait(0.8)
    number = desk.order(BUY, 1, 10_000)
    desk.wait(1)
    assert [report.report for report in desk.reports(number)] == [Report.REJECTED]


def test_a_planned_halt_begins_and_ends_by_itself() -> None:
    halt = Halt(symbol=CODE, at=dt.time(9, 1), until=dt.time(9, 2), reason="조회공시")
    exchange = Exchange(
        date=DATE, cash=Won(0), commission=0.0, issues=2, halts=(halt,), begin=dt.time(9), finish=dt.time(9, 3)
    )
    events = exchange.advance(exchange.end)
    halted = [(event.time, event.halted) for event in events if isinstance(event, Halted)]
    assert halted == [(at(DATE, 9, 1), True), (at(DATE, 9, 2), False)]
    prints = [event.time for event in events if isinstance(event, Print) and event.symbol == CODE]
    assert not [time for time in prints if at(DATE, 9, 1) <= time < at(DATE, 9, 2)]
    assert max(prints) > at(DATE, 9, 2)


def test_market_orders_that_waited_through_a_halt_enter_the_book_when_it_ends() -> None:
    desk = Desk(begin=dt.time(8, 30))
    number = desk.order(BUY, 5, kind=MARKET)
    desk.exchange.halt(desk.code, "조회공시")
    desk.wait_until(9, 0, 1)
    desk.exchange.resume(desk.code)
    assert desk.exchange.book(desk.code).bid_prices[0] == 10_000
    desk.order(SELL, 5, 10_000)
    assert filled(desk.reports(number)) == [(10_000, 5)]
