"""What became of each intent, in a few words."""

from collections.abc import Iterable

from actors.commands.wording import refusal
from messages import (
    ApprovedOrder,
    Message,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRefused,
    OrderRejected,
    OrderUnknown,
)
from runtime.envelope import Envelope


class Outcome:
    """Of one order; its events may come twice and in any order."""

    def __init__(self) -> None:
        self._answer = "approved"
        self._rest = "no answer yet"
        self._counts = {"filled": 0, "canceled": 0, "expired": 0}

    def take(self, message: Message) -> None:
        """Learn from one message about the order."""
        match message:
            case OrderRefused():
                self._answer, self._rest = f"refused {refusal(message)}", ""
            case OrderRejected():
                self._rest = f"rejected: {message.reason}"
            case OrderUnknown() if self._rest == "no answer yet":
                self._rest = f"unknown: {message.reason}"
            case OrderAccepted():
                self._rest = "not filled"
            case OrderFilled():
                self._count("filled", message.filled)
            case OrderCanceled():
                self._count("canceled", message.canceled)
            case OrderExpired():
                self._count("expired", message.expired)
            case _:
                pass

    @property
    def words(self) -> str:
        """Risk's answer, then what the market or the broker made of it."""
        counted = [f"{shares:,} {what}" for what, shares in self._counts.items() if shares]
        return ", ".join((self._answer, *(counted or filter(None, (self._rest,)))))

    def _count(self, what: str, shares: int) -> None:
        self._counts[what] = max(self._counts[what], shares)


def outcomes_of(envelopes: Iterable[Envelope]) -> dict[int, Outcome]:
    """By the number of the intent; those that risk did not answer are missing."""
    found: dict[int, Outcome] = {}
    for envelope in envelopes:
        message = envelope.message
        if isinstance(message, OrderRefused | ApprovedOrder):
            found.setdefault(message.order, Outcome())
        outcome = found.get(getattr(message, "order", 0))
        if outcome is not None:
            outcome.take(message)
    return found
