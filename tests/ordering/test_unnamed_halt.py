"""A halt without a reason, such as a script may give, is a halt."""

from messages import HaltConfirmed, HaltTrading, OrderIntent, TradingHalted
from runtime.testing import in_virtual_time
from tests.account.records import accepted, approval
from tests.ordering.fakes import FakeBroker
from tests.test_guardian import guarding
from tests.test_risk import intent, ready, refusals, tick
from tests.test_trader import trading

UNNAMED = HaltTrading(reason="", by="a script", flatten=True)


@in_virtual_time
async def test_risk_refuses_entries() -> None:
    stage = await ready()
    stage.tell(UNNAMED, intent())

    assert refusals(stage) == ["trading halted"]


@in_virtual_time
async def test_the_trader_takes_back_what_is_open_and_lets_no_entry_out() -> None:
    broker = FakeBroker()
    stage = await trading(broker)
    stage.tell(approval())
    await stage.settle()
    stage.tell(accepted(), UNNAMED, approval(2, quantity=5))
    await stage.settle()

    assert [i.order for i in broker.sent] == [1, 1]
    assert [halted.reason for halted in stage.heard(TradingHalted)] == ["no reason given"]
    assert not stage.heard(HaltConfirmed)


@in_virtual_time
async def test_the_guardian_sells() -> None:
    stage = await guarding()
    stage.tell(tick(10_000), UNNAMED)

    assert [i.quantity for i in stage.heard(OrderIntent)] == [10]
