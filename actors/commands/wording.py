"""What was said about an order, a line each, and the prices it was said on."""

from pathlib import Path
from typing import Any

from actors.market.storage.blocks import SIDES
from actors.market.storage.history import History
from actors.market.storage.store import market_file
from messages import (
    Action,
    ApprovedOrder,
    ApprovedReplace,
    CancelOrder,
    CancelRejected,
    CashAdjusted,
    DayMatched,
    EquityPeaked,
    Evidence,
    ExitDelayed,
    ExternalOrderSeen,
    HaltConfirmed,
    HoldingPeaked,
    Message,
    Order,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderIntent,
    OrderRefused,
    OrderRejected,
    OrderReplaced,
    OrderSent,
    OrderSubmitting,
    OrderUnknown,
    PositionAdjusted,
    ReconciliationWanted,
    ReplaceIntent,
    ReplaceRejected,
    Settlement,
    SettleOrder,
    StrategyDisabled,
    Symbol,
)
from runtime.clock import SECOND, text

_NEAR, _DAY = 600 * SECOND, 86_400 * SECOND
_NO_PRICE = "none is stored"


class Prices:
    """What the market store of a data folder knows; nothing where there is none."""

    def __init__(self, data: Path) -> None:
        self._history = History(data) if market_file(data).is_file() else None
        self._names = self._history.issues() if self._history else {}

    def close(self) -> None:
        if self._history:
            self._history.close()

    def name(self, symbol: Symbol) -> str:
        name = self._names.get(symbol, ("", ""))[0]
        return f"{name} {symbol}" if name else symbol

    def knows(self, symbol: Symbol, at: int) -> bool:
        """Whether there is its name, or a price of before `at`."""
        return symbol in self._names or self.newest(symbol, at) != _NO_PRICE

    def tick(self, symbol: Symbol, number: int, until: int) -> str:
        """The print of that number; blank where it is not stored."""
        rows = self._ticks(symbol, until, _NEAR)
        found = rows[rows["number"] == number] if rows is not None else None
        return _tick(found[0]) if found is not None and len(found) else ""

    def newest(self, symbol: Symbol, at: int) -> str:
        """The last print before an instant, or the last close."""
        for span in (_NEAR, _DAY):
            rows = self._ticks(symbol, at, span)
            if rows is not None and len(rows):
                return f"{_tick(rows[-1])}, {(at - int(rows[-1]['received'])) / SECOND:,.1f} s before"
        close = self._history.close_before(symbol, at) if self._history else 0
        bar = f"{close:,}, the close of the last bar; no print of the 24 hours before is stored"
        return bar if close else _NO_PRICE

    def _ticks(self, symbol: Symbol, until: int, span: int) -> Any:
        return self._history.ticks(symbol, until - span, until + 1) if self._history else None


def describe(message: Message, time: int) -> str:
    """One message on the way of an order, or around it, said at `time`; blank where it says nothing of its own."""
    match message:
        case OrderIntent():
            return f"intent      {message.strategy} wants to {_terms(message)}: {message.reason}"
        case ReplaceIntent():
            return f"change      to {message.quantity:,} at {message.price:,}: {message.reason}"
        case CancelOrder():
            return f"cancel      {message.reason}"
        case ApprovedOrder() | ApprovedReplace():
            return f"approved    {_evidence(message.evidence, time)}"
        case OrderRefused():
            return f"refused     {refusal(message)}"
        case SettleOrder():
            return f"settled     {_settlement(message)}"
        case ExitDelayed():
            return f"delayed     {message.left:,} still to sell after {message.attempts:,} attempts: {message.reason}"
        case _:
            return _event(message) or _account(message)


def refusal(message: OrderRefused) -> str:
    """The rule, its figures and its limit."""
    figures = ", ".join(f"{name} {plain(value)}" for name, value in message.figures.items())
    return f"by {message.rule}: {figures or 'no figures'}; limit {plain(message.limit)}"


def plain(value: float | str) -> str:
    """With thousands separators where it is a number."""
    return value if isinstance(value, str) else f"{value:,}"


