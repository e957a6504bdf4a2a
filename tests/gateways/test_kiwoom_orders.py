import itertools
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from actors.gateways.kiwoom.orders.chejan import order_record
from actors.gateways.kiwoom.real_time.records import MalformedError
from messages import (
    Action,
    CancelRejected,
    ExternalOrderSeen,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    OrderUnknown,
    ReconciliationWanted,
    ReplaceRejected,
)
from tests.gateways.order_desk import Desk, M, N, ask, fields, filled_a_bit, instruction, living, sent

RECORDED = Path(__file__).parents[2].parent / "shared" / "data" / "ocx" / "order_chejan_005930_20220118.jsonl"


@pytest.mark.parametrize("order", list(itertools.permutations(["answer", "text", "record"])))
def test_acceptance_is_said_once_whatever_comes_first(order: tuple[str, ...]) -> None:
    desk = sent()
    for event in order:
        if event == "answer":
            desk.tracker.answered("2000", "new", N, 1)
        elif event == "text":
            desk.tracker.messaged("2000", "new", "[100000] 매수주문완료", 1)
        else:
            desk.record("+매수", "접수", N)
    assert [type(message) for message in desk.said] == [OrderAccepted]
    assert desk.released == []


@pytest.mark.parametrize("text_first", [True, False])
def test_a_blank_number_is_a_refusal_with_the_servers_text(text_first: bool) -> None:
    desk = sent()
    if text_first:
        desk.tracker.messaged("2000", "new", "[00Z237] 장종료", 1)
    desk.tracker.answered("2000", "new", "", 2)
    if not text_first:
        assert desk.said == []
        desk.tracker.messaged("2000", "new", "[00Z237] 장종료", 3)
    assert desk.kinds() == [OrderRejected]
    assert isinstance(desk.said[0], OrderRejected)
    assert desk.said[0].reason == "[00Z237] 장종료"
    assert desk.released == ["2000"]


@pytest.mark.parametrize("text", ["[100000] 모의투자 매수주문완료", "[107066] 매수주문이 완료되었습니다."])
@pytest.mark.parametrize("text_first", [True, False])
def test_a_blank_number_whose_text_says_that_the_order_was_taken_is_no_refusal(text: str, text_first: bool) -> None:
    desk = sent()
    if text_first:
        desk.tracker.messaged("2000", "new", text, 1)
    desk.tracker.answered("2000", "new", "", 2)
    if not text_first:
        desk.tracker.messaged("2000", "new", text, 3)
    assert desk.said == []
    desk.tracker.overdue("2000", "new", 4)
    desk.record("+매수", "접수", N)
    assert desk.kinds() == [OrderUnknown, OrderAccepted]
    assert isinstance(desk.said[0], OrderUnknown)
    assert desk.said[0].reason == f"no number came: {text}"


def test_a_refusal_without_text_is_said_when_its_time_is_over() -> None:
    desk = sent()
    desk.tracker.answered("2000", "new", "", 2)
    desk.tracker.overdue("2000", "new", 3)
    desk.tracker.overdue("2000", "new", 4)
    assert desk.kinds() == [OrderRejected]


def test_an_order_without_answer_is_unknown_until_a_record_comes() -> None:
    desk = sent()
    desk.tracker.overdue("2000", "new", 3)
    desk.tracker.overdue("2000", "new", 4)
    desk.record("+매수", "접수", N)
    assert desk.kinds() == [OrderUnknown, OrderAccepted]


def test_an_order_that_fills_in_parts() -> None:
    desk = filled_a_bit()
    desk.record("+매수", "체결", N, fill=7, at=99, open=0, amount=993)
    assert desk.filled() == [(3, 100, 3, 300), (7, 99, 10, 993)]
    assert desk.released == ["2000"]


def test_a_repeated_fill_brings_nothing() -> None:
    desk = filled_a_bit()
    desk.record("+매수", "체결", N, fill=3, open=7, amount=300)
    desk.record("+매수", "접수", N)
    assert len(desk.said) == 1


