"""The runtime's own verbs, and the way to those of the actors."""

from typing import TYPE_CHECKING

from runtime import reload as reloading
from runtime import verbs
from runtime.inbox import Command

if TYPE_CHECKING:
    from runtime.system import System


class Reception:
    """Answers whoever asks a running system."""

    def __init__(self, system: "System") -> None:
        self._system = system

    async def answer(self, command: Command) -> verbs.Answer:
        """Raises Declined for what will not be done, and why."""
        actors = (seat.actor for seat in self._system.seats.values() if seat.started and not seat.off)
        methods = verbs.known((self, *actors))
        if not self._system.begun and (command.verb not in methods or command.verb == "reload"):
            raise verbs.Declined(f"the system is still starting, {command.verb} has to wait; ask again")
        return await verbs.ask(methods, command.verb, command.arguments)

    @verbs.answers("status")
    def _tell_status(self) -> verbs.Answer:
        return self._system.vitals.snapshot()

    @verbs.answers("stop")
    def _stop(self) -> verbs.Answer:
        self._system.leave("asked to stop")
        return {"stopping": True}

    @verbs.answers("reload")
    async def _reload(self) -> verbs.Answer:
        swapping = self._system.swapping.locked()
        if swapping or self._system.vitals.stopping:
            raise verbs.Declined(f"the system {'reloads already' if swapping else 'is stopping'}")
        return await reloading.reload(self._system)
