from typing import Any

import pytest

from actors.guardian import Guardian
from actors.market.time import SECOND
from messages import (
    CancelOrder,
    EquityPeaked,
    ExitDelayed,
    HaltTrading,
    Kind,
    Nanoseconds,
    OrderIntent,
    OrderRefused,
    Purpose,
    ResumeTrading,
    Session,
    SessionChanged,
    Side,
    ViKind,
    ViReleased,
    ViTriggered,
    Won,
)
from runtime.testing import START, Stage, in_virtual_time
from tests.account.records import (
    BUY,
    CODE,
    SELL,
    accepted,
    approval,
    canceled,
    filled,
    held,
    listed,
    opened,
    rejected,
)
from tests.ordering.fakes import FakeJournal
from tests.test_risk import tick

NOW = Nanoseconds(START)


async def guarding(cash: int = 10_000_000, **keys: Any) -> Stage:
    """Ten shares at 10,000 are held by momentum."""
    stage = Stage(Guardian(FakeJournal(), **keys), name="guardian")
    await stage.start()
    stage.tell(opened(cash, time=NOW), approval(), filled(10, 100_000, last=10))
    return stage


def approve(stage: Stage) -> int:
    """Risk approves the newest exit; returns its order."""
    number = next(e.number for e in reversed(stage.envelopes) if isinstance(e.message, OrderIntent))
    exit_ = stage.heard(OrderIntent)[-1]
    stage.tell(approval(number, SELL, exit_.quantity, exit_.price, strategy=exit_.strategy))
    return number


@pytest.mark.parametrize(
    ("keys", "prices", "why"),
    [
        ({"stop_loss": 3.0}, (9_701, 9_700), "stop loss"),
        ({"take_profit": 5.0, "stop_loss": 0.0}, (10_499, 10_500), "profit taken"),
        ({"trailing": 2.0, "stop_loss": 0.0}, (11_000, 10_781, 10_780), "trailing stop"),
    ],
)
def test_an_exit_begins_exactly_at_its_threshold(keys: dict[str, Any], prices: tuple[int, ...], why: str) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage = await guarding(**keys)
        for price in prices[:-1]:
            stage.tell(tick(price))
        assert not stage.heard(OrderIntent)
        stage.tell(tick(prices[-1]))

        (exit_,) = stage.heard(OrderIntent)
        assert (exit_.side, exit_.quantity, exit_.purpose, exit_.strategy) == (SELL, 10, Purpose.EXIT, "momentum")
        assert (exit_.kind, exit_.price) == (Kind.LIMIT, prices[-1])
        assert exit_.reason.startswith(why)

    scene()


@in_virtual_time
async def test_the_very_first_price_after_a_restart_stops_a_loss() -> None:
    stage = Stage(Guardian(FakeJournal(opened(), approval(), filled(10, 100_000, last=10))), name="guardian")
    await stage.start()
    stage.tell(opened(900_000, held(10, 100_000), time=NOW), tick(9_000))

    assert [(i.strategy, i.quantity) for i in stage.heard(OrderIntent)] == [("momentum", 10)]


@in_virtual_time
async def test_an_exit_grows_more_urgent_until_nothing_is_left() -> None:
    stage = await guarding(patience=3.0)
    stage.tell(tick(9_000))
    first = approve(stage)
    stage.tell(accepted(first, "0000005"), filled(4, 36_000, first, SELL, last=4))
    await stage.advance(2)
    assert not stage.heard(CancelOrder)
    await stage.advance(2)
    assert [c.order for c in stage.heard(CancelOrder)] == [first]
    assert len(stage.heard(OrderIntent)) == 1

    stage.tell(canceled(first, 6))
    second = stage.heard(OrderIntent)[-1]
    assert (second.kind, second.price, second.quantity) == (Kind.MARKET, 0, 6)
    number = approve(stage)
    stage.tell(accepted(number, "0000006"), filled(6, 54_000, number, SELL, last=6, asked=6))
    await stage.advance(60)
    assert len(stage.heard(OrderIntent)) == 2


