from typing import Any

import pytest

from actors.limits.rule import Refusal, Rule
from actors.market.time import SECOND
from actors.risk import RULES, Risk
from messages import (
    Aggressor,
    ApprovedOrder,
    ApprovedReplace,
    CancelOrder,
    HaltTrading,
    Kind,
    LedgerFolded,
    MailboxOverflowed,
    MailboxRecovered,
    Nanoseconds,
    OrderBook,
    OrderIntent,
    OrderRefused,
    Purpose,
    ReplaceIntent,
    ResumeTrading,
    Session,
    SessionChanged,
    Shares,
    Side,
    Symbol,
    Tick,
    ViKind,
    ViReleased,
    ViTriggered,
    Won,
)
from runtime.testing import START, Stage, in_virtual_time
from tests.account.records import CODE, about, accepted, approval, filled, folded, listed, opened
from tests.ordering.fakes import FakeJournal

NOW = Nanoseconds(START)


def tick(price: int = 10_000, time: int = START, symbol: Symbol = CODE, **changes: Any) -> Tick:
    fields: dict[str, Any] = {
        "size": 1,
        "side": Aggressor.BUYER,
        "volume": 100_000,
        "value": 1_000_000_000,
        "ask": price + 10,
        "bid": price,
        "open": price,
        "high": price,
        "low": price,
        "strength": 100.0,
    }
    return Tick(
        symbol=symbol, time=Nanoseconds(time), received=Nanoseconds(time), price=Won(price), **(fields | changes)
    )


def intent(quantity: int = 10, price: int = 10_000, side: Side = Side.BUY, **changes: Any) -> OrderIntent:
    fields: dict[str, Any] = {
        "symbol": CODE,
        "kind": Kind.LIMIT if price else Kind.MARKET,
        "purpose": Purpose.ENTRY if side is Side.BUY else Purpose.EXIT,
        "strategy": "momentum",
        "reason": "a test",
    }
    return OrderIntent(side=side, quantity=Shares(quantity), price=Won(price), **(fields | changes))


async def ready(cash: int = 1_000_000, journal: FakeJournal | None = None, **keys: Any) -> Stage:
    stage = Stage(Risk(journal or FakeJournal(), **keys), name="risk")
    await stage.start()
    stage.tell(opened(cash, time=NOW), listed(), SessionChanged(session=Session.CONTINUOUS, time=NOW), tick())
    return stage


def refusals(stage: Stage) -> list[str]:
    return [refused.rule for refused in stage.heard(OrderRefused)]


@in_virtual_time
async def test_an_intent_becomes_an_approval_with_its_number_its_terms_and_the_prices_it_was_judged_on() -> None:
    stage = await ready()
    number = stage.tell(intent())

    (approved,) = stage.heard(ApprovedOrder)
    assert (approved.order, approved.quantity, approved.price, approved.strategy) == (number, 10, 10_000, "momentum")
    assert (approved.evidence.last, approved.evidence.ask, approved.evidence.bid) == (10_000, 10_010, 10_000)
    assert approved.evidence.time == START


@in_virtual_time
async def test_no_won_is_promised_twice() -> None:
    stage = await ready(cash=150_000)
    stage.tell(intent(price=10_000), intent(price=9_990))

    assert len(stage.heard(ApprovedOrder)) == 1
    (refused,) = stage.heard(OrderRefused)
    assert (refused.rule, refused.limit) == ("buying power", 150_000 - 100_010)
    assert refused.figures["needed"] == 99_910


@in_virtual_time
async def test_intents_that_wait_together_do_not_share_the_same_won() -> None:
    stage = await ready(cash=150_000)
    stage.bus.publish(intent(price=10_000), "stage")
    stage.bus.publish(intent(price=9_990), "stage")
    await stage.settle()

    assert len(stage.heard(ApprovedOrder)) == 1
    assert refusals(stage) == ["buying power"]


@in_virtual_time
async def test_an_intent_is_judged_on_the_print_it_answers() -> None:
    stage = await ready(stale_seconds=5.0)
    await stage.clock.sleep(60)
    stage.bus.publish(tick(10_250, stage.clock.now()), "stage")
    stage.bus.publish(intent(price=10_250), "stage")
    await stage.settle()

    (approved,) = stage.heard(ApprovedOrder)
    assert (approved.evidence.last, approved.evidence.time) == (10_250, START + 60_000_000_000)


@in_virtual_time
async def test_nobody_trades_before_the_first_reconciliation() -> None:
    stage = Stage(Risk(FakeJournal(opened(), listed())))
    await stage.start()
    stage.tell(SessionChanged(session=Session.CONTINUOUS, time=NOW), tick(), intent())

    assert refusals(stage) == ["not reconciled"]


@in_virtual_time
async def test_a_halt_refuses_entries_until_a_person_resumes() -> None:
    stage = await ready()
    stage.tell(HaltTrading(reason="loss", by="guardian"), intent())
    assert refusals(stage) == ["trading halted"]
    stage.tell(ResumeTrading(by="a person"), intent())

    assert len(stage.heard(ApprovedOrder)) == 1


@in_virtual_time
async def test_an_interruption_refuses_entries_until_it_is_released() -> None:
    stage = await ready()
    vi = ViTriggered(
        symbol=CODE,
        time=NOW,
        kind=ViKind.STATIC,
        trigger_price=Won(11_000),
        static_reference=Won(10_000),
        dynamic_reference=Won(0),
        upward=True,
        count=1,
    )
    stage.tell(vi, intent(), ViReleased(symbol=CODE, time=NOW), intent())

    assert refusals(stage) == ["volatility interruption"]
    assert len(stage.heard(ApprovedOrder)) == 1


