"""What must always hold of the order path: one module that tests and campaigns share.

Each check returns a line for every breach it finds, and nothing where all is well. The numbers are those
of the catalogue: I1 one fill once, I2 position, I3 intent, I4 cash, I5 no phantom, I6 order of truth,
I7 risk first, I9 bounded.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple

from actors.account.carrying import restore
from actors.account.ledger import Booked, Ledger
from actors.account.recovery import run_of
from messages import (
    Action,
    ApprovedOrder,
    ApprovedReplace,
    Instrument,
    LedgerCarried,
    Message,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderSubmitting,
    Reconciled,
    Symbol,
)
from runtime.envelope import Envelope
from runtime.mailbox import Statistics

Breaches = list[str]
_HEARD = (OrderAccepted, OrderFilled, OrderRejected, OrderCanceled, OrderExpired)
"""After these an order has its number, or its end."""


def one_fill_once(fills: Iterable[OrderFilled]) -> Breaches:
    """I1: a broker's fill number is in the journal once, per order and issue."""
    keys = Counter((f.symbol, f.broker_order, f.fill) for f in fills if f.fill and f.source == "record")
    return [f"I1: fill {'/'.join(key)} is there {count} times" for key, count in keys.items() if count > 1]


def positions_agree(ledger: Ledger, broker: Mapping[Symbol, int]) -> Breaches:
    """I2: what the ledger holds is what the broker holds, issue by issue."""
    symbols = sorted({*broker, *(position.symbol for position in ledger.positions())})
    pairs = ((symbol, ledger.held(symbol), broker.get(symbol, 0)) for symbol in symbols)
    return [f"I2: {symbol}: {ours} here, {theirs} at the broker" for symbol, ours, theirs in pairs if ours != theirs]


def one_order_an_intent(bound: Iterable[tuple[int, str]], changes: Iterable[tuple[str, str]] = ()) -> Breaches:
    """I3: an intent had at most one order at the broker; `changes` are (new number, original) of modifications."""
    originals = dict(changes)
    lives: dict[int, dict[str, None]] = {}
    for intent, number in bound:
        lives.setdefault(intent, {})[_root(number, originals)] = None
    return [f"I3: intent {intent} became orders {', '.join(n)}" for intent, n in lives.items() if len(n) > 1]


def cash_agrees(ledger: Ledger, *, cash: int, commission: int, tax: int) -> Breaches:
    """I4: cash, commission and tax of the day are the broker's, to the won."""
    pairs = {
        "cash": (ledger.cash, cash),
        "commission": (ledger.commission, commission),
        "tax": (ledger.tax, tax),
    }
    return [
        f"I4: {name} {ours} here, {theirs} at the broker" for name, (ours, theirs) in pairs.items() if ours != theirs
    ]


def no_phantom(fills: Iterable[OrderFilled], broker: Mapping[str, int]) -> Breaches:
    """I5: no order has more shares filled than the broker's own record of that number has."""
    filled: dict[str, int] = {}
    for fill in fills:
        filled[fill.broker_order] = filled.get(fill.broker_order, 0) + (fill.quantity if fill.source == "record" else 0)
    return [
        f"I5: order {number}: {count} filled here, {broker.get(number, 0)} at the broker"
        for number, count in filled.items()
        if count > broker.get(number, 0)
    ]


def look_alikes_apart(journal: Iterable[Envelope]) -> Breaches:
    """I3: no order was sent while another that could be taken for it had neither a number nor an end."""
    flying: dict[int, OrderSubmitting] = {}
    found: Breaches = []
    for envelope in journal:
        message = envelope.message
        if isinstance(message, OrderSubmitting) and message.action is Action.NEW:
            others = [
                other.order for other in flying.values() if other.order != message.order and _alike(other, message)
            ]
            found += [f"I3: order {message.order} was sent while {other} was under way" for other in others]
            flying[message.order] = message
        elif isinstance(message, _HEARD):
            flying.pop(message.order, None)
    return found


def written_first(journal: Iterable[Message], sent: Iterable[tuple[int, Action]]) -> Breaches:
    """I6: whatever left the process has its OrderSubmitting in the journal."""
    written = Counter((m.order, m.action) for m in journal if isinstance(m, OrderSubmitting))
    missing = Counter(sent) - written
    return [f"I6: {action} of order {order} was sent without a record" for order, action in missing]


def risk_first(journal: Sequence[Envelope]) -> Breaches:
    """I7: each submission follows its approval, on the approved terms; a cancel needs none."""
    asked: dict[tuple[Action, int], tuple[object, ...]] = {}
    found: Breaches = []
    for envelope in journal:
        message = envelope.message
        if isinstance(message, OrderSubmitting):
            found += _unasked(message, asked)
        else:
            asked |= _terms(message)
    return found


