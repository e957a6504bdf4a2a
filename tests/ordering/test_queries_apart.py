"""The account is told in answers that are seconds apart: what trades between them is taken for no gain and no loss."""

from collections import Counter
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from actors.account.ledger import Booked
from actors.gateways.port import BrokerOrder, BrokerPosition, BrokerState
from actors.market.time import SECOND
from actors.ordering.findings import Finding, Match, confirmed, lasting
from actors.ordering.reconciliation import compare, stranger
from actors.trader import Trader
from messages import (
    CashAdjusted,
    HaltTrading,
    Message,
    Nanoseconds,
    OrderFilled,
    PositionAdjusted,
    Reconciled,
    Shares,
    Side,
    Symbol,
    Won,
)
from runtime.clock import Clock
from runtime.testing import Stage, in_virtual_time
from tests.account.records import (
    CODE,
    NOON,
    OTHER,
    accepted,
    approval,
    canceled,
    filled,
    folded,
    opened,
    sent,
    submitting,
)
from tests.ordering.fakes import FakeBroker, FakeJournal, listed_order, owned, state

SYMBOLS = (CODE, OTHER, Symbol("900030"))
PRICE = 10_000
WAITS = ((0.0, 0.2, 0.4), (5.0, 12.5, 0.4))
"""Seconds before the answers about cash, holdings and orders, in the first look and in the second."""
OFTEN = 8.0
"""Seconds between two trades, about."""


