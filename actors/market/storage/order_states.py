"""Where each order stands, as rows of the `orders` table, folded from what is said about it."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from messages import (
    Action,
    CancelRejected,
    OrderAccepted,
    OrderCanceled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderIntent,
    OrderRefused,
    OrderRejected,
    OrderReplaced,
    OrderSent,
    OrderSubmitting,
    OrderUnknown,
    ReplaceRejected,
)

_REFUSED: Final = "refused"
_FINAL: Final = (_REFUSED, "rejected", "filled", "canceled", "expired")
_OVER: Final = ("filled", "canceled", "expired")
LIVE: Final = f"SELECT * FROM orders WHERE state NOT IN {_FINAL}"  # noqa: S608
"""The rows `load` wants."""


class OrderState(msgspec.Struct, kw_only=True):
    """One row, columns in the table's order; `number` is the intent's.

    States: wanted, refused, submitting, sent, rejected, unknown, open, filled, canceled, expired.
    """

    number: int
    symbol: str
    venue: str
    strategy: str
    side: str
    kind: str
    validity: str
    quantity: int
    price: int
    broker_order: str = ""
    state: str = "wanted"
    filled: int = 0
    amount: int = 0
    commission: int = 0
    tax: int = 0
    reason: str = ""
    created: int = 0
    changed: int = 0


class OrderStates:
    """Every order of this run and those left open by the one before; which of them changed since `taken`.

    A refused one is forgotten once it is taken: nothing more is said of it, and a strategy may ask all day.
    """

    def __init__(self) -> None:
        self._known: dict[int, OrderState] = {}
        self._changed: dict[int, OrderState] = {}
        self._early: list[tuple[int, OrderEvent | OrderRefused]] | None = []
        """What came about unknown orders before `load` said which there are."""

    def __len__(self) -> int:
        return len(self._known)

    def load(self, rows: Sequence[Sequence[Any]]) -> None:
        """Go on from stored rows, and book what came before they were read."""
        for state in map(_state, rows):
            self._known.setdefault(state.number, state)
        early, self._early = self._early or [], None
        for time, event in early:
            self.take(time, event)

    def wanted(self, number: int, time: int, intent: OrderIntent) -> None:
        state = OrderState(
            number=number,
            symbol=intent.symbol,
            venue=intent.venue.value,
            strategy=intent.strategy,
            side=intent.side.value,
            kind=intent.kind.value,
            validity=intent.validity.value,
            quantity=intent.quantity,
            price=intent.price,
            reason=intent.reason,
            created=time,
            changed=time,
        )
        self._known[number] = self._changed[number] = state

    def take(self, time: int, event: OrderEvent | OrderRefused) -> None:
        """An event of an order nobody wanted here, such as one of an earlier day, changes nothing."""
        state = self._known.get(event.order)
        if state is None:
            if self._early is not None:
                self._early.append((time, event))
            return
        _fold(state, event)
        state.changed = time
        self._changed[state.number] = state

    def give_back(self, rows: Sequence[Sequence[Any]]) -> None:
        """Rows of `taken` could not be stored: what they stand for counts as changed again."""
        for row in rows:
            state = _state(row)
            self._changed[state.number] = self._known.setdefault(state.number, state)

    def taken(self) -> list[tuple[Any, ...]]:
        """Rows of what changed since the last call."""
        changed, self._changed = self._changed, {}
        for state in changed.values():
            if state.state == _REFUSED:
                del self._known[state.number]
        return [msgspec.structs.astuple(state) for state in changed.values()]


def _state(row: Sequence[Any]) -> OrderState:
    return OrderState(**dict(zip(OrderState.__struct_fields__, row, strict=True)))


def _fold(state: OrderState, event: OrderEvent | OrderRefused) -> None:
    match event:
        case OrderAccepted():
            state.broker_order = event.broker_order
            _stands(state)
        case OrderFilled():
            _fold_fill(state, event)
        case OrderReplaced():
            state.broker_order, state.price = event.broker_order, event.price
            state.quantity = state.filled + event.quantity
            _stands(state)
        case OrderSubmitting() | OrderSent():
            _fold_request(state, event)
        case ReplaceRejected():
            state.reason = event.reason
            _stands(state)
        case CancelRejected():
            state.reason = event.reason
        case _:
            _fold_end(state, event)


def _stands(state: OrderState) -> None:
    """The broker has it; word of that may come after the last fill, or after an answer that was no refusal."""
    if state.state not in _OVER:
        state.state = "open"


def _fold_request(state: OrderState, event: OrderSubmitting | OrderSent) -> None:
    if event.action is Action.NEW and state.state in ("wanted", "submitting"):  # records may overtake answers
        state.state = "submitting" if isinstance(event, OrderSubmitting) else "sent"


def _fold_end(state: OrderState, event: OrderEvent | OrderRefused) -> None:
    match event:
        case OrderRefused():
            state.state, state.reason = _REFUSED, f"{event.rule}: limit {event.limit}"
        case OrderRejected():
            state.state, state.reason = "rejected", event.reason
        case OrderUnknown():
            state.state, state.reason = "unknown", event.reason
        case OrderCanceled():
            state.state, state.reason = "open" if event.open else "canceled", event.reason
        case OrderExpired():
            state.state = "expired"
        case _:
            raise TypeError(f"{type(event).__name__} is no end of an order")


def _fold_fill(state: OrderState, fill: OrderFilled) -> None:
    state.broker_order = fill.broker_order
    state.filled, state.amount = fill.filled, fill.amount
    state.commission, state.tax = fill.commission, fill.tax
    if state.state not in _FINAL:
        state.state = "open" if fill.open else "filled"
