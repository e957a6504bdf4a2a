"""Ctrl-C, SIGTERM and a terminal that closes reach whoever has to leave; only a person hurries the end."""

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import Generator

import pytest

from runtime.process.signals import catch

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@pytest.fixture(autouse=True)
def _put_back() -> Generator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def heard(*numbers: signal.Signals, apart: float = 1.0) -> int:
    """How often it was said to leave, by signals so many seconds apart."""
    said: list[None] = []
    clock = itertools.count(100.0, apart)

    async def scene() -> None:
        catch(asyncio.get_running_loop(), lambda: said.append(None), at_once=False)
        for number in numbers:
            os.kill(os.getpid(), number)
            for _ in range(3):
                await asyncio.sleep(0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("runtime.process.signals.monotonic", lambda: next(clock))
        asyncio.run(scene())
    return len(said)


def test_a_terminal_that_closes_is_heard_once_however_often_it_says_so() -> None:
    assert heard(signal.SIGHUP, signal.SIGHUP, signal.SIGHUP) == 1


def test_a_terminal_that_closes_does_not_hurry_an_end_that_a_person_asked_for() -> None:
    assert heard(signal.SIGINT, signal.SIGHUP) == 1
    assert heard(signal.SIGHUP, signal.SIGTERM) == 2
    assert heard(signal.SIGINT, signal.SIGINT) == 2


def test_the_same_wish_said_twice_in_an_instant_is_one() -> None:
    assert heard(signal.SIGTERM, signal.SIGTERM, apart=0.01) == 1
    assert heard(signal.SIGINT, signal.SIGTERM, apart=0.01) == 2
    assert heard(signal.SIGTERM, signal.SIGTERM, signal.SIGTERM, apart=0.15) == 1, "each an echo of the one before"
    assert heard(signal.SIGINT, signal.SIGINT, apart=0.3) == 2


def test_under_nohup_nobody_leaves_because_a_terminal_closed() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)

    assert heard(signal.SIGHUP) == 0
    assert heard(signal.SIGTERM) == 1
