"""What a strategy knew before: the bars or ticks of its warm-up, then its own orders and fills."""

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Final

from actors.market.bars import start_of
from actors.market.storage import store
from actors.market.storage.history import History
from actors.market.storage.pivot import join
from actors.market.time import SECOND
from messages import Bar, Instrument, Message, OrderBook, OrderEvent, Symbol, Tick, UniverseChanged, Venue
from runtime import chain
from runtime.envelope import Envelope
from runtime.journal import NAME

_DAY: Final = 86_400
_LOOK_BACK: Final = 10 * 86_400 * SECOND
"""Bars are looked for over nights and holidays, this far."""


def prices(data: Path, symbols: Sequence[Symbol], now: int, warmup: float, interval: int) -> Iterator[Message]:
    """Ticks and books of the last `warmup` seconds, or as many bars of `interval` seconds as fill them."""
    if not warmup or not symbols or not store.market_file(data).exists():
        return
    with History(data) as history:
        if interval:
            yield from _bars(history, symbols, now, round(warmup / interval), interval)
        else:
            yield from _ticks(history, symbols, now, warmup)


async def own(data: Path, strategy: str, universe: str) -> AsyncIterator[Message | Envelope]:
    """From the journal: the issues, the newest codes of the universe, and every event of the strategy's orders."""
    newest: Envelope | None = None
    path = data / NAME
    for envelope in chain.envelopes(path, types=(Instrument, UniverseChanged, OrderEvent)) if path.exists() else ():
        message = envelope.message
        if isinstance(message, UniverseChanged):
            newest = envelope if message.universe == universe else newest
        elif isinstance(message, Instrument):
            yield message
        elif isinstance(message, OrderEvent) and message.strategy == strategy:
            yield envelope
    if newest is not None:
        yield newest.message


def _bars(history: History, symbols: Sequence[Symbol], now: int, count: int, interval: int) -> list[Bar]:
    found = list(history.bar_messages(symbols, interval, now - _LOOK_BACK, now))
    of_each = {symbol: [bar for bar in found if bar.symbol == symbol and bar.venue is Venue.KRX] for symbol in symbols}
    wanted = [_joined(history, symbol, bars, now, count, interval) for symbol, bars in of_each.items()]
    return sorted((bar for bars in wanted for bar in bars), key=lambda bar: bar.time)


def _joined(  # noqa: PLR0917
    history: History, symbol: Symbol, bars: Sequence[Bar], now: int, count: int, interval: int
) -> Sequence[Bar]:
    """Up to the pivot what is stored as bars, from there on what the stored prints make."""
    today = start_of(now, _DAY)
    since = max(today, start_of(now, interval) - count * interval * SECOND)
    messages = history.messages([symbol], since, now, ("ticks",))
    ticks = [tick for tick in messages if isinstance(tick, Tick) and tick.venue is Venue.KRX]
    earlier = [bar for bar in bars if bar.time < today]
    return (*earlier, *join((bar for bar in bars if bar.time >= today), ticks, (), interval, now).bars)[-count:]


def _ticks(history: History, symbols: Sequence[Symbol], now: int, warmup: float) -> Iterator[Tick | OrderBook]:
    return history.messages(symbols, now - round(warmup * SECOND), now)
