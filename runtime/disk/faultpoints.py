"""Named points at which a campaign kills the process; elsewhere passing one costs a call of nothing."""

import os
import signal
from collections.abc import Callable
from functools import partial
from typing import Final

VARIABLE: Final = "KIWOOM_ACTORS_FAULT"
"""`NAME` or `NAME:N` in the environment: the process dies the N-th time it passes the point."""
EVERY: Final = "*"
"""In the variable: nobody dies, but whoever listens is told of every point that is passed."""
POINTS: Final[dict[str, None]] = {}
"""Every point of the modules imported so far, in their order."""


def point(name: str) -> Callable[[], None]:
    """Declare a point; call what is returned where the process may die."""
    POINTS[name] = None
    wanted = os.environ.get(VARIABLE, "")
    if wanted == EVERY:
        return partial(_tell, name)
    _, _, count = wanted.rpartition(":")
    if wanted == name or (count.isdecimal() and wanted == f"{name}:{count}"):
        return _Mine(int(count) if wanted != name else 1)
    return _nothing


def listen(ear: Callable[[str], None]) -> None:
    """Tell `ear` the name of each point that is passed; the variable must have asked for EVERY from the start."""
    _ears[:] = [ear]


class _Mine:
    """Goes off at its n-th step, like a cut of the power: nothing is flushed, nobody is told."""

    def __init__(self, steps: int) -> None:
        self._left = steps

    def __call__(self) -> None:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def _nothing() -> None:
    pass


_ears: list[Callable[[str], None]] = []


def _tell(name: str) -> None:
    for ear in _ears:
        ear(name)
