"""Orders whose answer is lost, by the thousand, in simulated time: each is at the exchange once or not at all.

python -m actors.campaigns.lost_answers [--orders 10000] [--seed 1]
"""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from enum import StrEnum
from functools import partial
from importlib import import_module
from random import Random
from typing import Any, Final

import msgspec
import structlog

from actors.account.ledger import Ledger
from actors.account.order import Order
from actors.campaigns.outcomes import Outcomes
from actors.gateways.kiwoom.codes import Fid
from actors.gateways.kiwoom.control import Calls
from actors.gateways.kiwoom.orders.trading import Trading
from actors.gateways.kiwoom.queries.queries import Queries
from actors.gateways.kiwoom.queries.reference import Issues
from actors.gateways.kiwoom.screens import Screens
from actors.gateways.pacer import Pacer
from actors.gateways.port import (
    BrokerOrder,
    BrokerPosition,
    BrokerReport,
    BrokerState,
    Instruction,
    KnownOrder,
    SendResult,
    Urgency,
)
from actors.market.time import kst
from messages import Action, ApprovedOrder, Message, Nanoseconds, Shares, Side, Symbol, Won
from runtime.clock import Clock
from runtime.disk.chain import Kept
from runtime.envelope import Envelope
from runtime.loops.loop import virtual_loop
from runtime.testing import Stage

ACCOUNT: Final = "8000000011"
_BATCH: Final = 250
"""Orders of one simulated day."""
_CASH: Final = 10**12
_PRICE: Final = 10_000
_SYMBOLS: Final = tuple(Symbol(f"90{n:04}") for n in range(1, 21))
_ORDERS_A_SECOND: Final = 4
_SETTLED: Final = 400.0
"""Seconds after the last order in which everything must have come to its end."""
_LOOK: Final = 30.0
_LOOKS: Final = 240
"""At what has left; an order that is still here then never will."""


class Loss(StrEnum):
    """What becomes of an answer, and of the order."""

    NEVER_SENT = "never arrived"
    """SendOrder gave 0, and nothing was there."""
    FAILED = "return value lost, not there"
    FAILED_BUT_TAKEN = "return value lost, taken"
    SILENT = "taken, every record lost"
    NO_NUMBER = "taken, number lost"
    LATE = "taken, records a minute late"
    BLIND = "taken, records without screen"


_REACHES: Final = tuple(loss for loss in Loss if loss not in (Loss.NEVER_SENT, Loss.FAILED))
_NOT_SAID: Final = (Loss.FAILED, Loss.FAILED_BUT_TAKEN)
_TRANSMISSION_FAILED: Final = -307
GOOD: Final = ("one order", "no order")


