"""An order at the broker that could be ours or a stranger's is bound to ours by evidence, not by a guess."""

import pytest
from msgspec.structs import replace

from actors.account.ledger import Booked, Ledger
from actors.account.order import Phase
from actors.gateways.port import BrokerOrder
from actors.market.time import SECOND
from actors.ordering.findings import confirmed
from actors.ordering.reconciliation import compare
from actors.ordering.statement import known_orders
from messages import ExternalOrderSeen, Message, Nanoseconds, OrderRejected, OrderUnknown
from tests.account.records import (
    CODE,
    NOON,
    OTHER,
    accepted,
    approval,
    folded,
    opened,
    rejected,
    sent,
    submitting,
    unknown,
)
from tests.ordering.fakes import listed_order, state

EARLIER = (approval(5, symbol=OTHER), submitting(5, symbol=OTHER), accepted(5, "0000050", symbol=OTHER))
"""An order of ours in another issue, known to the broker as 0000050."""
LOST = (approval(), submitting(), unknown())
KNOWN = replace(listed_order("0000050"), symbol=OTHER)


def looked(*past: Booked, rows: tuple[BrokerOrder, ...]) -> tuple[Ledger, list[Message]]:
    """What two equal looks, long after, book."""
    ledger = folded([opened(), *past])
    there = replace(state(1_000_000, *rows), time=Nanoseconds(NOON + 30 * SECOND))
    said: list[Message] = []
    for finding in confirmed(compare(ledger, there), compare(ledger, there)):
        for message in finding.messages:
            ledger.fold(message, ledger.number + 1)  # type: ignore[arg-type]
            said.append(message)
    return ledger, said


@pytest.mark.parametrize(("number", "phase"), [("0000049", Phase.UNKNOWN), ("0000051", Phase.OPEN)])
def test_a_look_alike_with_a_number_from_before_ours_was_sent_is_left_to_a_person(number: str, phase: Phase) -> None:
    ledger, said = looked(*EARLIER, *LOST, rows=(KNOWN, listed_order(number)))

    assert ledger.orders[1].phase is phase
    assert not [m for m in said if isinstance(m, OrderRejected)]


def test_a_number_that_came_after_ours_was_sent_says_nothing() -> None:
    late = (EARLIER[0], EARLIER[1], *LOST, EARLIER[2])
    ledger, _ = looked(*late, rows=(KNOWN, listed_order("0000049")))

    assert ledger.orders[1].broker_order == "0000049"


def test_the_number_of_a_stranger_that_was_told_before_is_a_mark_too() -> None:
    told = ExternalOrderSeen(symbol=OTHER, time=NOON, broker_order="0000050", description="a person's")
    ledger, _ = looked(told, *LOST, rows=(listed_order("0000049"),))

    assert ledger.orders[1].phase is Phase.UNKNOWN


@pytest.mark.parametrize("silent", [(approval(), submitting()), LOST])
def test_of_two_look_alikes_none_is_taken_and_a_person_is_called(silent: tuple[Booked, ...]) -> None:
    ledger, said = looked(*silent, rows=(listed_order("0000007"), listed_order("0000008")))

    assert ledger.orders[1].phase is Phase.UNKNOWN
    assert len([m for m in said if isinstance(m, OrderUnknown)]) == (0 if silent is LOST else 1)


REFUSED = (approval(), submitting(), sent(), rejected())
"""Its answer had no number, which is a refusal as far as anybody can see."""


def test_an_order_refused_by_an_answer_alone_that_the_lists_show_is_ours_all_the_same() -> None:
    ledger, _ = looked(*REFUSED, rows=(listed_order(),))

    assert (ledger.orders[1].phase, ledger.orders[1].broker_order) == (Phase.OPEN, "0000001")


@pytest.mark.parametrize("past", [(approval(), submitting(), rejected()), REFUSED], ids=["never sent", "told since"])
def test_a_refused_order_is_not_what_was_never_sent_or_what_live_records_called_a_strangers(
    past: tuple[Booked, ...],
) -> None:
    told = ExternalOrderSeen(symbol=CODE, time=NOON, broker_order="0000001", description="a person's")
    since = (told,) if past is REFUSED else ()
    ledger, said = looked(*past, *since, rows=(listed_order(),))

    assert ledger.orders[1].phase is Phase.REJECTED
    assert not said


def test_a_list_that_was_read_before_the_refusal_opens_no_refused_order() -> None:
    ledger = folded([opened(), *REFUSED])
    nothing, listed = state(1_000_000, KNOWN), state(1_000_000, KNOWN, listed_order())

    assert not confirmed(compare(ledger, nothing), compare(ledger, listed))
    assert confirmed(compare(ledger, listed), compare(ledger, listed))


@pytest.mark.parametrize("before", [(), (listed_order(),)], ids=["listed once", "listed before and after"])
def test_nor_does_it_open_one_whose_answer_was_long_in_coming(before: tuple[BrokerOrder, ...]) -> None:
    waiting, refused = folded([opened(), *LOST]), folded([opened(), *LOST, rejected()])
    first, second = state(1_000_000, KNOWN, *before), state(1_000_000, KNOWN, listed_order())

    assert not confirmed(compare(waiting, first), compare(refused, second))
    assert confirmed(compare(refused, second), compare(refused, second))


def test_an_order_that_a_person_places_anew_after_settling_the_first_is_the_persons() -> None:
    told = ExternalOrderSeen(symbol=CODE, time=NOON, broker_order="0000009", description="by hand")
    ledger, said = looked(*LOST, rejected(), told, rows=(listed_order("0000009"),))

    assert ledger.orders[1].phase is Phase.REJECTED
    assert not said


def test_a_refused_order_that_lives_is_found_while_the_lists_lack_another() -> None:
    missing = (approval(2, price=9_000), submitting(2, price=9_000), sent(2), accepted(2, "0000002"))
    ledger, _ = looked(*missing, *REFUSED, rows=(listed_order("0000009"),))

    assert ledger.orders[1].phase is Phase.OPEN


def test_of_a_refused_order_nothing_is_said_where_two_could_be_it_or_none() -> None:
    for rows in ((listed_order("0000007"), listed_order("0000008")), (KNOWN,)):
        ledger, said = looked(*EARLIER, *REFUSED, rows=(KNOWN, *rows))

        assert ledger.orders[1].phase is Phase.REJECTED
        assert not said


def test_a_refused_order_is_known_to_a_new_connection_by_its_screen() -> None:
    (known,) = known_orders(folded([opened(), *REFUSED]), NOON)

    assert (known.order, known.broker_order) == (1, "")
