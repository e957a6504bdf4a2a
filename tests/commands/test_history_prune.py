import datetime as dt
import multiprocessing
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from actors.commands.history import history
from actors.commands.history_prune import prune
from actors.market.storage import store
from actors.market.storage.history import History
from actors.market.time import at
from runtime.disk.errors import DatabaseBroken
from runtime.process.locks import AlreadyRunning, folder_lock
from tests.market.market_data import CODE, NINE, bar, book, tick
from tests.market.storage import writing

DAY = 86_400.0
SECOND_DAY = dt.date(2025, 9, 3)
MIDNIGHT = at(SECOND_DAY)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ticks and books of two days, half of each still loose, a bar of a second in each, and one of a minute."""
    with closing(sqlite3.connect(tmp_path / store.FILE, isolation_level=None)) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.executescript("CREATE TABLE meta (schema_version INTEGER NOT NULL); INSERT INTO meta VALUES (0)")
        for version, script in enumerate(store.MIGRATIONS, 1):
            made.executescript(f"{script}; UPDATE meta SET schema_version = {version}")  # noqa: S608
        for day in range(2):
            number = store.OWN_NUMBERS + day * 10_000
            seconds = [day * DAY + place / 10 for place in range(4_000)]
            writing.write_ticks(made, enumerate((tick(second, 100) for second in seconds[:2_000]), number))
            writing.write_books(made, enumerate((book(second, [(101, 1)], [(100, 1)]) for second in seconds), number))
            if not day:
                store.pack_some(made)
            writing.write_ticks(made, enumerate((tick(second, 100) for second in seconds[2_000:]), number + 5_000))
        minute, later = bar(0, 1, 2, 1, 2), bar(1_440, 1, 2, 1, 2)
        store.write_bars(made, [minute, replace(minute, interval=1), replace(later, interval=1)])
    return tmp_path


def run(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(history, [*map(str, arguments)])
    return done.exit_code, done.stdout, done.stderr


def test_old_ticks_and_books_go_and_the_file_gets_smaller(folder: Path) -> None:
    before = (folder / store.FILE).stat().st_size

    code, said, _ = run("prune", folder, "--before", SECOND_DAY)

    after = (folder / store.FILE).stat().st_size
    assert code == 0
    assert said.splitlines() == [
        "4,000 ticks, 4,000 books and 0 indications of before 2025-09-03 are gone",
        "1 bars shorter than a minute went with the ticks",
        f"{(before - after) / 1e6:,.1f} MB freed, {after / 1e6:,.1f} MB left",
    ]
    assert after < before / 10
    with History(folder) as stored:
        *bars, books, ticks = stored.contents()
        assert [(c.kind, c.count) for c in (books, ticks)] == [("books", 4_000), ("ticks", 4_000)]
        assert [(c.interval, c.first) for c in bars] == [(1, NINE + 86_400 * 10**9), (60, NINE)]
        assert stored.ticks(CODE)["received"].min() == NINE + 86_400 * 10**9


def test_books_may_go_alone(folder: Path) -> None:
    pruned = prune(folder, SECOND_DAY, books_only=True)

    assert (pruned.ticks, pruned.books) == (0, 4_000)
    with History(folder) as stored:
        assert (len(stored.ticks(CODE)), len(stored.books(CODE))) == (8_000, 4_000)


def test_doing_it_again_takes_nothing_more(folder: Path) -> None:
    prune(folder, SECOND_DAY)

    again = prune(folder, SECOND_DAY)

    assert (again.ticks, again.books) == (0, 0)


def test_a_folder_in_use_is_left_alone(folder: Path) -> None:
    before = (folder / store.FILE).read_bytes()
    with folder_lock(folder):
        code, _, said = run("prune", folder, "--before", SECOND_DAY)
        with pytest.raises(AlreadyRunning):
            prune(folder, SECOND_DAY)

    assert (code, "in use" in said) == (1, True)
    assert (folder / store.FILE).read_bytes() == before


def test_what_is_no_store_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DatabaseBroken, match="no such file"):
        prune(tmp_path, SECOND_DAY)
    (tmp_path / store.FILE).write_text("no database", encoding="utf-8")
    code, _, said = run("prune", tmp_path, "--before", SECOND_DAY)
    assert (code, len(said.splitlines())) == (1, 1)
    assert run("prune", tmp_path, "--before", "soon")[0] == 2


@pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")
def test_a_kill_in_the_middle_leaves_a_whole_store_and_the_rest_for_the_next_time(folder: Path, tmp_path: Path) -> None:
    for place, delay in enumerate((0.01, 0.03, 0.05, 0.08, 0.12, 0.2)):
        copy = tmp_path / f"{place}"
        copy.mkdir()
        shutil.copy(folder / store.FILE, copy)
        process = multiprocessing.get_context("fork").Process(target=prune, args=(copy, SECOND_DAY))
        process.start()
        process.join(delay)
        process.kill()
        process.join()

        with History(copy) as stored:
            received = stored.ticks(CODE)["received"]
            assert (received >= MIDNIGHT).sum() == len(stored.books(CODE, MIDNIGHT)) == 4_000
            assert len(np.unique(received)) == len(received) <= 8_000
        assert prune(copy, SECOND_DAY).freed >= 0
        with closing(sqlite3.connect(copy / store.FILE)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("SELECT kind, sum(count) FROM blocks GROUP BY 1").fetchall() == [
                ("books", 4_000),
                ("ticks", 4_000),
            ]
