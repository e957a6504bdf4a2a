"""What can be traded: symbols, their daily data, rankings and universes."""

from enum import StrEnum
from typing import ClassVar, NewType

from messages.base import Lane, Message, Overflow, Record

Symbol = NewType("Symbol", str)
"""The bare issue code: six characters, letters possible, never a prefix or a suffix."""

Won = NewType("Won", int)
"""Korean won. There are no fractions of it anywhere in this system."""

Shares = NewType("Shares", int)
"""A count of shares."""

Nanoseconds = NewType("Nanoseconds", int)
"""An instant: nanoseconds since the epoch, UTC."""


class Venue(StrEnum):
    """Where an issue trades; part of every key."""

    KRX = "KRX"
    NXT = "NXT"
    SOR = "SOR"
    """The merged book of both (통합)."""


class Market(StrEnum):
    """The board an issue is listed on; it decides ticks, tax and volatility bands."""

    KOSPI = "KOSPI"
    KOSDAQ = "KOSDAQ"
    KONEX = "KONEX"
    ETF = "ETF"
    ETN = "ETN"
    ELW = "ELW"


class Designation(StrEnum):
    """A mark of the exchange that makes buying an issue unwise or impossible."""

    NONE = "none"
    CAUTION = "투자주의"
    ALERT = "투자경고"
    RISK = "투자위험"
    OVERHEATED = "단기과열"
    ADMINISTRATIVE = "관리종목"
    LIQUIDATION = "정리매매"


class Instrument(Message):
    """One issue as it stands this trading day."""

    lane: ClassVar = Lane.ORDER
    key: ClassVar = ("symbol", "venue")
    symbol: Symbol
    venue: Venue = Venue.KRX
    name: str
    market: Market
    base_price: Won
    """기준가: the reference of the day's price limits."""
    upper_limit: Won
    lower_limit: Won
    listed_shares: Shares = Shares(0)
    """0 where unknown."""
    kospi200: bool = False
    """Members, and plain index funds, have narrower dynamic VI bands; where it is not known who is one, they count."""
    sector: str = ""
    designation: Designation = Designation.NONE
    halted: bool = False


class InstrumentHalted(Message):
    """Trading of an issue stopped or resumed (거래정지)."""

    key: ClassVar = ("symbol", "venue")
    symbol: Symbol
    venue: Venue = Venue.KRX
    time: Nanoseconds
    halted: bool
    reason: str = ""


class Fundamentals(Message):
    """Company figures as the broker gives them; None is unknown."""

    key: ClassVar = ("symbol",)
    symbol: Symbol
    per: float | None = None
    pbr: float | None = None
    eps: float | None = None
    bps: float | None = None
    roe: float | None = None


class Ranked(Record):
    """One row of a ranking."""

    symbol: Symbol
    rank: int
    value: Won
    """Trading value of the day."""


class RankingChanged(Message):
    """The order by trading value, newest figures."""

    lane: ClassVar = Lane.MARKET
    key: ClassVar = ("source",)
    journalled: ClassVar = False
    overflow: ClassVar = Overflow.CONFLATE
    source: str
    time: Nanoseconds
    rows: tuple[Ranked, ...]


class UniverseChanged(Message):
    """The codes a named universe now holds, best first."""

    key: ClassVar = ("universe",)
    universe: str
    time: Nanoseconds
    symbols: tuple[Symbol, ...]


class Condition(Record):
    """A condition search somebody saved at the broker."""

    index: int
    name: str


class ConditionEntered(Message):
    """A condition search of the broker newly matches an issue."""

    key: ClassVar = ("symbol",)
    symbol: Symbol
    condition: str
    time: Nanoseconds


class ConditionLeft(Message):
    """A condition search of the broker no longer matches an issue."""

    key: ClassVar = ("symbol",)
    symbol: Symbol
    condition: str
    time: Nanoseconds
