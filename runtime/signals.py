"""Ctrl-C and SIGTERM, on a loop that may be Qt's, in virtual time, or on Windows."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress


def catch(loop: asyncio.AbstractEventLoop, leave: Callable[[], None], *, at_once: bool) -> None:
    """Call `leave` on the loop for each signal; `at_once` where the loop never waits for the outside."""

    def heard(_number: int, _frame: object) -> None:
        if at_once:
            leave()
        else:
            loop.call_soon_threadsafe(leave)

    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, leave)
        except (NotImplementedError, RuntimeError):
            with suppress(ValueError):
                signal.signal(number, heard)
