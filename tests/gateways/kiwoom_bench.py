"""A gateway over a fake control, in virtual time."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from functools import wraps
from pathlib import Path
from typing import Any

from actors.gateways.kiwoom.ocx import OcxGateway
from actors.gateways.port import BrokerReport, FeedMessage
from messages import Symbol
from runtime.clock import SimulatedClock
from runtime.loops.loop import VirtualLoop
from runtime.testing import START, in_virtual_time
from tests.gateways.fake_control import FakeControl


class Bench:
    def __init__(self, folder: Path, **keys: Any) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self.clock = SimulatedClock(START, loop)
        self.control = FakeControl()
        self.gateway = OcxGateway(self.clock, folder, random.Random(1), **keys)
        self.gateway._open_control = lambda: self.control  # type: ignore[method-assign]
        self.reports: list[BrokerReport] = []
        self.watched: dict[Symbol, None] = {}

    async def settle(self, seconds: float = 0.0) -> None:
        await asyncio.sleep(seconds)
        for _ in range(10):
            await asyncio.sleep(0)

    async def batch(self, stream: Any) -> Sequence[FeedMessage]:
        return await asyncio.wait_for(anext(stream), 1)

    def real(self, kind: str, data: str, code: str = "005930") -> None:
        self.watched[Symbol(code)] = None
        self.gateway.watch(tuple(self.watched), ())
        self.control.OnReceiveRealData.emit(code, kind, data)

    def chejan(self, screen: str, status: str, *, left: int, fill: int = 0) -> None:
        cells = {9201: "8000000011", 9203: "0000001", 9001: "A005930", 913: status, 900: "10", 901: "77000"}
        cells |= {902: str(left), 903: str(fill * 77_000), 905: "+매수", 907: "2", 908: "090002", 920: screen}
        cells |= {914: "77000", 915: str(fill)} if fill else {}
        self.control.chejan = cells
        self.control.OnReceiveChejanData.emit("0", 35, "")


def on_a_bench(test: Callable[[Bench], Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(tmp_path: Path) -> None:
        async def inside() -> None:
            bench = Bench(tmp_path)
            async with bench.gateway:
                await test(bench)
            assert bench.control.closed
            assert bench.gateway.statistics()["slot failures"] == 0

        in_virtual_time(inside)()

    del run.__wrapped__  # type: ignore[attr-defined]
    return run
