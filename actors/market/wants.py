"""Which codes must be watched, the most important first: ordered, held, in a universe, then whatever else there is."""

from collections.abc import Sequence

from actors.market.venues import spell
from messages import (
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderIntent,
    OrderRefused,
    OrderRejected,
    PositionAdjusted,
    Reconciled,
    Side,
    Symbol,
    UniverseChanged,
)

Wish = UniverseChanged | Reconciled | PositionAdjusted | OrderIntent | OrderFilled
Ended = OrderRefused | OrderRejected | OrderCanceled | OrderExpired


class Wants:
    """A fold of what is wished, ordered and held; an order names the code of its venue."""

    def __init__(self, symbols: Sequence[Symbol]) -> None:
        self.rest: Sequence[Symbol] = ()
        """Watched after all others."""
        self._universes: dict[str, Sequence[Symbol]] = {"": symbols}
        self._held: dict[Symbol, int] = {}
        self._open: dict[int, Symbol] = {}
        self._ordered: Sequence[Symbol] = ()
        """By the last match: orders of an earlier run have no intent in this one."""

    @property
    def codes(self) -> list[Symbol]:
        """Each once; a held or ordered one stays until nothing of it is held or open."""
        held = (symbol for symbol, quantity in self._held.items() if quantity)
        ranked = (symbol for universe in self._universes.values() for symbol in universe)
        return list(dict.fromkeys((*self._open.values(), *self._ordered, *held, *ranked, *self.rest)))

    def fold(self, message: Wish, number: int) -> None:
        """`number` is the message's own: an intent's is its order's."""
        match message:
            case UniverseChanged():
                self._universes[message.universe] = message.symbols
            case Reconciled():
                self._held = {position.symbol: position.quantity for position in message.positions}
                self._ordered = message.ordered
            case PositionAdjusted():
                self._held[message.symbol] = message.quantity
            case OrderIntent():
                self._open[number] = spell(message.symbol, message.venue)
            case OrderFilled():
                self._fill(message)

    def end(self, message: Ended) -> None:
        """Nothing of the order is open any more; it is let go with the next wish."""
        self._open.pop(message.order, None)

    def _fill(self, fill: OrderFilled) -> None:
        sign = 1 if fill.side is Side.BUY else -1
        self._held[fill.symbol] = self._held.get(fill.symbol, 0) + sign * fill.quantity
        if not fill.open:
            self._open.pop(fill.order, None)
