"""A sped-up day is decided by its seed, not by the machine it runs on."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from runtime.disk import faultpoints

ROOT = Path(__file__).parent.parent
PROGRAM = """
import random, sys, time
from runtime.disk import faultpoints

longest = float(sys.argv.pop(1))
draw = random.Random(longest)

def dawdle(name):
    if name == "journal: group stored, not marked":
        time.sleep(draw.uniform(0.0, longest))

faultpoints.listen(dawdle)
from actors.commands import main
main()
"""
SETTINGS = (
    'gateway.kiwoom.twin.begin="10:00:00"',
    'gateway.kiwoom.twin.finish="10:02:30"',
    "gateway.kiwoom.twin.issues=3",
)
RESTLESS = """
[actor.churn]
use = "actors.campaigns.chaos.churn:Churn"
calm = 4.0
"""


def day(data: Path, disk: float) -> list[tuple[Any, ...]]:
    """What a day left in the journal, on a disk that takes up to so many seconds longer."""
    config = data.with_suffix(".toml")
    config.write_text((ROOT / "examples/demo.toml").read_text(encoding="utf-8") + RESTLESS, encoding="utf-8")
    settings = [part for setting in (*SETTINGS, f"system.data={data}") for part in ("--set", setting)]
    words = [sys.executable, "-c", PROGRAM, str(disk), "run", "--json", str(config), *settings]
    environment = os.environ | {faultpoints.VARIABLE: faultpoints.EVERY}
    done = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    (journal,) = data.rglob("journal.sqlite")
    with closing(sqlite3.connect(journal)) as connection:
        found = connection.execute(
            "SELECT number, time, source, cause, type, body FROM record WHERE type NOT IN ('RunStarted', 'closed')"
        )
        return found.fetchall()


def test_a_slow_disk_changes_nothing_about_a_sped_up_day(tmp_path: Path) -> None:
    fast, slow = day(tmp_path / "fast", 0.0), day(tmp_path / "slow", 0.03)

    assert sum(record[4] == "OrderFilled" for record in fast) > 5
    assert fast == slow
