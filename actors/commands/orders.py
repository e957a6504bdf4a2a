"""`orders DATA`, `positions DATA`, `settle DATA ORDER filled|dead`: what a running system has, and a person's word."""

import sys
from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from actors.commands.halt import Json, person
from messages import Settlement
from runtime.cli import DataFolder, ask, write

_SECONDS = 15.0
_WIDE = 10_000
"""Columns a table may have: a narrow terminal breaks the lines, and no figure is cut off."""
_NUMBERS = ("price", "quantity", "filled", "open", "cost", "worth", "result")


def orders(
    folder: DataFolder,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Those that are over as well.")] = False,
    as_json: Json = False,
) -> None:
    """Print the orders of today that may still trade."""
    answer = ask(folder, "orders", everything=everything)
    columns = ("order", "broker", "symbol", "strategy", "side", "price", "quantity", "filled", "open", "phase")
    _show(answer, "orders", columns, as_json=as_json)


def positions(folder: DataFolder, *, as_json: Json = False) -> None:
    """Print what is held, by issue and owner; shares nobody here bought have no owner."""
    answer = ask(folder, "positions")
    _show(answer, "positions", ("symbol", "strategy", "quantity", "cost", "price", "worth", "result"), as_json=as_json)
    if not as_json:
        sys.stdout.write(f"cash {answer['cash']:,}\n")


def settle(
    folder: DataFolder,
    order: Annotated[str, typer.Argument(help="An unknown order: 7:1234, 1234 or the broker's number.")],
    outcome: Annotated[Settlement, typer.Argument(help="What the broker's own screen shows.")],
    *,
    quantity: Annotated[int, typer.Option(min=0, help="Shares filled; 0 for all of it.")] = 0,
    price: Annotated[int, typer.Option(min=0, help="Their average price; 0 for the order's own.")] = 0,
    as_json: Json = False,
) -> None:
    """Say what became of an order whose answer was lost, where the broker's lists cannot."""
    asked = {"order": order, "outcome": outcome.value, "quantity": quantity, "price": price, "by": person()}
    answer = ask(folder, "settle", seconds=_SECONDS, **asked)
    settled = answer["settled"]
    words = f"order {settled['order']} is {settled['phase']}: {settled['filled']} of {settled['quantity']} filled\n"
    if as_json:
        write(answer)
    else:
        sys.stdout.write(words)


def _show(answer: dict[str, Any], name: str, columns: Iterable[str], *, as_json: bool) -> None:
    if as_json:
        write(answer)
        return
    rows = answer[name]
    if not rows:
        sys.stdout.write(f"no {name}\n")
        return
    grid = Table(title=f"{len(rows)} {name}", title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in columns:
        grid.add_column(column, justify="right" if column in _NUMBERS else "left", no_wrap=True)
    for row in rows:
        grid.add_row(*(_cell(row, column) for column in columns))
    console = Console()
    console.width = _WIDE
    console.print(grid)


def _cell(row: dict[str, Any], column: str) -> str:
    if column == "price" and not row["price"]:
        return str(row.get("kind", ""))
    return f"{row[column]:,}" if column in _NUMBERS else str(row[column])
