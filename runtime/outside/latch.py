"""The latch of the kill switch: a file in the run's folder, which outlives every process until a person resumes."""

import asyncio
import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from messages import HaltTrading, ResumeTrading
from runtime.actor import Log
from runtime.clock import text
from runtime.disk import faultpoints
from runtime.disk.journal import SOURCE, Journal
from runtime.envelope import Envelope
from runtime.logs import clean

NAME = "HALT"
A_PERSON = "a person"
"""Who laid a file that does not say it."""
LIFT_TRIES = 20
"""A hundredth of a second apart: on Windows nobody can remove what another program reads just now."""
_LONGEST = 500
"""Characters of a reason."""
_HEAD = ("halted", "by", "flatten", "reason")

_laid = faultpoints.point("latch: laid, the halt not said")
_kept = faultpoints.point("latch: the resume is durable, the latch still there")
_lifted = faultpoints.point("latch: lifted")


class Halt(NamedTuple):
    """What a latch says."""

    since: str
    """As text, in Korea; blank where the file was made by hand."""
    by: str
    reason: str
    flatten: bool = False


class Latch:
    """Halted while the file is there, whoever made it and whatever is in it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._seen: tuple[int, int] | None = None
        self._last: Halt | None = None

    def read(self) -> Halt | None:
        """None where nothing is latched; what cannot be read is latched all the same."""
        try:
            content = self.path.read_bytes()[: 4 * _LONGEST]
        except FileNotFoundError:
            return None
        except OSError as error:
            return Halt("", A_PERSON, f"the file {NAME}, which cannot be read: {error.strerror}")
        return _parsed(content.decode("utf-8", "replace"))

    def lay(self, halt: Halt) -> Halt:
        """Durable on return. Who came first stands, but a wish to flatten is added. Raises OSError."""
        try:
            self._lay_whole(halt)
        except FileExistsError:
            first = self.read() or halt
            if first.flatten or not halt.flatten:
                return first
            halt = first._replace(flatten=True)
            with self._draft(halt) as young:
                young.replace(self.path)
        _sync(self.path)
        self._seen, self._last = self._mark(), halt
        return halt

    def _lay_whole(self, halt: Halt) -> None:
        """Whoever sees the file reads why; but where there is no room, or no links, its name comes first, and halts."""
        try:
            with self._draft(halt) as young:
                os.link(young, self.path)
        except FileExistsError:
            raise
        except OSError:
            _write(self.path, halt)

    @contextmanager
    def _draft(self, halt: Halt) -> Generator[Path]:
        """Under a name that was never used: one that stays behind is the same file as the latch."""
        young = self.path.with_name(f"{NAME}.{os.getpid()}.{time.monotonic_ns()}")
        try:
            _write(young, halt)
            yield young
        finally:
            with suppress(OSError):
                young.unlink()

    def news(self) -> Halt | None:
        """What was laid or changed since the last look. One removed by hand is laid again: only `lift` removes it."""
        mark = self._mark()
        if mark is None and self._last is not None:
            self.lay(self._last)
            mark = self._mark()
        if mark == self._seen:
            return None
        self._seen, self._last = mark, self.read()
        return self._last

    def lift(self) -> None:
        """A person resumed; what was laid since the last look stays, for nobody has heard of it. Raises OSError."""
        if self._mark() not in (None, self._seen):
            return
        self.path.unlink(missing_ok=True)
        self._seen = self._last = None
        _sync(self.path)
        _lifted()

    def _mark(self) -> tuple[int, int] | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size


class Latching:
    """Between bus and journal: a halt is latched before anybody hears of it, and a resume durable before it is lifted.

    A halt for want of the journal is not latched: the next start opens it or ends, so that nothing trades blind. Any
    other is, whatever became of the journal.
    """

    def __init__(self, journal: Journal, latch: Latch, log: Log) -> None:
        self._journal = journal
        self._latch = latch
        self._log = log
        self._newest = self._resumed = 0
        """Numbers of the newest halt, and of the newest resume that knew of all before it."""

    def append(self, envelope: Envelope) -> None:
        """A Tap of the bus."""
        message = envelope.message
        if type(message) is HaltTrading:
            self._newest = envelope.number
            if message.by != SOURCE:
                self._lay(Halt(text(envelope.time), message.by, message.reason, message.flatten))
        elif type(message) is ResumeTrading and message.lifts(self._newest):
            self._resumed = envelope.number
        self._journal.append(envelope)

    async def lift(self, number: int) -> None:
        """Remove the latch once the resume of this number is durable, unless trading was halted anew.

        Raises OSError.
        """
        await self._journal.durable(number)
        _kept()
        for left in reversed(range(LIFT_TRIES)):
            if not self._newest < number == self._resumed or self._removes(last=not left):
                return
            await asyncio.sleep(0.01)

    def _removes(self, *, last: bool) -> bool:
        try:
            self._latch.lift()
        except PermissionError:
            if last:
                raise
            return False
        return True

    def _lay(self, halt: Halt) -> None:
        try:
            self._latch.lay(halt)
        except OSError as error:
            stands = self._latch.path.exists()
            words = "latched, but not for certain on the disk" if stands else "not latched: the next start will trade"
            self._log.error(words, error=str(error), reason=halt.reason)
        _laid()


def _parsed(content: str) -> Halt:
    found = dict(line.split(": ", 1) for line in content.splitlines() if ": " in line)
    if not all(key in found for key in _HEAD):
        return Halt("", A_PERSON, " ".join(content.split())[:_LONGEST] or f"the file {NAME}")
    return Halt(found["halted"], found["by"], found["reason"], found["flatten"] == "yes")


def _write(path: Path, halt: Halt) -> None:
    """A new file. Raises FileExistsError."""
    values = (halt.since, halt.by, "yes" if halt.flatten else "no", halt.reason)
    lines = (f"{key}: {' '.join(clean(value).split())[:_LONGEST]}\n" for key, value in zip(_HEAD, values, strict=True))
    with path.open("xb") as file:
        file.write("".join(lines).encode())
        file.flush()
        os.fsync(file.fileno())


def _sync(path: Path) -> None:
    """The name of a file is as durable as its folder; Windows has no such call, and flushes it with the file."""
    with suppress(OSError):
        place = path if os.name == "nt" else path.parent
        descriptor = os.open(place, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
