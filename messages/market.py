"""What the market did: prints, books, bars, sessions and volatility interruptions."""

from enum import StrEnum
from typing import ClassVar

from messages.base import Lane, Message, Overflow, Record
from messages.instruments import Nanoseconds, Shares, Symbol, Venue, Won


class Aggressor(StrEnum):
    """Who crossed the spread."""

    BUYER = "buyer"
    SELLER = "seller"
    NONE = "none"
    """An auction, or not known."""


class MarketData(Message):
    """Anything about one issue that comes often and is never journalled."""

    lane: ClassVar = Lane.MARKET
    key: ClassVar = ("symbol", "venue")
    selective: ClassVar = True
    journalled: ClassVar = False
    overflow: ClassVar = Overflow.CONFLATE
    symbol: Symbol
    venue: Venue = Venue.KRX
    time: Nanoseconds
    """The exchange's time, whole seconds."""
    received: Nanoseconds
    """When the record reached this process."""


class Tick(MarketData):
    """One print (주식체결). It carries volume, so it is never thinned in silence."""

    overflow: ClassVar = Overflow.GAP
    price: Won
    size: Shares
    side: Aggressor
    volume: Shares
    """Accumulated today (누적거래량)."""
    value: Won
    """Accumulated today; Kiwoom delivers millions, so the last six digits are 0 on a live feed."""
    ask: Won
    """Best ask after the print, 0 when there is none."""
    bid: Won
    open: Won
    high: Won
    low: Won
    strength: float
    """체결강도: bought volume / sold volume x 100, as delivered; 0 where the feed has none."""


class OrderBook(MarketData):
    """Ten levels a side (주식호가잔량), best first; a level without orders is price 0, size 0."""

    ask_prices: tuple[int, ...]
    ask_sizes: tuple[int, ...]
    bid_prices: tuple[int, ...]
    bid_sizes: tuple[int, ...]
    ask_total: Shares
    bid_total: Shares


class ExpectedPrice(MarketData):
    """The price an auction would give now (주식예상체결)."""

    price: Won
    size: Shares


class BestQuote(MarketData):
    """The best of both sides (주식우선호가), sent when one changes; 0 where a side is empty."""

    ask: Won
    bid: Won


class AfterHoursBook(MarketData):
    """What waits to trade at the close (주식시간외호가)."""

    ask_total: Shares
    bid_total: Shares


class IndexTick(Message):
    """One value of an index (업종지수), in hundredths of a point."""

    lane: ClassVar = Lane.MARKET
    key: ClassVar = ("index",)
    journalled: ClassVar = False
    overflow: ClassVar = Overflow.CONFLATE
    index: str
    time: Nanoseconds
    received: Nanoseconds
    hundredths: int
    volume: int
    value: Won


class Bar(Message):
    """Open, high, low, close of an interval in which at least one print came."""

    lane: ClassVar = Lane.MARKET
    key: ClassVar = ("symbol", "venue")
    selective: ClassVar = True
    journalled: ClassVar = False
    overflow: ClassVar = Overflow.GAP
    symbol: Symbol
    venue: Venue = Venue.KRX
    interval: int
    """Seconds: 1, 60, 86,400 for a day."""
    time: Nanoseconds
    """Start of the interval."""
    open: Won
    high: Won
    low: Won
    close: Won
    volume: Shares
    value: Won
    """Sum of price x size over the prints; 0 where the source has none."""
    bought: Shares = Shares(0)
    sold: Shares = Shares(0)
    """Volume by aggressor."""
    prints: int = 0


class Session(StrEnum):
    """The part of a venue's day."""

    CLOSED = "closed"
    PRE_OPEN = "pre-open"
    """Before any order counts; Kiwoom's countdown runs."""
    OPENING_AUCTION = "opening auction"
    CONTINUOUS = "continuous"
    CLOSING_AUCTION = "closing auction"
    CLOSED_FOR_DAY = "closed for the day"
    AFTER_HOURS_CLOSE = "after-hours at the close"
    AFTER_HOURS_SINGLE = "after-hours single price"


class SessionChanged(Message):
    """A venue entered another part of its day (장시작시간)."""

    key: ClassVar = ("venue",)
    venue: Venue = Venue.KRX
    session: Session
    time: Nanoseconds
    code: str = ""
    """Kiwoom's own value of FID 215, letters included."""
    remaining: int = 0
    """Seconds until the announced change; 0 when it is now."""


class ViKind(StrEnum):
    """Which band was reached."""

    STATIC = "static"
    DYNAMIC = "dynamic"
    BOTH = "both"


class ViTriggered(Message):
    """An issue went into a volatility interruption: a call auction of two minutes and some."""

    key: ClassVar = ("symbol", "venue")
    symbol: Symbol
    venue: Venue = Venue.KRX
    time: Nanoseconds
    kind: ViKind
    trigger_price: Won
    static_reference: Won
    dynamic_reference: Won
    upward: bool
    count: int
    """Interruptions of this issue today, this one included."""


class ViReleased(Message):
    """The interruption of an issue ended; its auction price is the new static reference."""

    key: ClassVar = ("symbol", "venue")
    symbol: Symbol
    venue: Venue = Venue.KRX
    time: Nanoseconds


class Lost(Record):
    """Shares that an issue's accumulated volume counts and that no print of ours carried."""

    symbol: Symbol
    venue: Venue = Venue.KRX
    shares: Shares
    """Since the report before, or of the whole burst where it is over."""
    total: Shares
    """Of the day so far."""


class DataLost(Message):
    """Prints are missing: said within a second, for all issues that lost some since the report before."""

    time: Nanoseconds
    rows: tuple[Lost, ...]


class DataRestored(Message):
    """Nothing more was lost of these issues for a while; what was missed is not made up."""

    time: Nanoseconds
    rows: tuple[Lost, ...]


class FeedLost(Message):
    """A feed can no longer be trusted to be complete."""

    key: ClassVar = ("feed",)
    feed: str
    time: Nanoseconds
    reason: str


class FeedRestored(Message):
    """A feed flows again; what was missed is not made up."""

    key: ClassVar = ("feed",)
    feed: str
    time: Nanoseconds


class FeedEnded(Message):
    """A feed has nothing more to give: the end of a replay or of a simulated day."""

    lane: ClassVar = Lane.MARKET
    """Behind the last print, not before it."""
    overflow: ClassVar = Overflow.STOP
    key: ClassVar = ("feed",)
    feed: str
    time: Nanoseconds
    records: int
    """How many records it gave in all."""
    rejected: int = 0
    out_of_order: int = 0
    """Records whose exchange time lay before their predecessor's."""
