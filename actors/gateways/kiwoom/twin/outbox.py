"""What the twin sends, on its way through the fault script."""

import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from actors.exchange.faults import Fault, FaultKind, FaultScript
from runtime.clock import Clock


class Answer(NamedTuple):
    """What the data calls give while an OnReceiveTrData lasts."""

    tr: str
    names: tuple[str, ...]
    """Under any of these GetCommData finds it: the RQName and the record names."""
    single: Mapping[str, str]
    columns: tuple[str, ...] = ()
    rows: Sequence[Mapping[str, str]] = ()


Data = Answer | Mapping[int, str] | None


class Event(NamedTuple):
    """One signal with its arguments, and what can be read while it lasts."""

    kind: str
    """What a fault script calls it: a real type, `chejan`, `answer`, `message`, `login`, `condition`, or a TR."""
    signal: str
    args: tuple[Any, ...]
    data: Data = None
    symbol: str = ""


Deliver = Callable[[Event], None]


class Outbox:
    """Passes events on in their order, except where the script says otherwise."""

    def __init__(
        self, script: FaultScript, clock: Clock, now: Callable[[], int], deliver: Deliver, cut: Callable[[float], None]
    ) -> None:
        self._script = script
        self._clock = clock
        self._now = now
        self._deliver = deliver
        self._cut = cut
        self._late: list[Event] = []
        self._stalled: deque[Event] | None = None

    def send(self, event: Event) -> None:
        """Deliver now, or as the script has it."""
        faults = self._script.on_record(event.kind, self._now(), event.symbol)
        if any(fault.kind is FaultKind.BLANK for fault in faults):
            event = _blanked(event)
        for fault in faults:
            if self._swallows(fault, event):
                return
        self._pass(event)
        if any(fault.kind is FaultKind.REPEAT for fault in faults):
            self._pass(event)
        late, self._late = self._late, []
        for earlier in late:
            self._pass(earlier)

    def look_at_clock(self) -> None:
        """Let faults strike that need no record."""
        for fault in self._script.due(self._now()):
            self._breaks(fault)

    def strikes(self, call: str, symbol: str = "") -> Fault | None:
        """What makes a call answer a code: a refusal, or the loss of its answer. None where it may pass."""
        for fault in self._script.on_record(call, self._now(), symbol):
            if fault.kind in {FaultKind.REFUSE, FaultKind.LOSE}:
                return fault
            self._breaks(fault)
        return None

    def heal(self) -> None:
        """Nothing goes wrong from here on; what was held back goes out."""
        self._script = FaultScript((), random.Random(0))
        late, self._late = self._late, []
        for event in late:
            self._pass(event)

    def clear(self) -> None:
        """Forget what is held back: the line is cut."""
        self._late.clear()
        if self._stalled is not None:
            self._stalled.clear()

    def _swallows(self, fault: Fault, event: Event) -> bool:
        if fault.kind is FaultKind.DELAY:
            self._clock.call_later(fault.seconds, partial(self._pass, event))
        elif fault.kind is FaultKind.REORDER:
            self._late.append(event)
        elif fault.kind is not FaultKind.DROP:
            self._breaks(fault)
            return fault.kind is FaultKind.DISCONNECT
        return True

    def _breaks(self, fault: Fault) -> None:
        if fault.kind is FaultKind.DISCONNECT:
            self._cut(fault.seconds)
        elif fault.kind is FaultKind.STALL and self._stalled is None:
            self._stalled = deque()
            self._clock.call_later(fault.seconds, self._flow)

    def _flow(self) -> None:
        stalled, self._stalled = self._stalled or deque[Event](), None
        for event in stalled:
            self._deliver(event)

    def _pass(self, event: Event) -> None:
        if self._stalled is None:
            self._deliver(event)
        else:
            self._stalled.append(event)


def _blanked(event: Event) -> Event:
    answer = event.data
    return event._replace(data=answer._replace(single={}, rows=())) if isinstance(answer, Answer) else event
