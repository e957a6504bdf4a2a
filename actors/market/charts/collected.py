"""What a collecting run came to: figures by chart, the summary's totals, and the report in words."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

from actors.market.charts.certificate import DAILY, Certificate, Chart
from actors.market.charts.collection import Taken
from actors.market.time import kst

_NAMED: Final = 10
"""Of a kind, as many as a report names."""


class Collected(msgspec.Struct, kw_only=True):
    """One chart: what this run did for it, and how it stands by its certificates."""

    chart: Chart
    name: str = ""
    pages: int = 0
    bars: int = 0
    alike: int = 0
    replaced: int = 0
    conflicts: dict[int, None] = {}
    """Times of the bars in question."""
    factors: list[float] = []
    restarts: int = 0
    """Times that more urgent queries made the paging begin anew."""
    failed: str = ""
    """Why it is not finished; blank where it is."""
    asked: int = 0
    """From when on it was wanted; 0 wants all there is."""
    since: int = 0
    """The same, or from when on it is offered."""
    until: int = 0
    days: int = 0
    expected: int = 0
    present: int = 0
    idle: int = 0
    missing: int = 0
    extra: int = 0
    holes: list[str] = []
    """Days on which something is missing."""

    def take(self, taken: Taken) -> None:
        """Count a page."""
        self.pages += 1
        self.bars += taken.fresh
        self.alike += taken.alike
        self.replaced += taken.replaced
        self.conflicts.update(dict.fromkeys(taken.conflicts))
        self.factors.extend([taken.factor] if taken.factor != 1.0 else [])

    def reckon(self, standing: Iterable[Certificate]) -> None:
        """Add its certificates."""
        for made in standing:
            self.days += 1
            self.expected += made.expected
            self.present += made.present
            self.idle += made.idle
            self.missing += made.missing
            self.extra += made.extra
            self.holes.extend([made.day] if made.missing else [])

    def figures(self) -> dict[str, Any]:
        """As plain JSON values."""
        plain = msgspec.to_builtins(self)
        span = {"since": day(self.since) if self.since else "", "until": day(self.until - 1) if self.until else ""}
        conflicts = [kst(time).strftime("%Y-%m-%d %H:%M") for time in self.conflicts]
        del plain["chart"], plain["asked"]
        return {**self.chart._asdict(), **plain, **span, "conflicts": conflicts}


def day(instant: int) -> str:
    """YYYY-MM-DD in Korea."""
    return kst(instant).date().isoformat()


def length(interval: int) -> str:
    """A bar's length for people."""
    if interval == DAILY:
        return "day"
    return f"{interval} s" if interval % 60 else f"{interval // 60} min"


def totals(charts: Sequence[Collected]) -> dict[str, Any]:
    """What the summary says of a collecting run."""
    return {
        "symbols": len({one.chart.symbol for one in charts}),
        "pages": sum(one.pages for one in charts),
        "bars": sum(one.bars for one in charts),
        "missing": sum(one.missing for one in charts),
        "conflicts": sum(len(one.conflicts) for one in charts),
        "alike": sum(one.alike for one in charts),
        "replaced": sum(one.replaced for one in charts),
        "adjusted": sum(bool(one.factors) for one in charts),
        "failed": [f"{one.chart.symbol} {length(one.chart.interval)}: {one.failed}" for one in charts if one.failed],
        "charts": [one.figures() for one in charts],
    }


def report(charts: Sequence[Collected]) -> str:
    """A line for each chart, and below it what a person should know of it."""
    return "\n".join(line for one in charts for line in _lines(one))


def _lines(one: Collected) -> Iterator[str]:
    title = f"{one.chart.symbol} {length(one.chart.interval):>6}"
    range_ = f"{day(one.since)} - {day(one.until - 1)}" if one.since and one.until else "nothing yet"
    counts = f"{one.present:,} bars, {one.idle:,} without trades, {one.missing:,} missing of {one.expected:,}"
    yield f"  {title}  {range_:<23}  {counts}; {one.pages:,} pages, {one.bars:,} new  {one.name}".rstrip()
    if one.failed:
        yield f"    not finished: {one.failed}"
    if one.asked and one.since and day(one.asked) < day(one.since):
        yield f"    nothing before {day(one.since)} is offered, {day(one.asked)} was asked for"
    if one.holes:
        yield f"    missing on {_named(one.holes)}"
    if one.conflicts:
        times = [kst(time).strftime("%Y-%m-%d %H:%M") for time in one.conflicts]
        yield f"    {len(times):,} bars in conflict, kept in set_aside: {_named(times)}"
    for factor in one.factors:
        yield f"    prices were adjusted by {factor:.6g} since they were stored; the older ones were collected anew"
    if one.replaced:
        yield f"    {one.replaced:,} bars that no page had proven gave way; they are kept in set_aside"
    if one.extra:
        yield f"    {one.extra:,} bars at times at which the calendar has no trading"


def _named(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
