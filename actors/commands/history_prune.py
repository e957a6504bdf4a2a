"""`history prune DIR --before DAY`: prices of old days go, and the file gets as small as what is left."""

import asyncio
import datetime as dt
import sqlite3
from pathlib import Path
from typing import Annotated

import typer

from actors.market.storage import indications, retention, store
from actors.market.storage.loose import Kind
from actors.market.storage.retention import Chores
from actors.market.time import at
from messages import Record
from runtime.cli import fail, placed
from runtime.clock import WallClock
from runtime.disk import folders
from runtime.disk.database import Database
from runtime.disk.errors import DatabaseBroken, DatabaseError
from runtime.process.locks import AlreadyRunning, folder_lock


class Pruned(Record):
    """What went, and what the file has left."""

    ticks: int
    books: int
    indications: int
    """Expected prices, best quotes, after-hours books and index values."""
    bars: int
    """Shorter than a minute."""
    freed: int
    """Bytes; packing and joining free some too. Below 0 where room was needed for that."""
    left: int


def prune(place: Path, before: dt.date, *, books_only: bool = False) -> Pruned:
    """Let go of what was received before a day in Korea began; orders, instruments and bars of a minute and more stay.

    Each step is a transaction of its own, so a kill leaves a consistent store and the rest for the next time.
    Raises AlreadyRunning where a run holds the folder, DatabaseError.
    """
    file = store.market_file(place)
    if not file.is_file():
        raise DatabaseBroken(f"{file}: no such file")
    with folder_lock(file.parent):
        return asyncio.run(_prune(file, at(before), ("books",) if books_only else store.KINDS))


def prune_command(
    place: Annotated[Path, typer.Argument(metavar="DIR", help="Data folder, or a market.sqlite.")],
    *,
    before: Annotated[
        dt.datetime, typer.Option(formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="First day that stays, in Korea.")
    ],
    books: Annotated[bool, typer.Option("--books", help="Only books; all else stays.")] = False,
) -> None:
    """Let prices of before a day go, and give their room back: ticks, books, indications, bars shorter than a minute.

    Orders, instruments and all other bars stay.
    """
    try:
        pruned = prune(folders.current(place), before.date(), books_only=books)
    except AlreadyRunning as error:
        fail(str(error))
    except DatabaseError as error:
        fail(placed(place, error))
    gone = f"{pruned.ticks:,} ticks, {pruned.books:,} books and {pruned.indications:,} indications"
    typer.echo(f"{gone} of before {before:%Y-%m-%d} are gone")
    typer.echo(f"{pruned.bars:,} bars shorter than a minute went with the ticks")
    typer.echo(f"{round(pruned.freed / 1e6, 1) + 0.0:,.1f} MB freed, {pruned.left / 1e6:,.1f} MB left")


async def _prune(file: Path, before: int, kinds: tuple[Kind, ...]) -> Pruned:
    size = _size(file)
    async with Database(file, migrations=store.MIGRATIONS, clock=WallClock()) as database:
        while await database.run(store.pack_some):
            continue
        counts = await database.read(_counts)
        chores = Chores(lambda _, kind: before if kind in kinds else 0)
        while await database.run(chores.step):
            continue
        left = await database.read(_counts)
        await database.submit(retention.compact)
    gone = {kind: counts[kind] - left[kind] for kind in store.KINDS}
    others = sum(gone[kind] for kind in indications.KINDS)
    freed = size - _size(file)
    return Pruned(
        ticks=gone["ticks"],
        books=gone["books"],
        indications=others,
        bars=counts["bars"] - left["bars"],
        freed=freed,
        left=_size(file),
    )


def _counts(connection: sqlite3.Connection) -> dict[str, int]:
    found = dict(connection.execute("SELECT kind, sum(count) FROM blocks GROUP BY kind").fetchall())
    (bars,) = connection.execute("SELECT count(*) FROM bars WHERE interval < 60").fetchone()
    return {"bars": bars, **{kind: found.get(kind, 0) for kind in store.KINDS}}


def _size(file: Path) -> int:
    parts = (file, file.with_name(file.name + "-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())
