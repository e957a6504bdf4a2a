"""Who waits until a message is durable."""

import asyncio

from runtime.disk.errors import DatabaseError


class JournalFailed(DatabaseError):
    """The disk refuses: what waits is tried again each second, and meanwhile nothing is durable. The cause says why."""


def refusal(cause: BaseException) -> JournalFailed:
    """One of its own for whoever waits."""
    refused = JournalFailed(str(cause))
    refused.__cause__ = cause
    return refused


class Awaited:
    """Futures by the number of the message; each is told once."""

    def __init__(self) -> None:
        self._futures: list[tuple[int, asyncio.Future[None]]] = []

    def __bool__(self) -> bool:
        return bool(self._futures)

    def add(self, number: int, future: asyncio.Future[None]) -> None:
        self._futures.append((number, future))

    def tell(self, number: int) -> None:
        """Every message up to this number is durable."""
        waiting, self._futures = self._futures, []
        for target, future in waiting:
            if target > number:
                self._futures.append((target, future))
            elif not future.done():
                future.set_result(None)

    def refuse(self, cause: BaseException) -> None:
        """None of them will be."""
        waiting, self._futures = self._futures, []
        for _, future in waiting:
            if not future.done():
                future.set_exception(refusal(cause))
