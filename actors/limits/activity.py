"""What was sent of late, and how alike it was: a fold of the journal, so that a restart forgives nothing."""

from typing import Final

from actors.market.time import SECOND, kst
from messages import (
    ActivityCarried,
    ApprovedOrder,
    ApprovedReplace,
    CancelOrder,
    OrderRefused,
    Purpose,
    ResumeTrading,
    Side,
    Symbol,
    Venue,
)

_EAST = 9 * 3_600 * SECOND
_DAY = 86_400 * SECOND
_ENTRY = Purpose.ENTRY

Active = ApprovedOrder | ApprovedReplace | CancelOrder | OrderRefused | ResumeTrading
"""What the fold takes, in the order of the journal."""

ACTIVE: tuple[type[Active], ...] = (ApprovedOrder, ApprovedReplace, CancelOrder, OrderRefused, ResumeTrading)

REPEATED = "repeated execution"
"""The rule whose refusal disables a strategy until a person resumes."""

Terms = tuple[Symbol, Venue, Side, int, int]
"""Issue, venue, side, quantity and price: what makes two entries alike."""

Firing = tuple[str, Symbol, Side, int]
"""Strategy, issue, side and the last price it saw: the same decision on the same news."""


_Counts = tuple[list[int], dict[Terms, list[int]], dict[Firing, list[int]]]
_OTHER_DAYS: Final = 7


class Activity:
    """Counts of the Korean day; a disabled strategy stays so over days and runs."""

    __slots__ = ("_day", "_others", "alike", "disabled", "fired", "sent")

    def __init__(self) -> None:
        self.sent: list[int] = []
        """When orders and changes were approved and cancels asked for, oldest first."""
        self.alike: dict[Terms, list[int]] = {}
        """When entries on the same terms were approved."""
        self.fired: dict[Firing, list[int]] = {}
        """When a strategy's entries on the same news were approved."""
        self.disabled: dict[str, str] = {}
        """Strategies that may not enter, and the code they repeated themselves in."""
        self._day = 0
        self._others: dict[int, _Counts] = {}
        """Of the newest other days: a clock that was wrong comes back to one of them."""

    def begin(self, time: int) -> None:
        """Count in the day of `time`, from where it was left."""
        day = korean_day(time)
        if day == self._day:
            return
        self._others[self._day] = self.sent, self.alike, self.fired
        self.sent, self.alike, self.fired = self._others.pop(day, None) or ([], {}, {})
        self._day = day
        if len(self._others) > _OTHER_DAYS:
            del self._others[min(self._others)]

    def carried(self, reconciliation: int, day: str) -> ActivityCarried | None:
        """What is remembered over days; None while requests of that day, a Korean date, are counted."""
        if self.sent and kst(max(self.sent)).date().isoformat() >= day:
            return None
        return ActivityCarried(reconciliation=reconciliation, day=day, disabled=dict(self.disabled))

    def restore(self, state: ActivityCarried) -> None:
        """Go on from there, with nothing folded yet."""
        self.disabled = dict(state.disabled)

    def fold(self, message: Active, time: int) -> None:
        """Take in one message that was said at `time`."""
        match message:
            case ApprovedOrder():
                self._order(message, time)
            case ApprovedReplace() | CancelOrder():
                self.begin(time)
                self.sent.append(time)
            case OrderRefused():
                if message.rule == REPEATED:
                    self.disabled[message.strategy] = message.symbol
            case ResumeTrading():
                self.disabled, self.fired = {}, {}

    def _order(self, order: ApprovedOrder, time: int) -> None:
        self.begin(time)
        self.sent.append(time)
        if order.purpose is _ENTRY:
            terms = order.symbol, order.venue, order.side, order.quantity, order.price
            self.alike.setdefault(terms, []).append(time)
            firing = order.strategy, order.symbol, order.side, order.evidence.last
            self.fired.setdefault(firing, []).append(time)


def korean_day(time: int) -> int:
    """Days since the epoch on Korean clocks."""
    return (time + _EAST) // _DAY
