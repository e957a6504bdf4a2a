"""A ledger from the journal: start is recovery, and the only one."""

from collections.abc import AsyncIterator
from typing import Protocol

from actors.account.ledger import Booked, Ledger
from messages import (
    ApprovedOrder,
    ApprovedReplace,
    CashAdjusted,
    ExternalOrderSeen,
    Instrument,
    LedgerFolded,
    Message,
    OrderEvent,
    PositionAdjusted,
    Reconciled,
)
from runtime.disk import faultpoints
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


class History(Protocol):
    """The journal, for reading."""

    def read(self, first: int = ..., types: tuple[type[Message], ...] = ...) -> AsyncIterator[Envelope]:
        """Every stored message of these types from number `first` on."""
        ...


async def replay(history: History, ledger: Ledger) -> None:
    """Fold all the journal holds, earlier runs included; nothing may be folded before or meanwhile."""
    async for envelope in history.read(0, _BOOKED):
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
