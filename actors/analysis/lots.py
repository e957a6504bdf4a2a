"""What came and went without an order: held at the start, split, bought or sold by hand; told as if it had filled."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from actors.analysis.performance import Fill
from messages import Nanoseconds, Shares, Side, Symbol, Won


class Lot(NamedTuple):
    """Shares and what they cost, in won."""

    quantity: int = 0
    cost: int = 0


class Lots:
    """What the fills told so far leave, by issue and owner."""

    def __init__(self) -> None:
        self._known: dict[tuple[Symbol, str], Lot] = {}

    def note(self, symbol: Symbol, owner: str, lot: Lot) -> None:
        """A fill that was told has left this."""
        self._known[symbol, owner] = lot

    def square(
        self, held: Iterable[tuple[Symbol, str, Lot]], time: Nanoseconds, reason: str, *, proceeds: int = 0
    ) -> Iterator[Fill]:
        """Fills without an order or costs that lead from what is known to what is held.

        Shares come at their cost; they go for their part of `proceeds`, at their cost where there are none. Where the
        cost stayed there was a split or a merger.
        """
        known, self._known = self._known, {(symbol, owner): lot for symbol, owner, lot in held}
        keys = dict.fromkeys((*known, *self._known))
        changes = [_Change(*key, known.get(key, Lot()), self._known.get(key, Lot())) for key in keys]
        gone = sum(-change.more for change in changes if change.leaves)
        for change in changes:
            if change.more:
                part = proceeds * -change.more // gone if change.leaves and proceeds > 0 else abs(change.paid)
                yield change.fill(part, time, reason)


class _Change(NamedTuple):
    symbol: Symbol
    owner: str
    was: Lot
    now: Lot

    @property
    def more(self) -> int:
        return self.now.quantity - self.was.quantity

    @property
    def paid(self) -> int:
        return self.now.cost - self.was.cost

    @property
    def leaves(self) -> bool:
        """Whether shares went; fewer of the same cost are merged ones, bought by so many less."""
        return self.more < 0 and not (self.now.quantity and not self.paid)

    def fill(self, amount: int, time: Nanoseconds, reason: str) -> Fill:
        return Fill(
            order=0,
            strategy=self.owner,
            symbol=self.symbol,
            side=Side.SELL if self.leaves else Side.BUY,
            time=time,
            quantity=Shares(-self.more if self.leaves else self.more),
            amount=Won(amount),
            commission=Won(0),
            tax=Won(0),
            reason=reason,
        )
