"""`kiwoom-actors exchange` as a process: what it prints, what it keeps, how it ends."""

import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from actors.exchange import annals
from actors.exchange.client import RemoteExchange
from messages import Kind, Side, Symbol, Validity
from tests.exchange.hosted import hosted

ROOT = Path(__file__).parents[2]
VERB = "import typer; from actors.commands.exchange import exchange; typer.run(exchange)"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@contextmanager
def running(*arguments: str, end: signal.Signals = signal.SIGTERM) -> Generator[tuple[subprocess.Popen[str], str]]:
    """The process, and the first line it printed."""
    process = subprocess.Popen(
        [sys.executable, "-c", VERB, *arguments], cwd=ROOT, stdout=subprocess.PIPE, encoding="utf-8"
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        process.send_signal(end)
        process.communicate(timeout=20)


def refused(*arguments: str, code: int = 1) -> str:
    done = subprocess.run(
        [sys.executable, "-c", VERB, *arguments],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=30,
    )
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    (line,) = done.stderr.splitlines()
    return line


def test_it_says_where_it_listens_keeps_its_record_and_ends_when_asked(tmp_path: Path) -> None:
    with running("--data", str(tmp_path), "--speed", "100", "--twin", '{"begin": "09:00:01", "issues": 2}') as (
        process,
        line,
    ):
        address, _, begins = line.partition(" from ")
        assert begins == "2026-11-18 09:00:01.000"
        with RemoteExchange(address) as client:
            client.place(client.account, Side.BUY, Kind.MARKET, Validity.DAY, Symbol("900010"), 1, 0, "7")
    assert process.returncode == 0
    (request,) = [entry for entry in annals.read(tmp_path / "exchange.jsonl") if isinstance(entry, annals.Request)]
    assert (request.call, request.answer) == ("place", "0000001")


@pytest.mark.parametrize("end", ["SIGINT", "SIGHUP"])
def test_ctrl_c_and_a_terminal_that_closes_end_it_in_order(end: str) -> None:
    with running(end=signal.Signals[end]) as (process, _):
        pass

    assert process.returncode == 0


def test_what_it_cannot_be_is_one_line() -> None:
    assert "unknown field `issue`" in refused("--twin", '{"issue": 5}', code=2)
    assert "date = 2026-11-21" in refused("--twin", '{"date": "2026-11-21"}', code=2)


def test_a_second_one_on_the_port_is_one_line() -> None:
    with hosted() as host:
        assert refused("--port", str(host.port)).startswith(f"kiwoom-actors: port {host.port} of 127.0.0.1 can't be")
