"""A start in mid-session: collected bars up to a pivot, bars of our own prints from there on, nothing twice."""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from actors.market.bars import BarBuilder, start_of
from actors.market.storage import store
from actors.market.storage.history import History
from actors.market.time import SECOND
from messages import Bar, Nanoseconds, Symbol, Tick, Venue
from runtime.disk.errors import DatabaseError

EVER: Final = 1 << 62
"""An instant after all others."""

_LONGEST: Final = 600
"""Seconds of an interval that are read back at most; a longer one under way at a start has no bar."""
_BEFORE: Final = 120
"""Seconds before the interval in which a print shows that nothing of the interval is missing."""


class Joined(NamedTuple):
    """Bars of one issue on one day, oldest first."""

    bars: tuple[Bar, ...]
    pivot: Nanoseconds
    """Start of the first interval that is made of our prints; no bar before it is."""
    missing: int | None
    """Shares before the pivot that are in no bar: 0 proves that there is no gap, less than 0 is an overlap.

    None where no print after the pivot says what the day's volume was by then.
    """


def chained(*parts: Iterable[Tick]) -> list[Tick]:
    """Prints of one issue on one day, each once and by accumulated volume, whatever the parts share."""
    found = {tick.volume: tick for part in parts for tick in part if tick.size}
    return [found[volume] for volume in sorted(found)]


def unbroken(ticks: Sequence[Tick]) -> Sequence[Tick]:
    """The newest prints without one missing between them, by accumulated volume."""
    first = len(ticks)
    while first and (first == len(ticks) or ticks[first].volume - ticks[first].size == ticks[first - 1].volume):
        first -= 1
    return ticks[first:]


class Past:
    """The prints an earlier run stored of the interval that a start falls in, and the last ones before it."""

    def __init__(self, ticks: Iterable[Tick] = ()) -> None:
        self._prints: dict[tuple[Symbol, Venue], list[Tick]] = {}
        for tick in ticks:
            self._prints.setdefault((tick.symbol, tick.venue), []).append(tick)

    @classmethod
    def stored(cls, data: Path, now: int, longest: int) -> "Past":
        """From the market store of a data folder, if it has one. Raises DatabaseError.

        `longest` is the longest interval of bars in seconds, 0 where none are built.
        """
        if not longest or not store.market_file(data).exists():
            return cls()
        since = max(start_of(now, longest), now - _LONGEST * SECOND) - _BEFORE * SECOND
        try:
            with History(data) as history:
                return cls(tick for tick in history.messages((), since, now, ("ticks",)) if isinstance(tick, Tick))
        except sqlite3.Error as error:
            raise DatabaseError(f"{store.market_file(data)}: {error}") from error

    def before(self, tick: Tick) -> Sequence[Tick]:
        """Those that lead to the first live print without a gap: none where one is missing. An issue is asked once."""
        return unbroken([*chained(self._prints.pop((tick.symbol, tick.venue), ())), tick])[:-1]


def begun(prints: Sequence[Tick], tick: Tick, interval: int) -> Sequence[Tick] | None:
    """The prints of the interval (seconds) of `tick` before it, out of those that lead to it.

    None where others may have come before them.
    """
    start = start_of(tick.time, interval)
    if not prints or (prints[0].time >= start and prints[0].volume > prints[0].size):
        return None
    return [earlier for earlier in prints if earlier.time >= start]


def join(collected: Iterable[Bar], stored: Iterable[Tick], live: Iterable[Tick], interval: int, until: int) -> Joined:
    """Join the bars of one issue, day and interval (seconds) with the prints stored before and those received now.

    The pivot is the start of the first interval of which every print is there. After it a collected bar counts
    only where it has more volume: prints are missing behind our last one. Only intervals that have ended by `until`
    are given.
    """
    ticks = unbroken(chained(stored, live))
    pivot = _pivot(ticks, interval) if ticks else Nanoseconds(EVER)
    charted = {bar.time: bar for bar in sorted(collected, key=lambda bar: bar.time)}
    before = [bar for bar in charted.values() if bar.time < pivot]
    whole = [tick for tick in ticks if tick.time >= pivot]
    missing = whole[0].volume - whole[0].size - sum(bar.volume for bar in before) if whole else None
    for bar in _built(whole, interval):
        if bar.time not in charted or charted[bar.time].volume <= bar.volume:
            charted[bar.time] = bar
    ended = (charted[time] for time in sorted(charted) if time + interval * SECOND <= until)
    return Joined(tuple(ended), pivot, missing)


def _pivot(ticks: Sequence[Tick], interval: int) -> Nanoseconds:
    """The interval of the first print is whole only where that print was the day's first."""
    first = ticks[0]
    start = start_of(first.time, interval)
    return start if first.volume == first.size else Nanoseconds(start + interval * SECOND)


def _built(ticks: Sequence[Tick], interval: int) -> list[Bar]:
    if not ticks:
        return []
    builder = BarBuilder(ticks[0].symbol, ticks[0].venue, interval)
    done = [bar for bar in map(builder.add, ticks) if bar is not None]
    last = builder.due(EVER)
    return [*done, last] if last is not None else done
