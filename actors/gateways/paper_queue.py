"""Our orders in one issue's market that others made: what fills, at which price, behind whom."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from actors.gateways.port import Instruction
from actors.market.bars import start_of
from actors.market.time import SECOND
from messages import Aggressor, Bar, Kind, OrderBook, Side, Tick, Validity

MARKET: Final = 0
"""The price of an order that takes any price."""
_AT_ONCE: Final = SECOND
"""A bar's open is for an order that came up to this long after it began: one decided at its predecessor's end."""
_DAY: Final = 86_400


class PaperOrder:
    """An order on paper. `ahead` is the volume before it at its price, None where nothing is known of it.

    `arrived` in nanoseconds; `worst` is the day's limit, at which an order for any price waits like all others.
    """

    __slots__ = (
        "ahead",
        "amount",
        "arrived",
        "commission",
        "filled",
        "instruction",
        "number",
        "open",
        "original",
        "price",
        "tax",
        "worst",
    )

    def __init__(self, instruction: Instruction, number: str, price: int, arrived: int, worst: int = 0) -> None:
        self.instruction = instruction
        self.number = number
        self.original = ""
        self.price = price
        self.arrived = arrived
        self.worst = worst
        self.open: int = instruction.quantity
        self.filled = self.amount = self.commission = self.tax = 0
        self.ahead: int | None = None

    @property
    def buys(self) -> bool:
        return self.instruction.side is Side.BUY

    @property
    def waits_at(self) -> int:
        """The price at which it stands in line."""
        return self.price or self.worst

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

    A new order takes what the last book shows and no print took since, each share once, over later books too; what
    is left waits behind the size shown at its price. A print through the price fills it, a print at the price first
    uses up what is ahead. An auction's print is for orders that came before it, and not for those at its very price:
    nobody knows who of them was served. All fills of a print are no more than its size. Where no book is known only a
    print through the price fills. A bar fills a market order at its open, a new limit at its open where that is
    better, else at the limit where the bar went through it; together at most `participation` of its volume.
    """

    def __init__(self, participation: float) -> None:
        self.orders: list[PaperOrder] = []
        self.auction = False
        """Everybody trades at one price: prints fill, books do not."""
        self._participation = participation
        self._book: OrderBook | None = None
        self._bar: Bar | None = None
        self._asks, self._bids = _Levels(buys=False), _Levels(buys=True)

    @property
    def best(self) -> tuple[int, int]:
        """Best ask and bid, 0 where there is none."""
        return (self._book.ask_prices[0], self._book.bid_prices[0]) if self._book else (0, 0)

    def price_of(self, instruction: Instruction) -> int:
        """What the order's kind says now; 0 where there is no such price."""
        ask, bid = self.best
        buys = instruction.side is Side.BUY
        match instruction.kind:
            case Kind.MARKET:
                return MARKET
            case Kind.BEST:
                return ask if buys else bid
            case Kind.PRIORITY:
                return bid if buys else ask
            case _:
                return instruction.price

    def forget(self) -> None:
        """The last book says nothing any more."""
        self._book = None
        self._asks, self._bids = _Levels(buys=False), _Levels(buys=True)

    def arrive(self, order: PaperOrder) -> Iterator[PaperFill]:
        """A new order: takes what it can, then waits."""
        if not self.auction and not self._fails_to_kill(order, self._opposite(order).shown(order)):
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
        self._book = book
        self._asks.show(book.ask_prices, book.ask_sizes)
        self._bids.show(book.bid_prices, book.bid_sizes)
        if self.auction:
            return
        for order in self._by_priority():
            yield from self._walk(order, order.price, maker=order.price != MARKET)
            if order.open:
                self._move_up(order)
        self._drop_filled()

    def take_tick(self, tick: Tick) -> Iterator[PaperFill]:
        if self._book is not None and not self.auction:
            self._asks.lose(tick)
            self._bids.lose(tick)
        left: int = tick.size
        for order in self._by_priority():
            quantity = self._share(order, tick, left)
            if quantity and not self._fails_to_kill(order, quantity):
                left -= quantity
                yield self._fill(order, self._print_price(order, tick), quantity)
        self._drop_filled()

    def take_bar(self, bar: Bar) -> Iterator[PaperFill]:
        left = int(bar.volume * self._participation)
        for order in self._by_priority():
            price = self._bar_price(order, bar)
            quantity = min(order.open, left) if price else 0
            if quantity and not self._fails_to_kill(order, quantity):
                left -= quantity
                yield self._fill(order, price, quantity)
        self._drop_filled()
        self._bar = bar

    def _share(self, order: PaperOrder, tick: Tick, left: int) -> int:
        price, together = tick.price, self.auction or tick.side is Aggressor.NONE
        if not order.takes(price) or (together and order.arrived > tick.time):
            return 0
        if price != order.waits_at:
            return min(order.open, left)
        against = Aggressor.SELLER if order.buys else Aggressor.BUYER
        if order.ahead is None or tick.side is not against or together:
            return 0
        behind = left - order.ahead
        order.ahead = max(order.ahead - tick.size, 0)
        return max(min(order.open, behind), 0)

    def _print_price(self, order: PaperOrder, tick: Tick) -> int:
        quoted = tick.ask or tick.bid
        if self.auction or (tick.side is Aggressor.NONE and quoted):
            return tick.price
        if order.price != MARKET:
            return order.price
        return max(tick.price, tick.ask) if order.buys else min(tick.price, tick.bid or tick.price)

    def _bar_price(self, order: PaperOrder, bar: Bar) -> int:
        before = self._before(bar)
        in_time = order.arrived < bar.time if before is None else order.arrived <= bar.time + _AT_ONCE
        if not in_time:
            return 0
        through = bar.low < order.waits_at if order.buys else bar.high > order.waits_at
        if order.price == MARKET:
            return bar.open if bar.open != order.worst or through else 0
        better = bar.open < order.price if order.buys else bar.open > order.price
        waited = before is not None and not order.takes(before.close)
        return bar.open if better and not waited else order.price if through else 0

    def _before(self, bar: Bar) -> Bar | None:
        """The bar before it on its day; None where an auction made its open."""
        last = self._bar
        if last is None or self.auction or start_of(last.time, _DAY) != start_of(bar.time, _DAY):
            return None
        return last

    def _walk(self, order: PaperOrder, limit: int, *, maker: bool = False) -> Iterator[PaperFill]:
        for price, quantity in self._opposite(order).taken(order):
            yield self._fill(order, limit if maker else price, quantity)

    @staticmethod
    def _fill(order: PaperOrder, price: int, quantity: int) -> PaperFill:
        order.open -= quantity
        order.filled += quantity
        order.amount += price * quantity
        return PaperFill(order, price, quantity)

    def _opposite(self, order: PaperOrder) -> "_Levels":
        return self._asks if order.buys else self._bids

    def _displayed(self, order: PaperOrder) -> int | None:
        own = self._bids if order.buys else self._asks
        return own.displayed(order.waits_at) if order.waits_at else None

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