class Account:
    """What the broker knows, and what we heard of it; a share is worth the same all day, so the equity stays."""

    page = 10
    """Orders; the next ones are asked for a second later."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.ledger = folded([opened()])
        self.now, self.next = 0.0, self._pause()
        self.cash = 1_000_000
        self.held, self.by_hand = Counter[Symbol](), Counter[Symbol]()
        self.orders: list[BrokerOrder] = []
        self.found: tuple[Finding, ...] = ()

    @property
    def equity(self) -> int:
        return self.ledger.cash + PRICE * sum(map(self.ledger.held, SYMBOLS))

    @property
    def agrees(self) -> bool:
        return self.ledger.cash == self.cash and all(self.ledger.held(s) == self.held[s] for s in SYMBOLS)

    def wait(self, seconds: float) -> None:
        """Let others trade."""
        self.now += seconds
        while self.next < self.now:
            self._trade(self.next)
            self.next += self._pause()

    def close(self) -> None:
        """Nobody trades any more, and what rested is taken back."""
        self.next = float("inf")
        for number, order in enumerate(self.orders, 1):
            if order.open:
                self.orders[number - 1] = replace(order, open=Shares(0))
                self._hear(replace(canceled(number, order.open), symbol=order.symbol))

    def match(self) -> None:
        self._conclude(*map(self._look, WAITS))

    def _conclude(self, first: Match, second: Match) -> None:
        self.found = lasting(confirmed(first, second), self.found)
        for finding in self.found:
            self._hear(*finding.messages)

    def _pause(self) -> float:
        return self.rng.expovariate(1 / OFTEN)

    def _trade(self, time: float) -> None:
        resting = [number for number, order in enumerate(self.orders, 1) if order.open]
        if resting and self.rng.random() < 0.4:
            self._fill(self.rng.choice(resting), time)
            return
        symbol, hand = self.rng.choice(SYMBOLS), self.rng.random() < 0.3
        own = self.by_hand[symbol] if hand else self.ledger.sellable("momentum", symbol)
        side = Side.SELL if own > 0 and self.rng.random() < 0.5 else Side.BUY
        shares = self.rng.randint(1, min(own, 3) if side is Side.SELL else 3)
        rests = not hand and side is Side.BUY and self.rng.random() < 0.1
        self._order(symbol, side, shares, time, hand=hand, rests=rests)

    def _order(self, symbol: Symbol, side: Side, shares: int, time: float, *, hand: bool, rests: bool) -> None:
        order = self._listed(symbol, side, shares, time, rests=rests)
        signed = 0 if rests else shares if side is Side.BUY else -shares
        self.cash -= signed * PRICE
        self.held[symbol] += signed
        if hand:
            self.by_hand[symbol] += signed
            self._hear(stranger(order))
        else:
            self._hear(*_told(len(self.orders), order))

    def _fill(self, number: int, time: float) -> None:
        """One more share of an order that rests."""
        before = self.orders[number - 1]
        order = self.orders[number - 1] = replace(
            before,
            open=Shares(before.open - 1),
            filled=Shares(before.filled + 1),
            amount=Won(before.amount + PRICE),
        )
        self.cash -= PRICE
        self.held[order.symbol] += 1
        fill = filled(order.filled, order.amount, number, order.side, symbol=order.symbol, last=1, asked=order.quantity)
        self._hear(replace(fill, time=Nanoseconds(NOON + round(time * SECOND))))

    def _listed(self, symbol: Symbol, side: Side, shares: int, time: float, *, rests: bool) -> BrokerOrder:
        traded = Shares(0 if rests else shares)
        order = BrokerOrder(
            broker_order=f"{len(self.orders) + 1:07}",
            symbol=symbol,
            side=side,
            quantity=Shares(shares),
            price=Won(PRICE),
            open=Shares(shares - traded),
            filled=traded,
            amount=Won(traded * PRICE),
            time=Nanoseconds(NOON + round(time * SECOND)),
            status="접수" if rests else "체결",
        )
        self.orders.append(order)
        return order

    def _look(self, waits: tuple[float, float, float]) -> Match:
        to_cash, to_holdings, to_orders = waits
        since = self.now + to_cash
        self.wait(to_cash)
        cash = Won(self.cash)
        self.wait(to_holdings)
        held = tuple(_owned(symbol, self.held[symbol]) for symbol in SYMBOLS if self.held[symbol])
        self.wait(to_orders)
        listed: list[BrokerOrder] = []
        while len(listed) < len(self.orders):
            listed += self.orders[len(listed) : len(listed) + self.page]
            self.wait(1.0)
        return compare(self.ledger, self._state(cash, held, listed, since))

    def _state(
        self, cash: Won, held: tuple[BrokerPosition, ...], listed: list[BrokerOrder], since: float
    ) -> BrokerState:
        return BrokerState(
            time=Nanoseconds(NOON + round(self.now * SECOND)),
            since=Nanoseconds(NOON + round(since * SECOND)),
            cash=cash,
            orderable=cash,
            positions=held,
            orders=tuple(listed),
        )

    def _hear(self, *messages: Message) -> None:
        folded([message for message in messages if isinstance(message, Booked)], self.ledger)


def _owned(symbol: Symbol, shares: int) -> BrokerPosition:
    price = Won(PRICE)
    return BrokerPosition(
        symbol=symbol, quantity=Shares(shares), average_price=price, cost=Won(shares * price), last=price
    )


def _told(number: int, order: BrokerOrder) -> tuple[Message, ...]:
    terms: dict[str, Any] = {"symbol": order.symbol, "side": order.side, "quantity": order.quantity, "time": order.time}
    asked = (
        approval(number, order.side, order.quantity, symbol=order.symbol),
        submitting(number, **terms),
        accepted(number, order.broker_order, symbol=order.symbol, time=order.time),
    )
    if not order.filled:
        return asked
    fill = filled(
        order.filled, order.amount, number, order.side, symbol=order.symbol, last=order.filled, asked=order.filled
    )
    return (*asked, replace(fill, time=order.time))


@pytest.mark.parametrize("seed", range(12))
def test_what_trades_between_the_answers_is_no_gain_and_no_loss(seed: int) -> None:
    account = Account(seed)
    equity = set[int]()
    for _ in range(20):
        account.wait(60)
        account.match()
        equity.add(account.equity)

    account.close()
    account.wait(60)
    account.match()

    assert equity == {1_000_000}
    assert account.agrees


class Slices(Account):
    """A strategy buys share by share, each with an order of its own, and every look lacks the newest one."""

    page = 1_000

    def _pause(self) -> float:
        return 2.0

    def _trade(self, time: float) -> None:
        self._order(CODE, Side.BUY, 1, time, hand=False, rests=False)

    def match(self) -> None:
        first = self._look((0.0, 0.0, 1.0))
        self.wait(4)
        self._conclude(first, self._look((0.0, 0.0, 1.0)))


def test_a_strategy_that_buys_slice_by_slice_keeps_its_shares() -> None:
    account = Slices(0)
    for _ in range(5):
        account.wait(30)
        account.match()

    assert account.ledger.lots("momentum", CODE).quantity == account.held[CODE] > 0


class Busy(FakeBroker):
    """A share of the first order fills each time the account is told, after the list showed it."""

    clock: Clock

    async def state(self) -> BrokerState:
        since = Nanoseconds(self.clock.now())
        self.asked += 1
        shown = listed_order(filled=self.asked, quantity=100)
        await self.clock.sleep(3)
        self.report(self._told(self.asked + 1))
        now = Nanoseconds(self.clock.now())
        account = state(1_000_000 - PRICE * self.asked, owned(self.asked, PRICE * self.asked), shown)
        return replace(account, since=since, time=now)

    def _told(self, shares: int) -> OrderFilled:
        fill = filled(shares, PRICE * shares, asked=100)
        return replace(fill, time=Nanoseconds(self.clock.now()))


@in_virtual_time
async def test_an_order_that_fills_at_every_look_keeps_nobody_from_starting() -> None:
    first = filled(1, PRICE, asked=100)
    journal = FakeJournal(opened(), approval(quantity=100), submitting(quantity=100), sent(), accepted(), first)
    broker = Busy()
    stage = Stage(Trader(broker, journal), name="trader", start=NOON)
    broker.clock = stage.clock
    await stage.start()
    await stage.advance(120)

    assert not [said for said in stage.said if isinstance(said, HaltTrading | PositionAdjusted | CashAdjusted)]
    assert stage.heard(Reconciled)[0].start
    assert broker.asked < 5
