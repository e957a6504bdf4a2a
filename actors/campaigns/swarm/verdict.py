"""What the swarm holds its systems to: the shared invariants, and the exchange's own record of every order."""

from collections.abc import Container, Iterator, Sequence
from typing import Final, NamedTuple

from actors.account import invariants
from actors.account.invariants import Breaches
from actors.account.ledger import Booked, Ledger
from actors.campaigns.swarm.world import DISK, Sent, World
from actors.exchange.exchange import Exchange
from actors.exchange.records import AccountState, OrderRecord
from messages import (
    Action,
    ActorFailed,
    ApprovedOrder,
    HaltTrading,
    LedgerFolded,
    MailboxOverflowed,
    Message,
    OrderFilled,
    OrderSent,
    PositionAdjusted,
    Purpose,
    ResumeTrading,
    Shares,
)
from runtime.bus import RUN_BITS
from runtime.envelope import Envelope

_UNANSWERED: Final = ("TimeoutError", "QueryRefused", "JournalFailed")
_OWN_HALTS: Final = ("busybody", "guardian", "journal")


class Total(NamedTuple):
    """What the exchange says of one order, its modifications included."""

    filled: int
    amount: int
    commission: int
    tax: int
    open: int


def agreement(world: World, journal: Sequence[Envelope]) -> Breaches:
    """What the journal says against what the exchange did; holds once nothing is under way."""
    ledger, fills = Ledger(), [e.message for e in journal if isinstance(e.message, OrderFilled)]
    for envelope in journal:
        if isinstance(envelope.message, Booked):
            ledger.fold(envelope.message, envelope.number)
    state = world.exchange.account_state(world.exchange.account)
    assert isinstance(state, AccountState)
    totals = _totals(world.exchange.orders)
    held = {holding.symbol: int(holding.quantity) for holding in state.holdings if holding.quantity}
    per_number = {order.number: int(order.filled) for order in world.exchange.orders}
    guessed = {fill.order for fill in fills if fill.source != "record"}
    return [
        *invariants.positions_agree(ledger, held),
        *invariants.cash_agrees(ledger, cash=state.deposit_settled, commission=state.commission, tax=state.tax),
        *invariants.no_phantom(fills, per_number),
        *invariants.sound(ledger),
        *_orders(ledger, _numbers(world.sent), totals, guessed),
    ]


def conduct(world: World, journal: Sequence[Envelope]) -> Breaches:
    """What must hold of a journal at any time."""
    fills = [e.message for e in journal if isinstance(e.message, OrderFilled)]
    bound = [(sent.order, sent.number) for sent in world.sent if sent.action is Action.NEW and sent.number]
    return [
        *invariants.one_fill_once(fills),
        *invariants.one_order_an_intent(bound),
        *invariants.look_alikes_apart(journal),
        *invariants.written_first((e.message for e in journal), ((s.order, s.action) for s in world.sent)),
        *invariants.risk_first(journal),
        *_unsent(world.exchange, world.sent),
        *_digests(journal),
        *_entries_while_halted(journal),
        *_oddities(journal),
    ]


def _totals(records: Sequence[OrderRecord]) -> dict[str, Total]:
    totals: dict[str, Total] = {}
    for record in records:
        if record.action is not Action.CANCEL:
            known = totals.get(record.first, Total(0, 0, 0, 0, 0))
            more = (record.filled, record.amount, record.commission, record.tax, record.open)
            totals[record.first] = Total(*(a + b for a, b in zip(known, more, strict=True)))
    return totals


def _numbers(sent: Sequence[Sent]) -> dict[int, str]:
    return {one.order: one.number for one in sent if one.action is Action.NEW and one.number}


def _orders(
    ledger: Ledger, numbers: dict[int, str], totals: dict[str, Total], guessed: Container[int]
) -> Iterator[str]:
    """`guessed`: orders with a fill the broker told the amount of as a rounded price."""
    for number, order in ledger.orders.items():
        there = totals.get(numbers.get(number, ""), Total(0, 0, 0, 0, 0))
        paid = there.amount if number in guessed else order.amount
        here = Total(order.filled, paid, order.commission, order.tax, Shares(order.open))
        if here != there:
            name = numbers.get(number, "no number")
            yield f"order {number} ({name}, {order.phase}): here {tuple(here)}, at the exchange {tuple(there)}"
    for number, name in numbers.items():
        if number not in ledger.orders:
            yield f"order {number} ({name}): not in the ledger"


def _unsent(exchange: Exchange, sent: Sequence[Sent]) -> Iterator[str]:
    ours = {one.number for one in sent}
    for record in exchange.orders:
        if record.number not in ours:
            yield f"I5: {record.action} {record.number} is at the exchange, and nobody sent it"


def _digests(journal: Sequence[Envelope]) -> Iterator[str]:
    seen: dict[int, dict[str, str]] = {}
    for envelope in journal:
        if isinstance(envelope.message, LedgerFolded):
            seen.setdefault(envelope.message.reconciliation, {})[envelope.source] = envelope.message.digest
    for number, digests in seen.items():
        if len(dict.fromkeys(digests.values())) > 1:
            yield f"the ledgers of {', '.join(digests)} differ at {number}"


def _entries_while_halted(journal: Sequence[Envelope]) -> Iterator[str]:
    """A halt outlives its run, unless it was for want of a journal."""
    entries: dict[int, None] = {}
    halted: dict[int, str] = {}
    for envelope in journal:
        run = envelope.number >> RUN_BITS
        match envelope.message:
            case HaltTrading(by=by):
                halted[envelope.number] = by
            case ResumeTrading() as resume:
                halted = {number: by for number, by in halted.items() if not resume.lifts(number)}
            case ApprovedOrder(order=order, purpose=Purpose.ENTRY):
                entries[order] = None
            case OrderSent(order=order, action=Action.NEW) if order in entries:
                if any(by != "journal" or number >> RUN_BITS == run for number, by in halted.items()):
                    yield f"I8: entry {order} was sent while trading was halted"
            case _:
                pass


def _oddities(journal: Sequence[Envelope]) -> Iterator[str]:
    for envelope in journal:
        line = _odd(envelope.message)
        if line:
            yield line


def _odd(message: Message) -> str:
    match message:
        case ActorFailed() if DISK in message.error or _no_answer(message):
            return ""
        case ActorFailed():
            return f"{message.actor} failed in {message.handler}: {message.error}"
        case HaltTrading() if message.by not in _OWN_HALTS:
            return f"halted by {message.by}: {message.reason}"
        case PositionAdjusted():
            return f"adjusted: {message.symbol} {message.reason}"
        case MailboxOverflowed():
            return f"{message.actor} overflowed"
        case _:
            return ""


def _no_answer(failure: ActorFailed) -> bool:
    """A start needs broker and journal; a system that hears nothing of either ends, and is started again."""
    return failure.handler == "on_start" and failure.error.startswith(_UNANSWERED)
