"""The exchange's wire beside its floors: a bare socket, and the same bytes only packed and unpacked.

python -m benchmarks.exchange_server [--slices 20000] [--issues 30]
"""

import argparse
import asyncio
import datetime as dt
import multiprocessing
import socket
import statistics
from collections.abc import Callable
from multiprocessing.connection import Connection
from time import perf_counter

from actors.exchange.annals import Annals
from actors.exchange.client import RemoteExchange
from actors.exchange.events import BookChanged
from actors.exchange.exchange import Exchange
from actors.exchange.server import SLICE, ExchangeServer
from actors.exchange.wire import Slice, frame, told
from messages import Won

ROUNDS = 5_000
_ONE = b"\x00" * 64


def market(issues: int) -> Exchange:
    date = dt.date(2026, 11, 18)
    return Exchange(date=date, cash=Won(100_000_000), commission=0.00015, issues=issues, begin=dt.time(9, 0))


def serve(pipe: Connection, issues: int, speed: float) -> None:
    async def run() -> None:
        server = ExchangeServer(market(issues), speed=speed, annals=Annals(), say=lambda _: None)
        pipe.send(await server.open(0))
        await server.run()

    asyncio.run(run())


def echo(pipe: Connection) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pipe.send(listener.getsockname()[1])
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := connection.recv(1 << 16):
            connection.sendall(data)


def started(work: Callable[..., None], *arguments: object) -> tuple[multiprocessing.Process, int]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=work, args=(theirs, *arguments), daemon=True)
    process.start()
    return process, ours.recv()


def timed(work: Callable[[], object]) -> list[float]:
    times: list[float] = []
    for _ in range(ROUNDS):
        began = perf_counter()
        work()
        times.append((perf_counter() - began) * 1e6)
    return times


def line(name: str, times: list[float]) -> None:
    cuts = statistics.quantiles(times, n=100)
    print(f"{name:34} p50 {cuts[49]:7.1f} us   p99 {cuts[98]:7.1f} us")


def round_trips(issues: int) -> None:
    process, port = started(echo)
    with socket.create_connection(("127.0.0.1", port)) as bare:
        bare.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def there_and_back() -> None:
            bare.sendall(_ONE)
            bare.recv(1 << 16)

        line("bare socket, there and back: floor", timed(there_and_back))
    process.join()
    process, port = started(serve, issues, 0.001)
    with RemoteExchange(f"127.0.0.1:{port}") as client:
        symbol = client.issues()[0].symbol
        line("time", timed(lambda: client.now))
        line("statistics of an issue", timed(lambda: client.statistics(symbol)))
        line("cancel that is refused", timed(lambda: client.cancel(client.account, "9", 0, "")))
    process.terminate()


def slices(issues: int, count: int) -> None:
    exchange = market(issues)
    sent: list[Slice] = []
    began = perf_counter()
    for _ in range(count):
        events = exchange.advance(exchange.now + SLICE)
        books = tuple(exchange.book(event.symbol) for event in events if isinstance(event, BookChanged))
        sent.append(Slice(exchange.now, tuple(events), books))
    alone = perf_counter() - began
    messages = sum(len(one.events) + len(one.books) for one in sent)
    began = perf_counter()
    frames = [frame(one) for one in sent]
    packed = perf_counter() - began
    began = perf_counter()
    for one in frames:
        told.decode(memoryview(one)[4:])
    unpacked = perf_counter() - began
    size = sum(map(len, frames)) / messages
    print(f"\n{count:,} slices of {issues} issues: {messages:,} events and books, {size:.0f} bytes each")
    print(f"exchange and its books alone       {alone / messages * 1e6:7.2f} us a message")
    print(f"packing one                        {packed / messages * 1e6:7.2f} us a message")
    print(f"unpacking one                      {unpacked / messages * 1e6:7.2f} us a message")
    process, port = started(serve, issues, 1e9)
    with RemoteExchange(f"127.0.0.1:{port}", follows=True) as client:
        client.begin()
        began, taken = perf_counter(), 0
        while taken < count:
            client.wait()
            while client.waiting and taken < count:
                client.take()
                client.handled()
                taken += 1
        over_wire = perf_counter() - began
    process.terminate()
    print(f"all of it, from there to here      {over_wire / messages * 1e6:7.2f} us a message, wall")
    print(f"the wire's share                   {(over_wire - alone) / messages * 1e6:7.2f} us a message, wall")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slices", type=int, default=20_000)
    parser.add_argument("--issues", type=int, default=30)
    options = parser.parse_args()
    round_trips(options.issues)
    slices(options.issues, options.slices)


if __name__ == "__main__":
    main()
