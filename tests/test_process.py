"""The program as a process: how it ends, what it leaves behind, and what it says when it cannot run."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from runtime.disk import chain
from runtime.disk.chain import CLOSED, SEALED
from runtime.disk.reading import reading

ROOT = Path(__file__).parent.parent
DEMO = "examples/demo.toml"
PROGRAM = [sys.executable, "-c", "from actors.commands import main; main()"]
SHORT = ('gateway.kiwoom.twin.begin="08:59"', 'gateway.kiwoom.twin.finish="09:00:20"', "gateway.kiwoom.twin.issues=3")
LONG = ('gateway.kiwoom.twin.begin="08:59"', "gateway.kiwoom.twin.issues=3", "gateway.kiwoom.twin.speed=30.0")
REFUSED_LOGIN = 'gateway.kiwoom.twin.faults=[{ kind = "disconnect", record = "login", seconds = 60.0 }]'

HANGS = 120.0
"""Seconds after which even a machine that is busy with other things would be done."""

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals"),
    pytest.mark.timeout(3 * HANGS),
]


def arguments(data: Path, *overrides: str, config: object = DEMO) -> list[str]:
    settings = (f"system.data={data}", "system.fresh=false", *overrides)
    return ["run", "--json", str(config), *(part for setting in settings for part in ("--set", setting))]


def command(*given: object) -> subprocess.CompletedProcess[str]:
    program = [*PROGRAM, *map(str, given)]
    return subprocess.run(program, cwd=ROOT, capture_output=True, encoding="utf-8", check=False, timeout=HANGS)


def run(data: Path, *overrides: str, config: object = DEMO) -> subprocess.CompletedProcess[str]:
    return command(*arguments(data, *overrides, config=config))


def refusal(done: subprocess.CompletedProcess[str], code: int) -> str:
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("kiwoom-actors: ")
    return line


def started(data: Path, *overrides: str) -> subprocess.Popen[str]:
    program = [*PROGRAM, *arguments(data, *overrides)]
    process = subprocess.Popen(
        program, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", start_new_session=True
    )
    assert process.stderr is not None
    assert any("started" in line for line in process.stderr), "it ended before it started"
    return process


def records(data: Path) -> list[str]:
    with closing(reading(data / "journal.sqlite")) as connection:
        return [kind for (kind,) in connection.execute("SELECT type FROM record ORDER BY number")]


def summary_of(data: Path, number: int = 1) -> dict[str, Any]:
    return json.loads((data / "runs" / f"{number:05d}" / "summary.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_stops_everything_in_order(number: signal.Signals, tmp_path: Path) -> None:
    process = started(tmp_path, *LONG)

    process.send_signal(number)
    said, errors = process.communicate(timeout=HANGS)

    assert process.returncode == 0, errors
    assert json.loads(said) == summary_of(tmp_path), "one line of JSON and nothing else"
    assert (tmp_path / "runs" / "00001" / "report.html").stat().st_size > 1_000
    assert chain.verify(tmp_path / "journal.sqlite").ok
    assert records(tmp_path)[-1] == CLOSED


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    process = started(tmp_path, *LONG)

    process.send_signal(signal.SIGSTOP)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGCONT)
    process.communicate(timeout=HANGS)

    assert process.returncode == 1
    assert chain.verify(tmp_path / "journal.sqlite").ok


def test_a_killed_run_is_sealed_by_the_next_and_its_folder_was_locked(tmp_path: Path) -> None:
    process = started(tmp_path, *LONG)
    second = run(tmp_path, *SHORT)
    process.kill()
    process.communicate(timeout=HANGS)

    assert f"in use by process {process.pid}" in refusal(second, 1)
    after = run(tmp_path, *SHORT)
    assert after.returncode == 0, after.stderr
    assert json.loads(after.stdout) == summary_of(tmp_path, 2)
    assert [kind for kind in records(tmp_path) if kind in (SEALED, CLOSED)] == [SEALED, CLOSED]
    assert command("audit", "verify", tmp_path).returncode == 0


def test_a_login_that_is_refused_ends_the_run_in_one_line(tmp_path: Path) -> None:
    assert "login failed: -106" in refusal(run(tmp_path, *SHORT, REFUSED_LOGIN), 5)


@pytest.mark.parametrize("content", [b"", bytes(range(256)) * 400], ids=["empty", "garbage"])
def test_a_broken_journal_is_never_started_over(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite").write_bytes(content)

    line = refusal(run(tmp_path, *SHORT), 1)

    assert "journal.sqlite" in line
    assert "move it aside or bring back a copy" in line
    assert (tmp_path / "journal.sqlite").read_bytes() == content


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")

    assert "file" in refusal(run(tmp_path / "file" / "data", *SHORT), 1)


def test_a_strategy_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    demo = (ROOT / DEMO).read_text(encoding="utf-8")
    config = tmp_path / "broken.toml"
    config.write_text(f'{demo}\n[actor.mine]\nuse = "broken_strategy:Mine"\n', encoding="utf-8")
    (tmp_path / "broken_strategy.py").write_text("class Mine(:\n    pass\n", encoding="utf-8")

    line = refusal(run(tmp_path / "data", *SHORT, config=config), 2)

    assert "[actor.mine] use: broken_strategy cannot be imported: SyntaxError" in line
    assert not (tmp_path / "data").exists()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = os.geteuid() == 0 and not subprocess.call(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)], stderr=subprocess.DEVNULL
    )
    if not mounted:
        pytest.skip("mounting a small file system needs root")
    yield place
    subprocess.call(["umount", "-l", str(place)])


def test_a_full_disk_stops_the_run_and_leaves_the_journal_whole(small_disk: Path) -> None:
    done = run(small_disk / "data", 'gateway.kiwoom.twin.begin="08:59"', 'gateway.kiwoom.twin.finish="09:20"')

    assert done.returncode in (1, 4), done.stderr
    assert "Traceback" not in done.stderr
    assert "disk is full; make room on the disk and start again" in done.stderr
    assert json.loads(done.stdout)["stopped"].startswith("the journal failed")
    subprocess.check_call(["mount", "-o", "remount,size=64m", str(small_disk)])
    assert run(small_disk / "data", *SHORT).returncode == 0
    assert command("audit", "verify", small_disk / "data").returncode == 0
