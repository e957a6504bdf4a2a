"""Parts that mean no good, each in its own way."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

from actors.gateways.kiwoom.ocx import OcxGateway
from actors.strategies.base import Strategy
from messages import Kind, OrderIntent, Purpose, Shares, Side, StopSystem, Symbol, Tick, Won
from runtime.actor import Actor, handles


def _intent(strategy: str, symbol: Symbol, price: Any, quantity: Any = 1) -> OrderIntent:
    return OrderIntent(
        symbol=symbol,
        side=Side.BUY,
        quantity=Shares(quantity),
        kind=Kind.LIMIT,
        price=Won(price),
        purpose=Purpose.ENTRY,
        strategy=strategy,
        reason="hostile",
    )


class Raiser(Strategy):
    """Fails on every tick."""

    @handles
    def on_tick(self, tick: Tick) -> None:
        raise RuntimeError(f"no {tick.price}")


class Dreamer(Strategy):
    """Wants prices that are none, and amounts that nobody can count."""

    @handles
    def on_tick(self, tick: Tick) -> None:
        if tick.price % 2:
            self.publish(_intent(self.desk.name, tick.symbol, 10**30))
        self.publish(_intent(self.desk.name, tick.symbol, float("nan")))


class Sleeper(Strategy):
    """Falls asleep over its first tick."""

    @handles
    async def on_tick(self, _: Tick) -> None:
        await asyncio.sleep(10**6)


class Flooder(Strategy):
    """Wants ten thousand things at its first tick."""

    flooded = False

    @handles
    def on_tick(self, tick: Tick) -> None:
        if not self.flooded:
            self.flooded = True
            for number in range(10_000):
                self.publish(_intent(self.desk.name, tick.symbol, tick.price, 1 + number % 7 - 3))


class Babbler(Actor):
    """Says what it never declared."""

    @handles
    def on_tick(self, _: Tick) -> None:
        self.publish(StopSystem(reason="because"))


_GARBLINGS: tuple[Callable[[str], str], ...] = (
    lambda data: data[:0],
    lambda data: " " * len(data),
    lambda data: data[:0] + "+-",
    lambda data: data[: len(data) // 2],
    lambda data: data + "\t1" * 500,
    lambda data: data.replace("\t", "\t--", 3),
    lambda data: "삼성전자".encode("cp949").decode("latin-1") + data,
    lambda data: data.replace("0", "\0"),
    lambda data: "9" * 100_000 + data,
    lambda data: "\t".join(reversed(data.split("\t"))),
    lambda data: data.replace("\t", ""),
    lambda data: data.replace("1", "١"),
)


class GarbledGateway(OcxGateway):
    """Every tenth record comes garbled, some of a type or a code that nobody knows."""

    def add_real(self, code: str, kind: str, data: str) -> None:
        chance: random.Random = self._rng
        if chance.random() < 0.1:
            data = chance.choice(_GARBLINGS)(data)
            code, kind = chance.choice(((code, kind), ("", kind), ("없는코드", kind), (code, "모르는것")))
        super().add_real(code, kind, data)
