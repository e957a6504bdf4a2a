"""What a collecting run came to: figures by chart, the summary's totals, and the report in words."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from actors.market.charts.certificate import DAILY, Chart
from actors.market.charts.collection import Taken
from actors.market.charts.standing import Standing
from actors.market.time import kst

_WORDS: Final = {
    "symbols": "codes",
    "pages": "pages",
    "bars": "new bars",
    "missing": "missing",
    "conflicts": "in conflict",
    "adjusted": "adjusted",
}
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
    standing: Standing = Standing()
    wanting: bool = False
    """Something of it is still to be asked for."""
    left_aside: int = 0
    """Bars that an adjustment set aside and that are not offered any more."""

    def take(self, taken: Taken) -> None:
        """Count a page."""
        self.pages += 1
        self.bars += taken.fresh
        self.alike += taken.alike
        self.replaced += taken.replaced
        self.conflicts.update(dict.fromkeys(taken.conflicts))
        self.factors.extend([taken.factor] if taken.factor != 1.0 else [])

    def figures(self) -> dict[str, Any]:
        """As plain JSON values."""
        plain = msgspec.to_builtins(self)
        span = {"since": day(self.since) if self.since else "", "until": day(self.until - 1) if self.until else ""}
        conflicts = [kst(time).strftime("%Y-%m-%d %H:%M") for time in self.conflicts]
        for name in ("chart", "asked", "wanting", "standing"):
            del plain[name]
        standing = {**self.standing._asdict(), "holes": list(self.standing.holes)}
        return {**self.chart._asdict(), **plain, **standing, **span, "conflicts": conflicts}


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
        "missing": sum(one.standing.missing for one in charts),
        "conflicts": sum(len(one.conflicts) for one in charts),
        "alike": sum(one.alike for one in charts),
        "replaced": sum(one.replaced for one in charts),
        "adjusted": sum(bool(one.factors) for one in charts),
        "failed": [f"{one.chart.symbol} {length(one.chart.interval)}: {one.failed}" for one in charts if one.failed],
        "charts": [one.figures() for one in charts],
    }


def report(charts: Sequence[Collected]) -> str:
    """A line for each chart, below it what a person should know of it, and all together in the last."""
    return "\n".join([*(line for one in charts for line in _lines(one)), _last_line(totals(charts))])


def _lines(one: Collected) -> Iterator[str]:
    title = f"{one.chart.symbol} {length(one.chart.interval):>6}"
    range_ = f"{day(one.since)} - {day(one.until - 1)}" if 0 < one.since < one.until else "nothing yet"
    of = one.standing
    counts = f"{of.present:,} bars, {of.idle:,} without trades, {of.missing:,} missing of {of.expected:,}"
    yield f"  {title}  {range_:<23}  {counts}; {one.pages:,} pages, {one.bars:,} new  {one.name}".rstrip()
    if one.failed:
        yield f"    not finished: {one.failed}"
    if one.asked and one.since and day(one.asked) < day(one.since):
        yield f"    nothing before {day(one.since)} is offered, {day(one.asked)} was asked for"
    if of.holes:
        yield f"    missing on {_named(of.holes)}"
    if one.conflicts:
        times = [kst(time).strftime("%Y-%m-%d %H:%M") for time in one.conflicts]
        yield f"    {len(times):,} bars in conflict, kept in set_aside: {_named(times)}"
    yield from _adjustments(one)
    if one.replaced:
        yield f"    {one.replaced:,} bars that no page had proven gave way; they are kept in set_aside"
    if of.extra:
        yield f"    {of.extra:,} bars at times at which the calendar has no trading"


def _last_line(sums: Mapping[str, Any]) -> str:
    """What is to be seen of thousands of charts without going back."""
    unfinished = f"{len(sums['failed']):,} of {len(sums['charts']):,} charts not finished"
    counts = (f"{sums[name]:,} {words}" for name, words in _WORDS.items())
    return f"  in all: {', '.join(counts)}; {unfinished}"


def _adjustments(one: Collected) -> Iterator[str]:
    then = "are to be collected anew" if one.failed else "were collected anew"
    for factor in one.factors:
        yield f"    prices were adjusted by {factor:.6g} since they were stored; the older ones {then}"
    if one.factors and one.left_aside:
        yield f"    {one.left_aside:,} of them are not offered any more: they are in set_aside alone, as they were"


def _named(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
