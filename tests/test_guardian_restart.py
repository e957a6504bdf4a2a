"""What protects a holding is not forgotten by a restart, and never becomes looser by one."""

import pytest

from actors.guardian import Guardian
from messages import (
    CarriedPeak,
    CashAdjusted,
    EquityPeaked,
    HaltTrading,
    HoldingPeaked,
    Kind,
    Message,
    Nanoseconds,
    OrderFilled,
    OrderIntent,
    PeaksCarried,
    PositionAdjusted,
    Purpose,
    Shares,
    Side,
    Won,
)
from runtime.testing import START, Stage, in_virtual_time
from tests.account.records import CODE, OTHER, SELL, accepted, approval, canceled, filled, held, opened
from tests.ordering.fakes import FakeJournal
from tests.test_guardian import guarding
from tests.test_risk import tick

NOW = Nanoseconds(START)
BOUGHT = (opened(time=NOW), approval(), filled(10, 100_000, last=10))
"""Ten shares at 10,000; the fill is the third message."""


def peaked(price: int, since: int = 3) -> HoldingPeaked:
    return HoldingPeaked(symbol=CODE, strategy="momentum", since=since, time=NOW, price=Won(price))


def sale(quantity: int = 10, strategy: str = "momentum") -> OrderIntent:
    return OrderIntent(
        symbol=CODE,
        side=Side.SELL,
        quantity=Shares(quantity),
        price=Won(9_000),
        purpose=Purpose.EXIT,
        strategy=strategy,
        reason="stop loss at 9000",
    )


async def started_again(*past: Message, shares: int = 10, source: str = "guardian", **keys: float) -> Stage:
    """The next life of it, the account known."""
    stage = Stage(Guardian(FakeJournal(*past, source=source), **keys), name="guardian")  # type: ignore[arg-type]
    await stage.start()
    stage.tell(opened(900_000, held(shares, shares * 10_000, last=10_900), time=NOW))
    return stage


@in_virtual_time
async def test_each_new_highest_of_a_holding_is_said_once_with_what_began_it() -> None:
    stage = await guarding(trailing=2.0, stop_loss=0.0)
    stage.tell(tick(11_000), tick(10_990), tick(11_000), tick(11_010))

    began = next(e.number for e in stage.envelopes if isinstance(e.message, OrderFilled))
    assert [(p.price, p.since) for p in stage.heard(HoldingPeaked)] == [(11_000, began), (11_010, began)]


@in_virtual_time
async def test_without_a_trailing_stop_no_highest_is_said() -> None:
    stage = await guarding()
    stage.tell(tick(11_000))

    assert not stage.heard(HoldingPeaked)


@pytest.mark.parametrize(("price", "sold"), [(10_781, 0), (10_780, 1)])
def test_a_trailing_stop_is_where_it_was_before_the_restart(price: int, sold: int) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage = await started_again(*BOUGHT, peaked(10_500), peaked(11_000), trailing=2.0, stop_loss=0.0)
        stage.tell(tick(price))

        assert len(stage.heard(OrderIntent)) == sold

    scene()


@in_virtual_time
async def test_the_highest_of_an_earlier_holding_says_nothing_of_the_next() -> None:
    again = (approval(2, SELL), filled(10, 110_000, 2, SELL, last=10), approval(3), filled(10, 100_000, 3, last=10))
    stage = await started_again(*BOUGHT, peaked(11_000), *again, trailing=2.0, stop_loss=0.0)
    stage.tell(tick(10_700))

    assert not stage.heard(OrderIntent)
    assert [(p.price, p.since) for p in stage.heard(HoldingPeaked)] == [(10_900, 8)]


@in_virtual_time
async def test_a_sale_that_was_under_way_goes_on_at_the_market_though_the_price_has_recovered() -> None:
    begun = (*BOUGHT, sale(), approval(4, SELL, 10, 9_000), accepted(4, "0000004"))
    stage = await started_again(*begun, filled(4, 36_000, 4, SELL, last=4), shares=6)
    stage.tell(tick(10_500))
    assert not stage.heard(OrderIntent)
    stage.tell(canceled(4, 6))

    assert [(i.kind, i.quantity, i.reason) for i in stage.heard(OrderIntent)] == [(Kind.MARKET, 6, "stop loss at 9000")]


@in_virtual_time
async def test_before_the_account_is_known_it_sells_nothing_that_was_under_way() -> None:
    stage = Stage(Guardian(FakeJournal(*BOUGHT, sale(), source="guardian")), name="guardian")
    await stage.start()
    stage.tell(tick(10_000), canceled(9))
    assert not stage.heard(OrderIntent)
    stage.tell(opened(900_000, held(10, 100_000), time=NOW))

    assert [i.quantity for i in stage.heard(OrderIntent)] == [10]


