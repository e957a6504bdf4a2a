"""Where the outside reaches a running system: commands, the latch, and the heartbeat for whoever watches it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from runtime.actor import Log, words
from runtime.outside.inbox import Command, Inbox
from runtime.outside.verbs import Answer, Declined
from runtime.process.heartbeat import Heartbeat

POLL_SECONDS = 0.05
_LAST_WORDS = 0.2
"""Seconds that an answer has to end: one that swallows its end is left behind."""


class Door:
    """Looks every 50 ms by the wall while it is entered; a command that takes longer is answered when it is done."""

    def __init__(
        self, folder: Path, log: Log, *, answer: Callable[[Command], Awaitable[Answer]], look: Callable[[], None]
    ) -> None:
        self._inbox = Inbox(folder)
        self._heartbeat = Heartbeat(folder)
        self._log = log
        self._answer = answer
        self._look = look
        self._trouble = ""
        self._tasks: dict[asyncio.Task[Any], None] = {}

    async def __aenter__(self) -> Self:
        self._begin(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_LAST_WORDS)

    async def _watch(self) -> None:
        """One look at a time, and then the others' turn: a look at a file takes as long as an order's whole way."""
        steps = (self._look, self._hear, self._heartbeat.beat)
        while True:
            troubled = False
            for step in steps:
                error = _tried(step)
                if error is not None and not troubled:
                    troubled = True
                    self._complain(error)
                await asyncio.sleep(POLL_SECONDS / len(steps))
            if not troubled:
                self._trouble = ""

    def _hear(self) -> None:
        for command in self._inbox.poll():
            self._begin(self._serve(command))

    async def _serve(self, command: Command) -> None:
        try:
            answer = await self._answer(command)
        except Declined as error:
            answer = {"error": str(error)}
        except Exception as error:  # noqa: BLE001 - who asks must not end the run
            answer = self._failure(command, error)
        self._reply(command, answer)

    def _reply(self, command: Command, answer: Answer) -> None:
        try:
            command.answer(answer)
        except OSError as error:
            self._complain(error)
        except Exception as error:  # noqa: BLE001 - nor what no file can take
            command.answer(self._failure(command, error))

    def _failure(self, command: Command, error: Exception) -> Answer:
        said = f"{type(error).__name__}: {words(error)}"
        self._log.error("no answer", verb=command.verb, error=said)
        return {"error": f"{command.verb} failed: {said}"}

    def _begin(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)

    def _complain(self, error: OSError) -> None:
        """A full disk must not end the run that still takes back its orders; it is said once."""
        if str(error) != self._trouble:
            self._trouble = str(error)
            self._log.error("the data folder is out of reach", error=str(error))


def _tried(step: Callable[[], None]) -> OSError | None:
    """One that the disk refuses must not keep the others from their turn: a heart that stops gets the run killed."""
    try:
        step()
    except OSError as error:
        return error
    return None
