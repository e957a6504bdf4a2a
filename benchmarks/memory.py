"""What this process holds: of the system's memory, of malloc's, and of Python's by whose code asked for it."""

import ctypes
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

_PROJECT: Final = str(Path(__file__).resolve().parents[1]) + "/"
_CODE: Final = ("actors/", "messages/", "runtime/")
_TWINS: Final = ("actors/exchange/", "actors/gateways/kiwoom/twin/")
_FRAMES: Final = 6
"""A library's frames lie between what it holds and whoever called it."""
_FIGURES: Final = (
    *("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
)


class _MallocFigures(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in _FIGURES]


def _asking_malloc() -> Callable[[], Any] | None:
    if os.name != "posix":
        return None
    found = cast("Any", getattr(ctypes.CDLL(None), "mallinfo2", None))
    if found is not None:
        found.restype = _MallocFigures
    return found


_malloc_figures: Final = _asking_malloc()
"""Found once: ctypes makes classes for each library it opens, which only a collection of garbage takes away."""


class Held(NamedTuple):
    """Memory of Python's objects in MB, each counted where the code of this project is that asked for it."""

    ours: float = 0.0
    twins: float = 0.0
    """Of the simulated broker's side: its control, and what it knows of the exchange."""


def resident_mb() -> float:
    """What the system says this process has in memory."""
    resident = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return resident * os.sysconf("SC_PAGE_SIZE") / 2**20


def unused_mb() -> float:
    """Of it, what malloc keeps for later: holes between pieces in use. 0 where its library does not tell."""
    return _malloc_figures().fordblks / 2**20 if _malloc_figures is not None else 0.0


def trace() -> None:
    """Note from now on who asks for memory."""
    tracemalloc.start(_FRAMES)


def held() -> Held:
    """Of what was asked for since `trace`; nothing where nothing is noted. Takes a second or so."""
    if not tracemalloc.is_tracing():
        return Held()
    sizes = [0, 0]
    for statistic in tracemalloc.take_snapshot().statistics("traceback"):
        sizes[_is_twins(statistic.traceback)] += statistic.size
    return Held(*(size / 2**20 for size in sizes))


def _is_twins(traceback: tracemalloc.Traceback) -> bool:
    files = (frame.filename.removeprefix(_PROJECT) for frame in reversed(traceback))
    return next((file for file in files if file.startswith(_CODE)), "").startswith(_TWINS)
