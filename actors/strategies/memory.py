"""What a strategy knew before: all that was said of orders and holdings, then the bars or ticks of its warm-up."""

from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from actors.account.recovery import run_of, stands, states
from actors.market.bars import start_of
from actors.market.storage import store
from actors.market.storage.blocks import VENUES
from actors.market.storage.history import History
from actors.market.storage.loose import Stored
from actors.market.storage.pivot import join
from actors.market.time import SECOND
from messages import (
    ApprovedOrder,
    Bar,
    CarriedHolding,
    Instrument,
    LedgerCarried,
    Message,
    Nanoseconds,
    OrderEvent,
    OrderIntent,
    PositionAdjusted,
    Reconciled,
    Symbol,
    Tick,
    UniverseChanged,
    Venue,
)
from runtime.disk import chain
from runtime.disk.journal import NAME
from runtime.envelope import Envelope

_DAY: Final = 86_400
_LOOK_BACK: Final = 10 * 86_400 * SECOND
"""Bars are looked for over nights and holidays, this far."""


_SEEN: Final = (Instrument, UniverseChanged)
_BOOKED: Final = (ApprovedOrder, OrderEvent, PositionAdjusted, Reconciled)


def prices(  # noqa: PLR0917
    data: Path, symbols: Sequence[Symbol], venue: Venue, now: int, warmup: float, interval: int
) -> Iterator[Message]:
    """Ticks and books of the last `warmup` seconds, or as many bars of `interval` seconds of a venue as fill them."""
    if not warmup or not symbols or not store.market_file(data).exists():
        return
    with History(data) as history:
        if interval:
            yield from _bars(history, symbols, venue, now, round(warmup / interval), interval)
        else:
            yield from _ticks(history, symbols, now, warmup)


def highest(data: Path, symbol: Symbol, venue: Venue, since: int, until: int) -> int:
    """Of the prices recorded at a venue in [since, until), 0 where there are none."""
    if not store.market_file(data).exists():
        return 0
    place = VENUES.index(venue)
    with History(data) as history:
        parts = [ticks["price"][ticks["venue"] == place] for ticks in history.stream("ticks", symbol, since, until)]
    return max((int(prices.max()) for prices in parts if prices.size), default=0)


class Beginning(NamedTuple):
    """Where a strategy goes on from."""

    state: LedgerCarried
    told_from: int
    """From here on the issues and universes of the day before and of this one were told."""


def beginning(data: Path) -> Beginning | None:
    """The last state of the account that the journal holds and nobody contradicts."""
    path = data / NAME
    known = list(islice(states(path), 2)) if path.exists() else []
    if not known or not stands(path, known[0]):
        return None
    return Beginning(known[0], run_of(known[1]) if len(known) > 1 else 0)


def began(data: Path, holding: CarriedHolding) -> Nanoseconds:
    """When the holding began, by the message that told."""
    told = next(chain.envelopes(data / NAME, holding.since))
    return Nanoseconds(getattr(told.message, "time", told.time))


async def own(data: Path, universe: str, begin: Beginning | None) -> AsyncIterator[Message | Envelope | int]:
    """From the journal: the issues, what became of orders and holdings since `begin`, the universe's newest codes.

    Of what was told of orders and holdings before that it is the number: it stands in the state.
    """
    newest: Envelope | None = None
    for envelope in _journal(data, (*_SEEN, *_BOOKED), begin.told_from if begin else 0):
        message = envelope.message
        if isinstance(message, UniverseChanged):
            newest = envelope if message.universe == universe else newest
        elif isinstance(message, Instrument):
            yield message
        elif begin is None or envelope.number > begin.state.reconciliation:
            yield envelope
        else:
            yield envelope.number
    if newest is not None:
        yield newest.message


def placed(data: Path, strategy: str, begin: Beginning | None) -> Iterator[int]:
    """Numbers of the orders it wanted itself of late; a guardian places some for its lots too."""
    first = run_of(begin.state) if begin else 0
    return (envelope.number for envelope in _journal(data, (OrderIntent,), first) if envelope.source == strategy)


def _journal(data: Path, types: Sequence[type[Message]], first: int) -> Iterator[Envelope]:
    path = data / NAME
    return chain.envelopes(path, first, types) if path.exists() else iter(())


def _bars(  # noqa: PLR0917
    history: History, symbols: Sequence[Symbol], venue: Venue, now: int, count: int, interval: int
) -> list[Bar]:
    of_each: dict[Symbol, list[Bar]] = {symbol: [] for symbol in symbols}
    for bar in history.bar_messages(symbols, interval, now - _LOOK_BACK, now):
        if bar.venue is venue:
            of_each[bar.symbol].append(bar)
    wanted = [_joined(history, symbol, venue, bars, now, count, interval) for symbol, bars in of_each.items()]
    return sorted((bar for bars in wanted for bar in bars), key=lambda bar: bar.time)


def _joined(  # noqa: PLR0917
    history: History, symbol: Symbol, venue: Venue, bars: Sequence[Bar], now: int, count: int, interval: int
) -> Sequence[Bar]:
    """Up to the pivot what is stored as bars, from there on what the stored prints make."""
    today = start_of(now, _DAY)
    since = max(today, start_of(now, interval) - count * interval * SECOND)
    messages = history.messages([symbol], since, now, ("ticks",))
    ticks = [tick for tick in messages if isinstance(tick, Tick) and tick.venue is venue]
    earlier = [bar for bar in bars if bar.time < today]
    return (*earlier, *join((bar for bar in bars if bar.time >= today), ticks, (), interval, now).bars)[-count:]


def _ticks(history: History, symbols: Sequence[Symbol], now: int, warmup: float) -> Iterator[Stored]:
    return history.messages(symbols, now - round(warmup * SECOND), now)
