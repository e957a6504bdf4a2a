"""The broker's register: every request of ours by its number, and every fill."""

from typing import Final

from actors.exchange.book import Order
from actors.exchange.records import FillRecord, OrderRecord
from messages import Action, Kind, Nanoseconds, Shares, Side, Symbol, Validity, Won

RECEIVED: Final = "접수"
TRADED: Final = "체결"
CONFIRMED: Final = "확인"
REFUSED: Final = "거부"


class BrokerOrder:
    """One request: a new order, a modification that becomes an order, or a cancellation."""

    def __init__(
        self,
        *,
        number: str,
        action: Action,
        symbol: Symbol,
        side: Side,
        kind: Kind,
        validity: Validity,
        quantity: int,
        price: int,
        tag: str,
        time: int,
        original: "BrokerOrder | None" = None,
    ) -> None:
        self.number = number
        self.action = action
        self.symbol = symbol
        self.side = side
        self.kind = kind
        self.validity = validity
        self.quantity = quantity
        self.price = price
        self.tag = tag
        self.original = original
        self.open = 0 if action is Action.CANCEL else quantity
        """Still to fill, or still on the way to the exchange."""
        self.filled = self.amount = self.commission = self.tax = 0
        self.reserved = 0
        """Cash bound, commission included; buy orders only."""
        self.resting: Order | None = None
        """Its order in the market, once it is there."""
        self.status = RECEIVED
        self.reason = ""
        self.sent = self.time = time

    @property
    def first(self) -> str:
        """모주문번호: the start of the chain of modifications."""
        return self.original.first if self.original else self.number

    def record(self) -> OrderRecord:
        return OrderRecord(
            number=self.number,
            original=self.original.number if self.original else "",
            first=self.first,
            tag=self.tag,
            action=self.action,
            symbol=self.symbol,
            side=self.side,
            kind=self.kind,
            validity=self.validity,
            quantity=Shares(self.quantity),
            price=Won(self.price),
            open=Shares(self.open),
            filled=Shares(self.filled),
            amount=Won(self.amount),
            commission=Won(self.commission),
            tax=Won(self.tax),
            status=self.status,
            sent=Nanoseconds(self.sent),
            time=Nanoseconds(self.time),
            reason=self.reason,
        )


class Register:
    """Numbers requests from 0000001 on, each day anew, and forgets none."""

    def __init__(self) -> None:
        self.requests: dict[str, BrokerOrder] = {}
        self.fills: list[FillRecord] = []

    def next_number(self) -> str:
        return f"{len(self.requests) + 1:07d}"

    def add(self, order: BrokerOrder) -> None:
        self.requests[order.number] = order

    def add_fill(self, order: BrokerOrder, price: int, size: int, time: int) -> str:
        """Keep a fill; its number."""
        number = f"{len(self.fills) + 1:07d}"
        fill = FillRecord(
            fill=number,
            number=order.number,
            symbol=order.symbol,
            side=order.side,
            time=Nanoseconds(time),
            price=Won(price),
            quantity=Shares(size),
        )
        self.fills.append(fill)
        return number
