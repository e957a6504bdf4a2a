import asyncio

import pytest

from runtime.life.beginning import start
from runtime.testing import in_virtual_time


@in_virtual_time
async def test_a_start_that_waits_for_ever_is_broken_off_when_the_run_is_over() -> None:
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(5, over.set_result, None)
    broken_off: list[bool] = []

    async def waits() -> None:
        try:
            await asyncio.sleep(1_000)
        finally:
            broken_off.append(True)

    await start(waits(), over)

    assert broken_off == [True]
    assert asyncio.get_running_loop().time() < 10


@in_virtual_time
async def test_a_start_that_ends_by_itself_says_what_went_wrong() -> None:
    async def fails() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await start(fails(), asyncio.get_running_loop().create_future())
