"""The latch: made by anybody, seen at once, lifted only when a resume is durable."""

import asyncio
import errno
import os
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from messages import HaltTrading, Message, ResumeTrading
from runtime.clock import WallClock
from runtime.disk.errors import DatabaseFull
from runtime.disk.journal import Journal
from runtime.envelope import Envelope
from runtime.outside.latch import NAME, Halt, Latch, Latching

HALT = Halt("2026-11-20 09:31:05.120", "guardian", "daily loss: equity 1, was 2")


def full(_: int) -> None:
    raise OSError(errno.ENOSPC, "no space")


def test_what_is_laid_is_read_again_by_anybody(tmp_path: Path) -> None:
    Latch(tmp_path).lay(HALT)

    assert Latch(tmp_path).read() == HALT
    assert "reason: daily loss: equity 1, was 2" in (tmp_path / NAME).read_text(encoding="utf-8").splitlines()


def test_nobody_sees_the_file_before_it_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Halt | None] = []

    def look(_: int) -> None:
        seen.append(Latch(tmp_path).read())

    monkeypatch.setattr(os, "fsync", look)
    Latch(tmp_path).lay(HALT)

    assert seen == [None, HALT]
    assert [file.name for file in tmp_path.iterdir()] == [NAME]


def test_where_there_are_no_links_it_is_laid_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(_: Path, __: Path) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", link)
    latch = Latch(tmp_path)
    latch.lay(HALT)
    latch.lay(Halt("later", "somebody", "else"))

    assert latch.read() == HALT
    assert [file.name for file in tmp_path.iterdir()] == [NAME]


def test_what_a_draft_left_behind_is_never_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unlink(_: Path, *, missing_ok: bool = False) -> None:
        raise PermissionError(missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    latch = Latch(tmp_path)
    latch.lay(HALT._replace(flatten=True))
    latch.lay(Halt("later", "somebody", "else"))

    assert latch.read() == HALT._replace(flatten=True)


def test_a_full_disk_keeps_the_name_and_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        Latch(tmp_path).lay(HALT)

    assert [file.name for file in tmp_path.iterdir()] == [NAME]


def test_who_came_first_stands_but_a_wish_to_flatten_is_added(tmp_path: Path) -> None:
    latch = Latch(tmp_path)
    latch.lay(HALT)
    latch.lay(Halt("later", "somebody", "else", flatten=True))
    latch.lay(Halt("later still", "somebody", "else"))

    assert latch.read() == HALT._replace(flatten=True)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file HALT"),
        (b"bad news on  TV\nsell nothing\n", "bad news on TV sell nothing"),
        ("뉴스".encode(), "뉴스"),
        (b"\xff\xfe\x00", "\ufffd\ufffd\x00"),
        (b"reason: half a file", "reason: half a file"),
    ],
)
def test_a_file_made_by_hand_halts_whatever_is_in_it(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / NAME).write_bytes(content)

    assert Latch(tmp_path).news() == Halt("", "a person", reason)


