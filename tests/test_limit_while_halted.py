"""A loss limit reached while trading is halted for another reason: it is said all the same, and may sell everything."""

from typing import Any

import pytest

from actors.guardian import Guardian
from messages import HaltTrading, OrderIntent, ResumeTrading
from runtime.testing import Stage, in_virtual_time
from tests.account.records import approval, filled, opened
from tests.ordering.fakes import FakeJournal
from tests.test_guardian import NOW, guarding
from tests.test_risk import tick

LIMIT: dict[str, Any] = {"stop_loss": 0.0, "max_daily_loss": 2.0, "max_drawdown": 0.0}


@pytest.mark.parametrize("by", ["a person", "journal", "reconciliation"])
def test_a_limit_that_sells_does_so_though_somebody_halted_before(by: str) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage = await guarding(1_000_000, flatten_on_loss=True, **LIMIT)
        stage.tell(tick(9_000), HaltTrading(reason="enough", by=by))
        assert not stage.heard(OrderIntent)
        stage.tell(tick(8_000), tick(7_990))

        (halt,) = stage.heard(HaltTrading)
        assert halt.flatten
        assert [exit_.quantity for exit_ in stage.heard(OrderIntent)] == [10]

    scene()


@in_virtual_time
async def test_a_limit_that_was_said_before_a_restart_is_not_said_again() -> None:
    stage = Stage(Guardian(FakeJournal(), **LIMIT), name="guardian")
    await stage.start()
    stage.tell(HaltTrading(reason="daily loss", by="guardian"))
    stage.tell(opened(1_000_000, time=NOW), approval(), filled(10, 100_000, last=10), tick(8_000))
    assert not stage.heard(HaltTrading)
    stage.tell(ResumeTrading(by="a person"), tick(7_990))

    assert len(stage.heard(HaltTrading)) == 1