@in_virtual_time
async def test_a_refused_or_rejected_exit_is_tried_again_but_not_at_once() -> None:
    stage = await guarding(patience=3.0)
    number = stage.tell(tick(9_000)) + 1
    stage.tell(refused(number))
    assert len(stage.heard(OrderIntent)) == 1
    await stage.advance(4)
    assert [i.kind for i in stage.heard(OrderIntent)] == [Kind.LIMIT, Kind.MARKET]
    stage.tell(rejected(approve(stage)))
    assert len(stage.heard(OrderIntent)) == 2
    await stage.advance(4)

    assert len(stage.heard(OrderIntent)) == 3


@in_virtual_time
async def test_open_orders_are_taken_back_and_confirmed_before_anything_is_sold() -> None:
    stage = await guarding()
    stage.tell(approval(7, SELL, 10, 11_000), accepted(7, "0000007"))
    stage.tell(approval(8, BUY, 5, 8_000, strategy="contrarian"), accepted(8, "0000008"))
    stage.tell(tick(9_000))
    assert [(c.order, c.strategy) for c in stage.heard(CancelOrder)] == [(7, "momentum"), (8, "contrarian")]
    stage.tell(canceled(7))
    assert not stage.heard(OrderIntent)
    stage.tell(canceled(8, 5))

    assert [i.quantity for i in stage.heard(OrderIntent)] == [10]
    assert len(stage.heard(CancelOrder)) == 2


@in_virtual_time
async def test_strangers_shares_are_left_alone_unless_adopted() -> None:
    for adopt, sold in ((False, 0), (True, 1)):
        stage = Stage(Guardian(FakeJournal(), adopt=adopt), name="guardian")
        await stage.start()
        stage.tell(opened(0, held(10, 100_000), time=NOW), tick(5_000))

        assert len(stage.heard(OrderIntent)) == sold


@pytest.mark.parametrize(
    ("keys", "prices", "reason"),
    [
        ({"max_daily_loss": 2.0, "max_drawdown": 0.0}, (8_001, 8_000), "daily loss"),
        ({"max_daily_loss": 0.0, "max_drawdown": 3.0}, (20_000, 16_701, 16_700), "drawdown"),
    ],
)
def test_a_loss_limit_halts_once_and_exactly(keys: dict[str, Any], prices: tuple[int, ...], reason: str) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage = await guarding(cash=1_000_000, stop_loss=0.0, **keys)
        for price in prices[:-1]:
            stage.tell(tick(price))
        assert not stage.heard(HaltTrading)
        stage.tell(tick(prices[-1]), tick(prices[-1] - 10))

        (halt,) = stage.heard(HaltTrading)
        assert halt.reason.startswith(reason)
        assert not halt.flatten
        stage.tell(ResumeTrading(by="a person"), tick(prices[-1] - 10))
        assert len(stage.heard(HaltTrading)) == 2

    scene()


@in_virtual_time
async def test_a_halt_that_flattens_sells_everything() -> None:
    stage = await guarding()
    stage.tell(tick(10_000), HaltTrading(reason="enough", by="a person", flatten=True))

    assert [(i.quantity, i.reason) for i in stage.heard(OrderIntent)] == [(10, "enough")]


@in_virtual_time
async def test_at_the_end_of_the_day_everything_is_sold() -> None:
    stage = await guarding(flatten_at="09:01")
    stage.tell(tick(10_000))
    await stage.advance(59)
    assert not stage.heard(OrderIntent)
    await stage.advance(2)

    assert [i.reason for i in stage.heard(OrderIntent)] == ["end of the day at 09:01"]


@in_virtual_time
async def test_after_the_close_nothing_is_tried() -> None:
    stage = await guarding()
    stage.tell(SessionChanged(session=Session.CLOSED_FOR_DAY, time=NOW), tick(9_000))
    await stage.advance(60)
    assert not stage.heard(OrderIntent)
    stage.tell(SessionChanged(session=Session.CONTINUOUS, time=NOW))
    await stage.advance(2)

    assert len(stage.heard(OrderIntent)) == 1


