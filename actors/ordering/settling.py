"""A person's word on an order whose answer was lost, as the events that book it."""

from actors.account.ledger import Ledger
from actors.account.order import Phase
from actors.market import krx
from actors.ordering.costs import tax
from actors.ordering.requests import event
from messages import (
    Nanoseconds,
    OrderCanceled,
    OrderEvent,
    OrderFilled,
    OrderRejected,
    Settlement,
    SettleOrder,
    Shares,
    Won,
)


class NotSettledError(Exception):
    """The order is not a person's to decide, or the word does not fit it."""


def settlement(ledger: Ledger, word: SettleOrder, now: Nanoseconds, commission: float) -> tuple[OrderEvent, ...]:
    """The events of a settled order. Raises NotSettledError.

    Of one that has a number a person can only say that what is open of it is dead. Nobody tells what a fill cost that
    no record came of: commission, at this rate, and tax are estimated.
    """
    order = ledger.orders.get(word.order)
    dead = word.outcome is Settlement.DEAD
    if order is None or not (order.phase is Phase.UNKNOWN or (dead and order.live)):
        phase = "not one of ours" if order is None else order.phase.value
        raise NotSettledError(f"order {word.order} is {phase}; only an unknown one can be settled")
    reason = f"settled by {word.by}"
    if dead and order.broker_order:
        rest = Shares(order.quantity - order.filled)
        return (OrderCanceled(**event(order, now), broker_order=order.broker_order, canceled=rest, reason=reason),)
    if dead:
        return (OrderRejected(**event(order, now), reason=f"{reason}: dead"),)
    shares, price = word.quantity or order.quantity, word.price or order.price
    if not 0 < shares <= order.quantity or price <= 0:
        raise NotSettledError(f"order {word.order}: {shares} shares at {price} do not fit {order.quantity} asked for")
    amount = shares * price
    fill = OrderFilled(
        **event(order, now),
        broker_order="",
        side=order.side,
        price=Won(price),
        quantity=Shares(shares),
        filled=Shares(shares),
        amount=Won(amount),
        open=Shares(0),
        commission=krx.commission(amount, commission),
        tax=tax(ledger, order.symbol, order.side, amount, now),
        source="person",
    )
    rest = Shares(order.quantity - shares)
    if not rest:
        return (fill,)
    return (fill, OrderCanceled(**event(order, now), broker_order="", canceled=rest, reason=reason))
