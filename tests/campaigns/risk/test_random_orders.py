import pytest

from actors import risk
from actors.campaigns.risk.random_orders import campaign
from actors.limits import exposure, loss, price, rate, size, state
from actors.limits.rule import Rule


def test_no_random_order_passes_that_should_not_and_none_is_refused_without_its_reason() -> None:
    tally = campaign(5_000, seed=1)

    assert not tally.wrong
    assert tally.approved > 1_000
    assert len(tally.refused) > 35


@pytest.mark.parametrize(
    "rule",
    [
        state.halted,
        state.stale,
        state.unknown_order,
        size.order_value,
        price.collar,
        rate.per_second,
        rate.look_alike,
        exposure.buying_power,
        exposure.own_lots,
        exposure.self_crossing,
        exposure.positions,
        loss.drawdown,
    ],
    ids=lambda rule: rule.__name__,
)
def test_the_second_opinion_sees_that_a_rule_is_missing(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(risk, "RULES", tuple(other for other in risk.RULES if other is not rule))

    assert campaign(2_500, seed=2).wrong