@in_virtual_time
async def test_a_new_holding_has_a_new_highest_price() -> None:
    stage = await guarding(trailing=2.0, stop_loss=0.0)
    stage.tell(tick(11_000), approval(2, SELL), filled(10, 110_000, 2, SELL, last=10))
    stage.tell(approval(3, price=10_000), filled(10, 100_000, 3, last=10), tick(10_000))

    assert not stage.heard(OrderIntent)


@in_virtual_time
async def test_without_a_bid_the_first_attempt_is_a_market_order() -> None:
    stage = await guarding()
    stage.tell(tick(9_000, bid=Won(0)))

    assert [i.kind for i in stage.heard(OrderIntent)] == [Kind.MARKET]


@in_virtual_time
async def test_what_a_halt_takes_back_the_guardian_offers_again_at_once() -> None:
    stage = await guarding()
    stage.tell(tick(9_000))
    first = approve(stage)
    stage.tell(accepted(first, "0000005"), HaltTrading(reason="enough", by="a person"))
    assert len(stage.heard(OrderIntent)) == 1
    stage.tell(canceled(first))

    assert [(i.kind, i.quantity) for i in stage.heard(OrderIntent)] == [(Kind.LIMIT, 10), (Kind.MARKET, 10)]


@in_virtual_time
async def test_a_loss_limit_stays_reached_over_a_restart_without_being_reached_twice() -> None:
    stage = Stage(Guardian(FakeJournal(opened(1_000_000), approval(), filled(10, 100_000, last=10))), name="guardian")
    await stage.start()
    stage.tell(HaltTrading(reason="daily loss", by="guardian"), opened(900_000, held(10, 100_000)), tick(5_000))
    assert not stage.heard(HaltTrading)
    stage.tell(ResumeTrading(by="a person"), tick(5_000))

    assert [halt.reason[:10] for halt in stage.heard(HaltTrading)] == ["daily loss"]


@in_virtual_time
async def test_the_days_highest_outlives_the_process() -> None:
    first = await guarding(cash=1_000_000, stop_loss=0.0, max_daily_loss=0.0)
    first.tell(tick(20_000), tick(20_000), tick(20_010))
    (peak,) = first.heard(EquityPeaked)
    before = (opened(1_000_000, time=NOW), approval(), filled(10, 100_000, last=10), peak)
    again = Stage(Guardian(FakeJournal(*before), stop_loss=0.0, max_daily_loss=0.0), name="guardian")
    await again.start()
    again.tell(opened(900_000, held(10, 100_000), time=NOW), tick(16_701))
    assert not again.heard(HaltTrading)
    again.tell(tick(16_700))

    assert [halt.reason for halt in again.heard(HaltTrading)] == ["drawdown: equity 1067000, was 1100000"]


@in_virtual_time
async def test_the_highest_of_another_day_is_forgotten() -> None:
    yesterday = EquityPeaked(time=Nanoseconds(START - 86_400 * 10**9), equity=Won(9_000_000))
    stage = Stage(Guardian(FakeJournal(opened(1_000_000, time=NOW), yesterday), stop_loss=0.0), name="guardian")
    await stage.start()
    stage.tell(opened(1_000_000, time=NOW), tick(10_000))

    assert not stage.heard(HaltTrading)


@in_virtual_time
async def test_into_an_auction_goes_a_limit_below_the_last_price_and_the_market_order_after_it() -> None:
    stage = await guarding(patience=3.0, auction_percent=3.0)
    stage.tell(listed(CODE), interrupted(), tick(9_000))
    (offer,) = stage.heard(OrderIntent)
    assert (offer.kind, offer.price) == (Kind.LIMIT, 8_730)
    number = approve(stage)
    stage.tell(accepted(number, "0000005"))
    await stage.advance(120)
    assert not stage.heard(CancelOrder)
    assert not stage.heard(ExitDelayed)
    stage.tell(ViReleased(symbol=CODE, time=NOW))
    assert [c.order for c in stage.heard(CancelOrder)] == [number]
    stage.tell(canceled(number))

    assert stage.heard(OrderIntent)[-1].kind is Kind.MARKET


