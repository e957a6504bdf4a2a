"""How far a long work is: bars on a terminal, plain lines where there is none."""

from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

_EVERY: Final = 20
"""Pages between two lines, where there is no terminal."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Nobody reads any more; the work goes on all the same."""
        self.quiet = True


class Pages:
    """Shows pages done of pages to do, of all charts and of the one under way, and when all will be there."""

    def __init__(self) -> None:
        self._console = _Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description:<24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._all: TaskID | None = None
        self._one: TaskID | None = None
        self._written = 0

    def __enter__(self) -> Self:
        self._bars.start()
        self._all = self._bars.add_task("all", total=None, note="")
        self._one = self._bars.add_task("", total=None, note="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def show(
        self, title: str, done: int, left: int, *, all_done: int, all_left: int, seconds: float, note: str, over: bool
    ) -> None:
        """`done` and `left` are pages; `seconds` are those until all is there; `over` says that this chart is done."""
        due = f"about {duration(seconds)}" if all_left else "done"
        if self._all is not None and self._one is not None:
            self._bars.update(self._all, completed=all_done, total=all_done + all_left, note=due)
            self._bars.update(self._one, description=title, completed=done, total=done + left, note=note)
        if not self._console.is_terminal and (over or all_done - self._written >= _EVERY):
            self._written = all_done
            self.say(f"{title}: {done:,} pages, {left:,} to go, {note}; all: {all_left:,} to go, {due}")

    def say(self, words: str) -> None:
        """A line that stays."""
        with suppress(OSError):
            self._console.print(words, highlight=False, markup=False, soft_wrap=True)


def duration(seconds: float) -> str:
    """The largest two units."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, left = divmod(hours, 24)
    if days:
        return f"{days} d {left} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
