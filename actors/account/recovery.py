"""A ledger from the journal: start is recovery, and the only one."""

from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import takewhile
from pathlib import Path
from typing import Protocol

from actors.account.carrying import restore
from actors.account.ledger import Booked, Ledger
from messages import (
    ApprovedOrder,
    ApprovedReplace,
    CashAdjusted,
    ExternalOrderSeen,
    Instrument,
    LedgerCarried,
    LedgerFolded,
    Message,
    OrderEvent,
    PositionAdjusted,
    Reconciled,
)
from runtime.bus import RUN_BITS
from runtime.disk import chain, faultpoints
from runtime.disk.chain import Kept
from runtime.envelope import Envelope

_BOOKED: tuple[type[Booked], ...] = (
    ApprovedOrder,
    ApprovedReplace,
    OrderEvent,
    PositionAdjusted,
    CashAdjusted,
    Reconciled,
    Instrument,
    ExternalOrderSeen,
)

_folded = faultpoints.point("recovery: a record of the journal is folded")


PROOF: tuple[type[Message], ...] = (LedgerFolded, Reconciled)
"""What is said after a reconciliation by everyone who folded it, and where that ends."""


class History(Protocol):
    """The journal, for reading."""

    def read(self, first: int = ..., types: tuple[type[Message], ...] = ...) -> AsyncIterator[Envelope]:
        """Every stored message of these types from number `first` on."""
        ...

    async def newest(self, kind: type[Kept]) -> Kept | None:
        """The last stored message of a class."""
        ...


async def replay(history: History, ledger: Ledger) -> str:
    """Fold all the journal holds, earlier runs included; nothing may be folded before or meanwhile.

    What lies before the last state that a ledger carried over stands in that state. Its date comes back, blank where
    everything was folded.
    """
    state = await history.newest(LedgerCarried)
    if state is None or contradicted(state, [e.message async for e in _proof(history, state.reconciliation)]):
        await _fold(history, ledger, 0)
        return ""
    begin = run_of(state)
    async for envelope in history.read(begin, (Instrument, Reconciled)):
        if envelope.number >= state.reconciliation:
            break
        if isinstance(envelope.message, Instrument):
            ledger.fold(envelope.message, envelope.number)
    restore(ledger, state)
    await _fold(history, ledger, state.reconciliation + 1)
    return state.day


def states(path: Path) -> Iterator[LedgerCarried]:
    """The states of the ledger in a journal nobody needs to have open, the last one first. Raises DatabaseBroken."""
    for envelope in chain.latest(path, LedgerCarried):
        assert isinstance(envelope.message, LedgerCarried)
        yield envelope.message


def stands(path: Path, state: LedgerCarried) -> bool:
    """Whether nobody contradicted that state. Raises DatabaseBroken."""
    after = (envelope.message for envelope in chain.envelopes(path, state.reconciliation + 1, PROOF))
    return not contradicted(state, takewhile(lambda message: isinstance(message, LedgerFolded), after))


def run_of(state: LedgerCarried) -> int:
    """The number with which the run of that state began."""
    return state.reconciliation >> RUN_BITS << RUN_BITS


def contradicted(state: LedgerCarried, proof: Iterable[Message]) -> bool:
    """Whether another keeper's ledger was another at that reconciliation: then the state is nothing to go on from."""
    ledger = Ledger()
    restore(ledger, state)
    digest = ledger.digest()
    folded = (message for message in proof if isinstance(message, LedgerFolded))
    return any(message.reconciliation == state.reconciliation and message.digest != digest for message in folded)


async def _proof(history: History, reconciliation: int) -> AsyncIterator[Envelope]:
    async for envelope in history.read(reconciliation + 1, PROOF):
        if isinstance(envelope.message, Reconciled):
            return
        yield envelope


async def _fold(history: History, ledger: Ledger, first: int) -> None:
    async for envelope in history.read(first, _BOOKED):
        message = envelope.message
        assert isinstance(message, Booked)
        assert envelope.number > ledger.number, "a message was folded before the journal was read"
        ledger.fold(message, envelope.number)
        _folded()


def state_at(reconciliation: int, ledger: Ledger) -> LedgerFolded | None:
    """What the ledger holds at the reconciliation it has just folded.

    None where the replay of a start has read beyond it: others have acted on it meanwhile.
    """
    if ledger.number != reconciliation:
        return None
    return LedgerFolded(reconciliation=reconciliation, digest=ledger.digest())
