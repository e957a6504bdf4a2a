"""The broker's lists beside our ledger: which record is about which order of ours, and whether to believe the lists."""

from collections.abc import Iterator, Sequence

from actors.account.ledger import Ledger
from actors.account.order import Order, Phase, of_its_day, rank
from actors.gateways.port import BrokerOrder, BrokerState, KnownOrder
from actors.market.time import SECOND, kst
from messages import Shares, Won

_LATEST = 60 * SECOND
"""After it was given up an order is not looked for among new ones."""


class Statement:
    """One snapshot of the account, its records sorted by the orders of ours they are about.

    Numbers begin anew each day, so only orders of the snapshot's day count. A modified order is followed from
    original number to number, however many of them the journal has never heard of. `ours` says which orders count
    where it is a snapshot of an earlier day.
    """

    def __init__(self, ledger: Ledger, state: BrokerState, ours: Sequence[Order] | None = None) -> None:
        self.ledger = ledger
        self.state = state
        self.is_of_the_past = ours is not None
        """Nothing that it is about is under way any more."""
        among = ledger.orders.values() if ours is None else ours
        self.ours = tuple(order for order in among if _of_the_day(order, state.time))
        owners = {number: order.number for order in self.ours for number in order.broker_orders}
        _follow_changes(owners, state)
        self._records: dict[int, list[BrokerOrder]] = {}
        self.strangers: list[BrokerOrder] = []
        """Orders that no number of ours leads to."""
        for record in sorted(state.orders, key=lambda record: record.broker_order):
            if record.broker_order in owners:
                self._records.setdefault(owners[record.broker_order], []).append(record)
            else:
                self.strangers.append(record)

    def about(self, order: Order) -> list[BrokerOrder]:
        """The records of one order, the first number first."""
        return self._records.get(order.number, [])

    def alike(self, order: Order) -> list[BrokerOrder]:
        """The strangers that can be an order of ours whose number never came.

        What was told of before it was submitted is none of them, nor, where it was given up, what was told at all:
        a live record would have borne its screen. Clocks are not asked: ours may have been wrong then.
        """
        told = self.ledger.strangers if order.rejected else self._strangers_before(order)
        alike = (record for record in self.strangers if is_like(order, record))
        return [record for record in alike if of_its_day(record.time, record.broker_order) not in told]

    def is_older(self, record: BrokerOrder, order: Order) -> bool:
        """Whether the broker gave this number before an order of ours was submitted, as far as what it had told shows.

        Numbers rise through the day, so one below a number that was told before is somebody else's, or the broker's
        numbers do not rise after all: nobody knows which.
        """
        told = [other.broker_orders[0] for other in self.ours if 0 < other.numbered < order.submission]
        told += [number for _, number in self._strangers_before(order)]
        return any(rank(record.broker_order) < rank(number) for number in told)

    def doubt(self) -> str:
        """Why nothing may be concluded from what this snapshot does not show; blank where it may.

        It is stale or has lost a page when it lacks what the broker itself has told us before it was asked.
        """
        if self._blank():
            return "the broker shows an empty account"
        for order in self.ours:
            if self._told_meanwhile(order):
                continue
            records = self.about(order)
            if order.broker_orders and not records and (order.live or order.filled):
                return missing(order)
            if records and not order.changes and sum(record.filled for record in records) < order.filled:
                return f"order {order.number}: fewer filled at the broker than it has told"
        return ""

    def _told_meanwhile(self, order: Order) -> bool:
        """Whether the broker told of it while its lists were read, page by page: they may be of the moment before."""
        return 0 < self.state.since <= order.time <= self.state.time

    def _strangers_before(self, order: Order) -> list[tuple[str, str]]:
        """By day and number, those the broker had told of when an order of ours was submitted."""
        today = of_its_day(self.state.time, "")[0]
        told = self.ledger.strangers.items()
        return [key for key, number in told if number < order.submission and key[0] == today]

    def _blank(self) -> bool:
        """Whether it shows nothing where there was something: whose shares were sold overnight has money instead.

        An order that is over without a fill need not be listed; while one is in doubt, empty lists are not believed.
        """
        if self.state.orders or self.state.positions:
            return False
        held = sum(holding.cost for _, _, holding in self.ledger.each())
        sold = held > 0 and pays_for(held, self.state.cash - self.ledger.cash)
        if not sold and any(True for _ in self.ledger.each()):
            return True
        awaited = any(order.live and not order.broker_orders for order in self.ours)
        return awaited and any(order.broker_orders for order in self.ours)


