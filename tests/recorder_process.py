"""A process that records a tick and an event each hundredth of a second, and says when, until it is killed."""

import asyncio
import sys
from pathlib import Path
from random import Random

import msgspec
import structlog

from actors.recorder import Recorder
from messages import Nanoseconds, ViReleased
from runtime.bus import Bus
from runtime.clock import WallClock
from runtime.life.seat import Seat
from runtime.mailbox import Mailbox
from runtime.pump import Pump
from tests.market.market_data import CODE, tick


class Recording:
    """A recorder in real time, with nothing around it."""

    def __init__(self, folder: Path) -> None:
        self._bus, self._pump = Bus(WallClock()), Pump(asyncio.get_running_loop())
        self._bus.begin(1, None)
        self._pump.bus = self._bus
        self._seat = Seat(
            "recorder",
            lambda: Recorder(folder),
            bus=self._bus,
            pump=self._pump,
            clock=WallClock(),
            rng=Random(1),
            log=structlog.get_logger(),
            data=folder,
            failed=lambda _seat, name, error: sys.exit(f"{name}: {error}"),
            mailbox=Mailbox("recorder", self._pump.ready, lambda _box, _message: None),
        )

    async def start(self) -> None:
        await self._seat.start()

    def tell(self) -> int:
        """Let it handle an event and a tick that came just now; returns when that was."""
        now = WallClock().now()
        self._bus.publish(ViReleased(symbol=CODE, time=Nanoseconds(now)), "test")
        self._bus.publish(msgspec.structs.replace(tick(0, 100), received=now), "test")
        while not self._pump.resting:
            self._pump.turn()
        return now


async def main(folder: Path) -> None:
    recording = Recording(folder)
    await recording.start()
    while True:
        print(recording.tell(), flush=True)  # noqa: T201
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
