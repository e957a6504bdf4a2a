"""Ticks, books and bars for tests: a second apart, from nine o'clock on 2025-09-02."""

from actors.market.time import SECOND
from messages import Aggressor, Bar, Nanoseconds, OrderBook, Shares, Symbol, Tick, Won

NINE = 1_756_771_200_000_000_000
CODE = Symbol("005930")
OTHER = Symbol("000660")


def tick(
    second: float,
    price: int,
    size: int = 1,
    *,
    symbol: Symbol = CODE,
    side: Aggressor = Aggressor.NONE,
    volume: int = 0,
    ask: int = 0,
    bid: int = 0,
) -> Tick:
    received = NINE + round(second * SECOND)
    return Tick(
        symbol=symbol,
        time=Nanoseconds(received - received % SECOND),
        received=Nanoseconds(received),
        price=Won(price),
        size=Shares(size),
        side=side,
        volume=Shares(volume),
        value=Won(price * volume),
        ask=Won(ask),
        bid=Won(bid),
        open=Won(price),
        high=Won(price),
        low=Won(price),
        strength=0.0,
    )


def book(second: float, asks: list[tuple[int, int]], bids: list[tuple[int, int]], symbol: Symbol = CODE) -> OrderBook:
    time = Nanoseconds(NINE + round(second * SECOND))
    rest = [(0, 0)] * 10
    ask_prices, ask_sizes = zip(*[*asks, *rest][:10], strict=True)
    bid_prices, bid_sizes = zip(*[*bids, *rest][:10], strict=True)
    return OrderBook(
        symbol=symbol,
        time=time,
        received=time,
        ask_prices=ask_prices,
        ask_sizes=ask_sizes,
        bid_prices=bid_prices,
        bid_sizes=bid_sizes,
        ask_total=Shares(sum(ask_sizes)),
        bid_total=Shares(sum(bid_sizes)),
    )


def bar(minute: int, opened: int, high: int, low: int, close: int, *, volume: int = 1_000) -> Bar:
    return Bar(
        symbol=CODE,
        interval=60,
        time=Nanoseconds(NINE + minute * 60 * SECOND),
        open=Won(opened),
        high=Won(high),
        low=Won(low),
        close=Won(close),
        volume=Shares(volume),
        value=Won(close * volume),
    )