def carried_truly(journal: Sequence[Envelope]) -> Breaches:
    """A state that was carried over is the journal's, and a ledger that goes on from it ends where that does."""
    states = [envelope.message for envelope in journal if isinstance(envelope.message, LedgerCarried)]
    whole = _known(folded(Ledger(), journal)) if states else ()
    false = [state for state in states if not _is_true(state, journal) or _known(_gone_on(state, journal)) != whole]
    return [f"the account that was carried over at {s.reconciliation} is another than the journal's" for s in false]


def folded(ledger: Ledger, journal: Iterable[Envelope]) -> Ledger:
    """The ledger, with all of a journal in it that a ledger takes."""
    for envelope in journal:
        if isinstance(envelope.message, Booked):
            ledger.fold(envelope.message, envelope.number)
    return ledger


def bounded(mailboxes: Mapping[str, Statistics], bounds: Mapping[str, int] | None = None) -> Breaches:
    """I9: offered = handled + conflated + refused + waiting, and no mailbox was ever over its bound."""
    found: Breaches = []
    for name, box in mailboxes.items():
        counted = box.handled + box.conflated + box.refused + box.depth
        if counted != box.offered:
            found.append(f"I9: {name}: {box.offered} offered, {counted} accounted for")
        if bounds is not None and box.high_water > bounds[name]:
            found.append(f"I9: {name}: {box.high_water} waited, {bounds[name]} may")
    return found


def sound(ledger: Ledger) -> Breaches:
    """What the figures of one ledger owe each other, at any moment."""
    found = [
        f"order {o.number}: {o.filled} filled of {o.quantity}" for o in ledger.orders.values() if o.filled > o.quantity
    ]
    found += [f"{s} of {owner or 'nobody'}: {h.quantity} held" for s, owner, h in ledger.each() if h.quantity < 0]
    for position in ledger.positions():
        if position.quantity != ledger.held(position.symbol):
            found.append(f"{position.symbol}: lots and position differ")
    if ledger.reserved < 0:
        found.append(f"{ledger.reserved} won reserved")
    return found


def _alike(one: OrderSubmitting, other: OrderSubmitting) -> bool:
    same = (one.symbol, one.side, one.quantity) == (other.symbol, other.side, other.quantity)
    return same and (one.price == other.price or not one.price or not other.price)


def _root(number: str, originals: Mapping[str, str]) -> str:
    while number in originals:
        number = originals[number]
    return number


def _terms(message: Message) -> dict[tuple[Action, int], tuple[object, ...]]:
    match message:
        case ApprovedOrder():
            terms = (message.symbol, message.side, message.quantity, message.kind, message.price, message.validity)
            return {(Action.NEW, message.order): terms}
        case ApprovedReplace():
            return {(Action.REPLACE, message.number): (message.symbol, message.quantity, message.price)}
        case _:
            return {}


def _unasked(message: OrderSubmitting, asked: Mapping[tuple[Action, int], tuple[object, ...]]) -> Breaches:
    terms: dict[Action, tuple[object, ...]] = {
        Action.NEW: (message.symbol, message.side, message.quantity, message.kind, message.price, message.validity),
        Action.REPLACE: (message.symbol, message.quantity, message.price),
    }
    if message.action is Action.CANCEL:
        return []
    number = message.order if message.action is Action.NEW else message.request
    if asked.get((message.action, number)) == terms[message.action]:
        return []
    return [f"I7: {message.action} of order {message.order} was never approved on these terms"]


def _gone_on(state: LedgerCarried, journal: Sequence[Envelope]) -> Ledger:
    told = (e for e in journal if isinstance(e.message, Instrument) and e.number < state.reconciliation)
    ledger = folded(Ledger(), [envelope for envelope in told if envelope.number >= run_of(state)])
    restore(ledger, state)
    return folded(ledger, [envelope for envelope in journal if envelope.number > state.reconciliation])


def _is_true(state: LedgerCarried, journal: Sequence[Envelope]) -> bool:
    """At its own time; opening and highest at a start alone: later they are of live prices, which no journal has."""
    before = [envelope for envelope in journal if envelope.number <= state.reconciliation]
    now, told = Ledger(), before[-1].message
    restore(now, state)
    then = folded(Ledger(), before)
    same = now.digest() == then.digest() and _held(now) == _held(then)
    if isinstance(told, Reconciled) and told.start:
        same = same and (now.opening, now.high) == (then.opening, then.high)
    return same


def _held(ledger: Ledger) -> tuple[object, ...]:
    return ledger.strangers, sorted((symbol, owner, astuple(holding)) for symbol, owner, holding in ledger.each())


def _known(ledger: Ledger) -> tuple[object, ...]:
    """All but prices: those that nobody asked the broker for are in no journal."""
    return ledger.digest(), ledger.reserved, ledger.orders, _held(ledger)
