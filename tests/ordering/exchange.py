"""A small broker that keeps the truth and tells it badly: late, twice, out of order, or not at all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from actors.gateways.port import (
    BrokerOrder,
    BrokerPosition,
    BrokerReport,
    BrokerState,
    Instruction,
    KnownOrder,
    Outcome,
    SendResult,
    Urgency,
)
from actors.market import krx
from messages import (
    Action,
    CancelRejected,
    Nanoseconds,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderRejected,
    Shares,
    Side,
    Symbol,
    Won,
)
from runtime.clock import Clock


@dataclass(slots=True)
class Entry:
    """One order as the broker has it."""

    instruction: Instruction
    number: str
    price: int
    filled: int = 0
    amount: int = 0
    commission: int = 0
    tax: int = 0
    open: int = 0
    status: str = "접수"


class UnreliableBroker:
    """Fills what is marketable in random parts; loses, repeats and swaps its records."""

    def __init__(self, clock: Clock, rng: Random, *, cash: int, faults: float) -> None:
        self._clock, self._rng, self._faults = clock, rng, faults
        self._report: Callable[[BrokerReport], None]
        self.cash = cash
        self.holdings: dict[Symbol, int] = {}
        self.orders: dict[int, Entry] = {}
        self.commission = self.tax = 0
        self.sent: list[tuple[int, Action]] = []

    async def open(self, report: Callable[[BrokerReport], None], known: Sequence[KnownOrder]) -> None:
        assert all(order.broker_order in {"", self.orders[order.order].number} for order in known if order.broker_order)
        self._report = report

    def hang_up(self) -> None:
        """Nobody listens any more: what happens now is told to no one."""
        self._report = lambda _report: None

    def learn(self, order: int, broker_order: str) -> None:
        """It knows its orders by our numbers."""

    async def turn(self, urgency: Urgency) -> None:
        await self._clock.sleep(0.05 * urgency)

    def send(self, instruction: Instruction) -> SendResult:
        self.sent.append((instruction.order, instruction.action))
        draw = self._rng.random()
        if draw < self._faults / 4:
            return SendResult(outcome=Outcome.LATER)
        if instruction.action is Action.CANCEL:
            self._cancel(instruction)
        elif draw < self._faults / 2:
            return SendResult(outcome=Outcome.UNKNOWN, reason="no answer")
        else:
            self._place(instruction)
            if draw > 1 - self._faults / 4:
                return SendResult(outcome=Outcome.UNKNOWN, reason="no answer")
        return SendResult(outcome=Outcome.SENT, screen="4000")

    async def state(self) -> BrokerState:
        await self._clock.sleep(0.01)
        return BrokerState(
            time=Nanoseconds(self._clock.now()),
            cash=Won(self.cash),
            orderable=Won(self.cash),
            positions=tuple(_position(symbol, count) for symbol, count in self.holdings.items() if count),
            orders=tuple(_listed(entry, self._clock.now()) for entry in self.orders.values()),
        )

    def _place(self, asked: Instruction) -> None:
        assert asked.order not in self.orders, "doubled"
        entry = Entry(asked, f"{len(self.orders) + 1:07}", asked.price or 10_000, open=asked.quantity)
        if self._rng.random() < self._faults / 4:
            self._tell(OrderRejected(**self._about(asked), reason="no"))
            return
        self.orders[asked.order] = entry
        self._tell(OrderAccepted(**self._about(asked), broker_order=entry.number))
        for _ in range(self._rng.randrange(4)):
            self._clock.call_later(self._rng.uniform(0.1, 8), lambda: self._fill(entry))

    def _fill(self, entry: Entry) -> None:
        if not entry.open:
            return
        asked, shares = entry.instruction, self._rng.randint(1, entry.open)
        sign = 1 if asked.side is Side.BUY else -1
        entry.filled, entry.open, entry.amount = (
            entry.filled + shares,
            entry.open - shares,
            entry.amount + shares * entry.price,
        )
        commission = krx.commission(entry.amount, 0.00015)
        tax = entry.amount * 15 // 10_000 if asked.side is Side.SELL else 0
        costs = commission - entry.commission + tax - entry.tax
        self.commission, self.tax = self.commission + commission - entry.commission, self.tax + tax - entry.tax
        entry.commission, entry.tax, entry.status = commission, tax, "체결"
        self.cash -= sign * shares * entry.price + costs
        self.holdings[asked.symbol] = self.holdings.get(asked.symbol, 0) + sign * shares
        fill = OrderFilled(
            **self._about(asked),
            broker_order=entry.number,
            fill=f"{entry.filled}",
            side=asked.side,
            price=Won(entry.price),
            quantity=Shares(shares),
            filled=Shares(entry.filled),
            amount=Won(entry.amount),
            open=Shares(entry.open),
            commission=commission,
            tax=Won(tax),
        )
        self._tell(fill)

    def _cancel(self, asked: Instruction) -> None:
        entry = self.orders[asked.order]
        if not entry.open:
            self._tell(CancelRejected(**self._about(asked), reason="nothing open"))
            return
        gone, entry.open, entry.status = entry.open, 0, "취소"
        self._tell(OrderCanceled(**self._about(asked), broker_order=entry.number, canceled=Shares(gone)))

    def _tell(self, report: BrokerReport) -> None:
        times = 0 if self._rng.random() < self._faults else 1 + (self._rng.random() < self._faults)
        for _ in range(times):
            self._clock.call_later(self._rng.uniform(0.001, 0.5), lambda: self._report(report))

    def _about(self, asked: Instruction) -> dict[str, Any]:
        return {
            "order": asked.order,
            "symbol": asked.symbol,
            "strategy": asked.strategy,
            "time": self._clock.now(),
        }


def _position(symbol: Symbol, count: int) -> BrokerPosition:
    cost = Won(count * 10_000)
    return BrokerPosition(symbol=symbol, quantity=Shares(count), average_price=Won(10_000), cost=cost, last=Won(10_000))


def _listed(entry: Entry, now: int) -> BrokerOrder:
    asked = entry.instruction
    return BrokerOrder(
        broker_order=entry.number,
        symbol=asked.symbol,
        side=asked.side,
        quantity=asked.quantity,
        price=asked.price,
        open=Shares(entry.open),
        filled=Shares(entry.filled),
        amount=Won(entry.amount),
        commission=Won(entry.commission),
        tax=Won(entry.tax),
        time=Nanoseconds(now),
        status=entry.status,
    )
