"""While no prints come, a stop goes by the price that the broker tells with each match."""

import pytest
from msgspec.structs import replace

from messages import Message, Nanoseconds, OrderIntent, Session, SessionChanged, Venue
from runtime.testing import START, Stage, in_virtual_time
from tests.account.records import held, opened
from tests.test_guardian import guarding
from tests.test_risk import tick

SECOND = 10**9


def told(price: int, seconds: int) -> Message:
    """A match so many seconds later, at the broker's price."""
    return opened(9_900_000, held(10, 100_000, last=price), time=Nanoseconds(START + seconds * SECOND), start=False)


async def silent(seconds: int, price: int) -> Stage:
    stage = await guarding(stop_loss=3.0)
    stage.tell(replace(tick(10_000), received=Nanoseconds(START)), told(price, seconds))
    return stage


@pytest.mark.parametrize(
    ("seconds", "price", "sold"), [(30, 9_700, 1), (29, 9_700, 0), (-1, 9_700, 0), (30, 9_710, 0), (30, 0, 0)]
)
def test_a_stop_is_reached_by_the_brokers_price_once_the_prints_are_older(seconds: int, price: int, sold: int) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage = await silent(seconds, price)

        assert len(stage.heard(OrderIntent)) == sold

    scene()


@in_virtual_time
async def test_after_the_close_no_price_of_another_venue_begins_a_sale() -> None:
    stage = await guarding(stop_loss=3.0)
    closed = SessionChanged(venue=Venue.KRX, session=Session.CLOSED_FOR_DAY, time=Nanoseconds(START))
    stage.tell(replace(tick(10_000), received=Nanoseconds(START)), closed, told(9_000, 300))

    assert not stage.heard(OrderIntent)
