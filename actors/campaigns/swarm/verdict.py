"""What the swarm holds its systems to: the shared invariants, and the exchange's own record of every order."""

import datetime as dt
from collections.abc import Container, Iterator, Sequence
from typing import Final, NamedTuple

from actors.account import invariants
from actors.account.invariants import Breaches
from actors.account.ledger import Ledger
from actors.campaigns.swarm import remembered
from actors.campaigns.swarm.world import DISK, Notary, Numbered, Sent, World
from actors.exchange.records import AccountState
from actors.market.time import kst
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


_NOTHING: Final = Total(0, 0, 0, 0, 0)


def agreement(world: World, journal: Sequence[Envelope], lots: remembered.Lots) -> Breaches:
    """What the journal says against what the exchange did; holds once nothing is under way."""
    ledger = invariants.folded(Ledger(), journal)
    fills = [e.message for e in journal if isinstance(e.message, OrderFilled)]
    state = world.exchange.account_state(world.exchange.account)
    assert isinstance(state, AccountState)
    totals = _totals(world.days)
    held = {holding.symbol: int(holding.quantity) for holding in state.holdings if holding.quantity}
    guessed = {fill.order for fill in fills if fill.source != "record"}
    return [
        *invariants.positions_agree(ledger, held),
        *invariants.cash_agrees(ledger, cash=state.deposit_settled, **_costs(world.exchange, state)),
        *_phantoms(world.days, fills),
        *invariants.sound(ledger),
        *remembered.lots_agree(ledger, lots),
        *_orders(ledger, _numbers(world.sent), totals, guessed, world.exchange.date),
    ]


def conduct(world: World, journal: Sequence[Envelope]) -> Breaches:
    """What must hold of a journal at any time."""
    fills = [e.message for e in journal if isinstance(e.message, OrderFilled)]
    bound = [(sent.order, sent.number) for sent in world.sent if sent.action is Action.NEW and sent.number]
    return [
        *_fills_twice(world.days, fills),
        *invariants.one_order_an_intent(bound),
        *invariants.look_alikes_apart(journal),
        *invariants.written_first((e.message for e in journal), ((s.order, s.action) for s in world.sent)),
        *invariants.risk_first(journal),
        *invariants.carried_truly(journal),
        *remembered.carried_truly(journal),
        *_unsent(world.days, world.sent),
        *_digests(journal),
        *_entries_while_halted(journal),
        *_oddities(journal, adjusted=any(day.by_hand for day in world.days)),
    ]


def _costs(day: Notary, state: AccountState) -> dict[str, int]:
    """Of the day's orders that systems sent."""
    others = [order for order in day.orders if order.number in day.by_hand]
    return {
        "commission": state.commission - sum(order.commission for order in others),
        "tax": state.tax - sum(order.tax for order in others),
    }


def _totals(days: Sequence[Notary]) -> dict[Numbered, Total]:
    totals: dict[Numbered, Total] = {}
    for day in days:
        for record in day.orders:
            if record.action is not Action.CANCEL:
                name = Numbered(day.date, record.first)
                known = totals.get(name, _NOTHING)
                more = (record.filled, record.amount, record.commission, record.tax, record.open)
                totals[name] = Total(*(a + b for a, b in zip(known, more, strict=True)))
    return totals


def _numbers(sent: Sequence[Sent]) -> dict[int, Numbered]:
    return {one.order: one.name for one in sent if one.action is Action.NEW and one.number}


def _phantoms(days: Sequence[Notary], fills: Sequence[OrderFilled]) -> Iterator[str]:
    for day in days:
        filled = {order.number: int(order.filled) for order in day.orders}
        yield from invariants.no_phantom(_of(day, fills), filled)


def _fills_twice(days: Sequence[Notary], fills: Sequence[OrderFilled]) -> Iterator[str]:
    for day in days:
        yield from invariants.one_fill_once(_of(day, fills))


def _of(day: Notary, fills: Sequence[OrderFilled]) -> list[OrderFilled]:
    return [fill for fill in fills if kst(fill.time).date() == day.date]


def _orders(
    ledger: Ledger,
    numbers: dict[int, Numbered],
    totals: dict[Numbered, Total],
    guessed: Container[int],
    today: dt.date,
) -> Iterator[str]:
    """`guessed`: orders with a fill the broker told the amount of as a rounded price, and on another day no costs."""
    for number, order in ledger.orders.items():
        name = numbers.get(number)
        there = totals.get(name, _NOTHING) if name else _NOTHING
        here = Total(order.filled, order.amount, order.commission, order.tax, Shares(order.open))
        if number in guessed:
            here = here._replace(amount=there.amount)
            if name and name.date < today:
                here = here._replace(commission=there.commission, tax=there.tax)
        if here != there:
            known = name.number if name else "no number"
            yield f"order {number} ({known}, {order.phase}): here {tuple(here)}, at the exchange {tuple(there)}"
    for number, name in numbers.items():
        if number not in ledger.orders and name.date == today:
            yield f"order {number} ({name.number}): not in the ledger"


def _unsent(days: Sequence[Notary], sent: Sequence[Sent]) -> Iterator[str]:
    ours = {one.name for one in sent}
    for day in days:
        for record in day.orders:
            if record.number not in day.by_hand and Numbered(day.date, record.number) not in ours:
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


def _oddities(journal: Sequence[Envelope], *, adjusted: bool) -> Iterator[str]:
    """`adjusted`: whether somebody traded beside the systems, so that shares come and go."""
    for envelope in journal:
        line = _odd(envelope.message)
        if line and not (adjusted and isinstance(envelope.message, PositionAdjusted)):
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
