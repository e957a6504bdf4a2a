"""CPU microseconds per operation of our Qt loop beside plain qasync and the standard library's loop."""

import asyncio
import gc
import os
import time
from collections.abc import Callable, Coroutine
from typing import Any, cast

from runtime.loops.loop import qt_loop
from runtime.loops.qt import application

os.environ["QT_API"] = "pyqt5"
COUNT = 20_000
ROUNDS = 3

Loop = asyncio.AbstractEventLoop
Case = Callable[[int], Coroutine[Any, Any, float]]


def main() -> None:
    """Print a table, each figure the best of a few rounds."""
    loops: dict[str, Callable[[], Loop]] = {
        "ours": qt_loop,
        "stdlib": asyncio.new_event_loop,
        "qasync": plain_qasync,
    }
    cases: dict[str, Case] = {
        "call_soon chain": chain,
        "burst of call_soon": burst,
        "wait_for(..., 30)": wait_for,
        "call_soon after cancelled timers": after_cancelled,
    }
    print(f"{'CPU us per operation':34}" + "".join(f"{name:>10}" for name in loops))
    for title, case in cases.items():
        figures = [min(measure(make, case) for _ in range(ROUNDS)) for make in loops.values()]
        print(f"{title:34}" + "".join(f"{figure:10.2f}" for figure in figures))


def plain_qasync() -> Loop:
    import qasync  # noqa: PLC0415 - once QT_API is set  # pyright: ignore[reportMissingTypeStubs]

    return cast("Loop", cast("Any", qasync).QEventLoop(application(widgets=False)))


def measure(make: Callable[[], Loop], case: Case) -> float:
    """CPU microseconds per operation."""
    gc.collect()
    loop = make()
    try:
        return loop.run_until_complete(case(COUNT)) / COUNT * 1e6
    finally:
        loop.close()


async def chain(count: int) -> float:
    """Each callback calls the next."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def step(left: int) -> None:
        if left:
            loop.call_soon(step, left - 1)
        else:
            done.set_result(None)

    start = time.process_time()
    loop.call_soon(step, count)
    await done
    return time.process_time() - start


async def burst(count: int) -> float:
    """All at once."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    start = time.process_time()
    for _ in range(count - 1):
        loop.call_soon(int)
    loop.call_soon(done.set_result, None)
    await done
    return time.process_time() - start


async def wait_for(count: int) -> float:
    """A time-out that is never reached, on work that takes one turn."""
    start = time.process_time()
    for _ in range(count):
        await asyncio.wait_for(asyncio.sleep(0), 30)
    return time.process_time() - start


async def after_cancelled(count: int) -> float:
    """The chain, in a loop that cancelled as many 30 s timers before."""
    loop = asyncio.get_running_loop()
    for handle in [loop.call_later(30, int) for _ in range(count)]:
        handle.cancel()
    return await chain(count)


if __name__ == "__main__":
    main()
