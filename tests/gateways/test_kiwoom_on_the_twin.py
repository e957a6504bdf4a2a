import asyncio
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.gateways.kiwoom.ocx import OcxGateway
from actors.gateways.kiwoom.twin.settings import TwinSettings
from actors.gateways.kiwoom.twin.twin import Twin
from actors.gateways.port import BrokerReport, Instruction
from messages import (
    Action,
    Kind,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    Shares,
    Side,
    Tick,
    Validity,
    Won,
)
from runtime.clock import SimulatedClock
from runtime.loops.loop import VirtualLoop
from runtime.testing import in_virtual_time

MODES = [
    {"answers": "official", "clearing": "after"},
    {"answers": "recorded", "clearing": "before"},
    {"answers": "late", "clearing": "none"},
    {"answers": "mixed", "clearing": "mixed", "reentrant": True},
    {"faults": [{"kind": "repeat", "record": "chejan", "times": 0, "chance": 0.3}]},
    {"faults": [{"kind": "reorder", "record": "chejan", "times": 0, "chance": 0.1}]},
    {"faults": [{"kind": "blank", "record": "answer", "times": 0, "chance": 0.3}]},
]


class Dealer:
    """Sends an order now and then, and cancels or replaces some of them."""

    def __init__(self, gateway: OcxGateway, clock: SimulatedClock) -> None:
        self.gateway = gateway
        self.clock = clock
        self.rng = random.Random(5)
        self.reports: list[BrokerReport] = []
        self.sent: dict[int, Instruction] = {}
        self.seen = 0

    def on_tick(self, tick: Tick) -> None:
        self.seen += 1
        if self.seen % 60 == 0 and tick.ask and tick.bid:
            self._order(tick)

    def _order(self, tick: Tick) -> None:
        price = self.rng.choice((tick.ask, tick.bid, 0))
        instruction = Instruction(
            order=self.seen,
            action=Action.NEW,
            strategy="dealer",
            symbol=tick.symbol,
            side=Side.BUY,
            kind=Kind.LIMIT if price else Kind.MARKET,
            validity=Validity.DAY,
            quantity=Shares(self.rng.randint(1, 30)),
            price=Won(price),
        )
        self.sent[self.seen] = instruction
        self.gateway.send(instruction)
        self.clock.call_later(self.rng.choice((0.5, 3.0)), lambda: self._change(instruction, tick.ask))

    def _change(self, instruction: Instruction, price: int) -> None:
        mine = [report for report in self.reports if getattr(report, "order", 0) == instruction.order]
        left = instruction.quantity - sum(fill.quantity for fill in mine if isinstance(fill, OrderFilled))
        number = next((report.broker_order for report in mine if isinstance(report, OrderAccepted)), "")
        if number and left and instruction.price:
            action = self.rng.choice((Action.CANCEL, Action.REPLACE))
            change = {"action": action, "broker_order": number, "quantity": left, "price": price}
            self.gateway.send(msgspec.structs.replace(instruction, **change))


@pytest.mark.parametrize("mode", MODES)
def test_what_the_gateway_reports_is_what_the_broker_holds(mode: dict[str, Any], tmp_path: Path) -> None:
    @in_virtual_time
    async def trade() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        settings = msgspec.convert({"issues": 3, "begin": "08:59", "finish": "09:06", **mode}, TwinSettings)
        clock = SimulatedClock(Twin(settings, SimulatedClock(0, loop), random.Random(1)).start, loop)
        gateway = OcxGateway(clock, tmp_path, random.Random(1), twin=settings)
        async with gateway:
            dealer = Dealer(gateway, clock)
            await gateway.open(dealer.reports.append, ())
            symbols = [instrument.symbol for instrument in await gateway.instruments(())]
            gateway.watch(symbols, symbols[:1])
            async for batch in gateway.stream():
                for message in batch:
                    if isinstance(message, Tick):
                        dealer.on_tick(message)
            state = await gateway.state()
            counts = gateway.statistics()
        fills = [report for report in dealer.reports if isinstance(report, OrderFilled)]
        bought = {symbol: sum(fill.quantity for fill in fills if fill.symbol == symbol) for symbol in symbols}
        assert {position.symbol: position.quantity for position in state.positions} == {
            symbol: quantity for symbol, quantity in bought.items() if quantity
        }
        assert sum(position.cost for position in state.positions) == sum(fill.price * fill.quantity for fill in fills)
        assert_every_order_ends_once(dealer.sent, dealer.reports)
        assert counts["slot failures"] == counts.get("real rejected", 0) == counts.get("order rejected", 0) == 0
        assert counts.get("real fallbacks", 0) == 0
        assert {OrderFilled, OrderCanceled, OrderReplaced} <= {type(report) for report in dealer.reports}

    trade()


def assert_every_order_ends_once(sent: dict[int, Instruction], reports: Sequence[BrokerReport]) -> None:
    for order, instruction in sent.items():
        mine = [report for report in reports if getattr(report, "order", 0) == order]
        filled = sum(report.quantity for report in mine if isinstance(report, OrderFilled))
        dead = sum(report.canceled for report in mine if isinstance(report, OrderCanceled))
        dead += sum(report.expired for report in mine if isinstance(report, OrderExpired))
        refused = any(isinstance(report, OrderRejected) for report in mine)
        assert refused or filled + dead == instruction.quantity, mine
