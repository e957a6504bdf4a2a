"""What was lost: the accumulated volume of an issue against the sum of its prints, told burst by burst."""

from typing import Final

from actors.market.time import SECOND
from messages import Lost, Shares, Symbol, Venue

Code = tuple[Symbol, Venue]
_MOST: Final = 1_000
"""Holes remembered of one issue; a late print for an older one finds nothing to fill."""


class _Burst:
    __slots__ = ("latest", "said", "shares", "untold")

    def __init__(self) -> None:
        self.shares = self.untold = self.latest = 0
        self.said = False


class Losses:
    """Losses by issue; a burst is over when nothing more was lost for `calm` seconds.

    A loss is a hole: the accumulated volumes (first, last] that no print covers. A late print fills its part.
    """

    def __init__(self, calm: float) -> None:
        self._calm = round(calm * SECOND)
        self._bursts: dict[Code, _Burst] = {}
        self._holes: dict[Code, list[tuple[int, int]]] = {}
        self._totals: dict[Code, int] = {}

    def __bool__(self) -> bool:
        """Whether a burst is under way."""
        return len(self._bursts) > 0

    def add(self, code: Code, first: int, last: int, now: int) -> None:
        """A hole was seen; `now` in nanoseconds."""
        burst = self._bursts.get(code)
        if burst is None:
            burst = self._bursts[code] = _Burst()
        burst.shares += last - first
        burst.untold += last - first
        burst.latest = now
        holes = self._holes.setdefault(code, [])
        holes.append((first, last))
        del holes[:-_MOST]
        self._totals[code] = self._totals.get(code, 0) + last - first

    def fill(self, code: Code, first: int, last: int) -> int:
        """A print of the past came: the shares that are not lost after all, 0 for a repeated one."""
        holes = self._holes.get(code, [])
        for place, (low, high) in enumerate(holes):
            if low <= first and last <= high:
                holes[place : place + 1] = [hole for hole in ((low, first), (last, high)) if hole[0] < hole[1]]
                self._give_back(code, last - first)
                return last - first
        return 0

    def told(self) -> tuple[Lost, ...]:
        """What was lost since the last call."""
        rows: list[Lost] = []
        for code, burst in self._bursts.items():
            if burst.untold:
                rows.append(self._row(code, burst.untold))
                burst.untold, burst.said = 0, True
        return tuple(rows)

    def over(self, now: int) -> tuple[Lost, ...]:
        """The bursts that were told and have ended, each given once."""
        ended = [code for code, burst in self._bursts.items() if now - burst.latest >= self._calm]
        bursts = [(code, self._bursts.pop(code)) for code in ended]
        return tuple(self._row(code, burst.shares) for code, burst in bursts if burst.said)

    def forget(self, code: Code) -> None:
        """A new day, or a new registration: old holes are never filled."""
        self._holes.pop(code, None)

    def _give_back(self, code: Code, shares: int) -> None:
        self._totals[code] -= shares
        burst = self._bursts.get(code)
        if burst is not None:
            burst.shares = max(burst.shares - shares, 0)
            burst.untold = max(burst.untold - shares, 0)

    def _row(self, code: Code, shares: int) -> Lost:
        symbol, venue = code
        return Lost(symbol=symbol, venue=venue, shares=Shares(shares), total=Shares(self._totals[code]))
