"""A start reads on from the last state that the journal carries over, and ends where one does that reads everything."""

from collections.abc import AsyncIterator, Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from actors.account import invariants
from actors.account.carrying import carried, restore
from actors.account.ledger import Booked, Ledger
from actors.account.recovery import replay
from actors.market.time import SECOND
from messages import ExternalOrderSeen, LedgerCarried, LedgerFolded, Message, Nanoseconds, PositionAdjusted, Reconciled
from messages.instruments import Shares, Symbol, Won
from runtime.bus import RUN_BITS
from runtime.envelope import Envelope
from runtime.testing import in_virtual_time
from tests.account.records import (
    BUY,
    CODE,
    NOON,
    OTHER,
    SELL,
    approval,
    canceled,
    filled,
    folded,
    held,
    listed,
    opened,
    submitting,
)
from tests.ordering.fakes import FakeJournal

_DAY = 86_400 * SECOND
MORNING = Nanoseconds(NOON + _DAY)


class Reader(FakeJournal):
    """Notes from where on it was read."""

    def __init__(self, *messages: Message) -> None:
        super().__init__(*messages)
        self.asked: list[int] = []

    def read(self, first: int = 0, types: tuple[type[Message], ...] = (Message,)) -> AsyncIterator[Envelope]:
        self.asked.append(first)
        return super().read(first, types)


def bought() -> list[Booked]:
    """A day on which 10 shares were bought, and 3 of them sold again."""
    return [
        opened(),
        listed(),
        approval(3),
        filled(10, 100_001, 3, last=10, commission=10),
        approval(4, SELL, 3),
        filled(3, 30_100, 4, SELL, last=3, asked=3, tax=60),
    ]


def morning(ledger: Ledger) -> Reconciled:
    position = held(ledger.held(CODE), ledger.lots("momentum", CODE).cost, last=10_200)
    return opened(ledger.cash, position, time=MORNING)


def overnight(*proof: Message) -> tuple[list[Message], Ledger]:
    """A journal with a state in its second day, and the ledger that has read all of it."""
    past = bought()
    ledger = folded(past)
    past.append(morning(ledger))
    ledger.fold(past[-1], len(past))
    state = carried(ledger, len(past))
    assert state is not None
    journal: list[Message] = [*past, *proof, state]
    for order in (approval(20, SELL, 7), replace(filled(2, 20_400, 20, SELL, last=2, asked=7), time=MORNING)):
        journal.append(order)
        ledger.fold(order, len(journal))
    return journal, ledger


def known(ledger: Ledger) -> tuple[object, ...]:
    figures = ledger.digest(), ledger.opening, ledger.high, ledger.reserved, ledger.equity
    return *figures, ledger.orders, list(ledger.each()), ledger.markets, ledger.limits


@in_virtual_time
async def test_a_start_goes_on_from_the_newest_state_and_reads_nothing_of_the_days_before() -> None:
    journal, everything = overnight()
    reader, ledger = Reader(*journal), Ledger()

    assert await replay(reader, ledger) == "2025-09-03"
    assert known(ledger) == known(everything)
    assert reader.asked[-1] == len(bought()) + 2, "behind the morning's reconciliation"


@in_virtual_time
async def test_a_journal_without_a_state_is_read_from_its_beginning() -> None:
    reader, ledger = Reader(*bought()), Ledger()

    assert await replay(reader, ledger) == ""
    assert (reader.asked, ledger.digest()) == ([0], folded(bought()).digest())


@in_virtual_time
async def test_a_state_that_another_keeper_contradicts_is_nothing_to_go_on_from() -> None:
    past = len(bought()) + 1
    journal, everything = overnight(LedgerFolded(reconciliation=past, digest="another"))
    reader, ledger = Reader(*journal), Ledger()

    assert await replay(reader, ledger) == ""
    assert reader.asked[-1] == 0
    assert ledger.digest() == everything.digest()


@in_virtual_time
async def test_a_digest_of_another_reconciliation_contradicts_nothing() -> None:
    journal, everything = overnight(LedgerFolded(reconciliation=1, digest="another"))
    ledger = Ledger()

    assert await replay(Reader(*journal), ledger)
    assert ledger.digest() == everything.digest()


def test_no_state_is_carried_while_an_order_stands_nor_on_the_day_it_ended() -> None:
    standing = folded([opened(), approval(3), submitting(3)])
    assert carried(standing, standing.number) is None
    ended = folded([opened(), approval(3), filled(4, 40_000, 3, last=4), canceled(3, 6)])
    assert carried(ended, ended.number) is None
    ended.fold(morning(ended), ended.number + 1)
    assert carried(ended, ended.number) is not None


