"""The exchange's own record of every request, report and fill, which only checks read."""

from collections.abc import Iterator, Sequence
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
    """Appends JSON lines to a file, each there before the exchange says a word of it. Without a path it keeps none."""

    def __init__(self, path: Path | None = None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0) if path is not None else None

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
        if self._file is not None and entries:
            self._file.write(b"".join(_encoder.encode(entry) + b"\n" for entry in entries))


def read(path: Path) -> Iterator[Entry]:
    """Every entry, oldest first. Raises msgspec.DecodeError for what is none."""
    with path.open("rb") as file:
        for line in file:
            yield _decoder.decode(line)
