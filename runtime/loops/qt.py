"""Qt's event loop as the asyncio loop: one ready queue and one heap behind one Qt timer."""

import asyncio
import math
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from functools import cache
from socket import socket
from time import perf_counter
from typing import TYPE_CHECKING, Any

from PyQt5.QtCore import QCoreApplication, QObject, Qt, QTimer, pyqtSignal

from runtime.loops.timers import Timers

if TYPE_CHECKING:

    class QEventLoop(asyncio.SelectorEventLoop):
        """What qasync does not say about its types."""

        _csock: socket

        def __init__(self, app: QCoreApplication) -> None: ...

        def _check_closed(self) -> None: ...
else:
    os.environ["QT_API"] = "pyqt5"
    from qasync import QEventLoop

_TURN = 0.001  # seconds of asyncio before Qt is served again
_LONGEST_SLEEP = 86_400_000  # Qt counts milliseconds in 32 bits
_NAME = "kiwoom-actors"
_HEARTBEAT = 200  # milliseconds until Windows, which wakes for no signal, sees one

Work = Callable[..., object]


class _Waker(QObject):
    woken = pyqtSignal()


class QtLoop(QEventLoop):
    """A qasync loop whose timers are exact, cheap, and gone when cancelled.

    Callbacks run first in, first out, for a millisecond a turn. Timers never fire early, and in order of
    creation when due together. A Qt loop nested in a callback serves Qt alone until it ends. One that is to `spin`
    never sleeps: it takes a core, and what has not slept finds its way from price to order in the caches.
    """

    def __init__(self, application: QCoreApplication, *, spin: bool = False) -> None:
        self._soon: deque[asyncio.Handle] = deque()
        self._timers: Timers[float, asyncio.TimerHandle] = Timers()
        self._next = math.inf
        self._awake = False
        self._called = False
        self._turning = False
        self._halted = True
        self._home = threading.get_ident()
        self._escaped: BaseException | None = None
        self._waker = _Waker()
        self._waker.woken.connect(self._turn)
        self._clock = _timer(self._turn, single=True)
        self._heartbeat = _timer(_beat, single=False)
        self._restless = QTimer() if spin else None
        """Due at every turn and connected to nothing: Qt comes round without Python, which its threads can use."""
        super().__init__(application)
        # a QThread still running when the interpreter ends aborts the process
        self.set_default_executor(ThreadPoolExecutor(thread_name_prefix="loop"))

    @property
    def spins(self) -> bool:
        """Whether it comes round without sleep now."""
        return self._restless is not None and self._restless.isActive()

    def time(self) -> float:
        """Seconds by the finest monotonic clock: the other one steps 15.6 ms on Windows."""
        return perf_counter()

    def call_soon(self, callback: Work, *args: Any, context: Context | None = None) -> asyncio.Handle:
        self._check_closed()
        handle = asyncio.Handle(callback, args, self, context)
        self._add_callback(handle)
        return handle

    def call_soon_threadsafe(self, callback: Work, *args: Any, context: Context | None = None) -> asyncio.Handle:
        self._check_closed()
        handle = asyncio.Handle(callback, args, self, context)
        self._add_callback_signalsafe(handle)
        return handle

    def call_later(
        self, delay: float, callback: Work, *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(perf_counter() + delay, callback, *args, context=context)

    def call_at(self, when: float, callback: Work, *args: Any, context: Context | None = None) -> asyncio.TimerHandle:
        self._check_closed()
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers.add(when, handle)
        if when < self._next:
            self._next = when
            if not self._awake:
                self._sleep()
        return handle

    run_until_complete = asyncio.BaseEventLoop.run_until_complete

    def run_forever(self) -> None:
        """Run until `stop`; what ends Python, such as SystemExit, comes out of here."""
        self._halted = False
        self._sleep()
        if self._restless is not None:
            self._restless.start(0)
        before = self._watch_signals()
        try:
            super().run_forever()
        finally:
            self._halted = True
            if self._restless is not None:
                self._restless.stop()
            self._unwatch_signals(before)
        escaped, self._escaped = self._escaped, None
        if escaped is not None:
            raise escaped

    def stop(self) -> None:
        self._halted = True
        super().stop()

    def close(self) -> None:
        if not self.is_closed():
            super().close()
            self._clock.stop()
            self._soon.clear()
            self._timers.clear()

    def add_signal_handler(self, sig: int, callback: Work, *args: Any) -> None:
        """Call back on a signal, on Windows too."""
        if sys.platform != "win32":
            super().add_signal_handler(sig, callback, *args)
        else:
            signal.signal(sig, lambda *_: self.call_soon_threadsafe(callback, *args))

    def remove_signal_handler(self, sig: int) -> bool:
        if sys.platform != "win32":
            return super().remove_signal_handler(sig)
        usual = signal.default_int_handler if sig == signal.SIGINT else signal.SIG_DFL
        return signal.signal(sig, usual) is not usual

    if sys.platform == "win32":

        def _process_events(self, events: list[tuple[Any, ...]]) -> None:
            """Queued behind Qt's own, an event may come after its future is done, or after the loop is closed."""
            for event in events:
                if not (event[0].done() or self.is_closed()):
                    super()._process_events([event])

    def _add_callback(self, handle: asyncio.Handle) -> None:
        self._soon.append(handle)
        if not self._awake:
            self._awake = True
            self._clock.start(0)

    def _add_callback_signalsafe(self, handle: asyncio.Handle) -> None:
        if threading.get_ident() == self._home:
            self._add_callback(handle)
            return
        self._soon.append(handle)
        if not self._called:
            self._called = True
            self._waker.woken.emit()

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:  # noqa: ARG002
        self._timers.count_cancelled()

    def _turn(self) -> None:
        self._called = False
        if self._turning:  # a nested Qt loop: two asyncio tasks can't be under way at once
            return
        if self._halted:
            self._awake = False
            return
        self._turning = self._awake = True
        try:
            self._serve(perf_counter() + _TURN)
        except BaseException as escaped:  # noqa: BLE001 - Qt aborts the process on it
            self._escaped = escaped
            self.stop()
        finally:
            self._turning = False
            self._sleep()

    def _serve(self, until: float) -> None:
        soon = self._soon
        while not self._halted:
            now = perf_counter()
            if now >= self._next:
                self._release(now)
            if not soon or now >= until:
                return
            handle = soon.popleft()
            if not handle.cancelled():
                handle._run()  # noqa: SLF001

    def _release(self, now: float) -> None:
        timers = self._timers
        while (due := timers.next_due()) is not None and due <= now:
            self._soon.append(timers.pop())
        self._next = math.inf if due is None else due

    def _sleep(self) -> None:
        if self._next < math.inf:
            left = math.ceil((self._next - perf_counter()) * 1000)
            self._clock.start(min(max(left, 0), _LONGEST_SLEEP))
        self._awake = bool(self._soon)  # looked at last, as a signal handler may call in between
        if self._awake:
            self._clock.start(0)

    def _watch_signals(self) -> int:
        if threading.current_thread() is not threading.main_thread():
            return -1
        if sys.platform == "win32":
            self._heartbeat.start(_HEARTBEAT)
            return -1
        return signal.set_wakeup_fd(self._csock.fileno())

    def _unwatch_signals(self, before: int) -> None:
        self._heartbeat.stop()
        if threading.current_thread() is threading.main_thread() and sys.platform != "win32":
            signal.set_wakeup_fd(before)


def _timer(slot: Callable[[], None], *, single: bool) -> QTimer:
    timer = QTimer()
    timer.setSingleShot(single)
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(slot)
    return timer


def _beat() -> None:
    pass


@cache
def application(*, widgets: bool) -> QCoreApplication:
    """The process's one Qt application, made on the first call; raises RuntimeError if it can't have widgets."""
    existing = QCoreApplication.instance()
    if widgets:
        from PyQt5.QtWidgets import QApplication  # noqa: PLC0415 - the twin needs no screen

        _without_a_screen()
        if existing is not None and not isinstance(existing, QApplication):
            raise RuntimeError("this process has a Qt application without widgets, and can have no other")
        made = existing or QApplication([_NAME])
        made.setQuitOnLastWindowClosed(False)  # closing a control would stop the loop
        return made
    return existing or QCoreApplication([_NAME])


def _without_a_screen() -> None:
    if sys.platform == "linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
