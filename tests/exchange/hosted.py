"""An exchange server in a thread of its own, for clients that wait for their answers."""

import asyncio
import datetime as dt
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from actors.exchange.annals import Annals
from actors.exchange.client import RemoteExchange
from actors.exchange.exchange import Exchange
from actors.exchange.server import ExchangeServer
from messages import Won
from tests.exchange.desk import DATE


def market(*, seed: int = 3, issues: int = 3, begin: dt.time = dt.time(9, 0, 1)) -> Exchange:
    return Exchange(date=DATE, cash=Won(100_000_000), commission=0.00015, issues=issues, seed=seed, begin=begin)


class Host:
    """A server that runs until the test is over."""

    def __init__(self, exchange: Exchange, speed: float, path: Path | None) -> None:
        self.said: list[str] = []
        self.port = 0
        self._exchange = exchange
        self._speed = speed
        self._path = path
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def client(self, *, follows: bool = False) -> RemoteExchange:
        return RemoteExchange(self.address, follows=follows)

    @contextmanager
    def stalled(self) -> Generator[None]:
        """Meanwhile the process is there and does nothing."""
        over = threading.Event()
        self._loop.call_soon_threadsafe(over.wait, 5)
        try:
            yield
        finally:
            over.set()

    def begin(self) -> None:
        self._thread.start()
        assert self._up.wait(5)

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._world.cancel)
        self._thread.join(5)
        assert not self._thread.is_alive()

    async def _serve(self) -> None:
        with Annals(self._path) as annals:
            server = ExchangeServer(self._exchange, speed=self._speed, annals=annals, say=self.said.append)
            self.port = await server.open(0)
            self._loop = asyncio.get_running_loop()
            self._world = asyncio.ensure_future(server.run())
            self._up.set()
            await asyncio.wait([self._world])
            server.close()


@contextmanager
def hosted(exchange: Exchange | None = None, *, speed: float = 500.0, path: Path | None = None) -> Generator[Host]:
    host = Host(exchange or market(), speed, path)
    host.begin()
    try:
        yield host
    finally:
        host.end()


def until(true: Callable[[], bool], seconds: float = 5) -> None:
    """Wait for what comes soon."""
    for _ in range(round(seconds * 100)):
        if true():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not come true")
