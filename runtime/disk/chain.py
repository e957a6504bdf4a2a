"""The records of the journal: their bytes, their hash chain, and the proof that nobody changed them."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, Union, cast

import msgspec

import messages
from messages import Message
from runtime import logs
from runtime.bus import RUN_BITS
from runtime.disk.errors import UNREADABLE, DatabaseBroken, DatabaseError
from runtime.disk.reading import reading
from runtime.envelope import Envelope

START = bytes(32)
"""What the first record is chained to."""
OPENED, CLOSED, SEALED = "opened", "closed", "sealed"
"""The journal's own records: a run began, ended in order, was found without an end."""
COLUMNS = "number, time, source, cause, type, body, previous, hash"
PAGE = f"SELECT {COLUMNS} FROM record WHERE number >= ? ORDER BY number LIMIT 1000"  # noqa: S608
STEP_BACK = "SELECT min(number) FROM (SELECT number FROM record WHERE number < ? ORDER BY number DESC LIMIT 10000)"
"""Some records at a time: who writes has its turn in between."""
WITHIN = f"""SELECT {COLUMNS} FROM record WHERE type IN (SELECT value FROM json_each(?)) AND number >= ? AND number < ?
    ORDER BY number DESC"""  # noqa: S608
HIGHEST = (1 << 63) - 1
LOWEST = -(1 << 63)
"""Numbers begin at run 1; whatever stands below was put there."""
_KINDS = (int, int, str, int, str, str, bytes, bytes)
"""Of the columns: JSON alone would take a blob for the text of its base64."""
_HEAD_DIGITS = 64


Kept = TypeVar("Kept", bound=Message)
Front = tuple[int, int, str, int, str]
"""number, time, source, cause and type of a record."""


class ChainBroken(DatabaseBroken):
    """A record is not what was written: changed, missing, or out of place."""


class Entry(NamedTuple):
    """One row of the journal."""

    number: int
    time: int
    source: str
    cause: int
    type: str
    body: str
    """The message as JSON."""
    previous: bytes
    hash: bytes
    """sha256 of `previous` and of the six values before it."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a verification saw."""

    ok: bool
    records: int
    runs: int
    number: int
    """Of the last good record."""
    head: str
    """Its hash."""
    problem: str = ""
    unseen: str = ""
    """What this verification cannot see."""


_encoder = msgspec.json.Encoder()


def _vocabulary() -> dict[str, type[Message]]:
    named = [getattr(messages, name) for name in sorted(messages.__all__)]
    kinds = [kind for kind in named if isinstance(kind, type) and issubclass(kind, Message)]
    return {kind.__name__: kind for kind in kinds if kind.journalled and not any(kind in k.__bases__ for k in kinds)}


KINDS = _vocabulary()
"""The classes a journal takes, by name."""
TYPES = frozenset(KINDS.values())
_decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Union[tuple(KINDS.values())])  # noqa: UP007


def link(previous: bytes, front: Front, body: bytes) -> Entry:
    """Chain one record to the one before it."""
    digest = sha256(b"%b%b\n%b" % (previous, _encoder.encode(front), body)).digest()
    return Entry(*front, body.decode(), previous, digest)


def encode(envelope: Envelope, previous: bytes) -> Entry:
    """Chain a message, one of TYPES, without what is hidden from the logs."""
    message = envelope.message
    body = logs.without_secrets(_encoder.encode(message))
    kind = type(message).__name__
    return link(previous, (envelope.number, envelope.time, envelope.source, envelope.cause, kind), body)


def decode(entry: Entry) -> Envelope:
    """Raises ChainBroken where this program does not know such a message."""
    try:
        message = _decoder.decode(entry.body)
    except msgspec.DecodeError as error:
        raise ChainBroken(f"record {entry.number}: {entry.type} is not understood: {error}") from error
    return Envelope(entry.number, entry.time, entry.source, entry.cause, message)


def names(types: Iterable[type[Message]]) -> frozenset[str]:
    """The names of the classes a journal takes that are one of `types` or derive from one."""
    wanted = tuple(types)
    return frozenset(name for name, kind in KINDS.items() if issubclass(kind, wanted))


def checked(rows: Iterable[tuple[Any, ...]], previous: bytes | None) -> Iterator[Entry]:
    """The rows as entries, each proven to follow the one before; None takes the first one's word for it.

    Raises ChainBroken.
    """
    for row in rows:
        entry = Entry(*row)
        if previous is not None and entry.previous != previous:
            raise ChainBroken(f"record {entry.number}: does not follow the record before it")
        if not _is_whole(row):
            raise ChainBroken(f"record {entry.number}: was changed")
        previous = entry.hash
        yield entry


