"""An order at the broker that could be ours or a stranger's is bound to ours by evidence, not by a guess."""

import pytest
from msgspec.structs import replace

from actors.account.ledger import Booked, Ledger
from actors.account.order import Phase
from actors.gateways.port import BrokerOrder
from actors.market.time import SECOND
from actors.ordering.reconciliation import compare, confirmed
from messages import ExternalOrderSeen, Message, Nanoseconds, OrderRejected, OrderUnknown
from tests.account.records import NOON, OTHER, accepted, approval, folded, opened, submitting, unknown
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
