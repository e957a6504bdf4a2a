"""The disk refuses the journal for a while, or for good."""

import asyncio
import itertools
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from messages import HaltTrading
from runtime.bus import RUN_BITS
from runtime.clock import SimulatedClock, WallClock
from runtime.disk.awaited import JournalFailed
from runtime.disk.chain import CLOSED, SEALED, entries, envelopes, verify
from runtime.disk.emergency import Emergency
from runtime.disk.errors import DatabaseError, DatabaseFull
from runtime.disk.journal import NAME, Journal
from runtime.disk.reading import reading
from runtime.envelope import Envelope
from runtime.loops.loop import VirtualLoop
from runtime.testing import START, in_virtual_time


def clock() -> SimulatedClock:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return SimulatedClock(START, loop)


def halt(number: int, length: int = 1) -> Envelope:
    return Envelope(number, number, "test", 0, HaltTrading(reason="x" * length, by="test"))


def full_at(*when: int) -> Callable[[], None]:
    calls = itertools.count(1)

    def fault() -> None:
        if next(calls) in when:
            raise DatabaseFull("planted")

    return fault


def numbers(folder: Path) -> list[int]:
    return [envelope.number for envelope in envelopes(folder / NAME)]


def kinds(folder: Path) -> list[str]:
    return [entry.type for entry in entries(folder / NAME) if entry.type in (CLOSED, SEALED)]


async def refused(journal: Journal, number: int) -> bool:
    journal.append(halt(number))
    try:
        await journal.durable(number)
    except JournalFailed:
        return True
    return False


@in_virtual_time
async def test_what_waits_is_tried_again_each_second_and_the_journal_sees_again(tmp_path: Path) -> None:
    heard: list[BaseException] = []
    time = clock()
    async with Journal(tmp_path, clock=time, fault=full_at(3, 4), failed=heard.append, reserve=4096) as journal:
        first = (journal.run << RUN_BITS) + 1
        assert await refused(journal, first)
        assert await refused(journal, first + 1)
        await time.sleep(1.5)
        assert await refused(journal, first + 2)
        await time.sleep(1.0)
        assert journal.failure is None
        assert journal.durable_number == first + 2
        assert not await refused(journal, first + 3)
        assert len(heard) == 1
    assert kinds(tmp_path) == [CLOSED]
    assert numbers(tmp_path) == [first, first + 1, first + 2, first + 3]


@in_virtual_time
async def test_the_end_of_a_run_is_one_more_try(tmp_path: Path) -> None:
    async with Journal(tmp_path, clock=clock(), fault=full_at(3), delay=lambda: 0.01, reserve=4096) as journal:
        first = (journal.run << RUN_BITS) + 1
        assert await refused(journal, first)
        for number in range(first + 1, first + 300):
            journal.append(halt(number))
    assert kinds(tmp_path) == [CLOSED]
    assert numbers(tmp_path) == list(range(first, first + 300))


@in_virtual_time
async def test_several_kept_in_any_order_are_merged_in_theirs_and_each_once(tmp_path: Path) -> None:
    time = clock()
    async with Journal(tmp_path, clock=time, fault=full_at(*range(4, 99)), reserve=2048) as journal:
        first = (journal.run << RUN_BITS) + 1
        assert not await refused(journal, first)
        for number in range(first + 1, first + 40):
            assert await refused(journal, number)
        for number in (first + 37, first + 33, first + 35, first + 33, first):
            journal.emergency(number)
        with pytest.raises(KeyError):
            journal.emergency(first + 41)
    async with Journal(tmp_path, clock=time, reserve=2048) as journal:
        assert journal.sealed
    found = numbers(tmp_path)
    spilled = found[: found.index(first + 33)]
    assert found == [*spilled, first + 33, first + 35, first + 37]
    assert spilled == list(range(first, first + len(spilled)))
    assert verify(tmp_path / NAME, journal.head[1]).ok


@in_virtual_time
async def test_a_record_kept_and_stored_after_all_counts_once(tmp_path: Path) -> None:
    time = clock()
    async with Journal(tmp_path, clock=time, fault=full_at(3), reserve=4096) as journal:
        first = (journal.run << RUN_BITS) + 1
        assert await refused(journal, first)
        journal.emergency(first)
        crashed = (tmp_path / "journal.emergency").read_bytes()
        await time.sleep(2)
        assert not await refused(journal, first + 1)
        assert (tmp_path / "journal.emergency").read_bytes() != crashed
    assert numbers(tmp_path) == [first, first + 1]


