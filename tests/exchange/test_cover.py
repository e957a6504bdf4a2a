"""What a modification needs of the account, and what it gives back."""

from actors.exchange.events import Report
from actors.exchange.records import Refusal
from tests.exchange.desk import BUY, Desk


def test_moving_a_part_of_a_purchase_frees_only_what_that_part_bound() -> None:
    desk = Desk(cash=1_000_000, held=0)
    number = desk.order(BUY, 50, 10_000)
    desk.order(BUY, 49, 10_000)
    assert desk.state().orderable == 9_860
    dearer = desk.exchange.replace(desk.exchange.account, number, 40, 12_000, "0101")
    assert isinstance(dearer, Refusal)
    assert dearer.code == "00Z210"
    desk.replace(number, 40, 10_200)
    assert desk.state().orderable == 9_860 - 40 * 200


def test_a_part_on_its_way_to_a_higher_price_binds_the_difference_at_once() -> None:
    desk = Desk(cash=1_000_000, held=0)
    number = desk.order(BUY, 50, 10_000)
    assert isinstance(desk.exchange.replace(desk.exchange.account, number, 20, 12_000, "0101"), str)
    assert desk.state().reserved == 30 * 10_000 + 20 * 12_000 + 70
    assert desk.refused(BUY, 46, 10_000) == "00Z210"


def test_a_modification_under_way_when_the_day_ends_is_refused_and_binds_nothing_more() -> None:
    desk = Desk(cash=1_000_000, held=0, latency_ms=(500, 500))
    number = desk.order(BUY, 50, 10_000)
    desk.wait(1)
    asked = desk.exchange.replace(desk.exchange.account, number, 50, 12_000, "0101")
    assert isinstance(asked, str)
    withdrawn = desk.exchange.cancel(desk.exchange.account, number, 0, "0102")
    assert isinstance(withdrawn, str)
    desk.exchange.finish()
    desk.wait()
    assert [report.report for report in desk.reports(asked, withdrawn)] == [Report.REJECTED, Report.REJECTED]
    assert desk.reports(number)[-1].report is Report.EXPIRED
    assert (desk.state().reserved, desk.state().orderable) == (0, 1_000_000)
