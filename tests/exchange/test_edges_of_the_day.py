"""States between the sessions: a day that ends early, a halt over an auction, the first print of all."""

import datetime as dt

import pytest

from actors.exchange.events import BookChanged, DayEnded, PhaseChanged, Report, ViStarted
from actors.exchange.exchange import Exchange
from actors.exchange.records import Halt
from messages import Kind, ViKind, Won
from tests.exchange.desk import BUY, CODE, DATE, SELL, Desk, filled
from tests.exchange.test_sessions import morning, vi_of


def test_no_order_is_taken_after_a_day_that_ended_in_an_interruption() -> None:
    desk = morning()
    desk.order(SELL, 5, 10_600)
    number = desk.order(BUY, 5, 10_600)
    assert vi_of(desk).trigger_price == 10_600
    desk.exchange.finish()
    desk.wait()
    assert desk.reports(number)[-1].report is Report.EXPIRED
    assert desk.refused(BUY, 1, 10_000) == "00Z218"


def test_a_market_that_closed_lets_orders_die_and_takes_no_more_while_the_day_goes_on() -> None:
    desk = morning()
    number = desk.order(BUY, 5, 9_800)
    for _ in range(2):
        desk.exchange.close_market()
        desk.wait(60)
    assert desk.reports(number)[-1].report is Report.EXPIRED
    assert desk.refused(BUY, 1, 10_000) == "00Z218"
    assert not desk.of(DayEnded)
    desk.exchange.finish()
    desk.wait()
    codes = [event.code for event in desk.of(PhaseChanged) if isinstance(event, PhaseChanged)]
    assert codes[-2:] == ["4", "8"]
    assert len(desk.of(DayEnded)) == 1


def test_the_day_of_a_market_that_closed_ends_when_it_always_does() -> None:
    desk = morning()
    desk.exchange.close_market()
    desk.wait_until(23, 0)
    assert [event.time for event in desk.of(DayEnded)] == [desk.exchange.end]


def test_orders_that_met_during_a_halt_trade_when_it_ends_and_not_in_the_book_before() -> None:
    desk = Desk(begin=dt.time(8, 30))
    desk.order(SELL, 5, 9_900)
    number = desk.order(BUY, 5, 10_100)
    spare = desk.order(BUY, 3, 9_800)
    desk.exchange.halt(desk.code, "조회공시")
    desk.wait_until(9, 0, 1)
    desk.cancel(spare)
    book = desk.exchange.book(desk.code)
    assert (book.bid_prices[0], book.ask_prices[0]) == (0, 0)
    desk.exchange.resume(desk.code)
    desk.wait()
    assert filled(desk.reports(number)) == [(10_000, 5)]
    desk.order(SELL, 2, 10_000)
    late = desk.order(BUY, 2, 10_000)
    assert filled(desk.reports(late)) == [(10_000, 2)]


def test_a_halt_over_the_end_of_an_interruption_keeps_its_orders_until_trading_resumes() -> None:
    desk = morning()
    desk.order(SELL, 5, 10_600)
    number = desk.order(BUY, 5, 10_600)
    desk.exchange.halt(desk.code, "조회공시")
    desk.wait(160)
    assert desk.exchange.book(desk.code).bid_prices[0] == 0
    assert filled(desk.reports(number)) == []
    desk.exchange.resume(desk.code)
    desk.wait()
    assert filled(desk.reports(number)) == [(10_600, 5)]


def test_a_first_print_that_runs_into_the_static_band_names_no_dynamic_one() -> None:
    desk = Desk()
    desk.order(SELL, 1, 10_500)
    desk.order(SELL, 1, 11_000)
    desk.order(BUY, 2, 11_000)
    assert desk.prints() == [(10_500, 1)]
    (started,) = desk.of(ViStarted)
    assert isinstance(started, ViStarted)
    assert (started.kind, started.dynamic_reference) == (ViKind.STATIC, 0)


def test_a_conditional_order_that_becomes_a_market_order_changes_the_book() -> None:
    desk = morning()
    desk.order(SELL, 10, 10_400, Kind.CONDITIONAL)
    desk.wait_until(15, 19, 59)
    assert desk.exchange.book(desk.code).ask_total == 10
    events = desk.wait_until(15, 20, 1)
    assert desk.exchange.book(desk.code).ask_total == 0
    assert [event.symbol for event in events if isinstance(event, BookChanged)] == [desk.code]


def test_a_close_beyond_the_band_is_put_off_and_takes_orders_meanwhile_but_conditional_ones() -> None:
    desk = morning()
    desk.wait_until(15, 25)
    desk.order(SELL, 5, 10_500)
    number = desk.order(BUY, 5, 10_500)
    desk.wait_until(15, 30, 1)
    assert filled(desk.reports(number)) == []
    late, conditional = desk.order(SELL, 1, 10_490), desk.order(SELL, 1, 10_490, Kind.CONDITIONAL)
    assert desk.reports(conditional)[-1].report is Report.REJECTED
    desk.wait_until(15, 32, 31)
    assert filled(desk.reports(number)) == [(10_500, 5)]
    assert filled(desk.reports(late)) == [(10_500, 1)]
    assert desk.refused(BUY, 1, 10_000) == "00Z218"


def test_a_halt_that_ends_before_it_begins_is_refused() -> None:
    halt = Halt(symbol=CODE, at=dt.time(9, 2), until=dt.time(9, 1))
    with pytest.raises(ValueError, match=r"the halt of 900010 ends at 09:01:00, not after 09:02:00, when it begins"):
        Exchange(date=DATE, cash=Won(0), commission=0.0, issues=1, halts=(halt,))


@pytest.mark.parametrize("date", [dt.date(2027, 12, 30), dt.date(2030, 1, 2)])
def test_a_day_whose_settlement_the_calendar_does_not_know_is_refused_in_one_line(date: dt.date) -> None:
    with pytest.raises(ValueError, match=r"^no trading hours of KRX are known for 20\d\d-01-0\d$"):
        Exchange(date=date, cash=Won(0), commission=0.0, issues=1)


@pytest.mark.parametrize("interval", [0, -60, 61])
def test_bars_of_an_interval_that_cannot_be_are_refused(interval: int) -> None:
    desk = Desk()
    with pytest.raises(ValueError, match=f"no bars of {interval} seconds: whole minutes, or 86400"):
        desk.exchange.charts(desk.code, interval)
