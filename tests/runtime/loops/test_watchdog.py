"""The watchdog tells how long the loop was away."""

import asyncio

import pytest

from runtime.loops.loop import Watchdog, new_loop, run


@pytest.mark.parametrize("kind", ["qt", "asyncio"])
def test_the_watchdog_sees_how_long_the_loop_was_blocked(kind: str) -> None:
    loop = new_loop("qt" if kind == "qt" else "asyncio")
    watchdog = Watchdog(loop, interval=0.001)

    async def main() -> None:
        watchdog.start()
        until = loop.time() + 0.03
        while loop.time() < until:
            pass
        await asyncio.sleep(0.005)
        watchdog.stop()

    run(main, loop)
    assert watchdog.longest_ms >= 30
    assert sum(watchdog.counts[1:]) >= 1
