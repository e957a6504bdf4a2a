"""The part of a journal that a question is about: one of years is not read to the end for an order of today."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, get_args

from actors.account.carrying import restore
from actors.account.ledger import Booked, Ledger
from actors.account.recovery import run_of, stands, states
from actors.market.time import at, kst
from messages import Instrument, LedgerCarried, Message, ResumeTrading, StrategyDisabled, Symbol
from runtime.disk import chain
from runtime.envelope import Envelope

_BOOKED: Final[tuple[type[Message], ...]] = get_args(Booked)
_NAMES: Final = """SELECT EXISTS (SELECT 1 FROM record WHERE number < ? AND (instr(body, ?)
    OR (type = 'UniverseChanged' AND instr(body, ?))))"""
_NEWEST: Final = """SELECT coalesce(max(time), 0) FROM record WHERE number < ?
    AND type NOT IN ('opened', 'closed', 'sealed')"""
"""Said by an actor."""


@dataclass(frozen=True)
class Told:
    """What is told from a run on, and the state in which the account was then; None where all is told."""

    path: Path
    state: LedgerCarried | None
    envelopes: list[Envelope]

    def account(self) -> "Account":
        """The ledger, to be shown the envelopes one after the other."""
        return Account(self.state)

    def names(self, symbol: Symbol) -> bool:
        """Whether what lies before names an issue; for a remark, so nothing is proven."""
        if self.state is None:
            return False
        found = chain.single_value(self.path, _NAMES, run_of(self.state), f'"symbol":"{symbol}"', f'"{symbol}"')
        return bool(found)


class Account:
    """The ledger as it was with each message."""

    def __init__(self, state: LedgerCarried | None) -> None:
        self.ledger = Ledger()
        self._state = state

    def take(self, envelope: Envelope) -> None:
        """Of what lies before the state only what issues are: the rest stands in it."""
        message = envelope.message
        if self._state is not None and envelope.number >= self._state.reconciliation:
            restore(self.ledger, self._state)
            self._state = None
        if isinstance(message, _BOOKED) and (self._state is None or isinstance(message, Instrument)):
            self.ledger.fold(message, envelope.number)  # type: ignore[arg-type]


def about(path: Path, order: int) -> Told:
    """Since the morning before an order of that number was asked for. Raises DatabaseError."""
    return _since(path, lambda state: state.reconciliation < order)


def around(path: Path, instant: int) -> Told:
    """Since the trading day before, and who was disabled earlier: that is over days. Raises DatabaseError.

    A state of a run whose clock was wrong stands behind days that came before it: nothing left out is of the day.
    """
    day = kst(instant).date()
    name, midnight = day.isoformat(), at(day)

    def is_before(state: LedgerCarried) -> bool:
        return state.day < name and chain.single_value(path, _NEWEST, run_of(state)) < midnight

    told = _since(path, is_before)
    if told.state is None:
        return told
    first = run_of(told.state)
    earlier = [known for known in chain.latest(path, StrategyDisabled, ResumeTrading) if known.number < first]
    return Told(path, told.state, [*reversed(earlier), *told.envelopes])


def _since(path: Path, wanted: Callable[[LedgerCarried], bool]) -> Told:
    state = next(filter(wanted, states(path)), None)
    if state is not None and not stands(path, state):
        state = None
    return Told(path, state, list(chain.envelopes(path, run_of(state) if state else 0)))
