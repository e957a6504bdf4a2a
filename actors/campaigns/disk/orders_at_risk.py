"""A small order path over a real journal: it sends what it could write down, and says what it did, line by line.

python -m actors.campaigns.disk.orders_at_risk FOLDER SEED ORDERS PAUSE
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

import structlog

from actors.ordering.scribe import Scribe
from messages import Action, Kind, Message, OrderFilled, OrderSubmitting, Side, Validity
from messages.instruments import Nanoseconds, Shares, Symbol, Won
from runtime.bus import RUN_BITS
from runtime.clock import Clock, WallClock
from runtime.disk.errors import DatabaseError
from runtime.disk.journal import Journal
from runtime.envelope import Envelope

ENTRY, EXIT, FILL = "entry", "exit", "fill"
NO_ENTRY, NO_EXIT, BLIND = "no-entry", "no-exit", "blind-entry"
ROOM: Final = 1 << 16
ORDERS: Final = 60
PAUSE: Final = 0.002
"""Seconds between two."""

Say = Callable[[str, int], None]


async def trade(
    journal: Journal, clock: Clock, rng: Random, say: Say, *, orders: int = ORDERS, pause: float = PAUSE
) -> None:
    """Entries, exits and fills, one after the other; `say` hears what was done, and the record's number."""
    number = journal.run << RUN_BITS

    def publish(message: Message) -> int:
        nonlocal number
        number += 1
        journal.append(Envelope(number, clock.now(), "trader", 0, message))
        return number

    scribe = Scribe(journal, publish, structlog.get_logger("trader"))
    for _ in range(orders):
        kind = rng.choice((ENTRY, EXIT, FILL))
        if kind == FILL:
            say(FILL, scribe.say(_fill(number)))
        else:
            record = scribe.say(_submitting(number, Side.BUY if kind == ENTRY else Side.SELL))
            reason = await scribe.prove(record, lowers=kind == EXIT)
            say(_ending(kind, reason, blind=journal.failure is not None), record)
        await clock.sleep(pause)


def _ending(kind: str, reason: str, *, blind: bool) -> str:
    if reason:
        return NO_ENTRY if kind == ENTRY else NO_EXIT
    return BLIND if blind and kind == ENTRY else kind


def _fields(number: int) -> dict[str, Any]:
    return {"order": number, "symbol": Symbol("005930"), "strategy": "momentum", "time": Nanoseconds(number)}


def _submitting(number: int, side: Side) -> OrderSubmitting:
    return OrderSubmitting(
        **_fields(number),
        action=Action.NEW,
        side=side,
        quantity=Shares(10),
        kind=Kind.LIMIT,
        price=Won(70_000),
        validity=Validity.DAY,
    )


def _fill(number: int) -> OrderFilled:
    return OrderFilled(
        **_fields(number),
        broker_order="0000001",
        side=Side.BUY,
        price=Won(70_000),
        quantity=Shares(1),
        filled=Shares(1),
        amount=Won(70_000),
        open=Shares(9),
    )


def _print(kind: str, number: int) -> None:
    sys.stdout.write(f"{kind} {number}\n")
    sys.stdout.flush()


async def main(folder: Path, seed: int, orders: int, pause: float) -> None:
    """One run in real time; ends with code 3 where the start or the end was refused."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    try:
        async with Journal(folder, clock=WallClock(), reserve=ROOM) as journal:
            await trade(journal, WallClock(), Random(seed), _print, orders=orders, pause=pause)
    except (DatabaseError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(3)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])))
