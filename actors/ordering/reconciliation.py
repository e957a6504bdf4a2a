"""Ledger against broker: what one snapshot of the account says that the ledger does not."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from actors.account.ledger import Ledger
from actors.account.order import Order, Phase
from actors.gateways.port import BrokerOrder, BrokerPosition, BrokerState
from actors.market.time import SECOND
from actors.ordering.costs import untold
from actors.ordering.statement import FALLEN, Statement, is_of_terms, lost, may_have_filled
from messages import (
    CancelRejected,
    CashAdjusted,
    ExternalOrderSeen,
    Message,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    OrderUnknown,
    Position,
    PositionAdjusted,
    ReplaceRejected,
    Shares,
    Side,
    Symbol,
    Won,
)

QUIET = 10 * SECOND
"""After which an order without any answer is unknown, and one the broker does not list may be none.

One that was submitted in the future was so by a clock that was wrong: its age is not known, and two looks decide.
"""


class Finding(NamedTuple):
    """A difference in words, and the messages that book it once it is certain."""

    line: str
    messages: tuple[Message, ...] = ()
    certain: bool = False
    """The broker has a record of it; what is only missing must be missed twice."""


class Match(NamedTuple):
    """The outcome of one comparison."""

    findings: tuple[Finding, ...]
    strangers: tuple[BrokerOrder, ...]
    """Orders nobody here placed."""
    doubt: str = ""
    """Why nothing may be concluded from what is missing."""

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(finding.line for finding in self.findings)


def compare(ledger: Ledger, state: BrokerState, *, start: bool = False) -> Match:
    """Orders by number, then by terms; positions and cash after what the orders explain.

    A snapshot that lacks what the broker itself has told closes nothing, neither an order nor a position: it books
    what it has records of, and says what is odd. `start` allows what may have happened overnight.
    """
    statement = Statement(ledger, state)
    findings: list[Finding] = []
    for order in statement.ours:
        if order.broker_orders:
            findings += _numbered(order, statement.about(order), state)
    for order in _lost_of(statement):
        findings += _unnumbered(order, statement)
    doubt = statement.doubt()
    strangers = tuple(statement.strangers)
    if doubt:
        return Match((Finding(doubt), *filter(_is_recorded, findings)), strangers, doubt)
    findings += _Holdings(statement, findings, start=start).compared()
    return Match(tuple(findings), strangers)


def filled_earlier(ledger: Ledger, state: BrokerState, ours: Sequence[Order]) -> Iterator[Finding]:
    """What filled of the orders of an earlier day while nothing ran; whatever else the list shows or lacks is over.

    `state` has the orders of that day and nothing else, `ours` are those of the same day.
    """
    statement = Statement(ledger, state, ours)
    for order in statement.ours:
        records = statement.about(order)
        if may_have_filled(order) and records and is_of_terms(order, records):
            yield from (found for found in _numbered(order, records, state) if _books_fills(found))
    for order in _lost_of(statement):
        yield from (found for found in _unnumbered(order, statement) if _books_fills(found))


def confirmed(first: Match, second: Match) -> tuple[Finding, ...]:
    """What the second look says, as far as it is certain or the first one said the same."""
    return tuple(finding for finding in second.findings if finding.certain or finding.line in first.lines)


def positions(state: BrokerState) -> tuple[Position, ...]:
    """The broker's holdings as messages have them."""
    return tuple(Position(symbol=p.symbol, quantity=p.quantity, cost=p.cost, last=p.last) for p in state.positions)


def stranger(order: BrokerOrder) -> ExternalOrderSeen:
    """An order of somebody else as a message."""
    description = (
        f"{order.side} {order.quantity} at {order.price}: {order.filled} filled, {order.open} open, {order.status}"
    )
    return ExternalOrderSeen(
        symbol=order.symbol, time=order.time, broker_order=order.broker_order, description=description
    )


