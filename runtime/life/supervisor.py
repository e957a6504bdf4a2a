"""What happens when an actor fails: core ends the process, a leaf is replaced, and then stays off."""

import traceback
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from messages import ActorFailed, MailboxOverflowed, MailboxRecovered, Message
from runtime.actor import Log, words
from runtime.bus import Bus
from runtime.clock import SECOND, Clock
from runtime.envelope import Envelope
from runtime.life.exits import CORE_FAILED
from runtime.life.seat import Seat
from runtime.mailbox import Mailbox, OrderLaneFull, subject_of

FAILURES = 3
WINDOW = 60 * SECOND
NAME = "system"


class Supervisor:
    """Told of every failure and overflow; publishes them and acts."""

    def __init__(
        self, bus: Bus, clock: Clock, log: Log, seats: Mapping[Mailbox, Seat], stop: Callable[[str, int], None]
    ) -> None:
        self._bus = bus
        self._clock = clock
        self._log = log
        self._seats = seats
        self._stop = stop
        self._failures: dict[str, deque[int]] = {}

    def handler_failed(self, mailbox: Mailbox, envelope: Envelope, error: Exception) -> None:
        seat = self._seats[mailbox]
        self.failed(seat, seat.handler_of(envelope), error)

    def failed(self, seat: Seat, handler: str, error: Exception) -> None:
        """The message that killed the actor is counted and not tried again."""
        if seat.off:
            return
        trace = "".join(traceback.format_exception(error))
        said = words(error)
        self._log.error("actor failed", actor=seat.name, handler=handler, error=said, trace=trace)
        core = seat.actor.core or isinstance(error, OrderLaneFull)
        count = self._count(seat.name)
        off = core or count >= FAILURES
        self._say(
            ActorFailed(
                actor=seat.name, handler=handler, error=f"{type(error).__name__}: {said}", failures=count, off=off
            )
        )
        if core:
            self._stop(f"{seat.name} failed in {handler}: {said}", CORE_FAILED)
        elif off or seat.leaving:
            seat.retire()
        else:
            seat.replace()

    def forgive(self, names: Iterable[str]) -> None:
        """Somebody else sits there now: failures of the one before count no more."""
        for name in names:
            self._failures.pop(name, None)

    def overflowed(self, mailbox: Mailbox, message: Message) -> None:
        subject = subject_of(message)
        refused = mailbox.gaps.get(subject, 1)
        self._say(MailboxOverflowed(actor=mailbox.name, subject=subject, refused=refused))

    def recovered(self, mailbox: Mailbox) -> None:
        subjects = tuple(sorted(mailbox.gaps))
        mailbox.gaps.clear()
        self._say(MailboxRecovered(actor=mailbox.name, subjects=subjects))

    def _say(self, message: Message) -> None:
        try:
            self._bus.publish(message, NAME)
        except OrderLaneFull as error:
            self._stop(str(error), CORE_FAILED)

    def _count(self, name: str) -> int:
        now = self._clock.now()
        recent = self._failures.setdefault(name, deque())
        recent.append(now)
        while recent[0] < now - WINDOW:
            recent.popleft()
        return len(recent)
