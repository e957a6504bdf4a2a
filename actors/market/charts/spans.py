"""Stretches of time, each from `since` on and before `until`: what is known of a chart, and what is not."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """[since, until) in nanoseconds."""

    since: int
    until: int


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same time in the fewest spans, oldest first; empty ones are left out."""
    found: list[Span] = []
    for span in sorted(span for span in spans if span.since < span.until):
        if found and span.since <= found[-1].until:
            found[-1] = Span(found[-1].since, max(found[-1].until, span.until))
        else:
            found.append(span)
    return found


def without(span: Span, others: Iterable[Span]) -> list[Span]:
    """The parts of a span that lie in none of the others, oldest first."""
    parts: list[Span] = []
    since = span.since
    for other in merged(others):
        if other.since >= span.until:
            break
        if other.since > since:
            parts.append(Span(since, other.since))
        since = max(since, other.until)
    return merged([*parts, Span(since, span.until)])


def clipped(spans: Iterable[Span], bounds: Span) -> list[Span]:
    """Their parts within the bounds."""
    return merged(Span(max(span.since, bounds.since), min(span.until, bounds.until)) for span in spans)


def holds(spans: Sequence[Span], instant: int) -> bool:
    """Whether an instant lies in one of these merged spans."""
    place = bisect_right(spans, instant, key=lambda span: span.since)
    return bool(place) and instant < spans[place - 1].until
