"""What a start costs that finds a journal of many days: CPU and wall seconds of a run of one simulated minute.

python -m benchmarks.aged [--days 250] [--trips 200] [--folder FOLDER]

Beside it the same run where no state was carried over, so that everything is read (a journal of an earlier version),
where there is no journal (the floor), and the bare reading of the records by SQLite.
"""

import argparse
import asyncio
import datetime as dt
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

from actors.account.carrying import carried
from actors.account.ledger import Booked, Ledger
from actors.market.calendar import Calendar
from actors.market.time import SECOND, at
from messages import (
    Action,
    ActivityCarried,
    ApprovedOrder,
    Evidence,
    Kind,
    LedgerFolded,
    Message,
    Nanoseconds,
    OrderAccepted,
    OrderFilled,
    OrderIntent,
    OrderSent,
    OrderSubmitting,
    PeaksCarried,
    Purpose,
    Reconciled,
    Shares,
    Side,
    Symbol,
    Validity,
    Won,
)
from runtime.bus import RUN_BITS
from runtime.clock import SteppedClock
from runtime.disk.journal import NAME, Journal
from runtime.disk.reading import reading
from runtime.envelope import Envelope

TODAY: Final = dt.date(2026, 11, 18)
CASH: Final = 100_000_000
KEEPERS: Final = ("trader", "accountant", "risk", "guardian")
LOOKS: Final = 312
"""Reconciliations of a day of the demo."""
_TWIN: Final = f'gateway.kiwoom.twin={{date="{TODAY}",begin="15:45",finish="15:46",issues=2,cash={CASH}}}'


class Cost(NamedTuple):
    """Seconds of a process."""

    cpu: float
    wall: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=250)
    parser.add_argument("--trips", type=int, default=200, help="bought and sold again, a day")
    parser.add_argument("--folder", help="on the disk to be measured")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        for name, states in (("a state each morning", True), ("none: all is read", False)):
            folder = Path(scratch) / name
            asyncio.run(_make(folder, options.days, options.trips, states=states))
            _show(f"{options.days:,} days, {name}", _start(folder))
            if states:
                _show("  floor: SQLite reads the records", _read(folder))
            shutil.rmtree(folder)
        _show("no journal", _start(Path(scratch) / "new"))


async def _make(folder: Path, days: int, trips: int, *, states: bool) -> None:
    """A run a day, as the trader and its fellows would have told it."""
    ledger, clock = Ledger(), SteppedClock(at(TODAY, 8))
    for date in _before(TODAY, days):
        async with Journal(folder, clock=clock) as journal:
            day = _Day(ledger, date, (journal.run << RUN_BITS) + 1, states=states)
            for envelope in day.told(trips):
                journal.append(envelope)
                if not envelope.number % 1_000:
                    await journal.durable(envelope.number)


def _before(today: dt.date, days: int) -> list[dt.date]:
    calendar, found = Calendar(), [today]
    while len(found) <= days:
        found.append(calendar.previous_day(found[-1]).date)
    return found[:0:-1]


class _Day:
    def __init__(self, ledger: Ledger, date: dt.date, first: int, *, states: bool) -> None:
        self._ledger = ledger
        self._date = date
        self._now = at(date, 9)
        self._number = first - 1
        self._states = states

    def told(self, trips: int) -> Iterator[Envelope]:
        yield from self._look(start=True)
        for trip in range(trips):
            self._now += 60 * SECOND
            yield from self._order(Side.BUY, 2 * trip + 1)
            yield from self._order(Side.SELL, 2 * trip + 2)
            for _ in range(LOOKS * trip // trips, LOOKS * (trip + 1) // trips):
                yield from self._look()

    def _look(self, *, start: bool = False) -> Iterator[Envelope]:
        cash = Won(self._ledger.cash or CASH)
        time = Nanoseconds(self._now)
        yield self._say(Reconciled(time=time, cash=cash, positions=(), open_orders=0, differences=(), start=start))
        reconciliation, digest = self._number, self._ledger.digest()
        yield from (self._say(LedgerFolded(reconciliation=reconciliation, digest=digest), keeper) for keeper in KEEPERS)
        if not start or not self._states:
            return
        state, day = carried(self._ledger, reconciliation), self._date.isoformat()
        assert state is not None
        yield self._say(state, "accountant")
        yield self._say(ActivityCarried(reconciliation=reconciliation, day=day, disabled={}), "risk")
        yield self._say(PeaksCarried(reconciliation=reconciliation, day=day, peaks=(), equity=Won(0)), "guardian")

    def _order(self, side: Side, broker_order: int) -> Iterator[Envelope]:
        symbol, shares, price, time = Symbol("900010"), Shares(10), Won(70_000), Nanoseconds(self._now)
        purpose = Purpose.ENTRY if side is Side.BUY else Purpose.EXIT
        terms: dict[str, Any] = {"symbol": symbol, "side": side, "quantity": shares, "kind": Kind.LIMIT, "price": price}
        yield self._say(OrderIntent(**terms, purpose=purpose, strategy="momentum", reason="rose"), "momentum")
        about: dict[str, Any] = {"order": self._number, "symbol": symbol, "strategy": "momentum", "time": time}
        whose: dict[str, Any] = {"order": self._number, "strategy": "momentum", "purpose": purpose}
        yield self._say(ApprovedOrder(**terms, **whose, validity=Validity.DAY, evidence=Evidence()), "risk")
        asked: dict[str, Any] = {
            "side": side,
            "quantity": shares,
            "kind": Kind.LIMIT,
            "price": price,
            "validity": Validity.DAY,
        }
        yield self._say(OrderSubmitting(**about, **asked, action=Action.NEW))
        yield self._say(OrderSent(**about, action=Action.NEW, screen="2000"))
        number = f"{broker_order:07}"
        yield self._say(OrderAccepted(**about, broker_order=number))
        fill: dict[str, Any] = {
            "broker_order": number,
            "side": side,
            "price": price,
            "quantity": shares,
            "filled": shares,
        }
        yield self._say(OrderFilled(**about, **fill, amount=Won(price * shares), open=Shares(0)))

    def _say(self, message: Message, source: str = "trader") -> Envelope:
        self._number += 1
        if isinstance(message, Booked):
            self._ledger.fold(message, self._number)
        return Envelope(self._number, self._now, source, 0, message)


def _start(folder: Path) -> Cost:
    settings = (f'system.data="{folder.as_posix()}"', "system.fresh=false", _TWIN)
    program = [sys.executable, "-c", "from actors.commands import main; main()", "run", "--json", "examples/demo.toml"]
    command = [*program, *(part for one in settings for part in ("--set", one))]
    before, began = os.times(), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own interpreter and command
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(cpu, time.perf_counter() - began)


def _read(folder: Path) -> Cost:
    cpu, wall, count = time.process_time(), time.perf_counter(), 0
    with closing(reading(folder / NAME)) as connection:
        for _ in connection.execute("SELECT * FROM record"):
            count += 1
    print(f"{'records':40} {count:>10,}")
    return Cost(time.process_time() - cpu, time.perf_counter() - wall)


def _show(name: str, cost: Cost) -> None:
    print(f"{name:40} {cost.cpu:>10.2f} CPU s {cost.wall:>10.2f} s")


if __name__ == "__main__":
    main()
