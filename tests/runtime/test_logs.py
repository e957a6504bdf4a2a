import io
import json
import logging
import os
import sys
import threading
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messages import HaltTrading
from runtime import logs
from runtime.redaction import Redaction

PLANTED = 'Zq9"k\\비밀=x/한 é7'
KEY = "PSabcdefGHIJKL0123456789mnop"
ACCOUNT = "8012345611"
PIN = "0042"
SPELLINGS = (PLANTED, KEY, ACCOUNT, "8012-3456-11", "80123456-11", "8012 3456 11")
NOON = 1_756_782_000_123_456_789


class Output:
    """What one test logged, on both ways."""

    def __init__(self, path: Path, stream: io.StringIO) -> None:
        self._path = path
        self.console = stream.getvalue

    def text(self) -> str:
        return self.console() + self._path.read_text("utf-8")

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._path.read_text("utf-8").splitlines()]


@pytest.fixture
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Output]:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(logs, "_redaction", Redaction())
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    for secret in (PLANTED, KEY, PIN):
        logs.hide(secret)
    logs.hide(ACCOUNT, "account-11")
    logs.configure(tmp_path, console=True, level="debug", now=lambda: NOON)
    yield Output(tmp_path / logs.AUDIT, stream)
    logs.close()


def assert_clean(output: Output) -> None:
    text = output.text()
    for line in text.splitlines():
        assert not [form for form in SPELLINGS if form in line], line
    assert json.dumps(PLANTED, ensure_ascii=False)[1:-1] not in text
    assert json.dumps(PLANTED)[1:-1] not in text
    assert repr(PLANTED)[1:-1] not in text


class Holder:
    def __repr__(self) -> str:
        return f"Holder({PLANTED!r}, {ACCOUNT})"


class Unprintable:
    def __repr__(self) -> str:
        raise ValueError(PLANTED)


def fail(secret: str) -> None:
    raise RuntimeError(f"refused: {secret}", {secret: [secret]})


def test_a_line_has_korean_time_level_event_and_its_details(output: Output) -> None:
    structlog.get_logger().bind(actor="risk").warning("order refused", order=7, figures={"a": 1.5})
    (line,) = output.lines()
    assert line == {
        "time": "2025-09-02T12:00:00.123456+09:00",
        "level": "warning",
        "event": "order refused",
        "actor": "risk",
        "order": 7,
        "figures": {"a": 1.5},
    }
    assert output.console().startswith("12:00:00.123")


@pytest.mark.parametrize("secret", SPELLINGS)
def test_no_way_of_logging_lets_a_secret_through(output: Output, secret: str) -> None:
    log: Any = structlog.get_logger()
    log.info("event " + secret)  # noqa: G003
    log.info("positional %s", secret)
    log.info("value", value=secret, number=int(ACCOUNT), ratio=float(ACCOUNT))
    log.info("nested", deep=[{"a": ({secret: {secret}}, secret.encode())}])
    log.info("key", **{secret: 1})
    log.info("objects", holder=Holder(), broken=Unprintable(), message=HaltTrading(reason=secret, by="x"))
    log.bind(bound=secret).debug("bound")
    with structlog.contextvars.bound_contextvars(context=secret):
        log.error("context", stack_info=True)
    plain = logging.getLogger(f"plain.{secret}")
    plain.warning("plain %s %r", secret, secret, extra={"more": secret, "other": [secret]})
    plain.warning("two places %s %s", secret)
    plain.warning("an unprintable one %s", Unprintable())
    plain.warning({"object": secret})
    try:
        fail(secret)
    except RuntimeError:
        log.exception("failed")
        plain.exception("failed")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"deprecated {secret}", stacklevel=1)
    assert_clean(output)
    assert len(output.lines()) == 15


def test_uncaught_exceptions_are_logged_clean(output: Output) -> None:
    thread = threading.Thread(target=fail, args=(PLANTED,))
    thread.start()
    thread.join()
    try:
        fail(ACCOUNT)
    except RuntimeError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    assert [line["level"] for line in output.lines()] == ["critical", "critical"]
    assert all("RuntimeError" in line["exception"] for line in output.lines())
    assert_clean(output)


def test_telling_names_hide_what_nobody_registered(output: Output) -> None:
    log: Any = structlog.get_logger()
    log.info("login", appSecret="hunter22", app_key="abc", authorization="Bearer zzz", note="fine")
    log.info("account", account="5512-3456-10", account_number=5512345610)
    log.info("POST /token?secretkey=hunter22&x=1 Authorization: Bearer abc.def-ghi {'appkey': 'abc'} 계좌 5512345610")
    text = output.text()
    assert not [word for word in ("hunter22", "abc", "zzz", "5512") if word in text]
    assert "fine" in text


