"""What is known of an order under way: its requests, and the broker's numbers it lives under."""

from actors.gateways.kiwoom.chejan import OrderRecord
from actors.gateways.port import Instruction, KnownOrder
from messages import Action, Shares, Side, Symbol, Venue, Won


class Number:
    """One order number of the broker: what was asked under it, and how much of that traded or died."""

    __slots__ = ("amount", "commission", "dead", "filled", "held", "name", "price", "quantity", "tax", "whole")

    def __init__(self, name: str, quantity: int, price: int) -> None:
        self.name = name
        self.quantity = quantity
        self.price = price
        self.filled = 0
        self.amount = 0
        self.dead = 0
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

    __slots__ = ("instruction", "message", "name", "number", "refused", "screen", "unknown")

    def __init__(self, instruction: Instruction, screen: str, name: str) -> None:
        self.instruction = instruction
        self.screen = screen
        self.name = name
        self.number = ""
        self.message = ""
        self.refused = False
        self.unknown = False


class Tracked:
    """One order of ours."""

    __slots__ = (
        *("accepted", "carried_amount", "carried_quantity", "numbers", "order", "pending", "price", "quantity"),
        *("screens", "side", "strategy", "symbol", "venue"),
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
        self.carried_quantity = 0
        self.carried_amount = 0

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
    def commission(self) -> Won:
        return Won(sum(number.commission for number in self.numbers.values()))

    @property
    def tax(self) -> Won:
        return Won(sum(number.tax for number in self.numbers.values()))


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
    if known.broker_order:
        number = Number(known.broker_order, known.quantity, known.price)
        number.filled, number.amount, number.whole = known.filled, known.amount, True
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
    """Whether a record can be about an order whose number was lost."""
    asked = (tracked.symbol, tracked.side, tracked.quantity)
    same = asked == (record.symbol, record.side, record.quantity) and tracked.price in (0, record.price)
    return same and record.action is Action.NEW


def part_from_journal(tracked: Tracked, number: Number, record: OrderRecord) -> None:
    """A journal knows the whole order's fills; under a modified number the broker counts that number's alone."""
    number.whole = False
    before = record.quantity - record.open - record.fill_quantity
    if record.original and before < number.filled:
        paid = record.amount - record.fill_price * record.fill_quantity
        tracked.carried_quantity, tracked.carried_amount = number.filled - before, number.amount - paid
        number.filled, number.amount = before, paid
