"""The exchange's own record of every request, report and fill, which only checks read."""

from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from actors.exchange.events import ExchangeEvent, OrderReport
from actors.exchange.records import Refusal


class Request(msgspec.Struct, tag=True, frozen=True):
    """What a client asked of the broker, and the order number or refusal it got."""

    time: int
    call: str
    arguments: tuple[Any, ...]
    answer: str | Refusal


class Note(msgspec.Struct, tag=True, frozen=True):
    """Something about the server itself, such as a client that came or went."""

    time: int
    text: str


Entry = Request | OrderReport | Note
_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Entry)


class Annals:
    """Appends JSON lines to a file, each there before the exchange says a word of it. Without a path it keeps none.

    Raises OSError where a line does not get to the disk; it goes before the next one.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._file = _opened(path) if path is not None else None
        self._waiting = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def request(self, time: int, call: str, arguments: tuple[Any, ...], answer: str | Refusal) -> None:
        self._write([Request(time, call, arguments, answer)])

    def reports(self, events: Sequence[ExchangeEvent]) -> None:
        """Keep what is about orders of ours."""
        self._write([event for event in events if isinstance(event, OrderReport)])

    def note(self, time: int, text: str) -> None:
        self._write([Note(time, text)])

    def _write(self, entries: Sequence[Entry]) -> None:
        if self._file is None:
            return
        self._waiting += b"".join(_encoder.encode(entry) + b"\n" for entry in entries)
        while self._waiting:
            self._waiting = self._waiting[_write(self._file, self._waiting) :]


def read(path: Path) -> Iterator[Entry]:
    """Every entry, oldest first, but a last one that a kill cut off. Raises msgspec.DecodeError for what is none."""
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield _decoder.decode(line)


def _opened(path: Path) -> FileIO:
    """At the end of its last whole line: what a kill cut off was never said."""
    path.parent.mkdir(parents=True, exist_ok=True)
    file = FileIO(path, "a+")
    file.seek(0)
    file.truncate(file.readall().rfind(b"\n") + 1)
    return file


def _write(file: FileIO, content: bytes) -> int:
    """How many bytes of it are there now; a disk that is nearly full takes a part."""
    try:
        return file.write(content)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file.name)) from None
