"""What a person does with the living system: looks at the broker's screen and decides an order nobody answers for."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from actors.exchange.client import RemoteExchange
from actors.exchange.records import OrderRecord
from messages import Settlement
from runtime.outside import inbox

BY: Final = "the campaign"
_LOOK: Final = 0.05
_ANSWER: Final = 5.0


def settle(folder: Path, exchange: RemoteExchange, seconds: float) -> bool:
    """Say `dead` of the first unknown order that the exchange never got; whether one came up in time."""
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            rows = inbox.send(folder, "orders", seconds=_ANSWER).get("orders", ())
            unknown = next((row for row in rows if row["phase"] == "unknown"), None)
            if unknown is not None and not _shown(unknown, exchange.orders):
                inbox.send(folder, "settle", seconds=_ANSWER, order=unknown["order"], outcome=Settlement.DEAD, by=BY)
                return True
            time.sleep(_LOOK)
    except inbox.NoSystem:
        return True
    return False


def _shown(row: dict[str, Any], orders: Sequence[OrderRecord]) -> bool:
    """Whether the exchange has an order of these terms, whosever it is."""
    terms = row["symbol"], row["side"], row["quantity"]
    return any((order.symbol, order.side.value, order.quantity) == terms for order in orders)
