"""The one-second row: everything known of an issue at the end of a second in which it traded or its book changed."""

import datetime as dt
from typing import Final

from actors.market.derived import Interruptions
from actors.market.time import SECOND
from messages import (
    Aggressor,
    Instrument,
    Nanoseconds,
    OrderBook,
    Record,
    Shares,
    Symbol,
    Tick,
    Venue,
    ViReleased,
    ViTriggered,
    Won,
)

LEVELS: Final = 5
_NONE: Final = (0,) * LEVELS


class Row(Record):
    """One issue, one second; what was not delivered yet is 0."""

    symbol: Symbol
    venue: Venue
    time: Nanoseconds
    """Start of the second."""
    price: Won
    open: Won
    high: Won
    low: Won
    """Of the day, as are the open and the high."""
    change: float
    """등락율: percent from the base price, two decimals."""
    day_volume: Shares
    day_value: Won
    """As delivered."""
    strength: float
    """체결강도 as delivered."""
    bought: Shares
    sold: Shares
    """초당매수수량, 초당매도수량."""
    value: Won
    """초당거래대금: price x size over the second's prints."""
    prints: int
    ask_total: Shares
    bid_total: Shares
    ask_prices: tuple[int, ...]
    ask_sizes: tuple[int, ...]
    bid_prices: tuple[int, ...]
    bid_sizes: tuple[int, ...]
    """Five levels, best first; 0 where one is empty, as all of a side are at a price limit."""
    resting: Shares
    """매도수5호가잔량합: the shares of all ten levels."""
    vi_up: Won
    vi_down: Won
    """The static band's prices, 0 where the issue has none."""


class Rows:
    """Folds one issue at one venue, on one day; a second in which nothing came has no row."""

    def __init__(self, instrument: Instrument, date: dt.date, venue: Venue = Venue.KRX) -> None:
        self.late = 0
        """Prints and books of a second that was over; they are in no row."""
        self._instrument = instrument
        self._venue = venue
        self._interruptions = Interruptions(instrument, date)
        self._tick: Tick | None = None
        self._book: OrderBook | None = None
        self._start = 0
        self._open = False
        self._bought = self._sold = self._value = self._prints = 0

    def add(self, message: Tick | OrderBook) -> Row | None:
        """The row of the second before, if this begins another and `due` did not give it out."""
        if message.venue is not self._venue:
            return None
        time = message.time - message.time % SECOND
        if time < self._start or (time == self._start and not self._open):
            self.late += 1
            return None
        done = self._take() if time > self._start and self._open else None
        self._start, self._open = time, True
        if isinstance(message, Tick):
            self._count(message)
        else:
            self._book = message
        return done

    def interrupt(self, event: ViTriggered | ViReleased) -> None:
        """The static band moves with each interruption's auction."""
        if isinstance(event, ViTriggered):
            self._interruptions.begin(event)
        else:
            self._interruptions.end(event)

    def due(self, now: int) -> Row | None:
        """The row of the second that has ended by `now`, for a quiet code: without waiting for what comes next."""
        return self._take() if self._open and now >= self._start + SECOND else None

    def _count(self, tick: Tick) -> None:
        self._tick = tick
        self._interruptions.add(tick)
        self._prints += 1
        self._value += tick.price * tick.size
        if tick.side is Aggressor.BUYER:
            self._bought += tick.size
        elif tick.side is Aggressor.SELLER:
            self._sold += tick.size

    def _take(self) -> Row:
        tick, book, base = self._tick, self._book, self._instrument.base_price
        bands = self._interruptions.bands()
        price = tick.price if tick else 0
        row = Row(
            symbol=self._instrument.symbol,
            venue=self._venue,
            time=Nanoseconds(self._start),
            price=Won(price),
            open=tick.open if tick else Won(0),
            high=tick.high if tick else Won(0),
            low=tick.low if tick else Won(0),
            change=round((price - base) * 100 / base, 2) if price and base else 0.0,
            day_volume=tick.volume if tick else Shares(0),
            day_value=tick.value if tick else Won(0),
            strength=tick.strength if tick else 0.0,
            bought=Shares(self._bought),
            sold=Shares(self._sold),
            value=Won(self._value),
            prints=self._prints,
            ask_total=book.ask_total if book else Shares(0),
            bid_total=book.bid_total if book else Shares(0),
            ask_prices=book.ask_prices[:LEVELS] if book else _NONE,
            ask_sizes=book.ask_sizes[:LEVELS] if book else _NONE,
            bid_prices=book.bid_prices[:LEVELS] if book else _NONE,
            bid_sizes=book.bid_sizes[:LEVELS] if book else _NONE,
            resting=Shares(sum(book.ask_sizes[:LEVELS]) + sum(book.bid_sizes[:LEVELS]) if book else 0),
            vi_up=Won(bands.static_up),
            vi_down=Won(bands.static_down),
        )
        self._open = False
        self._bought = self._sold = self._value = self._prints = 0
        return row