def _numbered(order: Order, records: list[BrokerOrder], state: BrokerState) -> Iterator[Finding]:
    """What the broker lists of an order of ours; what it does not list at all is no finding but a doubt."""
    if not records:
        return
    for record in records:
        if record.original and record.broker_order not in order.changes:
            line = f"order {order.number}: {record.broker_order} replaced {record.original}"
            yield Finding(line, (_replaced(order, record, state),), certain=True)
    filled = sum(record.filled for record in records)
    if filled > order.filled:
        line = f"order {order.number}: {filled} filled at the broker, {order.filled} here"
        yield Finding(line, (_recovered(order, records),), certain=True)
    elif 0 < filled == order.filled and (line := _dearer(order, records)):
        yield Finding(line, (_recovered(order, records),))
    if not order.changes and records[0].quantity < order.quantity:
        yield Finding(f"order {order.number}: {records[0].quantity} asked for at the broker, {order.quantity} here")
        return
    yield from _ended(order, records, max(filled, order.filled), state)
    yield from _unanswered(order, records, state)
    yield from _outlived(order, records, state)


def _is_recorded(finding: Finding) -> bool:
    """Whether it stands on what the broker shows, not on what it does not."""
    return finding.certain or any(isinstance(message, OrderAccepted) for message in finding.messages)


def _lost_of(statement: Statement) -> list[Order]:
    """Those that live first: a record that can be theirs is none of an order that was given up."""
    return sorted(filter(lost, statement.ours), key=lambda order: not order.live)


def _books_fills(finding: Finding) -> bool:
    return finding.certain and any(isinstance(message, OrderFilled) for message in finding.messages)


def _ended(order: Order, records: list[BrokerOrder], filled: int, state: BrokerState) -> Iterator[Finding]:
    still_open = sum(record.open for record in records)
    gone = order.quantity - filled - still_open
    whole = {record.broker_order for record in records} >= {*order.broker_orders}
    if gone <= order.canceled + order.lapsed or (still_open and (order.replacing or not whole)):
        return
    why = records[-1].status
    canceled = OrderCanceled(
        **_about(order, state),
        broker_order=records[-1].broker_order,
        canceled=Shares(gone),
        reason=f"found at reconciliation: {why}",
        open=Shares(still_open),
    )
    yield Finding(f"order {order.number}: {still_open} open at the broker ({why}), {order.bound} here", (canceled,))


def _unanswered(order: Order, records: list[BrokerOrder], state: BrokerState) -> Iterator[Finding]:
    """A request whose answer is lost must not stand in the way of the next one for ever."""
    if not _is_quiet(order, state) or not any(record.open for record in records):
        return
    if order.canceling:
        ineffective = CancelRejected(**_about(order, state), reason="the broker still shows it open, asked twice")
        yield Finding(f"order {order.number}: a cancel without effect at the broker", (ineffective,))
    if order.changing and not any(record.original and record.broker_order not in order.changes for record in records):
        unchanged = ReplaceRejected(**_about(order, state), reason="the broker shows no change, asked twice")
        yield Finding(f"order {order.number}: a change without effect at the broker", (unchanged,))


def _outlived(order: Order, records: list[BrokerOrder], state: BrokerState) -> Iterator[Finding]:
    """A record said that it is over, and nothing here can take it back any more: a person is told so, once."""
    still_open = sum(record.open for record in records)
    if order.phase is not Phase.CANCELED or order.unknown or not still_open or not _is_quiet(order, state):
        return
    why = f"{still_open} open at the broker, canceled here"
    unknown = OrderUnknown(**_about(order, state), reason=f"{why}: take it back on the broker's own screen")
    yield Finding(f"order {order.number}: {why}", (unknown,))


def _is_quiet(order: Order, state: BrokerState) -> bool:
    return not 0 <= state.time - order.time < QUIET


