"""What the type checker says about handlers; pyright reads this file, nothing runs it.

Each planted mistake stands under a `pyright: ignore` of its rule; where pyright no longer sees it, that ignore is an
error of its own.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true
# pyright: reportUnusedClass=false, reportUnusedFunction=false

from actors.account.ledger import Ledger
from actors.gateways.port import Broker, Feed
from messages import Nanoseconds, OrderBook, Shares, StopSystem, Symbol, Tick, Won
from runtime.actor import Actor, handles, latest


class Right(Actor, publishes=(StopSystem,)):
    """Every form a handler may have."""

    @handles
    def on_tick(self, tick: Tick) -> None:
        self.publish(StopSystem(reason=f"{tick.price}"))

    @latest
    def on_book(self, book: OrderBook) -> None:
        _: tuple[int, ...] = book.ask_prices

    @handles
    async def on_stop_wish(self, _: StopSystem) -> None:
        await self.desk.clock.sleep(1)


class TakesNoMessage(Actor):
    @handles  # pyright: ignore[reportArgumentType]
    def on_text(self, text: str) -> None: ...


class TakesNothing(Actor):
    @handles  # pyright: ignore[reportArgumentType]
    def on_nothing(self) -> None: ...


class TakesTwo(Actor):
    @latest  # pyright: ignore[reportArgumentType]
    def on_both(self, tick: Tick, book: OrderBook) -> None: ...


class Answers(Actor):
    @handles  # pyright: ignore[reportArgumentType]
    def on_tick(self, tick: Tick) -> int:
        return tick.price


class IsNoActor:
    @handles  # pyright: ignore[reportArgumentType]
    def on_tick(self, tick: Tick) -> None: ...


class PublishesNoMessage(Actor):
    @handles
    def on_tick(self, tick: Tick) -> None:
        self.publish(tick.price)  # pyright: ignore[reportArgumentType]


class DeclaresNoMessage(Actor, publishes=(int,)):  # pyright: ignore[reportArgumentType, reportGeneralTypeIssues]
    pass


class ChangesAMessage(Actor):
    @handles
    def on_tick(self, tick: Tick) -> None:
        tick.price = Won(1)  # pyright: ignore[reportAttributeAccessIssue]


def mix_units(tick: Tick, ledger: Ledger) -> None:
    """Prices, shares and codes are types of their own."""
    _price: Won = tick.size  # pyright: ignore[reportAssignmentType]
    _size: Shares = tick.price  # pyright: ignore[reportAssignmentType]
    _code: Symbol = "005930"  # pyright: ignore[reportAssignmentType]
    _time: Nanoseconds = 1.5  # pyright: ignore[reportAssignmentType]
    ledger.mark("005930", 1)  # pyright: ignore[reportArgumentType]


def leave_a_field_out() -> StopSystem:
    """A message is made whole."""
    return StopSystem()  # pyright: ignore[reportCallIssue]


def give_a_field_by_place() -> StopSystem:
    """Fields have names."""
    return StopSystem("done")  # pyright: ignore[reportCallIssue]


class HalfAFeed:
    """It cannot stream."""

    def watch(self, trades: list[Symbol], books: list[Symbol]) -> None: ...


def pass_for_a_feed(half: HalfAFeed) -> Feed:
    """A gateway has every method of the port."""
    return half  # pyright: ignore[reportReturnType]


def pass_for_a_broker(feed: Feed) -> Broker:
    """A feed takes no orders."""
    return feed  # pyright: ignore[reportReturnType]
