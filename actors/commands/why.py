"""`why`: from tick to won for an order, or why nothing was bought of an issue at some time."""

import datetime as dt
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Final

import typer

from actors.commands import told
from actors.commands.why_order import find, way
from actors.commands.why_symbol import silence
from actors.commands.wording import Prices
from messages import ExternalOrderSeen, Message, RunStarted, Symbol
from runtime.cli import fail
from runtime.clock import KST, kst, nanoseconds, text
from runtime.disk.chain import latest
from runtime.disk.errors import DatabaseError
from runtime.disk.folders import current
from runtime.disk.journal import NAME

_DAY: Final = 86_400
_YEARS: Final = range(1990, 2200)


class NothingKnown(Exception):
    """The journal says nothing about what was asked; one line for the user."""


def why(
    subject: Annotated[
        str, typer.Argument(help="An order (7:1234, 1234 or the broker's number), or a code with --at.")
    ],
    data: Annotated[Path, typer.Option(help="The data folder of the system: the key data of its system table.")],
    at: Annotated[str, typer.Option(help="When, in Korea: 09:31, 09:31:05 or '2025-09-02 09:31'.")] = "",
    window: Annotated[float, typer.Option(help="Seconds before and after in which intents are told.")] = 300.0,
) -> None:
    """Tell the way of an order from tick to won, or why nothing was bought of an issue."""
    try:
        folder = current(data)
        lines = of_symbol(folder, Symbol(subject), at, window) if at else of_order(folder, subject)
    except (NothingKnown, DatabaseError) as error:
        fail(str(error))
    sys.stdout.write("\n".join(lines) + "\n")


def of_order(data: Path, name: str) -> list[str]:
    """Raises NothingKnown for an order nobody asked for, DatabaseError where the journal cannot be read."""
    path = _journal(data)
    number = find(path, name)
    strangers = _strangers(path, name) if number is None else []
    if number is None and not strangers:
        raise NothingKnown(f"no order {name} in {path}; for an issue give --at TIME too")
    with closing(Prices(data)) as prices:
        return way(told.about(path, number), number, prices) if number is not None else _of_strangers(strangers, prices)


def of_symbol(data: Path, symbol: Symbol, at: str, window: float = 300.0) -> list[str]:
    """Raises NothingKnown for an empty journal or what is no time or window, DatabaseError where it cannot be read."""
    if not 0 <= window <= _DAY:
        raise NothingKnown(f"--window {window:g}: seconds from 0 to {_DAY}")
    path = _journal(data)
    instant = _instant(path, at)
    with closing(Prices(data)) as prices:
        return silence(told.around(path, instant), symbol, instant, window, prices)


def _strangers(path: Path, name: str) -> list[ExternalOrderSeen]:
    """What was told of the newest order with that number of the broker's that nobody here placed."""
    wanted, alike = name.lstrip("0"), list[ExternalOrderSeen]()
    for envelope in latest(path, ExternalOrderSeen):
        order = envelope.message
        assert isinstance(order, ExternalOrderSeen)
        if wanted and order.broker_order.lstrip("0") == wanted:
            alike.append(order)
    return [order for order in reversed(alike) if kst(order.time).date() == kst(alike[0].time).date()]


def _of_strangers(orders: Sequence[ExternalOrderSeen], prices: Prices) -> list[str]:
    first = orders[0]
    title = f"the broker's order {first.broker_order} in {prices.name(first.symbol)}: placed by nobody here"
    return [title, *(f"  {text(order.time)[:19]}  {order.description}" for order in orders)]


def _journal(data: Path) -> Path:
    path = data / NAME
    if next(latest(path, Message), None) is None:
        raise NothingKnown(f"{path} tells of no run")
    return path


def _instant(path: Path, at: str) -> int:
    """A time alone is one of the newest run's day."""
    try:
        if ":" in at and "-" not in at:
            newest = next(latest(path, RunStarted), None) or next(latest(path, Message))
            moment = dt.datetime.combine(kst(newest.time).date(), dt.time.fromisoformat(at))
        else:
            moment = dt.datetime.fromisoformat(at)
    except ValueError:
        moment = None
    if moment is None or moment.year not in _YEARS:
        raise NothingKnown(f"{at!r} is no time; give 09:31, 09:31:05 or '2025-09-02 09:31'")
    return nanoseconds(moment if moment.tzinfo else moment.replace(tzinfo=KST))