def test_a_missed_fill_is_booked_from_the_difference() -> None:
    desk = filled_a_bit()
    desk.record("+매수", "체결", N, fill=2, open=1, amount=899)
    last = desk.said[-1]
    assert isinstance(last, OrderFilled)
    assert (last.source, last.quantity, last.filled, last.amount, last.open) == ("jump", 6, 9, 899, 1)
    desk.record("+매수", "체결", N, fill=4, at=99, open=3, amount=699)
    assert len(desk.said) == 2


def test_a_fill_may_come_before_everything_else() -> None:
    desk = sent()
    desk.record("+매수", "체결", N, fill=10, open=0, amount=1000)
    desk.record("+매수", "접수", N)
    desk.tracker.answered("2000", "new", N, 1)
    assert desk.kinds() == [OrderAccepted, OrderFilled]


CANCELING: dict[str, Callable[[Desk], None]] = {
    "answer": lambda desk: desk.tracker.answered("2001", "ask", M, 1),
    "taken": lambda desk: desk.record("매수취소", "접수", M, original=N, screen="2001"),
    "confirmed": lambda desk: desk.record("매수취소", "확인", M, original=N, screen="2001", open=0),
    "cleared": lambda desk: desk.record("+매수", "접수", N, open=0),
}


@pytest.mark.parametrize("order", list(itertools.permutations(CANCELING)))
def test_a_cancel_takes_the_rest_away_once(order: tuple[str, ...]) -> None:
    desk = living()
    ask(desk, Action.CANCEL)
    for event in order:
        CANCELING[event](desk)
    assert desk.kinds() == [OrderCanceled]
    assert isinstance(desk.said[0], OrderCanceled)
    assert (desk.said[0].broker_order, desk.said[0].canceled) == (N, 10)
    assert sorted(desk.released) == ["2000", "2001"]


@pytest.mark.parametrize("cleared_first", [True, False])
def test_a_cancel_after_a_partial_fill_leaves_the_fill(cleared_first: bool) -> None:
    desk = filled_a_bit()
    ask(desk, Action.CANCEL)
    desk.record("매수취소", "접수", M, original=N, screen="2001", quantity=7)
    for clearing in (cleared_first, not cleared_first):
        if clearing:
            desk.record("+매수", "체결", N, open=0, amount=300)
        else:
            desk.record("매수취소", "확인", M, original=N, screen="2001", quantity=7, open=0)
    assert desk.kinds() == [OrderFilled, OrderCanceled]
    assert isinstance(desk.said[1], OrderCanceled)
    assert desk.said[1].canceled == 7


@pytest.mark.parametrize("action", [Action.CANCEL, Action.REPLACE])
def test_a_request_that_comes_too_late_is_refused_and_changes_nothing(action: Action) -> None:
    desk = filled_a_bit()
    ask(desk, action)
    desk.record("+매수", "체결", N, fill=7, open=0, amount=1000)
    desk.tracker.answered("2001", "ask", "", 4)
    desk.tracker.messaged("2001", "ask", "[00Z924] 취소수량이 큽니다", 5)
    expected = CancelRejected if action is Action.CANCEL else ReplaceRejected
    assert desk.kinds() == [OrderFilled, OrderFilled, expected]
    assert sorted(desk.released) == ["2000", "2001"]


@pytest.mark.parametrize(
    ("action", "text", "record", "said"),
    [
        (Action.CANCEL, "[100000] 매수취소주문완료", "매수취소", OrderCanceled),
        (Action.REPLACE, "[100000] 매수정정주문완료", "+매수정정", OrderReplaced),
    ],
)
def test_a_request_that_was_taken_without_a_number_is_told_by_its_records(
    action: Action, text: str, record: str, said: type
) -> None:
    desk = living()
    ask(desk, action, price=105)
    desk.tracker.answered("2001", "ask", "", 4)
    desk.tracker.messaged("2001", "ask", text, 5)
    desk.record(record, "확인", M, original=N, screen="2001", price=105, open=0)
    assert desk.kinds() == [said]


