"""A broker that takes all and fills nothing, and an actor that buys from it some hundred times a second."""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any, Final, Self

from actors.gateways.port import (
    BrokerOrder,
    BrokerReport,
    BrokerState,
    Instruction,
    KnownOrder,
    Outcome,
    SendResult,
    Urgency,
)
from messages import (
    Action,
    Aggressor,
    HaltConfirmed,
    Instrument,
    Market,
    Message,
    Nanoseconds,
    OrderAccepted,
    OrderCanceled,
    OrderIntent,
    OrderSubmitting,
    Purpose,
    RunStarted,
    Session,
    SessionChanged,
    Shares,
    Side,
    Symbol,
    Tick,
    Won,
)
from runtime.actor import Actor, handles
from runtime.clock import Clock

CONFIG: Final = """
[system]
data = "{data}"
[gateway.shop]
use = "benchmarks.shop:Shop"
[actor.trader]
use = "actors.trader:Trader"
broker = "shop"
[actor.risk]
use = "actors.risk:Risk"
max_orders_second = 100_000
max_orders_minute = 1_000_000
max_orders_day = 10_000_000
duplicate_seconds = 0.0
max_alike_day = 0
max_repeats = 0
max_position_value = 1_000_000_000_000
max_sector_value = 1_000_000_000_000
max_gross_value = 1_000_000_000_000
max_positions = 1_000
max_listed_percent = 100.0
max_volume_percent = 100.0
[actor.guardian]
use = "actors.guardian:Guardian"
[actor.eager]
use = "benchmarks.shop:Eager"
"""
_CODE: Final = Symbol("005930")
_PRICE: Final = Won(70_000)
_CASH: Final = Won(1_000_000_000_000)
_EVERY: Final = 0.003


class Shop:
    """Accepts every order after a moment, fills none, cancels what it is told to."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._orders: dict[int, BrokerOrder] = {}
        self._report: Callable[[BrokerReport], None]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return

    async def open(self, report: Callable[[BrokerReport], None], known: Sequence[KnownOrder]) -> None:
        del known
        self._report = report

    def learn(self, order: int, broker_order: str) -> None:
        del order, broker_order

    async def turn(self, urgency: Urgency) -> None:
        del urgency

    def send(self, instruction: Instruction) -> SendResult:
        now, number = Nanoseconds(self._clock.now()), instruction.order
        cancel = instruction.action is Action.CANCEL
        entry = self._orders[number] = BrokerOrder(
            broker_order=f"{number & 0xFFFFFF:07}",
            symbol=instruction.symbol,
            side=instruction.side,
            quantity=Shares(1),
            price=_PRICE,
            open=Shares(0 if cancel else 1),
            filled=Shares(0),
            amount=Won(0),
            time=now,
            status="취소" if cancel else "접수",
        )
        about: dict[str, Any] = {
            "order": number,
            "symbol": instruction.symbol,
            "strategy": instruction.strategy,
            "time": now,
            "broker_order": entry.broker_order,
        }
        report = OrderCanceled(**about, canceled=instruction.quantity) if cancel else OrderAccepted(**about)
        self._clock.call_later(0.002, lambda: self._report(report))
        return SendResult(outcome=Outcome.SENT, screen="4000")

    async def state(self) -> BrokerState:
        orders, now = tuple(self._orders.values()), Nanoseconds(self._clock.now())
        return BrokerState(time=now, cash=_CASH, orderable=_CASH, positions=(), orders=orders)


class Beat(Message):
    """Time to buy."""

    journalled = False


class Eager(Actor, publishes=(OrderIntent, Tick, Instrument, SessionChanged)):
    """Buys some hundred times a second, whatever it hears, and takes the time of what leaves."""

    entries = 0
    last = 0.0
    confirmed = 0.0

    @handles
    def on_run(self, message: RunStarted) -> None:
        prices: dict[str, Any] = {"base_price": _PRICE, "upper_limit": Won(91_000), "lower_limit": Won(49_000)}
        self.publish(Instrument(symbol=_CODE, name="halt", market=Market.KOSPI, **prices))
        self.publish(SessionChanged(session=Session.CONTINUOUS, time=message.time))
        self.every(_EVERY, Beat())

    @handles
    def on_beat(self, _beat: Beat) -> None:
        now = Nanoseconds(self.desk.clock.now())
        prices: dict[str, Any] = dict.fromkeys(("price", "ask", "bid", "open", "high", "low"), _PRICE)
        sizes: dict[str, Any] = {"size": 1, "volume": 1_000_000, "value": 1, "strength": 100.0}
        self.publish(Tick(symbol=_CODE, time=now, received=now, side=Aggressor.BUYER, **prices, **sizes))
        order: dict[str, Any] = {"side": Side.BUY, "quantity": Shares(1), "price": _PRICE, "purpose": Purpose.ENTRY}
        self.publish(OrderIntent(symbol=_CODE, strategy=self.desk.name, reason="why not", **order))

    @handles
    def on_leaving(self, message: OrderSubmitting) -> None:
        if message.action is Action.NEW:
            Eager.entries += 1
            Eager.last = perf_counter()

    @handles
    def on_confirmed(self, _message: HaltConfirmed) -> None:
        Eager.confirmed = perf_counter()
