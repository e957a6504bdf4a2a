"""Nextrade beside the KRX: of what the KRX trades in its hours, a part trades there too; and both merged."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache

import msgspec

from actors.exchange.events import Print
from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.twin.registrations import BOOK, TRADE
from actors.gateways.kiwoom.twin.trades import IN_HOURS, Tape
from actors.market.calendar import Calendar, TradingDay, UnknownDayError
from actors.market.time import SECOND, kst
from actors.market.venues import spell
from messages import Aggressor, Bar, Instrument, Session, Shares, Symbol, Venue, Won

_EACH = 3
"""Of so many prints of the KRX one is followed by one of Nextrade, a third as big."""


class _Line:
    """The prints of one issue at one venue, since it was registered there."""

    def __init__(self, issue: Instrument) -> None:
        self.tape = Tape(issue, (0, 0), 0)
        self._volume = self._value = self._open = self._high = self._low = self._bought = self._sold = 0

    def render(self, event: Print, size: int) -> str:
        """The string of a print of `size` at this venue, with this venue's figures of the day."""
        price = event.price
        self._volume += size
        self._value += price * size
        self._open = self._open or price
        self._high, self._low = max(self._high, price), min(self._low or price, price)
        self._bought += size if event.side is Aggressor.BUYER else 0
        self._sold += size if event.side is Aggressor.SELLER else 0
        own = msgspec.structs.replace(
            event,
            size=Shares(size),
            volume=Shares(self._volume),
            value=Won(self._value),
            open=Won(self._open),
            high=Won(self._high),
            low=Won(self._low),
            strength=round(self._bought * 100 / self._sold, 2) if self._sold else 0.0,
        )
        self.tape.count(own)
        return self.tape.render(own)


class Elsewhere:
    """Writes down what is registered under codes of other venues."""

    def __init__(
        self,
        issues: Mapping[str, Instrument],
        wanted: Mapping[str, int],
        emit: Callable[[str, str, str], None],
        now: int,
    ) -> None:
        self._issues = issues
        self._wanted = wanted
        self._emit = emit
        self._day = _nextrade(now)
        self._lines: dict[str, _Line] = {}
        self._seen: dict[str, int] = {}
        self.part = IN_HOURS
        """FID 290."""

    def print(self, event: Print) -> None:
        """A print of the KRX; Nextrade's follows it."""
        symbol = event.symbol
        merged = spell(symbol, Venue.SOR)
        self._show(merged, event, event.size)
        seen = self._seen[symbol] = self._seen.get(symbol, 0) + 1
        if seen % _EACH == 0 and self._trades(event.time) and event.side is not Aggressor.NONE:
            size = event.size // _EACH + 1
            self._show(spell(symbol, Venue.NXT), event, size)
            self._show(merged, event, size)

    def book(self, symbol: Symbol, text: str) -> None:
        """Both venues quote alike."""
        for venue in (Venue.NXT, Venue.SOR):
            code = spell(symbol, venue)
            if self._wanted.get(code, 0) & BOOK:
                self._emit(code, codes.BOOK, text)

    def _show(self, code: Symbol, event: Print, size: int) -> None:
        if not self._wanted.get(code, 0) & TRADE:
            return
        line = self._lines.get(code)
        if line is None:
            line = self._lines[code] = _Line(self._issues[event.symbol])
        line.tape.part = self.part
        self._emit(code, codes.TRADE, line.render(event, size))

    def _trades(self, instant: int) -> bool:
        return self._day is not None and any(phase.start <= instant < phase.end for phase in self._day.phases)


class NextradeHours:
    """When Nextrade announces a letter (FID 215) on the day of `now`, from then on; nothing where it is closed."""

    def __init__(self, now: int) -> None:
        day = _nextrade(now)
        self._letters = [pair for pair in _letters(day) if pair[0] > now] if day is not None else []

    def due(self, now: int) -> Iterator[tuple[int, str]]:
        """Time and letter of what has come, each once."""
        while self._letters and self._letters[0][0] <= now:
            yield self._letters.pop(0)


def charted(bars: Sequence[Bar], venue: Venue) -> Sequence[Bar]:
    """Bars of the KRX as `venue` has them: a ninth of what trades in Nextrade's hours, or the sum of both."""
    if venue is Venue.KRX:
        return bars
    theirs = {bar.time: bar.volume // _EACH**2 for bar in bars if _is_open(bar)}
    if venue is Venue.NXT:
        return [_resized(bar, volume) for bar in bars if (volume := theirs.get(bar.time, 0))]
    return [_resized(bar, bar.volume + theirs.get(bar.time, 0)) for bar in bars]


def _resized(bar: Bar, volume: int) -> Bar:
    value = bar.value * volume // bar.volume if bar.volume else 0
    return msgspec.structs.replace(bar, volume=Shares(volume), value=Won(value))


def _is_open(bar: Bar) -> bool:
    day = _nextrade(bar.time)
    end = bar.time + bar.interval * SECOND
    return day is not None and any(phase.start < end and bar.time < phase.end for phase in day.phases)


def _letters(day: TradingDay) -> Iterator[tuple[int, str]]:
    """P, Q before the market, R, S the main one, T the single price after it, U, V what follows."""
    single = [phase.start for phase in day.phases if phase.session is Session.AFTER_HOURS_SINGLE]
    continuous = [phase for phase in day.phases if phase.session is Session.CONTINUOUS]
    early = [phase for phase in continuous if single and phase.start < single[0]]
    pairs = {len(early) - 2: "PQ", len(early) - 1: "RS", len(early): "UV"}
    for place, phase in enumerate(continuous):
        if place == len(early):
            yield from ((start, "T") for start in single)
        yield from zip((phase.start, phase.end), pairs[place], strict=True)


def _nextrade(now: int) -> TradingDay | None:
    return _day_of(kst(now).date())


@lru_cache(maxsize=1_024)
def _day_of(date: dt.date) -> TradingDay | None:
    try:
        return Calendar(Venue.NXT).day(date)
    except UnknownDayError:
        return None
