"""What a campaign would find if an order were lost, doubled or made up."""

import asyncio
from pathlib import Path

import pytest

from actors.account.ledger import Booked
from actors.campaigns.chaos.reckoning import Reckoning, Truth
from actors.exchange.orders import REFUSED, TRADED
from actors.exchange.records import AccountState, FillRecord, OrderRecord
from messages import Action, HaltTrading, Kind, Message, Nanoseconds, Shares, Side, Validity, Won
from runtime.envelope import Envelope
from tests.account.records import CODE, NOON, accepted, approval, filled, opened, submitting, unknown
from tests.runtime.disk.test_journal import write

PRICE = 10_000


def told(folder: Path, *messages: Message) -> Reckoning:
    reckoning = Reckoning(folder)
    for number, message in enumerate(messages, 1):
        reckoning.told.append(Envelope(number, NOON, "trader", 0, message))
        if isinstance(message, Booked):
            reckoning.ledger.fold(message, number)
    return reckoning


def order(number: str = "0000001", quantity: int = 10, *, status: str = TRADED) -> OrderRecord:
    return OrderRecord(
        number=number,
        original="",
        first=number,
        tag="",
        action=Action.NEW,
        symbol=CODE,
        side=Side.BUY,
        kind=Kind.LIMIT,
        validity=Validity.DAY,
        quantity=Shares(quantity),
        price=Won(PRICE),
        open=Shares(0),
        filled=Shares(0),
        amount=Won(0),
        commission=Won(0),
        tax=Won(0),
        status=status,
        sent=NOON,
        time=NOON,
        reason="",
    )


def fill(quantity: int, number: str = "0000001", *, time: int = NOON) -> FillRecord:
    return FillRecord(
        fill="0000001",
        number=number,
        symbol=CODE,
        side=Side.BUY,
        time=Nanoseconds(time),
        price=Won(PRICE),
        quantity=Shares(quantity),
    )


def truth(*records: OrderRecord | FillRecord) -> Truth:
    orders = tuple(record for record in records if isinstance(record, OrderRecord))
    fills = tuple(record for record in records if isinstance(record, FillRecord))
    money = dict.fromkeys(
        ("deposit", "deposit_next", "deposit_settled", "reserved", "orderable", "orderable_deposit", "bought"), Won(0)
    ) | dict.fromkeys(("sold", "realised", "commission", "tax"), Won(0))
    return Truth(orders, fills, AccountState(account="1", time=NOON, holdings=(), orders=orders, fills=fills, **money))


ORDERED = (opened(), approval(), submitting())
BOUGHT = (*ORDERED, accepted(), filled(10, 10 * PRICE, last=10))


def test_what_agrees_is_no_breach(tmp_path: Path) -> None:
    assert told(tmp_path, *BOUGHT).recovered(truth(order(), fill(10)), NOON) == []


def test_a_fill_of_before_the_start_that_is_not_booked_is_lost(tmp_path: Path) -> None:
    (breach,) = told(tmp_path, *ORDERED, accepted()).recovered(truth(order(), fill(10)), NOON)
    assert breach.startswith("I2: order 1 (0000001): 0 filled here; at the exchange 10 before the start")


def test_a_fill_since_the_start_may_still_be_on_its_way(tmp_path: Path) -> None:
    assert told(tmp_path, *ORDERED, accepted()).recovered(truth(order(), fill(10, time=NOON + 1)), NOON) == []


def test_a_fill_that_never_was_is_found(tmp_path: Path) -> None:
    (breach,) = told(tmp_path, *BOUGHT).recovered(truth(order(), fill(9)), NOON)
    assert "10 filled here; at the exchange 9 before the start, 9 by now" in breach


def test_an_order_that_nobody_here_knows_is_found_unless_one_waits_for_it(tmp_path: Path) -> None:
    world = truth(order(), order("0000002"))
    (breach,) = told(tmp_path, *ORDERED, accepted()).recovered(world, NOON)
    assert breach == "I5: order 0000002 at the exchange is nobody's here"
    waits = told(tmp_path, *ORDERED, unknown())
    assert waits.recovered(truth(order()), NOON) == []
    assert waits.pending(truth(order())) == 1


def test_an_order_that_the_exchange_refused_needs_no_owner(tmp_path: Path) -> None:
    world = truth(order(), order("0000002", status=REFUSED))
    assert told(tmp_path, *ORDERED, accepted()).recovered(world, NOON) == []


def test_an_order_that_two_intents_claim_is_found(tmp_path: Path) -> None:
    messages = (*ORDERED, accepted(), approval(2), submitting(2), accepted(2))
    (breach,) = told(tmp_path, *messages).recovered(truth(order()), NOON)
    assert breach == "I3: order 0000001 at the exchange is claimed by 1, 2"


def test_an_intent_that_was_placed_twice_is_found(tmp_path: Path) -> None:
    messages = (*ORDERED, accepted(), accepted(1, "0000002"))
    breaches = told(tmp_path, *messages).recovered(truth(order(), order("0000002")), NOON)
    assert breaches == [
        "I3: order 1 was placed as 0000001, 0000002",
        f"I6: {Action.NEW} of order 1 was sent without a record",
    ]


def test_what_left_without_an_approval_is_found_at_the_next_recovery(tmp_path: Path) -> None:
    breaches = told(tmp_path, opened(), submitting(), accepted()).recovered(truth(order()), NOON)
    assert sorted(breach[:3] for breach in breaches) == ["I5:", "I7:"]


@pytest.mark.parametrize(("status", "odd"), [(REFUSED, 0), (TRADED, 1)])
def test_a_start_that_waits_for_a_person_does_so_for_an_order_the_exchange_refused(
    tmp_path: Path, status: str, odd: int
) -> None:
    asyncio.run(write(tmp_path, count=1))
    doubt = "the account cannot be trusted: order 1: 0000001 is not in the broker's lists"
    halted = told(tmp_path, HaltTrading(reason=doubt, by="reconciliation"))
    found = [breach for breach in halted.closed(truth(order(status=status))) if "halted by" in breach]
    assert len(found) == odd


def test_the_differences_of_a_day_are_counted(tmp_path: Path) -> None:
    lost, doubled, won = told(tmp_path, *ORDERED, accepted()).differences(truth(order(), fill(10), order("0000002")))
    assert (lost, doubled, won) == (1, 1, 1_000_000)


def test_a_record_that_was_said_and_never_stored_is_missed(tmp_path: Path) -> None:
    first, _ = asyncio.run(write(tmp_path, count=3))
    reckoning = Reckoning(tmp_path)

    assert [reckoning.read(number) for number in (first, first, first + 2, first + 3, first + 2)] == [
        True,
        True,
        True,
        False,
        True,
    ]
    assert len(reckoning.told) == 3