def _unnumbered(order: Order, statement: Statement) -> Iterator[Finding]:
    state, now = statement.state, statement.state.time
    alike = statement.alike(order)
    if len(alike) > 1:
        yield _unclear(order, f"{len(alike)} orders at the broker look like it", state)
    elif alike and statement.is_older(alike[0], order):
        yield _unclear(order, f"{alike[0].broker_order} at the broker looks like it, but its number is older", state)
    elif alike:
        statement.strangers.remove(alike[0])
        # A list may be from before a refusal: two looks that were made after it must agree.
        sure = statement.is_of_the_past or not order.rejected
        line = f"order {order.number}: is {alike[0].broker_order} at the broker" + ("" if sure else ", rejected here")
        yield Finding(line, tuple(_taken_up(order, alike[0], state)), certain=sure)
    elif not order.live:
        return
    elif 0 <= now - order.submitted < QUIET:
        yield Finding(f"order {order.number}: not at the broker yet, {order.phase} here")
    elif order.phase is not Phase.UNKNOWN:
        silence = OrderUnknown(**_about(order, state), reason="the broker neither answers nor lists it")
        yield Finding(f"order {order.number}: no answer, not at the broker", (silence,))
    else:
        never = OrderRejected(**_about(order, state), reason="the broker has no such order, asked twice")
        yield Finding(f"order {order.number}: not at the broker, {order.phase} here", (never,))


def _unclear(order: Order, why: str, state: BrokerState) -> Finding:
    """Nothing here tells whose it is: a person does, once it is unknown."""
    known = not order.live or order.phase is Phase.UNKNOWN
    unknown = OrderUnknown(**_about(order, state), reason=f"{why}: settle it by hand")
    return Finding(f"order {order.number}: {why}", () if known else (unknown,))


def _taken_up(order: Order, record: BrokerOrder, state: BrokerState) -> Iterator[Message]:
    yield OrderAccepted(**_about(order, state), broker_order=record.broker_order)
    if record.filled:
        yield _recovered(order, [record])
    rest = order.quantity - record.filled
    if not record.open and rest:
        yield OrderCanceled(**_about(order, state), broker_order=record.broker_order, canceled=Shares(rest))


def _dearer(order: Order, records: list[BrokerOrder]) -> str:
    """Cumulative figures only grow; where the broker's are behind ours they say nothing.

    Nor does an amount where live records told every fill, and an average rounded to whole won could be all of it.
    """
    rounding = order.filled // 2 if order.heard[0] >= order.filled else 0
    figures = (("amount", order.amount, rounding), ("commission", order.commission, 0), ("tax", order.tax, 0))
    for name, ours, less in figures:
        theirs = sum(getattr(record, name) for record in records)
        if theirs > ours + less:
            return f"order {order.number}: {name} {theirs} at the broker, {ours} here"
    return ""


