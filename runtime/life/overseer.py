"""The system's own actor: writes the audit trail, sounds the alarm, hears the wish to stop."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Union

import msgspec

from messages import HaltTrading, Message, ResumeTrading, StopSystem, TradingHalted
from runtime import logs
from runtime.actor import Actor, handles
from runtime.bus import concrete
from runtime.envelope import Envelope
from runtime.life import alarm as alarms


def audited() -> Iterator[type[Message]]:
    """Every class whose messages belong in the audit trail."""
    said = (kind for kind in concrete(Message) if kind is not Message and kind.__module__.startswith("messages."))
    return (kind for kind in said if kind.journalled)


if TYPE_CHECKING:
    Audited = Message
else:
    Audited = Union[tuple(audited())]  # noqa: UP007 - made at run time


class Overseer(Actor, publishes=(HaltTrading,), obeys=(StopSystem,), core=True):
    """One line in the audit log for each journalled message.

    `stop` is called for a StopSystem, `halted` with why, `resumed` with the number of the resume.
    """

    patient: ClassVar = True

    def __init__(
        self,
        *,
        alarm: tuple[str, ...],
        stop: Callable[[str, int], None],
        halted: Callable[[str], None],
        resumed: Callable[[int], None],
    ) -> None:
        self._alarm = alarm
        self._stop = stop
        self._halted = halted
        self._resumed = resumed

    @handles
    def on_message(self, message: Audited) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        alarm = type(message).alarm
        if alarm or not logs.trail(self.desk.name, envelope):
            self._log(envelope, alarm=alarm)
        if isinstance(message, StopSystem):
            self._stop(message.reason, message.code)
        elif isinstance(message, TradingHalted):
            self._halted(message.reason)
        elif isinstance(message, ResumeTrading):
            self._resumed(envelope.number)

    def _log(self, envelope: Envelope, *, alarm: bool) -> None:
        message, kind = envelope.message, type(envelope.message).__name__
        values = ((name, msgspec.to_builtins(getattr(message, name))) for name in message.__struct_fields__)
        fields = {logs.TAKEN.get(name, name): value for name, value in values}
        say = self.desk.log.warning if alarm else self.desk.log.info
        say(kind, number=envelope.number, cause=envelope.cause, actor=envelope.source, **fields)
        if alarm:
            self.spawn(alarms.sound(self._alarm, f"{kind}: {_words(fields)}", self.desk.log))


def _words(fields: dict[str, Any]) -> str:
    """For a person who is called now: the trail has the rest."""
    told = {name: value for name, value in fields.items() if name != logs.TAKEN["time"]}
    return ", ".join(f"{name} {value}" for name, value in told.items() if value or value == 0)
