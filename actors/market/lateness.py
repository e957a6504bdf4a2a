"""How late prints come by our clock: the line may be slow, or our clock ahead of the exchange's."""

from typing import Final

from actors.market.time import SECOND

_MANY: Final = 12
"""Seconds with prints that tell: the exchange dates by whole seconds, so in one of them all may look late."""
_USUAL: Final = SECOND // 2
_MOST: Final = 5 * SECOND


class Lateness:
    """The least difference in many seconds, where it is out of the usual."""

    __slots__ = ("_least", "_made", "_seconds", "behind")

    def __init__(self) -> None:
        self.behind = 0
        """Nanoseconds by which all prints of late came after the second they are dated; 0 as usual, 5 s at most."""
        self._made = self._seconds = 0
        self._least = _MOST

    def note(self, made: int, received: int) -> None:
        """Take in a print by its own time and by ours."""
        if made != self._made and not self._made - _MOST < made < self._made:
            self._made = made
            self._begin_second()
        if received - made < self._least:  # noqa: PLR1730 - a call of min() costs thrice as much
            self._least = received - made

    def _begin_second(self) -> None:
        if self._seconds == _MANY:
            self.behind = self._least if self._least > _USUAL else 0
            self._seconds, self._least = 0, _MOST
        self._seconds += 1
