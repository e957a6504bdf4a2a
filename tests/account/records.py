"""Short ways to say what happens to orders, for tests."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from actors.account.ledger import Booked, Ledger
from actors.market.time import at
from messages import (
    Action,
    ApprovedOrder,
    ApprovedReplace,
    CancelRejected,
    Evidence,
    Instrument,
    Kind,
    Market,
    Nanoseconds,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    OrderSent,
    OrderSubmitting,
    OrderUnknown,
    Position,
    Purpose,
    Reconciled,
    Shares,
    Side,
    Symbol,
    Validity,
    Won,
)

NOON = at(dt.date(2025, 9, 2), 12)
CODE = Symbol("900010")
OTHER = Symbol("900020")
BUY, SELL = Side.BUY, Side.SELL


def listed(symbol: Symbol = CODE, *, sector: str = "", **changes: Any) -> Instrument:
    fields: dict[str, Any] = {
        "name": "가나전자",
        "market": Market.KOSPI,
        "base_price": 10_000,
        "upper_limit": 13_000,
        "lower_limit": 7_000,
    }
    return Instrument(symbol=symbol, sector=sector, **(fields | changes))


def approval(
    order: int = 1, side: Side = BUY, quantity: int = 10, price: int = 10_000, **changes: Any
) -> ApprovedOrder:
    fields: dict[str, Any] = {
        "symbol": CODE,
        "kind": Kind.LIMIT if price else Kind.MARKET,
        "purpose": Purpose.ENTRY if side is BUY else Purpose.EXIT,
        "strategy": "momentum",
        "validity": Validity.DAY,
        "evidence": Evidence(last=Won(10_000), time=NOON),
    }
    return ApprovedOrder(order=order, side=side, quantity=Shares(quantity), price=Won(price), **(fields | changes))


def about(order: int = 1, **changes: Any) -> dict[str, Any]:
    return {"order": order, "symbol": CODE, "strategy": "momentum", "time": NOON} | changes


def submitting(order: int = 1, action: Action = Action.NEW, **changes: Any) -> OrderSubmitting:
    fields: dict[str, Any] = {
        "side": BUY,
        "quantity": 10,
        "kind": Kind.LIMIT,
        "price": 10_000,
        "validity": Validity.DAY,
    }
    return OrderSubmitting(action=action, **(about(order) | fields | changes))


def sent(order: int = 1, action: Action = Action.NEW) -> OrderSent:
    return OrderSent(**about(order), action=action)


def accepted(order: int = 1, number: str = "0000001", **changes: Any) -> OrderAccepted:
    return OrderAccepted(**about(order, **changes), broker_order=number)


def filled(
    total: int, amount: int, order: int = 1, side: Side = BUY, *, last: int = 1, asked: int = 10, **changes: Any
) -> OrderFilled:
    """A record whose order has `total` shares filled for `amount`, the last fill being `last` shares."""
    fields: dict[str, Any] = {"broker_order": f"{order:07}", "fill": "", "price": amount // total}
    return OrderFilled(
        **about(order, **{k: v for k, v in changes.items() if k in ("symbol", "strategy")}),
        side=side,
        quantity=Shares(last),
        filled=Shares(total),
        amount=Won(amount),
        open=Shares(max(asked - total, 0)),
        **(fields | {k: v for k, v in changes.items() if k not in ("symbol", "strategy")}),
    )


def change(order: int = 1, price: int = 9_900, quantity: int = 10) -> ApprovedReplace:
    return ApprovedReplace(
        number=70,
        order=order,
        symbol=CODE,
        quantity=Shares(quantity),
        price=Won(price),
        strategy="momentum",
        evidence=Evidence(),
    )


def canceled(order: int = 1, quantity: int = 10) -> OrderCanceled:
    return OrderCanceled(**about(order), broker_order=f"{order:07}", canceled=Shares(quantity))


def rejected(order: int = 1) -> OrderRejected:
    return OrderRejected(**about(order), reason="no")


def unknown(order: int = 1) -> OrderUnknown:
    return OrderUnknown(**about(order), reason="no answer")


def cancel_rejected(order: int = 1) -> CancelRejected:
    return CancelRejected(**about(order), reason="too late")


def opened(cash: int = 1_000_000, *positions: Position, time: Nanoseconds = NOON, start: bool = True) -> Reconciled:
    return Reconciled(time=time, cash=Won(cash), positions=positions, open_orders=0, differences=(), start=start)


def held(quantity: int, cost: int, symbol: Symbol = CODE, last: int = 0) -> Position:
    return Position(symbol=symbol, quantity=Shares(quantity), cost=Won(cost), last=Won(last))


def folded(messages: Iterable[Booked], ledger: Ledger | None = None) -> Ledger:
    ledger = ledger or Ledger()
    for message in messages:
        ledger.fold(message, ledger.number + 1)
    return ledger


def holding(cash: int = 1_000_000, quantity: int = 10, price: int = 10_000) -> Ledger:
    """A ledger whose strategy bought, without costs."""
    amount = quantity * price
    messages = (
        opened(cash),
        listed(),
        approval(quantity=quantity, price=price),
        filled(quantity, amount, asked=quantity),
    )
    return folded(messages)
