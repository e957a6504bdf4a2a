"""Exits that the broker refuses: whether to ask it what is held, for somebody may have sold the shares by hand."""

from typing import Final

from actors.account.order import Order
from actors.market.time import SECOND
from messages import Purpose, Symbol

_SAME: Final = 60 * SECOND
"""An exit refused again within this time is the one that was refused before."""
_PAUSE: Final = 10 * SECOND
"""Between two questions, whoever's exits they are about: the broker allows so many queries, and others need them."""


class RefusedExits:
    """Remembers what was asked about: once an exit, and one question for all that were refused before it."""

    def __init__(self) -> None:
        self._asked: dict[tuple[Symbol, str], int] = {}
        """When an exit that was asked about was refused last, by issue and owner."""
        self._waiting: dict[tuple[Symbol, str], None] = {}
        self._newest = 0

    def asks(self, order: Order | None, now: int) -> bool:
        """Whether the refusal of an order is a reason to ask the broker now; what was never sent, or known, is none."""
        if order is None or order.purpose is not Purpose.EXIT or not order.submitting or order.unknown:
            return False
        key = order.symbol, order.strategy
        if key in self._asked and 0 <= now - self._asked[key] < _SAME:
            self._asked[key] = now
            return False
        self._waiting[key] = None
        if 0 <= now - self._newest < _PAUSE:
            return False
        self._newest = now
        self._asked |= dict.fromkeys(self._waiting, now)
        self._waiting.clear()
        return True
