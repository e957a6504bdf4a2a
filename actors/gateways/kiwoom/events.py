"""The slots: each copies what its event brings, appends it and returns; the work is done on the asyncio side."""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, ParamSpec, Protocol

import structlog

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.control import Calls, Control
from actors.gateways.kiwoom.orders import chejan

_LOG = structlog.get_logger("gateway.kiwoom")
_TURN: Final = 200
"""Events handled in one turn of the loop."""
_MORE: Final = 2
P = ParamSpec("P")


class Listener(Protocol):
    """Who reads inside the events, and who hears of them afterwards."""

    def read_answer(self, screen: str, name: str, tr: str, following: str) -> object:
        """Inside the event: a copy of what is wanted of this answer, or None."""
        ...

    def on_connect(self, code: int) -> None: ...

    def on_answer(self, screen: str, name: str, answer: object) -> None: ...

    def on_text(self, screen: str, name: str, text: str) -> None: ...

    def on_order_record(self, fields: dict[int, str]) -> None: ...

    def add_real(self, code: str, kind: str, data: str) -> None: ...

    def on_conditions_loaded(self, code: int) -> None: ...

    def on_condition_found(self, listed: str, name: str, more: bool) -> None: ...

    def on_condition_changed(self, code: str, mark: str, name: str) -> None: ...


def _safe(events: "Events", slot: Callable[P, None]) -> Callable[P, None]:
    @wraps(slot)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            slot(*args, **kwargs)
        except Exception:  # noqa: BLE001 - one that leaves a slot ends the process on Windows
            events.failures += 1
            _LOG.exception("a slot failed", slot=slot.__name__)

    return guarded


class Events:
    """Connects the slots to a control and passes on what they took, in the order it came."""

    def __init__(self, control: Control, calls: Calls, listener: Listener) -> None:
        self._calls = calls
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._line: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._scheduled = False
        self.failures = 0
        self._slots = (
            (control.OnEventConnect, _safe(self, self._connected)),
            (control.OnReceiveTrData, _safe(self, self._answered)),
            (control.OnReceiveMsg, _safe(self, self._said)),
            (control.OnReceiveChejanData, _safe(self, self._order_changed)),
            (control.OnReceiveRealData, _safe(self, self._real)),
            (control.OnReceiveConditionVer, _safe(self, self._conditions_loaded)),
            (control.OnReceiveTrCondition, _safe(self, self._condition_found)),
            (control.OnReceiveRealCondition, _safe(self, self._condition_changed)),
        )
        for signal, slot in self._slots:
            signal.connect(slot)

    def close(self) -> None:
        """Hear nothing more."""
        for signal, slot in self._slots:
            signal.disconnect(slot)
        self._line.clear()

    def _connected(self, code: int) -> None:
        self._append(self._listener.on_connect, code)

    def _answered(
        self,
        screen: str,
        name: str,
        tr: str,
        record: str,
        following: str,
        *_unused: object,
    ) -> None:
        del record
        answer = self._listener.read_answer(screen, name, tr, following)
        if answer is not None:
            self._append(self._listener.on_answer, screen, name, answer)

    def _said(self, screen: str, name: str, tr: str, text: str) -> None:
        del tr
        self._append(self._listener.on_text, screen, name, text)

    def _order_changed(self, kind: str, count: int, fids: str) -> None:
        del count, fids
        if kind == codes.CHEJAN_ORDER:
            fields = {int(fid): self._calls.chejan(fid) for fid in chejan.FIDS}
            self._append(self._listener.on_order_record, fields)

    def _real(self, code: str, kind: str, data: str) -> None:
        self._listener.add_real(code, kind, data)

    def _conditions_loaded(self, code: int, text: str) -> None:
        del text
        self._append(self._listener.on_conditions_loaded, code)

    def _condition_found(self, screen: str, listed: str, name: str, index: int, following: int) -> None:
        del screen, index
        self._append(self._listener.on_condition_found, listed, name, following == _MORE)

    def _condition_changed(self, code: str, mark: str, name: str, index: str) -> None:
        del index
        self._append(self._listener.on_condition_changed, code, mark, name)

    def _append(self, handler: Callable[..., None], *args: object) -> None:
        self._line.append((handler, args))
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._drain)

    def _drain(self) -> None:
        self._scheduled = False
        try:
            for _ in range(min(_TURN, len(self._line))):
                handler, args = self._line.popleft()
                handler(*args)
        finally:
            if self._line and not self._scheduled:
                self._scheduled = True
                self._loop.call_soon(self._drain)
