from collections.abc import Sequence

import pytest

from actors.account.ledger import Booked
from actors.risk import Risk
from messages import (
    ActivityCarried,
    CancelOrder,
    Message,
    Nanoseconds,
    OrderRefused,
    Position,
    ResumeTrading,
    Session,
    SessionChanged,
)
from runtime.testing import START, Stage, in_virtual_time
from tests.account.records import BUY, CODE, SELL, accepted, approval, filled, held, listed, opened
from tests.ordering.fakes import FakeJournal
from tests.test_risk import intent, tick

NOW = Nanoseconds(START)
BOUGHT: tuple[Booked, ...] = (
    opened(1_000_000, time=NOW),
    listed(),
    approval(quantity=50),
    accepted(),
    filled(50, 500_000, last=50, asked=50),
)


async def again(
    cash: int, *positions: Position, past: Sequence[Message], price: int, most: int = 1_000
) -> list[OrderRefused]:
    """A process that finds this past and this account, and is asked for an entry at that price."""
    stage = Stage(Risk(FakeJournal(*past), max_losers=2, max_orders_second=100, max_orders_day=most))
    await stage.start()
    stage.tell(opened(cash, *positions, time=NOW), listed(), SessionChanged(session=Session.CONTINUOUS, time=NOW))
    stage.tell(tick(price, stage.clock.now()), intent(quantity=7, price=price))
    return stage.heard(OrderRefused)


@in_virtual_time
async def test_a_restart_measures_the_loss_from_the_first_opening_of_the_day() -> None:
    (refused,) = await again(500_000, held(50, 500_000), past=BOUGHT, price=9_600)

    assert refused.rule == "daily loss"
    assert refused.figures == {"equity": 980_000, "from": 1_000_000, "lost": 20_000}


@in_virtual_time
async def test_a_restart_measures_the_drawdown_from_the_highest_match_with_the_broker() -> None:
    peak = opened(500_000, held(50, 500_000, last=11_000), time=NOW, start=False)
    (refused,) = await again(500_000, held(50, 500_000), past=(*BOUGHT, peak), price=10_300)

    assert refused.rule == "drawdown"
    assert refused.figures == {"equity": 1_015_000, "from": 1_050_000, "lost": 35_000}


@in_virtual_time
async def test_a_restart_counts_the_losers_on() -> None:
    rounds: list[Booked] = [opened(10_000_000, time=NOW), listed()]
    for buy, sell in ((1, 2), (3, 4)):
        rounds += [approval(buy), accepted(buy, f"{buy:07}"), filled(10, 100_000, buy, last=10)]
        rounds += [approval(sell, SELL, 10, 9_990), accepted(sell, f"{sell:07}")]
        rounds += [filled(10, 99_900, sell, SELL, last=10)]
    (refused,) = await again(9_999_800, past=tuple(rounds), price=9_990)

    assert (refused.rule, refused.figures, refused.limit) == ("losers in a row", {"losers": 2}, 2)


@in_virtual_time
async def test_what_was_sent_or_unknown_before_a_restart_still_binds_its_won() -> None:
    past = (opened(150_000, time=NOW), listed(), approval(quantity=10))
    (refused,) = await again(150_000, past=past, price=10_000)

    assert refused.rule == "buying power"
    assert refused.limit == 150_000 - 100_010


REPEATED = OrderRefused(
    order=7, symbol=CODE, strategy="momentum", side=BUY, rule="repeated execution", figures={}, limit=3
)
DISABLED = ActivityCarried(reconciliation=1, day="2025-09-01", disabled={"momentum": CODE})


@pytest.mark.parametrize(
    ("past", "rules"),
    [
        ((opened(time=NOW), DISABLED), ["strategy disabled"]),
        ((opened(time=NOW), DISABLED, ResumeTrading(by="a person")), []),
        ((REPEATED, opened(time=NOW), ActivityCarried(reconciliation=2, day="2025-09-02", disabled={})), []),
    ],
    ids=["carried over", "a person resumed since", "a person resumed before"],
)
def test_a_strategy_that_repeated_itself_stays_disabled_over_days(past: tuple[Message, ...], rules: list[str]) -> None:
    @in_virtual_time
    async def scene() -> None:
        refused = await again(1_000_000, past=past, price=10_000)

        assert [one.rule for one in refused] == rules

    scene()


@in_virtual_time
async def test_risk_carries_over_once_a_day_and_not_behind_the_days_first_request() -> None:
    stage = Stage(Risk(FakeJournal(REPEATED)))
    await stage.start()
    stage.tell(opened(time=NOW), opened(time=NOW, start=False))
    (state,) = stage.heard(ActivityCarried)
    assert (state.day, state.disabled) == ("2025-09-02", {"momentum": CODE})

    busy = Stage(Risk(FakeJournal(opened(time=NOW), approval())))
    await busy.start()
    busy.tell(opened(time=NOW))
    assert not busy.heard(ActivityCarried)


@in_virtual_time
async def test_what_was_sent_the_day_before_does_not_stand_in_the_way_of_what_is_carried_over() -> None:
    stage = Stage(Risk(FakeJournal(), max_orders_second=100))
    await stage.start()
    stage.tell(opened(time=NOW, start=False), CancelOrder(order=1, symbol=CODE, strategy="momentum", reason="old"))
    await stage.advance(86_400)
    stage.tell(opened(time=Nanoseconds(stage.clock.now()), start=False))

    assert [state.day for state in stage.heard(ActivityCarried)] == ["2025-09-02", "2025-09-03"]


@in_virtual_time
async def test_a_state_of_tomorrow_is_of_a_clock_that_jumped_and_what_was_sent_today_still_counts() -> None:
    tomorrow = ActivityCarried(reconciliation=3, day="2025-09-03", disabled={})
    refused = await again(1_000_000, past=(opened(time=NOW), approval(), tomorrow), price=10_000, most=1)

    assert [one.rule for one in refused] == ["orders a day"]
