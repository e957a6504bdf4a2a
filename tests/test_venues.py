"""One issue at several venues: each its own subscription, bars and quotes, and nothing of one in another's."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from actors.market.venues import spell, split
from actors.receiver import Receiver
from actors.strategies.momentum import Momentum
from messages import (
    Bar,
    Instrument,
    OrderIntent,
    OrderRefused,
    Session,
    SessionChanged,
    Symbol,
    Tick,
    UniverseChanged,
    Venue,
)
from runtime.testing import Stage, in_virtual_time
from tests.account.records import CODE as RISKY
from tests.fake_feed import STARTED, FakeFeed, instrument
from tests.market.market_data import CODE, tick
from tests.strategies.test_momentum import rising
from tests.test_risk import NOW, intent, ready
from tests.test_risk import tick as price_of

NXT, SOR, KRX = Venue.NXT, Venue.SOR, Venue.KRX


def at(venue: Venue, *ticks: Tick) -> Sequence[Tick]:
    return [msgspec.structs.replace(one, venue=venue) for one in ticks]


@pytest.mark.parametrize(("code", "venue"), [("005930", KRX), ("005930_NX", NXT), ("005930_AL", SOR)])
def test_a_code_names_its_venue(code: str, venue: Venue) -> None:
    assert split(code) == ("005930", venue)
    assert spell(*split(code)) == code
    with pytest.raises(ValueError, match="no venue"):
        split("005930_XX")


@in_virtual_time
async def test_each_venue_is_watched_by_its_own_code_has_its_own_bars_and_the_issue_is_asked_for_once() -> None:
    feed = FakeFeed()
    stage = Stage(Receiver(feed, symbols=["005930", "005930_NX"], intervals=[60]))
    await stage.start()
    stage.tell(STARTED)
    await stage.settle()
    feed.give(*at(KRX, tick(0, 100, 5, volume=5)), *at(NXT, tick(1, 200, 1, volume=1), tick(2, 210, 2, volume=3)))
    feed.give(*at(KRX, tick(3, 101, 1, volume=6)))
    await stage.advance(90)

    assert feed.watched[0][0] == ["005930", "005930_NX"]
    assert [(bar.venue, bar.open, bar.close, bar.volume) for bar in stage.heard(Bar)] == [
        (KRX, 100, 101, 6),
        (NXT, 200, 210, 3),
    ]
    assert [one.symbol for one in stage.heard(Instrument)] == [CODE]
    assert isinstance(stage.actor, Receiver)
    assert stage.actor.counts["lost_shares"] == 0


@in_virtual_time
async def test_an_order_at_a_venue_has_that_venues_prices_watched() -> None:
    feed = FakeFeed()
    stage = Stage(Receiver(feed))
    await stage.start()
    stage.tell(STARTED)
    stage.tell(intent(symbol=CODE, venue=NXT))
    await stage.advance(2)
    assert feed.watched[-1] == (["005930_NX"], ["005930_NX"])


@in_virtual_time
async def test_risk_weighs_an_order_by_its_own_venues_quotes_and_marks_holdings_at_one_venue() -> None:
    stage = await ready(max_listed_percent=100.0, max_volume_percent=100.0)
    risk: Any = stage.actor
    stage.tell(SessionChanged(venue=NXT, session=Session.CONTINUOUS, time=NOW))
    stage.tell(intent(venue=NXT))
    stage.tell(*at(NXT, price_of(10_100)), intent(venue=NXT, price=10_100), intent(price=10_000))

    assert [refused.rule for refused in stage.heard(OrderRefused)] == ["no price"]
    assert (risk._quotes[RISKY].last, risk._view.elsewhere[NXT][RISKY].last) == (10_000, 10_100)
    assert risk._ledger.prices[RISKY] == 10_000


@in_virtual_time
async def test_a_strategy_reads_and_orders_at_the_venue_its_codes_name() -> None:
    entered: list[list[Venue]] = []
    for venue in (KRX, NXT):
        stage = Stage(Momentum(symbols=["005930_NX"], window=10, rise=0.01, strength=150, value=1_000_000), name="mine")
        await stage.start()
        stage.tell(instrument(CODE))
        stage.tell(*at(venue, *rising()))
        entered.append([one.venue for one in stage.heard(OrderIntent)])
        assert stage.heard(UniverseChanged)[0].symbols == (Symbol("005930_NX"),)
    assert entered == [[], [NXT]]
    stage = Stage(Momentum(universe="screener", window=10, rise=0.01, strength=150, value=1_000_000), name="mine")
    await stage.start()
    named = UniverseChanged(universe="screener", time=NOW, symbols=(Symbol("005930_NX"),))
    stage.tell(instrument(CODE), named, *at(NXT, *rising()))
    assert [one.venue for one in stage.heard(OrderIntent)] == [NXT]
    with pytest.raises(ValueError, match="one venue"):
        Momentum(symbols=["005930_NX", "000660"])
