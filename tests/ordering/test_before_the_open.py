"""Outside the hours nothing is tried and nobody is called, also where no announcement has come yet."""

import datetime as dt

import pytest

from actors.guardian import Guardian
from actors.market.time import at
from messages import ExitDelayed, Nanoseconds, OrderIntent, Session, SessionChanged
from runtime.testing import Stage, in_virtual_time
from tests.account.records import approval, filled, held, opened
from tests.ordering.fakes import FakeJournal

DAY = dt.date(2025, 9, 2)
BOUGHT = (opened(time=at(dt.date(2025, 9, 1), 12)), approval(), filled(10, 100_000, last=10))


async def started(begin: int) -> Stage:
    """Over night momentum holds ten shares that have lost a fifth."""
    stage = Stage(Guardian(FakeJournal(*BOUGHT)), name="guardian", start=begin)
    await stage.start()
    stage.tell(opened(900_000, held(10, 100_000, last=8_000), time=Nanoseconds(begin)))
    return stage


@pytest.mark.parametrize(
    ("hour", "minute"), [(7, 30), (8, 31), (16, 10)], ids=["before the open", "not announced yet", "after the close"]
)
def test_before_the_first_announcement_the_calendar_tells_that_nothing_trades(hour: int, minute: int) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage = await started(at(DAY, hour, minute))
        await stage.advance(1_800)
        assert not stage.heard(OrderIntent)
        assert not stage.heard(ExitDelayed)
        stage.tell(SessionChanged(session=Session.OPENING_AUCTION, time=Nanoseconds(stage.clock.now())))
        await stage.advance(2)

        assert [exit_.quantity for exit_ in stage.heard(OrderIntent)] == [10]

    scene()


@pytest.mark.parametrize("day", [DAY, dt.date(2040, 1, 4)], ids=["a day of trading", "a day that is not known"])
def test_a_start_within_the_hours_needs_no_announcement(day: dt.date) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage = await started(at(day, 12))

        assert [exit_.quantity for exit_ in stage.heard(OrderIntent)] == [10]

    scene()
