"""The three-way match at the end of a day: the journal, the broker's live records, and its statement, to the won."""

import csv
import datetime as dt
import io
from collections.abc import Iterator, Sequence
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

from actors.account.ledger import Ledger
from actors.account.order import Order
from actors.gateways.port import BrokerOrder, BrokerPosition, BrokerState
from actors.market.time import kst
from actors.ordering.statement import Statement
from messages import DayMatched, Nanoseconds, Side, Symbol, Won


class Kind(StrEnum):
    """What a difference is, by its name."""

    LOST_FILL = "lost fill"
    """The broker's statement has more filled than the journal."""
    LOST_RECORD = "lost record"
    """Journal and statement agree, the live records had less: a reconciliation or a person filled the gap."""
    NO_EVIDENCE = "fill without evidence"
    """The journal has more filled than the statement."""
    WRONG_AMOUNT = "wrong amount"
    WRONG_FEE = "wrong fee"
    WRONG_TAX = "wrong tax"
    MISSING_ORDER = "order not in the statement"
    STILL_OPEN = "still open at the broker"
    FOREIGN_TRADE = "foreign trade"
    SPLIT = "split or merger"
    STOCK_DIVIDEND = "stock dividend"
    POSITION = "position differs"
    DIVIDEND = "dividend or deposit"
    CHARGE = "charge or withdrawal"


_UNEXPLAINED: Final = (Kind.NO_EVIDENCE, Kind.POSITION, Kind.MISSING_ORDER)
_HEADINGS: Final = ("subject", "item", "journal", "records", "statement", "")


class Row(NamedTuple):
    """One figure as the three have it."""

    subject: str
    item: str
    journal: int
    records: int
    statement: int

    @property
    def agrees(self) -> bool:
        return self.journal == self.records == self.statement


class Difference(NamedTuple):
    """One thing in which they differ, named."""

    kind: Kind
    subject: str
    words: str
    won: int
    """By which the statement's cash or cost is above the journal's on account of it."""

    @property
    def line(self) -> str:
        return f"{self.kind}: {self.subject}: {self.words}"


class DayMatch(NamedTuple):
    """The whole match; `text` for a person, `csv` for a program."""

    rows: tuple[Row, ...]
    differences: tuple[Difference, ...]
    orders: int
    fills: int
    day: dt.date
    """Of Korea."""

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(difference.line for difference in self.differences)

    @property
    def unexplained(self) -> int:
        """Won that no named difference accounts for."""
        return sum(abs(one.won) for one in self.differences if one.kind in _UNEXPLAINED)

    def message(self, now: Nanoseconds) -> DayMatched:
        return DayMatched(
            time=now,
            orders=self.orders,
            fills=self.fills,
            differences=self.lines,
            unexplained=Won(self.unexplained),
        )

    def text(self) -> str:
        """A table, the differences above it."""
        head = f"{self.day}: {self.orders} orders, {self.fills} filled; {len(self.differences)} differences"
        cells = [_HEADINGS, *(_cells(row) for row in self.rows)]
        widths = [max(len(line[column]) for line in cells) for column in range(len(_HEADINGS))]
        table = [_aligned(line, widths) for line in cells]
        return "\n".join((f"{head}, {self.unexplained:,} won unexplained", *self.lines, "", *table)) + "\n"

    def csv(self) -> str:
        """A row a figure: subject, item, journal, records, statement, and the names of what differs about it.

        What differs about a subject whose figures all agree, such as an order still open, stands on each of them.
        """
        kinds: dict[str, list[str]] = {}
        for one in self.differences:
            kinds.setdefault(one.subject, []).append(one.kind)
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow((*_HEADINGS[:-1], "differences"))
        marked = dict.fromkeys(row.subject for row in self.rows if not row.agrees)
        for row in self.rows:
            told = not row.agrees or row.subject not in marked
            writer.writerow((*row, "; ".join(kinds.get(row.subject, ())) if told else ""))
        return out.getvalue()


def match_day(ledger: Ledger, state: BrokerState) -> DayMatch:
    """Hold the ledger, what its orders heard from live records, and the statement against each other."""
    statement = Statement(ledger, state)
    placed = [order for order in statement.ours if order.submitting or order.filled]
    rows: list[Row] = []
    found: list[Difference] = []
    for order in placed:
        rows += _rows(order, statement.about(order))
        found += _about(order, statement.about(order))
    foreign = [order for order in statement.strangers if order.filled]
    rows += [Row(order.broker_order, *figure) for order in foreign for figure in _only_stated(order)]
    found += map(_foreign, foreign)
    money = _Money(ledger, statement, placed, foreign)
    rows += money.rows()
    found += money.differences()
    fills = sum(order.filled > 0 for order in placed)
    return DayMatch(tuple(rows), tuple(found), len(placed), fills, kst(state.time).date())


