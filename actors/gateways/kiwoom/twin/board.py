"""The exchange's market events as real data of whatever is registered."""

from collections.abc import Callable, Mapping
from typing import Any

from actors.exchange.events import (
    AfterHoursWaiting,
    AuctionEstimate,
    BookChanged,
    PhaseChanged,
    Print,
    ViEnded,
    ViStarted,
)
from actors.exchange.port import ExchangePort
from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.twin import announcements, values
from actors.gateways.kiwoom.twin.books import BookText
from actors.gateways.kiwoom.twin.indices import MARKETS, Index
from actors.gateways.kiwoom.twin.registrations import (
    AFTER,
    BOOK,
    ELSEWHERE,
    EXPECTED,
    QUOTE,
    SESSION,
    TRADE,
    VI,
    WHOLE_MARKET,
)
from actors.gateways.kiwoom.twin.trades import AFTER_HOURS, IN_HOURS, Tape
from actors.gateways.kiwoom.twin.venues import Elsewhere, NextradeHours
from actors.market import krx
from actors.market.calendar import Calendar
from actors.market.time import SECOND, kst
from messages import Instrument, Session, Symbol

Emit = Callable[[str, str, str], None]
_COMMISSIONS = 30
"""Of a round trip, in hundred-thousandths of the amount."""


