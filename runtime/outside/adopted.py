"""A system that somebody else started: watched and ended like a child, though its end is told by its journal alone."""

import asyncio
import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from runtime.bus import RUN_BITS
from runtime.disk.chain import CLOSED
from runtime.disk.errors import UNREADABLE, DatabaseError
from runtime.disk.journal import NAME
from runtime.disk.reading import reading
from runtime.life.exits import FAILED
from runtime.process.locks import holder, is_held

_KILL: Final = getattr(signal, "SIGKILL", signal.SIGTERM)
_LOOK = 0.05
_NEWEST = "SELECT number, type FROM record ORDER BY number DESC LIMIT 1"
_STOPPING = "SELECT body FROM record WHERE number > ? AND type = 'RunStopping' ORDER BY number DESC LIMIT 1"


class _Stopping(msgspec.Struct):
    code: int


class Adopted:
    """What runs on a data folder; it has the few members of `asyncio.subprocess.Process` that a guard needs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._code: int | None = None

    @property
    def pid(self) -> int:
        """Of who holds the lock now. Raises ProcessLookupError where nobody does."""
        if not is_held(self._folder):
            raise ProcessLookupError(f"nothing runs on {self._folder}")
        return int(holder(self._folder))

    @property
    def returncode(self) -> int | None:
        """None while it runs; FAILED where it was killed."""
        if self._code is None and not self._is_held():
            self._code = _ended(self._folder / NAME)
        return self._code

    def _is_held(self) -> bool:
        """A folder that cannot be looked into just now tells of no end."""
        try:
            return is_held(self._folder)
        except OSError:
            return True

    def kill(self) -> None:
        os.kill(self.pid, _KILL)

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)

    async def wait(self) -> int:
        while (code := self.returncode) is None:  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(_LOOK)
        return code


def _ended(path: Path) -> int:
    try:
        with closing(reading(path)) as connection:
            return _code(connection)
    except (DatabaseError, msgspec.DecodeError, *UNREADABLE):
        return FAILED


def _code(connection: sqlite3.Connection) -> int:
    number, kind = connection.execute(_NEWEST).fetchone() or (0, "")
    said = connection.execute(_STOPPING, (number >> RUN_BITS << RUN_BITS,)).fetchone()
    if kind != CLOSED or said is None:
        return FAILED
    return msgspec.json.decode(said[0], type=_Stopping).code
