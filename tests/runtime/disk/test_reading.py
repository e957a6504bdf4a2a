import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from runtime.disk.errors import DatabaseBroken, DatabaseError
from runtime.disk.reading import reading
from tests.runtime.disk.limits import another_user

FILE = "a.sqlite"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX users")


@contextmanager
def left_behind(*, crashed: bool) -> Generator[Path]:
    """A file with two rows where nothing can be laid beside it; after a crash one of them is in its log alone."""
    with TemporaryDirectory() as made, TemporaryDirectory() as kept:
        with closing(sqlite3.connect(Path(made) / FILE, isolation_level=None)) as writer:
            writer.executescript("PRAGMA journal_mode = WAL; CREATE TABLE t (n); INSERT INTO t VALUES (1)")
            writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            writer.execute("INSERT INTO t VALUES (2)")
            if crashed:
                _copy(Path(made), Path(kept), FILE, f"{FILE}-wal")
        if not crashed:
            _copy(Path(made), Path(kept), FILE)
        Path(kept).chmod(0o555)
        try:
            yield Path(kept) / FILE
        finally:
            Path(kept).chmod(0o755)


def _copy(source: Path, target: Path, *names: str) -> None:
    for name in names:
        shutil.copyfile(source / name, target / name)
        (target / name).chmod(0o444)


@pytest.mark.parametrize("crashed", [False, True])
def test_a_disk_that_only_reads_gives_all_there_is_and_keeps_no_copy(
    *, crashed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with left_behind(crashed=crashed) as file, TemporaryDirectory() as room:
        Path(room).chmod(0o777)
        monkeypatch.setattr(tempfile, "tempdir", room)
        with another_user(), closing(reading(file)) as connection:
            found = connection.execute("SELECT n FROM t ORDER BY n").fetchall()
            copies = len(list(Path(room).iterdir()))
        assert list(Path(room).iterdir()) == []

    assert found == [(1,), (2,)]
    assert copies == crashed


def test_where_no_copy_fits_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with left_behind(crashed=True) as file:
        monkeypatch.setattr(tempfile, "tempdir", str(file.parent / "nowhere"))
        with another_user(), pytest.raises(DatabaseError, match=rf"{FILE}: no copy to be read can be made: .*; make"):
            reading(file)


def test_what_is_no_database_says_so_at_the_first_question(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"broken" * 1_000)

    with closing(reading(tmp_path / FILE)) as connection, pytest.raises(sqlite3.DatabaseError, match="not a database"):
        connection.execute("SELECT 1 FROM t")


def test_where_there_is_no_file_one_line_says_so(tmp_path: Path) -> None:
    with pytest.raises(DatabaseBroken, match=rf"{FILE}: no such file"):
        reading(tmp_path / FILE)