class Board:
    """Writes down every registered event and hands it to `emit(code, type, fields)`."""

    def __init__(self, exchange: ExchangePort, wanted: Mapping[str, int], emit: Emit) -> None:
        self.issues: dict[str, Instrument] = {issue.symbol: issue for issue in exchange.issues()}
        self.yesterday = {symbol: _yesterday(exchange, Symbol(symbol)) for symbol in self.issues}
        """Volume and value of the trading day before."""
        self.tapes = {
            symbol: Tape(issue, self.yesterday[symbol], _cost_rate(exchange, issue))
            for symbol, issue in self.issues.items()
        }
        self._books = {
            symbol: BookText(issue, self.tapes[symbol].marks, self.yesterday[symbol][0])
            for symbol, issue in self.issues.items()
        }
        self._indices = {code: Index(code, tuple(self.issues.values()), self.tapes) for code in MARKETS}
        self._index_due = 0
        self._elsewhere = Elsewhere(self.issues, wanted, emit, exchange.now)
        self._nextrade = NextradeHours(exchange.now)
        self._quotes: dict[str, tuple[int, int]] = {}
        self._waiting: dict[str, tuple[int, int]] = {}
        self._exchange = exchange
        self._wanted = wanted
        self._emit = emit
        self.shows: Mapping[type, Callable[[Any], None]] = {
            Print: self._print,
            BookChanged: self._book,
            AuctionEstimate: self._estimate,
            AfterHoursWaiting: self._wait,
            PhaseChanged: self._phase,
            ViStarted: self._interruption,
            ViEnded: self._interruption,
        }
        """What to do with an event of each class; Kiwoom has no words for a halt."""

    def look_at_clock(self) -> None:
        """Announce what Nextrade begins and ends; the exchange behind knows the KRX alone."""
        exchange = self._exchange
        for time, code in self._nextrade.due(min(exchange.now, exchange.end)):
            if self._wanted.get(WHOLE_MARKET, 0) & SESSION:
                text = announcements.announcement(code, values.hhmmss(time))
                self._emit(announcements.SESSION_CODE, codes.SESSION, text)

    def end_day(self) -> None:
        """전체장마감."""
        if self._wanted.get(WHOLE_MARKET, 0) & SESSION:
            self._emit(announcements.SESSION_CODE, codes.SESSION, announcements.end_of_day())

    def last(self, symbol: str) -> int:
        """Of the last print, the base price before it."""
        return self.tapes[symbol].last or self.issues[symbol].base_price

    def _print(self, event: Print) -> None:
        symbol = event.symbol
        tape = self.tapes[symbol]
        tape.count(event)
        wanted = self._wanted.get(symbol, 0)
        if wanted & TRADE:
            self._emit(symbol, codes.TRADE, tape.render(event))
        if wanted & ELSEWHERE:
            self._elsewhere.print(event)
        if event.time >= self._index_due:
            self._show_indices(event.time)

    def _show_indices(self, time: int) -> None:
        """Once a second in which anything trades."""
        self._index_due = time - time % SECOND + SECOND
        for code, index in self._indices.items():
            text = index.render(time) if self._wanted.get(code) else ""
            if text:
                self._emit(code, codes.INDEX, text)

    def _book(self, event: BookChanged) -> None:
        symbol = event.symbol
        wanted = self._wanted.get(symbol, 0)
        if not wanted & (BOOK | QUOTE | ELSEWHERE):
            return
        book, tape = self._exchange.book(symbol), self.tapes[symbol]
        if wanted & QUOTE:
            self._quote(symbol, book.ask_prices[0], book.bid_prices[0])
        if wanted & (BOOK | ELSEWHERE):
            text = self._books[symbol].render(book, tape.volume)
            if wanted & BOOK:
                self._emit(symbol, codes.BOOK, text)
            if wanted & ELSEWHERE:
                self._elsewhere.book(symbol, text)

    def _quote(self, symbol: str, ask: int, bid: int) -> None:
        if self._quotes.get(symbol) != (ask, bid):
            self._quotes[symbol] = (ask, bid)
            marks = self.tapes[symbol].marks
            self._emit(symbol, codes.BEST_QUOTE, f"{marks[ask]}\t{marks[bid]}")

    def _estimate(self, event: AuctionEstimate) -> None:
        symbol, price = event.symbol, event.price
        if not price or not self._wanted.get(symbol, 0) & EXPECTED:
            return
        issue, tape = self.issues[symbol], self.tapes[symbol]
        rate = values.percent(values.change_rate(price, issue.base_price))
        mark = "-" if price < issue.base_price else "+"
        text = (
            f"{values.hhmmss(event.time)}\t{tape.marks[price]}\t{values.signed(price - issue.base_price)}\t{rate}"
            f"\t{mark}{event.size}\t{tape.volume}\t{values.direction(price, issue)}"
        )
        self._emit(symbol, codes.EXPECTED, text)

    def _wait(self, event: AfterHoursWaiting) -> None:
        symbol = event.symbol
        before, now = self._waiting.get(symbol, (0, 0)), (event.asks, event.bids)
        self._waiting[symbol] = now
        if not self._wanted.get(symbol, 0) & AFTER:
            return
        asks, bids = (
            f"{size}\t{values.signed(size - size_before)}" for size, size_before in zip(now, before, strict=True)
        )
        self._emit(symbol, codes.AFTER_HOURS, f"{values.hhmmss(event.time)}\t{asks}\t{bids}")

    def _phase(self, event: PhaseChanged) -> None:
        self._mark(event.session)
        if self._wanted.get(WHOLE_MARKET, 0) & SESSION:
            self._emit(announcements.SESSION_CODE, codes.SESSION, announcements.session_text(event))

    def _mark(self, session: Session) -> None:
        part = AFTER_HOURS if session in (Session.AFTER_HOURS_CLOSE, Session.AFTER_HOURS_SINGLE) else IN_HOURS
        for tape in self.tapes.values():
            tape.part = part
        self._elsewhere.part = part

    def _interruption(self, event: ViStarted | ViEnded) -> None:
        if not self._wanted.get(WHOLE_MARKET, 0) & VI:
            return
        issue, tape = self.issues[event.symbol], self.tapes[event.symbol]
        text = announcements.vi_text(event, issue, tape.volume, tape.value, tape.opening)
        self._emit(event.symbol, codes.VI, text)


def _yesterday(exchange: ExchangePort, symbol: Symbol) -> tuple[int, int]:
    bar = exchange.yesterday(symbol)
    return (bar.volume, bar.value) if bar else (0, 0)


def _cost_rate(exchange: ExchangePort, issue: Instrument) -> int:
    settlement = Calendar().settlement(kst(exchange.start).date())
    return _COMMISSIONS + krx.tax_rate(issue.market, settlement) * 10
