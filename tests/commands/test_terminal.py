"""A terminal that closes ends a run in order, and nobody is left to read its summary."""

import os
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from runtime.disk import chain
from runtime.disk.journal import NAME

if sys.platform == "win32":
    pytest.skip("POSIX terminals", allow_module_level=True)

import pty

ROOT = Path(__file__).parent.parent.parent
SETTINGS = ('gateway.kiwoom.twin.begin="08:59"', "gateway.kiwoom.twin.issues=3", "gateway.kiwoom.twin.speed=30.0")


def on_a_terminal(data: Path, until: bytes) -> int:
    """The exit code of a run whose terminal closes once it has said this."""
    settings = (f"system.data={data}", "system.fresh=false", *SETTINGS)
    words = ["run", "examples/demo.toml", *(word for setting in settings for word in ("--set", setting))]
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(ROOT)
        os.execv(sys.executable, [sys.executable, "-c", "from actors.commands import main; main()", *words])  # noqa: S606
    said = b""
    with suppress(OSError):
        while until not in said:
            said += os.read(terminal, 65_536)
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def test_a_terminal_that_closes_stops_the_run_in_order(tmp_path: Path) -> None:
    assert on_a_terminal(tmp_path, b"equity") == 0
    assert chain.verify(tmp_path / NAME).ok
    assert [entry.type for entry in chain.entries(tmp_path / NAME)][-1] == chain.CLOSED
    assert (tmp_path / "runs" / "00001" / "summary.json").exists()