class Exchange:
    """Keeps every order it took; fills some; tells what the loss lets through."""

    def __init__(self, rng: Random, clock: Clock) -> None:
        self.rng = rng
        self.clock = clock
        self.orders: dict[str, BrokerOrder] = {}
        self.calls: list[tuple[Loss, str]] = []
        """What became of each SendOrder, and the number it got."""
        self.trading: Trading
        self.held: Counter[Symbol] = Counter()
        self.cash = _CASH

    def dynamicCall(self, signature: str, arguments: list[Any], /) -> Any:  # noqa: N802 - Qt's name
        """The one call that trades; all others are answered with nothing."""
        if not signature.startswith("SendOrder"):
            return ""
        loss = self.rng.choice(tuple(Loss))
        self.calls.append((loss, self._take(arguments, loss) if loss in _REACHES else ""))
        return _TRANSMISSION_FAILED if loss in _NOT_SAID else 0

    def close(self) -> None:
        """Part of a control."""

    def state(self) -> BrokerState:
        """The account, whole."""
        now = Nanoseconds(self.clock.now())
        held = [_position(symbol, shares) for symbol, shares in sorted(self.held.items())]
        return BrokerState(
            time=now,
            cash=Won(self.cash),
            orderable=Won(self.cash),
            positions=tuple(held),
            orders=tuple(self.orders.values()),
        )

    def _take(self, arguments: list[Any], loss: Loss) -> str:
        _, screen, _, _, code, quantity, price, *_ = arguments
        number = f"{len(self.orders) + 1:07}"
        self.orders[number] = BrokerOrder(
            broker_order=number,
            symbol=Symbol(code),
            side=Side.BUY,
            quantity=Shares(quantity),
            price=Won(price),
            open=Shares(quantity),
            filled=Shares(0),
            amount=Won(0),
            time=Nanoseconds(self.clock.now()),
            status="접수",
        )
        screen = "" if loss is Loss.BLIND else screen
        self._tell(number, loss, screen, fill=0)
        for _ in range(self.rng.randrange(3)):
            self.clock.call_later(self.rng.uniform(0.1, 30), partial(self._fill, number, loss, screen))
        return number

    def _fill(self, number: str, loss: Loss, screen: str) -> None:
        order = self.orders[number]
        if not order.open:
            return
        shares = self.rng.randint(1, order.open)
        self.held[order.symbol] += shares
        self.cash -= shares * order.price
        self.orders[number] = msgspec.structs.replace(
            order,
            open=Shares(order.open - shares),
            filled=Shares(order.filled + shares),
            amount=Won(order.amount + shares * order.price),
            status="체결",
        )
        self._tell(number, loss, screen, fill=shares)

    def _tell(self, number: str, loss: Loss, screen: str, *, fill: int) -> None:
        if loss is Loss.SILENT or (loss in _NOT_SAID and self.rng.random() < 0.5):
            return
        delay = 60.0 if loss is Loss.LATE else self.rng.uniform(0.01, 0.5)
        record = _record(self.orders[number], screen, fill)
        self.clock.call_later(delay, partial(self.trading.on_record, record))


class Line:
    """The broker in front of it: the gateway's own trading half, and the exchange's lists."""

    def __init__(self, exchange: Exchange) -> None:
        clock, control, screens = exchange.clock, exchange, Screens()
        calls = Calls(control)  # type: ignore[arg-type]
        queries = Queries(calls, clock, Pacer(clock, None), screens, 10.0)
        issues = Issues(calls, queries)
        self.exchange = exchange
        self.sent: Counter[int] = Counter()
        self.trading = Trading(calls, clock, screens, issues, account=ACCOUNT, timeout=10.0)
        exchange.trading = self.trading

    async def open(self, report: Callable[[BrokerReport], None], known: Sequence[KnownOrder]) -> None:
        self.trading.open(report, known)

    def learn(self, order: int, broker_order: str) -> None:
        self.trading.learn(order, broker_order)

    async def turn(self, urgency: Urgency) -> None:
        await asyncio.sleep(0.2 if urgency is Urgency.ENTRY else 0)

    def send(self, instruction: Instruction) -> SendResult:
        self.sent[instruction.order] += instruction.action is Action.NEW
        return self.trading.send(instruction)

    async def state(self) -> BrokerState:
        await asyncio.sleep(0.5)
        return self.exchange.state()


class Memory:
    """A journal that is always there."""

    async def read(self, _first: int = 0, _types: tuple[type[Message], ...] = ()) -> AsyncIterator[Envelope]:
        for envelope in ():
            yield envelope

    async def newest(self, kind: type[Kept]) -> Kept | None:
        del kind

    async def durable(self, number: int) -> None:
        assert number

    def emergency(self, number: int) -> None:
        raise KeyError(number)


