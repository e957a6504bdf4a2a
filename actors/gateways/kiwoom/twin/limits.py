"""Kiwoom's limits: so many calls a second, and the load box that ends all queries."""

from collections import deque

from actors.market.time import SECOND
from runtime.clock import Clock

_LOAD = ((18, 5), (90, 25), (180, 50), (3_600, 1_000))
"""Seconds and queries: what other programs found to be safe."""


class RateLimit:
    """At most so many calls in any second; a refused call doesn't count."""

    def __init__(self, clock: Clock, most: int = 5) -> None:
        self._clock = clock
        self._calls: deque[int] = deque(maxlen=most)

    def allows(self) -> bool:
        now, calls = self._clock.now(), self._calls
        if len(calls) == calls.maxlen and now - calls[0] < SECOND:
            return False
        calls.append(now)
        return True


class LoadBox:
    """서버부하방지: once it was shown, every query is refused until the program is started anew."""

    def __init__(self, clock: Clock) -> None:
        self.shown = False
        self._clock = clock
        self._calls: deque[int] = deque(maxlen=_LOAD[-1][1] + 1)

    def allows(self) -> bool:
        now = self._clock.now()
        self._calls.append(now)
        self.shown = self.shown or any(self._too_many(now, seconds, most) for seconds, most in _LOAD)
        return not self.shown

    def _too_many(self, now: int, seconds: int, most: int) -> bool:
        return len(self._calls) > most and now - self._calls[-1 - most] < seconds * SECOND


class QueryLimit:
    """What CommRqData, CommKwRqData and SendCondition share."""

    def __init__(self, clock: Clock, *, load_box: bool) -> None:
        self._rate = RateLimit(clock)
        self._box = LoadBox(clock) if load_box else None

    def check(self) -> int:
        """Count a query; Kiwoom's return value, 0 where it may pass."""
        if self._box is not None and self._box.shown:
            return -209
        if not self._rate.allows():
            return -200
        return -209 if self._box is not None and not self._box.allows() else 0
