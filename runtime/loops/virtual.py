"""An asyncio loop whose time is counted, not measured: a day of timers passes at once."""

import asyncio
import random
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import TYPE_CHECKING, Any, NoReturn

from runtime.loops.timers import Timers

_SECOND = 1_000_000_000
_OUTSIDE = (
    "add_reader",
    "add_writer",
    "connect_accepted_socket",
    "connect_read_pipe",
    "connect_write_pipe",
    "create_connection",
    "create_datagram_endpoint",
    "create_server",
    "create_unix_connection",
    "create_unix_server",
    "getaddrinfo",
    "run_in_executor",
    "sendfile",
    "sock_accept",
    "sock_connect",
    "sock_recv",
    "sock_sendall",
    "subprocess_exec",
    "subprocess_shell",
)

Work = Callable[..., object]


class Deadlock(Exception):
    """Nothing is ready and no timer is pending, so nothing would ever happen again."""


class NotSimulated(Exception):
    """Something asked simulated time for a thread, a socket or a process."""


if TYPE_CHECKING:

    class BaseEventLoop(asyncio.BaseEventLoop):
        """What the stubs leave out."""

        def _check_closed(self) -> None: ...

        def _add_callback(self, handle: asyncio.Handle) -> None: ...
else:
    BaseEventLoop = asyncio.BaseEventLoop


class VirtualLoop(BaseEventLoop):
    """Runs what is ready, then jumps to the next timer; time starts at 0 and is exact to the nanosecond.

    Timers due together run in order of creation, or in an order drawn from `ties`.
    Raises Deadlock instead of waiting for ever, NotSimulated where a real loop would reach outside.
    """

    def __init__(self, ties: random.Random | None = None) -> None:
        self._elapsed = 0
        self._timers: Timers[int, asyncio.TimerHandle] = Timers(ties)
        super().__init__()
        self._selector = _Jump(self)

    @property
    def elapsed(self) -> int:
        """Nanoseconds since the loop was made."""
        return self._elapsed

    def time(self) -> float:
        return self._elapsed / _SECOND

    def call_at_elapsed(
        self, when: int, callback: Work, *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run the callback when that many nanoseconds have passed."""
        self._check_closed()
        handle = asyncio.TimerHandle(when / _SECOND, callback, args, self, context)
        self._timers.add(when, handle)
        return handle

    def call_at(self, when: float, callback: Work, *args: Any, context: Context | None = None) -> asyncio.TimerHandle:
        return self.call_at_elapsed(round(when * _SECOND), callback, *args, context=context)

    def call_later(
        self, delay: float, callback: Work, *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at_elapsed(self._elapsed + round(delay * _SECOND), callback, *args, context=context)

    def close(self) -> None:
        super().close()
        self._timers.clear()

    def jump(self) -> None:
        """Move time to the next timer; raises Deadlock when there is none."""
        due = self._timers.next_due()
        if due is None:
            raise Deadlock(f"nothing is ready and no timer is pending; {_waiting(self)}")
        self._elapsed = max(self._elapsed, due)

    def due(self) -> list[asyncio.TimerHandle]:
        """Take the timers whose time has come."""
        handles: list[asyncio.TimerHandle] = []
        while (when := self._timers.next_due()) is not None and when <= self._elapsed:
            handles.append(self._timers.pop())
        return handles

    def _process_events(self, event_list: Sequence[asyncio.TimerHandle]) -> None:
        for handle in event_list:
            self._add_callback(handle)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:  # noqa: ARG002
        self._timers.count_cancelled()

    def _write_to_self(self) -> None:
        """Nothing sleeps here, so nothing has to be woken."""


class _Jump:
    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[asyncio.TimerHandle]:
        if timeout is None:
            self._loop.jump()
        return self._loop.due()


def _waiting(loop: asyncio.AbstractEventLoop) -> str:
    names = sorted(task.get_name() for task in asyncio.all_tasks(loop))
    return f"{len(names)} tasks wait for ever: {', '.join(names)}"


def _refusal(name: str) -> Callable[..., NoReturn]:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise NotSimulated(f"{name}: simulated time has no threads, sockets or processes")

    return refuse


for _name in _OUTSIDE:
    setattr(VirtualLoop, _name, _refusal(_name))
