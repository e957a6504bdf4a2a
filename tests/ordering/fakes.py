"""A journal and a broker that do as they are told."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

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
from messages import Message, Shares, Side, Symbol, Won
from runtime.disk.awaited import JournalFailed
from runtime.disk.chain import Kept
from runtime.disk.errors import DatabaseFull
from runtime.envelope import Envelope
from tests.account.records import CODE, NOON


class FakeJournal:
    """Holds what earlier runs left, said by `source`; durable at once, or only when told so."""

    def __init__(self, *messages: Message, slow: bool = False, source: str = "earlier") -> None:
        self._old = [Envelope(number, NOON, source, 0, message) for number, message in enumerate(messages, 1)]
        self.slow = slow
        self.failed = ""
        self.room = 100
        self.kept: list[int] = []
        self.awaited: list[tuple[int, asyncio.Future[None]]] = []

    async def read(self, first: int = 0, types: tuple[type[Message], ...] = (Message,)) -> AsyncIterator[Envelope]:
        for envelope in self._old:
            if envelope.number >= first and isinstance(envelope.message, types):
                yield envelope

    async def newest(self, kind: type[Kept]) -> Kept | None:
        return next((e.message for e in reversed(self._old) if isinstance(e.message, kind)), None)

    async def durable(self, number: int) -> None:
        if self.failed:
            raise JournalFailed(self.failed)
        if self.slow:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.awaited.append((number, future))
            await future

    def emergency(self, number: int) -> None:
        if self.room <= len(self.kept):
            raise DatabaseFull("no room")
        self.kept.append(number)

    def sync(self) -> None:
        awaited, self.awaited = self.awaited, []
        for _, future in awaited:
            future.set_result(None)


class FakeBroker:
    """Remembers what was sent; answers with the outcomes laid ready, then with SENT."""

    def __init__(self, *states: BrokerState | Exception) -> None:
        self.states: list[BrokerState | Exception] = list(states) or [state()]
        self.sent: list[Instruction] = []
        self.outcomes: list[SendResult] = []
        self.known: Sequence[KnownOrder] = ()
        self.asked = 0
        self.learned: list[tuple[int, str]] = []
        self.turns: list[Urgency] = []
        self.gate: asyncio.Event | None = None
        self.report: Callable[[BrokerReport], None]

    async def open(self, report: Callable[[BrokerReport], None], known: Sequence[KnownOrder]) -> None:
        self.report, self.known = report, known

    def learn(self, order: int, broker_order: str) -> None:
        self.learned.append((order, broker_order))

    async def turn(self, urgency: Urgency) -> None:
        self.turns.append(urgency)
        if self.gate is not None:
            await self.gate.wait()

    def send(self, instruction: Instruction) -> SendResult:
        self.sent.append(instruction)
        return self.outcomes.pop(0) if self.outcomes else SendResult(outcome=Outcome.SENT, screen="4000")

    async def state(self) -> BrokerState:
        self.asked += 1
        await asyncio.sleep(0.01)
        answer = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def state(cash: int = 1_000_000, *rows: BrokerPosition | BrokerOrder) -> BrokerState:
    return BrokerState(
        time=NOON,
        cash=Won(cash),
        orderable=Won(cash),
        positions=tuple(row for row in rows if isinstance(row, BrokerPosition)),
        orders=tuple(row for row in rows if isinstance(row, BrokerOrder)),
    )


def owned(quantity: int, cost: int, symbol: Symbol = CODE) -> BrokerPosition:
    price = Won(cost // quantity)
    return BrokerPosition(symbol=symbol, quantity=Shares(quantity), average_price=price, cost=Won(cost), last=price)


def listed_order(
    number: str = "0000001",
    *,
    side: Side = Side.BUY,
    quantity: int = 10,
    price: int = 10_000,
    filled: int = 0,
    open_: int | None = None,
    status: str = "접수",
    original: str = "",
) -> BrokerOrder:
    return BrokerOrder(
        broker_order=number,
        original=original,
        symbol=CODE,
        side=side,
        quantity=Shares(quantity),
        price=Won(price),
        open=Shares(quantity - filled if open_ is None else open_),
        filled=Shares(filled),
        amount=Won(filled * price),
        time=NOON,
        status=status,
    )
