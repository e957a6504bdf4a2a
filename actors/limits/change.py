"""Which orders may be changed at all."""

from actors.account.order import Order, Phase
from actors.limits.rule import Figures, Refusal
from messages import ReplaceIntent


def changeable(order: Order | None, intent: ReplaceIntent) -> Refusal | None:
    """An open order of the strategy's own with nothing else under way, all of it, and to another price.

    The broker moves the part that is asked for, and leaves the rest where it was; the KRX refuses what moves nothing.
    """
    if order is None:
        return _no({"order": intent.order}, "an order of ours")
    if order.phase is not Phase.OPEN or order.canceling or order.replacing:
        state = "being changed" if order.phase is Phase.OPEN else order.phase.value
        return _no({"order": order.number, "phase": state}, Phase.OPEN.value)
    for name in ("strategy", "symbol", "venue"):
        if getattr(order, name) != getattr(intent, name):
            return _no({"order": order.number, name: getattr(intent, name)}, getattr(order, name))
    if intent.quantity != order.open:
        return _no({"quantity": intent.quantity}, order.open)
    if intent.price == order.price:
        return _no({"order": order.number, "price": intent.price}, "another price")
    return None


def _no(figures: Figures, limit: int | str) -> Refusal:
    return Refusal(rule="change", figures=figures, limit=limit)