class _Levels:
    """A side of the last book, less what prints and we took of it."""

    def __init__(self, *, buys: bool) -> None:
        self._buys = buys
        self._prices: tuple[int, ...] = ()
        self._sizes: tuple[int, ...] = ()
        self._quote = 0
        self._gone: dict[int, int] = {}
        self._ours: dict[int, int] = {}
        self._left: list[list[int]] | None = None

    def show(self, prices: tuple[int, ...], sizes: tuple[int, ...]) -> None:
        """A newer book, in which what we took is still there: others do not know of us."""
        self._prices, self._sizes = prices, sizes
        self._quote, self._left = 0, None
        if self._gone:
            self._gone = {}
        if self._ours:
            shown = dict(zip(prices, sizes, strict=True))
            self._ours = {price: min(ours, shown[price]) for price, ours in self._ours.items() if shown.get(price)}

    def lose(self, tick: Tick) -> None:
        """A print of a book not shown yet."""
        if tick.side is not (Aggressor.BUYER if self._buys else Aggressor.SELLER):
            self._gone[tick.price] = self._gone.get(tick.price, 0) + tick.size
        self._quote = tick.bid if self._buys else tick.ask
        self._left = None

    def shown(self, order: PaperOrder) -> int:
        """Shares there at prices the order takes."""
        return sum(max(size, 0) for price, size in self._there() if order.takes(price))

    def taken(self, order: PaperOrder) -> Iterator[tuple[int, int]]:
        """Price and shares, level by level, as long as the order is open."""
        for level in self._there():
            price, size = level
            if not order.open or not order.takes(price):
                return
            quantity = min(order.open, size)
            if quantity > 0:
                level[1] -= quantity
                self._ours[price] = self._ours.get(price, 0) + quantity
                yield price, quantity

    def displayed(self, wanted: int) -> int | None:
        """What stands at a price; None where the book does not reach so far."""
        shown = [(price, size) for price, size in zip(self._prices, self._sizes, strict=True) if price and size]
        if not shown:
            return None
        deepest = shown[-1][0]
        beyond = wanted < deepest if self._buys else wanted > deepest
        return None if beyond else dict(shown).get(wanted, 0)

    def _there(self) -> list[list[int]]:
        if self._left is None:
            pairs = zip(self._prices, self._sizes, strict=True)
            self._left = [[p, s - self._less(p)] for p, s in pairs if p and s and self._is_left(p)]
        return self._left

    def _less(self, price: int) -> int:
        return self._ours.get(price, 0) + self._gone.get(price, 0)

    def _is_left(self, price: int) -> bool:
        """A print or a quote further away shows that the better prices are gone."""
        if self._buys:
            return price <= min(self._gone, default=price) and (not self._quote or price <= self._quote)
        return price >= max(self._gone, default=price) and price >= self._quote


def _priority(order: PaperOrder) -> float:
    if order.price == MARKET:
        return float("-inf")
    return -order.price if order.buys else order.price
