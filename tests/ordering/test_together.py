"""Risk, guardian, trader and accountant around one bus, with a broker that tells the truth badly."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest
import structlog

from actors.account import invariants
from actors.account.ledger import Booked, Ledger
from actors.accountant import Accountant
from actors.guardian import Guardian
from actors.risk import Risk
from actors.trader import Trader
from messages import (
    CancelOrder,
    HaltTrading,
    LedgerFolded,
    Message,
    Nanoseconds,
    OrderBook,
    OrderEvent,
    OrderFilled,
    OrderIntent,
    OrderUnknown,
    ReplaceIntent,
    Session,
    SessionChanged,
    Side,
    Symbol,
    Tick,
)
from runtime.actor import Actor, handles
from runtime.bus import Bus
from runtime.clock import SimulatedClock
from runtime.disk.chain import Kept
from runtime.envelope import Envelope
from runtime.life.seat import Seat
from runtime.loops.loop import VirtualLoop
from runtime.mailbox import Mailbox
from runtime.pump import Pump
from runtime.testing import START, in_virtual_time
from tests.account.records import listed
from tests.ordering.exchange import UnreliableBroker
from tests.test_risk import intent, tick

SYMBOLS = tuple(Symbol(f"90{n:04}") for n in range(1, 5))
CASH = 5_000_000


class Tape:
    """Keeps every journalled message; durable after a moment."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    def append(self, envelope: Envelope) -> None:
        self.envelopes.append(envelope)

    async def durable(self, number: int) -> None:
        assert any(envelope.number == number for envelope in self.envelopes)
        await asyncio.sleep(0.001)

    def emergency(self, number: int) -> None:
        raise AssertionError(f"{number} is kept though the journal works")

    async def read(self, first: int = 0, types: tuple[type[Message], ...] = (Message,)) -> AsyncIterator[Envelope]:
        for envelope in tuple(self.envelopes):
            if envelope.number >= first and isinstance(envelope.message, types):
                yield envelope

    async def newest(self, kind: type[Kept]) -> Kept | None:
        return next((e.message for e in reversed(self.envelopes) if isinstance(e.message, kind)), None)

    def all(self, *kinds: type[Message]) -> list[Message]:
        return [e.message for e in self.envelopes if isinstance(e.message, kinds)]


