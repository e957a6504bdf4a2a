"""The kill switch in the middle of trading: whatever the broker loses, nothing new leaves and all comes back."""

import asyncio
import os
from random import Random

import pytest

from actors.gateways.pacer import Pacer
from actors.gateways.port import Instruction, Outcome, SendResult, Urgency
from actors.trader import Trader
from messages import (
    Action,
    HaltConfirmed,
    HaltTrading,
    Kind,
    LinkLost,
    LinkRestored,
    Message,
    Nanoseconds,
    OrderIntent,
    OrderSubmitting,
    Purpose,
    ResumeTrading,
    Side,
    Symbol,
)
from runtime.clock import SECOND, Clock
from runtime.testing import Stage, in_virtual_time
from tests.account.records import SELL, accepted, approval, canceled
from tests.ordering.fakes import FakeBroker, FakeJournal
from tests.ordering.test_together import SYMBOLS, House
from tests.test_risk import tick
from tests.test_trader import trading

HALT = HaltTrading(reason="enough", by="a person")
PATIENCE = 130
RUNS = int(os.environ.get("KILL_SWITCH_RUNS", "20"))
"""Seeds of the campaign; any number on request."""


def entries_after(house: House, number: int) -> list[Message]:
    """Entries that left although the halt had been said."""
    kinds = {e.number: e.message.purpose for e in house.tape.envelopes if isinstance(e.message, OrderIntent)}
    return [
        e.message
        for e in house.tape.envelopes
        if e.number > number
        and isinstance(e.message, OrderSubmitting)
        and e.message.action is Action.NEW
        and kinds[e.message.order] is Purpose.ENTRY
    ]


def left_open(house: House) -> list[Instruction]:
    return [e.instruction for e in house.broker.orders.values() if e.open and e.instruction.side is Side.BUY]


def kept(house: House) -> dict[Symbol, int]:
    """Shares that no market order of ours offers; this broker leaves some of those half filled."""
    held = dict(house.broker.holdings)
    for entry in house.broker.orders.values():
        if entry.instruction.side is Side.SELL and entry.instruction.kind is Kind.MARKET:
            held[entry.instruction.symbol] -= entry.open
    return {symbol: shares for symbol, shares in held.items() if shares}


def prices(house: House) -> None:
    for symbol in SYMBOLS:
        house.bus.publish(tick(10_000, house.clock.now(), symbol), "test")


async def confirmed(house: House, number: int, seconds: int = PATIENCE) -> None:
    for _ in range(seconds):
        if any(e.number > number for e in house.tape.envelopes if isinstance(e.message, HaltConfirmed)):
            return
        await asyncio.sleep(1)
    raise AssertionError("never confirmed")


async def switched(seed: int, faults: float) -> tuple[House, int]:
    """A house that traded for a while and was then halted."""
    house = House(seed, faults)
    await house.trade(Random(seed).randint(5, 40))
    return house, house.bus.publish(HALT, "system")


@pytest.mark.parametrize("seed", range(RUNS))
def test_at_any_moment_nothing_new_leaves_and_everything_comes_back(seed: int) -> None:
    @in_virtual_time
    async def scene() -> None:
        house, halted = await switched(seed, 0.2)
        await confirmed(house, halted)

        assert not entries_after(house, halted)
        assert not left_open(house)

    scene()


@pytest.mark.parametrize("seed", range(30, 35))
def test_with_flatten_all_that_is_held_is_sold_or_offered_at_the_market(seed: int) -> None:
    @in_virtual_time
    async def scene() -> None:
        house, _ = await switched(seed, 0.1)
        house.bus.publish(HaltTrading(reason="enough", by="a person", flatten=True), "system")
        for _ in range(120):
            prices(house)
            await asyncio.sleep(1)

        assert kept(house) == {}

    scene()


@in_virtual_time
async def test_switched_while_the_link_is_down_it_completes_when_the_link_returns() -> None:
    house = House(3, 0.0)
    await house.trade(10)
    now = Nanoseconds(house.clock.now())
    house.bus.publish(LinkLost(gateway="broker", time=now, reason="a cut"), "test")
    sent = len(house.broker.sent)
    halted = house.bus.publish(HALT, "system")
    await asyncio.sleep(30)
    assert len(house.broker.sent) == sent
    house.bus.publish(LinkRestored(gateway="broker", time=now), "test")
    await confirmed(house, halted)

    assert not left_open(house)
    assert not entries_after(house, halted)