@pytest.mark.parametrize(
    ("source", "after"),
    [
        ("momentum", ()),
        ("guardian", (approval(4, SELL), filled(10, 100_000, 4, SELL, last=10), approval(5), filled(1, 10_000, 5))),
    ],
    ids=["a strategy asked for it", "those shares are gone"],
)
def test_what_the_guardian_did_not_begin_or_what_is_over_does_not_go_on(
    source: str, after: tuple[Message, ...]
) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage = await started_again(*BOUGHT, sale(), *after, source=source)
        stage.tell(tick(10_000))

        assert not stage.heard(OrderIntent)

    scene()


@in_virtual_time
async def test_the_highest_of_yesterday_does_not_keep_todays_from_the_journal() -> None:
    day = 86_400 * 10**9
    old = EquityPeaked(time=Nanoseconds(START - day), equity=Won(9_000_000))
    past = (opened(time=Nanoseconds(START - day)), *BOUGHT[1:], old)
    stage = Stage(Guardian(FakeJournal(*past), stop_loss=0.0), name="guardian")
    await stage.start()
    stage.tell(opened(900_000, held(10, 100_000, last=10_000), time=NOW), tick(11_000))

    assert [p.equity for p in stage.heard(EquityPeaked)] == [1_010_000]


@in_virtual_time
async def test_a_holding_that_never_prints_does_not_turn_the_loss_limits_off() -> None:
    stage = await guarding(cash=1_000_000, stop_loss=0.0, max_drawdown=0.0)
    adjusted = opened(850_000, held(10, 100_000), held(5, 50_000, OTHER), time=NOW, start=False)
    stage.tell(bought_by_hand(), tick(8_000))
    assert not stage.heard(HaltTrading)
    stage.tell(adjusted, tick(7_990))
    assert not stage.heard(HaltTrading)
    priced = held(5, 50_000, OTHER, last=10_000)
    stage.tell(opened(850_000, held(10, 100_000), priced, time=NOW, start=False), tick(7_980))

    assert [halt.reason[:10] for halt in stage.heard(HaltTrading)] == ["daily loss"]


def bought_by_hand() -> Message:
    return PositionAdjusted(
        symbol=OTHER, time=NOW, quantity=Shares(5), cost=Won(50_000), cash=Won(-50_000), reason="a person"
    )


def remembered(*peaks: tuple[int, int], equity: int = 0, day: str = "2025-09-02") -> PeaksCarried:
    """At the fourth message, behind BOUGHT and a look at the broker."""
    carried = [CarriedPeak(symbol=CODE, strategy="momentum", since=since, price=Won(price)) for since, price in peaks]
    return PeaksCarried(reconciliation=4, day=day, peaks=tuple(carried), equity=Won(equity))


LOOK = opened(900_000, held(10, 100_000), time=NOW, start=False)


@pytest.mark.parametrize(("price", "sold"), [(10_781, 0), (10_780, 1)])
def test_a_trailing_stop_that_was_carried_over_is_where_it_was(price: int, sold: int) -> None:
    @in_virtual_time
    async def scene() -> None:
        past = (*BOUGHT, LOOK, remembered((3, 11_000)))
        stage = await started_again(*past, trailing=2.0, stop_loss=0.0)
        stage.tell(tick(price))

        assert len(stage.heard(OrderIntent)) == sold

    scene()


@in_virtual_time
async def test_once_a_day_it_says_how_high_each_holding_stood_unless_something_is_on_its_way_out() -> None:
    stage = await started_again(*BOUGHT, peaked(11_000), trailing=5.0, stop_loss=0.0)
    (state,) = stage.heard(PeaksCarried)
    stage.tell(opened(900_000, held(10, 100_000), time=NOW, start=False))
    assert [(peak.since, peak.price) for peak in state.peaks] == [(3, 11_000)]
    assert len(stage.heard(PeaksCarried)) == 1

    busy = await started_again(*BOUGHT, peaked(11_000), sale())
    assert not busy.heard(PeaksCarried)


@pytest.mark.parametrize(("day", "halts"), [("2025-09-02", 1), ("2025-09-01", 0)])
def test_the_days_highest_equity_that_was_carried_over_counts_on_its_day(day: str, halts: int) -> None:
    @in_virtual_time
    async def scene() -> None:
        past = (*BOUGHT, LOOK, remembered(equity=1_100_000, day=day))
        stage = await started_again(*past, stop_loss=0.0, max_daily_loss=0.0, max_drawdown=5.0)
        stage.tell(tick(10_500))

        assert len(stage.heard(HaltTrading)) == halts

    scene()


@in_virtual_time
async def test_money_laid_in_counts_once_though_its_message_still_waits_at_the_start() -> None:
    past = (
        EquityPeaked(time=NOW, equity=Won(1_100_000)),
        CashAdjusted(time=NOW, cash=Won(50_000), reason="laid in"),
    )
    stage = Stage(Guardian(FakeJournal(*past)), name="guardian")
    await stage.start()
    stage.bus.begin(0, None)  # numbers as they were when the journal was read
    stage.tell(*past, opened(1_050_000, time=NOW))

    assert [state.equity for state in stage.heard(PeaksCarried)] == [1_150_000]