def _event(message: Message) -> str:
    match message:
        case OrderSubmitting():
            return f"submitting  {message.action.value}: {message.side.value} {message.quantity:,}{_price(message)}"
        case OrderSent():
            return f"sent        {message.action.value}{f' on screen {message.screen}' if message.screen else ''}"
        case OrderAccepted():
            return f"accepted    as the broker's order {message.broker_order}"
        case OrderFilled():
            return f"filled      {_fill(message)}"
        case OrderReplaced():
            return f"replaced    {message.quantity:,} at {message.price:,}, now the broker's {message.broker_order}"
        case OrderCanceled():
            return f"canceled    {message.canceled:,} shares{_because(message.reason)}"
        case OrderExpired():
            return f"expired     {message.expired:,} shares at the end of the day"
        case OrderUnknown():
            return f"unknown     {message.reason}"
        case OrderRejected() | CancelRejected() | ReplaceRejected():
            return f"rejected    {type(message).__name__}: {message.reason} ({message.code})"
        case _:
            return ""


def _account(message: Message) -> str:
    match message:
        case CashAdjusted():
            origin = "as costs of trades that no record told" if message.costs else "without a trade"
            return f"cash        {message.cash:+,} won {origin}: {message.reason}"
        case EquityPeaked():
            return f"peak        equity {message.equity:,} won, the day's highest"
        case HoldingPeaked():
            return f"peak        {message.symbol} of {message.strategy or 'nobody'} at {message.price:,}"
        case ReconciliationWanted():
            return f"doubt       the broker shall be matched now: {message.reason}"
        case HaltConfirmed():
            return f"halted      nothing it takes back is open any more: {message.reason}"
        case StrategyDisabled():
            return f"disabled    {message.strategy}: the same in {message.symbol} {message.repeats:,} times and more"
        case DayMatched():
            return f"matched     {_match(message)}"
        case PositionAdjusted():
            held = f"{message.quantity:,} shares for {message.cost:,} won, cash {message.cash:+,}"
            return f"adjusted    {held}: {message.reason}"
        case ExternalOrderSeen():
            return f"stranger    {message.broker_order}, not ours: {message.description}"
        case _:
            return ""


def _price(request: OrderSubmitting) -> str:
    if request.action is Action.CANCEL:
        return ""
    return f" at {request.price:,}" if request.price else f" at {request.kind.value}"


def _settlement(word: SettleOrder) -> str:
    if word.outcome is Settlement.DEAD:
        return f"{word.by} says that nothing of it is open"
    shares = f"{word.quantity:,} shares" if word.quantity else "all of it"
    return f"{word.by} says that {shares} filled{f' at {word.price:,}' if word.price else ''}"


def _match(day: DayMatched) -> str:
    figures = f"{day.orders:,} orders of the day, {day.fills:,} filled"
    if not day.differences:
        return f"{figures}: journal, records and statement agree to the won"
    return f"{figures}; {len(day.differences):,} differences, {day.unexplained:,} won unexplained: {day.differences[0]}"


def _fill(fill: OrderFilled) -> str:
    costs = f"commission {fill.commission:,}, tax {fill.tax:,} so far"
    source = "" if fill.source == "record" else f", booked from a {fill.source}"
    source += ": costs are estimated" if fill.source == "person" else ""
    traded = f"{fill.quantity:,} at {fill.price:,}" if fill.quantity else "costs alone"
    return f"{traded} ({fill.filled:,} filled, {fill.open:,} open), {costs}{source}"


def _terms(order: Order) -> str:
    price = f"at {order.price:,} " if order.price else ""
    return f"{order.side.value} {order.quantity:,} {price}({order.kind.value}, {order.validity.value})"


def _evidence(evidence: Evidence, time: int) -> str:
    if not evidence.time:
        return "without a price"
    age = (time - evidence.time) / 1_000_000
    return f"on last {evidence.last:,}, ask {evidence.ask:,}, bid {evidence.bid:,}, received {age:,.3f} ms before"


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _tick(row: Any) -> str:
    side = SIDES[int(row["side"])].value
    price, size, volume = int(row["price"]), int(row["size"]), int(row["volume"])
    quotes = f"ask {int(row['ask']):,}, bid {int(row['bid']):,}"
    return f"{price:,} x {size:,} ({side}) at {text(int(row['time']))[11:19]}, {quotes}, volume {volume:,}"
