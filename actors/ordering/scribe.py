"""Write before you act: what the trader says, and the proof that it is on the disk before anything follows from it."""

from collections.abc import Callable
from typing import Protocol

from actors.account.recovery import History
from messages import Message, OrderEvent
from runtime.actor import Log
from runtime.disk import faultpoints
from runtime.disk.awaited import JournalFailed
from runtime.disk.errors import DatabaseError

_kept = faultpoints.point("trader: kept in the emergency file, not sent")


class Journal(History, Protocol):
    """The journal: what happened, and the proof that it is on the disk."""

    async def durable(self, number: int) -> None:
        """Return when the message of this number survives a power cut. Raises JournalFailed."""
        ...

    def emergency(self, number: int) -> None:
        """Keep a message that the failed journal could not store; on the disk on return. Raises DatabaseError."""
        ...


class Scribe:
    """Publishes; while the journal takes nothing more, keeps what lowers exposure and what becomes of it elsewhere."""

    def __init__(self, journal: Journal, publish: Callable[[Message], int], log: Log) -> None:
        self._journal = journal
        self._publish = publish
        self._log = log
        self.blind = ""
        """Why the journal takes nothing more; blank while it does."""
        self._kept: dict[int, None] = {}
        self._full = False

    def say(self, message: Message) -> int:
        """Publish; returns the message's number."""
        number = self._publish(message)
        if self.blind and isinstance(message, OrderEvent):
            self.keep(number)
        return number

    async def prove(self, number: int, *, lowers: bool) -> str:
        """Return when a message is on the disk, or why what it announces must not be done.

        `lowers`: it takes back an order or sells what is held, so the emergency file may stand in for the journal.
        """
        try:
            await self._journal.durable(number)
        except JournalFailed as error:
            self.blind = str(error)
        else:
            self.blind = ""
            return ""
        kept = lowers and self.keep(number)
        _kept()
        return "" if kept else f"the journal failed: {self.blind}"

    def keep(self, number: int) -> bool:
        """Put one message into the emergency file; whether it is there."""
        if number in self._kept:
            return True
        try:
            self._journal.emergency(number)
        except (KeyError, DatabaseError, OSError) as error:
            if not self._full:
                self._log.error("the emergency file takes no more", reason=str(error))
            self._full = True
            return False
        self._kept[number] = None
        return True
