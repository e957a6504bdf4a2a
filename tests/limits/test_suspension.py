"""A suspension that the day's data told ends with the first trade: nobody announces that one."""

from msgspec.structs import replace

from messages import ApprovedOrder, InstrumentHalted, Venue
from runtime.testing import START, Stage, in_virtual_time
from tests.account.records import CODE, SELL, approval, filled, listed
from tests.test_risk import NOW, intent, ready, refusals, tick

SECOND = 10**9


async def standing() -> Stage:
    """Ten shares of an issue that stood still when its data were asked for, after its last print."""
    stage = await ready()
    stage.tell(approval(), filled(10, 100_000, last=10), listed(halted=True))
    await stage.advance(60)
    return stage


@in_virtual_time
async def test_an_issue_that_trades_again_can_be_sold() -> None:
    stage = await standing()
    stage.tell(intent(side=SELL))
    assert refusals(stage) == ["suspended"]
    stage.tell(tick(9_000, START + 60 * SECOND), intent(side=SELL))

    assert len(stage.heard(ApprovedOrder)) == 1


@in_virtual_time
async def test_a_price_without_a_trade_or_from_before_or_from_elsewhere_ends_no_suspension() -> None:
    stage = await standing()
    later = tick(9_000, START + 60 * SECOND)
    for message in (tick(9_000), replace(later, size=0), replace(later, venue=Venue.NXT)):
        stage.tell(message, intent(side=SELL))

    assert refusals(stage) == ["suspended"] * 3


@in_virtual_time
async def test_a_suspension_that_is_announced_ends_with_its_announcement_alone() -> None:
    stage = await standing()
    stage.tell(InstrumentHalted(symbol=CODE, time=NOW, halted=True, reason="공시"))
    stage.tell(tick(9_000, START + 60 * SECOND), intent(side=SELL))
    assert refusals(stage) == ["suspended"]
    stage.tell(InstrumentHalted(symbol=CODE, time=NOW, halted=False), intent(side=SELL))

    assert len(stage.heard(ApprovedOrder)) == 1


@in_virtual_time
async def test_the_data_of_another_day_tell_it_anew() -> None:
    stage = await standing()
    stage.tell(tick(9_000, START + 60 * SECOND), listed(halted=True), intent(side=SELL))
    assert refusals(stage) == ["suspended"]
    stage.tell(listed(), intent(side=SELL))

    assert len(stage.heard(ApprovedOrder)) == 1


@in_virtual_time
async def test_bands_that_are_told_anew_say_nothing_of_a_suspension() -> None:
    stage = await standing()
    stage.tell(tick(9_000, START + 60 * SECOND), listed(halted=True, kospi200=True), intent(side=SELL))
    assert len(stage.heard(ApprovedOrder)) == 1
    stage.tell(InstrumentHalted(symbol=CODE, time=NOW, halted=True), listed(halted=True), intent(side=SELL))

    assert refusals(stage) == ["suspended"]
