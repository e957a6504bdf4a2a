"""The simulated KRX and the broker in front of it: a whole market day behind a dozen calls."""

import datetime as dt
from collections.abc import Container, Iterable, Sequence

from actors.exchange.accounts import Account
from actors.exchange.broker import Broker
from actors.exchange.events import DayEnded, ExchangeEvent
from actors.exchange.history import DAILY, History, merge, today
from actors.exchange.market import Market
from actors.exchange.orders import BrokerOrder
from actors.exchange.records import (
    AccountState,
    BookSnapshot,
    FillRecord,
    Halt,
    OrderRecord,
    Refusal,
    Statistics,
    ViRecord,
)
from actors.exchange.synthetic import instruments as made_up
from actors.exchange.synthetic import profiles
from actors.market.calendar import Calendar, TradingDay, UnknownDayError
from actors.market.time import SECOND, at
from messages import Bar, Instrument, Kind, Nanoseconds, Ranked, Shares, Side, Symbol, Validity, Won

_DAILY_BARS = 600
_AFTERMATH = 180 * SECOND
"""Longer than an interruption that the closing auction ends in can last."""

_Bought = tuple[Symbol, int, Won]


class Exchange:
    """A day of the simulated market, stepped by its caller; same arguments and calls, same day.

    Times are nanoseconds UTC of the simulated day; nothing here reads a clock. The day runs from `begin` to `finish`
    (Korean time; without them from the opening auction to three minutes after the close): what lies before `begin` has
    happened unseen, what lies after `finish` never does. `unseen`: the part of the crowd that trades until five minutes
    before `begin`; less than 1 where a late hour is wanted soon.
    Raises ValueError where `date` is no trading day, or one whose settlement the calendar does not know; where the code
    of a position or a halt is unknown; where a halt ends before it begins.
    """

    def __init__(
        self,
        *,
        date: dt.date,
        cash: Won,
        commission: float,
        instruments: Sequence[Instrument] | None = None,
        issues: int = 30,
        seed: int = 1,
        account: str = "8000000011",
        positions: Sequence[_Bought] = (),
        latency_ms: tuple[int, int] = (3, 15),
        intensity: float = 1.0,
        unseen: float = 1.0,
        begin: dt.time | None = None,
        finish: dt.time | None = None,
        history_days: int = 5,
        halts: Sequence[Halt] = (),
    ) -> None:
        self._calendar = Calendar()
        day, settlement = _trading_day(self._calendar, date)
        listed = tuple(instruments) if instruments is not None else made_up(issues, date)
        self._profiles = profiles(listed, seed)
        self._seed = seed
        self._history_days = history_days
        self._histories: dict[Symbol, History] = {}
        self._past: list[TradingDay] = []
        self.account = account
        first = day.phases[0].start
        self.start = max(_at(date, begin), first) if begin else first
        self.end = _at(date, finish) if finish else day.close + _AFTERMATH
        self._market = Market(
            day=day,
            begin=self.start,
            finish=self.end,
            instruments=listed,
            profiles=self._profiles,
            seed=seed,
            intensity=intensity,
            unseen=unseen,
            filled=self._filled,
        )
        _check_codes([position[0] for position in positions], self._market.by_symbol)
        self._broker = Broker(
            market=self._market,
            account=Account(
                number=account,
                deposit=cash,
                rate=commission,
                settlement=settlement,
                positions=positions,
            ),
            latency_ms=latency_ms,
            seed=seed,
        )
        self._market.plan(self._market.closing, self._broker.convert_conditional)
        self._plan_halts(date, halts)
        self._market.plan(self.end, self._finish)
        self._closed = False
        self._ended: list[ExchangeEvent] = []
        self._market.run(self.start - 1)
        self._market.collect()

    @property
    def now(self) -> int:
        """The instant the day has come to."""
        return self._market.now

    @property
    def orders(self) -> list[OrderRecord]:
        """Every request of the day, oldest first: the exchange's own truth, which only checks read."""
        return [order.record() for order in self._broker.register.requests.values()]

    @property
    def fills(self) -> list[FillRecord]:
        """Every fill of ours, oldest first."""
        return list(self._broker.register.fills)

    def advance(self, until: int) -> list[ExchangeEvent]:
        """Step to `until`; the events in order, then one BookChanged for each book that is not what it was.

        The last event of all is DayEnded.
        """
        if until > self._market.now:
            self._market.run(min(until, self.end))
        events = [*self._market.collect(), *self._ended]
        self._ended.clear()
        return events

    def place(  # noqa: PLR0917  an order is these eight things
        self,
        account: str,
        side: Side,
        kind: Kind,
        validity: Validity,
        symbol: Symbol,
        quantity: int,
        price: int,
        tag: str,
    ) -> str | Refusal:
        """Take a new order at the broker: its number, or why not. `advance` brings the reports, `tag` in each."""
        return self._unknown(account) or self._broker.place(
            side=side, kind=kind, validity=validity, symbol=symbol, quantity=quantity, price=price, tag=tag
        )

    def cancel(self, account: str, original: str, quantity: int, tag: str) -> str | Refusal:
        """Ask to cancel `quantity` of an order, 0 for all that is open; the number of the request."""
        return self._unknown(account) or self._broker.cancel(original=original, quantity=quantity, tag=tag)

    def replace(self, account: str, original: str, quantity: int, price: int, tag: str) -> str | Refusal:
        """Ask to move `quantity` (0: all that is open) of an order to `price`, under the number returned.

        The rest stays under the original, in its place. What leaves the price as it is, is refused.
        """
        return self._unknown(account) or self._broker.replace(
            original=original, quantity=quantity, price=price, tag=tag
        )

    def halt(self, symbol: Symbol, reason: str) -> None:
        """Stop trading in an issue now; its orders stay and may be canceled."""
        self._market.set_halt(symbol, True, reason)

    def resume(self, symbol: Symbol) -> None:
        """Let an issue trade again."""
        self._market.set_halt(symbol, False, "")

    def close_market(self) -> None:
        """End trading now, whatever session it is in; all that is left of the day is its end."""
        if not self._closed:
            self._end_trading()
            self._market.plan(self.end, self._finish)

    def finish(self) -> None:
        """End the day now, whatever session it is in."""
        if self.now < self.end:
            self.end = self.now
            self._finish()

    def issues(self) -> tuple[Instrument, ...]:
        """Everything listed."""
        return tuple(issue.instrument for issue in self._market.issues)

    def instrument(self, symbol: Symbol) -> Instrument | None:
        """None where the code is not listed."""
        issue = self._market.by_symbol.get(symbol)
        return issue.instrument if issue else None

    def book(self, symbol: Symbol) -> BookSnapshot:
        return self._market.by_symbol[symbol].snapshot(self.now)

    def statistics(self, symbol: Symbol) -> Statistics:
        issue = self._market.by_symbol[symbol]
        figures = issue.figures
        return Statistics(
            instrument=issue.instrument,
            session=issue.session,
            halted=issue.halted,
            interrupted=issue.interruption is not None,
            last=Won(figures.last),
            ask=Won(issue.book.ask),
            bid=Won(issue.book.bid),
            open=Won(figures.opening),
            high=Won(figures.high),
            low=Won(figures.low),
            volume=Shares(figures.volume),
            value=Won(figures.value),
            bought=Shares(figures.bought),
            sold=Shares(figures.sold),
            strength=figures.strength,
            prints=figures.prints,
            last_size=Shares(figures.last_size),
            time=Nanoseconds(figures.time),
            static_reference=Won(issue.static_reference),
            interruptions=len(issue.interruptions),
        )

    def ranking(self) -> tuple[Ranked, ...]:
        """All issues by trading value of the day, then by code."""
        rows = sorted((-issue.figures.value, symbol) for symbol, issue in self._market.by_symbol.items())
        return tuple(Ranked(symbol=row[1], rank=rank, value=Won(-row[0])) for rank, row in enumerate(rows, 1))

    def account_state(self, account: str) -> AccountState | Refusal:
        """Everything the broker knows of the account now."""
        books = self._broker.account
        return self._unknown(account) or AccountState(
            account=account,
            time=Nanoseconds(self.now),
            deposit=Won(books.deposit),
            deposit_next=Won(books.deposit),
            deposit_settled=Won(books.settled),
            reserved=Won(books.reserved),
            orderable=Won(books.orderable),
            orderable_deposit=Won(books.orderable_deposit),
            bought=Won(books.bought),
            sold=Won(books.sold),
            realised=Won(books.realised),
            commission=Won(books.commission),
            tax=Won(books.tax),
            holdings=tuple(books.holding(symbol, self._market.by_symbol[symbol].figures.last) for symbol in books.lots),
            orders=tuple(self.orders),
            fills=tuple(self.fills),
        )

    def charts(self, symbol: Symbol, interval: int) -> tuple[Bar, ...]:
        """Bars of `interval` seconds (a multiple of 60, or 86,400), oldest first, today's last. Raises ValueError."""
        if interval < 60 or interval % 60:
            raise ValueError(f"no bars of {interval} seconds: whole minutes, or {DAILY}")
        history = self._history(symbol)
        minutes = today(symbol, self._market.by_symbol[symbol].figures.bars)
        if interval == DAILY:
            return (*history.days, *merge(minutes, DAILY))
        bars = [*history.minutes, *minutes]
        return tuple(bars if interval == 60 else merge(bars, interval))

    def yesterday(self, symbol: Symbol) -> Bar | None:
        """The bar of the trading day before; None where no days before are made up."""
        return self._history(symbol).yesterday

    def vi_list(self) -> tuple[ViRecord, ...]:
        """The day's volatility interruptions, newest first."""
        found = [(vi, issue) for issue in self._market.issues for vi in issue.interruptions]
        found.sort(key=lambda pair: (-pair[0].time, pair[0].symbol))
        return tuple(
            ViRecord(
                symbol=vi.symbol,
                started=vi.time,
                release=vi.release,
                ended=Nanoseconds(0) if issue.interruption is vi else vi.release,
                kind=vi.kind,
                trigger_price=vi.trigger_price,
                static_reference=vi.static_reference,
                dynamic_reference=vi.dynamic_reference,
                upward=vi.upward,
                count=vi.count,
            )
            for vi, issue in found
        )

    def _filled(self, order: BrokerOrder, price: int, size: int, time: int) -> None:
        self._broker.filled(order, price, size, time)

    def _plan_halts(self, date: dt.date, halts: Sequence[Halt]) -> None:
        _check_codes([halt.symbol for halt in halts], self._market.by_symbol)
        for halt in halts:
            if halt.until is not None and halt.until <= halt.at:
                raise ValueError(f"the halt of {halt.symbol} ends at {halt.until}, not after {halt.at}, when it begins")
            self._market.plan(_at(date, halt.at), self.halt, halt.symbol, halt.reason)
            if halt.until:
                self._market.plan(_at(date, halt.until), self.resume, halt.symbol)

    def _end_trading(self) -> None:
        if not self._closed:
            self._closed = True
            self._market.finish()
            self._broker.expire()

    def _finish(self) -> None:
        self._end_trading()
        prints = sum(issue.figures.prints for issue in self._market.issues)
        orders = len(self._broker.register.requests)
        self._ended.append(DayEnded(time=Nanoseconds(self.now), prints=prints, orders=orders))

    def _unknown(self, account: str) -> Refusal | None:
        return None if account == self.account else Refusal(code="00Z340", reason="계좌번호가 없습니다")

    def _history(self, symbol: Symbol) -> History:
        if symbol not in self._histories:
            issue = self._market.by_symbol[symbol]
            days = self._past = self._past or self._days_before(self._history_days + _DAILY_BARS)
            self._histories[symbol] = History(
                instrument=issue.instrument,
                profile=self._profiles[self._market.issues.index(issue)],
                minute_days=days[len(days) - self._history_days :],
                daily_days=days[: len(days) - self._history_days],
                seed=self._seed,
            )
        return self._histories[symbol]

    def _days_before(self, count: int) -> list[TradingDay]:
        days: list[TradingDay] = []
        date = self._market.day.date
        while len(days) < count:
            try:
                days.append(self._calendar.previous_day(date))
            except UnknownDayError:
                break
            date = days[-1].date
        return days[::-1]


def _trading_day(calendar: Calendar, date: dt.date) -> tuple[TradingDay, dt.date]:
    """The day, and the one on which its trades settle."""
    try:
        day = calendar.day(date)
        if day is None:
            raise ValueError(f"{date} is not a trading day")
        return day, calendar.settlement(date)
    except UnknownDayError as error:
        raise ValueError(str(error)) from None


def _at(date: dt.date, time: dt.time) -> int:
    return at(date, time.hour, time.minute, time.second)


def _check_codes(symbols: Iterable[Symbol], listed: Container[Symbol]) -> None:
    for symbol in symbols:
        if symbol not in listed:
            raise ValueError(f"{symbol} is not listed")
