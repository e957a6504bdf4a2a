"""A process that opens, fills and closes a journal three times, once on a full disk, and says what is durable."""

import asyncio
import sys
from contextlib import suppress
from pathlib import Path

from messages import HaltTrading
from runtime.bus import RUN_BITS
from runtime.clock import WallClock
from runtime.disk.awaited import JournalFailed
from runtime.disk.errors import DatabaseFull
from runtime.disk.journal import Journal
from runtime.envelope import Envelope


async def live(folder: Path, *, full: bool) -> None:
    async with Journal(folder, clock=WallClock(), reserve=8192) as journal:
        for number in range((journal.run << RUN_BITS) + 1, (journal.run << RUN_BITS) + 25):
            if full and number & 0xFF == 12:
                await journal._database.execute("PRAGMA max_page_count = 1")  # pyright: ignore[reportPrivateUsage]
            reason = f"{number}" * (1 if number & 0xFF < 12 else 9)
            journal.append(Envelope(number, number, "writer", 0, HaltTrading(reason=reason, by="test")))
            try:
                await journal.durable(number)
            except JournalFailed:
                journal.emergency(number)
            print(number, flush=True)  # noqa: T201


async def main(folder: Path) -> None:
    for full in (False, True, False):
        with suppress(DatabaseFull):
            await live(folder, full=full)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
