"""When a holding must go, and when the whole account must stop: from its very first price on."""

from actors.account.holding import Holding
from actors.account.ledger import Ledger
from messages import CarriedPeak, CashAdjusted, Record, Symbol, Won

ONE = 1_000_000
"""Parts are whole millionths, so that thresholds in won are exact."""

_STEP = 1_000
"""A new highest is that part of one higher than the last."""


class Stops(Record):
    """For each holding, of its average cost; 0 turns one off."""

    loss: int
    profit: int
    trailing: int
    """Of the highest price since it is held."""

    def reason(self, holding: Holding, price: int, peak: int) -> str:
        """Why it must go at this price; blank while it may stay."""
        worth, cost = price * holding.quantity, holding.cost
        if self.loss and worth * ONE <= cost * (ONE - self.loss):
            return f"stop loss at {price}, cost {cost} for {holding.quantity}"
        if self.profit and worth * ONE >= cost * (ONE + self.profit):
            return f"profit taken at {price}, cost {cost} for {holding.quantity}"
        if self.trailing and price * ONE <= peak * (ONE - self.trailing):
            return f"trailing stop at {price}, highest {peak}"
        return ""


class Floors(Record):
    """For the account: of the day's opening equity and of its highest; 0 turns one off."""

    daily_loss: int
    drawdown: int

    def breach(self, ledger: Ledger, equity: int) -> str:
        """Which is reached, with the figures; blank while none is."""
        for name, reference, part in (
            ("daily loss", ledger.opening, self.daily_loss),
            ("drawdown", ledger.high, self.drawdown),
        ):
            if part and equity < reference and (reference - equity) * ONE >= reference * part:
                return f"{name}: equity {equity}, was {reference}"
        return ""


class Peaks:
    """The highest price of each holding since it began; what began anew knows nothing of what was before."""

    def __init__(self) -> None:
        self._known: dict[tuple[Symbol, str], tuple[int, int]] = {}
        """By issue and owner: the message that began the holding, and the price."""

    def rises(self, symbol: Symbol, owner: str, since: int, price: int) -> bool:
        """Whether it was never as high; prices move in steps, so that comes some hundred times a day at most."""
        if price <= self.of(symbol, owner, since):
            return False
        self._known[symbol, owner] = since, price
        return True

    def carried(self, ledger: Ledger) -> tuple[CarriedPeak, ...]:
        """Those of what is held."""
        held = ((symbol, owner, holding.since) for symbol, owner, holding in ledger.each())
        peaks = ((symbol, owner, since, self.of(symbol, owner, since)) for symbol, owner, since in held)
        return tuple(CarriedPeak(symbol=s, strategy=o, since=n, price=Won(price)) for s, o, n, price in peaks if price)

    def of(self, symbol: Symbol, owner: str, since: int) -> int:
        """0 where nothing is known."""
        began, price = self._known.get((symbol, owner), (since, 0))
        return price if began == since else 0


class HighWater:
    """The day's highest equity, as far as it is worth a record: a restart must not forgive a drawdown."""

    def __init__(self) -> None:
        self._said = 0
        self._day = ""

    def rises(self, ledger: Ledger, equity: int) -> bool:
        """Whether it is so much higher than what was said, or opened with, that it must be said."""
        said = self._said if self._day == ledger.day else 0
        known = max(said, ledger.opening)
        if equity < ledger.high or equity * _STEP <= known * (_STEP + 1):
            return False
        self._said, self._day = equity, ledger.day
        return True

    def moves(self, change: CashAdjusted) -> None:
        """Where money was laid in, or taken out, what was said before was of another sum."""
        self._said += change.cash if self._said and not change.costs else 0

    def said(self, day: str) -> int:
        """On this Korean date; 0 where nothing was."""
        return self._said if self._day == day else 0

    def recall(self, equity: int, day: str) -> None:
        """It was said before, on this Korean date."""
        self._said, self._day = max(self._said, equity), day

    def restore(self, ledger: Ledger) -> None:
        """All is recalled: the ledger of the same day knows it as well."""
        if self._day == ledger.day:
            ledger.high = max(ledger.high, self._said)


def part(percent: float) -> int:
    """A percentage as whole millionths."""
    return round(percent * (ONE // 100))
