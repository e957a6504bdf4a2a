from typing import Any

from msgspec.structs import replace

from actors.gateways.port import KnownOrder
from messages import (
    Action,
    ExternalOrderSeen,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderReplaced,
    OrderUnknown,
    Shares,
    Side,
    Venue,
    Won,
)
from tests.gateways.kiwoom_bench import Bench, on_a_bench
from tests.gateways.order_desk import SAMSUNG, Desk, M, N, ask, instruction


def known(broker_order: str, filled: int = 0, amount: int = 0, order: int = 7, **changes: Any) -> KnownOrder:
    return KnownOrder(
        order=order,
        broker_order=broker_order,
        strategy="momentum",
        symbol=SAMSUNG,
        side=Side.BUY,
        quantity=Shares(10),
        price=Won(100),
        filled=Shares(filled),
        amount=Won(amount),
        **changes,
    )


def test_after_a_restart_fills_go_on_where_the_journal_stopped() -> None:
    desk = Desk()
    desk.tracker.know([known(N, 3, 300)])
    desk.record("+매수", "체결", N, fill=3, open=7, amount=300)
    desk.record("+매수", "체결", N, fill=7, open=0, amount=1000)
    assert desk.filled() == [(7, 100, 10, 1000)]


def test_after_a_restart_an_order_without_number_is_found_by_what_it_asked() -> None:
    desk = Desk()
    desk.tracker.know([known("")])
    desk.record("+매수", "체결", N, fill=3, open=7, amount=300, screen="2077")
    desk.record("+매수", "접수", M, screen="2078")
    assert desk.kinds() == [OrderAccepted, OrderFilled, ExternalOrderSeen]


def test_after_a_restart_a_modified_number_counts_from_its_own_start() -> None:
    desk = Desk()
    desk.tracker.know([known(M, 5, 500)])
    desk.record("+매수정정", "체결", M, original=N, quantity=7, fill=2, open=3, amount=400)
    assert desk.filled() == [(2, 100, 7, 700)]


def test_of_two_lost_orders_that_look_alike_the_screen_tells_which_it_is() -> None:
    desk = Desk()
    desk.tracker.know([known("", order=7, screen="2005"), known("", order=8, screen="2006")])
    desk.record("+매수", "접수", N, screen="2006")
    desk.record("+매수", "접수", M, screen="2005")
    accepted = [(m.order, m.broker_order) for m in desk.said if isinstance(m, OrderAccepted)]

    assert accepted == [(8, N), (7, M)]


def test_a_record_on_another_screen_is_not_the_lost_order() -> None:
    desk = Desk()
    desk.tracker.know([known("", screen="2005")])
    desk.record("+매수", "접수", N, screen="7777")
    desk.record("+매수", "접수", M, screen="0000")
    desk.record("+매수", "접수", "0000003", screen="2005")

    assert desk.kinds() == [ExternalOrderSeen, ExternalOrderSeen, OrderAccepted]


def test_late_records_of_an_order_that_is_over_are_not_a_strangers() -> None:
    desk = Desk()
    desk.tracker.know([known(N, 7, 700, dead=Shares(3)), known(M, 10, 1_000, order=8)])
    desk.record("+매수", "체결", N, fill=4, open=3, amount=700)
    desk.record("+매수", "체결", N, open=0, amount=700)
    desk.record("+매수", "체결", M, fill=10, open=0, amount=1_000)
    desk.tracker.expire(9)

    assert desk.said == []


def test_at_the_krxs_close_an_order_of_another_venue_lives_on() -> None:
    desk = Desk()
    desk.tracker.know([known(N), known(M, order=8, venue=Venue.NXT)])
    desk.tracker.expire(9)
    desk.record("+매수", "체결", M, fill=10, open=0, amount=1_000)

    assert desk.kinds() == [OrderExpired, OrderFilled]


def test_a_rest_taken_back_before_the_restart_is_counted_in() -> None:
    desk = Desk()
    desk.tracker.know([known(N, 2, 200, dead=Shares(3))])
    desk.record("매수취소", "확인", M, original=N, screen="0000", quantity=5, open=0)
    (gone,) = desk.said

    assert isinstance(gone, OrderCanceled)
    assert (gone.canceled, gone.open) == (8, 0)


def test_a_fill_of_a_number_given_up_before_the_restart_has_the_broker_asked() -> None:
    desk = Desk()
    desk.tracker.know([known(M, 5, 500, earlier=(N,))])
    desk.record("+매수", "체결", N, fill=3, open=0, amount=300)
    desk.record("+매수", "체결", N, fill=3, open=0, amount=300)

    assert desk.kinds() == [OrderUnknown]


