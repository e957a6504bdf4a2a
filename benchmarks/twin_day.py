"""A simulated day through the twin: exchange > strings > Qt signal > slot > deque, beside the exchange alone.

python -m benchmarks.twin_day [--issues 30] [--minutes 391]
"""

import argparse
import random
import resource
from collections import Counter, deque
from functools import partial
from time import process_time, thread_time

from actors.exchange.events import BookChanged
from actors.exchange.exchange import Exchange
from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.twin.day import SLICE
from actors.gateways.kiwoom.twin.twin import Twin, TwinSettings, open_control
from actors.market.calendar import Calendar
from messages import Won
from runtime.clock import SteppedClock
from runtime.loops.loop import qt_loop, run

REGISTER = "SetRealReg(QString, QString, QString, QString)"


def exchange_alone(settings: TwinSettings, until: int, *, with_books: bool) -> tuple[int, float]:
    """Events and CPU seconds; `with_books` asks for each book that changed."""
    assert Calendar().day(settings.day)
    exchange = Exchange(
        date=settings.day, cash=Won(settings.cash), commission=settings.commission, issues=settings.issues
    )
    began, events, instant = thread_time(), 0, exchange.start
    while instant < until:
        instant += SLICE
        for event in exchange.advance(instant):
            events += 1
            if with_books and isinstance(event, BookChanged):
                exchange.book(event.symbol)
    return events, thread_time() - began


class Slot:
    """Appends and counts, as a gateway's slot does; the deque is emptied each turn."""

    def __init__(self) -> None:
        self.records: deque[tuple[str, str, str]] = deque()
        self.counts: Counter[str] = Counter()

    def take(self, code: str, kind: str, fields: str) -> None:
        self.records.append((code, kind, fields))

    def drain(self) -> None:
        for _, kind, _ in self.records:
            self.counts[kind] += 1
        self.records.clear()


async def twin_day(settings: TwinSettings, until: int) -> tuple[Counter[str], float, float]:
    """Records by type, and CPU seconds of the start and of the day."""
    import asyncio  # noqa: PLC0415 - the loop is chosen first

    clock, began = SteppedClock(0), process_time()
    twin = open_control(settings, clock, random.Random(1))
    clock.advance(twin.start)
    opened, slot, over = process_time(), Slot(), asyncio.Event()
    twin.OnReceiveRealData.connect(slot.take)
    twin.OnEventConnect.connect(partial(register, twin))
    twin.on_day_end = over.set
    clock.call_at(until, over.set)
    clock.call_later(0.0, drain_each_second(clock, slot))
    twin.dynamicCall("CommConnect()")
    await over.wait()
    twin.close()
    slot.drain()
    return slot.counts, opened - began, process_time() - opened


def drain_each_second(clock: SteppedClock, slot: Slot):  # noqa: ANN201 - calls itself again
    def drain() -> None:
        slot.drain()
        clock.call_later(1.0, drain)

    return drain


def register(twin: Twin, code: int) -> None:
    assert code == 0
    listed = twin.dynamicCall("GetCodeListByMarket(QString)", "")
    twin.dynamicCall(REGISTER, "4000", listed, "20;10;15;21", "0")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--issues", type=int, default=30)
    parser.add_argument("--minutes", type=int, default=1_000)
    options = parser.parse_args()
    settings = TwinSettings(issues=options.issues)
    until = settings.start + options.minutes * 60 * 1_000_000_000
    until = min(until, settings.start + 7 * 3_600 * 1_000_000_000)
    events, floor = exchange_alone(settings, until, with_books=False)
    _, with_books = exchange_alone(settings, until, with_books=True)
    counts, start, day = run(lambda: twin_day(settings, until), qt_loop())
    prints, books = counts[codes.TRADE], counts[codes.BOOK]
    print(f"exchange alone       {floor:7.2f} CPU s, {events:,} events: the floor")
    print(f"  and its books      {with_books:7.2f} CPU s")
    print(f"twin > slot > deque  {day:7.2f} CPU s, {prints:,} prints, {books:,} books (opened in {start:.2f} s)")
    print(
        f"a record over the exchange with its books: {(day - with_books) / max(sum(counts.values()), 1) * 1e6:.1f} us"
    )
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
