"""Exclusive locks, so that two instances never double everything."""

import hashlib
import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_HELD_AT = 1 << 20  # far behind the text: on Windows a locked byte cannot be read by others
_PATIENCE = 0.2


class AlreadyRunning(Exception):
    """Another process holds the lock; one line for the user."""


class Lock:
    """A file locked while this is entered; the operating system frees it when the process dies, however it dies.

    Raises AlreadyRunning.
    """

    def __init__(self, path: Path, what: str) -> None:
        self._path = path
        self._what = what
        self._file: BinaryIO

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch()
        self._file = self._path.open("r+b", buffering=0)
        if not _patiently(self._file):
            number = _holder(self._path)
            self._file.close()
            raise AlreadyRunning(f"{self._what} is in use by process {number}; stop that one first ({self._path})")
        self._file.truncate(0)
        self._file.write(str(os.getpid()).encode())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.truncate(0)
        _unlock(self._file)
        self._file.close()


def folder_lock(folder: Path) -> Lock:
    """For a data folder."""
    return Lock(folder / "lock", f"the folder {folder}")


def name_lock(what: str, *names: str, folder: Path | None = None) -> Lock:
    """For something of this user and computer, such as a server kind with an account.

    `what` is for people, `names` identify it; only their hash shows in the file's name.
    """
    return Lock(name_path(*names, folder=folder), what)


def name_path(*names: str, folder: Path | None = None) -> Path:
    """The file that `name_lock` locks; what else belongs to these names lies beside it, under another suffix."""
    digest = hashlib.sha256("\0".join(names).encode()).hexdigest()[:24]
    return (folder or Path.home() / ".kiwoom-actors" / "locks") / digest


def is_held(folder: Path) -> bool:
    """Whether a system runs on this data folder. Raises OSError where one may not look."""
    path = folder / "lock"
    if not path.exists():
        return False
    with _opened(path) as file:
        free = _try(file, shared=True)
        if free:
            _unlock(file)
    return not free


def holder(folder: Path) -> str:
    """The number of the process that holds a data folder, `unknown` for an instant around its start and its end."""
    return _holder(folder / "lock")


def _opened(path: Path) -> BinaryIO:
    """Another user may look at what he may not write."""
    try:
        return path.open("r+b", buffering=0)
    except PermissionError:
        return path.open("rb", buffering=0)


def _patiently(file: BinaryIO) -> bool:
    """Somebody who only asks `is_held` holds it for an instant."""
    until = time.monotonic() + _PATIENCE
    while not _try(file):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def _holder(path: Path) -> str:
    return path.read_text("ascii", "replace").strip() or "unknown"


if sys.platform == "win32":

    def _try(file: BinaryIO, *, shared: bool = False) -> bool:
        del shared  # Windows has none
        file.seek(_HELD_AT)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            file.seek(0)
        return True

    def _unlock(file: BinaryIO) -> None:
        file.seek(_HELD_AT)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:

    def _try(file: BinaryIO, *, shared: bool = False) -> bool:
        """Two who only look do not take each other for a system that runs."""
        try:
            fcntl.flock(file.fileno(), (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(file: BinaryIO) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_UN)
