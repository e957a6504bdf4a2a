"""What is known of an order under way: its requests, and the broker's numbers it lives under."""

import re
from typing import Final

from actors.gateways.kiwoom.orders.chejan import OrderRecord
from actors.gateways.port import Instruction, KnownOrder
from messages import Action, ExternalOrderSeen, Nanoseconds, Shares, Side, Symbol, Venue, Won

_TAKEN: Final = re.compile(r"주문[이은]?\s*완료")
"""In texts like 매수주문완료 and 매도주문이 완료되었습니다."""


class Number:
    """One order number of the broker: what was asked under it, and how much of that traded or died."""

    __slots__ = (
        *("amount", "canceled", "commission", "dead", "filled", "held", "name", "price", "quantity", "tax", "whole"),
    )

    def __init__(self, name: str, quantity: int, price: int) -> None:
        self.name = name
        self.quantity = quantity
        self.price = price
        self.filled = 0
        self.amount = 0
        self.dead = 0
        self.canceled = 0
        """Of the dead, those taken back for good: the rest of a modified number lives on under another."""
        self.commission = 0
        self.tax = 0
        self.held = 0
        """Shares that died for a reason that is not known yet."""
        self.whole = False
        """True while `filled` and `amount` are the whole order's, as a journal knows them."""

    @property
    def open(self) -> int:
        return self.quantity - self.filled - self.dead


class Pending(Number):
    """The number of a modification that was not confirmed yet."""

    __slots__ = ("original",)

    def __init__(self, name: str, quantity: int, price: int, original: str) -> None:
        super().__init__(name, quantity, price)
        self.original = original


class Request:
    """One call of SendOrder whose end is not known."""

    __slots__ = ("instruction", "listed", "message", "name", "number", "refused", "screen", "unknown")

    def __init__(self, instruction: Instruction, screen: str, name: str) -> None:
        self.instruction = instruction
        self.screen = screen
        self.name = name
        self.number = ""
        self.listed = False
        """True while only the broker's lists told the number: an answer may yet refuse what they showed."""
        self.message = ""
        self.refused = False
        self.unknown = False

    @property
    def is_taken(self) -> bool:
        """Whether its text says that the broker took it."""
        return _TAKEN.search(self.message) is not None


class Tracked:
    """One order of ours."""

    __slots__ = (
        *(
            "accepted",
            "asked_about",
            "cancels",
            "moved",
            "carried_amount",
            "carried_commission",
            "carried_quantity",
            "carried_tax",
            "earlier",
            "resumed",
        ),
        *("numbers", "order", "pending", "price", "quantity", "screen", "screens", "side", "strategy", "symbol"),
        "venue",
    )

    def __init__(
        self, *, order: int, strategy: str, symbol: Symbol, venue: Venue, side: Side, quantity: int, price: int
    ) -> None:
        self.order = order
        self.strategy = strategy
        self.symbol = symbol
        self.venue = venue
        self.side = side
        self.quantity = quantity
        self.price = price
        self.accepted = False
        self.numbers: dict[str, Number] = {}
        self.pending: dict[str, Pending] = {}
        self.screens: list[str] = []
        self.screen = ""
        """On which an earlier connection sent it."""
        self.cancels: dict[str, None] = {}
        """Numbers of the cancellations that were confirmed."""
        self.moved: dict[str, int] = {}
        """Shares that went on under another number, by the number they left."""
        self.asked_about = False
        """Whether the broker's lists have to tell what records cannot."""
        self.resumed = False
        """Whether it is from before this connection: which requests about it were under way then is not known."""
        self.earlier: tuple[str, ...] = ()
        """Numbers it had before, whose fills the journal counts under the newest."""
        self.carried_quantity = 0
        self.carried_amount = 0
        self.carried_commission = 0
        self.carried_tax = 0

    def add(self, name: str, quantity: int, price: int) -> Number:
        """Know one more number; what has already left it is no longer open."""
        number = self.numbers[name] = Number(name, quantity, price)
        number.dead = min(quantity, self.moved.get(name, 0))
        return number

    def move(self, name: str, quantity: int) -> None:
        """The rest of a number lives on under another."""
        self.moved[name] = quantity
        number = self.numbers.get(name)
        if number is not None:
            number.dead += min(quantity, max(0, number.open))
            number.held = 0

    @property
    def filled(self) -> Shares:
        return Shares(self.carried_quantity + sum(number.filled for number in self.numbers.values()))

    @property
    def amount(self) -> Won:
        return Won(self.carried_amount + sum(number.amount for number in self.numbers.values()))

    @property
    def open(self) -> int:
        return sum(max(0, number.open) for number in self.numbers.values())

    @property
    def canceled(self) -> int:
        return sum(number.canceled for number in self.numbers.values())

    @property
    def commission(self) -> Won:
        return Won(self.carried_commission + sum(number.commission for number in self.numbers.values()))

    @property
    def tax(self) -> Won:
        return Won(self.carried_tax + sum(number.tax for number in self.numbers.values()))


