"""Verbs over a folder nobody may look into, or a port that is none, are refused in one line."""

import contextlib
import sqlite3
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from typer.testing import CliRunner

from actors.commands import app
from tests.runtime.disk.limits import another_user


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX users")
@pytest.mark.parametrize("verb", [("halt",), ("resume",), ("status",), ("audit", "quarantine"), ("audit", "verify")])
def test_a_folder_that_may_not_be_looked_into_is_one_line(verb: tuple[str, ...]) -> None:
    with TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        CliRunner().invoke(app, [*verb, str(data)])  # what it imports late the other user may not read
        data.chmod(0o000)
        Path(folder).chmod(0o000)
        with another_user():
            result = CliRunner().invoke(app, [*verb, str(data)])
        Path(folder).chmod(0o755)

    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), result.exception
    said = result.stderr or result.stdout
    assert f"{data}" in said
    assert "ermission denied" in said


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX users")
@pytest.mark.parametrize(
    ("verb", "options", "name"),
    [
        (("audit", "verify"), (), "journal.sqlite"),
        (("why", "1", "--data"), (), "journal.sqlite"),
        (("history", "list"), (), "market.sqlite"),
        (("history", "verify"), (), "market.sqlite"),
        (("history", "export"), ("--to", "out.csv"), "market.sqlite"),
    ],
    ids=["audit", "why", "list", "verify", "export"],
)
@pytest.mark.parametrize("closed", ["file", "folder"])
def test_a_file_that_may_not_be_read_is_one_line(
    closed: str, verb: tuple[str, ...], options: tuple[str, ...], name: str
) -> None:
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        data = Path(folder) / "data"
        data.mkdir()
        with contextlib.closing(sqlite3.connect(data / name)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        CliRunner().invoke(app, [*verb, str(data), *options])
        (data / name if closed == "file" else data).chmod(0o000)
        with another_user():
            result = CliRunner().invoke(app, [*verb, str(data), *options])
        data.chmod(0o755)

    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.stderr.count("\n") == 1
    assert str(data) in result.stderr


@pytest.mark.parametrize(
    "verb",
    [("list",), ("verify",), ("prune", "--before", "2026-01-01"), ("export", "--to", "out.csv")],
    ids=lambda words: words[0],
)
def test_a_place_without_a_store_is_named_once(verb: tuple[str, ...], tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["history", *verb, str(tmp_path)])

    assert result.exit_code == 1
    assert result.stderr == f"kiwoom-actors: {tmp_path / 'market.sqlite'}: no such file\n"


def test_a_folder_that_cannot_be_made_fails_no_seed(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = CliRunner().invoke(app, ["swarm", "--seeds", "1", "--data", str(tmp_path / "file" / "data")])

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"kiwoom-actors: {tmp_path / 'file'}")
    assert result.stderr.count("\n") == 1


def test_a_port_that_is_none_is_refused() -> None:
    result = CliRunner().invoke(app, ["exchange", "--port", "70000"])

    assert result.exit_code == 2
    assert "65535" in result.stderr


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ('{"isues": 4}', "unknown field `isues`"),
        ("issues=4", "malformed"),
        ('{"date": "2026-11-22"}', "no trading day; the next one is 2026-11-23"),
        ('{"speed": 20}', "speed is none of the exchange's; say it with --speed"),
        ('{"load_box": true}', "load_box is none of the exchange's; say it in the `twin` of the config"),
    ],
)
def test_settings_an_exchange_does_not_know_are_refused_by_their_option(settings: str, why: str) -> None:
    result = CliRunner().invoke(app, ["exchange", "--twin", settings])

    assert result.exit_code == 2
    assert result.stderr.startswith("kiwoom-actors: --twin: ")
    assert why in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("verb", ["halt", "resume"])
def test_nobody_waits_for_less_than_no_time(verb: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, [verb, str(tmp_path), "--seconds", "-1"])

    assert result.exit_code == 2
    assert "--seconds" in result.stderr
    assert list(tmp_path.iterdir()) == []
