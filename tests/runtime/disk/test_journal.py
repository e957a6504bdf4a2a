import asyncio
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from messages import (
    CancelOrder,
    HaltTrading,
    Message,
    Nanoseconds,
    OrderRefused,
    Reconciled,
    Session,
    SessionChanged,
    Side,
    Symbol,
    Won,
)
from messages.account import Position
from messages.instruments import Shares
from runtime.bus import RUN_BITS
from runtime.clock import SimulatedClock, WallClock
from runtime.disk.awaited import JournalFailed
from runtime.disk.chain import ChainBroken, envelopes, verify
from runtime.disk.database import quarantine
from runtime.disk.errors import DatabaseBroken, DatabaseError, DatabaseFull
from runtime.disk.journal import Journal
from runtime.disk.reading import reading
from runtime.envelope import Envelope
from runtime.loops.loop import VirtualLoop
from runtime.testing import START, in_virtual_time

ROOT = Path(__file__).parents[3]
SAMSUNG = Symbol("005930")
SAID: tuple[Message, ...] = (
    HaltTrading(reason="사유", by="test"),
    CancelOrder(order=1, symbol=SAMSUNG, strategy="momentum", reason="old"),
    SessionChanged(session=Session.CONTINUOUS, time=Nanoseconds(5)),
    OrderRefused(
        order=2, symbol=SAMSUNG, strategy="m", side=Side.BUY, rule="size", figures={"a": 1, "b": 0.5}, limit=3
    ),
    Reconciled(
        time=Nanoseconds(1),
        cash=Won(10**12),
        positions=(Position(symbol=SAMSUNG, quantity=Shares(1), cost=Won(70_000)),),
        open_orders=0,
        differences=("none", "of them"),
    ),
)


class Private(Message):
    text: str


def halt(number: int) -> Envelope:
    return Envelope(number, number, "test", 0, HaltTrading(reason=f"{number}", by="test"))


async def write(folder: Path, count: int = 3) -> tuple[int, str]:
    """One run with `count` messages; the number of its first and the head at its end."""
    async with Journal(folder, clock=WallClock(), reserve=4096) as journal:
        first = (journal.run << RUN_BITS) + 1
        for number in range(first, first + count):
            journal.append(halt(number))
    return first, journal.head[1]


def numbers(path: Path) -> list[int]:
    return [envelope.number for envelope in envelopes(path)]


def change(path: Path, statements: str, **parameters: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript("PRAGMA synchronous = OFF; DROP TRIGGER no_update; DROP TRIGGER no_delete")
        for statement in statements.split(";"):
            connection.execute(statement, parameters)


def test_what_was_said_is_read_back_the_same(tmp_path: Path) -> None:
    async def main() -> None:
        async with Journal(tmp_path, clock=WallClock()) as journal:
            first = (journal.run << RUN_BITS) + 1
            said = [Envelope(first + n, START + n, "actor", n and first, message) for n, message in enumerate(SAID)]
            for envelope in said:
                journal.append(envelope)
            assert [envelope async for envelope in journal.read()] == said
            assert [envelope async for envelope in journal.read(first + 2)] == said[2:]
            assert [e async for e in journal.read(types=[CancelOrder, HaltTrading])] == said[:2]
        assert list(envelopes(journal.path)) == said

    asyncio.run(main())


def test_every_run_gets_a_new_number_and_an_end(tmp_path: Path) -> None:
    async def main() -> None:
        head = ""
        for run in range(1, 4):
            async with Journal(tmp_path, clock=WallClock(), reserve=4096) as journal:
                assert (journal.run, journal.last_run, journal.sealed) == (run, run - 1, False)
            head = journal.head[1]
        verdict = verify(tmp_path / "journal.sqlite", head)
        assert (verdict.ok, verdict.runs, verdict.records, verdict.unseen) == (True, 3, 6, "")

    asyncio.run(main())


def test_durable_means_another_process_can_see_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with Journal(tmp_path, clock=WallClock(), reserve=4096) as journal:
            for number in range((journal.run << RUN_BITS) + 1, (journal.run << RUN_BITS) + 400):
                journal.append(halt(number))
                if number % 50 == 0:
                    await journal.durable(number)
                    assert numbers(journal.path)[-1] == number == journal.durable_number == journal.head[0]

    asyncio.run(main())


def test_what_is_not_of_the_vocabulary_or_out_of_order_is_a_bug(tmp_path: Path) -> None:
    async def main() -> None:
        async with Journal(tmp_path, clock=WallClock(), reserve=4096) as journal:
            first = (journal.run << RUN_BITS) + 1
            with pytest.raises(TypeError, match="Private"):
                journal.append(Envelope(first, 0, "test", 0, Private(text="x")))
            journal.append(halt(first))
            with pytest.raises(ValueError, match="numbers only rise"):
                journal.append(halt(first))

    asyncio.run(main())


def test_the_journal_refuses_to_be_edited_by_accident(tmp_path: Path) -> None:
    asyncio.run(write(tmp_path))
    with closing(sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)) as connection:
        for statement in ("UPDATE record SET time = 0", "DELETE FROM record"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)


