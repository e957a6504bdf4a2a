"""Requests to the broker: made from approvals, and held against them once more at the last point before the wire."""

from typing import Any

from actors.account.order import Order
from actors.gateways.port import Instruction
from messages import (
    Action,
    ApprovedOrder,
    ApprovedReplace,
    Nanoseconds,
    OrderSubmitting,
    Shares,
    Won,
)


class UnapprovedError(Exception):
    """A request that no approval stands behind was about to leave."""


class Approvals:
    """What may go to the wire, each approval once."""

    def __init__(self) -> None:
        self._terms: dict[tuple[Action, int], tuple[object, ...]] = {}

    def __len__(self) -> int:
        return len(self._terms)

    def note(self, approval: ApprovedOrder | ApprovedReplace) -> None:
        if isinstance(approval, ApprovedOrder):
            self._terms[Action.NEW, approval.order] = _order_terms(approval)
        else:
            self._terms[Action.REPLACE, approval.number] = _change_terms(approval)

    def prove(self, instruction: Instruction) -> None:
        """Raise UnapprovedError unless it is what was approved. A cancel needs no approval."""
        if instruction.action is Action.CANCEL:
            return
        terms = _order_terms(instruction) if instruction.action is Action.NEW else _change_terms(instruction)
        if self._terms.get(_key(instruction)) != terms:
            raise UnapprovedError(f"{instruction.action} of order {instruction.order} on terms nobody approved")

    def use(self, instruction: Instruction) -> None:
        """It was sent, or never will be."""
        self._terms.pop(_key(instruction), None)


def place(approval: ApprovedOrder) -> Instruction:
    """The request for a new order."""
    return Instruction(
        order=approval.order,
        action=Action.NEW,
        strategy=approval.strategy,
        symbol=approval.symbol,
        venue=approval.venue,
        side=approval.side,
        kind=approval.kind,
        validity=approval.validity,
        quantity=approval.quantity,
        price=approval.price,
    )


def change(order: Order, *, request: int, quantity: Shares, price: Won) -> Instruction:
    """The request to leave `quantity` open at another price."""
    return _about(order, Action.REPLACE, request, quantity, price)


def cancel(order: Order, *, request: int) -> Instruction:
    """The request to take back all that is open."""
    return _about(order, Action.CANCEL, request, order.open, Won(0))


def submitting(instruction: Instruction, now: Nanoseconds) -> OrderSubmitting:
    """The record that must be durable before the request leaves."""
    return OrderSubmitting(
        order=instruction.order,
        symbol=instruction.symbol,
        venue=instruction.venue,
        strategy=instruction.strategy,
        time=now,
        action=instruction.action,
        side=instruction.side,
        quantity=instruction.quantity,
        kind=instruction.kind,
        price=instruction.price,
        validity=instruction.validity,
        request=instruction.request,
    )


def event(order: Order, now: Nanoseconds) -> dict[str, Any]:
    """The fields that every event of an order has."""
    return {
        "order": order.number,
        "symbol": order.symbol,
        "venue": order.venue,
        "strategy": order.strategy,
        "time": now,
    }


def _about(order: Order, action: Action, request: int, quantity: Shares, price: Won) -> Instruction:
    return Instruction(
        order=order.number,
        action=action,
        request=request,
        strategy=order.strategy,
        symbol=order.symbol,
        venue=order.venue,
        side=order.side,
        kind=order.kind,
        validity=order.validity,
        quantity=quantity,
        price=price,
        broker_order=order.broker_order,
    )


def _key(instruction: Instruction) -> tuple[Action, int]:
    return instruction.action, instruction.order if instruction.action is Action.NEW else instruction.request


def _order_terms(about: ApprovedOrder | Instruction) -> tuple[object, ...]:
    return about.symbol, about.venue, about.side, about.quantity, about.kind, about.price, about.validity


def _change_terms(about: ApprovedReplace | Instruction) -> tuple[object, ...]:
    return about.order, about.symbol, about.venue, about.quantity, about.price
