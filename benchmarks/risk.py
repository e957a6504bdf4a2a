"""Time that risk takes for a print, a book and an intent, its rules and its ledger, without bus and journal.

python -m benchmarks.risk [--orders 10] [--holdings 5]
"""

import argparse
import asyncio
import gc
import time
from collections.abc import Sequence
from typing import Any

from actors.campaigns.risk.bench import BEGIN, Bench
from messages import (
    Aggressor,
    ApprovedOrder,
    Instrument,
    Kind,
    Market,
    Message,
    Nanoseconds,
    OrderAccepted,
    OrderBook,
    OrderIntent,
    OrderRejected,
    Position,
    Purpose,
    Reconciled,
    Session,
    SessionChanged,
    Shares,
    Side,
    Symbol,
    Tick,
    Won,
)

CODES = [Symbol(f"9{n:04}0") for n in range(1_000)]
NOW = Nanoseconds(BEGIN)
MUCH = 10**15
WIDE: dict[str, Any] = {
    "max_orders_second": MUCH,
    "max_orders_minute": MUCH,
    "max_orders_day": MUCH,
    "max_positions": MUCH,
    "max_position_value": MUCH,
    "max_sector_value": MUCH,
    "max_gross_value": MUCH,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=10, help="open while an intent is judged")
    parser.add_argument("--holdings", type=int, default=5)
    options = parser.parse_args()
    bench = Bench(WIDE)
    asyncio.run(bench.start())
    _day(bench, options.holdings)
    gc.collect()
    gc.freeze()
    for code in CODES[: options.orders]:
        _order(bench, code)
    prints = [_print(code, price) for price in (10_010, 10_000) * 3 for code in CODES[:500]]
    print(f"{'print':18} {_best(bench, prints):6.2f} us")
    print(f"{'book':18} {_best(bench, [_book(code) for code in CODES[:500]] * 6):6.2f} us")
    codes = [CODES[first : first + 60] for first in range(options.orders, len(CODES) - 60, 60)]
    taken = min(_judged(bench, some) for some in codes)
    print(f"{'intent > approval':18} {taken:6.2f} us")


def _best(bench: Bench, messages: Sequence[Message]) -> float:
    return min(_each(bench, messages) for _ in range(9))


def _judged(bench: Bench, codes: Sequence[Symbol]) -> float:
    first = bench.tell(_print(codes[0], 10_000)) + 1
    taken = _each(bench, [_intent(code) for code in codes])
    assert isinstance(bench.answer, ApprovedOrder), bench.answer
    for number, code in enumerate(codes, first):
        bench.tell(OrderRejected(order=number, symbol=code, strategy="fast", time=NOW, reason="measured"))
    _settle(bench)
    return taken


def _each(bench: Bench, messages: Sequence[Message]) -> float:
    for message in messages:
        bench.tell(message)
    start = time.perf_counter_ns()
    for _ in messages:
        bench.handle()
    taken = time.perf_counter_ns() - start
    _settle(bench)
    return taken / len(messages) / 1_000


def _settle(bench: Bench) -> None:
    while bench.next() is not None:
        bench.handle()


def _day(bench: Bench, holdings: int) -> None:
    held = tuple(Position(symbol=code, quantity=Shares(10), cost=Won(100_000), last=Won(10_000)) for code in CODES)
    bench.tell(
        Reconciled(time=NOW, cash=Won(MUCH), positions=held[:holdings], open_orders=0, differences=(), start=True)
    )
    bench.tell(SessionChanged(session=Session.CONTINUOUS, time=NOW))
    for number, code in enumerate(CODES):
        bench.tell(_listed(code, f"sector {number % 10}"))
        bench.tell(_print(code, 10_000))
    _settle(bench)


def _order(bench: Bench, code: Symbol) -> None:
    bench.tell(_intent(code))
    _settle(bench)
    approval = bench.answer
    assert isinstance(approval, ApprovedOrder), approval
    about: dict[str, Any] = {"order": approval.order, "symbol": code, "strategy": "fast", "time": NOW}
    bench.tell(OrderAccepted(**about, broker_order=str(approval.order)))
    _settle(bench)


def _listed(code: Symbol, sector: str) -> Instrument:
    prices: dict[str, Any] = {"base_price": 10_000, "upper_limit": 13_000, "lower_limit": 7_000}
    return Instrument(symbol=code, name="가나전자", market=Market.KOSPI, sector=sector, **prices)


def _intent(code: Symbol) -> OrderIntent:
    return OrderIntent(
        symbol=code,
        side=Side.BUY,
        quantity=Shares(10),
        kind=Kind.LIMIT,
        price=Won(10_010),
        purpose=Purpose.ENTRY,
        strategy="fast",
        reason="measured",
    )


def _print(code: Symbol, price: int) -> Tick:
    sides: dict[str, Any] = {"ask": price + 10, "bid": price, "open": 10_000, "high": price, "low": price}
    return Tick(
        symbol=code,
        time=NOW,
        received=NOW,
        price=Won(price),
        size=Shares(1),
        side=Aggressor.BUYER,
        volume=Shares(1_000_000),
        value=Won(0),
        strength=100.0,
        **sides,
    )


def _book(code: Symbol) -> OrderBook:
    prices, sizes = (10_010,) + (0,) * 9, (5,) + (0,) * 9
    levels: dict[str, Any] = {"ask_prices": prices, "bid_prices": prices, "ask_sizes": sizes, "bid_sizes": sizes}
    return OrderBook(symbol=code, time=NOW, received=NOW, ask_total=Shares(5), bid_total=Shares(5), **levels)


if __name__ == "__main__":
    main()
