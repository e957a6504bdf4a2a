"""The exchange as a process of its own: it owns the day and its time, whoever is connected."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import msgspec

from actors.exchange.annals import Annals
from actors.exchange.events import BookChanged
from actors.exchange.exchange import Exchange
from actors.exchange.wire import (
    CALLS,
    HOST,
    VERSION,
    Answer,
    BrokenFrame,
    Frames,
    Handled,
    Hello,
    Question,
    Slice,
    Told,
    Welcome,
    Wrong,
    frame,
    raw,
    said,
)
from actors.market.time import SECOND

SLICE: Final = SECOND // 10
AHEAD: Final = 2
"""Slices a follower may be behind before the world waits for it."""
PATIENCE: Final = 2.0
"""Seconds of the wall the world waits for a follower that is silent."""
OPENING: Final = 30.0
"""The same before its first word, and for one that asked the world to hold."""
_BEHIND: Final = 0.05
"""Seconds of the wall that the day makes up for, once it had to wait."""
_LOOK: Final = 0.05
"""Seconds of the wall after which a slow world looks whether its pace is another one by now."""
_MOST_UNREAD: Final = 64 << 20
"""Bytes a client may leave unread before it is cut off."""


class ExchangeServer:
    """Steps an exchange in slices, `speed` simulated seconds a second at most, and tells whoever follows.

    A follower paces it: the world is at most AHEAD slices further than the slowest. One that is gone, or silent
    for PATIENCE seconds, is not waited for. What nobody was there to hear is not said again.
    Raises ValueError for a speed that is not above 0.
    """

    def __init__(self, exchange: Exchange, *, speed: float, annals: Annals, say: Callable[[str], None]) -> None:
        self.exchange = exchange
        self.annals = annals
        self.now = exchange.start
        self.clients: dict[_Client, None] = {}
        self._say = say
        self._speed = _checked(speed)
        self._due = 0.0
        self._moved = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._calls = self._table()

    async def open(self, port: int) -> int:
        """Listen on the loopback, 0 for any free port; the port. Raises OSError, in one line, where it is taken."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: _Client(self), HOST, port)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", "") or error
            raise OSError(f"port {port} of {HOST} can't be had: {reason}") from None
        self.annals.note(self.now, "the day begins")
        return self._server.sockets[0].getsockname()[1]

    async def run(self) -> None:
        """Step for ever; after the end of the day only time goes on."""
        loop = asyncio.get_running_loop()
        while True:
            await self._wait_for_followers(loop)
            early = self._due - loop.time()
            if early <= 0:
                self._step()
                self._due = max(self._due, loop.time() - _BEHIND) + SLICE / SECOND / self._speed
            await asyncio.sleep(min(max(early, 0.0), _LOOK))

    def close(self) -> None:
        """Let everybody go."""
        if self._server is not None:
            self._server.close()
        for client in tuple(self.clients):
            client.cut()

    def wake(self) -> None:
        """A client got further, or went."""
        self._moved.set()

    def note(self, text: str) -> None:
        """Something worth a line."""
        self.annals.note(self.now, text)
        self._say(text)

    def ask(self, question: Question) -> Any:
        """Carry out one call. Raises BrokenFrame."""
        known = self._calls.get(question.call)
        if known is None:
            raise BrokenFrame(f"no call {question.call!r}; known: {', '.join(CALLS)}")
        try:
            return known(*msgspec.msgpack.decode(question.arguments, type=CALLS[question.call].takes))
        except (msgspec.DecodeError, KeyError, ValueError) as error:
            raise BrokenFrame(f"{question.call}: {error}") from error

    async def _wait_for_followers(self, loop: asyncio.AbstractEventLoop) -> None:
        while waits := self._waits(loop):
            self._moved.clear()
            timer = loop.call_later(min(waits), self._moved.set)
            await self._moved.wait()
            timer.cancel()

    def _waits(self, loop: asyncio.AbstractEventLoop) -> list[float]:
        """Seconds that each client is still waited for, if it is."""
        now = loop.time()
        return [left for client in self.clients if (left := client.left(now)) > 0]

    def _step(self) -> None:
        self.now += SLICE
        events = self.exchange.advance(self.now)
        self.annals.reports(events)
        followers = [client for client in self.clients if client.follows]
        if followers:
            books = tuple(self.exchange.book(event.symbol) for event in events if isinstance(event, BookChanged))
            told = frame(Slice(self.now, tuple(events), books))
            for client in followers:
                client.tell_slice(told, self.now)

    def _table(self) -> Mapping[str, Callable[..., Any]]:
        exchange = self.exchange
        requests = {"place": exchange.place, "cancel": exchange.cancel, "replace": exchange.replace}
        return {
            "account_state": exchange.account_state,
            "statistics": exchange.statistics,
            "book": exchange.book,
            "charts": exchange.charts,
            "yesterday": exchange.yesterday,
            "ranking": exchange.ranking,
            "vi_list": exchange.vi_list,
            "orders": lambda: exchange.orders,
            "fills": lambda: exchange.fills,
            "time": lambda: self.now,
            "pace": self._pace,
            "close_market": self._close_market,
            "finish": self._finish,
            **{name: partial(self._request, name, do) for name, do in requests.items()},
        }

    def _close_market(self) -> int:
        self.exchange.close_market()
        return self.now

    def _finish(self) -> int:
        self.exchange.finish()
        return self.now

    def _pace(self, speed: float) -> int:
        self._speed = _checked(speed)
        self._due = 0.0
        return self.now

    def _request(self, name: str, do: Callable[..., Any], *arguments: Any) -> Any:
        answer = do(*arguments)
        self.annals.request(self.now, name, arguments, answer)
        return answer


