"""A strategy that starts again knows its lots, its open orders and the prices of its warm-up."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec

from actors.market.storage import store
from actors.strategies.base import Strategy
from actors.strategies.memory import prices
from messages import (
    Action,
    Bar,
    Kind,
    Message,
    Nanoseconds,
    OrderFilled,
    OrderSubmitting,
    Shares,
    Side,
    Symbol,
    Tick,
    UniverseChanged,
    Validity,
    Venue,
    Won,
)
from runtime.actor import handles
from runtime.clock import SteppedClock
from runtime.disk.database import Database
from runtime.disk.journal import Journal
from runtime.envelope import Envelope
from runtime.testing import START, Stage, in_virtual_time
from tests.market.market_data import CODE, OTHER, tick
from tests.market.storage import writing


def submitting(order: int, symbol: Symbol, strategy: str, quantity: int) -> OrderSubmitting:
    return OrderSubmitting(
        order=order,
        symbol=symbol,
        strategy=strategy,
        time=Nanoseconds(START),
        action=Action.NEW,
        side=Side.BUY,
        quantity=Shares(quantity),
        kind=Kind.LIMIT,
        price=Won(100),
        validity=Validity.DAY,
    )


def fill(order: int, symbol: Symbol, strategy: str, quantity: int, left: int) -> OrderFilled:
    return OrderFilled(
        order=order,
        symbol=symbol,
        strategy=strategy,
        time=Nanoseconds(START),
        broker_order="0000001",
        side=Side.BUY,
        price=Won(100),
        quantity=Shares(quantity),
        filled=Shares(quantity),
        amount=Won(100 * quantity),
        open=Shares(left),
    )


async def keep(folder: Path, messages: Sequence[Message]) -> None:
    async with Journal(folder, clock=SteppedClock(START)) as journal:
        for sequence, message in enumerate(messages, 1):
            journal.append(Envelope((journal.run << 40) + sequence, START, "test", 0, message))


def test_lots_and_open_orders_come_back_from_the_journal(tmp_path: Path) -> None:
    first = 1 << 40
    said = [
        UniverseChanged(universe="screener", time=Nanoseconds(START), symbols=(CODE,)),
        UniverseChanged(universe="screener", time=Nanoseconds(START), symbols=(CODE, OTHER)),
        submitting(first + 90, CODE, "mine", 10),
        fill(first + 90, CODE, "mine", 10, 0),
        submitting(first + 91, OTHER, "mine", 5),
        fill(first + 91, OTHER, "mine", 2, 3),
        submitting(first + 92, CODE, "another", 7),
        fill(first + 92, CODE, "another", 7, 0),
    ]
    asyncio.run(keep(tmp_path, said))
    strategy = Strategy(universe="screener")

    @in_virtual_time
    async def begin() -> None:
        stage = Stage(strategy, name="mine", data=tmp_path)
        await stage.start()
        assert stage.said == []

    begin()
    assert {symbol: lot.quantity for symbol, lot in strategy.lots.items()} == {CODE: 10, OTHER: 2}
    assert {number: order.open for number, order in strategy.orders.items()} == {first + 91: 3}
    assert strategy.may_enter(CODE) is False


class Counting(Strategy):
    """Lives on minute bars."""

    def __init__(self) -> None:
        super().__init__(symbols=[CODE])
        self.warmup, self.interval = 180.0, 60
        self.closes: list[int] = []

    @handles
    def on_bar(self, bar: Bar) -> None:
        self.closes.append(bar.close)
        self.buy(bar.symbol, bar.close, "always")


async def store_bars(folder: Path) -> None:
    clock = SteppedClock(START)
    async with Database(folder / store.FILE, migrations=store.MIGRATIONS, clock=clock) as database:
        await database.run(lambda connection: store.write_bars(connection, [bar(n) for n in range(5)]))


def bar(minute: int) -> Bar:
    start = START - (10 - minute) * 60_000_000_000
    return Bar(
        symbol=CODE,
        interval=60,
        time=Nanoseconds(start),
        open=Won(100 + minute),
        high=Won(100 + minute),
        low=Won(100 + minute),
        close=Won(100 + minute),
        volume=Shares(1),
        value=Won(100),
    )


def test_the_last_bars_of_the_warm_up_are_seen_and_nothing_is_ordered_on_them(tmp_path: Path) -> None:
    asyncio.run(store_bars(tmp_path))
    strategy = Counting()

    @in_virtual_time
    async def begin() -> None:
        stage = Stage(strategy, name="mine", data=tmp_path)
        await stage.start()
        assert [type(message) for message in stage.said] == [UniverseChanged]

    begin()
    assert strategy.closes == [102, 103, 104]


async def store_prints(folder: Path) -> None:
    """Prints from 3:30 minutes before the start on, the first of which are not the day's first."""
    prints = [print_(second, 200 + n, volume=1_000 + n) for n, second in enumerate((-210, -150, -100, -90, -40, -5))]
    clock = SteppedClock(START)
    async with Database(folder / store.FILE, migrations=store.MIGRATIONS, clock=clock) as database:
        await database.run(lambda connection: writing.write_ticks(connection, enumerate(prints, 1)))


def print_(second: int, price: int, volume: int) -> Tick:
    when = Nanoseconds(START + second * 1_000_000_000)
    return msgspec.structs.replace(tick(0, price, volume=volume), time=when, received=when)


def test_a_start_in_mid_session_sees_collected_bars_up_to_a_pivot_and_its_own_prints_bars_after_it(
    tmp_path: Path,
) -> None:
    asyncio.run(store_bars(tmp_path))
    asyncio.run(store_prints(tmp_path))
    bars = list(prices(tmp_path, [CODE], Venue.KRX, START, 600.0, 60))
    assert [(bar.close, (bar.time - START) // 60_000_000_000) for bar in bars if isinstance(bar, Bar)] == [
        (100, -10),
        (101, -9),
        (102, -8),
        (103, -7),
        (104, -6),
        (201, -3),
        (203, -2),
        (205, -1),
    ]


def test_without_a_store_there_is_no_past(tmp_path: Path) -> None:
    assert list(prices(tmp_path, [CODE], Venue.KRX, START, 60.0, 0)) == []
