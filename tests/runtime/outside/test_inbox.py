import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime.outside.inbox import Inbox, NoSystem, send
from runtime.process.locks import folder_lock


@contextmanager
def answering(data: Path) -> Generator[None]:
    over = threading.Event()

    def serve(inbox: Inbox) -> None:
        while not over.wait(0.005):
            for command in inbox.poll():
                command.answer({"verb": command.verb, **command.arguments})

    with folder_lock(data):
        thread = threading.Thread(target=serve, args=(Inbox(data),))
        thread.start()
        yield
        over.set()
        thread.join()


def put(data: Path, name: str, content: bytes) -> None:
    (data / "inbox" / name).write_bytes(content)


def test_a_command_comes_back_answered_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with answering(tmp_path):
        for number in range(3):
            assert send(tmp_path, "status", number=number, 한글="값") == {
                "verb": "status",
                "number": number,
                "한글": "값",
            }
    assert list((tmp_path / "inbox").iterdir()) == []


def test_without_a_running_system_one_line_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoSystem, match="no system is running on"):
        send(tmp_path, "stop")
    with folder_lock(tmp_path):
        pass
    with pytest.raises(NoSystem, match="no system is running on"):
        send(tmp_path, "stop")


def test_a_system_that_does_not_answer_never_gets_the_command_later(tmp_path: Path) -> None:
    with folder_lock(tmp_path):
        inbox = Inbox(tmp_path)
        with pytest.raises(NoSystem, match="did not answer stop within"):
            send(tmp_path, "stop", seconds=0.0)
        assert inbox.poll() == []


def test_a_system_that_ends_over_a_command_is_not_waited_for(tmp_path: Path) -> None:
    taken = threading.Event()

    def serve() -> None:
        with folder_lock(tmp_path):
            inbox = Inbox(tmp_path)
            taken.set()
            while not inbox.poll():
                pass

    thread = threading.Thread(target=serve)
    thread.start()
    taken.wait()
    began = time.monotonic()
    with pytest.raises(NoSystem, match="ended before it answered"):
        send(tmp_path, "stop", seconds=60.0)
    thread.join()

    assert time.monotonic() - began < 50
    assert not list((tmp_path / "inbox").iterdir())


def test_a_command_from_before_a_crash_is_dropped(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    put(tmp_path, "1.command.json", json.dumps({"verb": "stop", "until": 1.0}).encode())
    assert inbox.poll() == []
    assert list((tmp_path / "inbox").iterdir()) == []


def test_each_command_is_taken_once(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    put(tmp_path, "1.command.json", b'{"verb": "status"}')
    (command,) = inbox.poll()
    assert inbox.poll() == []
    command.answer({})
    assert inbox.poll() == []


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[]", b'{"verb": 1}', b'{"verb": "stop", "more": 1}', b"0" * 2_000_000]
)
def test_garbage_is_answered_and_put_aside(tmp_path: Path, content: bytes) -> None:
    inbox = Inbox(tmp_path)
    put(tmp_path, "1.command.json", content)
    put(tmp_path, "2.command.json", b'{"verb": "status"}')
    assert [command.verb for command in inbox.poll()] == ["status"]
    assert "not understood" in json.loads((tmp_path / "inbox" / "1.answer.json").read_bytes())["error"]
    assert (tmp_path / "inbox" / "bad" / "1.command.json").read_bytes() == content


def test_a_file_being_written_is_not_read(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    put(tmp_path, "1.command.json.new", b'{"verb": "sta')
    assert inbox.poll() == []
    assert not (tmp_path / "inbox" / "bad").exists()


def test_what_is_no_file_keeps_nobody_waiting(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    (tmp_path / "inbox" / "0.command.json").mkdir()
    put(
        tmp_path, "1.command.json", b'{"verb": "stop", "arguments": {"deep": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}"
    )
    put(tmp_path, "2.command.json", b'{"verb": "status"}')
    assert [command.verb for command in inbox.poll()] == ["status"]
    assert sorted(path.name for path in (tmp_path / "inbox" / "bad").iterdir()) == ["0.command.json", "1.command.json"]


def test_an_inbox_that_was_removed_holds_nothing_until_somebody_sends(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    (tmp_path / "inbox").rmdir()

    assert inbox.poll() == []
