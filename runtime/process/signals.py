"""Ctrl-C, SIGTERM and a terminal that closes, on a loop that may be Qt's, in virtual time, or on Windows."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from math import inf
from time import monotonic
from typing import Final

HANG_UPS = tuple(getattr(signal, name) for name in ("SIGHUP", "SIGBREAK") if hasattr(signal, name))
"""Of a terminal that closes; Windows has the second."""

_ECHO: Final = 0.2
"""Seconds in which nobody asks twice in the same words: `timeout` tells the process and then its whole group."""


def catch(loop: asyncio.AbstractEventLoop, leave: Callable[[], None], *, at_once: bool) -> None:
    """Call `leave` on the loop for each signal; `at_once` where the loop never waits for the outside.

    A terminal that closes never hurries an end under way, as it may say so twice; under nohup it is not heard.
    The same signal again in an instant is an echo, not a second wish.
    """
    said: dict[int, float] = {}

    def go(number: int) -> None:
        before, said[number] = said.get(number, -inf), monotonic()
        if said[number] - before > _ECHO:
            leave()

    def hang_up(number: int) -> None:
        if not said:
            go(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        _listen(loop, number, partial(go, number), at_once=at_once)
    for number in HANG_UPS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            _listen(loop, number, partial(hang_up, number), at_once=at_once)


def _listen(loop: asyncio.AbstractEventLoop, number: int, hear: Callable[[], None], *, at_once: bool) -> None:
    def heard(_number: int, _frame: object) -> None:
        if at_once:
            hear()
        else:
            loop.call_soon_threadsafe(hear)

    try:
        loop.add_signal_handler(number, hear)
    except (NotImplementedError, RuntimeError):
        with suppress(ValueError):
            signal.signal(number, heard)
