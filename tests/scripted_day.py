"""A small day of orders, made by hand: two round trips, one position left, one refusal, one cancel."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from messages import (
    Action,
    Aggressor,
    ApprovedOrder,
    Bar,
    CancelOrder,
    Evidence,
    FeedEnded,
    Instrument,
    Kind,
    Market,
    Message,
    Nanoseconds,
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderIntent,
    OrderRefused,
    OrderSent,
    OrderSubmitting,
    Purpose,
    Reconciled,
    RunStarted,
    RunStopping,
    Shares,
    Side,
    Symbol,
    Tick,
    Validity,
    Won,
)
from runtime.clock import SECOND
from runtime.disk.chain import Kept
from runtime.envelope import Envelope
from runtime.testing import START, Stage

SAMSUNG, HYNIX = Symbol("005930"), Symbol("000660")
STRATEGY = "momentum"
CASH = 10_000_000


def at(seconds: float) -> Nanoseconds:
    """That many seconds after nine."""
    return Nanoseconds(START + round(seconds * SECOND))


def instrument(symbol: Symbol, name: str, price: int) -> Instrument:
    return Instrument(
        symbol=symbol,
        name=name,
        market=Market.KOSPI,
        base_price=Won(price),
        upper_limit=Won(price * 13 // 10),
        lower_limit=Won(price * 7 // 10),
    )


def bar(symbol: Symbol, second: int, close: int) -> Bar:
    prices: dict[str, Any] = dict.fromkeys(("open", "high", "low", "close", "value"), Won(close))
    return Bar(symbol=symbol, interval=60, time=at(second), volume=Shares(1), **prices)


def price(symbol: Symbol, second: int, close: int) -> tuple[Tick, Bar]:
    """A print at the end of the minute that begins then, and its bar."""
    time = at(second + 59)
    prices: dict[str, Any] = dict.fromkeys(("price", "ask", "bid", "open", "high", "low", "value"), Won(close))
    sizes: dict[str, Any] = {"size": Shares(1), "volume": Shares(1), "strength": 100.0}
    tick = Tick(symbol=symbol, time=time, received=time, side=Aggressor.BUYER, **prices, **sizes)
    return tick, bar(symbol, second, close)


class Empty:
    """The journal of a first run."""

    async def read(self, first: int = 0, types: tuple[type[Message], ...] = ()) -> AsyncIterator[Envelope]:
        del first, types
        for envelope in ():
            yield envelope

    async def newest(self, kind: type[Kept]) -> Kept | None:
        del kind


class Desk:
    """Says what the actors of an order path would say."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    def intent(self, symbol: Symbol, side: Side, quantity: int, price: int, reason: str = "a reason") -> int:
        return self.stage.tell(
            OrderIntent(
                symbol=symbol,
                side=side,
                quantity=Shares(quantity),
                price=Won(price),
                purpose=Purpose.ENTRY if side is Side.BUY else Purpose.EXIT,
                strategy=STRATEGY,
                reason=reason,
            )
        )

    def order(self, symbol: Symbol, side: Side, quantity: int, price: int, reason: str = "a reason") -> int:
        """An intent that reaches the broker, whose number is the intent's place; the newest price is 1 ms old."""
        number = self.intent(symbol, side, quantity, price, reason)
        self.stage.tell(*self._sent(number, symbol, side, Shares(quantity), Won(price)))
        return number

    def fill(
        self, order: int, symbol: Symbol, side: Side, *, quantity: int, price: int, fees: int, tax: int = 0
    ) -> OrderFilled:
        """The whole of an order; cumulative figures are this fill's."""
        message = OrderFilled(
            **self._about(order, symbol),
            broker_order=broker_order(order),
            side=side,
            price=Won(price),
            quantity=Shares(quantity),
            filled=Shares(quantity),
            amount=Won(price * quantity),
            open=Shares(0),
            commission=Won(fees),
            tax=Won(tax),
        )
        self.stage.tell(message)
        return message

    def refuse(self, order: int, symbol: Symbol) -> None:
        figures: dict[str, int | float | str] = {"value": 6_000_000, "why": "<b>too & big</b>"}
        self.stage.tell(
            OrderRefused(
                order=order,
                symbol=symbol,
                strategy=STRATEGY,
                side=Side.BUY,
                rule="max_order_value",
                figures=figures,
                limit=5_000_000,
            )
        )

    def cancel(self, order: int, symbol: Symbol, quantity: int) -> None:
        about = self._about(order, symbol)
        self.stage.tell(
            CancelOrder(order=order, symbol=symbol, strategy=STRATEGY, reason="too old"),
            OrderCanceled(**about, broker_order=broker_order(order), canceled=Shares(quantity)),
        )

    def _sent(self, number: int, symbol: Symbol, side: Side, quantity: Shares, price: Won) -> Iterator[Message]:
        about = self._about(number, symbol)
        terms: dict[str, Any] = {
            "side": side,
            "quantity": quantity,
            "kind": Kind.LIMIT,
            "price": price,
            "validity": Validity.DAY,
        }
        fields: dict[str, Any] = {"symbol": symbol, "strategy": STRATEGY, "order": number, **terms}
        purpose = Purpose.ENTRY if side is Side.BUY else Purpose.EXIT
        evidence = Evidence(last=price, ask=price, bid=price, time=Nanoseconds(self.stage.clock.now() - 1_000_000))
        yield ApprovedOrder(**fields, purpose=purpose, evidence=evidence)
        yield OrderSubmitting(**about, action=Action.NEW, **terms)
        yield OrderSent(**about, action=Action.NEW, screen="7001")
        yield OrderAccepted(**about, broker_order=broker_order(number))

    def _about(self, order: int, symbol: Symbol) -> dict[str, Any]:
        now = Nanoseconds(self.stage.clock.now())
        return {"order": order, "symbol": symbol, "strategy": STRATEGY, "time": now}


