"""The issues of the synthetic market: every code, name and price here is made up."""

import datetime as dt
import random
from collections.abc import Sequence
from typing import NamedTuple

from actors.market import krx
from messages import Instrument, Market, Shares, Symbol


class Profile(NamedTuple):
    """How the crowd treats an issue."""

    volatility: float
    """Of the day's return."""
    rate: float
    """Orders and cancellations a second, on the day's average."""
    size: float
    """Median shares of an order."""
    jumps: float
    """News a day, each moving the price by several percent."""


class _Row(NamedTuple):
    name: str
    market: Market
    price: int
    kospi200: bool
    volatility: float
    rate: float


_P, _Q, _E = Market.KOSPI, Market.KOSDAQ, Market.ETF
_ROWS = (
    _Row("가상전자", _P, 71_500, True, 0.014, 3.4),
    _Row("가상KOSPI200 ETF", _E, 34_515, True, 0.009, 2.8),
    _Row("모의바이오", _Q, 12_480, False, 0.042, 2.4),
    _Row("가상반도체", _P, 214_500, True, 0.021, 2.2),
    _Row("모의이차전지", _Q, 96_700, False, 0.035, 1.9),
    _Row("가상레버리지 ETF", _E, 18_240, False, 0.018, 1.7),
    _Row("모의로봇", _Q, 48_350, False, 0.045, 1.5),
    _Row("가상조선", _P, 157_300, True, 0.024, 1.3),
    _Row("가상코스닥150 ETF", _E, 11_605, True, 0.013, 1.2),
    _Row("모의엔터", _Q, 63_400, False, 0.028, 1.0),
    _Row("가상자동차", _P, 203_500, True, 0.015, 0.9),
    _Row("가상화학", _P, 312_000, True, 0.020, 0.8),
    _Row("모의게임", _Q, 27_150, False, 0.030, 0.8),
    _Row("가상금융지주", _P, 52_800, True, 0.013, 0.7),
    _Row("모의제약", _Q, 4_385, False, 0.050, 0.7),
    _Row("가상방산", _P, 689_000, True, 0.026, 0.65),
    _Row("가상통신", _P, 38_850, True, 0.009, 0.6),
    _Row("모의소재", _Q, 8_920, False, 0.033, 0.6),
    _Row("가상단기채 ETF", _E, 101_350, True, 0.001, 0.5),
    _Row("가상건설", _P, 19_870, False, 0.024, 0.5),
    _Row("모의장비", _Q, 35_600, False, 0.031, 0.45),
    _Row("가상해운", _P, 17_640, True, 0.022, 0.45),
    _Row("모의테마", _Q, 1_842, False, 0.060, 0.45),
    _Row("가상유통", _P, 84_200, False, 0.016, 0.4),
    _Row("모의소프트", _Q, 15_110, False, 0.027, 0.35),
    _Row("가상식품", _P, 423_500, True, 0.014, 0.3),
    _Row("모의부품", _Q, 6_540, False, 0.026, 0.3),
    _Row("가상인버스 ETF", _E, 1_968, True, 0.010, 0.3),
    _Row("가상중공업", _P, 9_760, False, 0.028, 0.25),
    _Row("모의동전", _Q, 743, False, 0.055, 0.25),
)
_ORDER_VALUE = 2_500_000
_CALM = 0.02


def instruments(count: int, date: dt.date) -> tuple[Instrument, ...]:
    """The first `count` made-up issues; beyond the table they are numbered variants of its rows."""
    return tuple(_instrument(number, date) for number in range(count))


def profiles(listed: Sequence[Instrument], seed: int) -> tuple[Profile, ...]:
    """How each issue trades: the table's figures, or drawn by `seed` for an issue that is not ours."""
    known = {row.name: row for row in _ROWS}
    rng = random.Random(f"profiles {seed}")  # a string seeds by its digest, not by hash()
    return tuple(_profile(instrument, known.get(instrument.name), rng) for instrument in listed)


def _instrument(number: int, date: dt.date) -> Instrument:
    row = _ROWS[number % len(_ROWS)]
    series = number // len(_ROWS)
    base = krx.round_down(row.price * 10 // (10 + series), row.market, date)
    lower, upper = krx.price_limits(base, row.market, date, 2 if "레버리지" in row.name else 1)
    return Instrument(
        symbol=Symbol(f"9{number + 1:04d}0"),
        name=f"{row.name}{series + 1}" if series else row.name,
        market=row.market,
        base_price=base,
        upper_limit=upper,
        lower_limit=lower,
        listed_shares=Shares(2_000_000_000_000 // base),
        kospi200=row.kospi200,
    )


def _profile(instrument: Instrument, row: _Row | None, rng: random.Random) -> Profile:
    volatility = row.volatility if row else 0.01 + 0.04 * rng.random()
    rate = row.rate if row else 0.3 + 1.5 * rng.random()
    jumps = 0.0 if volatility < _CALM else volatility * 8
    return Profile(volatility, rate, max(_ORDER_VALUE / instrument.base_price, 2.0), jumps)
