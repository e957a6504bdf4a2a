"""The asyncio loop a run stands on: Qt's, the standard library's, or virtual time."""

import asyncio
import random
import re
from bisect import bisect_left
from collections.abc import Callable, Coroutine
from time import perf_counter
from typing import Any, Literal, TypeVar, assert_never

from runtime.loops.virtual import Deadlock, NotSimulated, VirtualLoop

__all__ = [
    "Deadlock",
    "Kind",
    "MissingLibrary",
    "NotSimulated",
    "VirtualLoop",
    "Watchdog",
    "new_loop",
    "qt_loop",
    "run",
    "virtual_loop",
]

Kind = Literal["qt", "asyncio", "virtual"]
T = TypeVar("T")

_LAST_WORDS = 2.0
"""Seconds that a task has to end."""
_NOT_FOUND = re.compile(r"(\S+\.so[.\d]*): cannot open shared object file")
_PACKAGES = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libX11.so.6": "libx11-6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libz.so.1": "zlib1g",
}


class MissingLibrary(Exception):
    """Qt needs a system library that is not installed; the text names it and its Debian package."""


def new_loop(
    kind: Kind, *, widgets: bool = False, spin: bool = False, ties: random.Random | None = None
) -> asyncio.AbstractEventLoop:
    """Make a loop: `widgets` is for Qt with ActiveX controls, `ties` orders virtual timers due together.

    Qt's never sleeps with `spin`. Raises MissingLibrary where Qt can't be loaded.
    """
    match kind:
        case "qt":
            return qt_loop(widgets=widgets, spin=spin)
        case "asyncio":
            return asyncio.new_event_loop()
        case "virtual":
            return virtual_loop(ties)
        case _:
            assert_never(kind)


def qt_loop(*, widgets: bool = False, spin: bool = False) -> asyncio.AbstractEventLoop:
    """Make a loop over Qt's, which never sleeps with `spin`; raises MissingLibrary where Qt can't be loaded."""
    try:
        from runtime.loops.qt import QtLoop, application  # noqa: PLC0415 - only who asks for Qt needs it
    except ImportError as error:
        if found := _NOT_FOUND.search(str(error)):
            raise MissingLibrary(_mend(found[1])) from error
        raise
    return QtLoop(application(widgets=widgets), spin=spin)


def virtual_loop(ties: random.Random | None = None) -> VirtualLoop:
    """Make a loop of virtual time, which starts at 0 and never waits."""
    return VirtualLoop(ties)


def run(main: Callable[[], Coroutine[Any, Any, T]], loop: asyncio.AbstractEventLoop) -> T:
    """Run to the end, cancel what is left over, close the loop, return the result.

    Ctrl-C cancels main and raises KeyboardInterrupt once it is done. A task that does not end within two seconds
    of its cancellation is left behind.
    """
    runner = asyncio.Runner(loop_factory=lambda: loop)
    try:
        return runner.run(main())
    finally:
        if _cancel_tasks(loop):
            runner.close()
        else:
            loop.close()


def _cancel_tasks(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether all of them ended."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=_LAST_WORDS))
    return all(task.done() for task in tasks)


class Watchdog:
    """Measures how long the loop was away, by the wall.

    It looks at the clock every `interval` seconds: a loop that was blocked looks late. A gap is at least the time
    blocked and at most one interval more.
    """

    BOUNDS_MS = (25, 30, 40, 50, 75, 100, 200, 500, 1000)

    def __init__(self, loop: asyncio.AbstractEventLoop, *, interval: float = 0.02) -> None:
        self._loop = loop
        self._interval = interval
        self._handle: asyncio.TimerHandle | None = None
        self._last = 0.0
        self._longest = 0.0
        self.counts = [0] * (len(self.BOUNDS_MS) + 1)
        """Gaps up to each of BOUNDS_MS, and above the last."""

    @property
    def longest_ms(self) -> float:
        """The longest gap so far; 0 before the first."""
        return self._longest * 1000

    def start(self) -> None:
        self._last = perf_counter()
        self._handle = self._loop.call_later(self._interval, self._look)

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _look(self) -> None:
        now = perf_counter()
        gap, self._last = now - self._last, now
        self._longest = max(self._longest, gap)
        self.counts[bisect_left(self.BOUNDS_MS, gap * 1000)] += 1
        self._handle = self._loop.call_later(self._interval, self._look)


def _mend(library: str) -> str:
    package = _PACKAGES.get(library)
    mend = f"apt install {package}" if package else "install the package that holds it"
    return f"Qt needs {library}, which is not installed: {mend}"
