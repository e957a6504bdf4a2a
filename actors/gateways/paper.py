"""A broker on paper around any feed: a live feed inside is paper trading, a replay inside is a backtest."""

from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Final, Protocol, Self, runtime_checkable

from actors.gateways.paper_account import PaperAccount, record
from actors.gateways.paper_queue import MARKET, PaperFill, PaperOrder, PaperQueue
from actors.gateways.port import (
    BrokerReport,
    BrokerState,
    Feed,
    FeedMessage,
    Instruction,
    KnownOrder,
    Outcome,
    Reference,
    SendResult,
    Urgency,
)
from actors.market import krx
from actors.market.calendar import Calendar
from actors.market.time import SECOND, at, kst
from actors.market.venues import HOME
from messages import (
    Action,
    Bar,
    CancelRejected,
    FeedEnded,
    FeedLost,
    Instrument,
    InstrumentHalted,
    Kind,
    MarketData,
    Nanoseconds,
    OrderAccepted,
    OrderBook,
    OrderCanceled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
    Ranked,
    ReplaceRejected,
    Session,
    SessionChanged,
    Shares,
    Side,
    Symbol,
    Tick,
    ViReleased,
    ViTriggered,
    Won,
)
from runtime.clock import Clock
from runtime.settings.bounds import Amount, Part, Rate, Seconds

_OPEN: Final = (Session.OPENING_AUCTION, Session.CLOSING_AUCTION, Session.CONTINUOUS)
_OVER: Final = (Session.CLOSED_FOR_DAY, Session.AFTER_HOURS_CLOSE, Session.AFTER_HOURS_SINGLE)


class MarketFeed(Feed, Reference, Protocol):
    """What the broker on paper needs of the gateway inside."""


@runtime_checkable
class Batching(Protocol):
    """A feed that gives what happened within so many seconds at the end of that time."""

    batch: float