def entries(path: Path, first: int = 0) -> Iterator[Entry]:
    """Every entry from number `first` on, proven; also while another process writes. Raises DatabaseBroken."""
    connection = reading(path)
    first, previous = (first, None) if first else (LOWEST, START)
    try:
        while rows := connection.execute(PAGE, (first,)).fetchall():
            for entry in checked(rows, previous):
                yield entry
                first, previous = entry.number + 1, entry.hash
    except UNREADABLE as error:
        raise DatabaseBroken(f"{path}: {error}") from error
    finally:
        connection.close()


def envelopes(path: Path, first: int = 0, types: Iterable[type[Message]] = (Message,)) -> Iterator[Envelope]:
    """Every message of these types in a journal nobody needs to have open. Raises DatabaseBroken."""
    wanted = names(types)
    return (decode(entry) for entry in entries(path, first) if entry.type in wanted)


def latest(path: Path, *types: type[Message]) -> Iterator[Envelope]:
    """Every message of these types, the last one first, each record proven by itself. Raises DatabaseBroken."""
    below, wanted = HIGHEST, listed(types)
    with closing(reading(path)) as connection:
        try:
            while (floor := connection.execute(STEP_BACK, (below,)).fetchone()[0]) is not None:
                yield from proven(connection.execute(WITHIN, (wanted, floor, below)).fetchall())
                below = floor
        except UNREADABLE as error:
            raise DatabaseBroken(f"{path}: {error}") from error


def single_value(path: Path, query: str, *parameters: int | str) -> Any:
    """What a query with one answer says of a journal; nothing of it is proven. Raises DatabaseBroken."""
    with closing(reading(path)) as connection:
        try:
            return connection.execute(query, parameters).fetchone()[0]
        except UNREADABLE as error:
            raise DatabaseBroken(f"{path}: {error}") from error


def listed(types: Iterable[type[Message]]) -> str:
    """The names of what derives from these, as `WITHIN` takes them."""
    return _encoder.encode(sorted(names(types))).decode()


def proven(rows: Iterable[tuple[Any, ...]]) -> Iterator[Envelope]:
    """The messages of rows `WITHIN` found. Raises ChainBroken."""
    for row in rows:
        (entry,) = checked([row], None)
        yield decode(entry)


def verify(path: Path, head: str | None = None) -> Verdict:
    """Prove a journal from its first record to its last, and that `head`, a hash kept elsewhere, is part of it."""
    walk = _Walk(head and head.strip().lower())
    problem = ""
    try:
        _check_pages(path)
        for entry in entries(path):
            walk.step(entry)
    except DatabaseError as error:
        problem = str(error)
    return walk.verdict(problem)


def _check_pages(path: Path) -> None:
    connection = reading(path)
    try:
        (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except UNREADABLE as error:
        raise DatabaseBroken(f"{path}: {error}") from error
    finally:
        connection.close()
    if said != "ok":
        raise DatabaseBroken(f"{path}: {' '.join(said.split())}")


class _Walk:
    def __init__(self, head: str | None) -> None:
        self._head = head
        self._records = self._runs = self._after = 0
        self._run: int = 0
        self._met = False
        self._ended = True
        self._last: Entry | None = None

    def step(self, entry: Entry) -> None:
        run = entry.number >> RUN_BITS
        begins = entry.type == OPENED
        if begins and not self._ended:
            raise ChainBroken(f"record {entry.number}: run {self._run} before it has no end")
        if begins and run <= self._run:
            raise ChainBroken(f"record {entry.number}: run {run} begins twice")
        if not begins and (self._ended or run != self._run):
            raise ChainBroken(f"record {entry.number}: stands outside of a run")
        self._run, self._ended = run, entry.type in (CLOSED, SEALED)
        self._runs += begins
        self._records += 1
        self._after += self._met
        self._met = self._met or entry.hash.hex() == self._head
        self._last = entry

    def verdict(self, problem: str) -> Verdict:
        if not problem and self._last is None:
            problem = "no records"
        if not problem and self._head is not None and not self._met:
            problem = self._absence(self._head)
        return Verdict(
            ok=not problem,
            records=self._records,
            runs=self._runs,
            number=self._last.number if self._last else 0,
            head=(self._last.hash if self._last else START).hex(),
            problem=problem,
            unseen=self._unseen(),
        )

    def _absence(self, head: str) -> str:
        if len(head) != _HEAD_DIGITS:
            return f"the head {head} is not one: give all {_HEAD_DIGITS} digits of the hash"
        return f"the head {head} is not in the chain: its tail was cut or it was made anew"

    def _unseen(self) -> str:
        if self._head is None:
            return "without a head kept elsewhere a cut tail, or one chained anew, cannot be seen"
        if self._after:
            return f"a cut or a change made anew among the {self._after} records after the head cannot be seen"
        return ""


def _is_whole(row: tuple[Any, ...]) -> bool:
    if tuple(map(type, row)) != _KINDS:
        return False
    return link(row[6], cast("Front", row[:5]), row[5].encode()) == row
