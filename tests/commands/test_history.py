import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from actors.market.storage.history import History
from messages import Symbol

ROOT = Path(__file__).parents[2]
TWIN = 'gateway.kiwoom.twin={begin="15:45",finish="15:46",issues=2,intensity=0.01,history=4}'


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-c", "from actors.commands import main; main()", *map(str, arguments)]
    return subprocess.run(program, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)


def collect(folder: Path, *overrides: str) -> dict[str, Any]:
    settings = [f"system.data={folder}", TWIN, 'actor.collector.symbols=["900010"]', *overrides]
    done = command("run", "--json", "examples/collect.toml", *(part for one in settings for part in ("--set", one)))
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return summary


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("collected")
    summary = collect(folder)
    assert (summary["symbols"], summary["missing"], summary["conflicts"]) == (1, 0, 0)
    assert summary["bars"] == 4 * 381 + 604
    return folder


def damaged(collected: Path, folder: Path, *statements: str) -> Path:
    copy = folder / "market.sqlite"
    with closing(sqlite3.connect(collected / "market.sqlite")) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
        for statement in statements:
            target.execute(statement)
        target.commit()
    return copy


def test_what_the_example_collects_is_listed_and_holds(collected: Path) -> None:
    listed = command("history", "list", collected)
    assert listed.returncode == 0
    assert "900010  1 min  2026-11-12 - 2026-11-17" in listed.stdout
    verified = command("history", "verify", collected)
    assert (verified.returncode, verified.stdout) == (0, "608 certificates of 2 charts hold\n")


def test_certificates_are_read_like_bars(collected: Path) -> None:
    with History(collected) as history:
        certificates = history.certificates(Symbol("900010"), 60)
        bars = history.bars(Symbol("900010"), 60)

    assert [made.day for made in certificates] == ["2026-11-12", "2026-11-13", "2026-11-16", "2026-11-17"]
    assert sum(made.present for made in certificates) == len(bars)


def test_a_second_run_asks_for_nothing(collected: Path) -> None:
    assert collect(collected)["pages"] == 0


@pytest.mark.parametrize(
    ("statement", "line"),
    [
        (
            "UPDATE bars SET low = low - 1 WHERE interval = 60 AND time = {time}",
            "are not those that were certified",
        ),
        ("DELETE FROM bars WHERE interval = 60 AND time = {time}", "present 380 instead of 381, idle 2 instead of 1"),
        ("DELETE FROM certificates WHERE interval = 60 AND day = '2026-11-17'", "but without a certificate"),
        ("UPDATE certificates SET missing = 1 WHERE interval = 60 AND day = '2026-11-17'", "missing 0 instead of 1"),
        ("DELETE FROM spans WHERE interval = 60", "no page covers that day"),
    ],
)
def test_damage_is_named_in_a_line(collected: Path, tmp_path: Path, statement: str, line: str) -> None:
    with closing(sqlite3.connect(collected / "market.sqlite")) as connection:
        (time,) = connection.execute("SELECT max(time) FROM bars WHERE interval = 60").fetchone()
    copy = damaged(collected, tmp_path, statement.format(time=time))
    done = command("history", "verify", copy)
    assert done.returncode == 1
    assert "900010 1 min 2026-11-17: " in done.stdout
    assert line in done.stdout


def test_where_nothing_was_collected_nothing_is_proved(tmp_path: Path) -> None:
    done = command("history", "verify", tmp_path)
    assert (done.returncode, "no such file" in done.stderr) == (1, True)


def test_other_lengths_of_bars_are_certified_too(tmp_path: Path) -> None:
    summary = collect(tmp_path, "actor.collector.minutes=[45]", "actor.collector.days=false")
    assert (summary["missing"], summary["conflicts"]) == (0, 0)
    assert summary["bars"] == 4 * 9