REPLACING: dict[str, Callable[[Desk], None]] = {
    "answer": lambda desk: desk.tracker.answered("2001", "ask", M, 1),
    "taken": lambda desk: desk.record("+매수정정", "접수", M, original=N, screen="2001", price=105),
    "confirmed": lambda desk: desk.record("+매수정정", "확인", M, original=N, screen="2001", price=105),
    "cleared": lambda desk: desk.record("+매수", "접수", N, open=0),
}


@pytest.mark.parametrize("order", list(itertools.permutations(REPLACING)))
def test_a_modification_moves_the_order_to_its_new_number(order: tuple[str, ...]) -> None:
    desk = living()
    ask(desk, Action.REPLACE, price=105)
    for event in order:
        REPLACING[event](desk)
    assert desk.kinds() == [OrderReplaced]
    assert isinstance(desk.said[0], OrderReplaced)
    assert (desk.said[0].broker_order, desk.said[0].original) == (M, N)
    assert (desk.said[0].quantity, desk.said[0].price) == (10, 105)
    desk.record("+매수정정", "체결", M, original=N, fill=10, at=105, open=0, amount=1050, screen="2001")
    assert desk.filled() == [(10, 105, 10, 1050)]
    assert sorted(desk.released) == ["2000", "2001"]


@pytest.mark.parametrize("event", ["taken", "confirmed", "answer"])
def test_a_modification_whose_other_records_are_lost_still_fills(event: str) -> None:
    desk = living()
    ask(desk, Action.REPLACE, price=105)
    REPLACING[event](desk)
    desk.record("+매수정정", "체결", M, original=N, fill=10, at=105, open=0, amount=1050, screen="2001")
    assert desk.kinds() == [OrderReplaced, OrderFilled]


def test_a_modification_after_a_partial_fill_counts_the_whole_order() -> None:
    desk = filled_a_bit()
    ask(desk, Action.REPLACE, quantity=7, price=105)
    for status in ("접수", "확인"):
        desk.record("+매수정정", status, M, original=N, screen="2001", quantity=7, price=105)
    desk.record("+매수", "체결", N, open=0, amount=300)
    desk.record("+매수정정", "체결", M, original=N, quantity=7, fill=7, at=105, open=0, amount=735, screen="2001")
    assert desk.kinds() == [OrderFilled, OrderReplaced, OrderFilled]
    assert desk.filled()[-1] == (7, 105, 10, 1035)


def test_a_clearing_that_waits_for_a_refused_modification_is_a_cancellation() -> None:
    desk = living()
    ask(desk, Action.REPLACE)
    desk.record("+매수", "접수", N, open=0)
    assert desk.said == []
    desk.tracker.answered("2001", "ask", "", 4)
    desk.tracker.overdue("2001", "ask", 5)
    assert desk.kinds() == [ReplaceRejected, OrderCanceled]


def test_the_rest_of_an_order_that_may_not_rest_is_canceled() -> None:
    desk = filled_a_bit()
    desk.record("+매수", "체결", N, open=0, amount=300)
    assert isinstance(desk.said[-1], OrderCanceled)
    assert desk.said[-1].canceled == 7


def test_a_clearing_with_more_traded_than_was_seen_is_unknown() -> None:
    desk = living()
    desk.record("+매수", "체결", N, open=0, amount=300)
    assert desk.kinds() == [OrderUnknown]


def test_an_order_of_somebody_else_is_said_once() -> None:
    desk = living()
    desk.record("-매도", "접수", "0000900", side="1", screen="0000", code="A000660")
    desk.record("-매도", "체결", "0000900", side="1", screen="0000", code="A000660", fill=1, amount=100, open=9)
    desk.record("매도취소", "접수", "0000901", side="1", screen="0000", code="A000660", original="0000900")
    assert desk.kinds() == [ExternalOrderSeen]


