"""An exchange in another process, with the surface of one in this."""

import socket
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, Self

import msgspec

from actors.exchange.events import ExchangeEvent
from actors.exchange.records import (
    AccountState,
    BookSnapshot,
    FillRecord,
    OrderRecord,
    Refusal,
    Statistics,
    ViRecord,
)
from actors.exchange.wire import (
    CALLS,
    VERSION,
    Answer,
    BrokenFrame,
    Frames,
    Handled,
    Hello,
    Question,
    Said,
    Slice,
    Welcome,
    Wrong,
    frame,
    raw,
    told,
)
from messages import Bar, Instrument, Kind, Ranked, Side, Symbol, Validity

_TIMEOUT: Final = 10.0
"""Seconds of the wall until an answer."""
_READ: Final = 1 << 18


class ExchangeLost(ConnectionError):
    """The exchange can't be reached, went away, or said what is not understood; one line."""


class RemoteExchange:
    """A connection to an ExchangeServer at `HOST:PORT`; calls wait for their answer.

    Raises ExchangeLost, and from then on nothing else: a late answer is never taken for that to another call.
    One that `follows` gets the slices of the day from `begin` on, and is the pace of the world: `take` one,
    then say that it is `handled`. Until `begin` the world stands still for it.
    """

    def __init__(self, address: str, *, follows: bool = False) -> None:
        self.on_slice: Callable[[], None] = _nothing
        """Called when a slice came; one may come while an answer is waited for."""
        self._address = address
        self._buffer = memoryview(bytearray(_READ))
        """One for all reads: so large a piece of memory for each, cut down to what came, leaves holes behind."""
        self._frames = Frames()
        self._answers: deque[msgspec.Raw] = deque()
        self._slices: deque[Slice] = deque()
        self._books: dict[Symbol, BookSnapshot] = {}
        self._follows = follows
        self._welcome: Welcome | None = None
        self._lost = ""
        """Why there is no exchange any more."""
        self._socket = self._connect()
        welcome = self._greet()
        self.account = welcome.account
        self.start, self.end = welcome.start, welcome.end
        self._now = welcome.now
        self._issues = welcome.issues
        self._by_symbol = {issue.symbol: issue for issue in welcome.issues}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def fileno(self) -> int:
        """Of the socket, for a loop that watches it."""
        return self._socket.fileno()

    @property
    def now(self) -> int:
        """Where the slices taken have come to; for one who doesn't follow, where the world is."""
        return self._now if self._follows else self._ask("time")

    def begin(self) -> None:
        """Let the world go on, and slices come."""
        self._say(Handled(self._now))

    def collect(self) -> None:
        """Read what has come, without waiting."""
        self._socket.settimeout(0)
        try:
            while True:
                self._read()
        except BlockingIOError:
            return
        finally:
            self._socket.settimeout(_TIMEOUT)

    def wait(self) -> None:
        """Return once a slice is waiting."""
        while not self._slices:
            self._read_or_fail("a slice")

    @property
    def waiting(self) -> int:
        """Slices that came and were not taken."""
        return len(self._slices)

    def take(self) -> Sequence[ExchangeEvent]:
        """The next slice's events; `now` is its end from here on."""
        given = self._slices.popleft()
        self._now = given.until
        for book in given.books:
            self._books[book.symbol] = book
        return given.events

    def handled(self) -> None:
        """The slice taken last is dealt with."""
        self._say(Handled(self._now))

    def place(  # noqa: PLR0917  an order is these eight things
        self,
        account: str,
        side: Side,
        kind: Kind,
        validity: Validity,
        symbol: Symbol,
        quantity: int,
        price: int,
        tag: str,
    ) -> str | Refusal:
        return self._ask("place", account, side, kind, validity, symbol, quantity, price, tag)

    def cancel(self, account: str, original: str, quantity: int, tag: str) -> str | Refusal:
        return self._ask("cancel", account, original, quantity, tag)

    def replace(self, account: str, original: str, quantity: int, price: int, tag: str) -> str | Refusal:
        return self._ask("replace", account, original, quantity, price, tag)

    def account_state(self, account: str) -> AccountState | Refusal:
        return self._ask("account_state", account)

    def statistics(self, symbol: Symbol) -> Statistics:
        return self._ask("statistics", symbol)

    def book(self, symbol: Symbol) -> BookSnapshot:
        """As the slices taken left it, where one told of it."""
        return self._books.get(symbol) or self._ask("book", symbol)

    def charts(self, symbol: Symbol, interval: int) -> tuple[Bar, ...]:
        return self._ask("charts", symbol, interval)

    def yesterday(self, symbol: Symbol) -> Bar | None:
        return self._ask("yesterday", symbol)

    def ranking(self) -> tuple[Ranked, ...]:
        return self._ask("ranking")

    def vi_list(self) -> tuple[ViRecord, ...]:
        return self._ask("vi_list")

    def issues(self) -> tuple[Instrument, ...]:
        return self._issues

    def instrument(self, symbol: Symbol) -> Instrument | None:
        return self._by_symbol.get(symbol)

    @property
    def orders(self) -> tuple[OrderRecord, ...]:
        """Every request of the day, oldest first: the exchange's own truth, which only checks read."""
        return self._ask("orders")

    @property
    def fills(self) -> tuple[FillRecord, ...]:
        """Every fill of ours, oldest first."""
        return self._ask("fills")

    def close_market(self) -> int:
        """End trading for the day, which goes on; the time."""
        return self._ask("close_market")

    def finish(self) -> int:
        """End the day; the time."""
        self.end = self._ask("finish")
        return self.end

    def pace(self, speed: float) -> int:
        """Let the world go by so many simulated seconds a second, at most; the time."""
        return self._ask("pace", speed)

    def hold(self) -> int:
        """Let the world stand still, for half a minute at most; the time."""
        return self._ask("hold")

    def release(self) -> int:
        """Let it go on; the time."""
        return self._ask("release")

    def _connect(self) -> socket.socket:
        host, _, port = self._address.rpartition(":")
        try:
            made = socket.create_connection((host, int(port)), _TIMEOUT)
        except (OSError, ValueError) as error:
            raise ExchangeLost(f"no exchange at {self._address}: {error}") from None
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def _ask(self, call: str, *arguments: Any) -> Any:
        self._say(Question(call, raw(arguments)))
        while not self._answers:
            self._read_or_fail(f"an answer to {call}")
        try:
            return msgspec.msgpack.decode(self._answers.popleft(), type=CALLS[call].gives)
        except msgspec.DecodeError as error:
            raise self._lose(f"said what is not understood: {error}") from None

    def _say(self, message: Said) -> None:
        self._refuse_if_lost()
        try:
            self._socket.sendall(frame(message))
        except OSError as error:
            raise self._lose(f"is gone: {error}") from None

    def _greet(self) -> Welcome:
        try:
            self._say(Hello(VERSION, self._follows))
            while self._welcome is None:
                self._read_or_fail("its welcome")
        except ExchangeLost:
            self.close()
            raise
        return self._welcome

    def _read_or_fail(self, what: str) -> None:
        try:
            self._read()
        except TimeoutError:
            raise self._lose(f"did not give {what} in time") from None

    def _read(self) -> None:
        for body in self._receive():
            message = self._understood(body)
            if isinstance(message, Answer):
                self._answers.append(message.value)
            elif isinstance(message, Slice):
                self._slices.append(message)
                self.on_slice()
            else:
                self._welcome = message

    def _receive(self) -> list[bytes]:
        self._refuse_if_lost()
        try:
            count = self._socket.recv_into(self._buffer)
            if count:
                return self._frames.add(self._buffer[:count])
        except (BlockingIOError, TimeoutError):
            raise
        except (OSError, BrokenFrame) as error:
            raise self._lose(f"is gone: {error}") from None
        raise self._lose("is gone")

    def _understood(self, body: bytes) -> Answer | Slice | Welcome:
        try:
            message = told.decode(body)
        except msgspec.DecodeError as error:
            raise self._lose(f"said what is not understood: {error}") from None
        if isinstance(message, Wrong):
            raise self._lose(f"says: {message.reason}")
        return message

    def _lose(self, why: str) -> ExchangeLost:
        """The socket stays open, as a loop may watch it, but neither side hears of the other again."""
        self._lost = f"the exchange at {self._address} {why}"
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        return ExchangeLost(self._lost)

    def _refuse_if_lost(self) -> None:
        if self._lost:
            raise ExchangeLost(self._lost)


def _nothing() -> None:
    """Whoever doesn't follow hears of no slice."""
