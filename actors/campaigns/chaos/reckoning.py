"""What a journal says, held against what the exchange did."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from actors.account import invariants
from actors.account.invariants import Breaches
from actors.account.ledger import Booked, Ledger
from actors.account.order import Order
from actors.exchange.orders import REFUSED
from actors.exchange.records import AccountState, FillRecord, OrderRecord
from messages import (
    Action,
    ActorFailed,
    DayMatched,
    HaltTrading,
    LedgerFolded,
    OrderFilled,
    OrderUnknown,
    PositionAdjusted,
)
from runtime.disk import chain
from runtime.disk.journal import NAME
from runtime.envelope import Envelope

_OWN_HALTS: Final = ("guardian", "journal", "system")
"""Whoever stops trading for a reason of its own: losses, a disk that refuses, a latch that was found."""
BY_US: Final = "the campaign wants to see it"
"""Reason of the halts that the campaign itself asks for."""
_OUTSIDE: Final = ("QueryRefused", "TimeoutError", "LoginFailed", "ConnectionError", "JournalFailed", "Database")
"""Errors that end a process because of what went wrong around it: the next start recovers."""


class Truth(NamedTuple):
    """The exchange's own record at an instant."""

    orders: Sequence[OrderRecord]
    fills: Sequence[FillRecord]
    state: AccountState

    def roots(self) -> dict[str, str]:
        """The first order of the chain that each number belongs to."""
        return {record.number: record.first for record in self.orders}

    def filled(self, until: int | None = None) -> dict[str, int]:
        """Shares by first order, of the fills up to an instant."""
        roots, filled = self.roots(), dict[str, int]()
        for fill in self.fills:
            if until is None or fill.time <= until:
                root = roots[fill.number]
                filled[root] = filled.get(root, 0) + fill.quantity
        return filled

    def placed(self) -> list[OrderRecord]:
        """The new orders that the exchange took, oldest first."""
        return [record for record in self.orders if record.action is Action.NEW and record.status != REFUSED]


class Reckoning:
    """The journal of one data folder, read on as it grows."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.told: list[Envelope] = []
        self.ledger = Ledger()
        self.heads: list[str] = []
        """Those the system printed: whatever happens, they stay in the chain."""
        self._next = 0

    def read(self, until: int) -> bool:
        """Take the records up to a number into account; whether that one is there."""
        for envelope in chain.envelopes(self.path, self._next):
            if envelope.number > until:
                break
            self._next = envelope.number + 1
            self.told.append(envelope)
            if isinstance(envelope.message, Booked):
                self.ledger.fold(envelope.message, envelope.number)
        return self._next > until

    def recovered(self, truth: Truth, since: int) -> Breaches:
        """After a recovery that began at `since`: all that was traded before is booked, and nothing that never was."""
        least, most = truth.filled(since), truth.filled()
        claims = self._claims(truth)
        found = [*_doubled(claims), *invariants.sound(self.ledger), *self._conduct(truth, claims, since)]
        for root, orders in claims.items():
            here = sum(order.filled for order in orders)
            if not least.get(root, 0) <= here <= most.get(root, 0):
                found.append(
                    f"I2: order {orders[0].number} ({root}): {here} filled here; at the exchange "
                    f"{least.get(root, 0)} before the start, {most.get(root, 0)} by now"
                )
        return found + [
            f"I5: order {record.number} at the exchange is nobody's here"
            for record in truth.placed()
            if record.number not in claims and record.sent <= since and not self._may_be_ours(record)
        ]

    def unsettled(self, truth: Truth) -> Breaches:
        """What keeps the day from being closed."""
        return [*self._agreement(truth), *self._orders(truth, self._claims(truth))]

    @property
    def is_matched(self) -> bool:
        """Whether the system knows that the day is over, and has matched it: nothing is on its way any more."""
        return any(isinstance(envelope.message, DayMatched) for envelope in self.told)

    @property
    def head(self) -> str:
        """Hash of the newest record."""
        return chain.verify(self.path).head

    def exact(self, truth: Truth) -> bool:
        """Whether shares and won are the exchange's at this very moment."""
        return not self._agreement(truth)

    def pending(self, truth: Truth) -> int:
        """Orders at the exchange that wait for evidence here."""
        claims = self._claims(truth)
        return sum(record.number not in claims for record in truth.placed())

    def closed(self, truth: Truth) -> Breaches:
        """At the end of the day: everything is the same on both sides, and the whole journal is in order."""
        claims = self._claims(truth)
        return [
            *self._agreement(truth),
            *_doubled(claims),
            *self._orders(truth, claims),
            *invariants.no_phantom(self._fills(), {record.number: int(record.filled) for record in truth.orders}),
            *self._conduct(truth, claims, truth.state.time),
            *invariants.carried_truly(self.told),
            *invariants.sound(self.ledger),
            *_digests(self.told),
            *_oddities(self.told, truth),
            *self._proof(),
        ]

    def differences(self, truth: Truth) -> tuple[int, int, int]:
        """Fills lost, orders doubled, won that differ."""
        claims, filled = self._claims(truth), truth.filled()
        lost = sum(shares > sum(order.filled for order in claims.get(root, ())) for root, shares in filled.items())
        doubled = len(list(_doubled(claims))) + self.pending(truth)
        return lost, doubled, abs(self.ledger.cash - truth.state.deposit_settled)

    def count(self, kind: type) -> int:
        return sum(isinstance(envelope.message, kind) for envelope in self.told)

    @property
    def unknown(self) -> int:
        """Orders whose answer was lost."""
        return self.count(OrderUnknown)

    def _agreement(self, truth: Truth) -> Breaches:
        state = truth.state
        held = {holding.symbol: int(holding.quantity) for holding in state.holdings if holding.quantity}
        return [
            *invariants.positions_agree(self.ledger, held),
            *invariants.cash_agrees(
                self.ledger, cash=state.deposit_settled, commission=state.commission, tax=state.tax
            ),
        ]

    def _claims(self, truth: Truth) -> dict[str, list[Order]]:
        roots, claims = truth.roots(), dict[str, list[Order]]()
        for order in self.ledger.orders.values():
            for root in dict.fromkeys(roots[number] for number in order.broker_orders if number in roots):
                claims.setdefault(root, []).append(order)
        return claims

    def _may_be_ours(self, record: OrderRecord) -> bool:
        terms = (record.symbol, record.side, record.quantity)
        alike = [o for o in self.ledger.orders.values() if (o.symbol, o.side, o.quantity) == terms]
        return any(order.live and not order.broker_orders for order in alike)

    def _orders(self, truth: Truth, claims: dict[str, list[Order]]) -> Iterator[str]:
        filled, known = truth.filled(), truth.roots()
        for record in truth.placed():
            if record.number not in claims:
                yield f"I5: order {record.number} at the exchange is nobody's here"
        for root, orders in claims.items():
            here, there = sum(order.filled for order in orders), filled.get(root, 0)
            if here != there:
                yield f"I2: order {orders[0].number} ({root}): {here} filled here, {there} at the exchange"
        for order in self.ledger.orders.values():
            if order.live:
                yield f"order {order.number} is {order.phase} after the end of the day"
            for number in order.broker_orders:
                if number not in known:
                    yield f"I5: order {order.number}: the exchange has no {number}"

    def _conduct(self, truth: Truth, claims: dict[str, list[Order]], until: int) -> Breaches:
        """What the journal alone tells, and whether what left by `until` is in it."""
        return [
            *invariants.one_fill_once(self._fills()),
            *invariants.look_alikes_apart(self.told),
            *invariants.written_first((e.message for e in self.told), _sent(truth, claims, until)),
            *invariants.risk_first(self.told),
        ]

    def _fills(self) -> list[OrderFilled]:
        return [e.message for e in self.told if isinstance(e.message, OrderFilled)]

    def _proof(self) -> Iterator[str]:
        proof = chain.verify(self.path)
        if not proof.ok:
            yield f"I11: {proof.problem}"
        known = {entry.hash.hex() for entry in chain.entries(self.path)}
        for head in self.heads:
            if head not in known:
                yield f"I11: the head {head[:16]} that was printed is not in the journal"


