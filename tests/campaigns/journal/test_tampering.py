"""The tampering campaign, with a small budget: everything is found, or changed no record."""

import asyncio
import shutil
from pathlib import Path
from random import Random

import pytest

from actors.campaigns.journal import tampered_files, tampering
from actors.campaigns.journal.made import FOUND, HARMLESS, MISSED, Made, make
from runtime.disk import chain
from runtime.disk.errors import DatabaseError
from runtime.disk.journal import NAME


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("made"), Random(1), runs=2)


def test_every_mutation_of_a_journal_with_its_head_kept_is_found(made: Made, tmp_path: Path) -> None:
    outcomes = tampering.tamper(made, tmp_path, 200, seed=1)
    assert outcomes.failures == []
    assert outcomes.total == 200
    assert all(outcomes.count(FOUND, kind) >= 18 for kind in tampering.RECORDS)


def test_an_untouched_journal_is_not_called_found(made: Made, tmp_path: Path) -> None:
    copy = tmp_path / NAME
    shutil.copy(made.path, copy)
    assert tampering.judge("edit a record", copy, made) == MISSED
    assert tampering.judge("flip a bit of the file", copy, made) == HARMLESS
    assert chain.verify(copy, made.head.upper() + "\n").ok


def test_a_part_of_a_head_proves_nothing(made: Made) -> None:
    verdict = chain.verify(made.path, made.head[:12])
    assert not verdict.ok
    assert "give all 64 digits" in verdict.problem


def test_damaged_files_are_found_at_the_start_or_lose_nothing(tmp_path: Path) -> None:
    outcomes = tampered_files.damage(tmp_path, 132, seed=1)
    assert outcomes.failures == []
    assert outcomes.count(FOUND, "WAL missing") == 6
    assert outcomes.count(FOUND, "WAL truncated") == 6
    assert outcomes.count(FOUND, "file missing") == 6
    assert outcomes.count(HARMLESS, "-shm missing") == 6


def test_a_start_on_an_untouched_folder_finds_nothing(tmp_path: Path) -> None:
    past = tampered_files.past(tmp_path, Random(1))
    for origin in (past.young, past.crashed, past.failed, past.foreign):
        copy = Path(shutil.copytree(origin, tmp_path / "copy"))
        assert tampered_files.start(copy, origin) == HARMLESS
        shutil.rmtree(copy)


def test_what_a_person_gave_up_is_gone_on_without_once(tmp_path: Path) -> None:
    past = tampered_files.past(tmp_path, Random(1))
    folder, wal = past.crashed, past.crashed / f"{NAME}-wal"
    wal.unlink()
    with pytest.raises(DatabaseError, match=r"which was stored, is not in it.*keep what is left of it as"):
        asyncio.run(tampered_files.read_all(folder))
    (folder / NAME).replace(folder / f"{NAME}.broken-1")
    asyncio.run(tampered_files.read_all(folder))
    assert chain.verify(folder / NAME).ok
    assert [path.name for path in folder.glob(f"{NAME}.*")] == [f"{NAME}.before-run-4-1"]
    (folder / NAME).unlink()
    with pytest.raises(DatabaseError, match="missing, though runs were kept there"):
        asyncio.run(tampered_files.read_all(folder))


def test_an_emergency_file_that_is_gone_is_missed_until_a_person_gives_it_up(tmp_path: Path) -> None:
    folder = tampered_files.past(tmp_path, Random(1)).failed
    (folder / "journal.emergency").rename(tmp_path / "kept")
    with pytest.raises(DatabaseError, match="missing or of an earlier time, and the last run had no end"):
        asyncio.run(tampered_files.read_all(folder))
    (tmp_path / "kept").rename(folder / "journal.emergency.broken-1")
    asyncio.run(tampered_files.read_all(folder))
    assert (folder / "journal.emergency.before-run-5-1").exists()
    assert chain.verify(folder / NAME).ok


def test_damage_in_the_midst_of_the_emergency_file_is_no_torn_end(tmp_path: Path) -> None:
    folder = tampered_files.past(tmp_path, Random(1)).failed
    path = folder / "journal.emergency"
    content = bytearray(path.read_bytes())
    content[80] ^= 1
    path.write_bytes(content)
    with pytest.raises(DatabaseError, match="damaged in its midst"):
        asyncio.run(tampered_files.read_all(folder))
