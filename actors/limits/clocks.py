"""How far the clock here is off the exchange's."""

from typing import Final

from actors.market.time import SECOND

_SPAN: Final = 2 * SECOND
"""Of which the least difference counts, and that of as long before it."""


class Clocks:
    """The least of the latest differences: a delay only ever adds to one, so a late record alone says nothing."""

    __slots__ = ("_before", "_least", "_since", "ahead")

    def __init__(self) -> None:
        self.ahead = 0
        """Nanoseconds by which ours is ahead, up to a second more; below 0 it is behind. 0 while nothing came."""
        self._before = self._least = 0
        self._since = -_SPAN

    def compare(self, theirs: int, ours: int) -> None:
        """Take in what the exchange dated `theirs` and we `ours`; a clock set back begins anew at once."""
        difference = ours - theirs
        if 0 <= ours - self._since < _SPAN:
            if difference >= self._least:
                return
        else:
            self._before, self._since = self._least if self._since >= 0 else difference, ours
        self._least = difference
        self.ahead = min(difference, self._before)
