"""What is said of a strategy's orders, for tests."""

from messages import (
    Action,
    ApprovedOrder,
    Evidence,
    Kind,
    Nanoseconds,
    OrderFilled,
    OrderSubmitting,
    Position,
    PositionAdjusted,
    Purpose,
    Reconciled,
    Shares,
    Side,
    Symbol,
    Validity,
    Won,
)
from tests.market.market_data import CODE, NINE


def approved(
    order: int, quantity: int = 10, price: int = 10_000, *, side: Side = Side.BUY, strategy: str = "mine"
) -> ApprovedOrder:
    return ApprovedOrder(
        order=order,
        symbol=CODE,
        side=side,
        quantity=Shares(quantity),
        kind=Kind.LIMIT if price else Kind.MARKET,
        price=Won(price),
        purpose=Purpose.ENTRY if side is Side.BUY else Purpose.EXIT,
        strategy=strategy,
        evidence=Evidence(),
    )


def submitting(
    order: int,
    symbol: Symbol = CODE,
    quantity: int = 10,
    *,
    price: int = 10_000,
    side: Side = Side.BUY,
    strategy: str = "mine",
) -> OrderSubmitting:
    return OrderSubmitting(
        order=order,
        symbol=symbol,
        strategy=strategy,
        time=Nanoseconds(NINE),
        action=Action.NEW,
        side=side,
        quantity=Shares(quantity),
        kind=Kind.LIMIT,
        price=Won(price),
        validity=Validity.DAY,
    )


def fill(
    order: int,
    side: Side,
    quantity: int,
    open_: int = 0,
    *,
    strategy: str = "mine",
    price: int = 10_000,
    symbol: Symbol = CODE,
) -> OrderFilled:
    return OrderFilled(
        order=order,
        symbol=symbol,
        strategy=strategy,
        time=Nanoseconds(NINE),
        broker_order="1",
        side=side,
        price=Won(price),
        quantity=Shares(quantity),
        filled=Shares(quantity),
        amount=Won(price * quantity),
        open=Shares(open_),
    )


def reconciled(*positions: Position) -> Reconciled:
    return Reconciled(
        time=Nanoseconds(NINE), cash=Won(0), positions=positions, open_orders=0, differences=(), start=True
    )


def position(quantity: int, cost: int, symbol: Symbol = CODE) -> Position:
    return Position(symbol=symbol, quantity=Shares(quantity), cost=Won(cost))


def adjusted(quantity: int, cost: int, symbol: Symbol = CODE) -> PositionAdjusted:
    return PositionAdjusted(
        symbol=symbol,
        time=Nanoseconds(NINE),
        quantity=Shares(quantity),
        cost=Won(cost),
        cash=Won(0),
        reason="found at reconciliation",
    )
