"""One issue at one venue as a receiver follows it: its newest print, and the bars under way."""

from collections.abc import Sequence

from actors.market.bars import BarBuilder, start_of
from messages import Symbol, Tick, Venue

_DAY = 86_400


class Line:
    """The newest print's time and volume, the volume before the first; `cut` once the feed broke since.

    `charted` where the feed gives bars: what traded in them was no print that could be lost.
    """

    __slots__ = ("builders", "charted", "cut", "since", "time", "volume")

    def __init__(self, symbol: Symbol, venue: Venue, intervals: Sequence[int]) -> None:
        self.builders = [BarBuilder(symbol, venue, interval) for interval in intervals]
        self.since = self.time = self.volume = 0
        self.charted = self.cut = False

    def is_over(self, tick: Tick) -> bool:
        """Whether a print belongs to a later day."""
        return start_of(tick.time, _DAY) > start_of(self.time, _DAY)
