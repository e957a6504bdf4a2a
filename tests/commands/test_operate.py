"""The operator's verbs as a person types them: tables, JSON, and one line for every mistake."""

import json
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from actors.commands import app
from runtime.disk.journal import NAME as JOURNAL
from runtime.outside.inbox import Command, Inbox
from runtime.outside.latch import NAME, Latch
from runtime.process.locks import folder_lock
from tests.runtime.disk.limits import another_user, files_up_to

ON_UNIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits and users")

ROW = {
    "order": "7:123",
    "broker": "0000123",
    "symbol": "005930",
    "strategy": "momentum",
    "side": "buy",
    "purpose": "entry",
    "kind": "limit",
    "price": 70_000,
    "quantity": 1_000,
    "filled": 400,
    "open": 600,
    "phase": "open",
    "canceling": True,
    "time": "2026-11-20 09:31:05.120",
}
HALTED = {"halted": "news", "by": "kim", "canceled": 3, "open": [], "selling": [ROW], "positions": 2}


@contextmanager
def answering(data: Path, answer: Callable[[Command], dict[str, Any]]) -> Generator[list[Command]]:
    over, heard = threading.Event(), list[Command]()

    def serve(inbox: Inbox) -> None:
        while not over.wait(0.005):
            for command in inbox.poll():
                heard.append(command)
                command.answer(answer(command))

    with folder_lock(data):
        thread = threading.Thread(target=serve, args=(Inbox(data),))
        thread.start()
        yield heard
        over.set()
        thread.join()


def typed(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def refusal(result: Result) -> str:
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    return line.removeprefix("kiwoom-actors: ")


def test_a_halt_where_nothing_runs_is_for_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "00001").mkdir()
    (tmp_path / "00001" / JOURNAL).touch()
    result = typed("halt", tmp_path, "--reason", "a storm")

    assert result.exit_code == 0
    assert "no system runs on" in result.stdout
    assert "the next start there is halted" in result.stdout
    latched = Latch(tmp_path).read()
    assert latched is not None, "a run that is over looks at nothing any more"
    assert (latched.reason, latched.flatten) == ("a storm", False)


def test_a_halt_of_the_folder_of_a_single_run_says_where_the_next_one_is_halted(tmp_path: Path) -> None:
    (tmp_path / "00001").mkdir()
    result = typed("halt", tmp_path / "00001")

    assert result.exit_code == 0
    assert Latch(tmp_path / "00001").read() is not None
    assert result.stdout.endswith(f"none starts in this one: halt {tmp_path}\n")


def test_a_halt_of_a_folder_that_is_not_there_is_no_halt(tmp_path: Path) -> None:
    said = refusal(typed("halt", tmp_path / "liv"))

    assert said.startswith(f"not halted: {tmp_path / 'liv'}: no such folder")
    assert list(tmp_path.iterdir()) == []


def test_a_halt_reaches_every_system_below_a_folder_whichever_began_last(tmp_path: Path) -> None:
    for name in ("00001", "00002", "00003"):
        (tmp_path / name).mkdir()
        (tmp_path / name / JOURNAL).touch()
    with answering(tmp_path / "00001", lambda _: HALTED), answering(tmp_path / "00002", lambda _: HALTED):
        result = typed("halt", tmp_path)
        several = refusal(typed("orders", tmp_path))
    with answering(tmp_path / "00001", lambda _: {"orders": []}):
        one = typed("orders", tmp_path)

    assert result.exit_code == 0
    assert [Latch(tmp_path / name).read() is not None for name in ("00001", "00002", "00003")] == [True, True, False]
    assert several.startswith("2 systems run there, name one of them: ")
    assert one.stdout == "no orders\n"


@ON_UNIX
def test_a_halt_on_a_full_disk_halts_and_says_so(tmp_path: Path) -> None:
    with folder_lock(tmp_path), files_up_to(0):
        result = typed("halt", tmp_path, "--flatten", "--seconds", "1")

    assert result.exit_code == 1
    assert (tmp_path / NAME).exists()
    laid, asked = (line.removeprefix(f"kiwoom-actors: {tmp_path / NAME}: ") for line in result.stderr.splitlines())
    assert laid == "File too large: it halts, but says not why and nothing is flattened"
    assert f"halted by {tmp_path / NAME}, but not confirmed: {tmp_path}: File too large" in asked
    assert list((tmp_path / "inbox").iterdir()) == []


@ON_UNIX
@pytest.mark.parametrize("verb", ["status", "stop", "orders", "resume", "halt"])
def test_who_may_not_write_there_gets_one_line(verb: str) -> None:
    with TemporaryDirectory() as folder:
        data = Path(folder)
        with folder_lock(data):
            (data / "lock").chmod(0o444)
            data.chmod(0o555)
            with another_user():
                said = refusal(typed(verb, data))
            data.chmod(0o755)

    assert "Permission denied" in said
    assert said.startswith("not halted: ") == (verb == "halt")


