"""Each fresh run has a folder of its own; commands find the newest."""

from pathlib import Path

from runtime.disk.folders import current, fresh, held
from runtime.disk.journal import NAME
from runtime.process.locks import folder_lock


def test_fresh_folders_are_numbered_and_never_used_twice(tmp_path: Path) -> None:
    assert fresh(tmp_path / "none").name == "00001"
    (tmp_path / "00009").mkdir()
    (tmp_path / "notes").mkdir()
    assert fresh(tmp_path).name == "00010"


def test_the_current_folder_is_the_newest_with_a_journal(tmp_path: Path) -> None:
    for name in ("00001", "00002", "00003"):
        (tmp_path / name).mkdir()
    (tmp_path / "00001" / NAME).touch()
    (tmp_path / "00002" / NAME).touch()
    assert current(tmp_path) == tmp_path / "00002"
    (tmp_path / NAME).touch()
    assert current(tmp_path) == tmp_path


def test_a_folder_without_runs_is_its_own(tmp_path: Path) -> None:
    assert current(tmp_path / "none") == tmp_path / "none"


def test_whatever_run_goes_on_is_found_though_a_newer_one_has_ended(tmp_path: Path) -> None:
    for name in ("00001", "00002", "00003"):
        (tmp_path / name).mkdir()
        (tmp_path / name / NAME).touch()

    assert held(tmp_path) == []
    with folder_lock(tmp_path / "00001"):
        assert held(tmp_path) == [tmp_path / "00001"]
        with folder_lock(tmp_path / "00002"), folder_lock(tmp_path):
            assert held(tmp_path) == [tmp_path, tmp_path / "00001", tmp_path / "00002"]
