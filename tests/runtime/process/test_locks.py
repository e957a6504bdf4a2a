import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runtime.process.locks import AlreadyRunning, folder_lock, is_held, name_lock

HOLD = "import sys; from pathlib import Path; from runtime.process.locks import folder_lock\nwith folder_lock(Path(sys.argv[1])):\n print('held', flush=True); sys.stdin.read()"  # noqa: E501


def test_a_second_process_is_refused_by_the_first_ones_number_and_let_in_after_its_death(tmp_path: Path) -> None:
    first = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with first:
        assert first.stdout is not None
        assert first.stdout.readline().strip() == b"held"
        assert is_held(tmp_path)
        with pytest.raises(AlreadyRunning, match=str(first.pid)), folder_lock(tmp_path):
            pass
        first.kill()
    assert not is_held(tmp_path)
    with folder_lock(tmp_path):
        assert is_held(tmp_path)


def test_a_name_lock_excludes_the_same_names_only_and_shows_none(tmp_path: Path) -> None:
    with name_lock("the mock account", "mock", "8012345611", folder=tmp_path):
        with name_lock("the real account", "real", "8012345611", folder=tmp_path):
            pass
        same = name_lock("the mock account", "mock", "8012345611", folder=tmp_path)
        with pytest.raises(AlreadyRunning, match=f"the mock account is in use by process {os.getpid()}"), same:
            pass
    assert not any("80123456" in file.name or b"80123456" in file.read_bytes() for file in tmp_path.iterdir())


def test_asking_makes_no_lock(tmp_path: Path) -> None:
    assert not is_held(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_who_looks_at_the_same_instant_is_not_taken_for_a_system_that_runs(tmp_path: Path) -> None:
    fcntl: Any = pytest.importorskip("fcntl")
    path = tmp_path / "lock"
    path.write_text("1", encoding="ascii")

    with path.open("rb") as looked_at:
        fcntl.flock(looked_at.fileno(), fcntl.LOCK_SH)
        assert not is_held(tmp_path)
        fcntl.flock(looked_at.fileno(), fcntl.LOCK_EX)
        assert is_held(tmp_path)
