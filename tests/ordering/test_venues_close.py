"""The day ends at the last venue where an order of ours stands: an order lives until its own venue has closed."""

from pathlib import Path
from typing import Any

import pytest

from actors.trader import Trader
from messages import DayMatched, LinkLost, LinkRestored, OrderExpired, Session, SessionChanged, StopSystem, Venue
from runtime.life.exits import DONE, UNREACHABLE
from runtime.testing import Stage, in_virtual_time
from tests.account.records import accepted, approval, filled
from tests.ordering.fakes import FakeBroker, FakeJournal, listed_order, owned, state
from tests.test_trader import NOW


def closed(venue: Venue, code: str = "") -> SessionChanged:
    return SessionChanged(venue=venue, session=Session.CLOSED_FOR_DAY, time=NOW, code=code)


async def with_order(tmp_path: Path, venue: Venue, broker: FakeBroker) -> Stage:
    stage = Stage(Trader(broker, FakeJournal()), name="trader", data=tmp_path)
    await stage.start()
    stage.tell(approval(venue=venue))
    await stage.settle()
    stage.tell(accepted(venue=venue))
    return stage


def ended(stage: Stage) -> list[Any]:
    return [type(message) for message in stage.said if isinstance(message, OrderExpired | DayMatched)]


@pytest.mark.parametrize("venue", [Venue.NXT, Venue.SOR])
def test_an_order_lives_until_its_own_venue_has_closed(tmp_path: Path, venue: Venue) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage = await with_order(tmp_path, venue, FakeBroker(state(), state(1_000_000, listed_order())))
        stage.tell(closed(Venue.KRX, "8"), closed(Venue.KRX, "9"))
        await stage.advance(60)
        assert not ended(stage)
        stage.tell(closed(Venue.NXT, "V"), closed(Venue.NXT, "W"))
        await stage.advance(60)
        await stage.stop()

        assert ended(stage) == [OrderExpired, DayMatched]

    scene()


@in_virtual_time
async def test_of_two_orders_each_ends_with_its_venue(tmp_path: Path) -> None:
    broker = FakeBroker(state(), state(1_000_000, listed_order(), listed_order("0000002", quantity=7)))
    stage = await with_order(tmp_path, Venue.NXT, broker)
    stage.tell(approval(2, quantity=7))
    await stage.settle()
    stage.tell(accepted(2, "0000002"), closed(Venue.KRX), closed(Venue.NXT))
    await stage.advance(60)

    assert [event.order for event in stage.heard(OrderExpired)] == [1, 2]
    assert len(stage.heard(DayMatched)) == 1


@in_virtual_time
async def test_the_day_is_matched_again_after_a_venue_that_closed_later(tmp_path: Path) -> None:
    bought = state(900_000, listed_order(filled=10), owned(10, 100_000))
    stage = await with_order(tmp_path, Venue.NXT, FakeBroker(state(), bought))
    stage.tell(filled(10, 100_000, last=10), closed(Venue.KRX, "8"), closed(Venue.KRX, "d"))
    await stage.advance(60)
    assert [matched.differences for matched in stage.heard(DayMatched)] == [()]
    stage.tell(closed(Venue.NXT, "V"))
    await stage.advance(60)

    assert [matched.differences for matched in stage.heard(DayMatched)] == [(), ()]


@in_virtual_time
async def test_a_stop_waits_for_every_end_of_a_day_that_two_venues_ended_at_once(tmp_path: Path) -> None:
    bought = state(900_000, listed_order(filled=10), owned(10, 100_000))
    stage = await with_order(tmp_path, Venue.NXT, FakeBroker(state(), bought))
    stage.tell(filled(10, 100_000, last=10), closed(Venue.KRX), closed(Venue.NXT))
    await stage.stop()

    assert [matched.differences for matched in stage.heard(DayMatched)] == [(), ()]


