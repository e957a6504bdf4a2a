"""Counts what happened to orders, how long it took, and a digest of all of it that two equal runs share."""

from collections import Counter
from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final

import msgspec

from actors.analysis.performance import percentile
from messages import (
    Action,
    ApprovedOrder,
    ApprovedReplace,
    CancelOrder,
    OrderEvent,
    OrderFilled,
    OrderIntent,
    OrderRefused,
    OrderSent,
    ReplaceIntent,
)
from runtime.envelope import Envelope

Ordering = OrderIntent | ReplaceIntent | ApprovedOrder | ApprovedReplace | OrderRefused | CancelOrder | OrderEvent
"""All that is said about orders."""

_NUMBERS: Final = ("order", "number", "request")
"""Fields that hold the number of a message, which is another in every run."""
_NAMES: Final = {
    "accepted": "OrderAccepted",
    "rejected": "OrderRejected",
    "unknown": "OrderUnknown",
    "fills": "OrderFilled",
    "replaced": "OrderReplaced",
    "cancels": "OrderCanceled",
    "expired": "OrderExpired",
}


class Tally:
    """Pure: the same envelopes give the same figures."""

    def __init__(self) -> None:
        self.refused: Counter[str] = Counter()
        """By rule."""
        self.examples: dict[str, OrderRefused] = {}
        """The newest refusal of each rule."""
        self._counts: Counter[str] = Counter()
        self._orders = 0
        self._origins: dict[int, int] = {}
        self._approved: list[int] = []
        self._sent: list[int] = []
        self._places: dict[int, int] = {0: 0}
        self._digest = sha256()

    @property
    def digest(self) -> str:
        """sha256 over everything said about orders, in order; numbers count as first, second, ... mentioned."""
        return self._digest.hexdigest()

    def take(self, message: Ordering, envelope: Envelope) -> None:
        """Count one message."""
        costs_alone = isinstance(message, OrderFilled) and not message.quantity
        self._counts[type(message).__name__] += not costs_alone
        match message:
            case OrderIntent() | ReplaceIntent():
                self._place(envelope.number)
            case ApprovedOrder():
                self._approve(message, envelope.time, envelope.origin)
            case OrderRefused():
                self.refused[message.rule] += 1
                self.examples[message.rule] = message
            case OrderSent(action=Action.NEW):
                self._orders += 1
                self._send(message.order, envelope.time)
            case _:
                pass
        self._digest.update(msgspec.json.encode(self._canonical(message)))

    def figures(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "intents": self._counts["OrderIntent"] + self._counts["ReplaceIntent"],
            "approved": self._counts["ApprovedOrder"] + self._counts["ApprovedReplace"],
            "refused": dict(self.refused.most_common()),
            "orders": self._orders,
            **{name: self._counts[kind] for name, kind in _NAMES.items()},
            "order_digest": self.digest,
        }

    def latency(self, clock: str) -> dict[str, Any]:
        """Microseconds since the price, timer or record that set an order off was said, by the system's clock."""
        spans = {"to_approval": self._approved, "to_sent": self._sent}
        return {"clock": clock, "unit": "us"} | {name: _spread(values) for name, values in spans.items()}

    def _approve(self, order: ApprovedOrder, time: int, origin: int) -> None:
        if origin:
            self._origins[order.order] = origin
            self._approved.append(time - origin)

    def _send(self, order: int, time: int) -> None:
        origin = self._origins.pop(order, 0)
        if origin:
            self._sent.append(time - origin)

    def _place(self, number: int) -> int:
        return self._places.setdefault(number, len(self._places))

    def _canonical(self, message: Ordering) -> tuple[str, dict[str, Any]]:
        fields = msgspec.structs.asdict(message)
        numbers = {name: self._place(fields[name]) for name in _NUMBERS if name in fields}
        return type(message).__name__, fields | numbers


def _spread(values: Sequence[int]) -> dict[str, Any]:
    ordered = sorted(values)
    shares = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999, "max": 1.0}
    return {"count": len(ordered)} | {name: percentile(ordered, share) / 1_000 for name, share in shares.items()}
