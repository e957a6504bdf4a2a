"""Money that a person lays in or takes out is neither a profit nor a loss of the day."""

import pytest
from msgspec.structs import replace

from actors.guardian import Guardian
from actors.market.time import SECOND
from actors.ordering.reconciliation import compare
from messages import CashAdjusted, EquityPeaked, HaltTrading, Message, Nanoseconds, Won
from runtime.testing import START, Stage, in_virtual_time
from tests.account.records import NOON, accepted, approval, filled, folded, held, opened, submitting
from tests.ordering.fakes import FakeJournal, listed_order, owned, state
from tests.test_guardian import guarding
from tests.test_risk import tick

NOW = Nanoseconds(START)


def moved(cash: int) -> CashAdjusted:
    return CashAdjusted(time=NOW, cash=Won(cash), reason="a person")


async def after(*past: Message, cash: int) -> Stage:
    """The next life of a guardian that measures drawdown alone; momentum holds ten shares."""
    keys = {"stop_loss": 0.0, "max_daily_loss": 0.0, "max_drawdown": 3.0}
    stage = Stage(Guardian(FakeJournal(*past), **keys), name="guardian")  # type: ignore[arg-type]
    await stage.start()
    stage.tell(opened(cash, held(10, 100_000, last=20_000), time=NOW))
    return stage


@pytest.mark.parametrize("keys", [{"max_daily_loss": 2.0, "max_drawdown": 0.0}, {"max_daily_loss": 0.0}])
@pytest.mark.parametrize("cash", [-500_000, 5_000_000])
def test_a_loss_is_measured_without_what_was_laid_in_or_taken_out(cash: int, keys: dict[str, float]) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage = await guarding(cash=1_000_000, stop_loss=0.0, **keys)
        stage.tell(tick(10_000), moved(cash), tick(10_010))
        assert not stage.heard(HaltTrading)
        allowed = (1_000_000 + cash) * 31 // 1_000
        stage.tell(tick(10_010 - allowed // 10))

        assert len(stage.heard(HaltTrading)) == 1

    scene()


def test_what_comes_before_the_days_first_match_is_in_its_opening() -> None:
    ledger = folded([opened(1_000_000), opened(1_000_000, time=Nanoseconds(NOW + 86_400 * 10**9))])
    ledger = folded([moved(-300_000), opened(700_000, time=Nanoseconds(NOW + 2 * 86_400 * 10**9))], ledger)

    assert (ledger.opening, ledger.high) == (700_000, 700_000)


@in_virtual_time
async def test_a_peak_from_before_a_withdrawal_is_none_after_a_restart() -> None:
    peak = EquityPeaked(time=NOW, equity=Won(1_100_000))
    past = (opened(1_000_000, time=NOW), approval(), filled(10, 100_000, last=10), peak, moved(-500_000))
    stage = await after(*past, cash=400_000)
    stage.tell(tick(18_210))
    assert not stage.heard(HaltTrading)
    stage.tell(tick(18_200))

    assert [halt.reason for halt in stage.heard(HaltTrading)] == ["drawdown: equity 582000, was 600000"]


@in_virtual_time
async def test_a_new_highest_after_a_withdrawal_is_said() -> None:
    stage = await guarding(cash=1_000_000, stop_loss=0.0)
    stage.tell(tick(20_000), moved(-500_000), tick(20_100), tick(20_500))

    assert [peak.equity for peak in stage.heard(EquityPeaked)] == [1_100_000, 601_000, 605_000]


@in_virtual_time
async def test_over_midnight_a_new_day_has_a_highest_of_its_own() -> None:
    stage = await guarding(cash=1_000_000, stop_loss=0.0)
    stage.tell(tick(20_000), opened(900_000, time=Nanoseconds(NOW + 86_400 * 10**9), start=False))
    stage.tell(tick(10_000), opened(900_000, time=Nanoseconds(NOW + 2 * 86_400 * 10**9), start=False), tick(10_500))

    assert [peak.equity for peak in stage.heard(EquityPeaked)] == [1_100_000, 1_005_000]


TRADED = (opened(1_000_000), approval(quantity=100), submitting(), accepted(), filled(100, 1_000_000, last=100))


@pytest.mark.parametrize(
    ("missing", "costs"),
    [(150, True), (160, True), (161, False), (300_000, False), (-150, False)],
    ids=["the commission", "rounded otherwise", "more than that", "a withdrawal", "a dividend"],
)
def test_what_the_days_trades_may_have_cost_is_a_loss_and_no_withdrawal(missing: int, costs: bool) -> None:
    ledger = folded(TRADED)
    row = listed_order(quantity=100, filled=100, open_=0)
    there = replace(state(-missing, row, owned(100, 1_000_000)), time=Nanoseconds(NOON + 60 * SECOND))
    (finding,) = compare(ledger, there).findings
    (moved_cash,) = finding.messages
    assert isinstance(moved_cash, CashAdjusted)
    assert (moved_cash.cash, moved_cash.costs) == (-missing, costs)
    before = ledger.opening
    ledger.fold(moved_cash, 50)

    assert (ledger.cash, ledger.opening - before) == (-missing, 0 if costs else -missing)


@in_virtual_time
async def test_a_cost_leaves_the_highest_where_it_was_also_over_a_restart() -> None:
    charge = CashAdjusted(time=NOW, cash=Won(-20_000), reason="untold", costs=True)
    peak = EquityPeaked(time=NOW, equity=Won(1_100_000))
    past = (opened(1_000_000, time=NOW), approval(), filled(10, 100_000, last=10), peak, charge)
    stage = await after(*past, cash=880_000)
    stage.tell(tick(18_710))
    assert not stage.heard(HaltTrading)
    stage.tell(tick(18_700))

    assert [halt.reason for halt in stage.heard(HaltTrading)] == ["drawdown: equity 1067000, was 1100000"]
