"""A file whose room was taken beforehand: the last place to write when the disk is full."""

import os
import re
import threading
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from runtime.disk import faultpoints
from runtime.disk.errors import NO_ROOM, DatabaseBroken, DatabaseError, DatabaseFull

_DIGEST = 24
_HEADER = 64
_HEADING = re.compile(rb"((\d{19}) ([0-9a-f]*) *(\d{9}) )([0-9a-f]{8})\n")
_made = faultpoints.point("emergency: file made, not in its place")
_written = faultpoints.point("emergency: written, not synced")
_synced = faultpoints.point("emergency: synced, nobody told")


class Emergency:
    """Lines written in place and synced; in front of them stands how far the journal beside it was stored.

    A last line that was torn is left out and counted; DatabaseBroken where the header cannot be read.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        if not path.exists():
            _create(path, size)
        try:
            self._file: BinaryIO = path.open("r+b", buffering=0)
            content = path.read_bytes()
        except OSError as error:
            raise _typed(path, error, "make room") from error
        try:
            self._read(content, size)
        except DatabaseBroken:
            self._file.close()
            raise

    def _read(self, content: bytes, size: int) -> None:
        self.number, self.digest, self.run = _header(self.path, content[:_HEADER])
        """The newest record known to be stored, its hash cut short, and the newest run that was about to begin."""
        self.lines, self.torn, self.damaged = _lines(content[_HEADER:])
        """What is whole, how many lines are not, and whether one of those stands before a whole one."""
        self._size = max(size, len(content))
        self._end = _HEADER + len(content[_HEADER:].rstrip(b"\0"))
        self._whole = len(content) == self._size
        self._lock = threading.Lock()

    def stands_for(self, number: int, digest: str) -> bool:
        """Whether the record of this number and hash is the one the header names."""
        return (number, digest[:_DIGEST]) == (self.number, self.digest)

    @property
    def half_full(self) -> bool:
        """Whether what is left should be kept for what must be written."""
        return self._end * 2 > self._size

    def write(self, line: bytes, *, sync: bool = True) -> None:
        """Store one line, free of line ends; on the disk when this returns, without `sync` at the next that syncs.

        Raises DatabaseFull where no room is left, DatabaseError where the disk refuses.
        """
        record = b"%08x %b\n" % (zlib.crc32(line), line)
        if self._end + len(record) > self._size:
            raise DatabaseFull(f"{self.path}: no room for one more record")
        self._put(self._end, record, sync=sync)
        self._end += len(record)

    def sync(self) -> None:
        """Have all lines on the disk. Raises DatabaseError."""
        self._put(0, b"")

    def mark(self, number: int, digest: str) -> None:
        """Note the newest stored record, from any thread. Not synced: after a power cut it is behind, never ahead."""
        with suppress(OSError), self._lock:
            self._file.seek(0)
            self._file.write(_heading(number, digest, self.run))

    def prepare(self, run: int) -> None:
        """Note that this run is about to begin; the lines stay."""
        self.run = run
        self._put(0, _heading(self.number, self.digest, run))

    def begin(self, number: int, digest: str) -> None:
        """Forget the lines, which are elsewhere by now, and note the newest stored record; before any `write`."""
        end = self._end if self._whole else self._size
        self._put(0, _heading(number, digest, self.run) + bytes(end - _HEADER))
        self._end, self._whole = _HEADER, True

    def close(self) -> None:
        self._file.close()

    def _put(self, offset: int, data: bytes, *, sync: bool = True) -> None:
        try:
            with self._lock:
                self._file.seek(offset)
                _write(self._file, data)
                _written()
                if sync:
                    os.fsync(self._file.fileno())
        except OSError as error:
            raise _typed(self.path, error, "make room") from error
        _synced()


def _create(path: Path, size: int) -> None:
    young = path.with_name(path.name + ".new")
    try:
        with young.open("wb") as file:
            file.write(_heading(0, "", 0).ljust(size, b"\0"))
            file.flush()
            os.fsync(file.fileno())
        _made()
        young.replace(path)
    except OSError as error:
        raise _typed(path, error, f"make room for {size:,} bytes") from error


def _typed(path: Path, error: OSError, mend: str) -> DatabaseError:
    if error.errno in NO_ROOM:
        return DatabaseFull(f"{path}: {error.strerror}; {mend}")
    return DatabaseError(f"{path}: {error.strerror}; look after the disk and the file's permissions")


def _write(file: BinaryIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def _heading(number: int, digest: str, run: int) -> bytes:
    front = b"%019d %-*b %09d " % (number, _DIGEST, digest[:_DIGEST].encode(), run)
    return b"%b%08x\n" % (front, zlib.crc32(front))


def _header(path: Path, header: bytes) -> tuple[int, str, int]:
    found = _HEADING.fullmatch(header)
    if found is None or found[5] != b"%08x" % zlib.crc32(found[1]):
        raise DatabaseBroken(f"{path}: cannot be read; move it aside as {path.name}.broken-1 to go on without it")
    return int(found[2]), found[3].decode(), int(found[4])


def _lines(content: bytes) -> tuple[Sequence[bytes], int, bool]:
    found: list[bytes] = []
    torn, damaged = 0, False
    for record in filter(None, content.rstrip(b"\0").split(b"\n")):
        checksum, _, line = record.partition(b" ")
        whole = checksum == b"%08x" % zlib.crc32(line)
        damaged = damaged or (whole and torn > 0)
        torn += not whole
        found += [line] * whole
    return tuple(found), torn, damaged
