"""The heartbeat: a file whose time changes while the loop turns, for whoever watches from outside."""

import os
import time
from pathlib import Path

NAME = "heartbeat"
SECONDS = 1.0
"""Between two beats."""


class Heartbeat:
    """Beaten from the loop itself: what hangs there, hangs here. A thread would go on beating for a dead system.

    Only the file's time changes: no byte is written, so it goes on when the disk is full.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._next = 0.0

    def beat(self) -> None:
        """Once a second, however often it is called. Raises OSError."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + SECONDS
        try:
            os.utime(self._path)
        except FileNotFoundError:
            self._path.touch()


class Pulse:
    """The watcher's side: how long ago the file last changed, by the watcher's own clock, which nobody sets."""

    def __init__(self, folder: Path) -> None:
        self._seen = _mark(folder)
        self._since = time.monotonic()
        self.beats = 0
        """Seen since the watch began."""

    def feel(self, folder: Path) -> float:
        """Seconds since the last new beat in the folder of the newest run, or since the watch began.

        One that cannot be looked at is none.
        """
        found = _mark(folder)
        if found is not None and found != self._seen:
            self._seen, self._since = found, time.monotonic()
            self.beats += 1
        return time.monotonic() - self._since


def _mark(folder: Path) -> tuple[Path, int] | None:
    path = folder / NAME
    try:
        return path, path.stat().st_mtime_ns
    except OSError:
        return None