def test_a_halt_of_a_system_that_is_still_starting_is_one_all_the_same(tmp_path: Path) -> None:
    with answering(tmp_path, lambda _: {"error": "the system is still starting, halt has to wait; ask again"}):
        said = refusal(typed("halt", tmp_path))

    assert said.startswith(f"halted by {tmp_path / NAME}, but not confirmed: the system is still starting")
    assert Latch(tmp_path).read() is not None


def test_a_halt_is_latched_before_the_system_is_asked_and_tells_what_came_of_it(tmp_path: Path) -> None:
    with answering(tmp_path, lambda _: HALTED | {"latched": (tmp_path / NAME).exists()}) as heard:
        result = typed("halt", tmp_path, "--flatten", "--seconds", "5")
        machine = typed("halt", tmp_path, "--json")

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "halted by kim: news",
        "3 orders taken back, 0 still open",
        "2 positions held and guarded, 1 on sale",
    ]
    assert [command.arguments for command in heard] == [{"patience": 5.0}, {"patience": 30.0}]
    assert json.loads(machine.stdout)["latched"]
    latched = Latch(tmp_path).read()
    assert latched is not None
    assert latched.flatten


def test_a_halt_that_is_not_done_has_its_own_exit_code(tmp_path: Path) -> None:
    with answering(tmp_path, lambda _: HALTED | {"open": [ROW]}):
        result = typed("halt", tmp_path)

    assert result.exit_code == 1
    assert "  7:123 buy 005930 600: open" in result.stdout.splitlines()


def test_a_halt_into_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert refusal(typed("halt", tmp_path / "file" / "data")).startswith("not halted: ")


def test_a_resume_says_who_and_when_or_why_not(tmp_path: Path) -> None:
    with answering(tmp_path, lambda _: {"resumed": True, "by": "kim", "reconciled": "09:00"}) as heard:
        assert typed("resume", tmp_path).stdout == "resumed by kim; matched with the broker at 09:00\n"
    assert heard[0].arguments["patience"] == 90.0
    with answering(tmp_path, lambda _: {"error": "trading is not halted"}):
        assert refusal(typed("resume", tmp_path)) == "trading is not halted"
    assert "no system is running" in refusal(typed("resume", tmp_path))
    (tmp_path / NAME).touch()
    assert "start it, it starts halted, then resume" in refusal(typed("resume", tmp_path))


def test_orders_and_positions_are_tables_for_people_and_json_for_machines(tmp_path: Path) -> None:
    position = {
        "symbol": "005930",
        "strategy": "",
        "quantity": 10,
        "cost": 1,
        "price": 2,
        "worth": 20,
        "result": -7_000,
    }
    answers: dict[str, dict[str, Any]] = {
        "orders": {"orders": [ROW]},
        "positions": {"positions": [position], "cash": 1_234_567},
    }
    with answering(tmp_path, lambda command: answers[command.verb]) as heard:
        table, held = typed("orders", tmp_path, "--all").stdout, typed("positions", tmp_path).stdout
        machine = json.loads(typed("orders", tmp_path, "--json").stdout)

    assert "1 orders" in table
    assert "7:123" in table
    assert "70,000" in table
    assert "-7,000" in held
    assert "cash 1,234,567" in held
    assert machine == {"orders": [ROW]}
    assert [command.arguments for command in heard if command.verb == "orders"] == [
        {"everything": True},
        {"everything": False},
    ]


def test_nothing_to_show_is_said(tmp_path: Path) -> None:
    with answering(tmp_path, lambda _: {"orders": []}):
        assert typed("orders", tmp_path).stdout == "no orders\n"


def test_a_settlement_carries_who_said_it(tmp_path: Path) -> None:
    with answering(tmp_path, lambda _: {"settled": ROW | {"phase": "filled", "filled": 1_000}}) as heard:
        result = typed("settle", tmp_path, "7:123", "filled", "--quantity", "1000", "--price", "70000")

    assert result.stdout == "order 7:123 is filled: 1000 of 1000 filled\n"
    asked = dict(heard[0].arguments)
    assert asked.pop("by")
    assert asked == {"order": "7:123", "outcome": "filled", "quantity": 1_000, "price": 70_000}


@pytest.mark.parametrize("words", [("settle", "7"), ("settle", "7", "lost"), ("settle", "7", "dead", "--price", "-1")])
def test_what_is_no_settlement_is_refused_before_anybody_is_asked(tmp_path: Path, words: tuple[str, ...]) -> None:
    verb, *rest = words

    assert typed(verb, tmp_path, *rest).exit_code == 2