def test_a_person_cancels_our_order_elsewhere() -> None:
    desk = living()
    desk.record("매수취소", "접수", "0000900", original=N, screen="0000")
    desk.record("매수취소", "확인", "0000900", original=N, screen="0000", open=0)
    assert desk.kinds() == [OrderCanceled]


def test_a_record_on_a_screen_of_ours_about_something_else_is_not_ours() -> None:
    desk = sent()
    desk.record("+매수", "접수", N, code="A000660")
    desk.record("+매수", "접수", "0000003", quantity=11)
    assert desk.kinds() == [ExternalOrderSeen, ExternalOrderSeen]


def test_what_is_open_at_the_end_of_the_day_expires() -> None:
    desk = filled_a_bit()
    desk.tracker.expire(9)
    desk.tracker.expire(9)
    assert desk.kinds() == [OrderFilled, OrderExpired]
    assert isinstance(desk.said[1], OrderExpired)
    assert desk.said[1].expired == 7


def test_a_late_refusal_does_not_give_the_acceptance_as_its_reason() -> None:
    desk = living()
    desk.tracker.messaged("2000", "new", "[100000] 매수주문완료", 2)
    desk.record("+매수", "거부", N)
    assert isinstance(desk.said[0], OrderCanceled)
    assert desk.said[0].reason == "refused without a reason"


def test_an_order_the_exchange_refuses_late_is_dead_and_the_broker_is_asked_once() -> None:
    desk = living()
    desk.record("+매수", "거부", N)
    desk.record("+매수", "거부", N)
    assert desk.kinds() == [OrderCanceled, ReconciliationWanted]


@pytest.mark.parametrize(
    ("fid", "value"),
    [(900, ""), (902, "x"), (903, "+-"), (913, "??"), (9203, ""), (907, "9"), (915, "1_0"), (9203, "0000000")],
)
def test_a_malformed_record_is_refused(fid: int, value: str) -> None:
    cells = fields("+매수", "체결", N, fill=1, amount=100, open=9)
    cells[fid] = value
    with pytest.raises(MalformedError):
        order_record(cells)


def test_the_recorded_market_order_is_accepted_and_filled() -> None:
    if not RECORDED.exists():
        pytest.skip("recorded events are not there")
    desk = Desk()
    desk.tracker.sending(instruction(quantity=1, price=0), "0001", "삼성전자 1주 시장가 신규 매수")
    for line in RECORDED.read_text("utf-8").splitlines():
        event = json.loads(line)
        screen, name, *rest = event["args"]
        values = event.get("single_data", {}).get("values", [])
        if event["event"] == "OnReceiveMsg":
            desk.tracker.messaged(screen, name, rest[-1], 1)
        elif event["event"] == "OnReceiveTrData":
            desk.tracker.answered(screen, name, values[0], 1)
        elif screen == "0":
            fids = (int(fid) for fid in rest[0].split(";"))
            desk.tracker.record(order_record(dict(zip(fids, values, strict=True))), 1)
    assert desk.kinds() == [OrderAccepted, OrderFilled]
    fill = desk.said[1]
    assert isinstance(fill, OrderFilled)
    assert (fill.broker_order, fill.fill, fill.price, fill.quantity) == ("0163911", "1234931", 77_000, 1)
    assert (fill.amount, fill.open, fill.commission, fill.source) == (77_000, 0, 260, "record")
    assert desk.released == ["0001"]


@pytest.mark.parametrize("fid", [908, 938, 939])
def test_a_fill_is_booked_although_its_time_or_its_costs_cannot_be_read(fid: int) -> None:
    cells = fields("+매수", "체결", N, fill=3, open=7, amount=300)
    record = order_record(cells | {fid: "?"})

    assert (record.fill_quantity, record.amount, record.commission, record.tax) == (3, 300, 0, 0)
    assert record.seconds == (None if fid == 908 else 36_000)
