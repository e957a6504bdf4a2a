"""Our orders in one issue's market that others made: what fills, at which price, behind whom."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from actors.gateways.port import Instruction
from actors.market.time import SECOND
from messages import Aggressor, Bar, OrderBook, Side, Tick, Validity

MARKET: Final = 0
"""The price of an order that takes any price."""
_AT_ONCE: Final = SECOND
"""A bar's open still is for an order sent up to this long after the bar began: one decided at its predecessor's end."""


class PaperOrder:
    """An order on paper. `ahead` is the volume before it at its price, None where nothing is known of it."""

    __slots__ = (
        "ahead",
        "amount",
        "commission",
        "filled",
        "instruction",
        "number",
        "open",
        "original",
        "price",
        "sent",
        "tax",
    )

    def __init__(self, instruction: Instruction, number: str, price: int, sent: int) -> None:
        self.instruction = instruction
        self.number = number
        self.original = ""
        self.price = price
        self.sent = sent
        self.open: int = instruction.quantity
        self.filled = self.amount = self.commission = self.tax = 0
        self.ahead: int | None = None

    @property
    def buys(self) -> bool:
        return self.instruction.side is Side.BUY

    def takes(self, price: int) -> bool:
        """Whether it may trade at that price."""
        return self.price == MARKET or (price <= self.price if self.buys else price >= self.price)


class PaperFill(NamedTuple):
    """A trade of ours; the order has it already in its figures."""

    order: PaperOrder
    price: int
    quantity: int


class PaperQueue:
    """Matches our orders against books, prints and bars. Others never react to us.

    A new order takes what the last book shows, each share once; what is left waits behind the size shown at
    its price. A print through the price fills it, a print at the price first uses up what is ahead; all fills of
    a print are no more than its size. Where no book is known only a print through the price fills. A bar fills
    a market order at its open, a limit at its open where that is better, else at the limit where the bar went
    through it; together at most `participation` of its volume.
    """

    def __init__(self, participation: float) -> None:
        self.orders: list[PaperOrder] = []
        self.auction = False
        """Everybody trades at one price: prints fill, books do not."""
        self._participation = participation
        self._book: OrderBook | None = None
        self._asks: list[list[int]] | None = None
        self._bids: list[list[int]] | None = None

    @property
    def best(self) -> tuple[int, int]:
        """Best ask and bid, 0 where there is none."""
        return (self._book.ask_prices[0], self._book.bid_prices[0]) if self._book else (0, 0)

    def arrive(self, order: PaperOrder) -> Iterator[PaperFill]:
        """A new order: takes what it can, then waits."""
        if not self.auction and not self._fails_to_kill(order, self._shown(order)):
            yield from self._walk(order, order.price)
        if order.open:
            order.ahead = self._displayed(order)
            self.orders.append(order)

    def dead(self, *, after_trade: bool) -> list[PaperOrder]:
        """IOC and FOK orders whose moment is over, still in."""
        if self.auction or not (after_trade or self._book):
            return []
        return [order for order in self.orders if order.instruction.validity is not Validity.DAY]

    def remove(self, order: PaperOrder) -> None:
        """Take an order out, if it is still here."""
        self.orders = [other for other in self.orders if other is not order]

    def take_book(self, book: OrderBook) -> Iterator[PaperFill]:
        self._book, self._asks, self._bids = book, None, None
        if self.auction:
            return
        for order in self._by_priority():
            yield from self._walk(order, order.price, maker=order.price != MARKET)
            if order.open:
                self._move_up(order)
        self._drop_filled()

    def take_tick(self, tick: Tick) -> Iterator[PaperFill]:
        left: int = tick.size
        for order in self._by_priority():
            quantity = self._share(order, tick, left)
            if quantity and not self._fails_to_kill(order, quantity):
                left -= quantity
                at_print = order.price == MARKET or self.auction or tick.side is Aggressor.NONE
                yield self._fill(order, tick.price if at_print else order.price, quantity)
        self._drop_filled()

    def take_bar(self, bar: Bar) -> Iterator[PaperFill]:
        left = int(bar.volume * self._participation)
        for order in self._by_priority():
            price = _bar_price(order, bar) if order.sent <= bar.time + _AT_ONCE else 0
            quantity = min(order.open, left) if price else 0
            if quantity and not self._fails_to_kill(order, quantity):
                left -= quantity
                yield self._fill(order, price, quantity)
        self._drop_filled()

    def _share(self, order: PaperOrder, tick: Tick, left: int) -> int:
        price = tick.price
        if not order.takes(price):
            return 0
        if price != order.price or self.auction:
            return min(order.open, left)
        against = Aggressor.SELLER if order.buys else Aggressor.BUYER
        if order.ahead is None or tick.side not in (against, Aggressor.NONE):
            return 0
        past = tick.size - order.ahead
        order.ahead = max(-past, 0)
        return max(min(order.open, left, past), 0)

    def _walk(self, order: PaperOrder, limit: int, *, maker: bool = False) -> Iterator[PaperFill]:
        for level in self._levels(buys=not order.buys):
            price, size = level
            if not order.open or not order.takes(price):
                return
            quantity = min(order.open, size)
            if quantity:
                level[1] -= quantity
                yield self._fill(order, limit if maker else price, quantity)

    @staticmethod
    def _fill(order: PaperOrder, price: int, quantity: int) -> PaperFill:
        order.open -= quantity
        order.filled += quantity
        order.amount += price * quantity
        return PaperFill(order, price, quantity)

    def _levels(self, *, buys: bool) -> list[list[int]]:
        """Bids where `buys`, else asks, with what we have not taken of them yet."""
        if self._book is None:
            return []
        if self._asks is None or self._bids is None:
            self._asks = _shown(self._book.ask_prices, self._book.ask_sizes)
            self._bids = _shown(self._book.bid_prices, self._book.bid_sizes)
        return self._bids if buys else self._asks

    def _shown(self, order: PaperOrder) -> int:
        return sum(size for price, size in self._levels(buys=not order.buys) if order.takes(price))

    def _displayed(self, order: PaperOrder) -> int | None:
        """What stands at its price; None where the book does not reach so far."""
        own = self._levels(buys=order.buys)
        if order.price == MARKET or not own:
            return None
        size = next((size for price, size in own if price == order.price), 0)
        deepest = own[-1][0]
        beyond = order.price < deepest if order.buys else order.price > deepest
        return None if beyond else size

    def _move_up(self, order: PaperOrder) -> None:
        displayed = self._displayed(order)
        if displayed is not None:
            order.ahead = displayed if order.ahead is None else min(order.ahead, displayed)

    def _fails_to_kill(self, order: PaperOrder, quantity: int) -> bool:
        return order.instruction.validity is Validity.FOK and quantity < order.open

    def _by_priority(self) -> list[PaperOrder]:
        return sorted(self.orders, key=_priority) if len(self.orders) > 1 else list(self.orders)

    def _drop_filled(self) -> None:
        if any(not order.open for order in self.orders):
            self.orders = [order for order in self.orders if order.open]


def _priority(order: PaperOrder) -> float:
    if order.price == MARKET:
        return float("-inf")
    return -order.price if order.buys else order.price


def _shown(prices: tuple[int, ...], sizes: tuple[int, ...]) -> list[list[int]]:
    return [[price, size] for price, size in zip(prices, sizes, strict=True) if price and size]


def _bar_price(order: PaperOrder, bar: Bar) -> int:
    if order.takes(bar.open):
        return bar.open
    through = bar.low < order.price if order.buys else bar.high > order.price
    return order.price if through else 0
