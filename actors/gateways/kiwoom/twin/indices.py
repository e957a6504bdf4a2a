"""업종지수 strings: an index of what the twin trades on a board, weighted by the value of the companies."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from actors.gateways.kiwoom.twin import values
from actors.gateways.kiwoom.twin.trades import Tape
from messages import Instrument, Market

MARKETS: Final[Mapping[str, Market]] = MappingProxyType({"001": Market.KOSPI, "101": Market.KOSDAQ})
_YESTERDAY: Final = MappingProxyType({"001": 260_000, "101": 85_000})
"""Hundredths of a point."""
_THOUSAND: Final = 1_000
_MILLION: Final = 1_000_000


class Index:
    """One index since the day began: yesterday's value times the companies' worth now against yesterday's."""

    def __init__(self, code: str, issues: Sequence[Instrument], tapes: Mapping[str, Tape]) -> None:
        members = [issue for issue in issues if issue.market is MARKETS[code]]
        self._members = [(issue, tapes[issue.symbol]) for issue in members]
        self._worth = sum(issue.base_price * issue.listed_shares for issue in members)
        self._before = _YESTERDAY[code]
        self._open = self._high = self._low = self._volume = 0

    def render(self, time: int) -> str:
        """The 12 fields; blank where nobody is in it."""
        if not self._worth:
            return ""
        worth = sum((tape.last or issue.base_price) * issue.listed_shares for issue, tape in self._members)
        volume = sum(tape.volume for _, tape in self._members) // _THOUSAND
        value = sum(tape.value for _, tape in self._members) // _MILLION
        now = self._before * worth // self._worth
        self._open = self._open or now
        self._high, self._low = max(self._high, now), min(self._low or now, now)
        size, self._volume = volume - self._volume, volume
        levels = "\t".join(map(self._marked, (self._open, self._high, self._low)))
        change, rate = now - self._before, values.percent(values.change_rate(now, self._before))
        code = "2" if change > 0 else "5" if change < 0 else "3"
        head = f"{values.hhmmss(time)}\t{self._marked(now)}\t{change / 100:+.2f}\t{rate}"
        return f"{head}\t{size}\t{volume}\t{value}\t{levels}\t{code}\t0"

    def _marked(self, hundredths: int) -> str:
        mark = "+" if hundredths > self._before else "-" if hundredths < self._before else ""
        return f"{mark}{hundredths // 100}.{hundredths % 100:02d}"