@pytest.mark.parametrize("hours", [-24, -1, 1, 24])
def test_a_clock_that_is_set_holds_up_no_exit(hours: int) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage = await guarding(patience=3.0)
        stage.tell(tick(9_000))
        first = approve(stage)
        stage.tell(accepted(first, "0000005"))
        stage.clock.begin(stage.clock.now() + hours * 3_600 * SECOND)
        await stage.advance(4)
        assert {cancel.order for cancel in stage.heard(CancelOrder)} == {first}
        stage.clock.begin(stage.clock.now() + hours * 3_600 * SECOND)
        stage.tell(canceled(first))
        await stage.advance(4)

        assert [exit_.kind for exit_ in stage.heard(OrderIntent)[:2]] == [Kind.LIMIT, Kind.MARKET]

    scene()


@in_virtual_time
async def test_no_limit_lies_below_the_days_lowest_price() -> None:
    stage = await guarding(stop_loss=3.0)
    stage.tell(listed(CODE), SessionChanged(session=Session.CLOSING_AUCTION, time=NOW), tick(7_100))

    assert stage.heard(OrderIntent)[0].price == 7_000


@in_virtual_time
async def test_at_the_lower_limit_the_market_order_waits_in_its_place_and_a_person_is_called() -> None:
    stage = await guarding(patience=3.0)
    stage.tell(listed(CODE), tick(7_000, bid=Won(0)))
    number = approve(stage)
    stage.tell(accepted(number, "0000005"))
    await stage.advance(30)
    assert not stage.heard(CancelOrder)
    (call,) = stage.heard(ExitDelayed)
    assert (call.symbol, call.left, call.strategy) == (CODE, 10, "momentum")
    await stage.advance(60)

    assert len(stage.heard(ExitDelayed)) == 2
    assert len(stage.heard(OrderIntent)) == 1


@in_virtual_time
async def test_a_fill_that_overtakes_the_halt_is_sold_when_it_shall_be_flat() -> None:
    stage = await guarding()
    stage.tell(approval(7, BUY, 5), accepted(7, "0000007"), tick(10_000))
    stage.tell(HaltTrading(reason="enough", by="a person", flatten=True))
    stage.tell(filled(5, 50_000, 7, last=5, asked=5))

    assert [intent.quantity for intent in stage.heard(OrderIntent)] == [15]


@in_virtual_time
async def test_what_fills_after_everything_was_sold_is_sold_as_well_until_a_person_resumes() -> None:
    stage = await guarding()
    stage.tell(approval(7, BUY, 5), accepted(7, "0000007"), tick(10_000))
    stage.tell(HaltTrading(reason="enough", by="a person", flatten=True), canceled(7, 3))
    number = approve(stage)
    stage.tell(filled(10, 100_000, number, SELL, last=10), filled(2, 20_000, 7, last=2, asked=5))
    assert [intent.quantity for intent in stage.heard(OrderIntent)] == [10, 2]
    number = approve(stage)
    stage.tell(filled(2, 20_000, number, SELL, last=2), ResumeTrading(by="a person"))
    stage.tell(approval(9, BUY, 5), filled(5, 50_000, 9, last=5))

    assert len(stage.heard(OrderIntent)) == 2


@in_virtual_time
async def test_started_with_a_wish_to_flatten_it_sells_once_the_account_is_known() -> None:
    stage = Stage(Guardian(FakeJournal(opened(), approval(), filled(10, 100_000, last=10))), name="guardian")
    await stage.start()
    stage.tell(HaltTrading(reason="enough", by="a person", flatten=True))
    assert not stage.heard(OrderIntent)
    stage.tell(opened(900_000, held(10, 100_000), time=NOW))

    assert [intent.quantity for intent in stage.heard(OrderIntent)] == [10]


def interrupted() -> ViTriggered:
    return ViTriggered(
        symbol=CODE,
        time=NOW,
        kind=ViKind.DYNAMIC,
        trigger_price=Won(9_400),
        static_reference=Won(10_000),
        dynamic_reference=Won(10_000),
        upward=False,
        count=1,
    )


def refused(order: int) -> OrderRefused:
    return OrderRefused(
        order=order, symbol=CODE, strategy="momentum", side=Side.SELL, rule="session", figures={}, limit=0
    )


def test_a_time_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="HH:MM"):
        Guardian(FakeJournal(), flatten_at="9:5")
