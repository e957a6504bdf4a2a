import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from actors.market.time import SECOND, at, kst, text

seconds = st.integers(min_value=0, max_value=4_000_000_000)


def test_nine_in_seoul_is_midnight_utc() -> None:
    midnight = dt.datetime(2025, 1, 2, tzinfo=dt.UTC)

    assert at(dt.date(2025, 1, 2), 9) == int(midnight.timestamp()) * SECOND


def test_text_is_korean_time_to_the_millisecond() -> None:
    assert text(at(dt.date(2025, 1, 2), 9, 0, 1) + 125_999_999) == "2025-01-02 09:00:01.125"


@given(seconds)
def test_an_instant_survives_the_way_to_korean_time_and_back(second: int) -> None:
    moment = kst(second * SECOND)

    assert at(moment.date(), moment.hour, moment.minute, moment.second) == second * SECOND
