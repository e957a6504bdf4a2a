"""The bus alone: ticks a CPU second with four subscribers each, beside bare handler calls.

python -m benchmarks.bus
"""

import asyncio
import time

from messages import Aggressor, Nanoseconds, Shares, Symbol, Tick, Won
from runtime.actor import Handler
from runtime.bus import Bus, Subscription
from runtime.clock import WallClock
from runtime.mailbox import Mailbox
from runtime.pump import Pump

SUBSCRIBERS = 4
BATCH = 250
BATCHES = 400
ROUNDS = 7


class Counter:
    """A handler that does next to nothing."""

    def __init__(self) -> None:
        self.taken = 0

    def take(self, _tick: Tick) -> None:
        self.taken += 1


def main() -> None:
    loop = asyncio.new_event_loop()
    counters = [Counter() for _ in range(SUBSCRIBERS)]
    bus, pump = _joined(loop, counters)
    tick = _tick()
    through = min(_published(bus, pump, tick) for _ in range(ROUNDS))
    bare = min(_called(counters, tick) for _ in range(ROUNDS))
    loop.close()
    assert {counter.taken for counter in counters} == {2 * ROUNDS * BATCH * BATCHES}
    count = BATCH * BATCHES
    print(f"{'through the bus':24} {count / through:>12,.0f} ticks/CPU s   wanted: 1,000,000")
    print(f"{'  floor: bare calls':24} {count / bare:>12,.0f} ticks/CPU s")


def _joined(loop: asyncio.AbstractEventLoop, counters: list[Counter]) -> tuple[Bus, Pump]:
    pump, bus = Pump(loop), Bus(WallClock())
    pump.bus = bus
    for counter in counters:
        mailbox = Mailbox("counter", pump.ready, lambda _box, _message: None)
        bus.subscribe(Subscription(mailbox, [Handler("take", (Tick,), False)]))
        pump.attach(mailbox, {Tick: counter.take})
    return bus, pump


def _published(bus: Bus, pump: Pump, tick: Tick) -> float:
    start = time.process_time()
    for _ in range(BATCHES):
        for _ in range(BATCH):
            bus.publish(tick, "receiver")
        while not pump.resting:
            pump.turn()
    return time.process_time() - start


def _called(counters: list[Counter], tick: Tick) -> float:
    handlers = [counter.take for counter in counters]
    start = time.process_time()
    for _ in range(BATCH * BATCHES):
        for handler in handlers:
            handler(tick)
    return time.process_time() - start


def _tick() -> Tick:
    price = Won(70_000)
    return Tick(
        symbol=Symbol("005930"),
        time=Nanoseconds(0),
        received=Nanoseconds(0),
        price=price,
        size=Shares(1),
        side=Aggressor.BUYER,
        volume=Shares(1),
        value=price,
        ask=price,
        bid=price,
        open=price,
        high=price,
        low=price,
        strength=100.0,
    )


if __name__ == "__main__":
    main()
