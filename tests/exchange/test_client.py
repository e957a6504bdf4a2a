"""What a client makes of an exchange that is late, gone, or nowhere."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from actors.exchange import client as clients
from actors.exchange.client import ExchangeLost, RemoteExchange
from actors.exchange.wire import VERSION, Answer, Welcome, frame, raw
from messages import Kind, Side, Symbol, Validity
from tests.exchange.hosted import hosted

CODE = Symbol("900010")
WELCOME = frame(Welcome(VERSION, "1", 0, 0, 0, ()))


def test_an_answer_that_comes_too_late_is_never_taken_for_the_answer_to_another_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clients, "_TIMEOUT", 0.1)
    with hosted() as host, host.client() as client, host.client() as onlooker:
        monkeypatch.setattr(clients, "_TIMEOUT", 5.0)
        with host.stalled(), pytest.raises(ExchangeLost, match="did not give an answer to place in time"):
            client.place(client.account, Side.BUY, Kind.MARKET, Validity.DAY, CODE, 10, 0, "4000")
        assert [order.number for order in onlooker.orders] == ["0000001"]
        for _ in range(2):
            with pytest.raises(ExchangeLost, match="did not give an answer to place in time"):
                client.cancel(client.account, "0000009", 0, "4000")
        assert [order.number for order in onlooker.orders] == ["0000001"]


def test_half_a_frame_is_one_line_when_the_exchange_goes() -> None:
    with saying(WELCOME[:-2]) as address, pytest.raises(ExchangeLost, match=rf"^the exchange at {address} is gone$"):
        RemoteExchange(address)


def test_an_answer_of_another_form_is_one_line() -> None:
    with saying(WELCOME, frame(Answer(raw("ten")))) as address, RemoteExchange(address) as client:
        with pytest.raises(ExchangeLost, match="said what is not understood: Expected `array`, got `str`"):
            assert client.orders
        with pytest.raises(ExchangeLost, match="said what is not understood"):
            client.ranking()


@contextmanager
def saying(*said: bytes) -> Generator[str]:
    """The address of an exchange that says one thing after the other, each once it is spoken to."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        done = threading.Thread(target=_say, args=(listening, said))
        done.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        done.join()


def _say(listening: socket.socket, said: tuple[bytes, ...]) -> None:
    connection, _ = listening.accept()
    with connection:
        for words in said:
            connection.recv(1 << 16)
            connection.sendall(words)


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "127.0.0.1:", "nowhere"])
def test_an_address_that_is_none_is_one_line(address: str) -> None:
    with pytest.raises(ExchangeLost, match=rf"^no exchange at {address}: [^\n]+$"):
        RemoteExchange(address)