class _Figures(NamedTuple):
    filled: int
    amount: int
    commission: int
    tax: int

    @staticmethod
    def booked(order: Order) -> "_Figures":
        return _Figures(order.filled, order.amount, order.commission, order.tax)

    @staticmethod
    def heard(order: Order) -> "_Figures":
        return _Figures(*order.heard)

    @staticmethod
    def stated(records: list[BrokerOrder]) -> "_Figures":
        return _Figures(
            sum(record.filled for record in records),
            sum(record.amount for record in records),
            sum(record.commission for record in records),
            sum(record.tax for record in records),
        )

    def cash(self, side: Side) -> int:
        """What it does to the cash."""
        return (self.amount if side is Side.SELL else -self.amount) - self.commission - self.tax


def _rows(order: Order, records: list[BrokerOrder]) -> Iterator[Row]:
    columns = zip(_Figures._fields, _Figures.booked(order), _Figures.heard(order), _stated(order, records), strict=True)
    for name, *figures in columns:
        yield Row(_name(order), name, *figures)


def _stated(order: Order, records: list[BrokerOrder]) -> _Figures:
    """An order settled by a person has no number to look it up by: his word stands.

    A list that tells the average of several fills in whole won stands for every amount it may be rounded from.
    """
    booked, stated = _Figures.booked(order), _Figures.stated(records)
    if not order.broker_orders and order.filled:
        return booked
    is_rounded = stated.filled == booked.filled and abs(booked.amount - stated.amount) < booked.filled
    return stated._replace(amount=booked.amount) if is_rounded else stated


def _about(order: Order, records: list[BrokerOrder]) -> Iterator[Difference]:
    booked, stated, heard = _Figures.booked(order), _stated(order, records), _Figures.heard(order)
    cash, name = stated.cash(order.side) - booked.cash(order.side), _name(order)
    if order.broker_orders and not records:
        yield Difference(Kind.MISSING_ORDER, name, f"{booked.filled} filled here", cash)
        return
    if stated.filled > booked.filled:
        yield Difference(Kind.LOST_FILL, name, f"{stated.filled} filled in the statement, {booked.filled} here", cash)
    elif stated.filled < booked.filled:
        words = f"{stated.filled} filled in the statement, {booked.filled} here"
        yield Difference(Kind.NO_EVIDENCE, name, words, cash)
    else:
        yield from _dearer(order, booked, stated)
        yield from _unheard(order, booked, heard)
    left = sum(record.open for record in records)
    if left:
        yield Difference(Kind.STILL_OPEN, name, f"{left} open", 0)


def _unheard(order: Order, booked: _Figures, heard: _Figures) -> Iterator[Difference]:
    """The first figure of which the live records have told less; the others follow from it."""
    for item, there, here in zip(_Figures._fields, heard, booked, strict=True):
        if there < here:
            yield Difference(Kind.LOST_RECORD, _name(order), f"{item} {there} in the live records, {here} here", 0)
            return


def _dearer(order: Order, booked: _Figures, stated: _Figures) -> Iterator[Difference]:
    sign = 1 if order.side is Side.SELL else -1
    kinds = ((Kind.WRONG_AMOUNT, "amount", sign), (Kind.WRONG_FEE, "commission", -1), (Kind.WRONG_TAX, "tax", -1))
    for kind, item, effect in kinds:
        here, there = getattr(booked, item), getattr(stated, item)
        if here != there:
            words = f"{item} {there} in the statement, {here} here"
            yield Difference(kind, _name(order), words, effect * (there - here))


def _foreign(order: BrokerOrder) -> Difference:
    words = f"{order.side} {order.filled} of {order.symbol} for {order.amount}"
    return Difference(Kind.FOREIGN_TRADE, order.broker_order, words, _of(order).cash(order.side))


def _only_stated(order: BrokerOrder) -> Iterator[tuple[str, int, int, int]]:
    for item, figure in zip(_Figures._fields, _of(order), strict=True):
        yield item, 0, 0, figure


def _of(order: BrokerOrder) -> _Figures:
    return _Figures.stated([order])


