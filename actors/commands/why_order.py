"""From tick to won: everything the journal says about one order."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from actors.account.ledger import Ledger
from actors.account.order import Order
from actors.commands.market_events import market_event
from actors.commands.told import Account, Told
from actors.commands.wording import Prices, describe
from messages import (
    ExitDelayed,
    Message,
    OrderAccepted,
    OrderFilled,
    OrderIntent,
    OrderRefused,
    OrderReplaced,
    ReplaceIntent,
    Side,
    Symbol,
)
from runtime.bus import RUN_BITS
from runtime.clock import text
from runtime.disk import tail
from runtime.disk.chain import latest
from runtime.envelope import Envelope

_SEQUENCE: Final = (1 << RUN_BITS) - 1
_MILLISECOND: Final = 1_000_000


def find(path: Path, name: str) -> int | None:
    """The number of the order somebody calls `name`; None where nobody asked for such an order.

    Its full number, `run:sequence`, the sequence (in the newest run that has it), or the broker's number.
    """
    first, other = (_brokers, _own) if name.startswith("0") else (_own, _brokers)
    return first(path, name) or other(path, name)


def way(told: Told, order: int, prices: Prices) -> list[str]:
    """The order's life, a line each."""
    account = told.account()
    lines: list[str] = []
    effect = _Effect()
    related = {order}
    known: Order | None = None
    began, refused = 0, False
    for envelope in told.envelopes:
        message = envelope.message
        mine = bool(related & {envelope.number, getattr(message, "order", 0)}) or _waits(message, account.ledger, order)
        if mine and isinstance(message, ReplaceIntent):
            related.add(envelope.number)
        effect.take(account, envelope, mine=mine and isinstance(message, OrderFilled))
        known = account.ledger.orders.get(order) or known  # a ledger forgets it once its day is over
        if not mine:
            continue
        refused = refused or (isinstance(message, OrderRefused) and message.order == order)
        if isinstance(message, OrderIntent):
            began = envelope.time
            lines += _opening(told.envelopes, envelope, message, prices)
        lines.append(_line(envelope, began))
    return [*lines, *_ending(known, effect, refused=refused)]


class _Effect:
    """What the order's fills did to the account."""

    def __init__(self) -> None:
        self.cash = self.realised = 0

    def take(self, account: Account, envelope: Envelope, *, mine: bool) -> None:
        ledger = account.ledger
        cash, realised = ledger.cash, ledger.realised
        account.take(envelope)
        if mine:
            self.cash += ledger.cash - cash
            self.realised += ledger.realised - realised


def _waits(message: Message, ledger: Ledger, number: int) -> bool:
    """Whether it is said of the holding that this order, still alive, shall sell."""
    order = ledger.orders.get(number)
    if not isinstance(message, ExitDelayed) or order is None or not order.live:
        return False
    return order.side is Side.SELL and (order.symbol, order.strategy) == (message.symbol, message.strategy)


def _own(path: Path, name: str) -> int | None:
    run, _, sequence = name.rpartition(":")
    if not sequence.isdecimal() or (run and not run.isdecimal()):
        return None
    wanted = (int(run) << RUN_BITS) + int(sequence) if run else int(sequence)
    full = wanted > _SEQUENCE
    numbers = (envelope.number for envelope in latest(path, OrderIntent))
    return next((number for number in numbers if wanted == (number if full else number & _SEQUENCE)), None)


def _brokers(path: Path, name: str) -> int | None:
    wanted = name.lstrip("0")
    for envelope in latest(path, OrderAccepted, OrderReplaced, OrderFilled) if wanted else ():
        message = envelope.message
        assert isinstance(message, OrderAccepted | OrderReplaced | OrderFilled)
        if message.broker_order.lstrip("0") == wanted:
            return message.order
    return None


def _opening(told: Sequence[Envelope], envelope: Envelope, intent: OrderIntent, prices: Prices) -> Iterator[str]:
    run, sequence = envelope.number >> RUN_BITS, envelope.number & _SEQUENCE
    yield f"order {run}:{sequence} ({envelope.number}) in {prices.name(intent.symbol)} of {intent.venue.value}"
    cause = envelope.cause
    while (stored := tail.find(told, cause)) is not None:
        yield f"  cause       {text(stored.time)[11:]}  {_said(stored, intent.symbol)}"
        cause = stored.cause
    tick = prices.tick(intent.symbol, cause, envelope.time) if cause else ""
    if tick:
        yield f"  cause       print {cause & _SEQUENCE}: {tick}"
        return
    if cause:
        yield f"  cause       message {cause & _SEQUENCE}, not stored: a bar, a timer, a book, another issue's print"
    yield f"  price       {prices.newest(intent.symbol, envelope.time)}"


def _said(stored: Envelope, symbol: Symbol) -> str:
    message = stored.message
    known = describe(message, stored.time) or market_event(message, symbol)
    return known or f"{type(message).__name__} of {stored.source}"


def _line(envelope: Envelope, began: int) -> str:
    after = f"+{(envelope.time - began) / _MILLISECOND:,.3f} ms" if began else ""
    return f"  {text(envelope.time)[11:]}  {after:>16}  {describe(envelope.message, envelope.time)}"


def _ending(order: Order | None, effect: _Effect, *, refused: bool) -> Iterator[str]:
    if order is None:
        refusal = "refused: it never reached the broker, no won moved"
        yield f"  end         {refusal if refused else 'risk never answered'}"
        return
    yield f"  end         {order.phase.value}: {order.filled:,} of {order.quantity:,} filled"
    if order.filled:
        average = order.amount / order.filled
        yield f"  amount      {order.amount:,} won, {average:,.2f} a share on average"
        yield f"  costs       commission {order.commission:,} won, tax {order.tax:,} won"
        yield f"  cash        {effect.cash:+,} won"
        yield f"  realised    {effect.realised:+,} won before costs"