def test_what_cannot_be_read_halts_as_well(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()

    halt = Latch(tmp_path).news()
    assert halt is not None
    assert "cannot be read" in halt.reason


def test_news_are_told_once_and_again_when_somebody_else_changes_them(tmp_path: Path) -> None:
    latch = Latch(tmp_path)
    assert latch.news() is None
    Latch(tmp_path).lay(HALT)
    assert latch.news() == HALT
    assert latch.news() is None
    Latch(tmp_path).lay(HALT._replace(flatten=True))

    assert latch.news() == HALT._replace(flatten=True)


def test_what_one_laid_oneself_is_no_news(tmp_path: Path) -> None:
    latch = Latch(tmp_path)
    latch.lay(HALT)

    assert latch.news() is None


def test_removed_by_hand_it_is_laid_again_and_lifted_it_is_not(tmp_path: Path) -> None:
    latch = Latch(tmp_path)
    latch.lay(HALT)
    (tmp_path / NAME).unlink()
    assert latch.news() is None
    assert Latch(tmp_path).read() == HALT
    latch.lift()

    assert latch.news() is None
    assert not (tmp_path / NAME).exists()


def test_reasons_are_one_line_and_not_endless(tmp_path: Path) -> None:
    Latch(tmp_path).lay(HALT._replace(reason="a\nflatten: yes\n" + "x" * 10_000))

    halt = Latch(tmp_path).read()
    assert halt is not None
    assert not halt.flatten
    assert halt.reason.startswith("a flatten: yes xxx")
    assert len(halt.reason) <= 500


def envelope(journal: Journal, sequence: int, message: Message) -> Envelope:
    return Envelope((journal.run << 40) + sequence, WallClock.now(), "test", 0, message)


def in_journal(tmp_path: Path, scene: Any) -> None:
    async def play() -> None:
        async with Journal(tmp_path, clock=WallClock()) as journal:
            await scene(journal, Latching(journal, Latch(tmp_path), structlog.get_logger()))

    asyncio.run(play())


def test_a_halt_is_latched_before_anybody_hears_of_it_and_a_resume_lifts_it(tmp_path: Path) -> None:
    async def scene(journal: Journal, latching: Latching) -> None:
        latching.append(envelope(journal, 1, HaltTrading(reason="enough", by="guardian")))
        latched = Latch(tmp_path).read()
        assert latched is not None
        assert (latched.by, latched.reason) == ("guardian", "enough")
        resume = envelope(journal, 2, ResumeTrading(by="kim"))
        latching.append(resume)
        assert Latch(tmp_path).read() is not None
        await latching.lift(resume.number)
        assert Latch(tmp_path).read() is None
        assert journal.durable_number == resume.number

    in_journal(tmp_path, scene)


def test_a_halt_that_follows_a_resume_at_once_is_not_lifted_with_it(tmp_path: Path) -> None:
    async def scene(journal: Journal, latching: Latching) -> None:
        latching.append(envelope(journal, 1, ResumeTrading(by="kim")))
        latching.append(envelope(journal, 2, HaltTrading(reason="again", by="guardian")))
        await latching.lift((journal.run << 40) + 1)
        assert Latch(tmp_path).read() is not None

    in_journal(tmp_path, scene)


def test_a_resume_that_a_halt_overtook_leaves_the_latch(tmp_path: Path) -> None:
    async def scene(journal: Journal, latching: Latching) -> None:
        first = envelope(journal, 1, HaltTrading(reason="enough", by="guardian"))
        latching.append(first)
        latching.append(envelope(journal, 2, HaltTrading(reason="again", by="guardian")))
        resume = envelope(journal, 3, ResumeTrading(by="kim", seen=first.number))
        latching.append(resume)
        await latching.lift(resume.number)
        assert Latch(tmp_path).read() is not None

    in_journal(tmp_path, scene)


def test_a_latch_that_nobody_has_heard_of_yet_is_not_lifted(tmp_path: Path) -> None:
    latch = Latch(tmp_path)
    Latch(tmp_path).lay(HALT)
    latch.lift()

    assert latch.news() == HALT


def test_a_latch_that_cannot_be_laid_is_said_and_the_halt_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(journal: Journal, latching: Latching) -> None:
        Latch(tmp_path).lay(HALT)
        monkeypatch.setattr(os, "fsync", full)
        halt = envelope(journal, 1, HaltTrading(reason="enough", by="guardian", flatten=True))
        latching.append(halt)
        await journal.durable(halt.number)
        assert journal.durable_number == halt.number

    with capture_logs() as logged:
        in_journal(tmp_path, scene)
    assert [line["event"] for line in logged] == ["latched, but not for certain on the disk"]


def test_a_halt_for_want_of_the_journal_is_this_runs_alone(tmp_path: Path) -> None:
    async def scene(journal: Journal, latching: Latching) -> None:
        journal.failure = DatabaseFull("the disk is full")
        latching.append(envelope(journal, 1, HaltTrading(reason="blind", by="journal")))
        assert Latch(tmp_path).read() is None

    in_journal(tmp_path, scene)


def test_any_other_halt_is_latched_whatever_became_of_the_journal(tmp_path: Path) -> None:
    async def scene(journal: Journal, latching: Latching) -> None:
        journal.failure = DatabaseFull("the disk is full")
        latching.append(envelope(journal, 1, HaltTrading(reason="a day's loss", by="guardian")))
        found = Latch(tmp_path).read()
        assert found is not None
        assert found.reason == "a day's loss"

    in_journal(tmp_path, scene)
