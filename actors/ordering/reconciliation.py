"""Ledger against broker: what one snapshot of the account says that the ledger does not."""

from collections.abc import Iterator, Sequence
from typing import Any

from actors.account.ledger import Ledger
from actors.account.order import Order, Phase
from actors.gateways.port import BrokerOrder, BrokerState
from actors.market.time import SECOND
from actors.ordering.findings import QUIET, Finding, Match
from actors.ordering.holdings import Holdings
from actors.ordering.statement import Statement, is_of_terms, lost, may_have_filled
from messages import (
    CancelRejected,
    ExternalOrderSeen,
    Message,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    OrderUnknown,
    Position,
    ReplaceRejected,
    Shares,
    Won,
)

_IN_FLIGHT = 3 * SECOND
"""After which the exchange has what was sent, or has refused it; less than lies between two looks."""


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
    findings += Holdings(statement, findings, start=start).compared()
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
    elif alike and _is_under_way(order, alike[0], now):
        statement.strangers.remove(alike[0])
        yield Finding(f"order {order.number}: shown as {alike[0].broker_order}, not answered yet")
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


def _is_under_way(order: Order, record: BrokerOrder, now: int) -> bool:
    """Whether an answer may still refuse it: what a list shows before the exchange has it may be in none afterwards."""
    awaited = order.phase in (Phase.SUBMITTING, Phase.SENT) and 0 <= now - order.submitted < _IN_FLIGHT
    return awaited and record.open == record.quantity


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


def _about(order: Order, state: BrokerState) -> dict[str, Any]:
    return {
        "order": order.number,
        "symbol": order.symbol,
        "venue": order.venue,
        "strategy": order.strategy,
        "time": state.time,
    }
