"""Kiwoom's control over the simulated exchange: the same calls and events, everywhere Windows is not."""

import random
from collections.abc import Callable
from typing import Any

from PyQt5.QtCore import QObject, pyqtSignal

from actors.exchange.exchange import Exchange
from actors.gateways.kiwoom.twin.calls import Calls, arguments_of
from actors.gateways.kiwoom.twin.outbox import Answer, Event
from actors.gateways.kiwoom.twin.reading import NO_REAL, Reading
from actors.gateways.kiwoom.twin.server import Server
from actors.gateways.kiwoom.twin.settings import TwinSettings
from runtime.clock import Clock

__all__ = ["Twin", "TwinSettings", "open_control"]


class Twin(QObject):
    """The control; calls never raise, and events come on later turns of the loop."""

    OnEventConnect = pyqtSignal(int)
    OnReceiveMsg = pyqtSignal(str, str, str, str)
    OnReceiveTrData = pyqtSignal(str, str, str, str, str, int, str, str, str)
    OnReceiveRealData = pyqtSignal(object, object, object)
    """Three texts: as objects they pass Qt at a third less."""
    OnReceiveChejanData = pyqtSignal(str, int, str)
    OnReceiveConditionVer = pyqtSignal(int, str)
    OnReceiveTrCondition = pyqtSignal(str, str, str, int, int)
    OnReceiveRealCondition = pyqtSignal(str, str, str, str)

    def __init__(
        self, settings: TwinSettings, clock: Clock, rng: random.Random, exchange: Exchange | None = None
    ) -> None:
        super().__init__()
        self._reading = Reading()
        self._emit_real: Callable[[str, str, str], None] = self.OnReceiveRealData.emit
        self.server = Server(settings, clock, rng, self._deliver, self._show, exchange)
        self._calls = Calls(self.server, self._reading)

    @property
    def start(self) -> int:
        """When the simulated day begins, in nanoseconds; a clock must not be past it then."""
        return self.server.exchange.start

    @property
    def backlog(self) -> Callable[[], int]:
        """How many records the consumer has not handled; a sped-up exchange waits while they are too many."""
        return self.server.backlog

    @backlog.setter
    def backlog(self, count: Callable[[], int]) -> None:
        self.server.backlog = count

    @property
    def on_day_end(self) -> Callable[[], None]:
        """Called once, after the day's last record."""
        return self.server.on_day_end

    @on_day_end.setter
    def on_day_end(self, hook: Callable[[], None]) -> None:
        self.server.on_day_end = hook

    def dynamicCall(self, function: str, *arguments: Any) -> Any:  # noqa: N802 - Qt's name
        """Call a method by its signature, with arguments one by one (8 at most) or as one list."""
        given = arguments_of(arguments)
        return None if given is None else self._calls.call(function, given)

    def close(self) -> None:
        """End the simulation: nothing comes any more."""
        self.server.day.close()
        self.server.connected = False

    def _deliver(self, event: Event) -> None:
        if event.signal == "OnReceiveRealData":
            self._show(*event.args)
        elif self.server.connected or event.signal == "OnEventConnect":
            self._emit(event)

    def _emit(self, event: Event) -> None:
        reading, data = self._reading, event.data
        before = reading.answer, reading.chejan
        reading.answer = data if isinstance(data, Answer) else None
        reading.chejan = {} if data is None or isinstance(data, Answer) else data
        getattr(self, event.signal).emit(*event.args)
        reading.answer, reading.chejan = before

    def _show(self, code: str, kind: str, fields: str) -> None:
        if self.server.connected:
            reading = self._reading
            reading.real = (code, kind, fields)
            self._emit_real(code, kind, fields)
            reading.real = NO_REAL


def open_control(settings: TwinSettings, clock: Clock, rng: random.Random, exchange: Exchange | None = None) -> Twin:
    """A twin that is ready for CommConnect, over an `exchange` that was there before or one of its own.

    Raises ValueError for a day that the exchange can't have, ConnectionError where a server of one isn't there.
    """
    return Twin(settings, clock, rng, exchange)
