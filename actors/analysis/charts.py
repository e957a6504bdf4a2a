"""What a report draws: series small enough for a page."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final, NamedTuple

from actors.analysis.performance import Fill, Point, RoundTrip, falls
from messages import OrderRefused, Side, Symbol
from runtime.clock import SECOND, kst

POINTS: Final = 2_000
"""Most points of one line; what is left out lies between the lowest and the highest of its stretch."""
_KOREA: Final = 9 * 3_600
_Fill = tuple[int, float, int, str]
"""Seconds, price, shares, and what is written beside it."""


class Mark(NamedTuple):
    """A price of an issue at an instant."""

    time: int
    price: int


class Story(NamedTuple):
    """What the page draws besides the summary's figures."""

    points: Sequence[Point]
    paths: Mapping[Symbol, Sequence[tuple[int, int]]]
    """Nanoseconds and won."""
    fills: Sequence[Fill]
    trips: Sequence[RoundTrip]
    refusals: Mapping[str, OrderRefused]
    """The newest by each rule."""
    names: Mapping[str, str]


def thin(values: Sequence[tuple[int, int]], most: int = POINTS) -> list[tuple[int, int]]:
    """No more than `most` of the points: the first, the last, and each stretch's lowest and highest."""
    if len(values) <= most:
        return list(values)
    stretches = (most - 2) // 2
    kept = {0, len(values) - 1}
    for place in range(stretches):
        span = range(place * len(values) // stretches, (place + 1) * len(values) // stretches)
        kept |= {min(span, key=lambda i: values[i][1]), max(span, key=lambda i: values[i][1])}
    return [values[place] for place in sorted(kept)]


def traded(story: Story) -> list[Symbol]:
    """In the order of their first fill."""
    return list(dict.fromkeys(fill.symbol for fill in story.fills))


def series(story: Story) -> dict[str, Any]:
    """Plain JSON values; times are seconds from `start`, which is in Korean time as if it were UTC."""
    start = story.points[0].time // SECOND
    equity = thin([(point.time, point.earned) for point in story.points])
    marks: defaultdict[tuple[Symbol, Side], list[_Fill]] = defaultdict(list)
    for fill in story.fills:
        marks[fill.symbol, fill.side].append(_mark(fill, start))
    return {
        "start": start + _KOREA,
        "days": (kst(story.points[-1].time).date() - kst(story.points[0].time).date()).days + 1,
        "equity": {
            "times": [time // SECOND - start for time, _ in equity],
            "won": [won for _, won in equity],
            "falls": falls(won for _, won in equity),
        },
        "issues": [
            _path(story, symbol, start) | {"buys": marks[symbol, Side.BUY], "sells": marks[symbol, Side.SELL]}
            for symbol in traded(story)
        ],
    }


def _path(story: Story, symbol: Symbol, start: int) -> dict[str, Any]:
    path = thin(story.paths.get(symbol, ()))
    return {
        "times": [time // SECOND - start for time, _ in path],
        "prices": [price for _, price in path],
    }


def _mark(fill: Fill, start: int) -> _Fill:
    note = escape(f"{fill.strategy}: {fill.reason}" if fill.reason else fill.strategy)
    return fill.time // SECOND - start, round(fill.price, 2), fill.quantity, note
