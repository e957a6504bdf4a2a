"""`audit verify` as a person types it: what it proves, and one line where there is nothing to prove."""

import asyncio
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from typer.testing import CliRunner, Result

from actors.commands import app
from runtime.clock import WallClock
from runtime.disk.journal import NAME, Journal
from tests.runtime.disk.limits import another_user


async def run_once(folder: Path) -> str:
    async with Journal(folder, clock=WallClock(), reserve=4096) as journal:
        return journal.head[1]


def audit(*words: object) -> Result:
    return CliRunner().invoke(app, ["audit", "verify", *map(str, words)])


def test_a_journal_that_holds_says_how_more_could_be_proven(tmp_path: Path) -> None:
    head = asyncio.run(run_once(tmp_path))
    alone, held = audit(tmp_path), audit(tmp_path, "--head", head)

    assert (alone.exit_code, held.exit_code) == (0, 0)
    assert alone.stdout.startswith("2 records of 1 run, head ")
    assert alone.stdout.endswith("cannot be seen; give one with --head\n")
    assert "--head" not in held.stdout


@pytest.mark.parametrize("place", ["", "no/such/folder"])
def test_where_there_is_no_journal_one_line_says_so(tmp_path: Path, place: str) -> None:
    said = audit(tmp_path / place)

    assert said.exit_code == 1
    assert said.stdout == ""
    assert said.stderr == f"kiwoom-actors: {tmp_path / place / NAME}: no such file\n"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX users")
def test_a_journal_beside_which_nothing_may_be_written_is_proven_too() -> None:
    with TemporaryDirectory() as place:
        folder = Path(place) / "data"
        head = asyncio.run(run_once(folder))
        Path(place).chmod(0o755)
        folder.chmod(0o555)
        (folder / NAME).chmod(0o444)
        with another_user():
            held = audit(folder, "--head", head)
        (folder / NAME).chmod(0o644)
        (folder / NAME).write_bytes(b"broken" * 1000)
        with another_user():
            broken = audit(folder)
        folder.chmod(0o755)

    assert held.exit_code == 0, held.output
    assert held.stdout.startswith("2 records of 1 run, head ")
    assert broken.exit_code == 1
    assert f"{folder / NAME}: " in broken.output
