import pytest

from actors.exchange.events import DayEnded, Report
from actors.exchange.records import Refusal
from messages import Action, Kind
from tests.exchange.desk import BUY, FOK, IOC, MARKET, SELL, Desk, filled


def said(desk: Desk, *numbers: str) -> list[tuple[str, Report, int]]:
    return [(report.number, report.report, report.open) for report in desk.reports(*numbers)]


def test_an_order_is_accepted_and_fills_as_others_come_to_it() -> None:
    desk = Desk()
    sell = desk.order(SELL, 30, 10_000)
    first, second = desk.order(BUY, 10, 10_000), desk.order(BUY, 5, 10_050)
    assert desk.prints() == [(10_000, 10), (10_000, 5)]
    assert said(desk, sell) == [(sell, Report.ACCEPTED, 30), (sell, Report.FILLED, 20), (sell, Report.FILLED, 15)]
    assert filled(desk.reports(first, second)) == [(10_000, 10), (10_000, 5)]


def test_numbers_are_seven_digits_and_follow_each_other() -> None:
    desk = Desk()
    assert [desk.order(BUY, 1, 9_900), desk.order(BUY, 1, 9_900)] == ["0000001", "0000002"]


def test_a_market_order_walks_the_book_and_its_rest_stays_at_the_last_price() -> None:
    desk = Desk()
    desk.order(SELL, 3, 10_000)
    desk.order(SELL, 3, 10_100)
    market = desk.order(BUY, 10, kind=MARKET)
    assert filled(desk.reports(market)) == [(10_000, 3), (10_100, 3)]
    book = desk.exchange.book(desk.code)
    assert (book.bid_prices[0], book.bid_sizes[0]) == (10_100, 4)


def test_what_is_left_of_a_market_order_stands_a_tick_before_the_best_limit_of_its_side() -> None:
    desk = Desk()
    desk.order(SELL, 1, 10_000)
    desk.order(BUY, 1, 10_000)
    limit = desk.order(BUY, 2, 10_200)
    market, another = desk.order(BUY, 2, kind=MARKET), desk.order(BUY, 2, kind=MARKET)
    book = desk.exchange.book(desk.code)
    assert (book.bid_prices[:3], book.bid_sizes[:3]) == ((10_210, 10_200, 0), (4, 2, 0))
    desk.order(SELL, 3, 10_100)
    assert filled(desk.reports(market)) == [(10_210, 2)]
    assert filled(desk.reports(another)) == [(10_210, 1)]
    assert filled(desk.reports(limit)) == []


def test_a_limit_where_a_market_order_stood_before_is_outbid_by_the_next_one() -> None:
    desk = Desk()
    desk.order(BUY, 2, 10_200)
    desk.cancel(desk.order(BUY, 2, kind=MARKET))
    desk.order(BUY, 1, 10_210)
    desk.order(BUY, 2, kind=MARKET)
    book = desk.exchange.book(desk.code)
    assert (book.bid_prices[:3], book.bid_sizes[:3]) == ((10_220, 10_210, 10_200), (2, 1, 2))


def test_what_is_left_of_a_market_sale_goes_no_lower_than_the_limit_of_the_day() -> None:
    desk = Desk()
    limit = desk.order(SELL, 2, 7_000)
    market = desk.order(SELL, 2, kind=MARKET)
    book = desk.exchange.book(desk.code)
    assert (book.ask_prices[:2], book.ask_sizes[:2]) == ((7_000, 0), (4, 0))
    assert [order.open for order in desk.exchange.orders if order.number in {limit, market}] == [2, 2]


def test_best_takes_the_other_side_and_priority_joins_the_own() -> None:
    desk = Desk()
    desk.order(SELL, 3, 10_050)
    desk.order(BUY, 3, 9_950)
    best = desk.order(BUY, 5, kind=Kind.BEST)
    desk.order(BUY, 2, kind=Kind.PRIORITY)
    assert filled(desk.reports(best)) == [(10_050, 3)]
    assert desk.exchange.book(desk.code).bid_prices[:2] == (10_050, 9_950)
    assert desk.exchange.book(desk.code).bid_sizes[:2] == (4, 3)


def test_a_best_order_without_anybody_opposite_is_rejected_at_the_exchange() -> None:
    desk = Desk()
    number = desk.order(BUY, 5, kind=Kind.BEST)
    assert said(desk, number) == [(number, Report.REJECTED, 0)]
    assert desk.state().reserved == 0


def test_the_rest_of_an_immediate_order_dies() -> None:
    desk = Desk()
    desk.order(SELL, 3, 10_000)
    number = desk.order(BUY, 5, 10_000, validity=IOC)
    reports = desk.reports(number)
    assert [report.report for report in reports] == [Report.ACCEPTED, Report.FILLED, Report.CANCELED]
    assert (reports[-1].canceled, reports[-1].action, reports[-1].filled) == (2, Action.NEW, 3)
    assert desk.exchange.book(desk.code).bid_total == 0


