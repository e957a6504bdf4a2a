"""Whatever a trader writes at the end of its day goes to a folder that pytest clears away."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def work_in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