@in_virtual_time
async def test_without_room_the_emergency_file_says_so(tmp_path: Path) -> None:
    async with Journal(tmp_path, clock=clock(), fault=full_at(*range(3, 99)), reserve=600) as journal:
        first = (journal.run << RUN_BITS) + 1
        journal.append(halt(first, 900))
        journal.append(halt(first + 1))
        with pytest.raises(JournalFailed):
            await journal.durable(first)
        with pytest.raises(DatabaseFull, match="no room for one more record"):
            journal.emergency(first)
        journal.emergency(first + 1)


@in_virtual_time
async def test_what_comes_beyond_the_bound_can_still_be_kept(tmp_path: Path) -> None:
    time = clock()
    async with Journal(tmp_path, clock=time, waiting=3, reserve=4096) as journal:
        first = (journal.run << RUN_BITS) + 1
        for number in range(first, first + 8):
            journal.append(halt(number))
        journal.emergency(first + 7)
        await time.sleep(2)
        assert journal.durable_number == first + 2
        assert "too slow" in str(journal.failure)
    async with Journal(tmp_path, clock=time, reserve=4096) as journal:
        pass
    assert numbers(tmp_path) == list(range(first, first + 8))


def test_a_kill_before_the_first_run_does_not_look_like_a_loss(tmp_path: Path) -> None:
    async def start() -> int:
        async with Journal(tmp_path, clock=WallClock(), reserve=4096) as journal:
            return journal.run

    Emergency(tmp_path / "journal.emergency", 4096).close()
    assert asyncio.run(start()) == 1


def test_a_record_below_the_first_is_found(tmp_path: Path) -> None:
    async def start() -> str:
        async with Journal(tmp_path, clock=WallClock(), reserve=4096) as journal:
            journal.append(halt((journal.run << RUN_BITS) + 1))
        return journal.head[1]

    head = asyncio.run(start())
    assert verify(tmp_path / NAME, head).ok
    with closing(reading(tmp_path / NAME)) as connection:
        row = connection.execute("SELECT * FROM record ORDER BY number").fetchone()

    with closing(sqlite3.connect(tmp_path / NAME, isolation_level=None)) as writer:
        writer.execute("INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (-1, *row[1:]))
    assert not verify(tmp_path / NAME, head).ok
    with pytest.raises(DatabaseError):
        list(envelopes(tmp_path / NAME))


@in_virtual_time
async def test_a_disk_that_hangs_keeps_nobody_waiting(tmp_path: Path) -> None:
    time, delays = clock(), [0.0, 0.0, 60.0]
    async with Journal(
        tmp_path, clock=time, delay=lambda: delays.pop(0) if delays else 0.0, fault=full_at(), reserve=4096
    ) as journal:
        first = (journal.run << RUN_BITS) + 1
        assert await refused(journal, first)
        assert time.now() - START < 7 * 10**9
        assert await refused(journal, first + 1)
        journal.emergency(first + 1)
        assert time.now() - START < 7 * 10**9
        await time.sleep(60)
        assert journal.failure is None
    assert kinds(tmp_path) == [CLOSED]
    assert numbers(tmp_path) == [first, first + 1]


def test_one_record_that_cannot_be_written_down_takes_no_other_with_it(tmp_path: Path) -> None:
    heard: list[BaseException] = []

    async def crash() -> int:
        async with Journal(tmp_path, clock=WallClock(), reserve=1 << 16, failed=heard.append) as journal:
            first = (journal.run << RUN_BITS) + 1
            for number in (first, first + 1, first + 3):
                said = halt(number) if number != first + 1 else odd(number)
                journal.append(said)
            assert await refused(journal, first + 4)
        return first

    async def start() -> list[int]:
        async with Journal(tmp_path, clock=WallClock(), reserve=1 << 16) as journal:
            return [envelope.number async for envelope in journal.read()]

    def odd(number: int) -> Envelope:
        return Envelope(number, number, "test", 0, HaltTrading(reason="half \udcff a character", by="test"))

    first = asyncio.run(crash())
    assert "surrogates not allowed" in str(heard[0])
    assert asyncio.run(start()) == [first, first + 3, first + 4]
