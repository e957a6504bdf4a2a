"""The system about itself: halts, links, failures, the end."""

from typing import ClassVar

from messages.base import Message
from messages.instruments import Nanoseconds


class HaltTrading(Message):
    """Stop entries, cancel what is open, and sell what is held if `flatten`. Latched until a person resumes."""

    command: ClassVar = True
    reason: str
    by: str
    flatten: bool = False


class ResumeTrading(Message):
    """A person lifts the halts that were known then."""

    by: str
    seen: int = 0
    """Number of the newest message that counted in it: a halt said after that stays. 0 where nobody told."""

    def lifts(self, halt: int) -> bool:
        """Whether the halt of this number is over."""
        return not self.seen or halt <= self.seen


class TradingHalted(Message):
    """The halt is in force."""

    alarm: ClassVar = True
    time: Nanoseconds
    reason: str


class HaltConfirmed(Message):
    """Nothing that the halt cancels is open or under way at the broker any more."""

    time: Nanoseconds
    reason: str


class ReconciliationWanted(Message):
    """Journal and broker shall be compared now, not only when it is time."""

    reason: str


class LinkLost(Message):
    """The order link to a broker is down: nothing new is sent."""

    alarm: ClassVar = True
    key: ClassVar = ("gateway",)
    gateway: str
    time: Nanoseconds
    reason: str


class LinkRestored(Message):
    """The order link to a broker is up again."""

    key: ClassVar = ("gateway",)
    gateway: str
    time: Nanoseconds


class ActorFailed(Message):
    """An actor's handler raised."""

    alarm: ClassVar = True
    key: ClassVar = ("actor",)
    actor: str
    handler: str
    error: str
    failures: int
    """Within the last minute."""
    off: bool
    """True when it failed too often and stays off."""


class MailboxOverflowed(Message):
    """A mailbox refused a message that may not be thinned: its actor misses data of `subject`."""

    key: ClassVar = ("actor", "subject")
    actor: str
    subject: str
    """A symbol, or the class of the message where it has none."""
    refused: int


class MailboxRecovered(Message):
    """An overflowed mailbox has worked off its backlog: from here on its actor sees everything again."""

    key: ClassVar = ("actor",)
    actor: str
    subjects: tuple[str, ...]


class StopSystem(Message):
    """Stop in order and end the process with `code` (docs/config.md lists them)."""

    command: ClassVar = True
    reason: str
    code: int = 0


class RunStarted(Message):
    """Every actor has started; the feed may open."""

    time: Nanoseconds
    run: int
    version: str
    config: str
    """Digest of the config, overrides included."""
    seed: int


class RunStopping(Message):
    """The feed closes; what is under way is finished, then the actors stop."""

    time: Nanoseconds
    reason: str
    code: int
