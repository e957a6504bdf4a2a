"""Values as Kiwoom writes them: Korean times, marks that are colours, padding."""

from functools import lru_cache

from actors.market.time import SECOND, kst
from messages import Instrument

_OFFSET = 9 * 3_600
_DAY = 86_400


@lru_cache(maxsize=256)  # what is said of now comes back, what was said an hour ago hardly
def _clock(second: int) -> str:
    return f"{second // 3_600:02d}{second // 60 % 60:02d}{second % 60:02d}"


def hhmmss(instant: int) -> str:
    return _clock((instant // SECOND + _OFFSET) % _DAY)


def hh_mm_ss(instant: int) -> str:
    """As orders of an earlier day have it."""
    clock = hhmmss(instant)
    return f"{clock[:2]}:{clock[2:4]}:{clock[4:]}"


def left(seconds: int) -> str:
    """A duration as HHMMSS."""
    return _clock(seconds % _DAY)


def yyyymmdd(instant: int) -> str:
    return kst(instant).strftime("%Y%m%d")


def marked(price: int, base: int) -> str:
    """A price with the mark of its direction against the base price."""
    if not price or price == base:
        return str(price)
    return f"+{price}" if price > base else f"-{price}"


def signed(value: int) -> str:
    return f"{value:+d}" if value else "0"


def percent(value: float) -> str:
    return f"{value:+.2f}" if value else "0.00"


def ratio(value: float, middle: float = 100.0) -> str:
    """A ratio whose mark says only on which side of the middle it lies."""
    mark = "+" if value > middle else "-"
    return f"{mark}{value:.2f}"


def change_rate(price: int, base: int) -> float:
    return round((price - base) * 100 / base, 2) if base else 0.0


def direction(price: int, issue: Instrument) -> str:
    """전일대비기호: 1 상한, 2 상승, 3 보합, 4 하한, 5 하락."""
    if not price or price == issue.base_price:
        return "3"
    if price > issue.base_price:
        return "1" if price >= issue.upper_limit else "2"
    return "4" if price <= issue.lower_limit else "5"


def padded(value: int, width: int = 15) -> str:
    """Zero padded with a minus in front, as account queries have it."""
    return f"-{-value:0{width - 1}d}" if value < 0 else f"{value:0{width}d}"


def blank_padded(text: str, width: int = 20) -> str:
    """Numbers to the right, text to the left, as GetCommData answers."""
    number = text[:1] in "+-0123456789" if text else False
    return text.rjust(width) if number else text.ljust(width)


def long(value: object) -> int:
    """As a LONG of COM: 32 bits that wrap without a word, 0 for what is no number."""
    try:
        number = int(str(value))
    except ValueError:
        return 0
    return (number + 2**31) % 2**32 - 2**31
