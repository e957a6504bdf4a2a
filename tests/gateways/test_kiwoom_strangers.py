"""Whose a record is that bears no number of ours: its screen tells, or the answer; otherwise it is nobody's here."""

import pytest
from msgspec.structs import replace

from actors.gateways.kiwoom.real_time.records import MalformedError
from actors.gateways.port import KnownOrder
from messages import (
    Action,
    ExternalOrderSeen,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OrderUnknown,
)
from tests.gateways.order_desk import Desk, M, N, ask, filled_a_bit, instruction, living, sent
from tests.gateways.test_kiwoom_restart import known

REFUSED = "[00Z237] 장종료"


def owners(desk: Desk) -> list[tuple[int, str]]:
    return [(m.order, m.broker_order) for m in desk.said if isinstance(m, OrderAccepted)]


@pytest.mark.parametrize("screen", ["0000", "", "8282"])
def test_a_hand_placed_order_of_the_same_terms_is_not_taken_for_ours(screen: str) -> None:
    desk = sent()
    desk.record("+매수", "접수", M, screen=screen)
    desk.record("+매수", "체결", M, screen=screen, fill=10, open=0, amount=1_000)
    desk.tracker.answered("2000", "new", N, 1)

    assert owners(desk) == [(7, N)]
    assert [m.broker_order for m in desk.said if isinstance(m, ExternalOrderSeen)] == [M]
    assert not desk.filled()


def test_records_without_a_screen_wait_for_the_answer_that_tells_they_are_ours() -> None:
    desk = sent()
    desk.record("+매수", "접수", M, screen="0000")
    desk.record("+매수", "체결", N, screen="0000", fill=3, open=7, amount=300)
    assert desk.said == []
    desk.tracker.answered("2000", "new", N, 1)
    desk.record("+매수", "체결", N, screen="0000", fill=7, open=0, amount=1_000)

    assert owners(desk) == [(7, N)]
    assert desk.filled() == [(3, 100, 3, 300), (7, 100, 10, 1_000)]
    assert desk.kinds().count(ExternalOrderSeen) == 1


@pytest.mark.parametrize("end", ["overdue", "refused", "not sent", "doubted"])
def test_where_no_answer_tells_the_lists_must(end: str) -> None:
    desk = sent()
    desk.record("+매수", "접수", M, screen="0000")
    if end == "overdue":
        desk.tracker.overdue("2000", "new", 9)
    elif end == "refused":
        desk.tracker.messaged("2000", "new", REFUSED, 8)
        desk.tracker.answered("2000", "new", "", 9)
    elif end == "not sent":
        desk.tracker.not_sent("2000")
    else:
        desk.tracker.doubted("2000")

    assert not owners(desk)
    assert isinstance(desk.said[-1], ExternalOrderSeen)
    desk.tracker.learn(7, M)
    desk.record("+매수", "체결", M, screen="0000", fill=10, open=0, amount=1_000)
    assert desk.filled() == [(10, 100, 10, 1_000)]


def test_a_persons_cancel_of_our_order_is_one_whatever_screen_it_bears() -> None:
    desk = living()
    ask(desk, Action.CANCEL)
    desk.record("매수취소", "접수", M, original=N, screen="0000")
    desk.record("매수취소", "확인", M, original=N, screen="0000", open=0)

    assert desk.kinds() == [OrderCanceled]


@pytest.mark.parametrize("screen", ["0000", "8282"])
def test_after_a_restart_nothing_is_bound_by_its_terms_alone(screen: str) -> None:
    desk = Desk()
    desk.tracker.know([known("")])
    desk.record("+매수", "체결", N, fill=3, open=7, amount=300, screen=screen)

    assert desk.kinds() == [ExternalOrderSeen]


def test_of_two_lost_orders_that_look_alike_none_is_guessed_to_be_the_one() -> None:
    desk = Desk()
    desk.tracker.know([known("", order=7), known("", order=8)])
    desk.record("+매수", "접수", N, screen="2006")

    assert desk.kinds() == [ExternalOrderSeen]


