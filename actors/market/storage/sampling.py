"""Which books are stored where not all of them are: one each so often, and the last before a quiet stretch."""

from actors.market.storage.loose import EVER
from messages import OrderBook, Symbol, Venue
from runtime.envelope import Envelope

_Key = tuple[Symbol, Venue]


class Sampling:
    """A book is kept if the one kept before it is `every` nanoseconds older, or if none follows it for as long."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.kept = self.left_out = 0
        self._newest: dict[_Key, int] = {}
        self._held: dict[_Key, tuple[int, Envelope]] = {}

    @property
    def holds(self) -> bool:
        """Whether there are books of which it is not decided yet."""
        return len(self._held) > 0

    def take(self, book: OrderBook, envelope: Envelope) -> list[Envelope]:
        """What is to be stored now that this one came, oldest first."""
        key = book.symbol, book.venue
        kept = self._released(key, book.received)
        if abs(book.received - self._newest.get(key, -EVER)) >= self.every:  # a clock may be set back
            kept.append(self._kept(key, book.received, envelope))
        else:
            self._held[key] = book.received, envelope
        return kept

    def due(self, now: int) -> list[Envelope]:
        """What nothing has followed for long enough; all that is left where `now` is EVER."""
        quiet = [key for key, (received, _) in self._held.items() if now - received >= self.every]
        return [envelope for key in quiet for envelope in self._released(key, now)]

    def _released(self, key: _Key, now: int) -> list[Envelope]:
        if key not in self._held:
            return []
        received, envelope = self._held.pop(key)
        if now - received >= self.every:
            return [self._kept(key, received, envelope)]
        self.left_out += 1
        return []

    def _kept(self, key: _Key, received: int, envelope: Envelope) -> Envelope:
        self.kept += 1
        self._newest[key] = received
        return envelope
