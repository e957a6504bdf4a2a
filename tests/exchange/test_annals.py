"""The exchange's own record: whole lines, whatever the disk and a kill do."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from actors.exchange import annals
from actors.exchange.annals import Annals, Note


@contextmanager
def disk_full_at(size: int) -> Generator[None]:
    """No file of this process grows beyond so many bytes; Python ignores the signal that comes with it."""
    resource = pytest.importorskip("resource", reason="limits of file sizes are POSIX")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def texts(path: Path) -> list[str]:
    return [entry.text for entry in annals.read(path) if isinstance(entry, Note)]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of file sizes are POSIX")
def test_a_line_that_fits_the_disk_in_part_is_an_error_at_once_and_whole_once_there_is_room(tmp_path: Path) -> None:
    path = tmp_path / "exchange.jsonl"
    with Annals(path) as kept:
        kept.note(1, "before")
        with disk_full_at(path.stat().st_size + 20), pytest.raises(OSError, match="too large"):
            kept.note(2, "does not fit")
        kept.note(3, "after")
    assert texts(path) == ["before", "does not fit", "after"]


def test_a_line_cut_by_a_kill_is_left_out_by_a_reader_and_by_the_next_exchange(tmp_path: Path) -> None:
    path = tmp_path / "exchange.jsonl"
    with Annals(path) as kept:
        kept.note(1, "whole")
        kept.note(2, "cut off")
    path.write_bytes(path.read_bytes()[:-5])
    assert texts(path) == ["whole"]
    with Annals(path) as kept:
        kept.note(3, "another day")
    assert texts(path) == ["whole", "another day"]
