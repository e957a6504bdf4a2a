"""What a ledger carries over: its state at a reconciliation without an order, from which a later start reads on.

Without it each start would fold all that was ever said, and be slower every day.
"""

from actors.account.holding import Holding
from actors.account.ledger import Ledger
from messages import CarriedHolding, CarriedIssue, LedgerCarried, Shares, Symbol, Won


def carried(ledger: Ledger, reconciliation: int) -> LedgerCarried | None:
    """The state at the reconciliation it has just folded; None where an order stands in it, or it has read on.

    Of what instruments told only that of the holdings goes with it: each run is told anew.
    """
    if ledger.number != reconciliation or ledger.orders:
        return None
    return LedgerCarried(
        reconciliation=reconciliation,
        day=ledger.day,
        cash=Won(ledger.cash),
        opening=Won(ledger.opening),
        high=Won(ledger.high),
        realised=Won(ledger.realised),
        commission=Won(ledger.commission),
        tax=Won(ledger.tax),
        losers=ledger.losers,
        holdings=tuple(_packed(symbol, owner, holding) for symbol, owner, holding in ledger.each()),
        issues=tuple(_issue(ledger, symbol) for symbol in sorted({symbol for symbol, _, _ in ledger.each()})),
        strangers=tuple((day, order, number) for (day, order), number in ledger.strangers.items()),
    )


def restore(ledger: Ledger, state: LedgerCarried) -> None:
    """Bring a ledger that has folded no more than instruments to that state."""
    assert not ledger.orders, "a ledger goes on from a state before it knows an order"
    assert not ledger.holdings, "a ledger goes on from one state only"
    ledger.number = state.reconciliation
    ledger.day, ledger.cash, ledger.opening, ledger.high = state.day, state.cash, state.opening, state.high
    ledger.realised, ledger.commission, ledger.tax = state.realised, state.commission, state.tax
    ledger.losers = state.losers
    ledger.strangers = {(day, order): number for day, order, number in state.strangers}
    for issue in state.issues:
        _learn(ledger, issue)
    for packed in state.holdings:
        ledger.holdings.setdefault(packed.symbol, {})[packed.owner] = _unpacked(packed)


def _issue(ledger: Ledger, symbol: Symbol) -> CarriedIssue:
    return CarriedIssue(
        symbol=symbol,
        market=ledger.markets.get(symbol),
        upper_limit=Won(ledger.limits.get(symbol, 0)),
        last=Won(ledger.prices.get(symbol, 0)),
    )


def _learn(ledger: Ledger, issue: CarriedIssue) -> None:
    symbol = issue.symbol
    if issue.market is not None:
        ledger.markets.setdefault(symbol, issue.market)
    if issue.upper_limit:
        ledger.limits.setdefault(symbol, issue.upper_limit)
    if issue.last:
        ledger.prices[symbol] = issue.last


def _packed(symbol: Symbol, owner: str, holding: Holding) -> CarriedHolding:
    return CarriedHolding(
        symbol=symbol,
        owner=owner,
        quantity=Shares(holding.base_quantity),
        cost=Won(holding.base_cost),
        closed=Shares(holding.closed),
        result=Won(holding.result),
        since=holding.since,
    )


def _unpacked(packed: CarriedHolding) -> Holding:
    return Holding(packed.quantity, packed.cost, packed.closed, packed.result, packed.since)