def _recovered(order: Order, records: list[BrokerOrder]) -> OrderFilled:
    filled, amount = sum(record.filled for record in records), sum(record.amount for record in records)
    quantity = filled - order.filled
    return OrderFilled(
        order=order.number,
        symbol=order.symbol,
        venue=order.venue,
        strategy=order.strategy,
        time=max(record.time for record in records),
        broker_order=records[-1].broker_order,
        side=order.side,
        price=Won((amount - order.amount) // quantity if quantity else amount // filled),
        quantity=Shares(quantity),
        filled=Shares(filled),
        amount=Won(amount),
        open=Shares(sum(record.open for record in records)),
        commission=Won(sum(record.commission for record in records)),
        tax=Won(sum(record.tax for record in records)),
        source="recovery",
    )


def _replaced(order: Order, record: BrokerOrder, state: BrokerState) -> OrderReplaced:
    return OrderReplaced(
        **_about(order, state),
        broker_order=record.broker_order,
        original=record.original,
        quantity=record.quantity,
        price=record.price,
    )


class _Holdings:
    """Shares and cash, less what the orders found explain."""

    def __init__(self, statement: Statement, findings: list[Finding], *, start: bool) -> None:
        ledger = statement.ledger
        self._ledger, self._state, self._start = ledger, statement.state, start
        self._ours = statement.ours
        self._expected = {symbol: ledger.held(symbol) for symbol in ledger.holdings}
        self._cash = ledger.cash
        self._sold = Counter[Symbol]()
        for order in statement.strangers:
            self._sold[order.symbol] += order.filled if order.side is Side.SELL else 0
        for finding in findings:
            for message in finding.messages:
                if isinstance(message, OrderFilled):
                    self._expect(message)

    def compared(self) -> Iterator[Finding]:
        there = {position.symbol: position for position in self._state.positions}
        unexplained = self._state.cash - self._cash
        paid = self._is_paid(there, unexplained)
        waiting = False
        for symbol in sorted({*self._expected, *there}):
            position, here = there.get(symbol), self._expected.get(symbol, 0)
            shares = position.quantity if position else 0
            if shares == here:
                continue
            line = f"{symbol}: {shares} shares at the broker, {here} here"
            if not self._credible(symbol, here, shares, paid=paid):
                waiting = True
                yield Finding(line)
                continue
            yield Finding(line, (self._adjusted(symbol, shares, position.cost if position else 0, unexplained, line),))
            unexplained = 0
        if unexplained:
            line = f"cash: {self._state.cash} at the broker, {self._cash} here"
            settled = not waiting and not self._ledger.unsettled()
            yield Finding(line, (self._moved(unexplained, line),) if settled else ())

    def _moved(self, cash: int, line: str) -> CashAdjusted:
        return CashAdjusted(
            time=self._state.time,
            cash=Won(cash),
            reason=f"found at reconciliation: {line}",
            costs=0 < -cash <= untold(self._ledger, self._ours, self._state.time),
        )

    def _credible(self, symbol: Symbol, here: int, there: int, *, paid: bool) -> bool:
        """An order of ours may explain it yet; and shares do not vanish without a sale, or a merger overnight."""
        if self._ledger.unsettled(symbol) or self._has_just_traded(symbol):
            return False
        sold = paid or self._sold[symbol] >= here - there
        return there > here or sold or (self._start and there > 0)

    def _is_paid(self, there: Mapping[Symbol, BrokerPosition], cash: int) -> bool:
        """Whether cash came in for all the shares that went, beside what was paid for those that came."""
        gone = came = 0
        for symbol, here in self._expected.items():
            shares = there[symbol].quantity if symbol in there else 0
            if shares < here:
                cost = sum(holding.cost for holding in self._ledger.holdings.get(symbol, {}).values())
                gone += cost * (here - shares) // here
        for symbol, position in there.items():
            more = position.quantity - self._expected.get(symbol, 0)
            came += position.cost * max(more, 0) // position.quantity if position.quantity else 0
        return cash + came > gone // FALLEN

    def _has_just_traded(self, symbol: Symbol) -> bool:
        """What fills shows in the broker's holdings a moment after it shows in its orders."""
        ours = (order for order in self._ledger.orders.values() if order.symbol == symbol and order.filled)
        return any(0 <= self._state.time - order.time < QUIET for order in ours)

    def _adjusted(self, symbol: Symbol, shares: int, cost: int, cash: int, line: str) -> PositionAdjusted:
        return PositionAdjusted(
            symbol=symbol,
            time=self._state.time,
            quantity=Shares(shares),
            cost=Won(cost),
            cash=Won(cash),
            reason=f"found at reconciliation: {line}",
        )

    def _expect(self, fill: OrderFilled) -> None:
        sign = 1 if fill.side is Side.BUY else -1
        known = self._ledger.orders[fill.order]
        self._expected[fill.symbol] = self._expected.get(fill.symbol, 0) + sign * fill.quantity
        costs = max(fill.commission - known.commission, 0) + max(fill.tax - known.tax, 0)
        self._cash -= sign * (fill.amount - known.amount) + costs


def _about(order: Order, state: BrokerState) -> dict[str, Any]:
    return {
        "order": order.number,
        "symbol": order.symbol,
        "venue": order.venue,
        "strategy": order.strategy,
        "time": state.time,
    }
