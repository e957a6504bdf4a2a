"""A SQLite file opened to be read: beside whoever writes it, or on a disk where nothing can be laid beside it."""

import shutil
import sqlite3
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from runtime.disk.errors import DatabaseBroken, DatabaseError, typed

_UNOPENED: Final = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
"""What SQLite answers where it may lay nothing beside the file it should read."""
_BESIDE: Final = "?mode=ro"
_ALONE: Final = "?mode=ro&immutable=1"


def reading(path: Path) -> sqlite3.Connection:
    """A connection that only reads. Raises DatabaseBroken where there is no such file, DatabaseError where none opens.

    On a disk that only reads, and where nobody has the file open, it is read as it lies there; what a crash left in
    the log beside it is merged in a copy, which goes when the connection closes.
    """
    try:
        there = path.is_file()
    except OSError as error:
        raise DatabaseError(f"{path}: {error.strerror}; be the user it belongs to") from error
    if not there:
        raise DatabaseBroken(f"{path}: no such file")
    try:
        return _found(path)
    except sqlite3.Error as error:
        raise typed(path, error) from error
    except OSError as error:
        mend = "make room where temporary files go, or be the user it belongs to"
        raise DatabaseError(f"{path}: no copy to be read can be made: {error.strerror}; {mend}") from error


def _found(path: Path) -> sqlite3.Connection:
    connection = _opened(path, _BESIDE)
    if _opens(connection):
        return connection
    connection.close()
    log = path.with_name(f"{path.name}-wal")
    if not log.exists() or not log.stat().st_size:
        return _opened(path, _ALONE)
    return _copied(path, log)


class _Copy(sqlite3.Connection):
    room: TemporaryDirectory[str]

    def close(self) -> None:
        super().close()
        self.room.cleanup()


def _copied(*parts: Path) -> sqlite3.Connection:
    with ExitStack() as stack:
        room = TemporaryDirectory(prefix="kiwoom-actors-")
        stack.callback(room.cleanup)
        for part in parts:
            shutil.copyfile(part, Path(room.name) / part.name)
        connection = _opened(Path(room.name) / parts[0].name, _BESIDE, _Copy)
        assert isinstance(connection, _Copy)
        connection.room = room
        stack.pop_all()
    return connection


def _opened(path: Path, how: str, factory: type[sqlite3.Connection] = sqlite3.Connection) -> sqlite3.Connection:
    place = path.absolute().as_uri() + how
    connection = sqlite3.connect(place, uri=True, timeout=5, isolation_level=None, factory=factory)
    connection.execute("PRAGMA query_only = ON")
    return connection


def _opens(connection: sqlite3.Connection) -> bool:
    """Whatever else is wrong with it the first query says."""
    try:
        connection.execute("PRAGMA schema_version")
    except sqlite3.Error as error:
        return getattr(error, "sqlite_errorcode", 0) & 0xFF not in _UNOPENED
    return True
