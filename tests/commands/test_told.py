"""`why` reads no more of a journal than its question needs, and answers as if it had read everything."""

import asyncio
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from actors.account.carrying import carried
from actors.account.ledger import Booked, Ledger
from actors.commands import told
from actors.commands.told import Told
from actors.commands.why import NothingKnown, of_order
from actors.commands.why_order import find, way
from actors.commands.why_symbol import silence
from actors.commands.wording import Prices
from messages import (
    LedgerFolded,
    Message,
    Nanoseconds,
    OrderIntent,
    Purpose,
    Shares,
    Side,
    StrategyDisabled,
    Symbol,
    Won,
)
from runtime.bus import RUN_BITS
from runtime.clock import SECOND, WallClock
from runtime.disk import chain
from runtime.disk.journal import NAME, Journal
from runtime.envelope import Envelope
from tests.account.records import CODE, NOON, OTHER, accepted, approval, filled, listed, opened, sent, submitting

DAY = 86_400 * SECOND
DAYS = 4
FORGOTTEN = Symbol("900990")
"""Named on the first day alone."""


async def record(folder: Path, days: Iterable[int] = range(DAYS), *, contradicted: bool = False) -> None:
    """Each day buys ten shares more, with the state of the account before its order."""
    ledger = Ledger()
    for place, day in enumerate(days):
        async with Journal(folder, clock=WallClock()) as journal:
            number = journal.run << RUN_BITS

            def say(message: Message, day: int = day, journal: Journal = journal) -> int:
                nonlocal number
                number += 1
                if isinstance(message, Booked):
                    ledger.fold(message, number)
                journal.append(Envelope(number, NOON + day * DAY, "somebody", 0, message))
                return number

            say(listed())
            reconciliation = say(opened(1_000_000 - 100_015 * place, time=Nanoseconds(NOON + day * DAY)))
            state = carried(ledger, reconciliation)
            assert state is not None
            say(LedgerFolded(reconciliation=reconciliation, digest="another" if contradicted else ledger.digest()))
            say(state)
            if not place:
                say(listed(FORGOTTEN))
                say(StrategyDisabled(strategy="reversion", symbol=OTHER, repeats=5))
            for message in (*bought(say(wish())), listed(OTHER)):
                say(message)
            await journal.durable(number)


def wish() -> OrderIntent:
    return OrderIntent(
        symbol=CODE,
        side=Side.BUY,
        quantity=Shares(10),
        price=Won(10_000),
        purpose=Purpose.ENTRY,
        strategy="momentum",
        reason="rose",
    )


def bought(order: int) -> tuple[Message, ...]:
    number = f"{order >> RUN_BITS:07}"
    fill = filled(10, 100_000, order, last=10, commission=15, broker_order=number)
    return approval(order), submitting(order), sent(order), accepted(order, number), fill


@pytest.fixture(scope="module", params=[False, True], ids=["states that stand", "states somebody contradicts"])
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    asyncio.run(record(folder, contradicted=request.param))
    return folder / NAME


def everything(path: Path) -> Told:
    return Told(path, None, list(chain.envelopes(path)))


@pytest.mark.parametrize("run", range(1, DAYS + 1))
def test_the_way_of_an_order_is_the_same_from_the_state_of_its_morning_on(path: Path, run: int) -> None:
    order = find(path, f"000000{run}")
    assert order is not None
    assert order == find(path, f"{run}:{order - (run << RUN_BITS)}")
    with closing(Prices(path.parent)) as prices:
        lines = way(told.about(path, order), order, prices)

        assert lines == way(everything(path), order, prices)
    assert any("cash        -100,015 won" in line for line in lines)


@pytest.mark.parametrize("day", range(-1, DAYS + 1))
@pytest.mark.parametrize("symbol", [CODE, OTHER, FORGOTTEN])
def test_a_silence_is_explained_as_by_the_whole_journal(path: Path, symbol: Symbol, day: int) -> None:
    at = NOON + day * DAY
    with closing(Prices(path.parent)) as prices:
        lines = silence(told.around(path, at), symbol, at, 60.0, prices)

        assert lines == silence(everything(path), symbol, at, 60.0, prices)
    assert any("reversion may not enter" in line for line in lines) == (day >= 0)
    assert not any("named nowhere" in line for line in lines)


@pytest.mark.parametrize("day", [-2, 0, 1, 2, 3])
def test_a_run_whose_clock_was_wrong_hides_no_day_before_it(tmp_path: Path, day: int) -> None:
    asyncio.run(record(tmp_path, (0, 1, -2, 2, 3)))
    path, at = tmp_path / NAME, NOON + day * DAY
    with closing(Prices(tmp_path)) as prices:
        assert silence(told.around(path, at), CODE, at, 60.0, prices) == silence(
            everything(path), CODE, at, 60.0, prices
        )


def test_a_word_of_the_journal_is_no_code(path: Path) -> None:
    with closing(Prices(path.parent)) as prices:
        at = NOON + (DAYS - 1) * DAY
        lines = silence(told.around(path, at), Symbol("buy"), at, 60.0, prices)

    assert any("named nowhere" in line for line in lines)


def test_only_the_days_that_are_asked_about_are_read(tmp_path: Path) -> None:
    asyncio.run(record(tmp_path))
    path = tmp_path / NAME
    newest = find(path, "0000004")
    assert newest is not None

    assert {envelope.number >> RUN_BITS for envelope in told.about(path, newest).envelopes} == {DAYS}
    around = told.around(path, NOON + (DAYS - 1) * DAY).envelopes
    assert {envelope.number >> RUN_BITS for envelope in around[1:]} == {DAYS - 1, DAYS}
    assert isinstance(around[0].message, StrategyDisabled)


def test_an_order_nobody_asked_for_is_said_to_be_none(path: Path) -> None:
    with pytest.raises(NothingKnown, match="no order 0000999"):
        of_order(path.parent, "0000999")
