"""A program that does what most do with Kiwoom's control: connects the events and writes down what comes."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import msgspec

from actors.gateways.kiwoom.twin.twin import Twin, TwinSettings, open_control
from runtime.clock import Clock, SimulatedClock
from runtime.loops.loop import VirtualLoop

SEND_ORDER = "SendOrder(QString, QString, QString, int, QString, int, int, QString, QString)"
SIGNALS = (
    "OnEventConnect",
    "OnReceiveMsg",
    "OnReceiveTrData",
    "OnReceiveRealData",
    "OnReceiveChejanData",
    "OnReceiveConditionVer",
    "OnReceiveTrCondition",
    "OnReceiveRealCondition",
)


class Consumer:
    def __init__(self, twin: Twin, clock: Clock) -> None:
        self.twin = twin
        self.clock = clock
        self.events: list[tuple[str, tuple[Any, ...]]] = []
        self.inside: Callable[[str, tuple[Any, ...]], None] = lambda _name, _args: None
        self.records: list[tuple[str, dict[int, str]]] = []
        self.numbers: list[str] = []
        for name in SIGNALS:
            self._connect(name)

    def call(self, name: str, *arguments: Any) -> Any:
        types = ", ".join("int" if isinstance(value, int) else "QString" for value in arguments)
        return self.twin.dynamicCall(f"{name}({types})", list(arguments))

    def order(self, screen: str = "2000", **changes: Any) -> Any:
        terms = {"kind": 1, "code": "900010", "quantity": 1, "price": 0, "hoga": "03", "original": ""} | changes
        account = terms.pop("account", "8000000011")
        return self.twin.dynamicCall(SEND_ORDER, ["order", screen, account, *terms.values()])

    def ask(self, tr: str, inputs: dict[str, str], *, following: int = 0, screen: str = "1000", name: str = "q") -> Any:
        for item, value in inputs.items():
            self.call("SetInputValue", item, value)
        return self.call("CommRqData", name, tr, following, screen)

    async def rest(self, seconds: float) -> None:
        await self.clock.sleep(seconds)

    def named(self, name: str) -> list[tuple[Any, ...]]:
        return [args for signal, args in self.events if signal == name]

    def reals(self, kind: str) -> list[list[str]]:
        return [args[2].split("\t") for args in self.named("OnReceiveRealData") if args[1] == kind]

    def statuses(self) -> list[tuple[str, str, str]]:
        return [
            (fields[905], fields[913], fields[902]) if gubun == "0" else ("잔고", "", fields[930])
            for gubun, fields in self.records
        ]

    def _connect(self, name: str) -> None:
        def slot(*args: Any) -> None:
            self.events.append((name, args))
            if name == "OnReceiveChejanData":
                fids = [int(fid) for fid in args[2].split(";")]
                self.records.append((args[0], {fid: self.call("GetChejanData", fid) for fid in fids}))
            if name == "OnReceiveTrData" and args[2].startswith("KOA"):
                self.numbers.append(self.call("GetCommData", args[2], args[1], 0, "주문번호").strip())
            self.inside(name, args)

        getattr(self.twin, name).connect(slot)


def settings_of(**settings: Any) -> TwinSettings:
    return msgspec.convert({"issues": 1, "begin": "08:59:50", "finish": "09:03"} | settings, TwinSettings)


def opened(**settings: Any) -> Consumer:
    """A twin on the virtual loop, not yet logged in; the day is three minutes from the opening on."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    chosen = settings_of(**settings)
    clock = SimulatedClock(chosen.start, loop)
    return Consumer(open_control(chosen, clock, random.Random(1)), clock)


async def logged_in(**settings: Any) -> Consumer:
    consumer = opened(**settings)
    assert consumer.call("CommConnect") == 0
    await consumer.rest(0.5)
    assert consumer.named("OnEventConnect") == [(0,)]
    return consumer


async def trading(**settings: Any) -> Consumer:
    """Logged in, ten seconds after the opening."""
    consumer = await logged_in(**settings)
    await consumer.rest(20)
    return consumer
