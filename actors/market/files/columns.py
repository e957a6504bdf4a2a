"""Foreign columns: which field a name means, and what the text of a cell says."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from typing import Final

from actors.market.time import KST, SECOND
from messages import Symbol

_ALIASES: Final = {
    "received": "recv_ms recv_time received received_ms timestamp ts 수신시각",
    "date": "date datetime day 일자 날짜 일시 거래일자 영업일자",
    "time": "time 시간 시각 체결시간 체결시각",
    "symbol": "symbol code ticker stock_code st_code 종목코드 코드 단축코드",
    "price": "price last 현재가 체결가 체결가격",
    "size": "size qty quantity trade_volume 체결량 체결수량",
    "total": "cum_volume acc_volume total_volume 누적거래량 누적체결량",
    "value": "value amount turnover 거래대금 누적거래대금",
    "open": "open 시가",
    "high": "high 고가",
    "low": "low 저가",
    "close": "close 종가",
    "volume": "volume vol 거래량",
}
_NAMES = {alias: field for field, aliases in _ALIASES.items() for alias in aliases.split()}
_LEVEL = (
    (re.compile(r"(?:ask|매도호가)_?(10|[1-9])"), "ask"),
    (re.compile(r"(?:bid|매수호가)_?(10|[1-9])"), "bid"),
    (re.compile(r"(?:ask_?(10|[1-9])_(?:qty|size|volume)|매도(?:호가)?(?:수량|잔량)_?(10|[1-9]))"), "ask_size"),
    (re.compile(r"(?:bid_?(10|[1-9])_(?:qty|size|volume)|매수(?:호가)?(?:수량|잔량)_?(10|[1-9]))"), "bid_size"),
)
FIELDS: Final = (*_ALIASES, *(f"{field}{n}" for _, field in _LEVEL for n in range(1, 11)))
_CODE = re.compile(r"[0-9][0-9A-Z]{5}")
_INDEX = re.compile(r"[0-9]{3}", re.ASCII)
_CODE_IN_NAME = re.compile(r"(?<![0-9A-Za-z])A?([0-9][0-9A-Z]{5})(?![0-9A-Za-z])")
_LARGEST = 10**15
_LATEST = 1 << 62
_EPOCH_UNITS = {10: SECOND, 13: 1_000_000, 16: 1_000, 19: 1}
_STAMPS = (8, 12, 14)
_CLOCKS = (4, 6)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


class Unrecognised(ValueError):
    """A file whose columns say nothing we know; one line for the user."""


def recognise(header: Sequence[str], mapping: Mapping[str, str]) -> dict[str, int]:
    """Place of each field; `mapping` gives columns of other names. Raises Unrecognised for a wrong mapping."""
    names = [name.strip().lstrip("\ufeff") for name in header]
    found: dict[str, int] = {}
    for place, name in enumerate(names):
        field = _field(name)
        if field is not None:
            found.setdefault(field, place)
    for field, column in mapping.items():
        if field not in FIELDS:
            raise Unrecognised(f"no field is called {field!r}; there are {', '.join(_ALIASES)}, ask1, ask_size1, ...")
        if column not in names:
            raise Unrecognised(f"no column is called {column!r}; there are {', '.join(names)}")
        found = {known: place for known, place in found.items() if place != names.index(column)}
        found[field] = names.index(column)
    return found


def number(text: str) -> int:
    """A whole number; thousands commas and a sign are taken, a sign stays. Raises ValueError."""
    plain = text.strip().replace(",", "")
    try:
        value = int(plain)
    except ValueError:
        value = _whole(text, plain)
    if abs(value) > _LARGEST:
        raise ValueError(f"{text.strip()!r} is too large")
    return value


def instant(text: str) -> int:
    """Nanoseconds from yyyymmdd, yyyymmddHHMMSS, ISO (both Korean time unless they say else) or a Unix time."""
    found = _instant(text.strip())
    if not 0 <= found < _LATEST:
        raise ValueError(f"{text.strip()!r} is a time before 1970, or after 2115")
    return found


def moment(date: str, time: str) -> int:
    """The same from two cells, a date and a time of day: HHMM or HHMMSS, of which a number has no first 0."""
    clock = time.strip().replace(":", "")
    clock = clock.zfill(len(clock) + len(clock) % 2)
    if len(clock) not in _CLOCKS:
        raise ValueError(f"{time.strip()!r} is no time of day")
    return instant(date.strip().replace("-", "") + clock)


def _instant(plain: str) -> int:
    if plain.isdecimal():
        return _digits(plain)
    try:
        moment = dt.datetime.fromisoformat(plain)
    except ValueError:
        raise ValueError(f"{plain!r} is no time") from None
    return _since_epoch(moment if moment.tzinfo else moment.replace(tzinfo=KST))


def code(text: str) -> Symbol:
    """The bare code; a leading A goes. Raises ValueError."""
    plain = text.strip().upper()
    bare = plain[1:] if len(plain) == 7 and plain[0] == "A" else plain
    if not _CODE.fullmatch(bare):
        raise ValueError(f"{text.strip()!r} is no code")
    return Symbol(bare)


def index(text: str) -> Symbol:
    """The code of an index, three digits. Raises ValueError."""
    plain = text.strip()
    if not _INDEX.fullmatch(plain):
        raise ValueError(f"{plain!r} is no index; 001 is one")
    return Symbol(plain)


def code_in(name: str) -> Symbol | None:
    """The code a file's name carries; None where there is none, or more than one."""
    found = {*_CODE_IN_NAME.findall(name.replace("_", " ").replace("-", " "))}
    codes = [match for match in found if not re.fullmatch(r"(19|20)\d{4}", match)] or [*found]
    return Symbol(codes[0]) if len(codes) == 1 else None


def _field(name: str) -> str | None:
    plain = name.lower().replace(" ", "_")
    if plain in _NAMES:
        return _NAMES[plain]
    for pattern, field in _LEVEL:
        match = pattern.fullmatch(plain)
        if match:
            return field + next(group for group in match.groups() if group)
    return None


def _whole(text: str, plain: str) -> int:
    try:
        value = float(plain)
        whole = int(value)
    except (ValueError, OverflowError):
        raise ValueError(f"{text.strip()!r} is no number") from None
    if whole != value:
        raise ValueError(f"{text.strip()!r} is not whole")
    return whole


def _digits(plain: str) -> int:
    unit = _EPOCH_UNITS.get(len(plain))
    if unit is not None:
        return int(plain) * unit
    if len(plain) not in _STAMPS:
        raise ValueError(f"{plain!r} is no time")
    parts = (plain[:4], plain[4:6], plain[6:8], plain[8:10] or 0, plain[10:12] or 0, plain[12:] or 0)
    try:
        return _since_epoch(dt.datetime(*map(int, parts), tzinfo=KST))
    except ValueError:
        raise ValueError(f"{plain!r} is no time") from None


def _since_epoch(moment: dt.datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND * 1_000