def test_an_order_without_an_end_keeps_the_next_day_from_being_carried_over() -> None:
    ledger = folded([opened(), approval(3), submitting(3)])
    ledger.fold(opened(ledger.cash, time=MORNING), ledger.number + 1)

    assert carried(ledger, ledger.number) is None


def test_a_ledger_that_has_read_beyond_the_reconciliation_tells_no_state_of_it() -> None:
    ledger = folded([opened(), listed()])

    assert carried(ledger, 1) is None


def test_a_state_knows_of_shares_nobody_here_bought_and_of_orders_nobody_here_placed() -> None:
    stranger = ExternalOrderSeen(symbol=CODE, time=NOON, broker_order="0000077", description="by hand")
    came = PositionAdjusted(
        symbol=OTHER, time=NOON, quantity=Shares(5), cost=Won(50_000), cash=Won(-50_000), reason="by hand"
    )
    ledger = folded([opened(), stranger, came])
    state = carried(ledger, ledger.number)
    assert state is not None
    again = Ledger()
    restore(again, state)

    assert known(again) == known(ledger)
    assert again.strangers == ledger.strangers


@pytest.mark.parametrize("figure", ["cash", "opening", "high", "losers", "realised", "tax"])
def test_a_state_that_lies_is_a_breach_though_a_later_day_forgets_the_figure(figure: str) -> None:
    journal, ledger = overnight()
    evening = replace(canceled(20, 5), time=MORNING)
    tomorrow = replace(morning(ledger), time=Nanoseconds(MORNING + _DAY))
    said = [Envelope(number, NOON, "", 0, message) for number, message in enumerate((*journal, evening, tomorrow), 1)]
    assert not invariants.carried_truly(said)
    place, state = next((n, e.message) for n, e in enumerate(said) if isinstance(e.message, LedgerCarried))
    lie: dict[str, Any] = {figure: getattr(state, figure) + 1}
    said[place] = Envelope(place + 1, NOON, "", 0, replace(state, **lie))

    assert invariants.carried_truly(said)


def a_life(seed: int) -> Iterator[Booked]:
    """Days of orders of two issues that fill in part, of matches with a broker who agrees, and of runs told anew."""
    rng, ledger, order = Random(seed), Ledger(), 100
    for day in range(4):
        time = Nanoseconds(NOON + day * _DAY)
        for look in range(rng.randrange(5)):
            start = not look or rng.random() < 0.3
            yield from _booked(ledger, _match(ledger, time, start=start))
            if start:
                yield from _booked(ledger, listed(CODE), listed(OTHER))
            if rng.random() < 0.7:
                order += 1
                yield from _booked(ledger, *_order(rng, ledger, order, time))


def _booked(ledger: Ledger, *messages: Booked) -> Iterator[Booked]:
    for message in messages:
        ledger.fold(message, ledger.number + 1)
        yield message


def _match(ledger: Ledger, time: Nanoseconds, *, start: bool) -> Reconciled:
    return opened(ledger.cash or 1_000_000, *ledger.positions(), time=time, start=start)


def _order(rng: Random, ledger: Ledger, number: int, time: Nanoseconds) -> Iterator[Booked]:
    symbol: Symbol = rng.choice((CODE, OTHER))
    owner = rng.choice(("momentum", "reversion"))
    sells = ledger.lots(owner, symbol).quantity > 0 and rng.random() < 0.6
    asked = ledger.lots(owner, symbol).quantity if sells else rng.randrange(1, 20)
    side = SELL if sells else BUY
    yield approval(number, side, asked, symbol=symbol, strategy=owner)
    asking = submitting(number, quantity=Shares(asked), side=side)
    yield replace(asking, symbol=symbol, strategy=owner, time=time)
    part = rng.randrange(asked + 1)
    if part:
        fill = filled(part, part * rng.randrange(9_000, 11_000), number, side, last=part, asked=asked)
        costs = {"commission": Won(rng.randrange(50)), "tax": Won(rng.randrange(50))}
        yield replace(fill, symbol=symbol, strategy=owner, time=time, **costs)
    if part < asked and rng.random() < 0.9:
        yield replace(canceled(number, asked - part), symbol=symbol, strategy=owner, time=time)


@given(st.integers(0, 2**32))
def test_whatever_days_went_before_each_state_that_is_carried_over_is_the_journals(seed: int) -> None:
    journal: list[Envelope] = []
    ledger, runs = Ledger(), 0
    for message in a_life(seed):
        runs += isinstance(message, Reconciled) and message.start
        number = (runs << RUN_BITS) + len(journal) + 1
        journal.append(Envelope(number, NOON, "", 0, message))
        ledger.fold(message, number)
        state = carried(ledger, number) if isinstance(message, Reconciled) else None
        if state is not None:
            journal.append(Envelope(number + 1, NOON, "", 0, state))

    assert not invariants.carried_truly(journal)
