from actors.account import invariants
from messages import Action, Message
from runtime.envelope import Envelope
from runtime.mailbox import Statistics
from tests.account.records import CODE, accepted, approval, filled, folded, holding, opened, submitting


def envelopes(*messages: Message) -> list[Envelope]:
    return [Envelope(number, 0, "test", 0, message) for number, message in enumerate(messages, 1)]


def test_a_fill_that_is_there_twice_is_found() -> None:
    one, two = filled(3, 30_000, fill="0001"), filled(5, 50_000, fill="0002")

    assert not invariants.one_fill_once([one, two])
    assert invariants.one_fill_once([one, two, one]) == [f"I1: fill {CODE}/0000001/0001 is there 2 times"]


def test_positions_and_cash_that_differ_are_found() -> None:
    ledger = holding()

    assert not invariants.positions_agree(ledger, {CODE: 10})
    assert invariants.positions_agree(ledger, {}) == [f"I2: {CODE}: 10 here, 0 at the broker"]
    assert not invariants.cash_agrees(ledger, cash=900_000, commission=0, tax=0)
    assert len(invariants.cash_agrees(ledger, cash=900_001, commission=1, tax=1)) == 3


def test_an_intent_with_two_orders_is_found_but_a_chain_of_changes_is_one_order() -> None:
    bound = [(1, "0000001"), (1, "0000002")]

    assert invariants.one_order_an_intent(bound) == ["I3: intent 1 became orders 0000001, 0000002"]
    assert not invariants.one_order_an_intent(bound, [("0000002", "0000001")])


def test_more_filled_here_than_at_the_broker_is_found() -> None:
    fills = [filled(3, 30_000, last=3), filled(5, 50_000, last=2)]

    assert not invariants.no_phantom(fills, {"0000001": 5})
    assert invariants.no_phantom(fills, {"0000001": 4}) == ["I5: order 0000001: 5 filled here, 4 at the broker"]


def test_what_was_sent_without_a_record_is_found() -> None:
    assert not invariants.written_first([submitting()], [(1, Action.NEW)])
    assert invariants.written_first([submitting()], [(1, Action.NEW), (1, Action.CANCEL)])
    assert invariants.written_first([submitting()], [(1, Action.NEW)] * 2)


def test_a_submission_without_its_approval_or_on_other_terms_is_found() -> None:
    assert not invariants.risk_first(envelopes(approval(), submitting()))
    assert invariants.risk_first(envelopes(submitting(), approval()))
    assert invariants.risk_first(envelopes(approval(quantity=9), submitting()))
    assert not invariants.risk_first(envelopes(submitting(action=Action.CANCEL)))


def test_a_mailbox_whose_books_do_not_balance_is_found() -> None:
    fair = Statistics(offered=10, handled=6, conflated=2, refused=1, depth=1, high_water=4, oldest=0.0)
    lossy = Statistics(offered=10, handled=6, conflated=2, refused=0, depth=1, high_water=4, oldest=0.0)

    assert not invariants.bounded({"risk": fair}, {"risk": 4})
    assert invariants.bounded({"risk": lossy}) == ["I9: risk: 10 offered, 9 accounted for"]
    assert invariants.bounded({"risk": fair}, {"risk": 3}) == ["I9: risk: 4 waited, 3 may"]


def test_an_unsound_ledger_is_found() -> None:
    ledger = folded([opened(), approval(), filled(12, 120_000, last=12)])
    ledger.lots("momentum", CODE).trade(-20, 200_000)

    assert invariants.sound(ledger) == ["order 1: 12 filled of 10", f"{CODE} of momentum: -8 held"]
    assert not invariants.sound(holding())


def test_two_look_alikes_under_way_at_once_are_found() -> None:
    first, second, other = submitting(1), submitting(2), submitting(3, quantity=11)

    assert invariants.look_alikes_apart(envelopes(first, other, second)) == [
        "I3: order 2 was sent while 1 was under way"
    ]
    assert not invariants.look_alikes_apart(envelopes(first, first, accepted(), second, other))
