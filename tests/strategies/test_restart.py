"""A strategy that starts again goes on with what it holds and what is open, whoever changed it meanwhile."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from actors.account.carrying import carried
from actors.account.ledger import Ledger
from actors.market.storage import store
from actors.market.time import SECOND
from actors.strategies import memory
from actors.strategies.base import Strategy
from actors.strategies.memory import prices
from actors.strategies.momentum import Momentum
from messages import (
    Bar,
    CancelOrder,
    LedgerCarried,
    LedgerFolded,
    Message,
    Nanoseconds,
    OrderIntent,
    Purpose,
    Reconciled,
    Shares,
    Side,
    Symbol,
    Tick,
    UniverseChanged,
    Venue,
    Won,
)
from runtime.actor import handles
from runtime.clock import SteppedClock
from runtime.disk.database import Database
from runtime.disk.journal import Journal
from runtime.envelope import Envelope
from runtime.testing import START, Stage, in_virtual_time
from tests.fake_feed import instrument
from tests.market.market_data import CODE, OTHER, bar, tick
from tests.market.storage import writing
from tests.strategies.orders import adjusted, approved, fill, reconciled, submitting

FIRST = 1 << 40
YESTERDAY = Nanoseconds(START - 86_400 * SECOND)


def intent(side: Side) -> OrderIntent:
    return OrderIntent(
        symbol=CODE,
        side=side,
        quantity=Shares(10),
        price=Won(10_000),
        purpose=Purpose.EXIT if side is Side.SELL else Purpose.ENTRY,
        strategy="mine",
        reason="",
    )


def keep(folder: Path, *said: tuple[str, Message], first: int = FIRST + 2) -> None:
    """A run of a journal with these sources and messages, numbered from there on."""

    async def write() -> None:
        async with Journal(folder, clock=SteppedClock(START)) as journal:
            for number, (source, message) in enumerate(said, first):
                journal.append(Envelope(number, START, source, 0, message))

    asyncio.run(write())


class Watching(Strategy):
    """Notes the prints it sees."""

    def __init__(self, *, symbols: Sequence[Symbol] = (), universe: str = "", patience: float = 5.0) -> None:
        super().__init__(symbols=symbols, universe=universe, patience=patience)
        self.warmup = 60.0
        self.seen: list[int] = []

    @handles
    def on_tick(self, tick: Tick) -> None:
        self.seen.append(tick.price)

    @property
    def follows(self) -> Sequence[Symbol]:
        return self._symbols


@in_virtual_time
async def restarted(strategy: Strategy, folder: Path, told: list[Message], *news: Message) -> None:
    stage = Stage(strategy, name="mine", data=folder)
    await stage.start()
    stage.tell(*news)
    await stage.advance(6)
    told.extend(stage.said)


def test_it_takes_back_its_own_open_order_and_leaves_the_guardians_alone(tmp_path: Path) -> None:
    own, guards = FIRST + 2, FIRST + 3
    keep(
        tmp_path,
        ("mine", intent(Side.BUY)),
        ("guardian", intent(Side.SELL)),
        ("risk", approved(own)),
        ("trader", submitting(own)),
        ("risk", approved(guards, side=Side.SELL)),
        ("trader", submitting(guards, side=Side.SELL)),
    )
    strategy, told = Strategy(symbols=[CODE], patience=5), list[Message]()
    restarted(strategy, tmp_path, told)

    assert list(strategy.orders) == [own, guards]
    assert [message.order for message in told if isinstance(message, CancelOrder)] == [own]


def test_what_waits_to_be_sent_is_ordered_already(tmp_path: Path) -> None:
    keep(tmp_path, ("mine", intent(Side.BUY)), ("risk", approved(FIRST + 2)))
    strategy = Strategy(symbols=[CODE], patience=60)
    restarted(strategy, tmp_path, [])

    assert {number: order.open for number, order in strategy.orders.items()} == {FIRST + 2: 10}


def test_a_holding_that_was_corrected_before_the_restart_is_as_it_was_corrected(tmp_path: Path) -> None:
    bought, sold = fill(FIRST + 90, Side.BUY, 10), adjusted(6, 60_000)
    keep(tmp_path, ("trader", reconciled()), ("trader", bought), ("trader", sold))
    strategy = Strategy(symbols=[CODE])
    restarted(strategy, tmp_path, [])

    assert (strategy.lots[CODE].quantity, strategy.lots[CODE].cost) == (6, 60_000)


def test_it_sees_the_prices_of_what_it_holds_though_it_follows_it_no_more(tmp_path: Path) -> None:
    keep(tmp_path, ("trader", fill(FIRST + 90, Side.BUY, 10)))
    store_prints(tmp_path, tick(-20, 99), tick(-10, 98, symbol=OTHER))
    strategy = Watching(symbols=[OTHER])
    restarted(strategy, tmp_path, [], tick(1, 97), tick(2, 96, symbol=OTHER), tick(3, 95, symbol=Symbol("035720")))

    assert strategy.seen == [99, 98, 97, 96]


@pytest.mark.parametrize(("venue", "close"), [(Venue.KRX, 100), (Venue.NXT, 200)])
def test_the_bars_of_the_warm_up_are_those_of_its_venue(tmp_path: Path, venue: Venue, close: int) -> None:
    bars = [bar(-3, price, price, price, price) for price in (100, 200)]

    async def write() -> None:
        async with Database(tmp_path / store.FILE, migrations=store.MIGRATIONS, clock=SteppedClock(START)) as database:
            await database.run(lambda held: store.write_bars(held, [bars[0], replace(bars[1], venue=Venue.NXT)]))

    asyncio.run(write())
    found = prices(tmp_path, [CODE], venue, START, 600.0, 60)
    assert [message.close for message in found if isinstance(message, Bar)] == [close]


def store_prints(folder: Path, *prints: Tick) -> None:
    async def write() -> None:
        async with Database(folder / store.FILE, migrations=store.MIGRATIONS, clock=SteppedClock(START)) as database:
            await database.run(lambda connection: writing.write_ticks(connection, enumerate(prints, 1)))

    asyncio.run(write())


def test_momentum_knows_how_high_its_holding_stood_before_the_restart(tmp_path: Path) -> None:
    bought = replace(fill(FIRST + 90, Side.BUY, 10), time=Nanoseconds(START - 200 * SECOND))
    keep(tmp_path, ("trader", bought))
    elsewhere = replace(tick(-90, 12_000), venue=Venue.NXT)
    store_prints(tmp_path, tick(-201, 11_000), tick(-100, 10_090), elsewhere, tick(-5, 10_050))
    strategy, told = Momentum(symbols=[CODE], window=30, trail=0.006), list[Message]()
    restarted(strategy, tmp_path, told, instrument(CODE), tick(1, 10_040), tick(2, 10_025))

    assert [message.reason for message in told if isinstance(message, OrderIntent)] == ["fell 0.64% from its highest"]


def overnight(folder: Path, *later: Message) -> list[Message]:
    """A journal with lots of yesterday, the account carried over this morning, and what was told `later`."""
    bought = replace(fill(FIRST + 90, Side.BUY, 10), time=YESTERDAY)
    others = replace(fill(FIRST + 91, Side.BUY, 5), strategy="another", symbol=OTHER)
    past = [reconciled(), bought, others, replace(reconciled(), time=Nanoseconds(START), start=False)]
    ledger, number = Ledger(), FIRST + 1
    for number, message in enumerate(past, FIRST + 2):
        ledger.fold(message, number)
    ledger.orders.clear()
    state = carried(ledger, number)
    assert state is not None
    told: list[Message] = [*past, state, *later]
    keep(folder, *(("trader", message) for message in told))
    return told


def test_it_goes_on_with_its_lots_from_the_state_that_was_carried_over(tmp_path: Path) -> None:
    overnight(tmp_path, adjusted(6, 60_000))
    strategy = Strategy(symbols=[CODE])
    restarted(strategy, tmp_path, [])

    assert {symbol: (lot.quantity, lot.cost) for symbol, lot in strategy.lots.items()} == {CODE: (6, 60_000)}
    assert strategy.lots[CODE].since == YESTERDAY


@in_virtual_time
async def waiting(strategy: Strategy, folder: Path, told: Sequence[Message]) -> None:
    """What the run said before it started waits in its mailbox, under the numbers it has in the journal."""
    stage = Stage(strategy, name="mine", data=folder)
    for message in (adjusted(77, 0), *told):
        stage.bus.publish(message, "trader")
    await stage.start()
    stage.tell()


def test_what_stands_in_the_state_is_not_booked_again_where_it_still_waits(tmp_path: Path) -> None:
    strategy = Strategy(symbols=[CODE])
    waiting(strategy, tmp_path, overnight(tmp_path, replace(fill(FIRST + 92, Side.BUY, 3), time=Nanoseconds(START))))

    assert strategy.lots[CODE].quantity == 13


def test_what_yesterday_told_of_issues_and_universes_is_known_this_morning(tmp_path: Path) -> None:
    watched = UniverseChanged(universe="screener", time=YESTERDAY, symbols=(CODE,))
    first = replace(reconciled(), time=YESTERDAY)
    keep(tmp_path, ("trader", first), ("accountant", state_of(first, FIRST + 2)), ("screener", watched))
    second = replace(reconciled(), time=Nanoseconds(START))
    today = 2 * FIRST + 2
    keep(tmp_path, ("trader", second), ("accountant", state_of(second, today)), first=today)
    strategy = Watching(universe="screener")
    restarted(strategy, tmp_path, [])

    assert strategy.follows == (CODE,)


def test_an_order_wanted_just_before_the_account_was_carried_over_is_taken_back_as_any(tmp_path: Path) -> None:
    look = replace(reconciled(), time=Nanoseconds(START))
    told = [("mine", intent(Side.BUY)), ("trader", look), ("accountant", state_of(look, FIRST + 3))]
    keep(tmp_path, *told, ("risk", approved(FIRST + 2)), ("trader", submitting(FIRST + 2)))
    said = list[Message]()
    restarted(Strategy(symbols=[CODE], patience=5), tmp_path, said)

    assert [message.order for message in said if isinstance(message, CancelOrder)] == [FIRST + 2]


def state_of(look: Reconciled, number: int) -> LedgerCarried:
    ledger = Ledger()
    ledger.fold(look, number)
    state = carried(ledger, number)
    assert state is not None
    return state


def test_a_state_that_another_keeper_contradicts_is_nothing_to_a_strategy_either(tmp_path: Path) -> None:
    first = replace(reconciled(), time=Nanoseconds(START))
    ledger = Ledger()
    ledger.fold(first, FIRST + 2)
    state, other = carried(ledger, FIRST + 2), LedgerFolded(reconciliation=FIRST + 2, digest="another")
    assert state is not None
    keep(tmp_path, ("trader", first), ("risk", other), ("accountant", state))

    assert memory.beginning(tmp_path) is None
