"""How the twin behaves: which day, how fast, how strict, and what goes wrong."""

import datetime as dt
from typing import Annotated, Any, Literal

import msgspec

from actors.exchange.client import RemoteExchange
from actors.exchange.faults import Fault
from actors.market.calendar import Calendar, UnknownDayError
from actors.market.time import SECOND, at
from runtime.settings.bounds import Amount, Count, Day, Figure, Rate

SAMPLE_DAY = dt.date(2026, 11, 18)
"""A day of ordinary hours."""
_OF_THE_EXCHANGE = (
    "date",
    "begin",
    "finish",
    "seed",
    "issues",
    "history",
    "intensity",
    "speed",
    "cash",
    "latency_ms",
    "account",
    "reentrant",
)
"""Settings that mean nothing where the exchange is another process."""

_Issues = Annotated[int, msgspec.Meta(ge=1, le=1_000)]
_History = Annotated[int, msgspec.Meta(ge=1, le=500)]
_Intensity = Annotated[float, msgspec.Meta(ge=0.001, le=100)]
_Latency = Annotated[int, msgspec.Meta(ge=0, le=60_000)]
_Address = Annotated[str, msgspec.Meta(pattern=r"^(127\.0\.0\.1:\d{1,5})?$")]
_Account = Annotated[str, msgspec.Meta(pattern=r"^\d{10}$")]


class TwinSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One simulated day at a simulated Kiwoom, made here or by the server at `exchange`."""

    exchange: _Address = ""
    """127.0.0.1:PORT of a running `kiwoom-actors exchange`, which has a day, an account and a speed of its own."""
    skew: float = 0.0
    """Seconds by which the clock here is off that exchange's."""
    date: Day = ""
    """YYYY-MM-DD, a trading day; blank is a sample day."""
    begin: str = "08:30"
    finish: str = "15:31"
    seed: Count = 1
    issues: _Issues = 30
    history: _History = 5
    """Days before this one of which there are charts of minutes; of 600 further ones there are day bars."""
    intensity: _Intensity = 1.0
    speed: Figure = 0.0
    """Simulated seconds per second of the wall, at most, on a stepped clock; 0 is as fast as can be."""
    backlog: Count = 0
    """Unhandled records at the consumer over which a stepped exchange waits."""
    cash: Amount = 100_000_000
    commission: Rate = 0.00015
    latency_ms: tuple[_Latency, _Latency] = (3, 15)
    """Of an order on its way to the exchange."""
    account: _Account = "8000000011"
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

    def __post_init__(self) -> None:
        if self.exchange:
            _refuse_foreign(self)
        elif self.skew:
            raise ValueError(f"skew = {self.skew}: an exchange in this process has the same clock")
        _refuse_closed(self.day)
        if _time("begin", self.begin) >= _time("finish", self.finish):
            raise ValueError(f"begin = {self.begin}: not before finish = {self.finish}")
        if self.latency_ms[0] > self.latency_ms[1]:
            raise ValueError(f"latency_ms = {list(self.latency_ms)}: the shortest comes first")
        for number, fault in enumerate(self.faults, 1):
            _refuse_fault(number, fault)

    @property
    def day(self) -> dt.date:
        """Raises ValueError where `date` is none."""
        return dt.date.fromisoformat(self.date) if self.date else SAMPLE_DAY

    @property
    def start(self) -> int:
        """When the day begins, in nanoseconds; an exchange that runs already is asked where it is by now."""
        if self.exchange:
            with RemoteExchange(self.exchange) as exchange:
                return exchange.now + round(self.skew * SECOND)
        begin = dt.time.fromisoformat(self.begin)
        return at(self.day, begin.hour, begin.minute, begin.second)


def _refuse_foreign(settings: TwinSettings) -> None:
    plain = {field.name: field.default for field in msgspec.structs.fields(TwinSettings)}
    for name in _OF_THE_EXCHANGE:
        if getattr(settings, name) != plain[name]:
            raise ValueError(f"{name} = {getattr(settings, name)!r}: the exchange at {settings.exchange} has its own")


def _refuse_closed(day: dt.date) -> None:
    try:
        trades = Calendar().day(day) is not None
    except UnknownDayError as error:
        raise ValueError(f"date = {day}: {error}") from None
    if not trades:
        raise ValueError(f"date = {day}: no trading day; the next one is {Calendar().next_day(day).date}")


def _time(key: str, text: str) -> dt.time:
    try:
        time = dt.time.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is not None:
        raise ValueError(f"{key} = {text!r}: no time of the day; write it as HH:MM")
    return time


def _refuse_fault(number: int, fault: dict[str, Any]) -> None:
    try:
        msgspec.convert(fault, Fault)
    except msgspec.ValidationError as error:
        raise ValueError(f"faults: number {number} will not do: {error}") from None