def from_instruction(instruction: Instruction) -> Tracked:
    """An order about to be sent."""
    return Tracked(
        order=instruction.order,
        strategy=instruction.strategy,
        symbol=instruction.symbol,
        venue=instruction.venue,
        side=instruction.side,
        quantity=instruction.quantity,
        price=instruction.price,
    )


def from_journal(known: KnownOrder) -> Tracked:
    """An order that may be alive from before this connection."""
    tracked = Tracked(
        order=known.order,
        strategy=known.strategy,
        symbol=known.symbol,
        venue=known.venue,
        side=known.side,
        quantity=known.quantity,
        price=known.price,
    )
    tracked.screen, tracked.resumed = known.screen, True
    if known.broker_order:
        number = Number(known.broker_order, known.quantity, known.price)
        number.filled, number.amount, number.whole = known.filled, known.amount, True
        number.commission, number.tax = known.commission, known.tax
        number.dead = number.canceled = known.dead
        tracked.earlier = known.earlier
        tracked.numbers[known.broker_order] = number
        tracked.accepted = True
    return tracked


def fits(request: Request, record: OrderRecord) -> bool:
    """Whether a record under a number nobody knows yet can be about this request."""
    asked = request.instruction
    if request.number or (asked.action, asked.symbol, asked.side) != (record.action, record.symbol, record.side):
        return False
    if asked.action is Action.NEW:
        return asked.quantity == record.quantity and asked.price in (0, record.price)
    return asked.broker_order == record.original


def resembles(tracked: Tracked, record: OrderRecord) -> bool:
    """Whether a record is of the terms of an order whose number was lost."""
    asked = (tracked.symbol, tracked.side, tracked.quantity)
    same = asked == (record.symbol, record.side, record.quantity) and tracked.price in (0, record.price)
    return same and record.action is Action.NEW


def external(record: OrderRecord, now: int) -> ExternalOrderSeen:
    """A record of an order that nobody here placed."""
    return ExternalOrderSeen(
        symbol=record.symbol,
        time=Nanoseconds(now),
        broker_order=record.number,
        description=f"{record.action} {record.side} {record.quantity} at {record.price}, {record.status}",
    )


def fill_fields(tracked: Tracked, number: Number, quantity: int, price: int) -> dict[str, object]:
    """What a fill says, and what the whole order has come to with it."""
    return {
        "broker_order": number.name,
        "side": tracked.side,
        "price": Won(price),
        "quantity": Shares(quantity),
        "filled": tracked.filled,
        "amount": tracked.amount,
        "open": Shares(tracked.open),
        "commission": tracked.commission,
        "tax": tracked.tax,
    }


def missed(number: Number, record: OrderRecord) -> int:
    """Shares that traded up to this record and were not seen; what died since, or before it, nobody tells.

    Of the two counts the one counts whose average price is nearer to the record's; 0 where the record makes no sense.
    """
    gained, traded = record.amount - number.amount, record.quantity - record.open - number.filled
    counts = [count for count in (traded, traded - number.dead) if count > 0]
    return min(counts, key=lambda count: abs(gained - record.fill_price * count), default=0)


def part_from_journal(tracked: Tracked, number: Number, record: OrderRecord) -> None:
    """A journal knows the whole order's fills; under a modified number the broker counts that number's alone."""
    number.whole = False
    before = record.quantity - record.open - record.fill_quantity
    if record.original and before < number.filled:
        paid = record.amount - record.fill_price * record.fill_quantity
        tracked.carried_quantity, tracked.carried_amount = number.filled - before, number.amount - paid
        number.filled, number.amount = before, paid
        if not before:
            tracked.carried_commission, tracked.carried_tax = number.commission, number.tax
            number.commission = number.tax = 0