class Fidgety(Actor, publishes=(OrderIntent, CancelOrder, ReplaceIntent)):
    """Buys, sells and cancels at random."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._orders: list[tuple[int, Symbol]] = []

    @handles
    def on_tick(self, tick: Tick | OrderBook) -> None:
        draw = self._rng.random()
        if draw < 0.25:
            side = Side.BUY if self._rng.random() < 0.6 else Side.SELL
            price = 10_000 if self._rng.random() < 0.7 else 0
            wish = intent(self._rng.randint(1, 30), price, side, symbol=tick.symbol, strategy=self.desk.name)
            self._orders.append((self.publish(wish), tick.symbol))
        elif draw < 0.35 and self._orders:
            number, symbol = self._rng.choice(self._orders)
            self.publish(CancelOrder(order=number, symbol=symbol, strategy=self.desk.name, reason="a whim"))


class House:
    """Actors, a bus and a pump: the running system, small."""

    def __init__(self, seed: int, faults: float, before: "House | None" = None) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.rng = Random(seed)
        self.clock = before.clock if before else SimulatedClock(START, loop)
        self.run = before.run + 1 if before else 1
        self.tape = before.tape if before else Tape()
        self.bus = Bus(self.clock)
        self.bus.begin(self.run, self.tape)
        self.pump = Pump(loop, Random(seed))
        self.pump.bus = self.bus
        self.failures: list[Exception] = []
        self.pump.failed = lambda _box, _envelope, error: self.failures.append(error)
        self.pump.recovered = lambda _box: None
        self.broker = before.broker if before else UnreliableBroker(self.clock, self.rng, cash=CASH, faults=faults)
        risk = Risk(
            self.tape,
            max_orders_minute=1_000,
            max_losers=10_000,
            stale_seconds=60.0,
            duplicate_seconds=0.0,
            max_alike_day=1_000,
            max_repeats=10_000,
        )
        guardian = Guardian(self.tape, stop_loss=1.0, max_daily_loss=0.0, max_drawdown=0.0)
        trader = Trader(self.broker, self.tape)
        accountant = Accountant(self.tape)
        actors = {
            "risk": risk,
            "guardian": guardian,
            "accountant": accountant,
            "trader": trader,
            "fidgety": Fidgety(self.rng),
        }
        self.seats = [self._seat(name, actor) for name, actor in actors.items()]

    def _seat(self, name: str, actor: Actor) -> Seat:
        return Seat(
            name,
            lambda: actor,
            bus=self.bus,
            pump=self.pump,
            clock=self.clock,
            rng=self.rng,
            log=structlog.get_logger(),
            failed=lambda _seat, _name, error: self.failures.append(error),
            mailbox=Mailbox(name, self.pump.ready, lambda _box, _message: None),
            data=Path(),
        )

    async def trade(self, seconds: int) -> None:
        for seat in self.seats:
            await seat.start()
        self.bus.publish(SessionChanged(session=Session.CONTINUOUS, time=Nanoseconds(START)), "test")
        for symbol in SYMBOLS:
            self.bus.publish(listed(symbol), "test")
        for _ in range(seconds):
            for symbol in SYMBOLS:
                price = self.rng.choice((9_880, 9_950, 10_000, 10_050))
                self.bus.publish(tick(price, self.clock.now(), symbol), "test")
            await asyncio.sleep(1)
            if self.failures:
                raise self.failures[0]

    async def kill(self) -> None:
        """Everything at once, in the middle of whatever goes on."""
        self.broker.hang_up()
        for seat in self.seats:
            seat.retire()
        for seat in self.seats:
            await seat.clear()
        await asyncio.sleep(self.rng.uniform(0, 20))

    async def settle(self) -> None:
        """No new prices: what is under way comes to its end, and the broker is asked until all is known."""
        self.seats[-1].retire()
        said = -1
        while said != len(self.tape.all(OrderIntent, OrderEvent)):
            said = len(self.tape.all(OrderIntent, OrderEvent))
            await asyncio.sleep(130)
        if self.failures:
            raise self.failures[0]


@pytest.mark.parametrize(("seed", "faults"), [(1, 0.0), (2, 0.1), (3, 0.2), (7, 0.2), (5, 0.3), (11, 0.3)])
def test_whatever_the_broker_loses_repeats_or_swaps_the_books_agree_to_the_won(seed: int, faults: float) -> None:
    @in_virtual_time
    async def scene() -> None:
        house = House(seed, faults)
        await house.trade(300)
        await house.settle()

        assert len(house.broker.orders) > 20
        check(house)
        assert faults < 0.2 or house.tape.all(OrderUnknown)

    scene()


@pytest.mark.parametrize("seed", [10, 12, 13, 14])
def test_killed_again_and_again_the_books_agree_to_the_won(seed: int) -> None:
    @in_virtual_time
    async def scene() -> None:
        house = House(seed, 0.2)
        await house.trade(90)
        for kill in range(1, 4):
            await house.kill()
            house = House(seed + 1_000 * kill, 0.2, house)
            await house.trade(90)
        await house.settle()

        assert house.run == 4
        assert len(house.broker.orders) > 20
        check(house)

    scene()


def test_the_same_seed_gives_the_same_journal() -> None:
    journals: list[list[tuple[int, Message]]] = []
    for _ in range(2):

        @in_virtual_time
        async def scene() -> None:
            house = House(7, 0.2)
            await house.trade(90)
            journals.append([(e.number, e.message) for e in house.tape.envelopes])

        scene()

    assert journals[0] == journals[1]


def check(house: House) -> None:
    broker, tape = house.broker, house.tape
    ledger = folded_from(tape)
    fills = [m for m in tape.all(OrderFilled) if isinstance(m, OrderFilled)]
    filled = {entry.number: entry.filled for entry in broker.orders.values()}

    assert not tape.all(HaltTrading)
    assert len({m.digest for m in tape.all(LedgerFolded)[-4:] if isinstance(m, LedgerFolded)}) == 1
    assert not invariants.sound(ledger)
    assert not invariants.positions_agree(ledger, broker.holdings)
    assert not invariants.cash_agrees(ledger, cash=broker.cash, commission=broker.commission, tax=broker.tax)
    assert not invariants.no_phantom(unrepeated(fills), filled)
    assert not invariants.written_first((e.message for e in tape.envelopes), broker.sent)
    assert not invariants.risk_first(tape.envelopes)
    assert not invariants.look_alikes_apart(tape.envelopes)
    assert not invariants.one_order_an_intent((n, entry.number) for n, entry in broker.orders.items())


def folded_from(tape: Tape) -> Ledger:
    ledger = Ledger()
    for envelope in tape.envelopes:
        if isinstance(envelope.message, Booked):
            ledger.fold(envelope.message, envelope.number)
    return ledger


def unrepeated(fills: list[OrderFilled]) -> list[OrderFilled]:
    return list({(fill.broker_order, fill.filled, fill.source): fill for fill in fills}.values())