def campaign(orders: int, seed: int = 1) -> Outcomes:
    """Lose the answers of so many orders; counts by loss and ending, failures with the seed that repeats them."""
    outcomes = Outcomes(GOOD)
    for batch in range(-(-orders // _BATCH)):
        loop = virtual_loop()
        try:
            day = _day(Random(f"{seed} {batch}"), min(_BATCH, orders - batch * _BATCH), outcomes, f"{seed} {batch}")
            loop.run_until_complete(day)
        finally:
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
    return outcomes


async def _day(rng: Random, orders: int, outcomes: Outcomes, name: str) -> None:
    """Everything in simulated time on the running loop."""
    journal = Memory()
    line: list[Line] = []
    make = import_module("actors.trader").Trader
    stage = Stage(make(_Late(line), journal, max_age=10_000.0))
    exchange = Exchange(rng, stage.clock)
    line.append(Line(exchange))
    await stage.start()
    for number in range(1, orders + 1):
        stage.tell(_wish(number, rng, stage.clock.now()))
        await stage.advance(1 / _ORDERS_A_SECOND)
    for _ in range(_LOOKS):
        if len(exchange.calls) >= orders:
            break
        await stage.advance(_LOOK)
    await stage.advance(_SETTLED)
    _judge(stage, line[0], outcomes, name, orders)


class _Late:
    """The trader is made before its stage's clock is known."""

    def __init__(self, line: list[Line]) -> None:
        self._line = line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._line[0], name)


def _judge(stage: Stage, line: Line, outcomes: Outcomes, name: str, orders: int) -> None:
    ledger: Ledger = vars(stage.actor)["_ledger"]
    owners = Counter(number for order in ledger.orders.values() for number in order.broker_orders)
    for order, (loss, number) in zip(line.sent, line.exchange.calls, strict=False):
        ending = _ending(ledger.orders[order], number, line)
        outcomes.add(loss, ending, f"seed and batch {name}, order {order}")
    for order in range(1, orders + 1):
        if not line.sent[order]:
            outcomes.add("order", "never left", f"seed and batch {name}, order {order}")
    agrees = ledger.cash == line.exchange.cash
    shares = all(ledger.held(symbol) == count for symbol, count in line.exchange.held.items())
    if not agrees or not shares or len(owners) != len(line.exchange.orders):
        outcomes.add("account", "differs", f"seed and batch {name}")


def _ending(order: Order, number: str, line: Line) -> str:
    """`number`: what the exchange really gave it."""
    if line.sent[order.number] != 1:
        return "sent again"
    if order.live and not order.broker_orders:
        return "never settled"
    if order.broker_orders != ((number,) if number else ()):
        return "taken for another"
    if not number:
        return "no order"
    truth = line.exchange.orders[number]
    return "one order" if (order.filled, order.open) == (truth.filled, truth.open) else "other figures"


def _wish(number: int, rng: Random, now: int) -> ApprovedOrder:
    """What risk would have approved, few kinds of it, so that many look alike."""
    terms = {
        "order": number,
        "symbol": rng.choice(_SYMBOLS),
        "side": "buy",
        "quantity": rng.choice((1, 5, 10, 20)),
        "kind": "limit",
        "price": _PRICE,
        "purpose": "entry",
        "strategy": "campaign",
        "evidence": {"last": _PRICE, "time": now},
    }
    return msgspec.convert(terms, ApprovedOrder, strict=False)


def _record(order: BrokerOrder, screen: str, fill: int) -> dict[int, str]:
    fields = {
        Fid.ACCOUNT: ACCOUNT,
        Fid.ORDER: order.broker_order,
        Fid.CODE: f"A{order.symbol}",
        Fid.STATUS: order.status,
        Fid.QUANTITY: str(order.quantity),
        Fid.ORDER_PRICE: str(order.price),
        Fid.OPEN: str(order.open),
        Fid.AMOUNT: str(order.amount),
        Fid.ORIGINAL: "0000000",
        Fid.ORDER_TEXT: "+매수",
        Fid.SIDE: "2",
        Fid.ORDER_TIME: f"{kst(order.time):%H%M%S}",
        Fid.FILL: order.broker_order if fill else "",
        Fid.FILL_PRICE: str(order.price) if fill else "",
        Fid.FILL_QUANTITY: str(fill) if fill else "",
        Fid.SCREEN: screen or "0000",
    }
    return {int(fid): value for fid, value in fields.items()}


def _position(symbol: Symbol, shares: int) -> BrokerPosition:
    cost = Won(shares * _PRICE)
    return BrokerPosition(
        symbol=symbol, quantity=Shares(shares), average_price=Won(_PRICE), cost=cost, last=Won(_PRICE)
    )


def main() -> int:
    """Run it from the command line; 0 only if every order is there once or not at all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    outcomes = campaign(given.orders, given.seed)
    outcomes.show(f"{given.orders:,} lost answers, seed {given.seed}")
    return 0 if outcomes.ok else 1


if __name__ == "__main__":
    sys.exit(main())
