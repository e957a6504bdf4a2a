"""A fault script: what a gateway's other end does wrong, when, and how often."""

import datetime as dt
import random
from collections.abc import Sequence
from enum import StrEnum

from actors.market.time import kst
from messages import Record
from runtime.settings.bounds import Count, Part, Seconds, Several


class FaultKind(StrEnum):
    """What goes wrong."""

    DROP = "drop"
    """The record never comes."""
    REPEAT = "repeat"
    """The record comes twice."""
    DELAY = "delay"
    """The record comes `seconds` later."""
    BLANK = "blank"
    """The answer comes, and nothing is in it."""
    REORDER = "reorder"
    """The record comes after its successor."""
    DISCONNECT = "disconnect"
    """The line breaks for `seconds`."""
    REFUSE = "refuse"
    """The call answers `code`."""
    LOSE = "lose"
    """The call is carried out and answers `code` all the same."""
    STALL = "stall"
    """Nothing at all comes for `seconds`, then everything at once."""


class Fault(Record, forbid_unknown_fields=True):
    """One thing that goes wrong; every condition given must hold."""

    kind: FaultKind
    record: str = ""
    """Kind of record it strikes, in the gateway's words (`주식체결`, `chejan`, `SendOrder`); blank strikes any."""
    symbol: str = ""
    at: dt.time | None = None
    """Not before this time of the day in Seoul."""
    until: dt.time | None = None
    """Not from this time on."""
    nth: Several = 1
    """The first record it strikes, counted among those that meet the conditions above."""
    times: Count = 1
    """How many it strikes; 0 for all that follow."""
    chance: Part = 1.0
    """Of striking each of them."""
    seconds: Seconds = 0.0
    code: int = 0


class FaultScript:
    """Says for each record what happens to it; same faults, generator and records, same answers."""

    def __init__(self, faults: Sequence[Fault], rng: random.Random) -> None:
        self._faults = tuple(faults)
        self._rng = rng
        self._of: dict[str, tuple[int, ...]] = {}
        """Places of the faults that strike a kind of record."""
        self._met = [0] * len(self._faults)
        self._struck = [0] * len(self._faults)

    def on_record(self, kind: str, now: int, symbol: str = "") -> tuple[Fault, ...]:
        """The faults that strike this record, in the order of the script; `now` in ns."""
        places = self._of.get(kind)
        if places is None:
            places = self._of[kind] = tuple(n for n, fault in enumerate(self._faults) if _concerns(fault, kind))
        if not places:
            return ()
        clock = kst(now).time()
        return tuple(self._faults[place] for place in places if self._strikes(place, clock, symbol))

    def due(self, now: int) -> tuple[Fault, ...]:
        """The faults that need no record (kind `clock`): ask once a slice."""
        return self.on_record("clock", now)

    @property
    def spent(self) -> bool:
        """Whether every fault of a limited number has struck that often."""
        return all(
            fault.times and struck >= fault.times for fault, struck in zip(self._faults, self._struck, strict=True)
        )

    def _strikes(self, place: int, clock: dt.time, symbol: str) -> bool:
        fault = self._faults[place]
        if fault.times and self._struck[place] >= fault.times:
            return False
        if not _meets(fault, clock, symbol):
            return False
        self._met[place] += 1
        if self._met[place] < fault.nth or (fault.chance < 1.0 and self._rng.random() >= fault.chance):
            return False
        self._struck[place] += 1
        return True


def _concerns(fault: Fault, kind: str) -> bool:
    return fault.record in (kind, "" if kind != "clock" else "clock")


def _meets(fault: Fault, clock: dt.time, symbol: str) -> bool:
    return (
        fault.symbol in ("", symbol)
        and (fault.at is None or clock >= fault.at)
        and (fault.until is None or clock < fault.until)
    )
