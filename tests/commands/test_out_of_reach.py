"""Verbs over a folder nobody may look into, or a port that is none, are refused in one line."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from typer.testing import CliRunner

from actors.commands import app
from tests.runtime.limits import another_user


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


def test_a_port_that_is_none_is_refused() -> None:
    result = CliRunner().invoke(app, ["exchange", "--port", "70000"])

    assert result.exit_code == 2
    assert "65535" in result.stderr