def _checked(speed: float) -> float:
    if not speed > 0:  # nor is it for what is no number
        raise ValueError(f"{speed} simulated seconds a second")
    return speed


class _Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, server: ExchangeServer) -> None:
        self.follows = False
        self._server = server
        self._transport: asyncio.Transport
        self._frames = Frames()
        self._known = False
        self._begun = self._holds = False
        self._handled = self._sent = 0
        self._heard = 0.0

    def left(self, now: float) -> float:
        """Seconds the world still waits for it; not above 0 where it may go on."""
        if self._holds or (self.follows and not self._begun):
            return self._heard + OPENING - now
        if self.follows and self._sent - self._handled >= AHEAD * SLICE:
            return self._heard + PATIENCE - now
        return 0.0

    def tell_slice(self, told: bytes, until: int) -> None:
        """Send a slice."""
        if self._sent == self._handled:
            self._heard = asyncio.get_running_loop().time()
        self._sent = until
        self._write(told)

    def cut(self) -> None:
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._server.clients.pop(self, self) is None and self.follows:
            self._server.note("a follower left")
        self._server.wake()

    def data_received(self, data: bytes) -> None:
        self._heard = asyncio.get_running_loop().time()
        try:
            for body in self._frames.add(data):
                if not self._transport.is_closing():
                    self._hear(body)
        except (BrokenFrame, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._tell(Wrong(str(error)))
            self._server.note(f"a client said what is not understood: {error}; cut off")
            self._transport.close()

    def _hear(self, body: bytes) -> None:
        message = said.decode(body)
        if isinstance(message, Hello):
            self._greet(message)
        elif not self._known:
            raise BrokenFrame("a client says hello first")
        elif isinstance(message, Handled):
            self._begun = True
            self._handled = message.until
            self._server.wake()
        else:
            self._tell(Answer(raw(self._answer(message))))

    def _greet(self, hello: Hello) -> None:
        if hello.version != VERSION:
            raise BrokenFrame(f"this exchange speaks version {VERSION}, not {hello.version}")
        server, exchange = self._server, self._server.exchange
        self._known, self.follows = True, hello.follows
        self._handled = self._sent = server.now
        server.clients[self] = None
        if hello.follows:
            server.annals.note(server.now, "a follower came")
        self._tell(Welcome(VERSION, exchange.account, exchange.start, exchange.end, server.now, exchange.issues()))

    def _answer(self, question: Question) -> Any:
        if question.call in ("hold", "release"):
            self._holds = question.call == "hold"
            self._server.wake()
            return self._server.now
        return self._server.ask(question)

    def _tell(self, message: Told) -> None:
        self._write(frame(message))

    def _write(self, told: bytes) -> None:
        """One that reads nothing is cut off at last."""
        self._transport.write(told)
        if self._transport.get_write_buffer_size() > _MOST_UNREAD:
            self._server.note("a client reads nothing: cut off")
            self._transport.abort()
