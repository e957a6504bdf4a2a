"""Codes that name their venue, as Kiwoom spells them: `005930` KRX, `005930_NX` Nextrade, `005930_AL` both merged."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from messages import Symbol, Venue

HOME: Final = Venue.KRX
"""Where holdings are valued and limits of loss are watched: one venue's prices, never two mixed."""
_SUFFIXES: Final[Mapping[Venue, str]] = MappingProxyType({Venue.KRX: "", Venue.NXT: "_NX", Venue.SOR: "_AL"})
_VENUES: Final[Mapping[str, Venue]] = MappingProxyType({suffix: venue for venue, suffix in _SUFFIXES.items()})


def spell(symbol: Symbol, venue: Venue) -> Symbol:
    """The code by which an issue is watched at a venue."""
    return Symbol(symbol + _SUFFIXES[venue])


def split(code: str) -> tuple[Symbol, Venue]:
    """The bare symbol and the venue of a watched code. Raises ValueError for a venue that is none."""
    symbol, mark, name = code.partition("_")
    suffix = mark + name
    if suffix not in _VENUES:
        raise ValueError(f"{code!r} names no venue: write the code alone, with _NX, or with _AL")
    return Symbol(symbol), _VENUES[suffix]