def test_nothing_durable_is_lost_by_kill_nine(tmp_path: Path) -> None:
    promised: list[int] = []
    rng = random.Random(1)
    for run in range(1, 6):
        command = [sys.executable, "-m", "tests.runtime.disk.journal_writer", str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as writer:
            assert writer.stdout is not None
            promised += [int(writer.stdout.readline()) for _ in range(rng.randrange(1, 120))]
            writer.kill()
            promised += [int(line) for line in writer.stdout if line.endswith("\n")]
        found = numbers(tmp_path / "journal.sqlite")
        assert set(promised) <= set(found)
        assert found[-1] >> RUN_BITS == run
        assert found == sorted(set(found))
    asyncio.run(write(tmp_path))
    verdict = verify(tmp_path / "journal.sqlite")
    assert (verdict.ok, verdict.runs) == (True, 6)
    with closing(reading(tmp_path / "journal.sqlite")) as types:
        assert types.execute("SELECT count(*) FROM record WHERE type = 'sealed'").fetchone() == (5,)


INSERT = (
    "INSERT INTO record SELECT number + 1000, time, source, cause, type, body, previous, hash FROM record "
    "WHERE number = :one"
)
SWAP = (
    "UPDATE record SET number = 7 WHERE number = :one; UPDATE record SET number = :one WHERE number = :other;"
    "UPDATE record SET number = :other WHERE number = 7"
)
MUTATIONS = (
    "UPDATE record SET time = time + 1 WHERE number = :one",
    "UPDATE record SET source = 'risk' WHERE number = :one",
    "UPDATE record SET cause = cause + 1 WHERE number = :one",
    "UPDATE record SET body = replace(body, '{', '{ ') WHERE number = :one",
    "UPDATE record SET body = CAST(body AS BLOB) WHERE number = :one",
    "UPDATE record SET type = 'StopSystem' WHERE number = :one",
    "UPDATE record SET hash = randomblob(32) WHERE number = :one",
    "UPDATE record SET previous = NULL WHERE number = :one",
    "DELETE FROM record WHERE number = :one",
    "DELETE FROM record WHERE number > :one",
    "DELETE FROM record WHERE number < :one",
    "DELETE FROM record",
    INSERT,
    SWAP,
)


def test_every_mutation_is_found(tmp_path: Path) -> None:
    asyncio.run(write(tmp_path, 20))
    _, head = asyncio.run(write(tmp_path, 20))
    original, copy = tmp_path / "journal.sqlite", tmp_path / "copy.sqlite"
    with closing(reading(original)) as connection:
        at = [number for (number,) in connection.execute("SELECT number FROM record ORDER BY number")]
    assert verify(original, head).ok
    rng = random.Random(2)
    for trial in range(300):
        shutil.copy(original, copy)
        mutation = MUTATIONS[trial % len(MUTATIONS)]
        one, other = rng.sample(at[1:-1], 2)
        change(copy, mutation, one=one, other=other)
        verdict = verify(copy, head)
        assert not verdict.ok, mutation
        assert verdict.problem


def test_damaged_bytes_are_refused_or_found_or_harmless(tmp_path: Path) -> None:
    asyncio.run(write(tmp_path / "good", 300))
    first, head = asyncio.run(write(tmp_path / "good", 300))
    content = (tmp_path / "good" / "journal.sqlite").read_bytes()
    kept = numbers(tmp_path / "good" / "journal.sqlite")
    rng = random.Random(3)
    for trial in range(60):
        folder = tmp_path / f"{trial}"
        folder.mkdir()
        (folder / "journal.sqlite").write_bytes(damaged(rng, content))
        if verify(folder / "journal.sqlite", head).ok:
            assert numbers(folder / "journal.sqlite") == kept
            continue
        found = refused(folder) or not verify(folder / "journal.sqlite", head).ok
        assert found or first in numbers(folder / "journal.sqlite")


def refused(folder: Path) -> bool:
    try:
        asyncio.run(write(folder))
    except DatabaseError:
        return True
    return False


def damaged(rng: random.Random, content: bytes) -> bytes:
    at, length = rng.randrange(len(content)), rng.choice((1, 16, 4096))
    match rng.randrange(3):
        case 0:
            return content[:at]
        case 1:
            return content[:at] + bytes(length) + content[at + length :]
        case _:
            return content[:at] + rng.randbytes(length) + content[at + length :]


def test_a_changed_record_of_the_last_run_stops_the_start(tmp_path: Path) -> None:
    asyncio.run(write(tmp_path))
    change(tmp_path / "journal.sqlite", "UPDATE record SET time = 0 WHERE type = 'HaltTrading'")
    with pytest.raises(DatabaseBroken, match=r"journal\.sqlite: record \d+: was changed"):
        asyncio.run(write(tmp_path))


def test_a_changed_record_of_an_older_run_stops_its_reader(tmp_path: Path) -> None:
    async def main() -> None:
        await write(tmp_path)
        await write(tmp_path)
        change(tmp_path / "journal.sqlite", "UPDATE record SET time = 0 WHERE number = (1 << 40) + 2")
        async with Journal(tmp_path, clock=WallClock()) as journal:
            with pytest.raises(ChainBroken, match=r"journal\.sqlite: record \d+: was changed; see `audit verify`"):
                _ = [envelope async for envelope in journal.read()]

    asyncio.run(main())


def test_a_journal_that_vanished_is_missed_and_a_quarantined_one_is_replaced_without_using_a_number_twice(
    tmp_path: Path,
) -> None:
    asyncio.run(write(tmp_path))
    asyncio.run(write(tmp_path))
    aside = quarantine(tmp_path / "journal.sqlite", "20250902-090000")
    kept = aside.rename(tmp_path / "elsewhere")
    with pytest.raises(DatabaseBroken, match="missing"):
        asyncio.run(write(tmp_path))
    kept.rename(aside)
    first, head = asyncio.run(write(tmp_path))
    assert first >> RUN_BITS == 3
    assert verify(tmp_path / "journal.sqlite", head).ok


def test_a_head_kept_elsewhere_vouches_only_for_what_came_before_it(tmp_path: Path) -> None:
    _, early = asyncio.run(write(tmp_path))
    asyncio.run(write(tmp_path))
    verdict = verify(tmp_path / "journal.sqlite", early)
    assert verdict.ok
    assert "the 5 records after the head" in verdict.unseen
    assert "kept elsewhere" in verify(tmp_path / "journal.sqlite").unseen


async def fail(folder: Path, clock: SimulatedClock, keep: Callable[[int], bool]) -> tuple[list[int], list[int]]:
    """A run whose disk is full after some messages: what was stored, and what of the rest was kept."""
    left = [5]
    heard: list[BaseException] = []

    def fault() -> None:
        left[0] -= 1
        if left[0] < 0:
            raise DatabaseFull("planted")

    stored: list[int] = []
    kept: list[int] = []
    async with Journal(folder, clock=clock, fault=fault, failed=heard.append, reserve=4096) as journal:
        for number in range((journal.run << RUN_BITS) + 1, (journal.run << RUN_BITS) + 12):
            journal.append(halt(number))
            try:
                await journal.durable(number)
                stored.append(number)
            except JournalFailed:
                if keep(number):
                    journal.emergency(number)
                    kept.append(number)
        assert [str(error) for error in heard] == ["planted"]
        journal.emergency(stored[0])
        with pytest.raises(KeyError):
            journal.emergency(stored[0] + 1000)
    return stored, kept


def simulated_clock() -> SimulatedClock:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return SimulatedClock(START, loop)


@in_virtual_time
async def test_what_went_to_the_emergency_file_is_merged_once_by_the_next_start(tmp_path: Path) -> None:
    clock = simulated_clock()
    stored, kept = await fail(tmp_path, clock, lambda number: number % 2 == 0)
    assert stored
    assert kept
    before = (tmp_path / "journal.emergency").read_bytes()
    async with Journal(tmp_path, clock=clock, reserve=4096) as journal:
        assert journal.sealed
        survived = [envelope.number async for envelope in journal.read()]
        assert survived == list(range(stored[0], stored[0] + 11)), "what only waited was spilled"
        assert set(kept) < set(survived)
    (tmp_path / "journal.emergency").write_bytes(before)
    async with Journal(tmp_path, clock=clock, reserve=4096) as journal:
        assert [envelope.number async for envelope in journal.read()] == survived
        assert journal.run == 3
    assert verify(journal.path, journal.head[1]).ok


@in_virtual_time
async def test_kept_records_outlive_the_loss_of_the_journal_itself(tmp_path: Path) -> None:
    clock = simulated_clock()
    _, kept = await fail(tmp_path, clock, lambda _number: True)
    quarantine(tmp_path / "journal.sqlite", "1")
    async with Journal(tmp_path, clock=clock, reserve=4096) as journal:
        assert journal.run == 2
        assert [envelope.number async for envelope in journal.read()] == kept
    assert verify(journal.path, journal.head[1]).ok


@in_virtual_time
async def test_more_waiting_records_than_the_bound_fail_the_journal(tmp_path: Path) -> None:
    heard: list[BaseException] = []
    async with Journal(
        tmp_path, clock=simulated_clock(), delay=lambda: 1.0, waiting=10, failed=heard.append, reserve=4096
    ) as journal:
        first = (journal.run << RUN_BITS) + 1
        for number in range(first, first + 30):
            journal.append(halt(number))
        assert len(heard) == 1
        with pytest.raises(JournalFailed, match="too slow"):
            await journal.durable(first + 29)


@in_virtual_time
async def test_two_identical_simulated_runs_leave_identical_files(tmp_path: Path) -> None:
    contents: list[bytes] = []
    for name in ("one", "two"):
        clock = simulated_clock()
        rng = random.Random(5)
        async with Journal(tmp_path / name, clock=clock, delay=rng.random) as journal:
            for sequence in range(1, 300):
                said = SAID[sequence % len(SAID)]
                journal.append(Envelope((journal.run << RUN_BITS) + sequence, clock.now(), "test", 0, said))
                await clock.sleep(rng.random())
        contents.append(journal.path.read_bytes())
    assert contents[0] == contents[1]


def test_little_of_a_journal_is_kept_in_memory(tmp_path: Path) -> None:
    async def main() -> None:
        async with Journal(tmp_path, clock=WallClock(), reserve=4096) as journal:
            assert await journal._database.execute("PRAGMA cache_size") == [(-128,)]  # pyright: ignore[reportPrivateUsage]

    asyncio.run(main())
