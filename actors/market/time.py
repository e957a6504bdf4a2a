"""Instants as people in Seoul read them: nanoseconds in, Korean time out, and back."""

import datetime as dt
from typing import Final

from messages import Nanoseconds

SECOND: Final = 1_000_000_000
"""Nanoseconds."""

KST: Final = dt.timezone(dt.timedelta(hours=9), "KST")
"""Korea has no summer time, so the offset is fixed."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC).astimezone(KST)
_MICROSECOND = dt.timedelta(microseconds=1)


def kst(instant: int) -> dt.datetime:
    """Whole microseconds; the last three digits are lost."""
    return _EPOCH + dt.timedelta(microseconds=instant // 1_000)


def at(date: dt.date, hour: int = 0, minute: int = 0, second: int = 0) -> Nanoseconds:
    """The instant at which clocks in Korea show that time."""
    moment = dt.datetime(date.year, date.month, date.day, hour, minute, second, tzinfo=KST)
    return Nanoseconds((moment - _EPOCH) // _MICROSECOND * 1_000)


def text(instant: int) -> str:
    """For people: 2025-01-02 09:00:00.125."""
    return kst(instant).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
