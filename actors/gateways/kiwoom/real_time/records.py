"""Raw real-data strings into messages, refused where a field is not what Kiwoom's table says."""

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.real_time.remembered import FEW, Remembered
from actors.market import time
from actors.market.time import SECOND
from messages import (
    AfterHoursBook,
    Aggressor,
    BestQuote,
    ExpectedPrice,
    IndexTick,
    Nanoseconds,
    OrderBook,
    Session,
    SessionChanged,
    Shares,
    Symbol,
    Tick,
    Venue,
    ViKind,
    ViReleased,
    ViTriggered,
    Won,
)

RealMessage = (
    Tick
    | OrderBook
    | BestQuote
    | AfterHoursBook
    | ExpectedPrice
    | SessionChanged
    | ViTriggered
    | ViReleased
    | IndexTick
)

DAY: Final = 86_400 * SECOND
_KST_OFFSET: Final = 9 * 3_600 * SECOND

HIGHEST_PRICE: Final = 1_000_000_000
MOST_SHARES: Final = 1_000_000_000_000
MOST_MILLIONS: Final = 1_000_000_000
_MILLION: Final = 1_000_000
_STRENGTH_LIMIT: Final = 1e9
_SPECIAL_TIMES: Final = MappingProxyType({"888888": 57_600, "999999": 64_800})
_EVENING: Final = 64_800
"""Nextrade closes for the day after it; a letter that means this by one text means less by another."""
_SUFFIXES: Final = MappingProxyType({"": Venue.KRX, "NX": Venue.NXT, "AL": Venue.SOR})
_make_tick: Callable[..., Tick] = Tick  # units as NewTypes would cost a call a field
_make_book: Callable[..., OrderBook] = OrderBook
VI_RELEASED: Final = "2"
_VI_KINDS: Final = MappingProxyType({"정적": ViKind.STATIC, "동적": ViKind.DYNAMIC, "동적+정적": ViKind.BOTH})


class MalformedError(ValueError):
    """A record whose fields are not what Kiwoom's table says."""


def midnight(now: int) -> int:
    """The start of the Korean day that `now` lies in, in nanoseconds UTC."""
    return now - (now + _KST_OFFSET) % DAY


def at(day: str, seconds: int) -> int:
    """Nanoseconds UTC `seconds` into the Korean day YYYYMMDD; ValueError where there is none."""
    if len(day) != 8 or not (day.isascii() and day.isdecimal()):
        raise MalformedError("a date is not YYYYMMDD")
    return time.at(date(int(day[:4]), int(day[4:6]), int(day[6:]))) + seconds * SECOND


def _seconds(text: str) -> int:
    if len(text) != 6 or not (text.isascii() and text.isdecimal()):
        raise MalformedError("a time is not HHMMSS")
    hours, minutes, seconds = int(text[:2]), int(text[2:4]), int(text[4:])
    if hours > 23 or minutes > 59 or seconds > 59:
        raise MalformedError("a time is not of this day")
    return hours * 3_600 + minutes * 60 + seconds


seconds_of: Final = Remembered(_seconds, FEW).__getitem__
"""Seconds after midnight of HHMMSS."""


def announced_seconds(text: str) -> int:
    """The same for announcements and chart rows, where 888888 stands for 16:00 and 999999 for 18:00."""
    special = _SPECIAL_TIMES.get(text)
    return seconds_of(text) if special is None else special


def _identity(code: str) -> tuple[Symbol, Venue]:
    _, _, suffix = code.strip().partition("_")
    symbol = codes.bare_code(code)
    if len(symbol) != 6 or not (symbol.isascii() and symbol.isalnum()) or suffix not in _SUFFIXES:
        raise MalformedError("not an issue code")
    return Symbol(symbol), _SUFFIXES[suffix]


identity: Final = Remembered(_identity).__getitem__
"""Symbol and venue of a code as events carry it: `005930`, `A005930`, `005930_AL`."""


def number(text: str) -> int:
    """A whole number with at most two marks in front, of which a price may have both."""
    try:
        return int(text)
    except ValueError:
        bare = text.strip()
        if len(bare) > 2 and bare[0] in "+-" and bare[1] in "+-" and bare[2:].isdecimal():
            return int(bare[1:])
        raise MalformedError("not a number") from None


def amount(text: str, limit: int) -> int:
    """The magnitude of a field whose marks are colours."""
    value = abs(number(text))
    if value > limit:
        raise MalformedError("a number is too large")
    return value


def _price(text: str) -> int:
    return amount(text, HIGHEST_PRICE)


def _shares(text: str) -> int:
    return _count(number(text))


