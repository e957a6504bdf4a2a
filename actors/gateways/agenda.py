"""What a day has besides its records: what was recorded of it, and the calendar's sessions where that is silent."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from typing import Final, TypeGuard

from actors.market import krx
from actors.market.storage.events import Event, MarketEvent
from actors.market.storage.loose import EVER
from actors.market.time import SECOND
from actors.market.venues import HOME
from messages import Nanoseconds, Session, SessionChanged, Symbol, Venue, ViReleased, ViTriggered

CLOSING: Final = 60 * SECOND
"""How long after the close the closing auction's prints may come: it is prolonged by up to half a minute."""
LATE: Final = 60 * SECOND
"""How long after its time a session may be told: until then the calendar's word is not taken for it."""
AT_ONCE: Final = SECOND
"""Within this their numbers tell which of an event and a print came first, for it is published after it was received.
It may be told so much after the bar began that begins with it."""
INTERRUPTION: Final = (krx.VI_AUCTION + 2 * krx.VI_EXTENSION) * SECOND
"""After this one of which no release was recorded is over."""
_when: Final = attrgetter("time")


class Agenda:
    """One day of a history, to be asked before each of its records, in order, and once behind the last.

    What was recorded comes as it was. A session of the calendar comes where none of the home venue was recorded by
    then; behind the last record those that were yet to come, and in any case the end of the day. `charted`: the
    records are bars.
    """

    def __init__(self, told: Sequence[Event], phases: Sequence[SessionChanged], *, charted: bool = False) -> None:
        homes = [event for event in told if _is_of_home(event.message)]
        self._told = deque(whole(told))
        self._phases = deque(phases)
        self._charted = charted
        self._calendar_until = homes[0].time - LATE if homes else EVER
        self._last = homes[-1].time if homes else -EVER
        self._heard = False
        self._closed = any(_is_the_end(event.message) for event in homes)
        self._next = -EVER

    def before(self, instant: int, number: int) -> Sequence[Event]:
        """What comes before the print or book of that number, received then, or before a bar that began then."""
        if instant < self._next:
            return ()
        told = list(self._before(instant, number))
        found = sorted([*told, *self._guessed(instant)], key=_when)
        self._next = min(self._told[0].time - AT_ONCE if self._told else EVER, self._due())
        return found

    def rest(self, last: int) -> list[Event]:
        """What is left behind the last record, which was received at `last`."""
        return sorted([*self._told, *map(_guess, self._missing(max(last, self._last)))], key=_when)

    def _before(self, instant: int, number: int) -> Iterator[Event]:
        while self._told and self._precedes(self._told[0], instant, number):
            event = self._told.popleft()
            self._heard = self._heard or _is_of_home(event.message)
            yield event._replace(time=min(event.time, instant))

    def _precedes(self, event: Event, instant: int, number: int) -> bool:
        if self._charted:
            return event.time + (CLOSING if _is_the_end(event.message) else -AT_ONCE) <= instant
        return event.time < instant or (event.number < number and event.time - instant <= AT_ONCE)

    def _guessed(self, instant: int) -> Iterator[Event]:
        while self._due() <= instant:
            yield _guess(self._phases.popleft())

    def _due(self) -> int:
        """When the calendar's next session is played."""
        if self._heard or not self._phases:
            return EVER
        due = _due(self._phases[0])
        return due if due <= self._calendar_until else EVER

    def _missing(self, last: int) -> Iterable[SessionChanged]:
        if self._closed:
            return ()
        return [p for p in self._phases if self._calendar_until == EVER or p.time > last or _is_the_end(p)]


def whole(events: Iterable[Event]) -> list[Event]:
    """Each once, and the end of every interruption: of one whose release is missing when it had to be over."""
    once: dict[MarketEvent, Event] = {}
    for event in events:
        once.setdefault(event.message, event)
    return sorted([*once.values(), *map(_released, _unreleased(once.values()))], key=_when)


def _unreleased(events: Iterable[Event]) -> Iterator[Event]:
    under_way: dict[tuple[Symbol, Venue], Event] = {}
    for event in events:
        if isinstance(event.message, ViTriggered | ViReleased):
            key = event.message.symbol, event.message.venue
            before = under_way.pop(key, None)
            if before is not None and event.time - before.time > INTERRUPTION:
                yield before
            if isinstance(event.message, ViTriggered):
                under_way[key] = event
    yield from under_way.values()


def _released(event: Event) -> Event:
    assert isinstance(event.message, ViTriggered)
    time = event.time + INTERRUPTION
    told = ViReleased(symbol=event.message.symbol, venue=event.message.venue, time=Nanoseconds(time))
    return Event(time, EVER, told)


def _guess(phase: SessionChanged) -> Event:
    return Event(phase.time, 0, phase)


def _due(phase: SessionChanged) -> int:
    return phase.time + (CLOSING if _is_the_end(phase) else 0)


def _is_of_home(message: MarketEvent) -> TypeGuard[SessionChanged]:
    return isinstance(message, SessionChanged) and message.venue is HOME and not message.remaining


def _is_the_end(message: MarketEvent) -> bool:
    return _is_of_home(message) and message.session is Session.CLOSED_FOR_DAY
