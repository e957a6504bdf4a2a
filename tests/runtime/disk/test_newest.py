import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from messages import CancelOrder, HaltTrading, Message, ResumeTrading, Symbol
from runtime.bus import RUN_BITS
from runtime.clock import WallClock
from runtime.disk.chain import ChainBroken, latest
from runtime.disk.errors import DatabaseBroken
from runtime.disk.journal import Journal
from runtime.envelope import Envelope
from runtime.testing import START

HALTS = [HaltTrading(reason=reason, by="test") for reason in ("one", "two")]
SAID: tuple[Message, ...] = (*HALTS, CancelOrder(order=1, symbol=Symbol("005930"), strategy="mine", reason="old"))


async def write(folder: Path) -> Journal:
    async with Journal(folder, clock=WallClock()) as journal:
        for number, message in enumerate(SAID, (journal.run << RUN_BITS) + 1):
            journal.append(Envelope(number, START, "actor", 0, message))
        assert await journal.newest(HaltTrading) == HALTS[1]
        assert await journal.newest(ResumeTrading) is None
    return journal


def test_the_newest_of_a_kind_is_found_by_whoever_has_the_journal_open_and_by_others(tmp_path: Path) -> None:
    path = asyncio.run(write(tmp_path)).path

    assert [envelope.message for envelope in latest(path, HaltTrading)] == HALTS[::-1]
    assert not list(latest(path, ResumeTrading))


def test_one_that_was_changed_is_refused(tmp_path: Path) -> None:
    path = asyncio.run(write(tmp_path)).path
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript("DROP TRIGGER no_update; UPDATE record SET body = replace(body, 'two', 'ten')")

    with pytest.raises(ChainBroken, match="was changed"):
        next(latest(path, HaltTrading))


def test_there_is_none_of_a_file_that_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"nothing of the kind" * 99)

    with pytest.raises(DatabaseBroken):
        next(latest(path, HaltTrading))
