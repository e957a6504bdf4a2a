"""Orders whose system is gone are taken back over a second connection; where there is none, one line says so."""

import asyncio
from typing import Any

import pytest

from actors.exchange.records import Refusal
from actors.gateways.dead_man import canceller
from actors.gateways.kiwoom.ocx import OcxGateway
from actors.gateways.kiwoom.twin.dead_man import ExchangeCanceller
from actors.gateways.kiwoom.twin.settings import TwinSettings
from actors.gateways.paper import PaperBroker
from messages import Kind, Side, Validity
from tests.exchange.hosted import Host, hosted, until

FAST = 500.0


def place(host: Host, count: int) -> None:
    """Rests of buys far below the market, by a client that then goes away."""
    with host.client() as client:
        symbol = client.issues()[0].symbol
        lowest = client.issues()[0].lower_limit
        for _ in range(count):
            number = client.place(client.account, Side.BUY, Kind.LIMIT, Validity.DAY, symbol, 1, lowest, "gone")
            assert isinstance(number, str)
        until(lambda: sum(order.status == "접수" for order in client.orders) >= count)


def test_all_that_is_open_is_taken_back_and_confirmed() -> None:
    with hosted(speed=FAST) as host:
        place(host, 6)
        cleared = asyncio.run(ExchangeCanceller(host.address).cancel_all(""))
        again = asyncio.run(ExchangeCanceller(host.address).cancel_all(""))
        with host.client() as client:
            state = client.account_state(client.account)

    assert (cleared.canceled, cleared.left) == (6, ())
    assert again.canceled == 0
    assert not isinstance(state, Refusal)
    assert not [order for order in state.orders if order.open]


def test_an_exchange_that_is_not_there_is_a_connection_error() -> None:
    with hosted() as host:
        address = host.address
    with pytest.raises(ConnectionError):
        asyncio.run(ExchangeCanceller(address).cancel_all(""))


@pytest.mark.parametrize(
    ("maker", "keys", "line"),
    [
        (OcxGateway, {"control": "activex", "account": "1"}, "Kiwoom allows one login"),
        (OcxGateway, {}, "lives and dies with the system"),
        (OcxGateway, {"twin": TwinSettings()}, "lives and dies with the system"),
        (PaperBroker, {"cash": 1}, "PaperBroker keeps no orders that outlive the system"),
    ],
)
def test_a_gateway_without_a_second_way_says_so_in_one_line(maker: type[Any], keys: dict[str, Any], line: str) -> None:
    offered = canceller(maker, keys)

    assert isinstance(offered, str)
    assert line in offered
    assert "\n" not in offered


def test_a_twin_over_another_process_offers_one() -> None:
    with hosted() as host:
        offered = canceller(OcxGateway, {"twin": TwinSettings(exchange=host.address), "control": "twin"})

    assert isinstance(offered, ExchangeCanceller)