def test_costs_of_the_numbers_before_are_kept() -> None:
    desk = Desk()
    desk.tracker.know([known(M, 5, 500, commission=Won(9), earlier=(N,))])
    desk.record("+매수정정", "체결", M, original=N, quantity=5, fill=5, open=0, amount=500)
    (fill,) = desk.said

    assert isinstance(fill, OrderFilled)
    assert (fill.filled, fill.amount, fill.commission) == (10, 1_000, 9)


def test_the_screen_of_an_order_known_by_its_number_is_spared_first() -> None:
    desk = Desk()
    desk.tracker.sending(instruction(), "2000", "lost")
    desk.tracker.overdue("2000", "lost", 1)
    desk.tracker.sending(replace(instruction(quantity=11), order=8), "2001", "found")
    desk.tracker.answered("2001", "found", N, 1)
    desk.tracker.spare()
    assert desk.released == ["2001"]
    desk.tracker.spare()
    desk.tracker.spare()

    assert desk.released == ["2001", "2000"]
    desk.record("+매수", "접수", M, screen="2000")
    assert [m.broker_order for m in desk.said if isinstance(m, OrderAccepted)] == [N, M]


def test_what_the_lists_told_keeps_the_records_of_a_look_alike_apart() -> None:
    desk = Desk()
    desk.tracker.know([known("", order=1)])
    desk.tracker.learn(1, N)
    desk.tracker.sending(instruction(), "2000", "alike")
    desk.record("+매수", "접수", M, screen="2000")
    desk.record("+매수", "체결", N, fill=3, open=7, amount=300, screen="0000")

    assert [(m.order, m.broker_order) for m in desk.said if isinstance(m, OrderAccepted)] == [(7, M)]
    assert [(m.order, m.broker_order) for m in desk.said if isinstance(m, OrderFilled)] == [(1, N)]


def test_an_order_the_lists_never_had_gives_its_screen_back() -> None:
    desk = Desk()
    desk.tracker.sending(instruction(), "2000", "lost")
    desk.tracker.overdue("2000", "lost", 1)
    desk.tracker.learn(7, "")

    assert desk.released == ["2000"]


def test_after_a_restart_a_rest_that_ended_may_have_been_moved_to_another_number() -> None:
    desk = Desk()
    desk.tracker.know([known(N)])
    desk.record("+매수", "접수", N, open=0)
    assert desk.kinds() == [OrderUnknown]
    desk.record("+매수정정", "확인", M, original=N, price=105)
    desk.record("+매수", "체결", M, fill=10, open=0, amount=1_050, at=105)

    assert desk.kinds() == [OrderUnknown, OrderReplaced, OrderFilled]
    assert desk.filled() == [(10, 105, 10, 1_050)]


def test_after_a_restart_a_rest_that_a_cancellation_took_is_dead_when_that_is_told() -> None:
    desk = Desk()
    desk.tracker.know([known(N)])
    desk.record("+매수", "접수", N, open=0)
    desk.record("+매수", "접수", N, open=0)
    desk.record("매수취소", "확인", M, original=N, open=0)

    assert desk.kinds() == [OrderUnknown, OrderCanceled]


def test_after_a_restart_a_rest_that_was_asked_back_is_dead_at_once() -> None:
    desk = Desk()
    desk.tracker.know([known(N)])
    ask(desk, Action.CANCEL)
    desk.record("+매수", "접수", N, open=0)

    assert desk.kinds() == [OrderCanceled]


def test_after_a_restart_the_first_fill_of_a_changed_order_tells_of_the_change() -> None:
    desk = Desk()
    desk.tracker.know([known(N, 3, 300)])
    cells = {"original": N, "quantity": 7, "price": 105, "at": 105}
    desk.record("+매수정정", "체결", M, fill=2, open=5, amount=210, **cells)
    desk.record("+매수", "체결", N, open=0, amount=300)
    desk.record("+매수정정", "체결", M, fill=5, open=0, amount=735, **cells)

    assert desk.kinds() == [OrderReplaced, OrderFilled, OrderFilled]
    assert desk.filled() == [(2, 105, 5, 510), (5, 105, 10, 1_035)]


@on_a_bench
async def test_a_record_before_the_trader_opened_is_of_the_order_it_makes_known_then(bench: Bench) -> None:
    bench.chejan("2000", "체결", left=4, fill=6)
    await bench.settle()
    await bench.gateway.open(bench.reports.append, [known("0000001")])
    (filled,) = bench.reports
    assert isinstance(filled, OrderFilled)
    assert (filled.order, filled.quantity, filled.amount) == (7, 6, 462_000)
