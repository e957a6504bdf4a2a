"""What is said while a run is being closed on a slow disk: it is stored before the end, or not at all."""

import asyncio
from pathlib import Path

import pytest

from runtime.bus import RUN_BITS
from runtime.disk.chain import verify
from runtime.disk.journal import Journal
from runtime.testing import in_virtual_time
from tests.runtime.disk.test_journal import halt, numbers, simulated_clock


@pytest.mark.parametrize("quarters", range(20))
def test_a_record_that_comes_while_a_run_is_closed_breaks_no_chain(tmp_path: Path, quarters: int) -> None:
    @in_virtual_time
    async def scene() -> None:
        clock = simulated_clock()
        async with Journal(tmp_path, clock=clock, delay=lambda: 1.0, reserve=4096) as journal:
            first = (journal.run << RUN_BITS) + 1

            async def speak_late() -> None:
                await clock.sleep(quarters / 4)
                journal.append(halt(first + 2))

            journal.append(halt(first))
            await clock.sleep(0.1)
            journal.append(halt(first + 1))
            late = asyncio.create_task(speak_late())
        await late
        await clock.sleep(5)

        assert verify(journal.path, journal.head[1]).ok
        assert numbers(journal.path)[:2] == [first, first + 1]

    scene()


def test_a_record_that_comes_before_the_last_is_stored_is_stored_too(tmp_path: Path) -> None:
    @in_virtual_time
    async def scene() -> None:
        clock = simulated_clock()
        async with Journal(tmp_path, clock=clock, delay=lambda: 1.0, reserve=4096) as journal:
            first = (journal.run << RUN_BITS) + 1
            journal.append(halt(first))
            await clock.sleep(0.1)
            journal.append(halt(first + 1))
            asyncio.get_running_loop().call_later(0.1, journal.append, halt(first + 2))

        assert numbers(journal.path) == [first, first + 1, first + 2]

    scene()
