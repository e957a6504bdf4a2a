"""The runtime's own verbs, and the way to those of the actors."""

from collections.abc import Callable

from runtime.life import reload as reloading
from runtime.life.crew import Crew
from runtime.outside import verbs
from runtime.outside.inbox import Command


class Reception:
    """Answers whoever asks a running system; `leave` ends it for who waits for that."""

    def __init__(self, crew: Crew, leave: Callable[[str], None]) -> None:
        self._crew = crew
        self._leave = leave

    async def answer(self, command: Command) -> verbs.Answer:
        """Raises Declined for what will not be done, and why."""
        actors = (seat.actor for seat in self._crew.seats.values() if seat.started and not seat.off)
        methods = verbs.known((self, *actors))
        if not self._crew.begun and (command.verb not in methods or command.verb == "reload"):
            raise verbs.Declined(f"the system is still starting, {command.verb} has to wait; ask again")
        return await verbs.ask(methods, command.verb, command.arguments)

    @verbs.answers("status")
    def _tell_status(self) -> verbs.Answer:
        return self._crew.vitals.snapshot()

    @verbs.answers("stop")
    def _stop(self) -> verbs.Answer:
        self._leave("asked to stop")
        return {"stopping": True}

    @verbs.answers("reload")
    async def _reload(self) -> verbs.Answer:
        swapping = self._crew.swapping.locked()
        if swapping or self._crew.vitals.stopping:
            raise verbs.Declined(f"the system {'reloads already' if swapping else 'is stopping'}")
        return await reloading.reload(self._crew)
