"""A process that writes a journal as fast as it can and says what is durable, until it is killed."""

import asyncio
import sys
from pathlib import Path

from messages import HaltTrading
from runtime.bus import RUN_BITS
from runtime.clock import WallClock
from runtime.disk.journal import Journal
from runtime.envelope import Envelope


async def main(folder: Path) -> None:
    async with Journal(folder, clock=WallClock(), reserve=4096) as journal:
        number = journal.run << RUN_BITS
        while True:
            for _ in range(1 + number % 7):
                number += 1
                journal.append(Envelope(number, number, "writer", 0, HaltTrading(reason=f"{number}", by="test")))
            await journal.durable(number)
            print(number, flush=True)  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
