"""The system's own actor: writes the audit trail, sounds the alarm, hears the wish to stop."""

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, ClassVar, Union

import msgspec

from messages import HaltTrading, Message, ResumeTrading, StopSystem, TradingHalted
from runtime.actor import Actor, handles
from runtime.bus import concrete

ALARM_SECONDS = 30
TAKEN = {name: f"its_{name}" for name in ("event", "level", "logger", "time", "number", "cause", "actor")}
"""Fields of messages whose names the log line itself needs."""


def audited() -> Iterator[type[Message]]:
    """Every class whose messages belong in the audit trail."""
    said = (kind for kind in concrete(Message) if kind is not Message and kind.__module__.startswith("messages."))
    return (kind for kind in said if kind.journalled)


if TYPE_CHECKING:
    Audited = Message
else:
    Audited = Union[tuple(audited())]  # noqa: UP007 - made at run time


class Overseer(Actor, publishes=(HaltTrading, ResumeTrading), obeys=(StopSystem,), core=True):
    """One line in the audit log for each journalled message; `stop` is called for a StopSystem, `halted` with why."""

    patient: ClassVar = True

    def __init__(
        self, *, alarm: tuple[str, ...], stop: Callable[[str, int], None], halted: Callable[[str], None]
    ) -> None:
        self._alarm = alarm
        self._stop = stop
        self._halted = halted

    @handles
    def on_message(self, message: Audited) -> None:
        envelope = self.desk.envelope
        assert envelope is not None
        kind = type(message)
        values = ((name, msgspec.to_builtins(getattr(message, name))) for name in message.__struct_fields__)
        fields = {TAKEN.get(name, name): value for name, value in values}
        say = self.desk.log.warning if kind.alarm else self.desk.log.info
        say(kind.__name__, number=envelope.number, cause=envelope.cause, actor=envelope.source, **fields)
        if kind.alarm and self._alarm:
            self.spawn(self._sound(f"{kind.__name__}: {fields}"))
        if isinstance(message, StopSystem):
            self._stop(message.reason, message.code)
        elif isinstance(message, TradingHalted):
            self._halted(message.reason)
        elif isinstance(message, ResumeTrading):
            self._halted("")

    async def _sound(self, text: str) -> None:
        try:
            process = await asyncio.create_subprocess_exec(*self._alarm, text)
            await asyncio.wait_for(process.wait(), ALARM_SECONDS)
        except (OSError, TimeoutError) as error:
            self.desk.log.error("the alarm command failed", command=self._alarm[0], error=str(error))
