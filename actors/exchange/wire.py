"""What an exchange and its clients say to each other: a length, then one message as msgpack."""

from typing import Any, Final, NamedTuple

import msgspec

from actors.exchange.events import ExchangeEvent
from actors.exchange.records import (
    AccountState,
    BookSnapshot,
    FillRecord,
    OrderRecord,
    Refusal,
    Statistics,
    ViRecord,
)
from messages import Bar, Instrument, Kind, Ranked, Side, Symbol, Validity

VERSION: Final = 1
HOST: Final = "127.0.0.1"
"""Nobody but this machine."""
LARGEST: Final = 64 << 20
"""Bytes of a frame."""
_LENGTH: Final = 4


class BrokenFrame(Exception):
    """What came is no frame of ours; one line."""


class Hello(msgspec.Struct, tag=True, array_like=True):
    """A client's first word; one that follows gets every slice from here on, and the world waits for its first."""

    version: int
    follows: bool


class Question(msgspec.Struct, tag=True, array_like=True):
    """A call by its name; the answer comes before that to the next question."""

    call: str
    arguments: msgspec.Raw


class Handled(msgspec.Struct, tag=True, array_like=True):
    """A follower is done with the slice that ends at `until`; the first one is where it begins."""

    until: int


class Welcome(msgspec.Struct, tag=True, array_like=True):
    """The server's first word."""

    version: int
    account: str
    start: int
    end: int
    now: int
    issues: tuple[Instrument, ...]


class Answer(msgspec.Struct, tag=True, array_like=True):
    """What the call gave."""

    value: msgspec.Raw


class Wrong(msgspec.Struct, tag=True, array_like=True):
    """Why there is no answer."""

    reason: str


class Slice(msgspec.Struct, tag=True, array_like=True):
    """What happened up to `until`, and the books that changed."""

    until: int
    events: tuple[ExchangeEvent, ...]
    books: tuple[BookSnapshot, ...]


class Call(NamedTuple):
    """Types of the arguments, and of the answer."""

    takes: Any
    gives: Any


CALLS: Final = {
    "place": Call(tuple[str, Side, Kind, Validity, Symbol, int, int, str], str | Refusal),
    "cancel": Call(tuple[str, str, int, str], str | Refusal),
    "replace": Call(tuple[str, str, int, int, str], str | Refusal),
    "account_state": Call(tuple[str], AccountState | Refusal),
    "statistics": Call(tuple[Symbol], Statistics),
    "book": Call(tuple[Symbol], BookSnapshot),
    "charts": Call(tuple[Symbol, int], tuple[Bar, ...]),
    "yesterday": Call(tuple[Symbol], Bar | None),
    "ranking": Call(tuple[()], tuple[Ranked, ...]),
    "vi_list": Call(tuple[()], tuple[ViRecord, ...]),
    "orders": Call(tuple[()], tuple[OrderRecord, ...]),
    "fills": Call(tuple[()], tuple[FillRecord, ...]),
    "time": Call(tuple[()], int),
    "close_market": Call(tuple[()], int),
    "finish": Call(tuple[()], int),
    "pace": Call(tuple[float], int),
    "hold": Call(tuple[()], int),
    "release": Call(tuple[()], int),
}
"""`close_market` ends trading, `finish` the day, `pace` sets the simulated seconds a second, `hold` lets the world
stand still until `release`, or until the connection ends; all of them give the time."""

Said = Hello | Question | Handled
Told = Welcome | Answer | Wrong | Slice

said: Final = msgspec.msgpack.Decoder(Said)
"""What a client says."""
told: Final = msgspec.msgpack.Decoder(Told)
"""What a server says."""
_encoder: Final = msgspec.msgpack.Encoder()


def frame(message: Said | Told) -> bytes:
    """One message, ready to be sent."""
    content = bytearray(_LENGTH)
    _encoder.encode_into(message, content, _LENGTH)
    content[:_LENGTH] = (len(content) - _LENGTH).to_bytes(_LENGTH, "big")
    return bytes(content)


def raw(value: object) -> msgspec.Raw:
    """A value inside a message."""
    return msgspec.Raw(_encoder.encode(value))


class Frames:
    """Cuts a stream of bytes into the bodies of its frames."""

    def __init__(self) -> None:
        self._held = bytearray()

    def add(self, data: bytes | memoryview) -> list[bytes]:
        """The bodies that are whole by now. Raises BrokenFrame."""
        held = self._held
        held += data
        bodies: list[bytes] = []
        at = 0
        while len(held) - at >= _LENGTH:
            length = int.from_bytes(held[at : at + _LENGTH], "big")
            if not length or length > LARGEST:
                raise BrokenFrame(f"a frame of {length} bytes")
            if len(held) - at - _LENGTH < length:
                break
            bodies.append(bytes(held[at + _LENGTH : at + _LENGTH + length]))
            at += _LENGTH + length
        del held[:at]
        return bodies
