"""A broker on paper around any feed: a live feed inside is paper trading, a replay inside is a backtest."""

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from functools import partial
from typing import Final, Protocol, Self

from actors.gateways.paper_account import PaperAccount
from actors.gateways.paper_queue import MARKET, PaperFill, PaperOrder, PaperQueue
from actors.gateways.port import (
    BrokerOrder,
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
from actors.market.time import kst
from actors.market.venues import HOME
from messages import (
    Action,
    Bar,
    CancelRejected,
    FeedEnded,
    Instrument,
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
from runtime.bounds import Amount, Part, Rate, Seconds
from runtime.clock import Clock

_AUCTIONS: Final = (Session.OPENING_AUCTION, Session.CLOSING_AUCTION)
_OPEN: Final = (*_AUCTIONS, Session.CONTINUOUS)


class MarketFeed(Feed, Reference, Protocol):
    """What the broker on paper needs of the gateway inside."""


class PaperBroker:
    """Feed, Reference and Broker: matches open orders on each print before it passes the print on.

    `cash` in won, `commission` as a part of one. An order reaches the market `latency` seconds after it was
    sent. `paper_queue` says what fills; `participation` counts for bars only. Orders expire when the session or
    the feed ends. Cash and holdings begin anew with each start.
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
        self._participation = participation
        self._calendar = Calendar()
        self._queues: dict[Symbol, PaperQueue] = {}
        self._instruments: dict[Symbol, Instrument] = {}
        self._orders: dict[str, PaperOrder] = {}
        self._last: dict[Symbol, int] = {}
        self._session = Session.CONTINUOUS
        self._numbers = self._fills = 0
        self._say: Callable[[BrokerReport], None] = _unheard

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._say = _unheard

    def watch(self, trades: Collection[Symbol], books: Collection[Symbol]) -> None:
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
        self._clock.call_later(self._latency, partial(act, instruction, self._clock.now()))
        return SendResult(outcome=Outcome.SENT)

    async def state(self) -> BrokerState:
        account = self._account
        bound = sum(account.bound(order, self._instruments) for order in self._open_orders() if order.buys)
        return BrokerState(
            time=Nanoseconds(self._clock.now()),
            cash=Won(account.cash),
            orderable=Won(account.cash - bound),
            positions=account.positions(self._last),
            orders=tuple(map(_record, self._orders.values())),
        )

    def _match(self, message: FeedMessage) -> None:
        if isinstance(message, MarketData | Bar) and message.venue is not HOME:
            return
        match message:
            case Tick():
                self._last[message.symbol] = message.price
                if message.size:
                    self._trade(message.symbol, self._queue(message.symbol).take_tick(message))
            case OrderBook():
                self._book(message.symbol, self._queue(message.symbol).take_book(message))
            case Bar():
                self._trade(message.symbol, self._queue(message.symbol).take_bar(message))
            case SessionChanged() if message.venue is HOME:
                self._enter(message.session)
            case ViTriggered() | ViReleased():
                self._queue(message.symbol).auction = isinstance(message, ViTriggered) or self._session in _AUCTIONS
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
            queue.auction = self._session in _AUCTIONS
        return queue

    def _enter(self, session: Session) -> None:
        self._session = session
        for queue in self._queues.values():
            queue.auction = session in _AUCTIONS
        if session is Session.CLOSING_AUCTION:
            for order in self._open_orders():
                order.price = MARKET if order.instruction.kind is Kind.CONDITIONAL else order.price
        if session is Session.CLOSED_FOR_DAY:
            self._expire()

    def _place(self, instruction: Instruction, sent: int) -> None:
        queue = self._queue(instruction.symbol)
        order = PaperOrder(instruction, self._number(), _price(instruction, queue), sent)
        refusal = self._refusal(order, self._open_orders())
        if refusal:
            self._report(OrderRejected, instruction, reason=refusal)
            return
        self._orders[order.number] = order
        self._report(OrderAccepted, instruction, broker_order=order.number)
        self._book(instruction.symbol, queue.arrive(order))
        self._end(queue.dead(after_trade=False), "unfilled IOC or FOK")

    def _replace(self, instruction: Instruction, sent: int) -> None:
        old = self._orders.get(instruction.broker_order)
        if old is None or not old.open:
            self._report(ReplaceRejected, instruction, reason="정정할 미체결 수량이 없습니다")
            return
        terms = old.instruction
        new = PaperOrder(terms, self._number(), instruction.price, sent)
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
            day = kst(self._clock.now()).date()
            self._account.book(fill, self._instruments[symbol], self._calendar.settlement(day))
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


def _price(instruction: Instruction, queue: PaperQueue) -> int:
    ask, bid = queue.best
    buys = instruction.side is Side.BUY
    match instruction.kind:
        case Kind.MARKET:
            return MARKET
        case Kind.BEST:
            return ask if buys else bid
        case Kind.PRIORITY:
            return bid if buys else ask
        case _:
            return instruction.price


def _record(order: PaperOrder) -> BrokerOrder:
    request = order.instruction
    return BrokerOrder(
        broker_order=order.number,
        original=order.original,
        symbol=request.symbol,
        side=request.side,
        quantity=request.quantity,
        price=Won(order.price),
        open=Shares(order.open),
        filled=Shares(order.filled),
        amount=Won(order.amount),
        commission=Won(order.commission),
        tax=Won(order.tax),
        time=Nanoseconds(order.sent),
        status="체결" if order.filled and not order.open else "접수",
    )


def _unheard(report: BrokerReport) -> None:
    raise RuntimeError(f"nobody opened the broker, yet it reports {report}")
