"""An alarm reaches its person, also when it is the last thing a process says."""

import gc
import sys
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from messages import RunStarted
from runtime.actor import Actor, handles
from runtime.life import alarm
from runtime.loops.loop import new_loop, run
from runtime.settings.config import load
from runtime.system import System

HERE = "tests.runtime.life.test_alarm"
TELL = "import pathlib, sys, time; time.sleep(0.05); pathlib.Path(sys.argv[1]).write_text(sys.argv[2], 'utf-8')"


class Failing(Actor, core=True):
    """Ends the run as soon as it begins."""

    @handles
    def on_run(self, _: RunStarted) -> None:
        raise RuntimeError("broken")


class Log:
    """Keeps what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def error(self, _event: str, **fields: object) -> None:
        self.lines.append(str(fields["error"]))


def told(path: Path) -> str:
    """What a person reads, sooner or later."""
    until = monotonic() + 30.0
    while monotonic() < until:
        if path.exists() and (text := path.read_text(encoding="utf-8")):
            return text
        sleep(0.01)
    return ""


def test_the_last_alarm_of_a_run_outlives_it(tmp_path: Path) -> None:
    said, config = tmp_path / "said", tmp_path / "test.toml"
    command = [sys.executable, "-c", TELL, str(said)]
    config.write_text(
        f"[system]\ndata = '{tmp_path / 'data'}'\nalarm = {command}\n[actor.core]\nuse = '{HERE}:Failing'\n", "utf-8"
    )

    assert run(System(load(config)).run, new_loop("asyncio")) == 4
    gc.collect()
    words = told(said)
    assert "RuntimeError: broken" in words
    assert "{" not in words
    assert "its_time" not in words


def test_whatever_is_to_be_said_is_said(tmp_path: Path) -> None:
    log: Any = Log()
    text = "half \udcff a character, \0 and much " + "x" * 300_000
    run(lambda: alarm.sound((sys.executable, "-c", TELL, str(tmp_path / "said")), text, log), new_loop("asyncio"))

    assert log.lines == []
    assert told(tmp_path / "said").startswith("half ? a character,   and much xxx")


def test_a_command_that_is_not_there_or_never_ends_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm, "SECONDS", 0.1)
    log: Any = Log()
    for command in ((str(tmp_path / "none"),), (sys.executable, "-c", "import time; time.sleep(1)")):
        run(lambda command=command: alarm.sound(command, "text", log), new_loop("asyncio"))

    assert [line.split(" ")[0] for line in log.lines] == ["[WinError" if sys.platform == "win32" else "[Errno", "it"]
