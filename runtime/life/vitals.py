"""How a running system does: what `status`, the monitor and the summary read."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec

from runtime.mailbox import Statistics


class Lag(Protocol):
    """Measures how long the loop was kept from turning."""

    @property
    def longest_ms(self) -> float: ...


class Vitals:
    """Facts about this run, always current. Gateways may add their own with `add`."""

    def __init__(self, *, folder: Path, config: Path, digest: str, seed: int, time_kind: str) -> None:
        self.data = folder
        self.config = config
        self.digest = digest
        self.seed = seed
        self.time_kind = time_kind
        self.run = 0
        self.stopping = ""
        """Why the system stops, blank while it does not."""
        self.halted = ""
        """Why trading is halted, blank while it is not."""
        self.summary: dict[str, Any] = {}
        """What the run came to, as `run --json` prints it; laid here by whoever reports."""
        self.closing = ""
        """The same in words."""
        self.lag: Lag | None = None
        self.mailboxes: Callable[[], dict[str, Statistics]] = dict
        self.journal_head: Callable[[], tuple[int, str]] = lambda: (0, "")
        self.extras: dict[str, Callable[[], dict[str, Any]]] = {}
        self._wall = time.perf_counter()
        self._cpu = time.process_time()

    @property
    def run_folder(self) -> Path:
        """Where this run's report and summary go; made when first asked for."""
        folder = self.data / "runs" / f"{self.run:05d}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def wall_s(self) -> float:
        return time.perf_counter() - self._wall

    @property
    def cpu_s(self) -> float:
        return time.process_time() - self._cpu

    def add(self, name: str, figures: Callable[[], dict[str, Any]]) -> None:
        """Show these figures under this name in the status and the summary."""
        self.extras[name] = figures

    def snapshot(self) -> dict[str, Any]:
        """Everything as plain JSON values."""
        return {
            "run": self.run,
            "pid": os.getpid(),
            "config": str(self.config),
            "digest": self.digest,
            "stopping": self.stopping,
            "halted": self.halted,
            "wall_s": round(self.wall_s, 3),
            "cpu_s": round(self.cpu_s, 3),
            "memory_mb": round(peak_memory_mb(), 1),
            "longest_block_ms": round(self.lag.longest_ms, 1) if self.lag else 0.0,
            "journal": list(self.journal_head()),
            "mailboxes": msgspec.to_builtins(self.mailboxes()),
            **{name: figures() for name, figures in self.extras.items()},
        }


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    class _Counters(ctypes.Structure):
        """PROCESS_MEMORY_COUNTERS."""

        _fields_ = (
            ("size", wintypes.DWORD),
            ("faults", wintypes.DWORD),
            ("sizes", ctypes.c_size_t * 7),
            ("most_committed", ctypes.c_size_t),
        )

    def peak_memory_mb() -> float:
        """The most memory this process ever held of its own, in MiB."""
        found = _Counters(size=ctypes.sizeof(_Counters))
        kernel = ctypes.windll.kernel32
        kernel.K32GetProcessMemoryInfo(wintypes.HANDLE(-1), ctypes.byref(found), found.size)
        return found.most_committed / (1 << 20)

else:
    import resource

    def peak_memory_mb() -> float:
        """The most memory this process ever held, in MiB."""
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
