"""What a person asks of a running system: orders, positions, the halt's progress, a resume, a settlement."""

import asyncio
from collections.abc import Callable

from actors.account import tables
from actors.account.ledger import Ledger
from actors.account.order import Order, Phase
from actors.ordering.halting import Halt
from actors.ordering.statement import missing
from messages import (
    HaltConfirmed,
    HaltTrading,
    Message,
    OrderCanceled,
    Purpose,
    Reconciled,
    ReconciliationWanted,
    ResumeTrading,
    Settlement,
    SettleOrder,
    Shares,
    Won,
)
from runtime.clock import text
from runtime.disk import faultpoints
from runtime.outside.verbs import Answer, Declined

_LOOK = 0.02
_AFTER_ALL = 5.0
"""Seconds within which the trader carries out a settlement."""

_matched = faultpoints.point("guardian: matched, the resume not said")


class Operator:
    """Answers from a ledger that somebody else folds; `say` publishes."""

    def __init__(self, ledger: Ledger, say: Callable[[Message], int]) -> None:
        self._ledger = ledger
        self._say = say
        self._halt = Halt()
        self._by = ""
        self._demands = 0
        """How often a person has asked for a halt, which says nothing new where one is in force."""
        self._confirmed = False
        self._canceled: dict[int, None] = {}
        """Orders taken back since the halt."""
        self._match: tuple[int, Reconciled] | None = None

    def hear(self, message: Message, number: int) -> None:
        """Take note of what happens; the ledger knows it already."""
        match message:
            case HaltTrading():
                if self._halt.begin(message.reason, self._ledger, number):
                    self._canceled.clear()
                    self._by = message.by
                self._confirmed = False
            case HaltConfirmed():
                self._confirmed = True
            case ResumeTrading():
                self._halt.lift(message)
            case Reconciled():
                self._match = number, message
            case OrderCanceled() if self._halt.reason:
                self._canceled[message.order] = None
            case _:
                pass

    def orders(self, *, everything: bool) -> Answer:
        return {"orders": tables.order_rows(self._ledger, everything=everything)}

    def positions(self) -> Answer:
        return {"positions": tables.position_rows(self._ledger), "cash": self._ledger.cash}

    async def halt(self, patience: float) -> Answer:
        """How the halt goes, once nothing it cancels is open any more, or when the time is over."""
        self._demands += 1
        await asyncio.sleep(_LOOK)  # what was laid just now is heard first
        await _until(lambda: bool(self._halt.reason) and self._confirmed, patience)
        if not self._halt.reason:
            raise Declined("the halt is not in force yet; ask again")
        return {
            "halted": self._halt.reason,
            "by": self._by,
            "canceled": len(self._canceled),
            "open": [tables.order_row(order) for order in self._halt.left(self._ledger)],
            "selling": [tables.order_row(order) for order in self._ledger.live() if order.purpose is Purpose.EXIT],
            "positions": len(self._ledger.positions()),
        }

    async def resume(self, by: str, patience: float) -> Answer:
        """Lift the halt, if one is on, and enable every strategy, after a match of now without a difference.

        Raises Declined.
        """
        if left := self._halt.left(self._ledger):
            rows = ", ".join(f"{tables.name(order.number)} {order.phase.value}" for order in left)
            raise Declined(f"the halt still takes back {rows}; wait for it, or `settle` what is unknown")
        halted, demands = self._halt.number, self._demands
        asked = self._say(ReconciliationWanted(reason=f"{by} wants to resume"))
        if not await _until(lambda: self._match is not None and self._match[0] > asked, patience):
            raise Declined(f"the broker was not matched within {patience:g} s, so nothing is resumed; is the link up?")
        assert self._match is not None
        seen, match = self._match
        differences = list(match.differences)
        if differences:
            more = f" and {len(differences) - 1} more" if len(differences) > 1 else ""
            raise Declined(f"the broker differs: {differences[0]}{more}; see `orders` and `positions`, then try again")
        self._refuse_newer(halted, demands)
        _matched()
        self._say(ResumeTrading(by=by, seen=seen))
        await asyncio.sleep(_LOOK)  # a halt said just now is heard first
        self._refuse_newer(halted, self._demands)
        return {"resumed": True, "by": by, "reconciled": text(match.time)}

    def _refuse_newer(self, halt: int, demands: int) -> None:
        if (self._halt.number, self._demands) != (halt, demands):
            raise Declined(f"halted anew meanwhile: {self._halt.reason}")

    async def settle(self, wanted: str, outcome: Settlement, quantity: int, price: int, by: str) -> Answer:
        """Have the trader book what a person saw at the broker. Raises Declined."""
        order = self._meant(wanted)
        before = order.phase
        if before is not Phase.UNKNOWN and not (outcome is Settlement.DEAD and self._is_missing(order)):
            which = "a person settles only what is unknown, or as dead what the broker's lists lack"
            raise Declined(f"order {wanted} is {before.value}: {which}")
        if quantity > order.quantity:
            raise Declined(f"order {wanted} asked for {order.quantity} shares, not {quantity}")
        shares, won = Shares(quantity), Won(price)
        self._say(SettleOrder(order=order.number, outcome=outcome, quantity=shares, price=won, by=by))
        if not await _until(lambda: order.phase is not before, _AFTER_ALL):
            raise Declined(f"order {wanted} is still {before.value}; the log says why")
        return {"settled": tables.order_row(order), "by": by}

    def _is_missing(self, order: Order) -> bool:
        """Whether the newest match missed an order in the broker's lists that is open here."""
        differences = self._match[1].differences if self._match else ()
        return order.live and any(line == missing(order) for line in differences)

    def _meant(self, wanted: str) -> Order:
        found = tables.find(self._ledger, wanted)
        if not found:
            raise Declined(f"no order {wanted} today; `orders --all` lists them")
        if len(found) > 1:
            each = ", ".join(_both_names(order) for order in found)
            raise Declined(f"{wanted} can be any of {each}; name it as run:sequence")
        return found[0]


def _both_names(order: Order) -> str:
    broker = f" (the broker's {order.broker_order})" if order.broker_order else ""
    return f"{tables.name(order.number)}{broker}"


async def _until(condition: Callable[[], bool], seconds: float) -> bool:
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while not condition():
        if loop.time() >= until:
            return False
        await asyncio.sleep(_LOOK)
    return True
