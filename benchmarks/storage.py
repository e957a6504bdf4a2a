"""What a recorded day takes on disk, and what writing, packing and reading it cost: CPU seconds, beside floors.

python -m benchmarks.storage [--prints 400000] [--books-every 1] [--folder FOLDER]

The day has 20 million prints of 2,000 codes; stored is every n-th code of it, as many as have so many prints.
"""

import argparse
import asyncio
import gc
import logging
import sqlite3
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
import structlog
from msgspec.structs import astuple

from actors.market.storage import blocks, store
from actors.market.storage.blocks import Array
from actors.market.storage.history import History
from actors.market.storage.loose import Kind
from actors.market.storage.retention import Chores
from actors.market.storage.store import DTYPES
from actors.recorder import Recorder
from benchmarks import made_day
from messages import OrderBook, Tick
from runtime.bus import Bus
from runtime.clock import SimulatedClock
from runtime.disk.reading import reading
from runtime.life.seat import Seat
from runtime.loops.loop import virtual_loop
from runtime.mailbox import Mailbox
from runtime.pump import Pump
from runtime.system import GC_THRESHOLDS

PRINTS, CODES = 20_000_000, 2_000
KINDS: tuple[Kind, ...] = ("ticks", "books")
TOGETHER = 20_000
"""Messages between two batches: a busy second of the whole market."""
PORTION = 100
"""Messages the feed hands over at once; prints are timed as they come, books all at the end of the second."""
FLOOR_ROWS = 50_000
Messages = list[Tick | OrderBook]


class Recorded(NamedTuple):
    """CPU seconds and counts, by kind; `first` are the first prints."""

    seconds: dict[Kind, float]
    counts: dict[Kind, int]
    first: Messages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prints", type=int, default=400_000)
    parser.add_argument("--books-every", type=float, default=1.0)
    parser.add_argument("--folder", help="on the disk to be measured")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    gc.set_threshold(*GC_THRESHOLDS)
    codes = max(round(options.prints * CODES / PRINTS), 1)
    with tempfile.TemporaryDirectory(dir=options.folder) as scratch:
        folder = Path(scratch)
        day = made_day.messages(options.prints, codes, CODES, seed=1)
        recorded = _record(folder, day, options.books_every)
        _show_recorded(folder, recorded)
        _close(folder)
        for kind in KINDS:
            _blobs(folder, kind)
        _replay(folder)
        _size(folder, codes)


def _record(folder: Path, day: Iterator[Tick | OrderBook], books_every: float) -> Recorded:
    loop = virtual_loop()
    try:
        return loop.run_until_complete(_recording(folder, day, books_every))
    finally:
        loop.close()


async def _recording(folder: Path, day: Iterator[Tick | OrderBook], books_every: float) -> Recorded:
    recorded = Recorded({"ticks": 0.0, "books": 0.0}, {"ticks": 0, "books": 0}, [])
    bus, pump, seat = _seated(folder, books_every)
    await seat.start()
    await asyncio.sleep(1.1)
    gc.freeze()
    more = True
    while more:
        books: Messages = []
        for _ in range(TOGETHER // PORTION):
            portion = list(islice(day, PORTION))
            books += [message for message in portion if type(message) is OrderBook]
            prints: Messages = [message for message in portion if type(message) is Tick]
            _pass(bus, pump, recorded, "ticks", prints)
            recorded.first.extend(prints if len(recorded.first) < FLOOR_ROWS else ())
            more = bool(portion)
        await _store(recorded, "ticks")
        _pass(bus, pump, recorded, "books", books)
        await _store(recorded, "books")
    await seat.stop()
    return recorded


def _pass(bus: Bus, pump: Pump, recorded: Recorded, kind: Kind, messages: Messages) -> None:
    for message in messages:
        bus.publish(message, "receiver")
    recorded.counts[kind] += len(messages)
    start = time.process_time()
    while not pump.resting:
        pump.turn()
    recorded.seconds[kind] += time.process_time() - start


async def _store(recorded: Recorded, kind: Kind) -> None:
    start = time.process_time()
    await asyncio.sleep(1.1)
    recorded.seconds[kind] += time.process_time() - start


def _seated(folder: Path, books_every: float) -> tuple[Bus, Pump, Seat]:
    loop = asyncio.get_running_loop()
    clock = SimulatedClock(made_day.NINE, loop)  # type: ignore[arg-type]
    bus, pump = Bus(clock), Pump(loop)
    bus.begin(1, None)
    pump.bus = bus
    log = structlog.get_logger()
    mailbox = Mailbox("recorder", pump.ready, lambda box, _: print(f"{box.name} overflowed"))
    seat = Seat(
        "recorder",
        lambda: Recorder(folder, books_every=books_every),
        bus=bus,
        pump=pump,
        clock=clock,
        rng=Random(1),
        log=log,
        data=folder,
        failed=lambda _seat, name, error: print(f"{name}: {error!r}"),
        mailbox=mailbox,
    )
    return bus, pump, seat


def _show_recorded(folder: Path, recorded: Recorded) -> None:
    ticks, books = (recorded.counts[kind] / recorded.seconds[kind] for kind in KINDS)
    kept = _stored(folder, "books")
    _show("prints, mailbox to row", ticks, "wanted: 500,000")
    rows = [(number, *astuple(message)) for number, message in enumerate(recorded.first)]
    marks = ",".join("?" * len(rows[0]))
    _show("  floor: bare executemany", _rate(len(rows), lambda: _inserted(folder / "floor.sqlite", rows, marks)))
    _show("books, mailbox to row or left out", books, f"{kept:,} of {recorded.counts['books']:,} kept")
    for kind in KINDS:
        size = _number(folder, f"SELECT coalesce(sum(length(rows)), 0) FROM loose WHERE kind = '{kind}'")  # noqa: S608
        _show_size(f"  bytes a row of {kind}", size / _stored(folder, kind))


def _inserted(path: Path, rows: Sequence[tuple[object, ...]], marks: str) -> None:
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"CREATE TABLE t ({','.join(f'c{place}' for place in range(len(rows[0])))})")
        connection.executemany(f"INSERT INTO t VALUES ({marks})", rows)  # noqa: S608
        connection.commit()


