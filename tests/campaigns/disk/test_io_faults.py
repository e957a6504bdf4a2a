"""The disk refuses, with a small budget: no record is lost, nobody enters blind, and exits go on."""

import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog
import typer

from actors.campaigns.disk import io_faults, real_faults
from actors.campaigns.disk.aftermath import BLIND_ENTRY, EXIT_REFUSED, KEPT, LOST, command, judge, process
from actors.campaigns.disk.orders_at_risk import BLIND, ENTRY, EXIT, FILL, NO_EXIT
from actors.campaigns.outcomes import Outcomes

posix = pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")


@pytest.fixture(autouse=True)
def _quiet() -> Generator[None]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.reset_defaults()


def test_a_refusal_at_any_piece_of_work_loses_nothing(tmp_path: Path) -> None:
    outcomes = io_faults.simulated(tmp_path, 1, step=9)
    assert outcomes.failures == []
    assert outcomes.count(KEPT) > 40


@posix
def test_files_that_may_not_grow_lose_nothing(tmp_path: Path) -> None:
    outcomes = io_faults.small_files(tmp_path, 3, 1)
    assert outcomes.failures == []
    assert outcomes.count(KEPT) > 0


@posix
def test_a_disk_that_fills_up_loses_nothing(tmp_path: Path) -> None:
    with real_faults.disk_of(tmp_path / "disk", 4) as mounted:
        if not mounted:
            pytest.skip("mounting a small file system needs root")
        outcomes = io_faults.small_disk(tmp_path / "disk", 3, 1)
    assert outcomes.failures == []


def test_what_this_user_may_not_try_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def no_disk(_folder: Path, _mebibytes: int) -> Generator[bool]:
        yield False

    def nothing(*_: object, **__: object) -> Outcomes:
        return Outcomes((KEPT,))

    for name in ("simulated", "small_files"):
        monkeypatch.setattr(io_faults, name, nothing)
    monkeypatch.setattr(real_faults, "locked", nothing)
    monkeypatch.setattr(real_faults, "disk_of", no_disk)
    monkeypatch.setattr(real_faults, "traceable", lambda: False)

    with pytest.raises(typer.Exit):
        io_faults.main(points=7, data=tmp_path)

    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("not tried: ")]
    assert said[0] == "not tried: a disk full at 7 points: mounting a small file system needs root"
    assert said[1].startswith("not tried: calls to the system that fail")


def test_the_judge_sees_what_it_looks_for(tmp_path: Path) -> None:
    ran = process(command(tmp_path / "data", 1, orders=4))
    assert {kind for kind, _ in ran.done} <= {ENTRY, EXIT, FILL}
    missing = ran.done[-1][1] + 1
    for said, ending in (
        ([], KEPT),
        ([(ENTRY, missing)], LOST),
        ([(FILL, missing)], LOST),
        ([(BLIND, missing)], BLIND_ENTRY),
        ([(NO_EXIT, missing)], EXIT_REFUSED),
    ):
        copy = Path(shutil.copytree(tmp_path / "data", tmp_path / "copy"))
        assert judge(copy, ran.done + said) == ending
        shutil.rmtree(copy)
