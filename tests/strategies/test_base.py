import pytest

from actors.strategies.base import Strategy
from actors.strategies.momentum import Momentum
from messages import (
    CancelOrder,
    Nanoseconds,
    OrderCanceled,
    OrderIntent,
    OrderRefused,
    ReplaceIntent,
    Shares,
    Side,
    UniverseChanged,
    Won,
)
from runtime.testing import Stage, in_virtual_time
from tests.fake_feed import instrument
from tests.market.market_data import CODE, OTHER
from tests.strategies.orders import approved, fill


async def started(strategy: Strategy) -> Stage:
    stage = Stage(strategy, name="mine")
    await stage.start()
    stage.tell(instrument(CODE), instrument(OTHER))
    return stage


@in_virtual_time
async def test_it_sells_its_own_lots_and_no_others() -> None:
    strategy = Strategy()
    stage = await started(strategy)

    stage.tell(fill(1, Side.BUY, 3), fill(2, Side.BUY, 9, strategy="another"))
    strategy.close(CODE, "enough")
    stage.tell(fill(3, Side.SELL, 3))
    nothing = strategy.close(CODE, "again")

    (intent,) = stage.heard(OrderIntent)
    assert (intent.side, intent.quantity, intent.strategy, nothing) == (Side.SELL, 3, "mine", 0)
    assert strategy.lots == {}


@in_virtual_time
async def test_the_budget_bounds_an_entry_and_one_order_a_code_is_open() -> None:
    strategy = Strategy(budget=95_000)
    stage = await started(strategy)

    first = strategy.buy(CODE, Won(10_000), "")
    second = strategy.buy(CODE, Won(10_000), "")
    stage.tell(OrderRefused(order=first, symbol=CODE, strategy="mine", side=Side.BUY, rule="r", figures={}, limit=0))
    third = strategy.buy(CODE, Won(10_000), "")
    dear = strategy.buy(OTHER, Won(100_000), "")

    assert (second, dear) == (0, 0)
    assert third > first
    assert [intent.quantity for intent in stage.heard(OrderIntent)] == [9, 9]


@in_virtual_time
async def test_an_unfilled_order_is_taken_back_after_its_patience() -> None:
    strategy = Strategy(patience=5)
    stage = await started(strategy)
    number = strategy.buy(CODE, Won(10_000), "")
    stage.tell(approved(number, 1))

    await stage.advance(4.9)
    early = stage.heard(CancelOrder)
    await stage.advance(0.2)
    stage.tell(
        OrderCanceled(
            order=number, symbol=CODE, strategy="mine", time=Nanoseconds(0), broker_order="1", canceled=Shares(1)
        )
    )

    assert early == []
    assert [cancel.order for cancel in stage.heard(CancelOrder)] == [number]
    assert strategy.orders == {}


@in_virtual_time
async def test_only_its_universe_is_entered() -> None:
    strategy = Strategy(universe="screener")
    stage = await started(strategy)

    before = strategy.buy(CODE, Won(10_000), "")
    stage.tell(UniverseChanged(universe="other", time=Nanoseconds(0), symbols=(CODE,)))
    stage.tell(UniverseChanged(universe="screener", time=Nanoseconds(0), symbols=(OTHER,)))

    assert before == strategy.buy(CODE, Won(10_000), "") == 0
    assert strategy.buy(OTHER, Won(10_000), "")


@in_virtual_time
async def test_its_own_symbols_are_said_so_that_the_receiver_watches_them() -> None:
    stage = await started(Strategy(symbols=[CODE]))

    assert [(u.universe, u.symbols) for u in stage.heard(UniverseChanged)] == [("mine", (CODE,))]


@in_virtual_time
async def test_an_exit_of_momentum_that_does_not_fill_follows_the_bid() -> None:
    strategy = Momentum(patience=5)
    stage = await started(strategy)
    stage.tell(fill(1, Side.BUY, 3))
    number = strategy.sell(CODE, Won(10_100), "")
    strategy._bids[CODE] = 10_050  # pyright: ignore[reportPrivateUsage]

    await stage.advance(6)

    assert [(r.order, r.price, r.quantity) for r in stage.heard(ReplaceIntent)] == [(number, 10_050, 3)]


def test_universe_and_symbols_exclude_each_other() -> None:
    with pytest.raises(ValueError, match="give one of the two"):
        Strategy(universe="screener", symbols=[CODE])