def _close(folder: Path) -> None:
    path = folder / store.FILE
    count, before = sum(_stored(folder, kind) for kind in KINDS), path.stat().st_size
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        chores = Chores(lambda _connection, _kind: 0)
        start = time.process_time()
        while _step(connection, chores):
            continue
        spent = time.process_time() - start
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    _show(
        "at the close, rows to blocks", count / spent, f"file {before / 1e6:,.1f} MB before, {_megabytes(path)} after"
    )


def _step(connection: sqlite3.Connection, chores: Chores) -> bool:
    connection.execute("BEGIN IMMEDIATE")
    more = chores.step(connection)
    connection.execute("COMMIT")
    return more


def _blobs(folder: Path, kind: Kind) -> None:
    with closing(reading(folder / store.FILE)) as connection:
        arrays = _arrays(connection, kind)
        count = sum(len(array) for _, array in arrays)
        plain = [array.tobytes() for _, array in arrays]
        read = _rate(count, lambda: _arrays(connection, kind))
    wanted = kind == "ticks"
    _show(f"{kind}, blocks to arrays", read, "wanted: 5,000,000" if wanted else "")
    _show("  floor: np.frombuffer", _rate(count, lambda: [np.frombuffer(data, DTYPES[kind]).copy() for data in plain]))
    with closing(_new(folder / f"{kind}.sqlite")) as connection:
        written = _rate(count, lambda: _write(connection, kind, arrays))
    _show(f"{kind}, arrays to blocks", written, "wanted: 3,000,000" if wanted else "")
    _show("  floor: zlib alone", _rate(count, lambda: [zlib.compress(data, 1) for data in plain]))
    size = _number(folder, f"SELECT sum(length(data)) FROM blocks WHERE kind = '{kind}'")  # noqa: S608
    _show_size(f"  bytes a row of {kind}", size / count)


def _arrays(connection: sqlite3.Connection, kind: Kind) -> list[tuple[str, Array]]:
    found = connection.execute("SELECT symbol, count, data FROM blocks WHERE kind = ?", (kind,))
    return [(symbol, blocks.unpack(data, DTYPES[kind], rows)) for symbol, rows, data in found]


def _write(connection: sqlite3.Connection, kind: Kind, arrays: Sequence[tuple[str, Array]]) -> None:
    for symbol, array in arrays:
        store.write_blocks(connection, kind, symbol, array)
    connection.commit()


def _new(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    for script in store.MIGRATIONS:
        connection.executescript(script)
    return connection


def _replay(folder: Path) -> None:
    with History(folder) as history:
        start = time.process_time()
        count = sum(1 for _ in history.messages([]))
        _show("blocks to messages, in order", count / (time.process_time() - start))


def _size(folder: Path, codes: int) -> None:
    path = folder / store.FILE
    counts = {kind: _stored(folder, kind) for kind in KINDS}
    day = path.stat().st_size * CODES / codes
    print(f"stored: {codes} codes, {counts['ticks']:,} prints, {counts['books']:,} books, {_megabytes(path)}")
    print(
        f"a day of {CODES:,} codes: {counts['ticks'] * CODES // codes:,} prints, "
        f"{counts['books'] * CODES // codes:,} books, {day / 1e6:,.0f} MB"
    )


def _stored(folder: Path, kind: Kind) -> int:
    loose = _number(folder, f"SELECT count(*) FROM {kind}")  # noqa: S608
    return loose + _number(folder, f"SELECT coalesce(sum(count), 0) FROM blocks WHERE kind = '{kind}'")  # noqa: S608


def _number(folder: Path, query: str) -> int:
    with closing(reading(folder / store.FILE)) as connection:
        return int(connection.execute(query).fetchone()[0])


def _rate(count: int, work: Callable[[], object]) -> float:
    best = min(_seconds(work) for _ in range(3))
    return count / best


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _megabytes(path: Path) -> str:
    return f"{path.stat().st_size / 1e6:,.1f} MB"


def _show(name: str, rate: float, remark: str = "") -> None:
    print(f"{name:38} {rate:>12,.0f} /CPU s   {remark}".rstrip())


def _show_size(name: str, size: float) -> None:
    print(f"{name:38} {size:>12,.2f}")


if __name__ == "__main__":
    main()
