"""A strategy that never rests: it buys, sells, replaces and cancels at random, whatever that leads to."""

from random import Random

from actors.campaigns.swarm.world import WORLD
from actors.strategies.base import Strategy
from messages import (
    CancelOrder,
    HaltTrading,
    OrderBook,
    ResumeTrading,
    Side,
    Validity,
    Won,
)
from runtime.actor import handles

_HALT = 0.001
_RESUME = 0.02


class Busybody(Strategy, publishes=(HaltTrading, ResumeTrading)):
    """Acts on about every `calm`-th book; all it draws comes from `rng`."""

    def __init__(self, rng: Random, *, universe: str = "", patience: float = 20.0, calm: float = 6.0) -> None:
        super().__init__(universe=universe, patience=patience)
        self._rng = rng
        self._chance = 1 / calm
        self._halted = False

    @handles
    def on_book(self, book: OrderBook) -> None:
        draw = self._rng.random()
        if WORLD.get().healed:
            return
        if self._halted and draw < _RESUME:
            self._halted = False
            self.publish(ResumeTrading(by=self.desk.name))
        elif draw < self._chance:
            self._act(book)

    def _act(self, book: OrderBook) -> None:
        draw = self._rng.random()
        if draw < _HALT:
            self._halted = True
            self.publish(HaltTrading(reason="a whim", by=self.desk.name, flatten=self._rng.random() < 0.3))
        elif draw < 0.45:
            self._trade(book, Side.BUY)
        elif draw < 0.7:
            self._trade(book, Side.SELL)
        elif self.orders:
            number = self._rng.choice(list(self.orders))
            self._bother(number, book, replace=draw < 0.85)

    def _trade(self, book: OrderBook, side: Side) -> None:
        symbol = book.symbol
        price = self._price(book, side)
        lot = self.lots.get(symbol)
        most = 60 if side is Side.BUY else max(lot.quantity if lot else 1, 1)
        market = self._rng.random() < 0.15
        quantity = self._rng.randint(1, most)
        validity = self._rng.choices((Validity.DAY, Validity.IOC, Validity.FOK), (8, 1, 1))[0]
        self.place(symbol, side, quantity, Won(0) if market else price, "a whim", validity)

    def _price(self, book: OrderBook, side: Side) -> Won:
        prices = [price for price in (*book.ask_prices[:3], *book.bid_prices[:3]) if price]
        if not prices:
            return Won(0)
        return Won(self._rng.choice(sorted(prices, reverse=side is Side.SELL)[: self._rng.randint(1, len(prices))]))

    def _bother(self, number: int, book: OrderBook, *, replace: bool) -> None:
        order = self.orders[number]
        if replace and order.symbol == book.symbol and (price := self._price(book, order.side)):
            self.reprice(number, price, "a whim")
        else:
            self.publish(CancelOrder(order=number, symbol=order.symbol, strategy=self.desk.name, reason="a whim"))
