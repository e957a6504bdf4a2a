"""The disk refuses, with a small budget: no record is lost, nobody enters blind, and exits go on."""

import shutil
import sys
from collections.abc import Generator
from pathlib import Path

import pytest
import structlog

from actors.campaigns.disk import io_faults, real_faults
from actors.campaigns.disk.io_faults import BLIND_ENTRY, EXIT_REFUSED, KEPT, LOST, command, judge, process
from actors.campaigns.disk.orders_at_risk import BLIND, ENTRY, EXIT, FILL, NO_EXIT

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
