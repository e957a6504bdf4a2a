"""A file whose room was taken beforehand: the last place to write when the disk is full."""

import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from runtime.database import DatabaseBroken, DatabaseFull

_HEADER = 32


class Emergency:
    """Lines written in place and synced, and the newest run's number in front of them.

    A torn last line is left out; DatabaseBroken where the header cannot be read.
    """

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        if not path.exists():
            _create(path, size)
        content = path.read_bytes()
        self.run = _run(path, content[:_HEADER])
        self.lines: Sequence[bytes] = tuple(_lines(content[_HEADER:]))
        self._size = len(content)
        self._end = _HEADER + sum(len(line) + 10 for line in self.lines)
        self._file: BinaryIO = path.open("r+b", buffering=0)

    def write(self, line: bytes) -> None:
        """Store one line, free of line ends; on the disk when this returns. Raises DatabaseFull."""
        record = b"%08x %b\n" % (zlib.crc32(line), line)
        if self._end + len(record) > self._size:
            raise DatabaseFull(f"{self.path}: no room for one more record")
        self._put(self._end, record)
        self._end += len(record)

    def begin(self, run: int) -> None:
        """Forget the lines, which are elsewhere by now, and remember the run."""
        self._put(0, b"run %27d\n" % run + bytes(self._end - _HEADER))
        self._end = _HEADER

    def close(self) -> None:
        self._file.close()

    def _put(self, offset: int, data: bytes) -> None:
        self._file.seek(offset)
        self._file.write(data)
        os.fsync(self._file.fileno())


def _create(path: Path, size: int) -> None:
    young = path.with_name(path.name + ".new")
    with young.open("wb") as file:
        file.write((b"run %27d\n" % 0).ljust(size, b"\0"))
        file.flush()
        os.fsync(file.fileno())
    young.replace(path)


def _run(path: Path, header: bytes) -> int:
    word, _, number = header.decode("ascii", "replace").partition(" ")
    if len(header) != _HEADER or word != "run" or not number.strip().isdecimal():
        raise DatabaseBroken(f"{path}: cannot be read; move it aside")
    return int(number)


def _lines(content: bytes) -> list[bytes]:
    found: list[bytes] = []
    for record in content.split(b"\n")[:-1]:
        checksum, _, line = record.partition(b" ")
        if checksum != b"%08x" % zlib.crc32(line):
            break
        found.append(line)
    return found
