"""Commands to a running system: files renamed into its data folder, each answer beside its command."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from typing import Any, TypeVar
from uuid import uuid4

import msgspec

from runtime.logs import clean_object
from runtime.process.locks import is_held

FOLDER = "inbox"
_ANSWER = ".answer.json"
_COMMAND = ".command.json"
_LARGEST = 1 << 20
_POLL = 0.05
_BUSY_TRIES = 20  # on Windows a virus scanner holds a young file for an instant

Value = TypeVar("Value")


class NoSystem(Exception):
    """Nobody answers; one line for the user."""


class _Form(msgspec.Struct, forbid_unknown_fields=True):
    verb: str
    arguments: dict[str, Any] = {}
    until: float = 0.0
    """When its sender gives up, in seconds since the epoch; 0 is never."""


class Command:
    """A wish of somebody outside; answer it once."""

    def __init__(self, path: Path, verb: str, arguments: Mapping[str, Any]) -> None:
        self.verb = verb
        self.arguments = arguments
        self._path = path

    @property
    def id(self) -> str:
        return self._path.name.removesuffix(_COMMAND)

    def answer(self, answer: Mapping[str, Any]) -> None:
        """Lay the answer beside the command, which then goes."""
        _put(self._path.with_name(self.id + _ANSWER), clean_object(answer))
        _persist(lambda: self._path.unlink(missing_ok=True))


class Inbox:
    """The system's side. A command whose sender has given up is dropped, so none outlives a crash."""

    def __init__(self, data: Path) -> None:
        self._folder = data / FOLDER
        self._folder.mkdir(parents=True, exist_ok=True)
        self._taken: dict[str, None] = {}
        for path in self._folder.glob(f"*{_ANSWER}"):
            path.unlink(missing_ok=True)

    def poll(self) -> list[Command]:
        """The commands that came since the last poll, by name; garbage is answered with an error and put in `bad`."""
        waiting = self._waiting()
        self._taken = {path.name: None for path in waiting if path.name in self._taken}
        young = [path for path in waiting if path.name not in self._taken]
        return [command for path in young if (command := self._take(path)) is not None]

    def _waiting(self) -> list[Path]:
        try:
            return sorted(path for path in self._folder.iterdir() if path.name.endswith(_COMMAND))
        except FileNotFoundError:  # whoever has a command makes the folder again
            return []

    def _take(self, path: Path) -> Command | None:
        try:
            form = _read(path)
        except (PermissionError, FileNotFoundError):
            return None
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            self._taken[path.name] = None
            self._set_aside(path, str(error))
            return None
        self._taken[path.name] = None
        if form.until and form.until < time.time():
            _persist(lambda: path.unlink(missing_ok=True))
            return None
        return Command(path, form.verb, form.arguments)

    def _set_aside(self, path: Path, problem: str) -> None:
        bad = self._folder / "bad"
        bad.mkdir(exist_ok=True)
        _put(path.with_name(path.name.removesuffix(_COMMAND) + _ANSWER), {"error": f"not understood: {problem}"})
        _persist(lambda: path.replace(bad / path.name))


def send(data: Path, verb: str, *, seconds: float = 10.0, **arguments: Any) -> dict[str, Any]:
    """Ask the system that runs on this data folder, and wait for its answer. Raises NoSystem, OSError."""
    if not is_held(data):
        raise NoSystem(f"no system is running on {data}")
    folder = data / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{time.time_ns():020d}-{uuid4().hex[:8]}"
    command, answer = folder / (name + _COMMAND), folder / (name + _ANSWER)
    until = time.time() + seconds
    _put(command, {"verb": verb, "arguments": arguments, "until": until})
    while not answer.exists():
        gone = not is_held(data)
        if (gone and not answer.exists()) or time.time() > until:
            _persist(lambda: command.unlink(missing_ok=True))
            why = "ended before it answered" if gone else f"did not answer {verb} within {seconds:g} s"
            raise NoSystem(f"the system on {data} {why}")
        time.sleep(_POLL)
    return _taken_answer(answer)


def _taken_answer(path: Path) -> dict[str, Any]:
    content = _persist(path.read_bytes)
    _persist(lambda: path.unlink(missing_ok=True))
    return msgspec.json.decode(content, type=dict[str, Any])


def _read(path: Path) -> _Form:
    found = path.stat()
    if not S_ISREG(found.st_mode):
        raise ValueError("no file")
    if found.st_size > _LARGEST:
        raise ValueError(f"over {_LARGEST} bytes")
    return msgspec.json.decode(path.read_bytes(), type=_Form)


def _put(path: Path, content: Mapping[str, Any]) -> None:
    """Whole or not at all: nobody reads a part."""
    young = path.with_name(path.name + ".new")
    try:
        young.write_bytes(msgspec.json.encode(content))
        _persist(lambda: young.replace(path))
    except OSError:
        with suppress(OSError):
            young.unlink(missing_ok=True)
        raise


def _persist(act: Callable[[], Value]) -> Value:
    for _ in range(_BUSY_TRIES):
        try:
            return act()
        except PermissionError:
            time.sleep(0.01)
    return act()