def test_the_alias_and_harmless_figures_stay_readable(output: Output) -> None:
    log: Any = structlog.get_logger()
    log.info("login", account=ACCOUNT, price=100_420, number=(3 << 40) + 42, pin=PIN)
    (line,) = output.lines()
    assert (line["account"], line["price"], line["number"], line["pin"]) == (
        "account-11",
        100_420,
        (3 << 40) + 42,
        "***",
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(min_size=6).filter(str.strip), st.text(), st.text())
def test_whatever_a_secret_looks_like_it_is_taken_out(secret: str, before: str, after: str) -> None:
    redaction = Redaction()
    redaction.add(secret, "")
    cleaned: Any = redaction.clean_object({"event": before + secret + after, secret: [secret, {"x": secret}]})
    assert secret not in cleaned["event"] or secret in before + after
    assert secret not in "".join(cleaned)[5:]


def test_ten_thousand_planted_secrets_leave_no_trace(output: Output) -> None:
    log: Any = structlog.get_logger()
    for number in range(1_000):
        spelling = SPELLINGS[number % len(SPELLINGS)]
        log.info("one", spelling=spelling, nested={"a": [spelling] * 8}, **{f"k{spelling}": number})
    assert_clean(output)
    assert len(output.lines()) == 1_000


def test_files_rotate_by_size_and_the_oldest_go(tmp_path: Path) -> None:
    logs.configure(tmp_path, console=False, rotate_at=2_000, kept=2)
    log: Any = structlog.get_logger()
    for number in range(200):
        log.info("line", number=number)
    logs.close()
    files = sorted(file.name for file in tmp_path.iterdir())
    assert files == ["audit.jsonl", "audit.jsonl.1", "audit.jsonl.2"]
    assert all(file.stat().st_size <= 2_000 for file in tmp_path.iterdir())
    assert json.loads((tmp_path / "audit.jsonl").read_text("utf-8").splitlines()[-1])["number"] == 199


def test_nothing_ever_goes_to_stdout_and_little_to_stderr_without_a_console(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(tmp_path, console=False)
    structlog.get_logger().error("for the file")
    logging.getLogger().critical("for everybody")
    logs.close()
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "for the file" not in captured.err
    assert "for everybody" in captured.err


class FullDisk(io.StringIO):
    def write(self, text: str) -> int:
        raise OSError(28, f"no space for {text}")


def test_a_line_that_cannot_be_written_is_said_once_and_does_not_fail_its_caller(
    output: Output, capsys: pytest.CaptureFixture[str]
) -> None:
    handler = next(h for h in logging.getLogger().handlers if isinstance(h, logging.FileHandler))
    assert handler.stream is not None
    handler.stream.close()
    handler.stream = FullDisk()  # pyright: ignore[reportAttributeAccessIssue]
    for _ in range(2):
        structlog.get_logger().error("lost " + PLANTED)
    said = capsys.readouterr().err
    assert said.count("could not be written") == 1
    assert PLANTED not in said
    assert output.console().count("lost ***") == 2


def test_a_terminal_that_is_gone_fails_nobody_who_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", FullDisk())
    logs.configure(tmp_path, console=True)
    structlog.get_logger().error("said all the same")
    logs.close()

    assert "said all the same" in (tmp_path / "audit.jsonl").read_text("utf-8")


def numbers(folder: Path) -> list[int]:
    """Of every line there is, oldest first."""
    files = sorted(folder.iterdir(), key=lambda path: -int(path.suffix[1:]) if path.suffix[1:].isdecimal() else 1)
    return [json.loads(line)["number"] for path in files for line in path.read_text("utf-8").splitlines()]


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of files that somebody reads on Windows: they cannot be renamed."""
    rename, names = os.replace, list[str]()

    def held(source: str | Path, target: str | Path) -> None:
        if Path(source).name in names:
            raise PermissionError(13, "used by another process")
        rename(source, target)

    monkeypatch.setattr(os, "replace", held)
    monkeypatch.setattr(os, "rename", held)
    return names


def test_while_somebody_reads_the_file_no_older_one_goes(tmp_path: Path, busy: list[str]) -> None:
    logs.configure(tmp_path, console=False, rotate_at=2_000, kept=3)
    log: Any = structlog.get_logger()
    for number in range(90):
        log.info("line", number=number)
    before = numbers(tmp_path)
    busy.append("audit.jsonl")
    for number in range(90, 120):
        log.info("line", number=number)
    logs.close()

    assert numbers(tmp_path) == list(range(before[0], 120))


def test_whichever_file_is_read_no_line_is_lost(tmp_path: Path, busy: list[str]) -> None:
    logs.configure(tmp_path, console=False, rotate_at=2_000, kept=50)
    log: Any = structlog.get_logger()
    for number in range(200):
        busy[:] = {2: ["audit.jsonl"], 4: ["audit.jsonl.1"], 5: ["audit.jsonl.3"], 6: ["audit.jsonl.0"]}.get(
            number // 25, []
        )
        log.info("line", number=number)
    logs.close()

    assert numbers(tmp_path) == list(range(200))