def _trade(text: str) -> tuple[int, Aggressor]:
    shares = number(text)
    if not 0 < abs(shares) <= MOST_SHARES:
        raise MalformedError("a print without size, or one too large")
    return abs(shares), Aggressor.SELLER if shares < 0 else Aggressor.BUYER if "+" in text else Aggressor.NONE


def _strength(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise MalformedError("not a number") from None
    if not 0 <= value < _STRENGTH_LIMIT:
        raise MalformedError("a figure of the day that cannot be")
    return value


_prices: Final = Remembered(_price).__getitem__
_sizes: Final = Remembered(_shares).__getitem__
_trades: Final = Remembered(_trade).__getitem__
_strengths: Final = Remembered(_strength, FEW).__getitem__


def parse_trade(code: str, data: str, day: int, received: int) -> Tick:
    """주식체결: `day` is the midnight its HHMMSS counts from, `received` when the record came, both nanoseconds UTC."""
    fields = data.split("\t", 19)
    if len(fields) < 19 or "_" in data or not data.isascii():
        fields = _plain(data, 19)
    clock, last, _, _, ask, bid, size, volume, value, first, high, low = fields[:12]
    symbol, venue = identity(code)
    price, total, millions = _prices(last), number(volume), number(value)
    shares, side = _trades(size)
    if not (price and 0 <= total <= MOST_SHARES and 0 <= millions <= MOST_MILLIONS):
        raise MalformedError("a print without a price, or a figure of the day that cannot be")
    return _make_tick(
        symbol=symbol,
        venue=venue,
        time=day + seconds_of(clock) * SECOND,
        received=received,
        price=price,
        size=shares,
        side=side,
        volume=total,
        value=millions * _MILLION,
        ask=_prices(ask),
        bid=_prices(bid),
        open=_prices(first),
        high=_prices(high),
        low=_prices(low),
        strength=_strengths(fields[18]),
    )


def parse_book(code: str, data: str, day: int, received: int) -> OrderBook:
    """주식호가잔량, ten levels a side."""
    fields = data.split("\t", 64)
    if len(fields) < 64 or "_" in data or not data.isascii():
        fields = _plain(data, 64)
    symbol, venue = identity(code)
    return _make_book(
        symbol=symbol,
        venue=venue,
        time=day + seconds_of(fields[0]) * SECOND,
        received=received,
        ask_prices=tuple(map(_prices, fields[1:61:6])),
        ask_sizes=tuple(map(_sizes, fields[2:61:6])),
        bid_prices=tuple(map(_prices, fields[4:61:6])),
        bid_sizes=tuple(map(_sizes, fields[5:61:6])),
        ask_total=_shares(fields[61]),
        bid_total=_shares(fields[63]),
    )


def parse_quote(code: str, data: str, day: int, received: int) -> BestQuote:
    """주식우선호가, which has no time of its own: the second it came in counts."""
    del day
    ask, bid = _plain(data, 2)
    symbol, venue = identity(code)
    return BestQuote(
        symbol=symbol,
        venue=venue,
        time=Nanoseconds(received - received % SECOND),
        received=Nanoseconds(received),
        ask=Won(_prices(ask)),
        bid=Won(_prices(bid)),
    )


def parse_after_hours(code: str, data: str, day: int, received: int) -> AfterHoursBook:
    """주식시간외호가."""
    clock, asks, _, bids, _ = _plain(data, 5)
    symbol, venue = identity(code)
    return AfterHoursBook(
        symbol=symbol,
        venue=venue,
        time=Nanoseconds(day + seconds_of(clock) * SECOND),
        received=Nanoseconds(received),
        ask_total=Shares(_shares(asks)),
        bid_total=Shares(_shares(bids)),
    )


def parse_expected(code: str, data: str, day: int, received: int) -> ExpectedPrice:
    """주식예상체결; the mark of its size says nothing about who trades."""
    clock, price, _, _, size, _, _ = _plain(data, 7)
    symbol, venue = identity(code)
    return ExpectedPrice(
        symbol=symbol,
        venue=venue,
        time=Nanoseconds(day + seconds_of(clock) * SECOND),
        received=Nanoseconds(received),
        price=Won(amount(price, HIGHEST_PRICE)),
        size=Shares(amount(size, MOST_SHARES)),
    )


def parse_session(code: str, data: str, day: int, received: int) -> SessionChanged | None:
    """장시작시간; None where it concerns derivatives only."""
    del code, received
    value, clock, remaining = _plain(data, 3)
    known = codes.SESSIONS.get(value.strip())
    if known is None:
        raise MalformedError("not a session Kiwoom lists")
    begins, left = announced_seconds(clock.strip()), _left(remaining.strip())
    if known.venue is None:
        return None
    early = known.venue is Venue.NXT and known.session is Session.CLOSED_FOR_DAY and begins < _EVENING
    return SessionChanged(
        venue=known.venue,
        session=Session.CLOSED if early else known.session,
        time=Nanoseconds(day + begins * SECOND),
        code=value.strip(),
        remaining=left,
    )


def parse_vi(code: str, data: str, day: int, received: int) -> ViTriggered | ViReleased:
    """VI발동/해제: 9068 decides which of the two it is. They are the KRX's, whichever venue's code bears the record."""
    del code
    fields = _fields(data, 19)
    symbol = identity(fields[0])[0]
    event, triggered, released = fields[4].strip(), fields[8].strip(), fields[9].strip()
    if event == VI_RELEASED:
        return ViReleased(symbol=symbol, time=Nanoseconds(_released(released, day, received)))
    kind, direction = _VI_KINDS.get(fields[10].strip()), fields[17].strip()
    if event != "1" or kind is None or direction not in ("1", "2"):
        raise MalformedError("not an interruption Kiwoom lists")
    return ViTriggered(
        symbol=symbol,
        time=Nanoseconds(day + seconds_of(triggered) * SECOND),
        kind=kind,
        trigger_price=Won(_text_amount(fields[7])),
        static_reference=Won(_reference(fields[11])),
        dynamic_reference=Won(_reference(fields[12])),
        upward=direction == "1",
        count=_text_amount(fields[16]),
    )


def vi_subject(data: str) -> tuple[str, str, str]:
    """What makes a VI record a repetition of another: with Nextrade the same one arrives once per venue."""
    fields = _fields(data, 19)
    return identity(fields[0])[0], fields[8].strip(), fields[4].strip()


def parse_index(code: str, data: str, day: int, received: int) -> IndexTick:
    """업종지수; volume in thousands of shares, as delivered."""
    fields = _plain(data, 12)
    if not code.isascii() or not code.strip().isalnum():
        raise MalformedError("not an index code")
    return IndexTick(
        index=code.strip(),
        time=Nanoseconds(day + seconds_of(fields[0]) * SECOND),
        received=Nanoseconds(received),
        hundredths=_hundredths(fields[1]),
        volume=_count(number(fields[5])),
        value=Won(_millions(fields[6])),
    )


Parser = Callable[[str, str, int, int], RealMessage | None]

PARSERS: Final[Mapping[str, Parser]] = MappingProxyType(
    {
        codes.TRADE: parse_trade,
        codes.BOOK: parse_book,
        codes.BEST_QUOTE: parse_quote,
        codes.AFTER_HOURS: parse_after_hours,
        codes.EXPECTED: parse_expected,
        codes.SESSION: parse_session,
        codes.VI: parse_vi,
        codes.INDEX: parse_index,
    }
)
"""Types that are not here say nothing that is not in one of these."""


def _plain(data: str, count: int) -> list[str]:
    """The first fields, of numbers all; what Kiwoom adds behind them may be anything."""
    fields = _fields(data, count)
    _refuse_odd("".join(fields))
    return fields


def _refuse_odd(text: str) -> None:
    if not text.isascii() or "_" in text:
        raise MalformedError("characters that no number has")


def _fields(data: str, count: int) -> list[str]:
    fields = data.split("\t", count)
    if len(fields) < count:
        raise MalformedError("too few fields")
    return fields[:count]


def _count(value: int) -> int:
    if not 0 <= value <= MOST_SHARES:
        raise MalformedError("not a count of shares")
    return value


def _millions(text: str) -> int:
    value = number(text)
    if not 0 <= value <= MOST_MILLIONS:
        raise MalformedError("not an amount in millions")
    return value * _MILLION


def _released(text: str, day: int, received: int) -> int:
    """That an issue trades again counts more than since when."""
    try:
        return day + seconds_of(text) * SECOND
    except MalformedError:
        return received - received % SECOND


def _left(text: str) -> int:
    return 0 if text in _SPECIAL_TIMES else seconds_of(text)


def _text_amount(text: str) -> int:
    _refuse_odd(text)
    return amount(text, HIGHEST_PRICE)


def _reference(text: str) -> int:
    """Blank is Kiwoom's way to say that the other kind of reference was reached."""
    return _text_amount(text) if text.strip() else 0


def _hundredths(text: str) -> int:
    whole, point, decimals = text.strip().partition(".")
    if not point:
        return amount(whole, HIGHEST_PRICE)
    if len(decimals) > 2 or not decimals.isdecimal():
        raise MalformedError("not an index value")
    return amount(whole, HIGHEST_PRICE // 100) * 100 + int(decimals.ljust(2, "0"))