@pytest.mark.parametrize("late", ["접수", "체결"])
def test_an_order_that_was_refused_and_lives_all_the_same_is_ours(late: str) -> None:
    desk = sent()
    desk.tracker.messaged("2000", "new", REFUSED, 1)
    desk.tracker.answered("2000", "new", "", 2)
    desk.record("+매수", "접수", M, screen="2000", quantity=11)
    if late == "접수":
        desk.record("+매수", "접수", N)
    desk.record("+매수", "체결", N, fill=10, open=0, amount=1_000)

    assert desk.kinds() == [OrderRejected, ExternalOrderSeen, OrderAccepted, OrderFilled]


def test_a_text_after_the_record_refuses_nothing() -> None:
    desk = sent()
    desk.tracker.answered("2000", "new", "", 1)
    desk.record("+매수", "접수", N)
    desk.tracker.messaged("2000", "new", "[100000] 매수주문완료", 2)

    assert desk.kinds() == [OrderAccepted]


def test_an_order_given_up_by_the_lists_lives_again_by_its_screen_and_a_look_alike_stays_apart() -> None:
    desk = sent()
    desk.tracker.overdue("2000", "new", 9)
    desk.tracker.learn(7, "")
    desk.tracker.sending(replace(instruction(), order=8), "2001", "alike")
    desk.record("+매수", "접수", M, screen="2001")
    desk.record("+매수", "접수", N, screen="2000")

    assert owners(desk) == [(8, M), (7, N)]


def test_of_two_orders_that_were_sent_on_one_screen_the_later_is_meant() -> None:
    desk = sent()
    desk.tracker.messaged("2000", "new", REFUSED, 1)
    desk.tracker.answered("2000", "new", "", 2)
    desk.tracker.sending(replace(instruction(), order=8), "2000", "later")
    desk.tracker.overdue("2000", "later", 9)
    desk.tracker.spare()
    desk.record("+매수", "접수", N)

    assert owners(desk) == [(8, N)]


def test_a_fill_whose_amount_makes_no_sense_has_the_broker_asked_and_books_nothing() -> None:
    desk = filled_a_bit()
    desk.record("+매수", "체결", N, fill=2, open=7, amount=555)

    assert desk.kinds() == [OrderFilled, OrderUnknown]
    desk.record("+매수", "체결", N, fill=2, open=5, amount=500)
    assert desk.filled()[-1] == (2, 100, 5, 500)


def test_the_screen_that_the_journal_kept_decides() -> None:
    desk = Desk()
    orders: list[KnownOrder] = [known("", order=7, screen="2005"), known("", order=8)]
    desk.tracker.know(orders)
    desk.record("+매수", "접수", N, screen="2005")
    desk.record("+매수", "접수", M, screen="2077")

    assert owners(desk) == [(7, N), (8, M)]


@pytest.mark.parametrize("overdue", ["never", "before the lists", "after the lists"])
@pytest.mark.parametrize("text_first", [True, False])
def test_an_order_the_lists_showed_before_the_server_refused_it_is_dead(overdue: str, *, text_first: bool) -> None:
    desk = sent()
    if overdue == "before the lists":
        desk.tracker.overdue("2000", "new", 1)
    desk.tracker.learn(7, N)
    if overdue == "after the lists":
        desk.tracker.overdue("2000", "new", 1)
    desk.said.clear()
    if text_first:
        desk.tracker.messaged("2000", "new", REFUSED, 1)
    desk.tracker.answered("2000", "new", "", 2)
    if not text_first:
        desk.tracker.messaged("2000", "new", REFUSED, 3)
    (gone,) = desk.said

    assert isinstance(gone, OrderCanceled)
    assert (gone.broker_order, gone.canceled, gone.open, gone.reason) == (N, 10, 0, REFUSED)
    assert desk.released == ["2000"]


def test_a_late_answer_with_another_number_than_the_lists_told_makes_no_second_order() -> None:
    desk = sent()
    desk.tracker.overdue("2000", "new", 1)
    desk.tracker.learn(7, N)
    desk.tracker.answered("2000", "new", M, 2)
    desk.record("+매수", "체결", N, fill=4, open=6, amount=400)

    (fill,) = (message for message in desk.said if isinstance(message, OrderFilled))
    assert (fill.filled, fill.open) == (4, 6)


def test_a_blank_number_long_after_the_time_for_an_answer_refuses_without_a_text_too() -> None:
    desk = sent()
    desk.tracker.overdue("2000", "new", 1)
    desk.tracker.learn(7, N)
    desk.tracker.answered("2000", "new", "", 2)
    desk.tracker.overdue("2000", "new", 3)

    assert desk.kinds() == [OrderUnknown, OrderCanceled]
    assert desk.released == ["2000"]