def pays_for(cost: int, cash: int) -> bool:
    """Whether so much cash can come of selling what cost so much; for less than a quarter a page of a list is lost."""
    return cash > cost // 4


def missing(order: Order) -> str:
    """In words, that the broker does not show what it once gave a number."""
    return f"order {order.number}: {order.broker_order} is not in the broker's lists"


def is_like(order: Order, record: BrokerOrder) -> bool:
    """Whether a record is of the terms of an order whose number never came."""
    same = (order.symbol, order.side, order.quantity) == (record.symbol, record.side, record.quantity)
    in_time = order.live or record.time <= order.time + _LATEST
    return same and order.price in (0, record.price) and in_time and not record.original


def is_of_terms(order: Order, records: Sequence[BrokerOrder]) -> bool:
    """Whether records under our numbers can be of our order: numbers begin anew each day."""
    same = all((record.symbol, record.side) == (order.symbol, order.side) for record in records)
    first = records[0]
    as_asked = first.quantity == order.quantity and order.price in (0, first.price)
    return same and (as_asked or bool(order.changes)) and sum(record.filled for record in records) <= order.quantity


def lost(order: Order) -> bool:
    """Whether the broker's number of an order never came, though it may have one."""
    if order.broker_orders or order.filled or order.phase is Phase.APPROVED:
        return False
    return order.live or _is_given_up(order)


def _is_given_up(order: Order) -> bool:
    """An answer without a number refused it, or none came: there may be an order, whose records never came."""
    return order.rejected and (order.sent or order.unknown)


def may_have_filled(order: Order) -> bool:
    """Whether nothing the broker told says how much of it filled: a day that ends takes what is left unseen.

    What was ended on a later day was asked about then.
    """
    if not order.settled:
        return True
    asked = kst(order.time).date() > kst(order.began).date()
    return not asked and (order.lapsed > 0 or _is_given_up(order))


def known_orders(ledger: Ledger, now: int) -> tuple[KnownOrder, ...]:
    """The orders of today, for a gateway that has just connected: records of those that are over may still come."""
    found = [o for o in ledger.orders.values() if _of_the_day(o, now) and (o.broker_orders or lost(o))]
    return tuple(_known(order) for order in found)


def _known(order: Order) -> KnownOrder:
    return KnownOrder(
        order=order.number,
        broker_order=order.broker_order,
        strategy=order.strategy,
        symbol=order.symbol,
        venue=order.venue,
        side=order.side,
        quantity=order.quantity,
        price=Won(order.price),
        filled=Shares(order.filled),
        amount=Won(order.amount),
        commission=Won(order.commission),
        tax=Won(order.tax),
        dead=Shares(order.canceled + order.lapsed),
        earlier=tuple(order.broker_orders[:-1]),
        screen=order.screen,
    )


def _follow_changes(owners: dict[str, int], state: BrokerState) -> None:
    """Who changed an order of ours made a new number of it, which may have been changed in turn; and back again."""
    while found := dict(_heirs(owners, state)):
        owners |= found


def _heirs(owners: dict[str, int], state: BrokerState) -> Iterator[tuple[str, int]]:
    for record in state.orders:
        if record.broker_order not in owners and record.original in owners:
            yield record.broker_order, owners[record.original]
        elif record.original and record.original not in owners and record.broker_order in owners:
            yield record.original, owners[record.broker_order]


def _of_the_day(order: Order, now: int) -> bool:
    """What was submitted on a day to come was submitted by a clock that was wrong."""
    return kst(order.submitted or order.time).date() >= kst(now).date()
