"""A page of a chart beside what is stored of it: what is new, what agrees, what does not, and what was adjusted."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from actors.market.charts.certificate import Row
from actors.market.charts.spans import Span, clipped, holds, without
from messages import Bar

CONFLICT: Final = "conflict"
APPEARED: Final = "appeared"
VANISHED: Final = "vanished"
ADJUSTED: Final = "adjusted"
UNPROVEN: Final = "unproven"

_ENOUGH: Final = 3
"""Bars that must have changed by one factor, all of them, before it is an adjustment and no conflict; or every bar."""


class Proof(NamedTuple):
    """What a page says beside its bars: within `span`, but for the holes, they are all there are."""

    span: Span
    holes: tuple[Span, ...] = ()
    first: bool = True
    """Nothing newer was asked before."""
    last: bool = False
    """Nothing older is offered."""
    dated: bool = False
    """It was asked from a date on: its prices know of no later adjustment."""
    rows: int = 0
    digest: str = ""

    @property
    def said(self) -> list[Span]:
        """Where nothing is missing."""
        return without(self.span, self.holes)


class Adjusted(NamedTuple):
    """Prices before `until` were multiplied by `factor`, older ones perhaps once more."""

    factor: float
    until: int


class Compared(NamedTuple):
    """Bars to store, how many agree, bars to set aside with the reason, and stored bars to take away."""

    fresh: list[Row]
    alike: int
    aside: list[tuple[str, Row]]
    gone: list[Row]


def unique(bars: Sequence[Bar], final: int) -> tuple[list[Row], list[tuple[str, Row]]]:
    """Bars that change no more, each time once; others of the same time are conflicts, unless they are the same."""
    found: dict[int, Row] = {}
    doubled: list[tuple[str, Row]] = []
    for bar in bars:
        row = Row(bar.time, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.value)
        if row.time < final and differs(found.setdefault(row.time, row), row):
            doubled.append((CONFLICT, row))
    return [found[time] for time in sorted(found) if time < final], doubled


def differs(one: Row, other: Row) -> bool:
    """A chart of minutes has no value: where one of the two has none, it says nothing."""
    return one[:6] != other[:6] or bool(one.value and other.value and one.value != other.value)


def compare(
    page: Sequence[Row], stored: Mapping[int, Row], proven: Sequence[Span], proof: Proof, bounds: Span
) -> Compared:
    """What a page changes: a proven bar stays as it is, any other gives way; `bounds` are those of what is stored."""
    found = Compared([], 0, [], [])
    alike = 0
    for row in page:
        before, known = stored.get(row.time), holds(proven, row.time)
        inside = bounds.since <= row.time < bounds.until
        if before is not None and not differs(before, row):
            alike += 1
        elif before is not None and known:
            found.aside.append((CONFLICT, row))
        elif before is None and known:
            found.aside.append((APPEARED, row))
        elif inside:
            found.aside.extend([(UNPROVEN, before)] if before is not None else [])
            found.fresh.append(row)
    there = {row.time for row in page}
    said = clipped(proof.said, bounds)
    for time, row in stored.items():
        if time in there or not holds(said, time):
            continue
        known = holds(proven, time)
        found.aside.append((VANISHED if known else UNPROVEN, row))
        found.gone.extend([] if known else [row])
    return found._replace(alike=alike)


def adjustment(pairs: Sequence[tuple[Row, Row]]) -> Adjusted | None:
    """Stored and new prices of the same bars, oldest first: a factor up to some day, and further ones before it."""
    differing = [place for place, (old, new) in enumerate(pairs) if old[1:5] != new[1:5]]
    few = len(differing) < _ENOUGH
    if not differing or (few and len(differing) < len(pairs)) or 2 * len(differing) < differing[-1] + 1:
        return None
    older = [pair for pair in pairs[: differing[-1] + 1] if all(pair[0][1:5])]
    newest = older[-_ENOUGH:]
    factor = sum(sum(new[1:5]) for _, new in newest) / sum(sum(old[1:5]) for old, _ in newest)
    slack = 2 + 2 * factor
    if few and any(abs(new[place] - old[place]) <= slack for old, new in newest for place in range(1, 5)):
        return None
    for old, new in older:
        off = [price - before * factor for before, price in zip(old[1:5], new[1:5], strict=True)]
        wrong = max(off) if factor < 1 else -min(off)
        near = max(map(abs, off)) if (old, new) in newest else 0
        if max(wrong, near) > slack:
            return None
    return Adjusted(factor, older[-1][0].time + 1) if factor != 1 else None
