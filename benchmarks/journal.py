"""The journal: records a second, and the time from append to durable with a bare fsync beside it.

python -m benchmarks.journal [FOLDER]
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from messages import Action, Kind, OrderSubmitting, Shares, Side, Symbol, Validity, Won
from messages.instruments import Nanoseconds
from runtime.bus import RUN_BITS
from runtime.clock import WallClock
from runtime.disk import chain
from runtime.disk.journal import Journal
from runtime.envelope import Envelope

MANY = 200_000
SINGLES = 3_000


def envelope(number: int) -> Envelope:
    message = OrderSubmitting(
        order=number - 3,
        symbol=Symbol("005930"),
        strategy="momentum",
        time=Nanoseconds(time.time_ns()),
        action=Action.NEW,
        side=Side.BUY,
        quantity=Shares(10),
        kind=Kind.LIMIT,
        price=Won(70_000),
        validity=Validity.DAY,
    )
    return Envelope(number, message.time, "trader", number - 1, message)


def percentiles(name: str, seconds: Sequence[float]) -> None:
    ordered = sorted(seconds)
    p50, p99 = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
    print(f"{name}: p50 {p50 * 1e6:,.0f} us, p99 {p99 * 1e6:,.0f} us, longest {ordered[-1] * 1e6:,.0f} us")


def chaining(envelopes: Sequence[Envelope]) -> None:
    digest, size = chain.START, 0
    start = time.process_time()
    for each in envelopes:
        entry = chain.encode(each, digest)
        digest, size = entry.hash, size + len(entry.body)
    spent = time.process_time() - start
    print(f"encode and chain: {len(envelopes) / spent:,.0f} records/s of CPU, {size // len(envelopes)} bytes a body")


async def storing(journal: Journal, first: int) -> int:
    start = time.perf_counter()
    for number in range(first, first + MANY):
        journal.append(envelope(number))
        if number % 1_000 == 0:
            await journal.durable(number - 20_000)
    await journal.durable(first + MANY)
    print(f"append to durable, all at once: {MANY / (time.perf_counter() - start):,.0f} records/s")
    return first + MANY


async def singles(journal: Journal, first: int, beside: Path) -> int:
    durable: list[float] = []
    bare: list[float] = []
    handle = os.open(beside, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for number in range(first, first + SINGLES):
        start = time.perf_counter()
        journal.append(envelope(number))
        await journal.durable(number)
        durable.append(time.perf_counter() - start)
        start = time.perf_counter()
        os.write(handle, bytes(400))
        os.fsync(handle)
        bare.append(time.perf_counter() - start)
    os.close(handle)
    percentiles("append to durable, one record at a time", durable)
    percentiles("bare write and fsync of 400 bytes      ", bare)
    return first + SINGLES


async def main(folder: Path) -> None:
    async with Journal(folder, clock=WallClock()) as journal:
        first = (journal.run << RUN_BITS) + 1
        chaining([envelope(number) for number in range(first, first + 50_000)])
        first = await singles(journal, first, folder / "bare")
        await storing(journal, first)
    start = time.perf_counter()
    verdict = chain.verify(journal.path, journal.head[1])
    assert verdict.ok, verdict.problem
    print(f"verify: {verdict.records / (time.perf_counter() - start):,.0f} records/s")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else ".") as scratch:
        asyncio.run(main(Path(scratch)))
