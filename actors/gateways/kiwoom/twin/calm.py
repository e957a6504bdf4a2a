"""When a stepped clock may move: nobody has had work for a while, and nothing holds it."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

from runtime.clock import SteppedClock

QUIET_TURNS: Final = 2
"""Turns of the loop in which nobody had work, before a stepped day goes on: records pass from task to task."""
_STUCK: Final = 16
"""Looks at a backlog in which nothing moved, after which its consumer must be waiting for time itself."""


class Calm:
    """Runs the next step once all is quiet; `backlog()` is what the consumer of the records is behind by."""

    def __init__(self, clock: SteppedClock, backlog: Callable[[], int]) -> None:
        self._clock = clock
        self._backlog = backlog
        self._quiet = 0
        self._behind = self._looks = 0
        self._closed = False

    def soon(self, step: Callable[[], None]) -> None:
        """Look on the loop's next turn."""
        asyncio.get_running_loop().call_soon(self.look, step)

    def look(self, step: Callable[[], None]) -> None:
        """Run the step if all is quiet, or look again until it is."""
        if self._closed:
            return
        if self._clock.held:
            self._clock.when_free(partial(self.soon, step))
            return
        self._quiet = 0 if self._is_worked_at() or not self._clock.idle() else self._quiet + 1
        if self._quiet < QUIET_TURNS:
            self.soon(step)
        else:
            step()

    def disturb(self, *, much: bool, paced: bool = False) -> None:
        """A step was made; one that brought nothing needs to be waited for a single turn.

        Where a timer says when to look, no turns have been counted until then: what is under way needs some more.
        """
        self._quiet = -QUIET_TURNS if paced else 0 if much else QUIET_TURNS - 1

    def close(self) -> None:
        """Run no step any more."""
        self._closed = True

    def _is_worked_at(self) -> bool:
        behind = self._backlog()
        self._looks = self._looks + 1 if behind == self._behind else 0
        self._behind = behind
        return behind > 0 and self._looks < _STUCK