@in_virtual_time
async def test_a_strategy_that_missed_prints_may_not_enter_until_it_caught_up() -> None:
    stage = await ready()
    stage.tell(MailboxOverflowed(actor="stage", subject=CODE, refused=1), intent())
    stage.tell(MailboxRecovered(actor="stage", subjects=(CODE,)), intent())

    assert refusals(stage) == ["gap"]
    assert len(stage.heard(ApprovedOrder)) == 1


@in_virtual_time
async def test_a_price_gets_old_and_a_book_makes_it_new() -> None:
    stage = await ready()
    await stage.advance(11)
    stage.tell(intent())
    assert refusals(stage) == ["stale price"]
    later = Nanoseconds(stage.clock.now())
    sides: dict[str, Any] = {
        "ask_prices": (10_020,) + (0,) * 9,
        "ask_sizes": (5,) + (0,) * 9,
        "bid_prices": (10_000,) + (0,) * 9,
        "bid_sizes": (5,) + (0,) * 9,
    }
    stage.tell(OrderBook(symbol=CODE, time=later, received=later, ask_total=Shares(5), bid_total=Shares(5), **sides))
    stage.tell(intent())

    (approved,) = stage.heard(ApprovedOrder)
    assert approved.evidence.ask == 10_020


@in_virtual_time
async def test_cancels_count_against_the_rate_of_entries() -> None:
    stage = await ready(max_orders_second=2)
    stage.tell(CancelOrder(order=1, symbol=CODE, strategy="momentum", reason="a test"), intent())

    assert refusals(stage) == ["orders a second"]


@in_virtual_time
async def test_the_orders_of_the_day_are_remembered_over_a_restart() -> None:
    earlier = FakeJournal(opened(time=NOW), listed(), approval(), filled(10, 100_000, last=10))
    stage = await ready(journal=earlier, max_orders_day=1)
    stage.tell(intent(quantity=9))

    assert refusals(stage) == ["orders a day"]


@in_virtual_time
async def test_an_own_order_may_be_changed_within_the_rules() -> None:
    stage = await ready()
    order = stage.tell(intent())
    stage.tell(accepted(order))
    number = stage.tell(change(order, price=10_010))

    (approved,) = stage.heard(ApprovedReplace)
    assert (approved.number, approved.order, approved.price) == (number, order, 10_010)
    stage.tell(change(order, price=10_020))
    assert refusals(stage) == ["change"]


@in_virtual_time
async def test_a_change_is_refused_for_strangers_for_more_shares_and_beyond_the_cash() -> None:
    stage = await ready(cash=100_050)
    order = stage.tell(intent())
    stage.tell(accepted(order))
    stage.tell(change(order, strategy="thief"), change(order, quantity=11), change(order, price=10_010), change(99))

    assert refusals(stage) == ["change", "change", "buying power", "change"]


@in_virtual_time
async def test_each_reconciliation_is_answered_with_a_digest() -> None:
    stage = await ready()
    number = stage.tell(opened(time=NOW, start=False))

    folding = stage.heard(LedgerFolded)[-1]
    assert folding.reconciliation == number
    assert folding.digest == folded([opened(time=NOW), listed(), opened(time=NOW, start=False)]).digest()


@in_virtual_time
async def test_a_reconciliation_that_the_start_has_read_beyond_is_not_answered() -> None:
    earlier = FakeJournal(opened(time=NOW), approval(), filled(10, 100_000, last=10))
    stage = await ready(journal=earlier)
    told = len(stage.heard(LedgerFolded))
    stage.bus.begin(0, None)  # numbers as they were when the journal was read
    stage.tell(opened(time=NOW))

    assert len(stage.heard(LedgerFolded)) == told


def test_every_rule_is_asked_once() -> None:
    assert len(RULES) == len(set(RULES)) > 30


def change(order: int, quantity: int = 10, price: int = 10_000, strategy: str = "momentum") -> ReplaceIntent:
    fields = about(order, strategy=strategy)
    fields.pop("time")
    return ReplaceIntent(**fields, quantity=Shares(quantity), price=Won(price), reason="a test")


def test_a_reserve_that_leaves_no_orders_is_refused() -> None:
    with pytest.raises(ValueError, match="cancel_reserve"):
        Risk(FakeJournal(), max_orders_second=1, cancel_reserve=1)


@in_virtual_time
async def test_an_intent_that_is_weighed_again_to_keep_risk_warm_leaves_no_trace() -> None:
    stage = await ready()
    stage.tell(intent())
    stage.seat.keep_warm()
    stage.tell(intent(quantity=9))

    assert [order.quantity for order in stage.heard(ApprovedOrder)] == [10, 9]
    assert refusals(stage) == []


@in_virtual_time
async def test_to_keep_warm_every_rule_is_asked_whatever_the_others_say(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def never(number: int) -> Rule:
        def rule(*_: object) -> Refusal | None:
            asked.append(number)
            return Refusal(rule="never", figures={}, limit=0)

        return rule

    stage = await ready()
    stage.seat.keep_warm()
    stage.tell(intent())
    monkeypatch.setattr("actors.risk.RULES", tuple(map(never, range(3))))
    stage.seat.keep_warm()

    assert asked == [0, 1, 2]
    assert len(stage.heard(ApprovedOrder)) == 1


@pytest.mark.parametrize("days", [-1, 1])
@in_virtual_time
async def test_a_clock_that_is_a_day_off_for_a_moment_forgives_nothing(
    days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = await ready(max_orders_day=2)
    stage.tell(intent(quantity=1), intent(quantity=2))
    with monkeypatch.context() as wrong:
        wrong.setattr(stage.clock, "now", lambda: START + days * 86_400 * SECOND)
        stage.seat.keep_warm()
        stage.tell(intent(quantity=3))
    stage.tell(intent(quantity=4))

    assert refusals(stage) == ["stale price", "orders a day"]
