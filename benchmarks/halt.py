"""The kill switch by the wall: from the file HALT to the last entry that leaves, and to the confirmation.

    python -m benchmarks.halt --times 100

A system with hundreds of entries a second is halted by a file, again and again, and resumed by a person's verb.
"""

import argparse
import asyncio
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
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
from runtime import logs
from runtime.actor import Actor, handles
from runtime.clock import Clock
from runtime.config import load
from runtime.inbox import send
from runtime.latch import NAME
from runtime.loop import new_loop, run
from runtime.system import System

CONFIG: Final = """
[system]
data = "{data}"
[gateway.shop]
use = "benchmarks.halt:Shop"
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
use = "benchmarks.halt:Eager"
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


def operate(folder: Path, times: int, found: list[tuple[float, float]]) -> None:
    """A person in another thread, who halts and resumes."""
    for _ in range(times):
        before = Eager.entries
        while Eager.entries < before + 50:
            sleep(0.01)
        laid = perf_counter()
        (folder / NAME).touch()
        while Eager.confirmed < laid:
            sleep(0.005)
        sleep(0.1)
        found.append((max(Eager.last - laid, 0.0), Eager.confirmed - laid))
        while "error" in send(folder, "resume", by="halt", patience=20.0, seconds=30.0):
            sleep(0.1)
    send(folder, "stop")


def main() -> None:
    """Halt so many times and print what it took."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=10)
    times = parser.parse_args().times
    found: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "data"
        path = Path(name) / "halt.toml"
        path.write_text(CONFIG.format(data=folder), encoding="utf-8")
        logs.configure(folder / "logs", console=False)
        system = System(load(path))

        async def both() -> int:
            person = asyncio.get_running_loop().run_in_executor(None, operate, folder, times, found)
            code = await system.run()
            await person
            return code

        code = run(both, new_loop("asyncio"))
    last, confirmed = sorted(item[0] for item in found), sorted(item[1] for item in found)
    print(f"halts {len(found)}, entries {Eager.entries}, exit code {code}, threads {threading.active_count()}")
    print(f"file to last entry  ms: median {1e3 * median(last):.1f}, longest {1e3 * last[-1]:.1f}")
    print(f"file to confirmed   ms: median {1e3 * median(confirmed):.1f}, longest {1e3 * confirmed[-1]:.1f}")


if __name__ == "__main__":
    main()
