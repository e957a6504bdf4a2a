"""What a simulated day costs the exchange alone: prints, books, CPU seconds, and a floor beside them.

python -m benchmarks.exchange_day [--issues 30] [--intensity 1] [--seed 1] [--books]
"""

import argparse
import datetime as dt
import time
from collections import Counter

from actors.exchange.exchange import Exchange
from messages import Won

_SLICE = 100_000_000


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--issues", type=int, default=30)
    arguments.add_argument("--intensity", type=float, default=1.0)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--books", action="store_true", help="ask for each book that changed, as a gateway does")
    chosen = arguments.parse_args()
    began = time.process_time()
    exchange = Exchange(
        date=dt.date(2025, 9, 2),
        cash=Won(100_000_000),
        commission=0.00015,
        issues=chosen.issues,
        intensity=chosen.intensity,
        seed=chosen.seed,
    )
    counts = _run(exchange, books=chosen.books)
    spent = time.process_time() - began
    for name, count in sorted(counts.items()):
        print(f"{name:16} {count:>10,}")
    print(f"{'CPU seconds':16} {spent:>10.1f}")
    print(f"{'prints/CPU s':16} {counts['Print'] / spent:>10,.0f}")
    print(f"{'floor, s':16} {_floor(sum(counts.values())):>10.2f}   (as many bare updates of a dict)")


def _run(exchange: Exchange, *, books: bool) -> Counter[str]:
    counts: Counter[str] = Counter()
    now = exchange.start
    while now < exchange.end:
        now += _SLICE
        for event in exchange.advance(now):
            name = type(event).__name__
            counts[name] += 1
            if books and name == "BookChanged":
                exchange.book(event.symbol)  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownArgumentType]
    return counts


def _floor(updates: int) -> float:
    began = time.process_time()
    sizes: dict[int, int] = {}
    for number in range(updates):
        sizes[number & 1023] = number
    return time.process_time() - began


if __name__ == "__main__":
    main()