@pytest.mark.parametrize("text", ["", REFUSED])
@pytest.mark.parametrize("fill", [0, 3])
@pytest.mark.parametrize("overdue", ["never", "before the lists", "after the record"])
def test_an_order_whose_records_came_is_refused_by_no_late_answer(overdue: str, fill: int, text: str) -> None:
    desk = sent()
    if overdue == "before the lists":
        desk.tracker.overdue("2000", "new", 1)
    desk.tracker.learn(7, N)
    desk.record("+매수", "체결" if fill else "접수", N, fill=fill, open=10 - fill, amount=100 * fill)
    if overdue == "after the record":
        desk.tracker.overdue("2000", "new", 2)
    desk.tracker.answered("2000", "new", "", 3)
    if text:
        desk.tracker.messaged("2000", "new", text, 3)
    desk.tracker.overdue("2000", "new", 4)

    assert OrderCanceled not in desk.kinds()
    desk.record("+매수", "체결", N, fill=10 - fill, open=0, amount=1_000)
    assert desk.filled()[-1] == (10 - fill, 100, 10, 1_000)
    assert desk.released == ["2000"]


def test_a_person_who_settles_an_order_that_the_lists_showed_frees_its_screen() -> None:
    desk = sent()
    desk.tracker.overdue("2000", "new", 1)
    desk.tracker.learn(7, N)
    desk.tracker.learn(7, "")

    assert desk.released == ["2000"]


@pytest.mark.parametrize("answer", [N, ""])
def test_an_order_the_lists_showed_first_needs_no_answer(answer: str) -> None:
    desk = sent()
    desk.tracker.learn(7, N)
    if answer:
        desk.tracker.answered("2000", "new", answer, 2)
    desk.tracker.overdue("2000", "new", 9)
    desk.record("+매수", "체결", N, fill=10, open=0, amount=1_000)

    assert desk.kinds() == [OrderFilled]
    assert desk.released == ["2000"]


def test_what_the_interface_called_not_sent_and_is_there_all_the_same_is_ours() -> None:
    desk = sent()
    desk.tracker.not_sent("2000")
    desk.record("+매수", "접수", N, screen="2000")
    desk.record("+매수", "체결", N, screen="2000", fill=10, open=0, amount=1_000)

    assert owners(desk) == [(7, N)]
    assert desk.filled() == [(10, 100, 10, 1_000)]


def test_a_first_try_that_was_sent_after_all_counts_beside_the_second() -> None:
    desk = sent()
    desk.tracker.not_sent("2000")
    desk.tracker.sending(instruction(), "2001", "again")
    desk.tracker.answered("2001", "again", N, 1)
    desk.record("+매수", "체결", N, screen="2001", fill=10, open=0, amount=1_000)
    desk.record("+매수", "체결", M, screen="2000", fill=10, open=0, amount=1_000)

    assert desk.filled() == [(10, 100, 10, 1_000), (10, 100, 20, 2_000)]
    assert ExternalOrderSeen not in desk.kinds()


def test_what_was_sent_at_the_second_try_is_one_order() -> None:
    desk = sent()
    desk.tracker.not_sent("2000")
    desk.tracker.sending(instruction(), "2001", "again")
    desk.tracker.answered("2001", "again", N, 1)
    desk.record("+매수", "체결", N, screen="2001", fill=10, open=0, amount=1_000)

    assert owners(desk) == [(7, N)]
    assert sorted(desk.released) == ["2000", "2001"]


def test_a_number_of_noughts_is_none() -> None:
    desk = sent()
    desk.tracker.answered("2000", "new", "0000000", 1)
    desk.tracker.messaged("2000", "new", REFUSED, 2)
    with pytest.raises(MalformedError):
        desk.record("+매수", "접수", "0000000")

    assert desk.kinds() == [OrderRejected]


@pytest.mark.parametrize("number", [N, ""])
def test_what_the_lists_say_of_an_order_that_was_never_handed_over_is_no_news_here(number: str) -> None:
    desk = Desk()
    desk.tracker.learn(7, number)
    desk.tracker.sending(instruction(), "2000", "new")
    desk.tracker.answered("2000", "new", M, 1)

    assert owners(desk) == [(7, M)]
