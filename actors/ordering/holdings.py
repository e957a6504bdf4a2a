"""Shares and cash of a snapshot beside the ledger's."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from actors.account.order import Order
from actors.gateways.port import BrokerPosition
from actors.ordering.costs import untold
from actors.ordering.findings import QUIET, Finding
from actors.ordering.statement import Statement, pays_for
from messages import CashAdjusted, OrderFilled, PositionAdjusted, Shares, Side, Symbol, Won


class Holdings:
    """Shares and cash, less what the orders found explain."""

    def __init__(self, statement: Statement, findings: Sequence[Finding], *, start: bool) -> None:
        ledger = statement.ledger
        self._statement = statement
        self._ledger, self._state, self._start = ledger, statement.state, start
        self._expected = {symbol: ledger.held(symbol) for symbol in ledger.holdings}
        self._cash = ledger.cash
        self._sold = Counter[Symbol]()
        for order in statement.strangers:
            self._sold[order.symbol] += order.filled if order.side is Side.SELL else 0
        for finding in findings:
            for message in finding.messages:
                if isinstance(message, OrderFilled):
                    self._expect(message)

    def compared(self) -> Iterator[Finding]:
        """While the shares of one issue wait, what they cost is not known, and those of others count at their cost.

        One that waits alone, and for more than our orders trade, is booked once none can explain it, see `lasting`.
        """
        there = {position.symbol: position for position in self._state.positions}
        unexplained = self._state.cash - self._cash
        paid = self._is_paid(there, unexplained)
        apart = dict(self._apart(there))
        same = {symbol: f"{symbol} {shares:+}" for symbol, shares in apart.items()}
        beside = ", ".join((*same.values(), f"cash {unexplained:+}"))
        possible = [symbol for symbol, more in apart.items() if self._is_possible(symbol, more, paid=paid)]
        waiting = [symbol for symbol in apart if symbol not in possible or any(self._at_work(symbol))]
        for symbol, more in apart.items():
            here = self._expected.get(symbol, 0)
            line = f"{symbol}: {here + more} shares at the broker, {here} here"
            at_cost = waiting and len(apart) > 1
            cash = self._cost(symbol) - _cost_of(there.get(symbol)) if at_cost else unexplained
            found = Finding(line, same=same[symbol], beside=beside)
            adjusted = self._adjusted(symbol, here + more, there.get(symbol), cash, line)
            if symbol not in waiting:
                found, unexplained = found._replace(messages=(adjusted,)), unexplained - cash
            elif symbol in possible and len(apart) == 1 and not self._may_be_ours(symbol, more):
                found = found._replace(blamed=_numbers(self._at_work(symbol)), later=(adjusted,))
            yield found
        if unexplained:
            line = f"cash: {self._state.cash} at the broker, {self._cash} here"
            found = Finding(line, same=f"cash {unexplained:+}", beside=beside)
            yield found if waiting else self._booking(found, self._moved(unexplained, line))

    def _apart(self, there: Mapping[Symbol, BrokerPosition]) -> Iterator[tuple[Symbol, int]]:
        """How many shares more the broker has, or less, of each issue that differs."""
        for symbol in sorted({*self._expected, *there}):
            more = (there[symbol].quantity if symbol in there else 0) - self._expected.get(symbol, 0)
            if more:
                yield symbol, more

    def _booking(self, found: Finding, moved: CashAdjusted) -> Finding:
        blamed = _numbers(self._under_way())
        return found._replace(blamed=blamed, later=(moved,)) if blamed else found._replace(messages=(moved,))

    def _under_way(self) -> Iterator[Order]:
        """Orders of which cash may lack a fill, there or here, or its costs: not what rests untouched."""
        yield from self._just_traded()
        yield from (order for order in self._ledger.unsettled() if not self._rests(order))

    def _rests(self, order: Order) -> bool:
        records = self._statement.about(order)
        there = sum(record.filled for record in records), sum(record.open for record in records)
        return order.live and bool(records) and not order.filled and there == (0, order.open)

    def _moved(self, cash: int, line: str) -> CashAdjusted:
        return CashAdjusted(
            time=self._state.time,
            cash=Won(cash),
            reason=f"found at reconciliation: {line}",
            costs=0 < -cash <= untold(self._ledger, self._statement.ours, self._state.time),
        )

    def _at_work(self, symbol: Symbol) -> Iterator[Order]:
        """Orders of ours in this issue that may explain it yet."""
        yield from self._ledger.unsettled(symbol)
        yield from (order for order in self._just_traded(symbol) if order.settled)

    def _may_be_ours(self, symbol: Symbol, more: int) -> bool:
        """Whether shares that the holdings do not show yet, or that no record has told, can be so many.

        Slices alike, one after the other, look alike in every match, whichever of them it is that lacks.
        """
        least = most = 0
        for order in self._at_work(symbol):
            told, untold = order.filled, order.quantity - order.filled
            behind, ahead = (told, untold) if order.side is Side.BUY else (untold, told)
            least, most = least - behind, most + ahead
        return least <= more <= most

    def _is_possible(self, symbol: Symbol, more: int, *, paid: bool) -> bool:
        """Shares do not vanish without a sale, or a merger overnight."""
        sold = paid or self._sold[symbol] >= -more
        return more > 0 or sold or (self._start and self._expected[symbol] + more > 0)

    def _cost(self, symbol: Symbol) -> int:
        return sum(holding.cost for holding in self._ledger.holdings.get(symbol, {}).values())

    def _is_paid(self, there: Mapping[Symbol, BrokerPosition], cash: int) -> bool:
        """Whether cash came in for all the shares that went, beside what was paid for those that came."""
        gone = came = 0
        for symbol, here in self._expected.items():
            shares = there[symbol].quantity if symbol in there else 0
            if shares < here:
                gone += self._cost(symbol) * (here - shares) // here
        for symbol, position in there.items():
            more = position.quantity - self._expected.get(symbol, 0)
            came += position.cost * max(more, 0) // position.quantity if position.quantity else 0
        return pays_for(gone, cash + came)

    def _just_traded(self, symbol: Symbol | None = None) -> Iterator[Order]:
        """What fills shows in the broker's holdings a moment after it shows in its orders."""
        orders = self._ledger.orders.values()
        ours = (order for order in orders if order.filled and symbol in (None, order.symbol))
        since = self._state.since or self._state.time
        yield from (order for order in ours if since - QUIET < order.time <= self._state.time)

    def _adjusted(
        self, symbol: Symbol, shares: int, position: BrokerPosition | None, cash: int, line: str
    ) -> PositionAdjusted:
        return PositionAdjusted(
            symbol=symbol,
            time=self._state.time,
            quantity=Shares(shares),
            cost=Won(_cost_of(position)),
            cash=Won(cash),
            reason=f"found at reconciliation: {line}",
        )

    def _expect(self, fill: OrderFilled) -> None:
        sign = 1 if fill.side is Side.BUY else -1
        known = self._ledger.orders[fill.order]
        self._expected[fill.symbol] = self._expected.get(fill.symbol, 0) + sign * fill.quantity
        costs = max(fill.commission - known.commission, 0) + max(fill.tax - known.tax, 0)
        self._cash -= sign * (fill.amount - known.amount) + costs


def _cost_of(position: BrokerPosition | None) -> int:
    return position.cost if position else 0


def _numbers(orders: Iterable[Order]) -> frozenset[int]:
    return frozenset(order.number for order in orders)
