"""What actors carry over beside the ledger, held against the whole journal: peaks, activity, the lots of strategies."""

from collections.abc import Iterator, Mapping, Sequence

from actors.account.holding import Holding
from actors.account.ledger import Booked, Ledger
from actors.limits.activity import Active, Activity
from actors.limits.stops import HighWater, Peaks
from actors.market.time import kst
from actors.strategies.base import Lot
from messages import (
    ActivityCarried,
    CarriedPeak,
    CashAdjusted,
    EquityPeaked,
    HoldingPeaked,
    PeaksCarried,
    Symbol,
)
from runtime.envelope import Envelope

Lots = Mapping[str, Mapping[Symbol, Lot]]
"""Of each strategy."""


def carried_truly(journal: Sequence[Envelope]) -> Iterator[str]:
    """A state of peaks, or of activity, is what all that was said until then makes."""
    past = _Past()
    for envelope in journal:
        match envelope.message:
            case PeaksCarried() as state:
                yield from past.other_peaks(state)
            case ActivityCarried() as state:
                yield from past.other_activity(state)
            case _:
                past.fold(envelope)


def lots_agree(ledger: Ledger, lots: Lots) -> Iterator[str]:
    """A strategy that was started again and again believes it holds what the journal says it holds."""
    for strategy, of_each in lots.items():
        held = {symbol: _kept(h) for symbol, owner, h in ledger.each() if owner == strategy and h.quantity > 0}
        believed = {symbol: (lot.quantity, lot.cost) for symbol, lot in of_each.items()}
        if believed != held:
            yield f"{strategy} believes it holds {believed}, the journal says {held}"


class _Past:
    def __init__(self) -> None:
        self._ledger = Ledger()
        self._peaks = Peaks()
        self._activity = Activity()
        self._high_water = HighWater()
        self._day = ""

    def fold(self, envelope: Envelope) -> None:
        message = envelope.message
        if isinstance(message, Booked):
            self._ledger.fold(message, envelope.number)
        if isinstance(message, Active):
            self._activity.fold(message, envelope.time)
        match message:
            case HoldingPeaked():
                self._peaks.rises(message.symbol, message.strategy, message.since, message.price)
            case EquityPeaked():
                self._peak(message)
            case CashAdjusted():
                self._high_water.moves(message)
            case _:
                pass

    def other_peaks(self, state: PeaksCarried) -> Iterator[str]:
        peaks, equity = self._peaks.carried(self._ledger), self._high_water.said(state.day)
        if _by_holding(peaks) != _by_holding(state.peaks) or equity != state.equity:
            yield f"the peaks carried over at {state.reconciliation} are others than the journal's: {peaks}, {equity}"

    def other_activity(self, state: ActivityCarried) -> Iterator[str]:
        if state.disabled != self._activity.disabled:
            yield f"disabled at {state.reconciliation}: {state.disabled}, by the journal {self._activity.disabled}"

    def _peak(self, message: EquityPeaked) -> None:
        day = kst(message.time).date().isoformat()
        if day != self._day:
            self._day = day
            self._high_water = HighWater()
        self._high_water.recall(message.equity, day)


def _kept(holding: Holding) -> tuple[int, int]:
    return holding.quantity, holding.cost


def _by_holding(peaks: Sequence[CarriedPeak]) -> list[tuple[str, str, int, int]]:
    return sorted((peak.symbol, peak.strategy, peak.since, peak.price) for peak in peaks)