class PaperBroker:
    """Feed, Reference and Broker: matches open orders on each print before it passes the print on.

    `cash` in won, `commission` as a part of one. An order reaches the market `latency` seconds after it was
    sent: it meets what was received from then on, and the book of that moment. `paper_queue` says what fills; books
    fill in continuous trading only, and not while the issue is interrupted. `participation` counts for bars only.
    Orders expire when the session or the feed ends. Cash and holdings begin anew with each start.
    """

    def __init__(
        self,
        feed: MarketFeed,
        clock: Clock,
        *,
        cash: Amount,
        commission: Rate = 0.00015,
        latency: Seconds = 0.05,
        participation: Part = 0.1,
    ) -> None:
        if not 0 < participation <= 1:
            raise ValueError(f"participation = {participation}: a part of a bar's volume, over 0 and up to 1")
        self._feed = feed
        self._clock = clock
        self._account = PaperAccount(cash, commission)
        self._latency = latency
        self._late = feed.batch if isinstance(feed, Batching) else 0.0
        self._travelling: deque[tuple[int, Callable[[int], None]]] = deque()
        self._participation = participation
        self._calendar = Calendar()
        self._queues: dict[Symbol, PaperQueue] = {}
        self._instruments: dict[Symbol, Instrument] = {}
        self._orders: dict[str, PaperOrder] = {}
        self._last: dict[Symbol, int] = {}
        self._session = Session.CONTINUOUS
        self._interrupted: set[Symbol] = set()
        self._numbers = self._fills = 0
        self._say: Callable[[BrokerReport], None] = _unheard

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._travelling.clear()
        self._say = _unheard

    def watch(self, trades: Collection[Symbol], books: Collection[Symbol]) -> None:
        told = frozenset(books)
        for symbol, queue in self._queues.items():
            if symbol not in told:
                queue.forget()
        self._feed.watch(trades, books)

    def stream(self) -> AsyncIterator[Sequence[FeedMessage]]:
        return self._matched(self._feed.stream())

    async def _matched(self, batches: AsyncIterator[Sequence[FeedMessage]]) -> AsyncIterator[Sequence[FeedMessage]]:
        async for batch in batches:
            for message in batch:
                self._match(message)
            yield batch

    async def instruments(self, symbols: Collection[Symbol]) -> Sequence[Instrument]:
        found = await self._feed.instruments(symbols)
        self._instruments |= {instrument.symbol: instrument for instrument in found}
        return found

    async def ranking(self, count: int) -> Sequence[Ranked]:
        return await self._feed.ranking(count)

    async def open(self, report: Callable[[BrokerReport], None], known: Sequence[KnownOrder]) -> None:  # noqa: ARG002
        self._say = report

    def learn(self, order: int, broker_order: str) -> None:
        """Nothing is lost on paper."""

    async def turn(self, urgency: Urgency) -> None:
        """There is no limit on paper."""

    def send(self, instruction: Instruction) -> SendResult:
        act = {Action.NEW: self._place, Action.REPLACE: self._replace, Action.CANCEL: self._cancel}[instruction.action]
        arrives = self._clock.now() + round(self._latency * SECOND)
        self._travelling.append((arrives, partial(act, instruction)))
        self._clock.call_later(self._latency + self._late, partial(self._arrive, arrives))
        return SendResult(outcome=Outcome.SENT)

    async def state(self) -> BrokerState:
        account = self._account
        self._forget_earlier_days()
        bound = sum(account.bound(order, self._instruments) for order in self._open_orders() if order.buys)
        return BrokerState(
            time=Nanoseconds(self._clock.now()),
            cash=Won(account.cash),
            orderable=Won(account.cash - bound),
            positions=account.positions(self._last),
            orders=tuple(map(record, self._orders.values())),
        )

    def _forget_earlier_days(self) -> None:
        today = at(kst(self._clock.now()).date())
        self._orders = {n: order for n, order in self._orders.items() if order.open or order.arrived >= today}

    def _arrive(self, instant: int) -> None:
        """Everything that reached the market by then, before what happened there next."""
        while self._travelling and self._travelling[0][0] <= instant:
            arrived, act = self._travelling.popleft()
            act(arrived)

    def _match(self, message: FeedMessage) -> None:
        if isinstance(message, MarketData | Bar | SessionChanged | ViTriggered | ViReleased):
            if message.venue is not HOME:
                return
            if self._travelling:
                self._arrive(min(_instant(message), self._clock.now()))
        match message:
            case Tick():
                self._last[message.symbol] = message.price
                if message.size:
                    self._trade(message.symbol, self._queue(message.symbol).take_tick(message))
            case OrderBook():
                self._book(message.symbol, self._queue(message.symbol).take_book(message))
                self._end(self._queue(message.symbol).dead(after_trade=False), "unfilled IOC or FOK")
            case Bar():
                self._trade(message.symbol, self._queue(message.symbol).take_bar(message))
            case _:
                self._turn(message)

    def _turn(self, message: FeedMessage) -> None:
        match message:
            case SessionChanged(remaining=0):
                self._enter(message.session)
            case ViTriggered():
                self._interrupted.add(message.symbol)
                self._begin(message.symbol)
            case ViReleased():
                self._interrupted.discard(message.symbol)
                self._begin(message.symbol)
            case InstrumentHalted():
                self._queue(message.symbol).forget()
            case FeedLost():
                self._forget()
            case FeedEnded():
                self._expire()
            case _:
                pass

    def _trade(self, symbol: Symbol, fills: Iterable[PaperFill]) -> None:
        self._book(symbol, fills)
        self._end(self._queue(symbol).dead(after_trade=True), "unfilled IOC or FOK")

    def _queue(self, symbol: Symbol) -> PaperQueue:
        queue = self._queues.get(symbol)
        if queue is None:
            queue = self._queues[symbol] = PaperQueue(self._participation)
            queue.auction = self._has_one_price(symbol)
        return queue

    def _has_one_price(self, symbol: Symbol) -> bool:
        return self._session is not Session.CONTINUOUS or symbol in self._interrupted

    def _begin(self, symbol: Symbol) -> None:
        """What was shown before an interruption, or during it, says nothing any more."""
        queue = self._queue(symbol)
        queue.forget()
        queue.auction = self._has_one_price(symbol)

    def _forget(self) -> None:
        for queue in self._queues.values():
            queue.forget()

    def _enter(self, session: Session) -> None:
        if session is not self._session:
            self._forget()
        self._session = session
        if session in _OVER:
            self._interrupted.clear()
        for symbol, queue in self._queues.items():
            queue.auction = self._has_one_price(symbol)
        if session is Session.CLOSING_AUCTION:
            for order in self._open_orders():
                order.price = MARKET if order.instruction.kind is Kind.CONDITIONAL else order.price
        if session in _OVER:
            self._expire()

    def _place(self, instruction: Instruction, arrived: int) -> None:
        queue = self._queue(instruction.symbol)
        price, worst = queue.price_of(instruction), self._worst(instruction)
        order = PaperOrder(instruction, self._number(), price, arrived, worst)
        refusal = self._refusal(order, self._open_orders())
        if refusal:
            self._report(OrderRejected, instruction, reason=refusal)
            return
        self._orders[order.number] = order
        self._report(OrderAccepted, instruction, broker_order=order.number)
        self._book(instruction.symbol, queue.arrive(order))
        self._end(queue.dead(after_trade=False), "unfilled IOC or FOK")

    def _replace(self, instruction: Instruction, arrived: int) -> None:
        old = self._orders.get(instruction.broker_order)
        if old is None or not old.open:
            self._report(ReplaceRejected, instruction, reason="정정할 미체결 수량이 없습니다")
            return
        terms = old.instruction
        new = PaperOrder(terms, self._number(), instruction.price, arrived, old.worst)
        new.open = min(instruction.quantity or old.open, old.open)
        new.filled, new.amount, new.commission, new.tax = old.filled, old.amount, old.commission, old.tax
        refusal = self._refusal(new, [order for order in self._open_orders() if order is not old])
        if refusal:
            self._report(ReplaceRejected, instruction, reason=refusal)
            return
        self._remove(old)
        del self._orders[old.number]
        new.original = old.number
        self._orders[new.number] = new
        queue = self._queue(terms.symbol)
        numbers = {"broker_order": new.number, "original": old.number}
        self._report(OrderReplaced, instruction, **numbers, quantity=Shares(new.open), price=Won(new.price))
        self._book(terms.symbol, queue.arrive(new))

    def _cancel(self, instruction: Instruction, _: int) -> None:
        order = self._orders.get(instruction.broker_order)
        if order is None or not order.open:
            self._report(CancelRejected, instruction, reason="취소할 미체결 수량이 없습니다")
        else:
            self._end([order], "")

    def _worst(self, instruction: Instruction) -> int:
        instrument = self._instruments.get(instruction.symbol)
        if instrument is None:
            return 0
        return instrument.upper_limit if instruction.side is Side.BUY else instrument.lower_limit

    def _refusal(self, order: PaperOrder, others: Sequence[PaperOrder]) -> str:
        instruction = order.instruction
        instrument = self._instruments.get(instruction.symbol)
        if instrument is None:
            return f"{instruction.symbol}: 종목정보가 없습니다"
        if self._session not in _OPEN:
            return f"장이 열려 있지 않습니다: {self._session.value}"
        if order.open <= 0:
            return f"주문수량 {order.open}"
        if instruction.kind not in (Kind.MARKET, Kind.LIMIT, Kind.CONDITIONAL) and not order.price:
            return "호가가 없습니다"
        return self._wrong_price(order, instrument) or self._account.refuses(order, others, self._instruments)

    def _wrong_price(self, order: PaperOrder, instrument: Instrument) -> str:
        price, kind = order.price, order.instruction.kind
        if kind is Kind.MARKET:
            return ""
        if price <= 0 or not krx.is_on_tick(price, instrument.market, kst(self._clock.now()).date()):
            return f"호가단위 오류: {price}"
        if instrument.upper_limit and not instrument.lower_limit <= price <= instrument.upper_limit:
            return f"가격제한폭 초과: {price}, {instrument.lower_limit} to {instrument.upper_limit}"
        return ""

    def _book(self, symbol: Symbol, fills: Iterable[PaperFill]) -> None:
        for fill in fills:
            order = fill.order
            taxed_on = self._calendar.taxed_on(kst(self._clock.now()).date())
            self._account.book(fill, self._instruments[symbol], taxed_on)
            self._fills += 1
            self._report(
                OrderFilled,
                order.instruction,
                broker_order=order.number,
                fill=str(self._fills),
                side=order.instruction.side,
                price=Won(fill.price),
                quantity=Shares(fill.quantity),
                filled=Shares(order.filled),
                amount=Won(order.amount),
                open=Shares(order.open),
                commission=Won(order.commission),
                tax=Won(order.tax),
            )

    def _expire(self) -> None:
        for order in self._open_orders():
            left = self._remove(order)
            self._report(OrderExpired, order.instruction, broker_order=order.number, expired=Shares(left))

    def _end(self, orders: Iterable[PaperOrder], reason: str) -> None:
        for order in orders:
            left = self._remove(order)
            facts = {"broker_order": order.number, "reason": reason}
            self._report(OrderCanceled, order.instruction, **facts, canceled=Shares(left))

    def _remove(self, order: PaperOrder) -> int:
        left, order.open = order.open, 0
        self._queues[order.instruction.symbol].remove(order)
        return left

    def _open_orders(self) -> list[PaperOrder]:
        return [order for queue in self._queues.values() for order in queue.orders]

    def _number(self) -> str:
        self._numbers += 1
        return f"{self._numbers:07d}"

    def _report(self, event: type[OrderEvent], instruction: Instruction, **facts: object) -> None:
        self._say(
            event(
                order=instruction.order,
                symbol=instruction.symbol,
                venue=instruction.venue,
                strategy=instruction.strategy,
                time=Nanoseconds(self._clock.now()),
                **facts,  # type: ignore[arg-type]
            ),
        )


def _instant(message: MarketData | Bar | SessionChanged | ViTriggered | ViReleased) -> int:
    match message:
        case MarketData():
            return message.received
        case Bar():
            return message.time + message.interval * SECOND
        case _:
            return message.time


def _unheard(report: BrokerReport) -> None:
    raise RuntimeError(f"nobody opened the broker, yet it reports {report}")
