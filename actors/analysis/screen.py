"""A running system as a person sees it: a screen for a terminal, or one line."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from runtime.clock import text
from runtime.mailbox import Statistics

_ORDERS: Final = 8
"""Open orders that are shown; all are counted."""


class Issue(NamedTuple):
    """A row of the screen; money in won."""

    name: str
    price: int
    percent: float
    """Change against the base price."""
    value: int
    """Traded today."""
    held: int
    profit: int


class View(NamedTuple):
    """Everything shown at one moment; money in won."""

    time: int
    progress: float | None
    """From 0 to 1; None where nobody knows the end."""
    ticks: int | None
    pace: float
    """Ticks a second of wall time."""
    equity: int
    result: int
    cash: int
    fills: int
    issues: Sequence[Issue]
    positions: int
    orders: Sequence[str]
    mailboxes: Mapping[str, Statistics]
    longest_block_ms: float
    halted: str
    news: Sequence[str]


def line(view: View) -> str:
    """The view in one line."""
    return "  ".join(_words(view))


def screen(view: View) -> RenderableType:
    """The view in some twenty lines."""
    parts: list[RenderableType] = [_head(view)]
    if view.halted:
        parts.append(Text(f"HALTED: {view.halted}", style="bold white on red"))
    parts += [_issues(view.issues), _mailboxes(view.mailboxes)]
    if view.orders:
        parts.append(Text(f"open  {' · '.join(_some(view.orders))}", style="cyan"))
    parts += [Text(news, style="dim") for news in view.news]
    return Group(*parts)


def _some(orders: Sequence[str]) -> Sequence[str]:
    return orders if len(orders) <= _ORDERS else [*orders[:_ORDERS], f"and {len(orders) - _ORDERS:,} more"]


def _words(view: View) -> Iterator[str]:
    yield text(view.time)[:19]
    if view.progress is not None:
        yield f"{100 * view.progress:3.0f} %"
    if view.ticks is not None:
        yield f"{view.ticks:,} ticks {view.pace:,.0f}/s"
    yield f"equity {view.equity:,} ({view.result:+,})"
    yield f"{view.positions} positions, {len(view.orders)} open orders, {view.fills:,} fills"
    deepest = max(view.mailboxes, key=lambda name: view.mailboxes[name].depth, default="")
    if deepest and view.mailboxes[deepest].depth:
        yield f"{view.mailboxes[deepest].depth:,} wait for {deepest}"
    if view.halted:
        yield f"HALTED: {view.halted}"


def _head(view: View) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    words: list[RenderableType] = [Text(text(view.time)[:19], style="bold")]
    if view.progress is not None:
        words.append(ProgressBar(total=1.0, completed=view.progress, width=20))
    if view.ticks is not None:
        words.append(Text(f"{view.ticks:,} ticks  {view.pace:,.0f}/s"))
    grid.add_row(*words)
    figures = (
        (f"equity {view.equity:,}", ""),
        (f"{view.result:+,} won", _tone(view.result)),
        (f"cash {view.cash:,}", ""),
        (f"{view.fills:,} fills", ""),
        (f"blocked {view.longest_block_ms:.0f} ms", "dim"),
    )
    return Group(grid, Text("  ").join(Text(figure, style=style) for figure, style in figures))


def _issues(issues: Sequence[Issue]) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("issue", min_width=8)  # the only one to give way
    for title in ("price", "change", "traded, million", "held", "profit"):
        table.add_column(title, justify="right", no_wrap=True)
    for issue in issues:
        table.add_row(
            Text(issue.name, no_wrap=True, overflow="ellipsis"),
            Text(f"{issue.price:,}"),
            Text(f"{issue.percent:+.2f} %", style=_tone(issue.percent)),
            Text(f"{issue.value // 1_000_000:,}"),
            Text(f"{issue.held:,}" if issue.held else ""),
            Text(f"{issue.profit:+,}" if issue.held else "", style=_tone(issue.profit)),
        )
    return table


def _mailboxes(mailboxes: Mapping[str, Statistics]) -> Text:
    words = Text("queues  ", style="dim")
    for name, figures in mailboxes.items():
        style = "bold yellow" if figures.refused else "default" if figures.depth else "dim"
        words.append(f"{name} {figures.depth:,}/{figures.high_water:,}  ", style)
    return words


def _tone(value: float) -> str:
    return "red" if value > 0 else "blue" if value < 0 else ""
