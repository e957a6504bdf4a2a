"""One issue's trading day: how orders enter, when it is interrupted, what its auctions give."""

import datetime as dt
from collections.abc import Callable
from typing import Any, NamedTuple

from actors.exchange.auction import Outcome, is_auction, match, single_price
from actors.exchange.book import Book, Order
from actors.exchange.events import AuctionEstimate, ExchangeEvent, Print, ViEnded, ViStarted
from actors.exchange.figures import DayFigures
from actors.exchange.records import BookSnapshot
from actors.market import krx
from actors.market.time import SECOND
from messages import Aggressor, Instrument, Kind, Nanoseconds, Session, Shares, Validity, ViKind, Won


class Surroundings(NamedTuple):
    """What an issue tells the market around it."""

    emit: Callable[[ExchangeEvent], None]
    filled: Callable[[Any, int, int, int], None]
    """Owner, price, size, time: a fill of an order that is not the crowd's."""
    interrupted: Callable[["Issue"], None]
    extension: Callable[[], int]
    """Nanoseconds by which an interruption's auction is prolonged."""


class Issue:
    """An issue in one session of its day; the caller keeps time and hands it in."""

    def __init__(self, instrument: Instrument, date: dt.date, around: Surroundings) -> None:
        self.instrument = instrument
        self.book = Book(price_grid(instrument, date))
        self.figures = DayFigures(instrument.base_price)
        self.session = Session.PRE_OPEN
        self.calling = True
        """Orders gather for a single price instead of matching."""
        self.changed = False
        """The book is not what was last asked for."""
        self.halted = instrument.halted
        self.interruption: ViStarted | None = None
        self.interruptions: list[ViStarted] = []
        self.static_reference = int(instrument.base_price)
        self._date = date
        self._around = around
        self._now = 0
        self._last = self.book.index_of[instrument.base_price]
        self._rests: dict[bool, Order] = {}
        """The newest market order that stands with a price, by side."""
        self._bands: dict[int | None, tuple[int, int]] = {}
        self._estimate: Outcome | None = None
        self._priced: Outcome | None = None
        self._priced_for: tuple[int, ...] = ()
        self._estimated = False

    def enter(self, order: Order, now: int) -> None:
        """A limit order at its index."""
        if not self.calling and self.book.reaches(order.buy, order.index):
            self._cross(order, order.index, now)
        if order.open:
            self.book.own(order.buy).add(order)
        self.changed = True

    def enter_market(self, order: Order, now: int) -> None:
        """A market order; what finds nobody rests before the best limit of its side."""
        if not self.calling:
            self._cross(order, self._far_end(order.buy), now)
        if self.calling:
            self.book.wait(order)
        elif order.open:
            self._rest(order)
        self.changed = True

    def admit(self, order: Order, kind: Kind, validity: Validity) -> str:
        """Why the exchange refuses an account's order, blank where it takes it; gives 06 and 07 their price."""
        if self.halted:
            return "거래정지 종목입니다"
        if not self.accepts():
            return "주문 접수 시간이 아닙니다"
        plain = kind in (Kind.LIMIT, Kind.MARKET) or (kind is Kind.CONDITIONAL and self._before_closing())
        if self.calling and not (plain and validity is Validity.DAY):
            return "단일가매매 시간에는 낼 수 없는 호가입니다"
        return self._price(order, kind)

    def submit(self, order: Order, kind: Kind, validity: Validity, now: int) -> None:
        """Enter an admitted order; the rest of an IOC or FOK is left `open` and out of the book."""
        if validity is not Validity.DAY:
            self._take_at_once(order, kind, validity, now)
        elif kind is Kind.MARKET:
            self.enter_market(order, now)
        else:
            self.enter(order, now)

    def accepts(self) -> bool:
        """Whether orders are taken at all at this time."""
        if self.session is Session.CLOSED_FOR_DAY:
            return False
        return is_auction(self.session) or self.session is Session.CONTINUOUS or self.interruption is not None

    def begin(self, session: Session) -> None:
        """Go into a part of the day; leaving an auction is `uncross`."""
        self.session = session
        self.calling = self._gathers()
        self._bands.clear()

    def halt(self) -> None:
        """Match nothing and take nothing but cancellations, until `resume`."""
        self.halted = self.calling = True

    def resume(self, now: int) -> None:
        """Trade on; what came together before the halt matches at a single price."""
        self.halted = False
        self.calling = self._gathers()
        if not self.calling:
            self.uncross(now, bounded=False)

    def uncross(self, now: int, bounded: bool) -> None:
        """End an auction with its price. Where `bounded`, a price beyond the band starts an interruption instead."""
        if self.halted:
            return
        outcome = self._outcome()
        low, high = self._band() if bounded else (-1, len(self.book.prices))
        if outcome and not low < outcome.level < high:
            self._interrupt(outcome.level, self._printed, now)
            return
        if outcome:
            self._trade(outcome, now)
        self._estimate, self._estimated, self.changed = None, False, True
        for buy in (True, False):
            for order in self.book.markets(buy).leave():
                self._rest(order)

    def release(self, now: int) -> None:
        """End an interruption with its auction, or let it pass into the closing auction that runs already."""
        started = self.interruption
        assert started is not None
        before = self.figures.prints
        self.interruption = None
        if self.session is not Session.CLOSING_AUCTION:
            self.uncross(now, bounded=False)
        self.calling = self._gathers()
        price = self.figures.last if self.figures.prints > before else 0
        self._around.emit(ViEnded(symbol=started.symbol, time=Nanoseconds(now), started=started, price=Won(price)))

    def estimate(self, now: int) -> None:
        """Say what the running auction would give, if that is news."""
        outcome = self._outcome()
        if outcome == self._estimate and self._estimated:
            return
        self._estimate, self._estimated = outcome, True
        index, size = outcome or (-1, 0)
        price = Won(self.book.prices[index] if outcome else 0)
        symbol = self.instrument.symbol
        self._around.emit(AuctionEstimate(symbol=symbol, time=Nanoseconds(now), price=price, size=Shares(size)))

    def trade_after_hours(self, price: int, size: int, now: int) -> None:
        """Print between two orders of the crowd; the book and the day's prices stay what they are."""
        self.figures.add_after_hours(price, size, now)
        self._say_print(price, size, Aggressor.NONE, now)

    def snapshot(self, now: int) -> BookSnapshot:
        """Ten levels a side; in an auction, what its matching would leave."""
        book = self.book
        outcome = self._outcome() if self.calling else None
        size = outcome.size if outcome else 0
        ask_prices, ask_sizes = self._levels(False, size)
        bid_prices, bid_sizes = self._levels(True, size)
        return BookSnapshot(
            symbol=self.instrument.symbol,
            time=Nanoseconds(now),
            ask_prices=ask_prices,
            ask_sizes=ask_sizes,
            bid_prices=bid_prices,
            bid_sizes=bid_sizes,
            ask_total=Shares(book.asks.total),
            bid_total=Shares(book.bids.total),
            expected_price=Won(book.prices[outcome.level] if outcome else 0),
            expected_size=Shares(size),
        )

    def _outcome(self) -> Outcome | None:
        state = *self.book.changes, self._last
        if state != self._priced_for:
            self._priced_for, self._priced = state, single_price(self.book, self._last)
        return self._priced

    def _levels(self, buy: bool, matched: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        if matched:
            matched -= min(matched, self.book.markets(buy).total)
        return self.book.own(buy).levels(self.book.prices, matched)

    @property
    def _printed(self) -> int | None:
        """Index of the last price, None before the first."""
        return self._last if self.figures.prints else None

    def _gathers(self) -> bool:
        return self.session is not Session.CONTINUOUS or self.interruption is not None or self.halted

    def _before_closing(self) -> bool:
        return self.session in (Session.OPENING_AUCTION, Session.CONTINUOUS)

    def _price(self, order: Order, kind: Kind) -> str:
        if kind not in (Kind.BEST, Kind.PRIORITY):
            return ""
        ladder = self.book.other(order.buy) if kind is Kind.BEST else self.book.own(order.buy)
        order.index = ladder.best
        return "" if ladder.best != ladder.end else "기준이 되는 호가가 없습니다"

    def _take_at_once(self, order: Order, kind: Kind, validity: Validity, now: int) -> None:
        limit = self._far_end(order.buy) if kind is Kind.MARKET else order.index
        low, high = self._band()
        reachable = min(limit, high - 1) if order.buy else max(limit, low + 1)
        if validity is Validity.FOK and self.book.other(order.buy).available(reachable) < order.open:
            return
        self._cross(order, limit, now)
        self.changed = True

    def _far_end(self, buy: bool) -> int:
        return len(self.book.prices) - 1 if buy else 0

    def _rest(self, order: Order) -> None:
        """A tick better than the best limit of its side, or at the last price where there is none."""
        own, newest = self.book.own(order.buy), self._rests.get(order.buy)
        index = own.best
        if index == own.end:
            index = self._last
        elif newest is None or not newest.open or newest.index != index:
            index = min(max(index - own.step, 0), len(self.book.prices) - 1)
        order.index, self._rests[order.buy] = index, order
        own.add(order)

    def _cross(self, order: Order, limit: int, now: int) -> None:
        self._now = now
        low, high = self._band()
        reference = self._printed
        other = self.book.other(order.buy)
        if other.take(order, limit, low, high, self._fill):
            self._interrupt(other.best, reference, now)

    def _fill(self, resting: Order, incoming: Order, index: int, size: int) -> None:
        self._last = index
        price = self.book.prices[index]
        self._print(price, size, Aggressor.BUYER if incoming.buy else Aggressor.SELLER, self._now)
        for order in (resting, incoming):
            if order.owner is not None:
                self._around.filled(order.owner, price, size, self._now)

    def _trade(self, outcome: Outcome, now: int) -> None:
        self._last = outcome.level
        price = self.book.prices[outcome.level]
        parts = list(match(self.book, outcome.size))
        self.static_reference = price
        self._bands.clear()
        self._print(price, outcome.size, Aggressor.NONE, now)
        for order, size in parts:
            if order.owner is not None:
                self._around.filled(order.owner, price, size, now)

    def _print(self, price: int, size: int, side: Aggressor, now: int) -> None:
        self.figures.add(price, size, side, now)
        self._say_print(price, size, side, now)

    def _say_print(self, price: int, size: int, side: Aggressor, now: int) -> None:
        figures, book = self.figures, self.book
        self._around.emit(
            Print(
                symbol=self.instrument.symbol,
                time=Nanoseconds(now),
                price=Won(price),
                size=Shares(size),
                side=side,
                volume=Shares(figures.volume),
                value=Won(figures.value),
                ask=Won(book.ask),
                bid=Won(book.bid),
                open=Won(figures.opening),
                high=Won(figures.high),
                low=Won(figures.low),
                strength=figures.strength,
            )
        )

    def _band(self) -> tuple[int, int]:
        reference = self._printed
        band = self._bands.get(reference)
        if band is None:
            lows, highs = zip(*(bound for _, bound in self._bounds(reference)), strict=True)
            band = self._bands[reference] = (max(lows), min(highs))
        return band

    def _bounds(self, reference: int | None) -> list[tuple[ViKind, tuple[int, int]]]:
        of = self.instrument
        bounds = [(ViKind.STATIC, self._bound(self.static_reference, krx.static_vi_percent(of.market)))]
        if reference is not None:
            percent = krx.dynamic_vi_percent(of.market, of.kospi200, self.session is Session.CLOSING_AUCTION)
            bounds.append((ViKind.DYNAMIC, self._bound(self.book.prices[reference], percent)))
        return bounds

    def _bound(self, reference: int, percent: int | None) -> tuple[int, int]:
        book = self.book
        if percent is None:
            return -1, len(book.prices)
        down, up = krx.vi_prices(reference, percent, self.instrument.market, self._date)
        return book.index_of.get(down, -1), book.index_of.get(up, len(book.prices))

    def _interrupt(self, index: int, reference: int | None, now: int) -> None:
        reached = [(kind, index >= high) for kind, (low, high) in self._bounds(reference) if not low < index < high]
        started = ViStarted(
            symbol=self.instrument.symbol,
            time=Nanoseconds(now),
            kind=reached[0][0] if len(reached) == 1 else ViKind.BOTH,
            trigger_price=Won(self.book.prices[index]),
            static_reference=Won(self.static_reference),
            dynamic_reference=Won(0 if reference is None else self.book.prices[reference]),
            upward=reached[0][1],
            count=len(self.interruptions) + 1,
            release=Nanoseconds(now + krx.VI_AUCTION * SECOND + self._around.extension()),
        )
        self.interruption, self.calling = started, True
        self.interruptions.append(started)
        self._around.emit(started)
        self._around.interrupted(self)


def price_grid(instrument: Instrument, date: dt.date) -> list[int]:
    """Every price an order may have that day, lowest first."""
    prices: list[int] = []
    price = int(instrument.lower_limit)
    while price <= instrument.upper_limit:
        prices.append(price)
        price += krx.tick_size(price, instrument.market, date)
    return prices
