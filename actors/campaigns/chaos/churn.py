"""A strategy that trades for the sake of trading, so that a kill always finds something under way."""

from collections.abc import Sequence

from actors.strategies.base import Strategy
from messages import OrderBook, Side, Validity, Won
from runtime.actor import handles
from runtime.settings.bounds import Amount, Code, Span

_VALIDITIES = (Validity.DAY, Validity.DAY, Validity.DAY, Validity.DAY, Validity.IOC, Validity.FOK)


class Churn(Strategy):
    """Buys, sells, moves and takes back at prices near the best, acting on about every `calm`-th book."""

    def __init__(
        self, *, symbols: Sequence[Code] = (), budget: Amount = 300_000, patience: Span = 15.0, calm: Span = 8.0
    ) -> None:
        super().__init__(symbols=symbols, budget=budget, patience=patience)
        self._chance = 1 / calm

    @handles
    def on_book(self, book: OrderBook) -> None:
        rng = self.desk.rng
        if rng.random() >= self._chance:
            return
        draw = rng.random()
        resting = [number for number, order in self.orders.items() if order.symbol == book.symbol]
        if resting and draw < 0.35:
            self._bother(rng.choice(resting), book, moves=draw < 0.2)
        elif book.symbol in self.lots and draw < 0.65:
            self._offer(book)
        elif len(resting) < 3:
            self._bid(book)

    def _bother(self, number: int, book: OrderBook, *, moves: bool) -> None:
        price = self._price(book, self.orders[number].side)
        if moves and price and self.orders[number].open:
            self.reprice(number, price, "to be first")
        else:
            self.cancel(number, book.symbol, "a change of mind")

    def _offer(self, book: OrderBook) -> None:
        quantity = self.desk.rng.randint(1, self.lots[book.symbol].quantity)
        self._ask_for(book, Side.SELL, quantity)

    def _bid(self, book: OrderBook) -> None:
        price = book.ask_prices[0] or book.bid_prices[0]
        most = self._budget // price if price else 0
        if most:
            self._ask_for(book, Side.BUY, self.desk.rng.randint(1, most))

    def _price(self, book: OrderBook, side: Side) -> Won:
        """One of the six best: across the spread, or resting."""
        prices = [price for price in (*book.ask_prices[:3], *book.bid_prices[:3]) if price]
        return Won(self.desk.rng.choice(sorted(prices, reverse=side is Side.BUY))) if prices else Won(0)

    def _ask_for(self, book: OrderBook, side: Side, quantity: int) -> None:
        rng = self.desk.rng
        price = Won(0) if rng.random() < 0.15 else self._price(book, side)
        self.place(book.symbol, side, quantity, price, "for the sake of it", rng.choice(_VALIDITIES))
