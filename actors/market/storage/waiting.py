"""Prices on their way to the disk, written out while they are fresh: a second later that takes twice as long."""

from collections import deque
from collections.abc import Sequence
from typing import Final

from actors.market.storage import loose
from actors.market.storage.loose import Kind, Piece, Stored
from runtime.envelope import Envelope

TOGETHER: Final = 32
"""Messages of a piece: few enough to be in the processor's cache still, and to delay nobody by more than some 20 us."""


class Waiting:
    """What waits of a kind, oldest first; `rows` is how many messages that is."""

    def __init__(self, kind: Kind) -> None:
        self.kind: Kind = kind
        self.rows = 0
        self.pieces: deque[Piece] = deque()
        """Those that `seal` closed."""
        self._fresh: list[tuple[int, Stored]] = []

    def add(self, envelope: Envelope) -> None:
        """One more message of the kind, with a higher number than those before."""
        self.rows += 1
        self._fresh.append((envelope.number, envelope.message))  # type: ignore[arg-type]
        if len(self._fresh) == TOGETHER:
            self.seal()

    def seal(self) -> None:
        """Close the piece under way."""
        if self._fresh:
            self.pieces.append(loose.piece(self.kind, self._fresh))
            self._fresh = []

    def stored(self, pieces: Sequence[Piece]) -> None:
        """The first of them are on the disk."""
        for piece in pieces:
            first = self.pieces.popleft()
            assert first is piece
            self.rows -= piece.rows