def test_a_fill_or_kill_order_fills_whole_or_not_at_all() -> None:
    desk = Desk()
    desk.order(SELL, 3, 10_000)
    desk.order(SELL, 3, 10_010)
    short = desk.order(BUY, 7, 10_010, validity=FOK)
    whole = desk.order(BUY, 6, 10_010, validity=FOK)
    assert filled(desk.reports(short)) == []
    assert desk.reports(short)[-1].canceled == 7
    assert filled(desk.reports(whole)) == [(10_000, 3), (10_010, 3)]


def test_a_cancellation_confirms_under_its_own_number_and_clears_the_original() -> None:
    desk = Desk()
    number = desk.order(BUY, 10, 9_900)
    request = desk.cancel(number)
    assert said(desk, number, request) == [
        (number, Report.ACCEPTED, 10),
        (request, Report.ACCEPTED, 0),
        (request, Report.CANCELED, 0),
        (number, Report.CLEARED, 0),
    ]
    assert desk.reports(request)[0].original == number


def test_a_partial_cancellation_keeps_the_rest_in_its_place() -> None:
    desk = Desk()
    first, second = desk.order(SELL, 10, 10_000), desk.order(SELL, 10, 10_000)
    desk.cancel(first, 6)
    desk.order(BUY, 5, 10_000)
    assert filled(desk.reports(first)) == [(10_000, 4)]
    assert filled(desk.reports(second)) == [(10_000, 1)]


def test_a_cancellation_that_comes_too_late_is_rejected() -> None:
    desk = Desk(latency_ms=(5, 5))
    number = desk.order(SELL, 10, 10_000)
    desk.exchange.place(desk.exchange.account, BUY, MARKET, desk.reports()[0].validity, desk.code, 10, 0, "0101")
    request = desk.cancel(number)
    assert [report.report for report in desk.reports(request)] == [Report.REJECTED]


def test_a_new_price_goes_to_the_end_of_its_queue_under_a_new_number() -> None:
    desk = Desk()
    first, second = desk.order(SELL, 10, 10_000), desk.order(SELL, 10, 10_010)
    moved = desk.replace(first, 10, 10_010)
    assert said(desk, moved) == [(moved, Report.ACCEPTED, 0), (moved, Report.REPLACED, 10)]
    desk.order(BUY, 10, 10_010)
    assert filled(desk.reports(second)) == [(10_010, 10)]
    assert filled(desk.reports(first, moved)) == []


def test_a_part_of_an_order_moves_alone_and_the_rest_keeps_its_price_and_place() -> None:
    desk = Desk()
    first, second = desk.order(SELL, 10, 10_000), desk.order(SELL, 10, 10_000)
    moved = desk.replace(first, 4, 9_990)
    assert desk.exchange.book(desk.code).ask_total == 20
    desk.order(BUY, 11, 10_000)
    assert filled(desk.reports(moved)) == [(9_990, 4)]
    assert filled(desk.reports(first)) == [(10_000, 6)]
    assert filled(desk.reports(second)) == [(10_000, 1)]


@pytest.mark.parametrize("quantity", [0, 4])
def test_a_modification_that_leaves_the_price_is_none(quantity: int) -> None:
    desk = Desk()
    first, second = desk.order(SELL, 10, 10_000), desk.order(SELL, 10, 10_000)
    answer = desk.exchange.replace(desk.exchange.account, first, quantity, 10_000, "0101")
    assert answer == Refusal(code="00Z240", reason="정정가격이 원주문가격과 같습니다")
    desk.order(BUY, 11, 10_000)
    assert filled(desk.reports(first)) == [(10_000, 10)]
    assert filled(desk.reports(second)) == [(10_000, 1)]


def test_a_new_price_that_crosses_trades_at_once() -> None:
    desk = Desk()
    desk.order(SELL, 4, 10_000)
    number = desk.order(BUY, 10, 9_900)
    moved = desk.replace(number, 0, 10_000)
    assert filled(desk.reports(moved)) == [(10_000, 4)]
    assert desk.reports(number)[-1].report is Report.CLEARED


def test_requests_keep_the_chain_to_their_first_order() -> None:
    desk = Desk()
    number = desk.order(BUY, 10, 9_900)
    request = desk.cancel(desk.replace(number, 10, 9_910))
    record = desk.exchange.orders[-1]
    assert (record.number, record.first, record.original) == (request, number, "0000002")


def test_what_is_open_at_the_end_of_the_day_expires() -> None:
    desk = Desk()
    number = desk.order(BUY, 10, 9_900)
    desk.wait_until(15, 33)
    assert said(desk, number)[-1] == (number, Report.EXPIRED, 0)
    assert isinstance(desk.said[-1], DayEnded)
