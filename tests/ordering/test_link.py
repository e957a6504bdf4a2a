"""Without an order link nothing leaves, and a run that cannot log in again makes way for one that can."""

from messages import LinkLost, LinkRestored, Nanoseconds, OrderRejected, Session, SessionChanged, StopSystem
from runtime.life.exits import DONE, UNREACHABLE
from runtime.testing import START, in_virtual_time
from tests.account.records import SELL, approval
from tests.ordering.fakes import FakeBroker
from tests.test_trader import trading

NOW = Nanoseconds(START)


@in_virtual_time
async def test_without_a_link_nothing_is_sent_and_entries_end() -> None:
    broker = FakeBroker()
    stage = await trading(broker)
    stage.tell(LinkLost(gateway="kiwoom", time=NOW, reason="-106"))
    stage.tell(approval(), approval(2, SELL, 5, 9_000))
    await stage.settle()
    assert not broker.sent
    assert [r.reason for r in stage.heard(OrderRejected)] == ["the order link is lost"]
    stage.tell(LinkRestored(gateway="kiwoom", time=NOW))
    await stage.settle()

    assert [i.order for i in broker.sent] == [2]


@in_virtual_time
async def test_a_link_lost_for_long_ends_the_run_so_that_the_next_one_can_log_in() -> None:
    stage = await trading(FakeBroker(), link_patience=30.0)
    stage.tell(LinkLost(gateway="kiwoom", time=NOW, reason="-106"))
    await stage.advance(29.0)
    assert not stage.heard(StopSystem)
    await stage.advance(1.0)

    (stop,) = stage.heard(StopSystem)
    assert (stop.code, stop.reason) == (5, "no link to kiwoom: -106")


@in_virtual_time
async def test_a_link_that_came_back_in_time_ends_nothing() -> None:
    stage = await trading(FakeBroker(), link_patience=30.0)
    stage.tell(LinkLost(gateway="kiwoom", time=NOW, reason="-106"))
    await stage.advance(20.0)
    stage.tell(LinkRestored(gateway="kiwoom", time=NOW), LinkLost(gateway="kiwoom", time=NOW, reason="-106"))
    await stage.advance(20.0)
    stage.tell(LinkRestored(gateway="kiwoom", time=NOW))
    await stage.advance(60.0)

    assert not stage.heard(StopSystem)


@in_virtual_time
async def test_a_link_lost_after_the_day_ends_the_run_for_good_for_its_feed_never_says_that_it_ended() -> None:
    stage = await trading(FakeBroker(), link_patience=30.0)
    stage.tell(SessionChanged(session=Session.CLOSED_FOR_DAY, time=NOW))
    await stage.advance(60.0)
    stage.tell(LinkLost(gateway="kiwoom", time=NOW, reason="-106"))
    await stage.advance(30.0)

    assert [stop.code for stop in stage.heard(StopSystem)] == [DONE]


@in_virtual_time
async def test_a_link_lost_before_the_day_is_matched_leaves_it_to_the_next_run() -> None:
    broker = FakeBroker()
    stage = await trading(broker, link_patience=30.0)
    broker.states = [ConnectionError("cut")]
    stage.tell(SessionChanged(session=Session.CLOSED_FOR_DAY, time=NOW))
    stage.tell(LinkLost(gateway="kiwoom", time=NOW, reason="-106"))
    await stage.advance(30.0)

    assert [stop.code for stop in stage.heard(StopSystem)] == [UNREACHABLE]
