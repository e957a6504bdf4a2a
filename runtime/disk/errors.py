"""Why SQLite refused, in a line that names the file and what a person can do."""

import errno
import sqlite3
from contextlib import suppress
from pathlib import Path

UNREADABLE = (sqlite3.Error, UnicodeDecodeError, MemoryError)
"""What Python's sqlite3 raises over a damaged file: its words for it may be damaged too."""
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""A full disk, a used-up quota, a limit on the size of files: room can be made for each."""
MEND_BROKEN = "move it aside or bring back a copy of it; a journal is moved by `audit quarantine`"
"""What a person can do with a damaged file."""
_PROBE = 1 << 16
"""Bytes."""


class DatabaseError(Exception):
    """SQLite refused; the first line names the file.

    DatabaseBroken, DatabaseFull and DatabaseLocked say why where it is known.
    """


class DatabaseBroken(DatabaseError):
    """The file is no database of ours: damaged, foreign, or of a newer version."""


class DatabaseFull(DatabaseError):
    """No space is left on the disk."""


class DatabaseLocked(DatabaseError):
    """Another process held the file longer than the busy time-out."""


_BY_CODE: dict[int, type[DatabaseError]] = {
    sqlite3.SQLITE_NOTADB: DatabaseBroken,
    sqlite3.SQLITE_CORRUPT: DatabaseBroken,
    sqlite3.SQLITE_FULL: DatabaseFull,
    sqlite3.SQLITE_BUSY: DatabaseLocked,
    sqlite3.SQLITE_LOCKED: DatabaseLocked,
}
_MEND: dict[type[DatabaseError], str] = {
    DatabaseBroken: MEND_BROKEN,
    DatabaseFull: "make room on the disk and start again",
    DatabaseLocked: "end the other program that has it open",
    DatabaseError: "look after the disk and the file's permissions",
}


def typed(path: Path, error: Exception) -> DatabaseError:
    """What one of UNREADABLE means for this file."""
    unknown = sqlite3.SQLITE_ERROR if isinstance(error, sqlite3.Error) else sqlite3.SQLITE_CORRUPT
    code: int = getattr(error, "sqlite_errorcode", unknown)
    kind = _BY_CODE.get(code & 0xFF, DatabaseError)
    if code & 0xFF == sqlite3.SQLITE_IOERR and _takes_no_more(path):
        kind = DatabaseFull
    return kind(f"{path}: {error}; {_MEND[kind]}")


def _takes_no_more(path: Path) -> bool:
    """SQLite knows a full disk; a limit or a quota it calls an I/O error. The system itself tells them apart."""
    probe = path.with_name(path.name + ".probe")
    try:
        parts = (path.with_name(path.name + suffix) for suffix in ("", "-wal"))
        largest = max((part.stat().st_size for part in parts if part.exists()), default=0)
        with probe.open("wb") as file:
            file.seek(largest)
            file.write(bytes(_PROBE))
    except OSError as error:
        return error.errno in NO_ROOM
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)
    return False