def _sent(truth: Truth, claims: dict[str, list[Order]], until: int) -> Iterator[tuple[int, Action]]:
    for record in truth.orders:
        if record.sent <= until:
            for order in claims.get(record.first, ())[:1]:
                yield order.number, record.action


def _doubled(claims: dict[str, list[Order]]) -> Iterator[str]:
    owners: dict[int, list[str]] = {}
    for root, orders in claims.items():
        if len(orders) > 1:
            yield f"I3: order {root} at the exchange is claimed by {', '.join(str(order.number) for order in orders)}"
        for order in orders:
            owners.setdefault(order.number, []).append(root)
    for number, placed in owners.items():
        if len(placed) > 1:
            yield f"I3: order {number} was placed as {', '.join(placed)}"


def _digests(told: Sequence[Envelope]) -> Iterator[str]:
    seen: dict[int, dict[str, str]] = {}
    for envelope in told:
        if isinstance(envelope.message, LedgerFolded):
            seen.setdefault(envelope.message.reconciliation, {})[envelope.source] = envelope.message.digest
    for number, digests in seen.items():
        if len(dict.fromkeys(digests.values())) > 1:
            yield f"the ledgers of {', '.join(digests)} differ at {number}"


def _oddities(told: Sequence[Envelope], truth: Truth) -> Iterator[str]:
    for envelope in told:
        message = envelope.message
        if isinstance(message, PositionAdjusted):
            yield f"adjusted: {message.symbol}: {message.reason}"
        elif isinstance(message, HaltTrading) and not (_is_expected(message) or _is_of_a_refused(message, truth)):
            yield f"halted by {message.by}: {message.reason}"
        elif isinstance(message, ActorFailed) and not message.error.startswith(_OUTSIDE):
            yield f"{message.actor} failed in {message.handler}: {message.error}"


def _is_expected(halt: HaltTrading) -> bool:
    return halt.by in _OWN_HALTS or halt.reason == BY_US


def _is_of_a_refused(halt: HaltTrading, truth: Truth) -> bool:
    """What the lists showed before the exchange refused it is in them no more, and nothing says so: for a person."""
    refused = (record.number for record in truth.orders if record.status == REFUSED)
    return any(halt.reason.endswith(f": {number} is not in the broker's lists") for number in refused)
