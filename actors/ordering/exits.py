"""Holdings on their way out: what stands in the way is taken back, then they are sold, ever more urgently."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from actors.account.ledger import FOREIGN, Ledger
from actors.account.order import Order, Phase
from actors.limits.rate import LOOK_ALIKE
from actors.limits.state import SUSPENDED
from actors.limits.stops import ONE
from actors.market import krx
from actors.market.time import SECOND, kst
from messages import (
    CancelOrder,
    ExitDelayed,
    Instrument,
    Kind,
    Message,
    OrderIntent,
    Purpose,
    Shares,
    Side,
    Symbol,
    Won,
)
from runtime.disk import faultpoints

Owned = tuple[Symbol, str]
"""An issue and who owns the shares."""

_ALARM: Final = 3
"""Steps without success after which a person must look."""
_COMPLAIN_EVERY: Final = 60 * SECOND
_STANDSTILL: Final = 60 * SECOND
"""Until the next attempt in an issue whose trading stands still (거래정지), which may be for weeks."""
_COMPLAIN_THEN: Final = 3_600 * SECOND
"""Between two complaints about one."""
_INTERRUPTION: Final = (krx.VI_AUCTION + 2 * krx.VI_EXTENSION) * SECOND
"""After which an interruption is over, though nobody said so."""

_begun = faultpoints.point("guardian: an exit begun, nothing asked for")
_asked_back = faultpoints.point("guardian: a cancel asked for, the sale not")
_offered = faultpoints.point("guardian: a sale asked for")


@dataclass(slots=True)
class Exit:
    """One holding of one owner, until it is gone."""

    reason: str
    since: int
    """When it began, or could last do nothing but wait."""
    order: int = 0
    """Intent of the newest attempt."""
    attempts: int = 0
    next: int = 0
    """Not before this instant is the next step taken."""
    said: int = 0
    """When it was last said that this takes too long."""
    auction: bool = False
    """Whether the newest attempt is for a single price."""

    def is_due(self, now: int, wait: int) -> bool:
        """Whether the next step may be taken; one further off than `wait` was set by a clock that has gone back."""
        return not 0 < self.next - now <= wait

    def is_late(self, now: int, patience: int) -> bool:
        """Whether it takes so long that a person must look, whatever it is that holds it up."""
        self.since = min(self.since, now)
        return now - self.since > _ALARM * patience

    def stands(self, own: Order, *, auction: bool) -> bool:
        """Whether nothing more urgent could take the place of its order."""
        return own.kind is Kind.MARKET or (self.auction and auction)


class Exits:
    """Sells what was begun until it is gone; `say` publishes, `now` tells the time.

    `patience`: nanoseconds a step gets. `auction`: millionths by which a limit into a single price lies below the
    last one. Shares that nobody here bought leave only with `adopt`.
    """

    def __init__(
        self,
        ledger: Ledger,
        say: Callable[[Message], int],
        now: Callable[[], int],
        *,
        patience: int,
        auction: int,
        adopt: bool,
    ) -> None:
        self._ledger = ledger
        self._say = say
        self._now = now
        self._patience = patience
        self._auction = auction
        self._adopt = adopt
        self._leaving: dict[Owned, Exit] = {}
        self._asked: dict[int, int] = {}
        """When the cancel of an order was last asked for."""
        self._interrupted: dict[Symbol, int] = {}
        self.suspended: dict[Symbol, None] = {}
        """Issues in which the newest attempt was refused because trading stands still."""
        self.closed = self.single_price = False
        """Whether nothing trades, or all in one auction."""
        self.bids: dict[Symbol, Won] = {}
        self.instruments: dict[Symbol, Instrument] = {}

    def __len__(self) -> int:
        return len(self._leaving)

    def begin(self, symbol: Symbol, owner: str, reason: str) -> None:
        """Sell all of it from now on, unless it is on its way already."""
        key = symbol, owner
        if key in self._leaving or (owner == FOREIGN and not self._adopt):
            return
        self._leaving[key] = Exit(reason, self._now())
        _begun()
        self._step(key)

    def recall(self, intent: OrderIntent, number: int) -> None:
        """An earlier run asked for this sale: what it began goes on, if the same shares are still there."""
        holding = self._ledger.lots(intent.strategy, intent.symbol)
        if holding.quantity > 0 and holding.since < number:
            leaving = self._leaving.setdefault((intent.symbol, intent.strategy), Exit(intent.reason, self._now()))
            leaving.order = number
            leaving.attempts += 1

    def step(self, symbol: Symbol | None = None) -> None:
        """Take the next step of whatever is due, of one issue or of all."""
        for key in tuple(self._leaving):
            if symbol is None or key[0] == symbol:
                self._step(key)

    def hurry(self) -> None:
        """The next step of each may be taken at once."""
        for leaving in self._leaving.values():
            leaving.next = self._now()

    def trades_again(self, symbol: Symbol) -> None:
        """Trading goes on, as a print tells or somebody says: the next try comes soon, once risk has heard it too."""
        self.suspended.pop(symbol, None)
        for (code, _), leaving in self._leaving.items():
            if code == symbol:
                leaving.next, leaving.said = self._now() + self._patience, 0

    def put_off(self, order: int, *, rule: str = "") -> None:
        """An attempt that came to nothing is not repeated at once, except where only another's number is awaited."""
        for (symbol, _), leaving in self._leaving.items():
            if leaving.order == order:
                if rule == SUSPENDED:
                    self.suspended[symbol] = None
                leaving.next = self._now() + (0 if rule == LOOK_ALIKE else self._wait(symbol))

    def interrupt(self, symbol: Symbol) -> None:
        """It trades in an auction of its own for a while."""
        self._interrupted[symbol] = self._now()

    def release(self, symbol: Symbol) -> None:
        """It trades as before."""
        self._interrupted.pop(symbol, None)

    def _step(self, key: Owned) -> None:
        symbol, owner = key
        leaving, now = self._leaving[key], self._now()
        if self._ledger.lots(owner, symbol).quantity <= 0:
            del self._leaving[key]
            return
        own = self._ledger.orders.get(leaving.order)
        if own is not None:
            self.suspended.pop(symbol, None)
        auction = self._in_auction(symbol, now)
        stands = own is not None and own.live and not _is_lost(own) and leaving.stands(own, auction=auction)
        if own is None or not own.live or (leaving.is_due(now, self._wait(symbol)) and not stands):
            self._push(key, leaving, now)
        if self.closed or (stands and leaving.auction and auction):
            leaving.since = now
        elif leaving.is_late(now, self._patience):
            self._complain(key, leaving, now)

    def _push(self, key: Owned, leaving: Exit, now: int) -> None:
        symbol, owner = key
        obstacles = [order for order in self._ledger.live(symbol) if _in_the_way(order, owner)]
        for order in obstacles:
            self._cancel(order, leaving.reason)
        only_lost = all(order.side is Side.SELL and _is_lost(order) for order in obstacles)
        if only_lost and leaving.is_due(now, self._wait(symbol)) and not self.closed:
            self._sell(key, leaving, now)

    def _wait(self, symbol: Symbol) -> int:
        return max(_STANDSTILL, self._patience) if symbol in self.suspended else self._patience

    def _in_auction(self, symbol: Symbol, now: int) -> bool:
        since = self._interrupted.get(symbol)
        return self.single_price or (since is not None and 0 <= now - since <= _INTERRUPTION)

    def _sell(self, key: Owned, leaving: Exit, now: int) -> None:
        symbol, owner = key
        leaving.auction = self._in_auction(symbol, now)
        price = self.bids.get(symbol, Won(0))
        if leaving.auction:
            last, today = self._ledger.prices.get(symbol, 0), kst(now).date()
            price = _floor(self.instruments.get(symbol), last, self._auction, today)
        limit = price > 0 and (leaving.auction or leaving.attempts == 0)
        price = price if limit else Won(0)
        quantity = self._apart(symbol, self._ledger.sellable(owner, symbol), price)
        if quantity <= 0:
            return
        leaving.attempts += 1
        leaving.next = now + self._patience
        leaving.order = self._say(
            OrderIntent(
                symbol=symbol,
                side=Side.SELL,
                quantity=Shares(quantity),
                kind=Kind.LIMIT if limit else Kind.MARKET,
                price=price,
                purpose=Purpose.EXIT,
                strategy=owner,
                reason=leaving.reason,
            )
        )
        _offered()

    def _apart(self, symbol: Symbol, shares: int, price: int) -> int:
        """As many as can go now: what could be taken for a sale whose answer was lost would wait for it."""
        lost = [order for order in self._ledger.about(symbol) if order.side is Side.SELL and _is_lost(order)]
        taken = [order.quantity for order in lost if not price or order.price in (0, price)]
        return next((count for count in range(shares, 0, -1) if count not in taken), shares)

    def _complain(self, key: Owned, leaving: Exit, now: int) -> None:
        every = _COMPLAIN_THEN if key[0] in self.suspended else _COMPLAIN_EVERY
        if leaving.said and 0 <= now - leaving.said < every:
            return
        leaving.said = now
        symbol, owner = key
        left = Shares(self._ledger.lots(owner, symbol).quantity)
        attempts, reason = leaving.attempts, leaving.reason
        self._say(ExitDelayed(symbol=symbol, strategy=owner, left=left, attempts=attempts, reason=reason))

    def _cancel(self, order: Order, reason: str) -> None:
        now = self._now()
        if 0 <= now - self._asked.get(order.number, 0) < self._patience:
            return
        self._asked[order.number] = now
        self._say(
            CancelOrder(
                order=order.number, symbol=order.symbol, venue=order.venue, strategy=order.strategy, reason=reason
            )
        )
        _asked_back()


def _in_the_way(order: Order, owner: str) -> bool:
    """A sale of the same owner binds the shares; a buy of anybody's would meet the exit.

    One at the market whose answer was lost is as urgent as any, should it live.
    """
    lost = order.kind is Kind.MARKET and _is_lost(order)
    return order.side is Side.BUY or (order.strategy == owner and not lost)


def _is_lost(order: Order) -> bool:
    return order.phase is Phase.UNKNOWN


def _floor(instrument: Instrument | None, last: int, part: int, today: dt.date) -> Won:
    """The least an exit takes in an auction, whose one price may lie far from the last; 0 where it is not known.

    `part` is what it gives way at most, in millionths.
    """
    if instrument is None or not last:
        return Won(0)
    wanted = krx.round_up(max(last * (ONE - part) // ONE, 1), instrument.market, today)
    return max(wanted, instrument.lower_limit)
