"""Which orders may be changed at all."""

from actors.account.order import Order, Phase
from actors.limits.rule import Refusal
from messages import ReplaceIntent


def changeable(order: Order | None, intent: ReplaceIntent) -> Refusal | None:
    """An open order of the strategy's own with nothing else under way, and not to more than is open."""
    if order is None:
        return Refusal(rule="change", figures={"order": intent.order}, limit="an order of ours")
    if order.phase is not Phase.OPEN or order.canceling or order.replacing:
        state = "being changed" if order.phase is Phase.OPEN else order.phase.value
        return Refusal(rule="change", figures={"order": order.number, "phase": state}, limit=Phase.OPEN.value)
    if order.strategy != intent.strategy or order.symbol != intent.symbol:
        return Refusal(
            rule="change", figures={"order": order.number, "strategy": intent.strategy}, limit=order.strategy
        )
    if intent.quantity > order.open:
        return Refusal(rule="change", figures={"quantity": intent.quantity}, limit=order.open)
    return None