class _Money:
    """Positions and cash, after what the differences of orders explain."""

    def __init__(
        self, ledger: Ledger, statement: Statement, placed: list[Order], foreign: Sequence[BrokerOrder]
    ) -> None:
        self._ledger, self._statement, self._placed = ledger, statement, placed
        self._foreign = foreign
        self._there = {position.symbol: position for position in statement.state.positions}
        held = {symbol for symbol in ledger.holdings if ledger.held(symbol)}
        self._symbols = sorted({*self._there, *held})
        self._absorbed: dict[str, None] = {}
        """Foreign orders that the ledger booked during the day."""
        self._unclear: dict[str, None] = {}
        """Those that left no shares: only the cash tells whether it did."""

    def rows(self) -> Iterator[Row]:
        ledger, state = self._ledger, self._statement.state
        unheard = [(order, _Figures.heard(order)) for order in self._placed]
        for symbol in self._symbols:
            missing = sum(_sign(o) * (h.filled - o.filled) for o, h in unheard if o.symbol == symbol)
            held = ledger.held(symbol)
            yield Row(symbol, "shares", held, held + missing, self._shares(symbol))
        away = sum(heard.cash(order.side) - _Figures.booked(order).cash(order.side) for order, heard in unheard)
        yield Row("account", "cash", ledger.cash, ledger.cash + away, state.cash)
        for item in ("commission", "tax"):
            told = sum(getattr(heard, item) for _, heard in unheard)
            stated = sum(getattr(_stated(order, self._statement.about(order)), item) for order in self._placed)
            yield Row("account", item, getattr(ledger, item), told, stated)

    def differences(self) -> list[Difference]:
        symbols = dict.fromkeys((*self._symbols, *(order.symbol for order in self._foreign)))
        found = [difference for symbol in symbols for difference in self._position(symbol)]
        rest = self._cash_left() - sum(difference.won for difference in found if difference.kind is Kind.POSITION)
        if rest:
            kind = Kind.DIVIDEND if rest > 0 else Kind.CHARGE
            found.append(Difference(kind, "account", f"{rest:+,} won of cash without a trade", rest))
        return found

    def _position(self, symbol: Symbol) -> Iterator[Difference]:
        here, there = self._ledger.held(symbol), self._shares(symbol)
        lost = sum(
            _sign(o) * (_stated(o, self._statement.about(o)).filled - o.filled)
            for o in self._placed
            if o.symbol == symbol
        )
        foreign = [order for order in self._foreign if order.symbol == symbol]
        traded = sum(_sign(order) * order.filled for order in foreign)
        rest = there - here - lost
        if rest == 0:
            booked = self._absorbed if traded else self._unclear
            booked |= dict.fromkeys(order.broker_order for order in foreign)
        elif rest != traded:
            yield _corporate(symbol, here + lost + traded, there, self._cost(symbol), self._there.get(symbol))

    def _cash_left(self) -> int:
        left, unclear = self._statement.state.cash - self._ledger.cash, 0
        for order in self._placed:
            stated = _stated(order, self._statement.about(order))
            left -= stated.cash(order.side) - _Figures.booked(order).cash(order.side)
        for order in self._foreign:
            cash = _of(order).cash(order.side)
            if order.broker_order in self._unclear:
                unclear += cash
            elif order.broker_order not in self._absorbed:
                left -= cash
        return 0 if left == unclear else left

    def _shares(self, symbol: Symbol) -> int:
        return self._there[symbol].quantity if symbol in self._there else 0

    def _cost(self, symbol: Symbol) -> int:
        return sum(holding.cost for holding in self._ledger.holdings.get(symbol, {}).values())


def _corporate(symbol: Symbol, here: int, there: int, cost: int, position: BrokerPosition | None) -> Difference:
    """Shares that came or went without a trade: by a whole multiple, by a part, or nobody knows how."""
    words = f"{there} shares in the statement, {here} here"
    ratio = Fraction(there, here) if here > 0 and there > 0 else Fraction(0)
    if ratio and (ratio.denominator == 1 or ratio.numerator == 1):
        return Difference(Kind.SPLIT, symbol, f"{words}, {ratio} for one", 0)
    if ratio > 1 and position is not None and abs(position.cost - cost) <= there:
        return Difference(Kind.STOCK_DIVIDEND, symbol, words, 0)
    stated = position.cost if position is not None else 0
    return Difference(Kind.POSITION, symbol, words, stated - cost)


def _sign(order: Order | BrokerOrder) -> int:
    return 1 if order.side is Side.BUY else -1


def _name(order: Order) -> str:
    return f"order {order.number} ({order.symbol})"


def _cells(row: Row) -> tuple[str, ...]:
    figures = (f"{figure:,}" for figure in (row.journal, row.records, row.statement))
    return (row.subject, row.item, *figures, "" if row.agrees else "<")


def _aligned(line: tuple[str, ...], widths: list[int]) -> str:
    padded = [cell.rjust(width) for cell, width in zip(line, widths, strict=True)]
    padded[:2] = [cell.ljust(width) for cell, width in zip(line[:2], widths[:2], strict=True)]
    return "  ".join(padded).rstrip()
