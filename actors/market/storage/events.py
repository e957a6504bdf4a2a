"""What happened besides prints and books: sessions, interruptions, halts, condition searches; a row each, as JSON."""

import sqlite3
from collections.abc import Collection, Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from messages import ConditionEntered, ConditionLeft, InstrumentHalted, SessionChanged, ViReleased, ViTriggered

MarketEvent = SessionChanged | ViTriggered | ViReleased | InstrumentHalted | ConditionEntered | ConditionLeft

SCHEMA: Final = """
    CREATE TABLE events (
        number INTEGER NOT NULL, time INTEGER NOT NULL, type TEXT NOT NULL, symbol TEXT NOT NULL,
        venue TEXT NOT NULL, message TEXT NOT NULL);
    CREATE INDEX events_by_time ON events (time);
    """
_INSERT: Final = "INSERT INTO events VALUES (?,?,?,?,?,?)"
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(MarketEvent).decode


class Event(NamedTuple):
    """One of them: when it was published (nanoseconds), under which number."""

    time: int
    number: int
    message: MarketEvent


def write(connection: sqlite3.Connection, events: Iterable[Event]) -> None:
    connection.executemany(_INSERT, map(_row, events))


def read(connection: sqlite3.Connection, symbols: Collection[str], since: int, until: int) -> Iterator[Event]:
    """By time and number, those of no issue included; of all issues where `symbols` is empty.

    None in a store of an older version. Raises ValueError for a row that cannot be read.
    """
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'events'").fetchone():
        return
    among = f" AND symbol IN ('',{','.join('?' * len(symbols))})" if symbols else ""
    query = f"SELECT time, number, message FROM events WHERE time>=? AND time<?{among} ORDER BY time, number"  # noqa: S608
    for time, number, text in connection.execute(query, (since, until, *symbols)):
        try:
            yield Event(time, number, _decode(text))
        except (msgspec.DecodeError, TypeError) as error:
            raise ValueError(f"the event of number {number} cannot be read: {error}") from error


def _row(event: Event) -> tuple[int, int, str, str, str, str]:
    message = event.message
    subject = (getattr(message, "symbol", ""), getattr(message, "venue", ""))
    return (event.number, event.time, type(message).__name__, *subject, _encode(message).decode())
