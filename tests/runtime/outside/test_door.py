"""What one look at the data folder cannot do keeps no other from its turn."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runtime.outside.door import Door
from runtime.outside.inbox import Command, Inbox
from runtime.process.heartbeat import NAME


class Log:
    """Keeps what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def error(self, event: str, **fields: object) -> None:
        self.lines.append(f"{event}: {fields['error']}")


def opened(folder: Path, look: Callable[[], None], until: Callable[[], bool]) -> tuple[list[str], list[str]]:
    """The verbs that were answered and what was complained of, until something is true."""
    log: Any = Log()
    asked: list[str] = []

    async def answer(command: Command) -> dict[str, Any]:
        asked.append(command.verb)
        return {}

    async def scene() -> None:
        async with Door(folder, log, answer=answer, look=look):
            (folder / "inbox" / "1.command.json").write_text('{"verb": "halt"}', encoding="utf-8")
            async with asyncio.timeout(30.0):
                while not until():  # noqa: ASYNC110 - the door looks at files
                    await asyncio.sleep(0.01)

    asyncio.run(scene())
    return asked, log.lines


def test_a_latch_that_cannot_be_looked_at_stops_neither_the_heart_nor_the_commands(tmp_path: Path) -> None:
    Inbox(tmp_path)

    def look() -> None:
        raise OSError(5, "Input/output error")

    answered = tmp_path / "inbox" / "1.answer.json"
    asked, lines = opened(tmp_path, look, lambda: answered.exists() and (tmp_path / NAME).exists())

    assert asked == ["halt"]
    assert lines == ["the data folder is out of reach: [Errno 5] Input/output error"], "said once"


def test_an_answer_that_cannot_be_written_down_is_said_and_ends_nothing(tmp_path: Path) -> None:
    Inbox(tmp_path)
    log: Any = Log()

    async def answer(_command: Command) -> dict[str, Any]:
        return {"figure": 1 << 80, "text": "half \udcff a character"}

    answered = tmp_path / "inbox" / "1.answer.json"

    async def scene() -> None:
        async with Door(tmp_path, log, answer=answer, look=lambda: None):
            (tmp_path / "inbox" / "1.command.json").write_text('{"verb": "halt"}', encoding="utf-8")
            async with asyncio.timeout(30.0):
                while not answered.exists():  # noqa: ASYNC110 - the door looks at files
                    await asyncio.sleep(0.01)

    asyncio.run(scene())
    assert b"halt failed" in answered.read_bytes()
    assert len(log.lines) == 1


def test_an_answer_that_swallows_its_end_does_not_hold_the_door(tmp_path: Path) -> None:
    Inbox(tmp_path)
    log: Any = Log()
    free = asyncio.Event()
    begun = asyncio.Event()

    async def answer(_command: Command) -> dict[str, Any]:
        begun.set()
        while not free.is_set():
            try:
                await free.wait()
            except asyncio.CancelledError:
                continue
        return {}

    async def scene() -> None:
        async with Door(tmp_path, log, answer=answer, look=lambda: None):
            (tmp_path / "inbox" / "1.command.json").write_text('{"verb": "dawdle"}', encoding="utf-8")
            await begun.wait()
        free.set()

    asyncio.run(scene())
