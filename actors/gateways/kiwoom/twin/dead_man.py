"""Takes back open orders at an exchange that runs as a process of its own, beside the system that placed them."""

import asyncio
from typing import Final

from actors.exchange.client import RemoteExchange
from actors.exchange.records import OrderRecord, Refusal
from actors.gateways.dead_man import Cleared
from messages import Action

_PAUSE: Final = 0.21
"""Seconds between two requests: the broker takes five a second."""
_PATIENCE: Final = 5.0
"""Seconds that the last confirmation may take."""
_TAG: Final = "dead-man"


class ExchangeCanceller:
    """A Canceller for the exchange at `HOST:PORT`."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def cancel_all(self, account: str) -> Cleared:
        """Raises ConnectionError where the exchange is not there."""
        exchange = await asyncio.to_thread(RemoteExchange, self._address)
        try:
            return await self._clear(exchange, account or exchange.account)
        finally:
            exchange.close()

    async def _clear(self, exchange: RemoteExchange, account: str) -> Cleared:
        asked = await self._open(exchange, account)
        for number, order in enumerate(asked):
            if number:
                await asyncio.sleep(_PAUSE)
            await asyncio.to_thread(exchange.cancel, account, order.number, 0, _TAG)
        left = await self._open(exchange, account)
        for _ in range(round(_PATIENCE / _PAUSE)):
            if not left:
                break
            await asyncio.sleep(_PAUSE)
            left = await self._open(exchange, account)
        return Cleared(canceled=len(asked) - len(left), left=tuple(map(_line, left)))

    async def _open(self, exchange: RemoteExchange, account: str) -> list[OrderRecord]:
        state = await asyncio.to_thread(exchange.account_state, account)
        if isinstance(state, Refusal):
            raise ConnectionError(f"the exchange does not tell account {account[-2:]}: {state}")
        return [order for order in state.orders if order.open and order.action is not Action.CANCEL]


def _line(order: OrderRecord) -> str:
    return f"{order.number}: {order.side} {order.open} {order.symbol}"
