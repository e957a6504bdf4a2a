"""Ledger against broker: what one snapshot of the account says that the ledger does not."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from actors.account.ledger import Ledger
from actors.account.order import Order, Phase
from actors.gateways.port import BrokerOrder, BrokerState, KnownOrder
from messages import (
    ExternalOrderSeen,
    Message,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    Position,
    PositionAdjusted,
    Shares,
    Side,
    Symbol,
    Won,
)


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

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(finding.line for finding in self.findings)


def compare(ledger: Ledger, state: BrokerState) -> Match:
    """Orders by number, then by terms; positions and cash after what the orders explain.

    A snapshot without any order and any holding closes nothing while the ledger knows of some: it says so.
    """
    if _is_blank(ledger, state):
        return Match((Finding("the broker shows an empty account"),), ())
    by_number = {order.broker_order: order for order in state.orders}
    ours = {number for order in ledger.orders.values() for number in order.broker_orders}
    strangers = [o for o in state.orders if o.broker_order not in ours and o.original not in ours]
    findings: list[Finding] = []
    for order in _unsettled(ledger):
        if order.broker_orders:
            findings += _numbered(order, [by_number[n] for n in order.broker_orders if n in by_number], state)
        else:
            findings += _unnumbered(order, strangers, state)
    findings += _holdings(ledger, state, [m for f in findings for m in f.messages if isinstance(m, OrderFilled)])
    return Match(tuple(findings), tuple(strangers))


def confirmed(first: Match, second: Match) -> tuple[Finding, ...]:
    """What the second look says, as far as it is certain or the first one said the same."""
    return tuple(finding for finding in second.findings if finding.certain or finding.line in first.lines)


def known_orders(ledger: Ledger) -> tuple[KnownOrder, ...]:
    """The orders that may be alive, for a gateway that has just connected."""
    return tuple(
        KnownOrder(
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
        )
        for order in ledger.live()
    )


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


def _is_blank(ledger: Ledger, state: BrokerState) -> bool:
    known = any(order.broker_orders for order in ledger.orders.values()) or any(True for _ in ledger.each())
    return known and not state.orders and not state.positions


def _unsettled(ledger: Ledger) -> Iterator[Order]:
    """Orders about which the broker may know more: never one it has not been asked about."""
    return (order for order in ledger.unsettled() if order.phase is not Phase.APPROVED)


def _numbered(order: Order, records: list[BrokerOrder], state: BrokerState) -> Iterator[Finding]:
    filled, amount = sum(r.filled for r in records), sum(r.amount for r in records)
    if filled > order.filled:
        yield Finding(
            f"order {order.number}: {filled} filled at the broker, {order.filled} here",
            (_recovered(order, records, filled, amount),),
            certain=True,
        )
    if records and not order.changes and records[0].quantity < order.quantity:
        yield Finding(f"order {order.number}: {records[0].quantity} asked for at the broker, {order.quantity} here")
        return
    still_open = sum(r.open for r in records)
    if not still_open and filled < order.quantity:
        why = records[-1].status if records else "not in the broker's lists"
        dead = OrderCanceled(
            **_about(order, state),
            broker_order=order.broker_order,
            canceled=Shares(order.quantity - max(filled, order.filled)),
            reason=f"found at reconciliation: {why}",
        )
        yield Finding(f"order {order.number}: nothing open at the broker ({why}), {order.bound} here", (dead,))


def _unnumbered(order: Order, strangers: list[BrokerOrder], state: BrokerState) -> Iterator[Finding]:
    alike = [record for record in strangers if _like(order, record)]
    if len(alike) > 1:
        yield Finding(f"order {order.number}: {len(alike)} orders at the broker look like it")
    elif alike:
        record = alike[0]
        strangers.remove(record)
        found: list[Message] = [OrderAccepted(**_about(order, state), broker_order=record.broker_order)]
        if record.filled:
            found.append(_recovered(order, [record], record.filled, record.amount))
        if not record.open and record.filled < order.quantity:
            rest = Shares(order.quantity - record.filled)
            dead = OrderCanceled(**_about(order, state), broker_order=record.broker_order, canceled=rest)
            found.append(dead)
        yield Finding(f"order {order.number}: is {record.broker_order} at the broker", tuple(found), certain=True)
    elif order.live:
        never = OrderRejected(**_about(order, state), reason="the broker has no such order, asked twice")
        yield Finding(f"order {order.number}: not at the broker, {order.phase} here", (never,))


def _recovered(order: Order, records: list[BrokerOrder], filled: int, amount: int) -> OrderFilled:
    quantity = filled - order.filled
    return OrderFilled(
        order=order.number,
        symbol=order.symbol,
        venue=order.venue,
        strategy=order.strategy,
        time=max(record.time for record in records),
        broker_order=records[-1].broker_order,
        side=order.side,
        price=Won((amount - order.amount) // quantity),
        quantity=Shares(quantity),
        filled=Shares(filled),
        amount=Won(amount),
        open=Shares(sum(record.open for record in records)),
        commission=Won(sum(record.commission for record in records)),
        tax=Won(sum(record.tax for record in records)),
        source="recovery",
    )


def _holdings(ledger: Ledger, state: BrokerState, fills: Iterable[OrderFilled]) -> Iterator[Finding]:
    expected = {symbol: ledger.held(symbol) for symbol in ledger.holdings}
    cash = ledger.cash
    for fill in fills:
        sign = 1 if fill.side is Side.BUY else -1
        known = ledger.orders[fill.order]
        expected[fill.symbol] = expected.get(fill.symbol, 0) + sign * fill.quantity
        cash -= sign * (fill.amount - known.amount) + max(fill.commission - known.commission, 0)
        cash -= max(fill.tax - known.tax, 0)
    broker = {position.symbol: position for position in state.positions}
    unexplained = state.cash - cash
    for symbol in sorted({*expected, *broker}):
        there, here = broker.get(symbol), expected.get(symbol, 0)
        quantity = there.quantity if there else 0
        if quantity != here:
            cost = there.cost if there else Won(0)
            yield _adjusted(symbol, (here, quantity), cost, unexplained, state)
            unexplained = 0
    if unexplained:
        yield Finding(f"cash: {state.cash} at the broker, {cash} here")


def _adjusted(symbol: Symbol, shares: tuple[int, int], cost: Won, cash: int, state: BrokerState) -> Finding:
    here, there = shares
    line = f"{symbol}: {there} shares at the broker, {here} here"
    message = PositionAdjusted(
        symbol=symbol,
        time=state.time,
        quantity=Shares(there),
        cost=cost,
        cash=Won(cash),
        reason=f"found at reconciliation: {line}",
    )
    return Finding(line, (message,))


def _like(order: Order, record: BrokerOrder) -> bool:
    terms = (order.symbol, order.side, order.quantity, order.price)
    return not record.original and terms == (record.symbol, record.side, record.quantity, record.price)


def _about(order: Order, state: BrokerState) -> dict[str, Any]:
    return {
        "order": order.number,
        "symbol": order.symbol,
        "venue": order.venue,
        "strategy": order.strategy,
        "time": state.time,
    }
