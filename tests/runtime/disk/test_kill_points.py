"""The journal's process is killed at every named point: what it had called durable is there at the next start."""

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.clock import WallClock
from runtime.disk import faultpoints, journal
from runtime.disk.chain import envelopes, verify

ROOT = Path(__file__).parents[3]
FAMILIES = ("database:", "emergency:", "journal:")
POINTS = [name for name in faultpoints.POINTS if name.startswith(FAMILIES)]
ONCE = ("database: file", "database: migration", "emergency: file")
"""Passed once in the life of a folder."""
SEEDS = int(os.environ.get("KIWOOM_ACTORS_KILL_SEEDS", "1"))

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


def lives(folder: Path, point: str, passes: int) -> tuple[int, list[int]]:
    """The exit code of a process that dies at a point, and the numbers it had called durable."""
    command = [sys.executable, "-m", "tests.runtime.disk.journal_lives", str(folder)]
    environment = os.environ | {faultpoints.VARIABLE: f"{point}:{passes}"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, [int(line) for line in done.stdout.split()]


async def start(folder: Path) -> tuple[int, str]:
    async with journal.Journal(folder, clock=WallClock(), reserve=8192) as opened:
        pass
    return opened.run, opened.head[1]


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_any_point_loses_nothing_that_was_durable(point: str, seed: int, tmp_path: Path) -> None:
    rng = random.Random(f"{point}:{seed}")
    promised: list[int] = []
    for crash in range(1 if point.startswith(ONCE) else 1 + seed % 3):
        code, said = lives(tmp_path, point, 1 if crash or point.startswith(ONCE) else rng.randint(1, 2))
        assert code == -9, f"{point} was not passed"
        promised += said
    run, head = asyncio.run(start(tmp_path))
    verdict = verify(tmp_path / journal.NAME, head)
    assert verdict.ok, verdict.problem
    found = [envelope.number for envelope in envelopes(tmp_path / journal.NAME)]
    assert set(promised) <= set(found)
    assert found == sorted(set(found))
    assert run > max((number >> 40 for number in promised), default=0)
