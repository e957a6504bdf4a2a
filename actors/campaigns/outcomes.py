"""What a campaign counts: for each kind of fault, how often it ended how."""

from collections.abc import Iterable
from typing import Final

from rich.console import Console
from rich.table import Table

_BOUND: Final = 3.0
"""No failure in n independent trials: the chance of one is below 3/n at 95 %."""

_MANY: Final = 30


class Outcomes:
    """Counts by kind and ending; an ending outside of `good` is a failure, kept with what repeats it."""

    def __init__(self, good: Iterable[str]) -> None:
        self._good = tuple(good)
        self._counts: dict[str, dict[str, int]] = {}
        self.failures: list[str] = []

    def add(self, kind: str, ending: str, repeat: str) -> None:
        """`repeat` says how to get there again: a seed, a trial."""
        counts = self._counts.setdefault(kind, {})
        counts[ending] = counts.get(ending, 0) + 1
        if ending not in self._good:
            self.failures.append(f"{kind}: {ending} ({repeat})")

    @property
    def ok(self) -> bool:
        return not self.failures

    @property
    def total(self) -> int:
        return sum(sum(counts.values()) for counts in self._counts.values())

    def count(self, ending: str, kind: str | None = None) -> int:
        """How often it ended so, over all kinds or of one."""
        kinds = self._counts.values() if kind is None else [self._counts.get(kind, {})]
        return sum(counts.get(ending, 0) for counts in kinds)

    def show(self, title: str) -> None:
        """A table on the terminal, and the bound that so many trials prove."""
        others = {ending: None for counts in self._counts.values() for ending in counts if ending not in self._good}
        endings = (*self._good, *others)
        grid = Table("fault", *endings, title=title, title_justify="left")
        for kind, counts in self._counts.items():
            grid.add_row(kind, *(f"{counts.get(ending, 0):,}" for ending in endings))
        grid.add_row("all", *(f"{self.count(ending):,}" for ending in endings), style="bold")
        console = Console()
        console.print(grid)
        for failure in self.failures[:20]:
            console.print(failure, markup=False)
        if self.ok:
            bound = f": below {_BOUND / self.total:.3%} at 95 %" if self.total >= _MANY else ""
            console.print(f"0 failures in {self.total:,}{bound}")
