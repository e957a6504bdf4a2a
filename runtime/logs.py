"""Logs: readable lines for people, JSON lines for audit, and no secret in either."""

import logging
import sys
import threading
import time
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from datetime import datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import msgspec
import structlog

from runtime.clock import KST, SECOND
from runtime.envelope import Envelope
from runtime.redaction import MASK, Redaction, text_of

AUDIT = "audit.jsonl"
_Event = MutableMapping[str, Any]
_redaction = Redaction()
_META = ("_record", "_from_structlog")
TAKEN = {name: f"its_{name}" for name in ("event", "level", "logger", "time", "number", "cause", "actor")}
"""Fields of messages whose names the log line itself needs."""
_saved_hooks: list[tuple[Any, Any, Any]] = []
_FIRST = ("time", "level", "event", "logger")


def hide(value: str, alias: str = MASK) -> None:
    """Keep a secret or an account number out of every line from now on; `alias` stands in its place."""
    _redaction.add(value, alias)


def forget() -> None:
    """Hide nothing any more."""
    _redaction.forget()


def clean(text: str) -> str:
    """Text for people outside of the logs (reports, notifications, tracebacks) without what is hidden."""
    return _redaction.clean(text)


def clean_object(value: object) -> Any:
    """A status, a summary or an answer as plain JSON values, each text in it as `clean` leaves it."""
    return _redaction.clean_object(value)


def without_secrets(body: bytes) -> bytes:
    """JSON to be stored, without what is hidden; numbers stay, and so do words that are merely short."""
    return _redaction.clean_stored(body)


def trail(logger: str, envelope: Envelope) -> bool:
    """Write the audit line of one message by a short way, a fifth of any other line's cost.

    False, and nothing written, where the console shows such lines too or no file is open: then log it as usual.
    """
    if not _trails:
        return False
    audit, stamp = _trails[0]
    message = envelope.message
    fields: dict[str, Any] = msgspec.to_builtins(message)
    fields.pop("type", None)
    for name in TAKEN.keys() & fields.keys():
        fields[TAKEN[name]] = fields.pop(name)
    line = {
        "time": stamp.text(),
        "level": "info",
        "event": type(message).__name__,
        "logger": logger,
        "number": envelope.number,
        "cause": envelope.cause,
        "actor": envelope.source,
        **fields,
    }
    audit.put(_redaction.clean(msgspec.json.encode(line).decode()))
    return True


def configure(
    folder: Path | None,
    *,
    console: bool,
    level: str = "info",
    now: Callable[[], int] = time.time_ns,
    rotate_at: int = 64 << 20,
    kept: int = 8,
) -> None:
    """Send every log line, warning and uncaught exception to stderr and to `folder`/audit.jsonl, cleaned.

    `now` gives nanoseconds since the epoch. `level` is stderr's; the file has everything from
    info up. Without `console` only what ends the process shows on stderr.
    The file begins anew at `rotate_at` bytes, `kept` old ones stay.
    """
    close()
    number = logging.getLevelNamesMapping()[level.upper()]
    stamp = _Stamp(now)
    people = _Console(sys.stderr)
    people.setLevel(number if console else logging.CRITICAL)
    people.setFormatter(_Formatter([stamp.readable, _renderer(sys.stderr)]))
    handlers: list[logging.Handler] = [people]
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        audit = _Audit(folder / AUDIT, maxBytes=rotate_at, backupCount=kept, encoding="utf-8")
        audit.setFormatter(_Formatter([stamp.exact, _as_json]))
        handlers.append(audit)
        if people.level > logging.INFO:
            _trails.append((audit, stamp))
    _take_over(handlers, min(number, logging.INFO) if folder is not None else number)


def close() -> None:
    """Close the log files and give back the hooks."""
    _trails.clear()
    root = logging.getLogger()
    for handler in [h for h in root.handlers if isinstance(h, _Console | _Audit)]:
        root.removeHandler(handler)
        handler.close()
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    if _saved_hooks:
        sys.excepthook, threading.excepthook, sys.unraisablehook = _saved_hooks.pop()


def _take_over(handlers: list[logging.Handler], level: int) -> None:
    root = logging.getLogger()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(level)
    logging.getLogger("aiosqlite").setLevel(logging.WARNING)
    logging.getLogger("qasync").setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    _saved_hooks.append((sys.excepthook, threading.excepthook, sys.unraisablehook))
    sys.excepthook = _uncaught
    threading.excepthook = lambda failed: _uncaught(failed.exc_type, failed.exc_value, failed.exc_traceback)
    sys.unraisablehook = lambda failed: _uncaught(failed.exc_type, failed.exc_value, failed.exc_traceback)


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    logging.getLogger("uncaught").critical("uncaught exception", exc_info=(kind, error or kind(), trace))


def _clean(_logger: Any, _method: str, event: _Event) -> _Event:
    own = {key: event.pop(key) for key in _META if key in event}
    return _redaction.clean_mapping(event) | own


