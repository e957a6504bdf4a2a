"""Journals of made-up runs, which the campaigns damage, and what is known of them elsewhere."""

import asyncio
import shutil
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from messages import Action, CancelOrder, HaltTrading, Kind, Message, OrderFilled, OrderSubmitting, Side, Validity
from messages.instruments import Nanoseconds, Shares, Symbol, Won
from runtime.bus import RUN_BITS
from runtime.clock import WallClock
from runtime.disk import chain
from runtime.disk.journal import NAME, Journal
from runtime.disk.reading import reading
from runtime.envelope import Envelope

FOUND, HARMLESS, MISSED = "found", "harmless", "MISSED"
SAMSUNG: Final = Symbol("005930")
SOURCE: Final = "risk"
ROOM: Final = 16_384
"""Bytes of the emergency file."""
Row = tuple[Any, ...]


class Made(NamedTuple):
    """A journal and what is known of it elsewhere."""

    path: Path
    head: str
    rows: list[Row]


def said(rng: Random, number: int) -> Message:
    """A message of the order path."""
    fields: dict[str, Any] = {"order": number, "symbol": SAMSUNG, "strategy": "momentum"}
    now, price, quantity = Nanoseconds(number), Won(rng.randrange(50_000, 90_000)), Shares(rng.randrange(1, 100))
    match rng.randrange(4):
        case 0:
            return HaltTrading(reason=f"사유 {price}", by="campaign")
        case 1:
            return CancelOrder(**fields, reason="old")
        case 2:
            return OrderSubmitting(
                **fields,
                time=now,
                action=Action.NEW,
                side=Side.BUY,
                quantity=quantity,
                kind=Kind.LIMIT,
                price=price,
                validity=Validity.DAY,
            )
        case _:
            return OrderFilled(
                **fields,
                time=now,
                broker_order=f"{number % 10**7:07d}",
                side=Side.BUY,
                price=price,
                quantity=quantity,
                filled=quantity,
                amount=Won(price * quantity),
                open=Shares(0),
            )


async def live(folder: Path, rng: Random, count: int, snapshot: Path | None = None) -> str:
    """One run of `count` messages; its files as a power cut would leave them go to `snapshot`. The head comes back."""
    async with Journal(folder, clock=WallClock(), reserve=ROOM) as journal:
        first = (journal.run << RUN_BITS) + 1
        for number in range(first, first + count):
            journal.append(Envelope(number, number, SOURCE, number - 1, said(rng, number)))
        await journal.durable(first + count - 1)
        if snapshot is not None:
            shutil.copytree(folder, snapshot)
            return journal.head[1]
    return journal.head[1]


def make(folder: Path, rng: Random, runs: int = 3, count: int = 20) -> Made:
    """Some runs, each with an end."""
    head = ""
    for _ in range(runs):
        head = asyncio.run(live(folder, rng, count))
    return Made(folder / NAME, head, stored(folder / NAME))


def stored(path: Path) -> list[Row]:
    """Every record as SQLite reads it, proven or not. Raises sqlite3.Error, DatabaseError."""
    with closing(reading(path)) as connection:
        return connection.execute(f"SELECT {chain.COLUMNS} FROM record ORDER BY number").fetchall()  # noqa: S608
