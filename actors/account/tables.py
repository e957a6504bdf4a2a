"""The ledger as rows of plain values, for people and machines that ask from outside."""

from typing import Any

from actors.account.ledger import Ledger
from actors.account.order import Order
from runtime.bus import RUN_BITS
from runtime.clock import text

_SEQUENCE = (1 << RUN_BITS) - 1

Row = dict[str, Any]


def name(number: int) -> str:
    """An order as `why` and `settle` take it: `run:sequence`."""
    return f"{number >> RUN_BITS}:{number & _SEQUENCE}"


def find(ledger: Ledger, wanted: str) -> list[Order]:
    """The orders of today that somebody can mean: by `run:sequence`, its sequence alone, or the broker's number."""
    orders = sorted(ledger.orders.values(), key=lambda order: order.number)
    return [order for order in orders if _is_called(order, wanted)]


def _is_called(order: Order, wanted: str) -> bool:
    ours = name(order.number), str(order.number), str(order.number & _SEQUENCE)
    return wanted in ours or wanted.lstrip("0") in [number.lstrip("0") for number in order.broker_orders]


def order_row(order: Order) -> Row:
    """What there is to know of an order; `price` is 0 where its kind needs none."""
    return {
        "order": name(order.number),
        "broker": order.broker_order,
        "symbol": order.symbol,
        "strategy": order.strategy,
        "side": order.side.value,
        "purpose": order.purpose.value,
        "kind": order.kind.value,
        "price": int(order.price),
        "quantity": int(order.quantity),
        "filled": order.filled,
        "open": int(order.open),
        "phase": order.phase.value,
        "canceling": order.canceling,
        "time": text(order.time),
    }


def order_rows(ledger: Ledger, *, everything: bool = False) -> list[Row]:
    """Today's orders by number; only those that may still trade unless `everything`."""
    orders = sorted(ledger.orders.values(), key=lambda order: order.number)
    return [order_row(order) for order in orders if everything or order.live or order.bound]


def position_rows(ledger: Ledger) -> list[Row]:
    """Each owner's holding of each issue; prices and results in won, `price` 0 where none came yet."""
    rows = (
        {
            "symbol": symbol,
            "strategy": owner,
            "quantity": holding.quantity,
            "cost": holding.cost,
            "price": ledger.prices.get(symbol, 0),
            "worth": ledger.worth(symbol, holding),
            "result": ledger.worth(symbol, holding) - holding.cost,
        }
        for symbol, owner, holding in ledger.each()
    )
    return sorted(rows, key=lambda row: (row["symbol"], row["strategy"]))
