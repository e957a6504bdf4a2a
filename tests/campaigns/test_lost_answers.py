from random import Random

import pytest

from actors.account.order import Order
from actors.campaigns.lost_answers import GOOD, Loss, campaign
from actors.ordering.sender import Sender


def test_each_order_whose_answer_is_lost_is_at_the_exchange_once_or_not_at_all() -> None:
    outcomes = campaign(200, seed=Random(1).randrange(1_000))

    assert outcomes.failures == []
    assert outcomes.total == 200
    assert all(sum(outcomes.count(ending, loss) for ending in GOOD) > 10 for loss in Loss)
    assert outcomes.count("one order", Loss.NEVER_SENT) == 0
    assert outcomes.count("no order", Loss.SILENT) == 0


def test_an_order_that_never_leaves_is_a_failure_and_not_a_campaign_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def itself(_sender: Sender, order: Order) -> Order | None:
        return order if order.number == 3 else None

    monkeypatch.setattr(Sender, "_look_alike", itself)

    outcomes = campaign(4, seed=1)

    assert outcomes.failures == ["order: never left (seed and batch 1 0, order 3)"]


def test_were_look_alikes_not_kept_apart_it_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_sender: Sender, _order: Order) -> None:
        return None

    monkeypatch.setattr(Sender, "_look_alike", nothing)

    assert not campaign(200, seed=1).ok
