"""A person sets a broken journal aside, and the next start goes on."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from runtime.cli import app
from runtime.clock import WallClock
from runtime.disk.chain import verify
from runtime.disk.errors import DatabaseBroken
from runtime.disk.journal import NAME, Journal
from runtime.process.locks import folder_lock


async def start(folder: Path) -> int:
    async with Journal(folder, clock=WallClock(), reserve=4096) as journal:
        return journal.run


def test_a_broken_journal_is_set_aside_by_a_person_and_the_numbers_go_on(tmp_path: Path) -> None:
    assert [asyncio.run(start(tmp_path)) for _ in range(2)] == [1, 2]
    (tmp_path / NAME).write_bytes(b"broken" * 1000)
    for _ in range(2):
        with pytest.raises(DatabaseBroken, match=r"journal.*`audit quarantine`"):
            asyncio.run(start(tmp_path))
    with folder_lock(tmp_path):
        assert CliRunner().invoke(app, ["audit", "quarantine", str(tmp_path)]).exit_code == 1
    done = CliRunner().invoke(app, ["audit", "quarantine", str(tmp_path)])
    assert done.exit_code == 0
    assert "set aside" in done.output
    assert asyncio.run(start(tmp_path)) == 3
    assert verify(tmp_path / NAME).ok
    (aside,) = tmp_path.glob(f"{NAME}.before-run-3-*")
    assert aside.read_bytes() == b"broken" * 1000
    assert CliRunner().invoke(app, ["audit", "quarantine", str(tmp_path / "no")]).exit_code == 1