@pytest.mark.parametrize("venue", [None, Venue.KRX, Venue.NXT])
def test_a_link_lost_after_the_close_ends_the_run_for_good_unless_something_was_sent_since_the_match(
    tmp_path: Path, venue: Venue | None
) -> None:
    @in_virtual_time
    async def scene() -> None:
        bought = state(900_000, listed_order(filled=10), owned(10, 100_000))
        stage = await with_order(tmp_path, Venue.KRX, FakeBroker(state(), bought))
        stage.tell(filled(10, 100_000, last=10), closed(Venue.KRX))
        await stage.advance(60)
        if venue is not None:
            stage.tell(approval(2, quantity=7, venue=venue))
            await stage.settle()
            stage.tell(accepted(2, "0000002", venue=venue))
        stage.tell(LinkLost(gateway="kiwoom", time=NOW, reason="-106"))
        await stage.advance(31)

        assert [stop.code for stop in stage.heard(StopSystem)] == [DONE if venue is None else UNREACHABLE]

    scene()


@in_virtual_time
async def test_a_venue_without_orders_of_ours_ends_nothing(tmp_path: Path) -> None:
    stage = await with_order(tmp_path, Venue.KRX, FakeBroker(state(), state(1_000_000, listed_order())))
    stage.tell(closed(Venue.KRX, "8"), closed(Venue.KRX, "9"), closed(Venue.NXT, "V"))
    await stage.advance(60)

    assert ended(stage) == [OrderExpired, DayMatched]


@in_virtual_time
async def test_a_run_that_ends_before_the_last_venue_matches_its_day_and_leaves_the_order(tmp_path: Path) -> None:
    stage = await with_order(tmp_path, Venue.NXT, FakeBroker(state(), state(1_000_000, listed_order())))
    stage.tell(closed(Venue.KRX, "8"), closed(Venue.KRX, "9"))
    await stage.advance(60)
    await stage.stop()

    assert ended(stage) == [DayMatched]
    assert [match.differences for match in stage.heard(DayMatched)] == [
        ("still open at the broker: order 1 (900010): 10 open",)
    ]


@pytest.mark.parametrize("lost", [False, True], ids=["in mid-session", "without a link"])
def test_a_stop_of_another_kind_matches_nothing(tmp_path: Path, lost: bool) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage = await with_order(tmp_path, Venue.NXT, FakeBroker(state(), state(1_000_000, listed_order())))
        if lost:
            stage.tell(closed(Venue.KRX, "9"), LinkLost(gateway="kiwoom", time=NOW, reason="-106"))
        await stage.stop()

        assert not ended(stage)

    scene()


@in_virtual_time
async def test_an_order_of_the_next_day_stands_at_a_venue_that_is_open_again(tmp_path: Path) -> None:
    trader = Trader(FakeBroker(), FakeJournal(), reconcile=500_000.0, link_patience=30.0)
    stage = Stage(trader, name="trader", data=tmp_path)
    await stage.start()
    stage.tell(closed(Venue.KRX, "9"))
    await stage.advance(86_400)
    stage.tell(approval())
    await stage.settle()
    stage.tell(accepted(), LinkLost(gateway="kiwoom", time=NOW, reason="-106"))
    await stage.advance(31)

    assert [stop.code for stop in stage.heard(StopSystem)] == [5]


@in_virtual_time
async def test_what_a_lost_link_means_is_told_by_the_day_that_it_is_lost_on(tmp_path: Path) -> None:
    trader = Trader(FakeBroker(), FakeJournal(), reconcile=500_000.0, link_patience=30.0)
    stage = Stage(trader, name="trader", data=tmp_path)
    await stage.start()
    stage.tell(closed(Venue.KRX, "9"))
    await stage.advance(60)
    stage.tell(LinkLost(gateway="kiwoom", time=NOW, reason="at night"))
    await stage.advance(31)
    assert [stop.code for stop in stage.heard(StopSystem)] == [DONE]
    stage.tell(LinkRestored(gateway="kiwoom", time=NOW))
    await stage.advance(86_400)
    stage.tell(SessionChanged(venue=Venue.KRX, session=Session.CONTINUOUS, time=NOW))
    stage.tell(LinkLost(gateway="kiwoom", time=NOW, reason="-106"))
    await stage.advance(31)

    assert [stop.code for stop in stage.heard(StopSystem)] == [DONE, UNREACHABLE]
