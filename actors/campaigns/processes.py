"""The two processes of a chaos campaign: the exchange, which lives through a day, and the system, which does not."""

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, cast

import msgspec

from actors.exchange.client import RemoteExchange
from actors.exchange.wire import HOST
from runtime import logs
from runtime.disk import faultpoints

PROGRAM: Final = (sys.executable, "-c", "from actors.commands import main; main()")
_EXCHANGE: Final = (
    sys.executable,
    "-c",
    "import typer; from actors.commands.exchange import exchange; typer.run(exchange)",
)
_LOOK: Final = 0.005
"""Seconds between two looks at a log."""
_PATIENCE: Final = 5.0
"""Seconds a verb may take."""
_KILL: Final = getattr(signal, "SIGKILL", signal.SIGTERM)


class ProcessFailed(Exception):
    """A process of the campaign did not do what it is there for; one line."""


class ExchangeProcess:
    """`kiwoom-actors exchange` with a connection to ask it by, as long as this is entered."""

    def __init__(self, folder: Path, settings: Mapping[str, Any], speed: float) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / "exchange.log"
        arguments = ["--data", str(folder), "--speed", str(speed)]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - this very program
                [*_EXCHANGE, *arguments, "--twin", msgspec.json.encode(settings).decode()],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.address = ""
        self.client: RemoteExchange

    def __enter__(self) -> Self:
        try:
            self.address = self._wait_for_address()
            self.client = RemoteExchange(self.address)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
        self._end()

    def _end(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def _wait_for_address(self) -> str:
        until = time.monotonic() + 30
        while time.monotonic() < until and self._process.poll() is None:
            first, _, rest = self.log.read_text(encoding="utf-8").partition(" ")
            if rest and first.startswith(HOST):
                return first
            time.sleep(_LOOK)
        raise ProcessFailed(f"the exchange did not start: {self.log.read_text(encoding='utf-8').strip()}")


class Line(msgspec.Struct):
    """One line of the system's audit log, and when it was seen."""

    event: str
    seen: float = 0.0
    number: int = 0
    head: str = ""
    start: bool = False
    error: str = ""
    reason: str = ""


class Service:
    """`kiwoom-actors run` on a data folder, read by its audit log. Several in a row share the folder."""

    def __init__(
        self, config: Path, folder: Path, overrides: Sequence[str], *, fault: str = "", output: Path | None = None
    ) -> None:
        self._audit = folder / "logs" / logs.AUDIT
        self._at = self._audit.stat().st_size if self._audit.exists() else 0
        self._lines: deque[Line] = deque()
        self._rest = b""
        environment = {**os.environ, faultpoints.VARIABLE: fault} if fault else dict(os.environ)
        self.output = output or folder / "output.log"
        with self.output.open("ab") as log:
            self.began = time.monotonic()
            self.process = subprocess.Popen(  # noqa: S603 - this very program
                [*PROGRAM, "run", str(config), *(part for one in overrides for part in ("--set", one))],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    @property
    def code(self) -> int | None:
        """None while it runs; below 0 is the signal that killed it."""
        return self.process.poll()

    def until(self, true: Callable[[Line], bool], seconds: float) -> Line | None:
        """The next line for which it is so; None where the time is over or the process ended before."""
        deadline = time.monotonic() + seconds
        while True:
            ended = self.ended
            self._read()
            while self._lines:
                line = self._lines.popleft()
                if true(line):
                    return line
            if ended or time.monotonic() > deadline:
                return None
            time.sleep(_LOOK)

    def sleep(self, seconds: float) -> bool:
        """Let it run so long; whether it still does."""
        try:
            self.process.wait(max(seconds, 0))
        except subprocess.TimeoutExpired:
            return True
        return False

    def kill(self) -> None:
        """Like a cut of the power, as far as a process can feel one."""
        self.signal(_KILL)
        self.process.wait(30)

    def signal(self, number: int) -> None:
        if not self.ended:
            self.process.send_signal(number)

    def last_words(self) -> str:
        """The last line it printed."""
        printed = self.output.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return printed[-1] if printed else "nothing"

    def rest(self) -> list[Line]:
        """What its log said since it was last looked at."""
        self._read()
        lines, self._lines = list(self._lines), deque()
        return lines

    def _read(self) -> None:
        if not self._audit.exists():
            return
        with self._audit.open("rb") as file:
            file.seek(self._at)
            new = file.read()
        now = time.monotonic()
        self._at += len(new)
        *whole, self._rest = (self._rest + new).split(b"\n")
        self._lines.extend(line for text in whole if (line := _line(text, now)) is not None)


def command(verb: str, folder: Path, *arguments: str) -> bool:
    """A verb on a data folder, as a person would give it; whether it did what was asked, and in time."""
    program = [*PROGRAM, verb, str(folder), "--seconds", str(_PATIENCE), *arguments]
    done = subprocess.run(program, capture_output=True, check=False, timeout=60)  # noqa: S603 - this very program
    return not done.returncode


def _line(text: bytes, now: float) -> Line | None:
    """None for what a killed process left half written."""
    try:
        line = msgspec.json.decode(text, type=Line)
    except msgspec.DecodeError:
        return None
    line.seen = now
    return line


def toml(value: Any) -> str:
    """A value as `--set` reads it."""
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return (
                "{ " + ", ".join(f"{key} = {toml(item)}" for key, item in cast("dict[str, Any]", value).items()) + " }"
            )
        case list() | tuple():
            return "[" + ", ".join(toml(item) for item in cast("Sequence[Any]", value)) + "]"
        case str():
            return msgspec.json.encode(value).decode()
        case _:
            return str(value)