def broker_order(order: int) -> str:
    return f"{order & 0xFFFFF:07}"


async def play(stage: Stage, run: int = 1) -> None:
    """The day: +18,690 from Samsung, -11,130 from Hynix, 3 Samsung left at +300."""
    desk = Desk(stage)
    started = RunStarted(time=at(0), run=run, version="1.0", config="c0ffee", seed=7)
    stage.tell(
        started,
        Reconciled(time=at(0), cash=Won(CASH), positions=(), open_orders=0, differences=(), start=True),
        instrument(SAMSUNG, "삼성<전자>", 70_000),
        instrument(HYNIX, "SK하이닉스", 200_000),
    )
    buy = desk.order(SAMSUNG, Side.BUY, 10, 70_000, "breakout <1>")
    desk.fill(buy, SAMSUNG, Side.BUY, quantity=10, price=70_000, fees=100)
    await stage.advance(60)
    stage.tell(*price(SAMSUNG, 0, 71_000))
    await stage.advance(60)
    sell = desk.order(SAMSUNG, Side.SELL, 10, 72_000, "target")
    desk.fill(sell, SAMSUNG, Side.SELL, quantity=10, price=72_000, fees=110, tax=1_100)
    desk.refuse(desk.intent(SAMSUNG, Side.BUY, 100, 70_000), SAMSUNG)
    buy = desk.order(HYNIX, Side.BUY, 5, 200_000)
    desk.fill(buy, HYNIX, Side.BUY, quantity=5, price=200_000, fees=150)
    await stage.advance(60)
    stage.tell(*price(SAMSUNG, 120, 72_000), *price(HYNIX, 120, 198_000))
    sell = desk.order(HYNIX, Side.SELL, 5, 198_000, "stop")
    desk.fill(sell, HYNIX, Side.SELL, quantity=5, price=198_000, fees=140, tax=840)
    resting = desk.order(HYNIX, Side.BUY, 1, 190_000)
    buy = desk.order(SAMSUNG, Side.BUY, 3, 72_000)
    desk.fill(buy, SAMSUNG, Side.BUY, quantity=3, price=72_000, fees=30)
    desk.cancel(resting, HYNIX, 1)
    await stage.advance(60)
    stage.tell(*price(SAMSUNG, 180, 72_100))
    stage.tell(FeedEnded(feed="replay", time=at(240), records=4, out_of_order=2))
    stage.tell(RunStopping(time=at(240), reason="the feed ended", code=0))
