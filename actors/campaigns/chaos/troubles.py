"""What happens to a living system from outside: its journal is locked, its disk is full, it is not run at all."""

import signal
import sqlite3
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

from actors.campaigns.processes import Service
from runtime.disk.journal import NAME

_ROOM = 8_192
"""Bytes that may still be written behind the end of the longest file a database writes to."""


@contextmanager
def trouble(kind: str, service: Service, folder: Path) -> Generator[None]:
    """Have it as long as this is entered; the process may be dead when it is left."""
    with _TROUBLES[kind](service, folder):
        yield


@contextmanager
def _locked(service: Service, folder: Path) -> Generator[None]:
    del service
    connection = sqlite3.connect(folder / NAME, timeout=2.0, isolation_level=None)
    try:
        with suppress(sqlite3.OperationalError):
            connection.execute("BEGIN IMMEDIATE")
        yield
    finally:
        connection.close()


@contextmanager
def _full(service: Service, folder: Path) -> Generator[None]:
    """No file of the process may grow beyond what the journal has taken by now: for it the disk is full."""
    if sys.platform != "linux":
        yield
        return
    import resource  # noqa: PLC0415 - POSIX only

    sizes = [path.stat().st_size for path in folder.glob(f"{NAME}-wal")]
    limit = max(sizes, default=0) + _ROOM
    with suppress(ProcessLookupError):
        resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, unlimited)


@contextmanager
def _hung(service: Service, folder: Path) -> Generator[None]:
    del folder
    if sys.platform == "win32":
        yield
        return
    service.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        service.signal(signal.SIGCONT)


_TROUBLES: dict[str, Callable[[Service, Path], AbstractContextManager[None]]] = {
    "locked": _locked,
    "full": _full,
    "hung": _hung,
}