def _as_json(_logger: Any, _method: str, event: _Event) -> str:
    first = {key: event.pop(key) for key in _FIRST if key in event}
    return msgspec.json.encode(first | dict(event)).decode()


def _renderer(stream: TextIO) -> structlog.dev.ConsoleRenderer:
    return structlog.dev.ConsoleRenderer(
        colors=stream.isatty(), timestamp_key="time", exception_formatter=structlog.dev.plain_traceback
    )


class _Stamp:
    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self._second, self._whole = -1, ""

    def exact(self, _logger: Any, _method: str, event: _Event) -> _Event:
        event["time"] = self.text()
        return event

    def text(self) -> str:
        """As isoformat() has it, at a fifth of its cost within one second."""
        seconds, rest = divmod(self._now(), SECOND)
        if seconds != self._second:
            self._second, self._whole = seconds, datetime.fromtimestamp(seconds, KST).strftime("%Y-%m-%dT%H:%M:%S")
        return f"{self._whole}.{rest // 1000:06d}+09:00"

    def readable(self, _logger: Any, _method: str, event: _Event) -> _Event:
        event["time"] = self._moment().strftime("%H:%M:%S.%f")[:-3]
        return event

    def _moment(self) -> datetime:
        seconds, rest = divmod(self._now(), SECOND)
        return datetime.fromtimestamp(seconds, KST).replace(microsecond=rest // 1000)


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """The last look at a line is taken at its text."""

    def __init__(self, processors: list[Any]) -> None:
        meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
        super().__init__(processors=[meta, *processors], foreign_pre_chain=_FOREIGN)

    def format(self, record: logging.LogRecord) -> str:
        if record.args:
            _settle(record)
        return _redaction.clean_values(super().format(record))


def _settle(record: logging.LogRecord) -> None:
    """A call whose arguments do not fit its format is a line, not a traceback with the arguments in it."""
    try:
        record.msg = record.getMessage()
    except Exception:  # noqa: BLE001 - an argument's own __str__ may raise anything
        record.msg = f"{text_of(record.msg)} {text_of(record.args)}"
    record.args = ()


class _Sink(logging.Handler):
    _told = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Logging must not fail its caller, nor print the raw record."""
        if not self._told and sys.stderr is not None:
            self._told = True
            reason = clean(f"{sys.exc_info()[1]}")
            with suppress(OSError, ValueError):  # the terminal is gone, or its file's disk is the full one
                print(f"a log line of {record.name} could not be written: {reason}", file=sys.stderr)  # noqa: T201


class _Console(_Sink, logging.StreamHandler[TextIO]):
    pass


class _Audit(_Sink, RotatingFileHandler):
    def emit(self, record: logging.LogRecord) -> None:
        """Formatted once: logging's own formats each line once more to know how long it will be."""
        try:
            self.write(self.format(record))
        except Exception:  # noqa: BLE001 - what logging's own handlers do
            self.handleError(record)

    def put(self, line: str) -> None:
        """A whole line that needs no formatting; what goes wrong is said once."""
        self.acquire()
        try:
            self.write(line)
        except OSError:
            self.handleError(logging.makeLogRecord({"name": "trail"}))
        finally:
            self.release()

    def write(self, line: str) -> None:
        """A whole line; the caller holds the lock. Raises OSError."""
        if self._file().tell() + len(line.encode()) + 1 > self.maxBytes:
            self.doRollover()
        file = self._file()
        file.write(line + "\n")
        file.flush()

    def _file(self) -> TextIO:
        """Closed where it was deleted or could not be renamed: then it is opened anew."""
        self.stream = self.stream or self._open()  # pyright: ignore[reportUnnecessaryComparison]
        return self.stream

    def doRollover(self) -> None:  # noqa: N802 - logging's own name
        """Aside first: on Windows somebody may read the file, which then grows on while no older one has moved."""
        self._move_on()
        aside = self._old(0)
        if aside.exists():
            return
        stream, self.stream = self._file(), None
        stream.close()
        with suppress(PermissionError, FileNotFoundError):
            Path(self.baseFilename).replace(aside)
        self._move_on()

    def _move_on(self) -> None:
        """What lies aside becomes the newest of the old ones, up to the first gap; without one the oldest goes."""
        if not self._old(0).exists():
            return
        gap = next((n for n in range(1, self.backupCount) if not self._old(n).exists()), self.backupCount)
        with suppress(PermissionError):
            for number in range(gap, 0, -1):
                self._old(number - 1).replace(self._old(number))

    def _old(self, number: int) -> Path:
        return Path(f"{self.baseFilename}.{number}")


_trails: list[tuple[_Audit, _Stamp]] = []
"""The way of `trail`, while it is open."""

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
    _clean,
]
_FOREIGN: list[Any] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.format_exc_info,
    _clean,
]
