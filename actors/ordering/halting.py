"""A halt: what it has to take back, and whether all of that is gone."""

from typing import Final

from actors.account.ledger import Ledger
from actors.account.order import Order
from messages import Purpose, ResumeTrading

NO_REASON: Final = "no reason given"
"""A halt without a reason is a halt all the same."""


class Halt:
    """In force from `begin` to `lift`.

    It takes back what was open when it began, and whatever entry shows up later; an exit that the guardian sends
    after that stays.
    """

    def __init__(self) -> None:
        self.reason = ""
        """Blank while trading goes on."""
        self.confirmed = False
        self.number = 0
        """Of the newest message that halted."""
        self._marked: dict[int, None] = {}

    def begin(self, reason: str, ledger: Ledger, number: int) -> bool:
        """Take force by the message of this number; whether it was not in force before."""
        self.number = number
        first, self.reason, self.confirmed = not self.reason, reason or NO_REASON, False
        if first:
            self._marked = dict.fromkeys(order.number for order in ledger.live() if order.submitting)
        return first

    def lift(self, resume: ResumeTrading) -> None:
        """A person resumed; one that began anew since that was decided stays as it is."""
        if resume.lifts(self.number):
            self.reason = ""
            self._marked.clear()

    def left(self, ledger: Ledger) -> list[Order]:
        """What it has yet to take back, unknown orders too."""
        if not self.reason:
            return []
        return [o for o in ledger.live() if o.number in self._marked or o.purpose is Purpose.ENTRY]

    def just_confirmed(self, ledger: Ledger) -> bool:
        """Whether nothing is left, which is true once."""
        if not self.reason or self.confirmed or self.left(ledger):
            return False
        self.confirmed = True
        return True
