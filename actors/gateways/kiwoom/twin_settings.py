"""How the twin behaves: which day, how fast, how strict, and what goes wrong."""

import datetime as dt
from typing import Any, Literal

import msgspec

from actors.market.time import at

SAMPLE_DAY = dt.date(2026, 11, 18)
"""A day of ordinary hours."""


class TwinSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One simulated day at a simulated Kiwoom."""

    date: str = ""
    """YYYY-MM-DD, a trading day; blank is a sample day."""
    begin: str = "08:30"
    finish: str = "15:31"
    seed: int = 1
    issues: int = 30
    intensity: float = 1.0
    speed: float = 0.0
    """Simulated seconds per second of the wall, at most, on a stepped clock; 0 is as fast as can be."""
    backlog: int = 0
    """Unhandled records at the consumer over which a stepped exchange waits."""
    cash: int = 100_000_000
    commission: float = 0.00015
    latency_ms: tuple[int, int] = (3, 15)
    """Of an order on its way to the exchange."""
    account: str = "8000000011"
    server: Literal["mock", "real"] = "mock"
    """The mock server takes the kinds 00 and 03 alone."""
    answers: Literal["mixed", "official", "recorded", "late"] = "mixed"
    """Where an order's TR answer comes: before its message, after it, or after the first chejan records."""
    clearing: Literal["mixed", "after", "before", "none"] = "mixed"
    """Where the clearing record of a replaced or canceled order comes: after or before 확인, or never."""
    load_box: bool = False
    """Whether queries beyond 5 in 18 s, 25 in 90 s, 50 in 180 s or 1,000 in an hour end all queries for good."""
    reentrant: bool = False
    """Whether answers come inside the call that asks for them."""
    faults: tuple[dict[str, Any], ...] = ()
    """Tables of `actors.exchange.faults.Fault`. Their `record` is a real type, `chejan`, `answer`, `message` (of orders
    and queries), a TR in lower case, `login`, `condition`, `clock`, or a call to refuse, such as `SendOrder`."""

    @property
    def day(self) -> dt.date:
        """Raises ValueError where `date` is none."""
        return dt.date.fromisoformat(self.date) if self.date else SAMPLE_DAY

    @property
    def start(self) -> int:
        """When the day begins, in nanoseconds. Raises ValueError where `begin` is no time of day."""
        begin = dt.time.fromisoformat(self.begin)
        return at(self.day, begin.hour, begin.minute, begin.second)