@in_virtual_time
async def test_switched_while_the_broker_is_overloaded_it_keeps_asking() -> None:
    house = House(3, 0.0)
    await house.trade(10)
    send, refusals = house.broker.send, [0]

    def overloaded(instruction: Instruction) -> SendResult:
        refusals[0] += 1
        return SendResult(outcome=Outcome.LATER, code=-308) if refusals[0] <= 12 else send(instruction)

    house.broker.send = overloaded  # type: ignore[method-assign]
    halted = house.bus.publish(HALT, "system")
    await confirmed(house, halted)

    assert refusals[0] > 12
    assert not left_open(house)
    assert not entries_after(house, halted)


@in_virtual_time
async def test_switched_during_the_start_nothing_of_before_stays_open() -> None:
    before = House(4, 0.0)
    await before.trade(10)
    await before.kill()
    assert left_open(before)
    house = House(5, 0.0, before)
    halted = house.bus.publish(HALT, "system")
    await house.trade(10)
    await confirmed(house, halted)

    assert not left_open(house)
    assert not entries_after(house, halted)


@in_virtual_time
async def test_a_resume_lets_entries_go_again() -> None:
    house, halted = await switched(6, 0.0)
    await confirmed(house, halted)
    resumed = house.bus.publish(ResumeTrading(by="a person"), "test")
    for _ in range(30):
        prices(house)
        await asyncio.sleep(1)

    after = entries_after(house, resumed)
    assert after
    assert entries_after(house, halted) == after


@in_virtual_time
async def test_fifty_open_orders_are_taken_back_within_the_brokers_rate() -> None:
    broker = RestingBroker()
    stage = Stage(Trader(broker, FakeJournal(), max_age=60.0), name="trader")
    await stage.start()
    broker.pacer = Pacer(stage.clock)
    broker.clock = stage.clock
    stage.tell(*(approval(number, quantity=number) for number in range(1, 51)))
    await stage.advance(60)
    assert len(broker.times) == 50
    broker.times.clear()
    stage.tell(HALT)
    began = stage.clock.now()
    await stage.advance(15)

    cancels = broker.times
    assert len(cancels) == 50
    assert all(later - sooner >= SECOND for sooner, later in zip(cancels, cancels[5:], strict=False))
    assert stage.heard(HaltConfirmed)
    assert (stage.heard(HaltConfirmed)[0].time - began) / SECOND < 15


class RestingBroker(FakeBroker):
    """Accepts everything, fills nothing, cancels what it is told to; the pacer gives the turns."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[int] = []
        self.clock: Clock
        self.pacer: Pacer

    def learn(self, order: int, broker_order: str) -> None:
        raise AssertionError((order, broker_order))

    async def turn(self, urgency: Urgency) -> None:
        await self.pacer.turn(urgency)

    def send(self, instruction: Instruction) -> SendResult:
        self.times.append(self.clock.now())
        number = instruction.order
        if instruction.action is Action.CANCEL:
            report = canceled(number, instruction.quantity)
        else:
            report = accepted(number, f"{number:07}")
        self.clock.call_later(0.05, lambda: self.report(report))
        return super().send(instruction)


@in_virtual_time
async def test_a_halt_said_again_does_not_take_back_what_the_guardian_sells_since() -> None:
    broker = FakeBroker()
    stage = await trading(broker)
    stage.tell(HaltTrading(reason="the ledgers differ", by="trader"), approval(7, SELL, 10, 0))
    await stage.settle()
    stage.tell(accepted(7, "0000007"), HaltTrading(reason="the ledgers differ", by="trader"))
    await stage.settle()

    assert [(asked.order, asked.action) for asked in broker.sent] == [(7, Action.NEW)]
    stage.tell(ResumeTrading(by="a person"), HaltTrading(reason="another", by="a person"))
    await stage.settle()
    assert [(asked.order, asked.action) for asked in broker.sent[1:]] == [(7, Action.CANCEL)]
