"""A holding on its way out: how far it got, what stands in its way, what it takes in an auction."""

import datetime as dt
from dataclasses import dataclass

from actors.account.order import Order
from actors.limits.stops import ONE
from actors.market import krx
from messages import Instrument, Kind, Side, Symbol, Won

Owned = tuple[Symbol, str]
"""An issue and who owns the shares."""


@dataclass(slots=True)
class Exit:
    """One holding of one owner, until it is gone."""

    reason: str
    order: int = 0
    """Intent of the newest attempt."""
    attempts: int = 0
    next: int = 0
    """Not before this instant is the next step taken."""
    said: int = 0
    """When it was last said that this takes too long."""
    auction: bool = False
    """Whether the newest attempt is for a single price."""

    def is_due(self, now: int, patience: int) -> bool:
        """Whether the next step may be taken; one further off than `patience` was set by a clock that has gone back."""
        return not 0 < self.next - now <= patience

    def stands(self, own: Order, *, auction: bool) -> bool:
        """Whether nothing more urgent could take the place of its order."""
        return own.kind is Kind.MARKET or (self.auction and auction)


def in_the_way(order: Order, owner: str) -> bool:
    """A sale of the same owner binds the shares; a buy of anybody's would meet the exit."""
    return order.side is Side.BUY or order.strategy == owner


def floor(instrument: Instrument | None, last: int, part: int, today: dt.date) -> Won:
    """The least an exit takes in an auction, whose one price may lie far from the last; 0 where it is not known.

    `part` is what it gives way at most, in millionths.
    """
    if instrument is None or not last:
        return Won(0)
    wanted = krx.round_up(max(last * (ONE - part) // ONE, 1), instrument.market, today)
    return max(wanted, instrument.lower_limit)
