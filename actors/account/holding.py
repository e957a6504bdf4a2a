"""Shares of one owner in one issue, and what they cost to the won."""

from dataclasses import dataclass


@dataclass(slots=True)
class Holding:
    """Signed shares with their exact cost; a sale takes its part of the cost.

    The part is counted from the shares held at the last change of direction, not from the sale before:
    selling 2 of 3 leaves the same won as selling 1 and 1, and the last share takes the rest.
    """

    base_quantity: int = 0
    base_cost: int = 0
    closed: int = 0
    """Of the base shares, those sold since (or bought back, where more was sold than held)."""
    result: int = 0
    """Profit of the round trip under way, less commission and tax."""
    since: int = 0
    """Number of the message that began it, when none were held before."""

    @property
    def quantity(self) -> int:
        """Shares held; negative where more was sold than is known to have been held."""
        return self.base_quantity - self.closed if self.base_quantity > 0 else self.base_quantity + self.closed

    @property
    def cost(self) -> int:
        """Won paid for `quantity`, without commission and tax."""
        return self.base_cost - self._part(self.closed)

    def trade(self, quantity: int, amount: int) -> int:
        """Book signed shares traded for `amount` won; returns the won realised."""
        held = self.quantity
        if quantity * held >= 0:
            signed = amount if quantity > 0 else -amount
            self.base_quantity, self.base_cost, self.closed = held + quantity, self.cost + signed, 0
            return 0
        closing = min(abs(quantity), abs(held))
        closing_amount = amount * closing // abs(quantity)
        realised = self._close(closing, closing_amount if quantity < 0 else -closing_amount)
        if closing == abs(quantity):
            return realised
        self.base_quantity = self.base_cost = self.closed = 0
        rest = abs(quantity) - closing
        return realised + self.trade(rest if quantity > 0 else -rest, amount - closing_amount)

    def reset(self, quantity: int, cost: int) -> None:
        """Take the figures of somebody who knows better; with no shares left the round trip is over."""
        self.base_quantity, self.base_cost, self.closed = quantity, cost, 0
        if not quantity:
            self.result = 0

    def _close(self, closing: int, received: int) -> int:
        before = self.cost
        self.closed += closing
        return received - (before - self.cost)

    def _part(self, closed: int) -> int:
        return self.base_cost * closed // abs(self.base_quantity) if closed else 0
