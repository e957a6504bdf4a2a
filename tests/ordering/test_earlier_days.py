"""What filled on an earlier day while nothing ran is booked to its order, where the broker still tells."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from actors.gateways.port import BrokerOrder, BrokerState
from actors.market.time import at
from messages import (
    Evidence,
    ExternalOrderSeen,
    Message,
    Nanoseconds,
    OrderAccepted,
    OrderExpired,
    OrderFilled,
    PositionAdjusted,
    Shares,
    Side,
    Venue,
    Won,
)
from runtime.testing import Stage, in_virtual_time
from tests.account.records import CODE, NOON, accepted, approval, filled, opened, rejected, sent, submitting, unknown
from tests.ordering.fakes import FakeBroker, FakeJournal, listed_order, owned, state
from tests.test_trader import trading

FRIDAY = dt.date(2025, 8, 29)
THURSDAY = dt.date(2025, 8, 28)


class Remembering(FakeBroker):
    """Tells the orders of earlier days, or raises what is laid ready."""

    def __init__(self, *states: BrokerState) -> None:
        super().__init__(*states)
        self.days: dict[dt.date, tuple[BrokerOrder, ...]] = {}
        self.errors: list[Exception] = []
        self.asked_days: list[dt.date] = []

    async def orders_of(self, day: dt.date) -> Sequence[BrokerOrder]:
        self.asked_days.append(day)
        if self.errors:
            raise self.errors.pop(0)
        return self.days.get(day, ())


def on(day: dt.date, *messages: Message) -> list[Message]:
    return [replace(message, time=at(day, 15, 19)) if hasattr(message, "time") else message for message in messages]


def left_open(day: dt.date = FRIDAY, order: int = 1, number: str = "0000001") -> list[Message]:
    asked = approval(order, evidence=Evidence(last=Won(10_000), time=Nanoseconds(at(day, 15, 18))))
    return on(day, asked, submitting(order), sent(order), *([accepted(order, number)] if number else []))


def listed(number: str = "0000001", day: dt.date = FRIDAY, **terms: Any) -> BrokerOrder:
    return replace(listed_order(number, **terms), time=at(day, 15, 25))


async def next_day(broker: FakeBroker, *before: Message) -> Stage:
    start = replace(opened(), time=at(THURSDAY, 9))
    stage = await trading(broker, FakeJournal(start, *before))
    await stage.advance(20)
    return stage


def bought(stage: Stage) -> list[tuple[int, int, int]]:
    return [(fill.order, fill.filled, fill.amount) for fill in stage.heard(OrderFilled)]


@pytest.mark.parametrize(
    "before", [left_open(), [*left_open(), *on(FRIDAY, filled(4, 40_000, last=4))], left_open(number="")]
)
def test_a_fill_of_friday_belongs_on_monday_to_who_asked_for_it(before: list[Message]) -> None:
    @in_virtual_time
    async def scene() -> None:
        broker = Remembering(state(930_000, owned(7, 70_000)))
        broker.days = {FRIDAY: (listed("0000001", filled=7),)}
        stage = await next_day(broker, *before)

        assert bought(stage)[-1] == (1, 7, 70_000)
        assert stage.heard(OrderFilled)[-1].source == "recovery"
        assert [(rest.order, rest.expired) for rest in stage.heard(OrderExpired)] == [(1, 3)]
        assert not stage.heard(PositionAdjusted)
        assert not stage.heard(ExternalOrderSeen)
        assert broker.asked_days == [FRIDAY]

    scene()


@in_virtual_time
async def test_a_record_is_of_the_order_that_lives_rather_than_of_one_that_was_given_up() -> None:
    broker = Remembering(state(930_000, owned(7, 70_000)))
    broker.days = {FRIDAY: (replace(listed(filled=7), time=at(FRIDAY, 15, 19)),)}
    given_up = [*left_open(number=""), *on(FRIDAY, unknown(), rejected())]
    stage = await next_day(broker, *given_up, *left_open(order=2, number=""))

    assert bought(stage) == [(2, 7, 70_000)]


@in_virtual_time
async def test_what_was_given_up_and_filled_in_part_ends_with_its_day_too() -> None:
    broker = Remembering(state(930_000, owned(7, 70_000)))
    broker.days = {FRIDAY: (replace(listed(filled=7), time=at(FRIDAY, 15, 19)),)}
    stage = await next_day(broker, *left_open(number=""), *on(FRIDAY, unknown(), rejected()))

    assert bought(stage) == [(1, 7, 70_000)]
    assert [(rest.order, rest.expired) for rest in stage.heard(OrderExpired)] == [(1, 3)]


@in_virtual_time
async def test_numbers_begin_anew_each_day() -> None:
    broker = Remembering(state(700_000, owned(30, 300_000)))
    broker.days = {THURSDAY: (listed(day=THURSDAY, filled=10, status="체결"),), FRIDAY: (listed(filled=0),)}
    stage = await next_day(broker, *left_open(THURSDAY, 1), *left_open(FRIDAY, 2))

    assert bought(stage) == [(1, 10, 100_000)]
    assert [rest.order for rest in stage.heard(OrderExpired)] == [2]
    assert broker.asked_days == [THURSDAY, FRIDAY]


@pytest.mark.parametrize(
    "records",
    [
        (),
        (listed(side=Side.SELL, filled=7),),
        (listed(quantity=20, filled=7),),
        (listed(price=9_000, filled=7),),
        (listed(quantity=20, filled=20),),
        (listed("0000009", filled=7),),
    ],
)
def test_what_the_list_cannot_tell_is_booked_as_a_strangers_with_an_alarm(records: tuple[BrokerOrder, ...]) -> None:
    @in_virtual_time
    async def scene() -> None:
        broker = Remembering(state(930_000, owned(7, 70_000)))
        broker.days = {FRIDAY: records}
        stage = await next_day(broker, *left_open())

        assert not stage.heard(OrderFilled)
        assert [rest.expired for rest in stage.heard(OrderExpired)] == [10]
        assert [found.quantity for found in stage.heard(PositionAdjusted)] == [7]

    scene()


@in_virtual_time
async def test_two_that_look_alike_are_not_told_apart() -> None:
    broker = Remembering(state(930_000, owned(7, 70_000)))
    broker.days = {FRIDAY: (listed("0000001", filled=7), listed("0000002"))}
    stage = await next_day(broker, *left_open(number=""))

    assert not stage.heard(OrderFilled)
    assert not stage.heard(OrderAccepted)
    assert len(stage.heard(OrderExpired)) == 1


@pytest.mark.parametrize(("failures", "fills"), [(3, 1), (5, 0)])
def test_a_broker_that_does_not_answer_is_asked_again_a_few_times(failures: int, fills: int) -> None:
    @in_virtual_time
    async def scene() -> None:
        broker = Remembering(state(930_000, owned(7, 70_000)))
        broker.days = {FRIDAY: (listed(filled=7),)}
        errors: list[Exception] = [TimeoutError(), ConnectionError("no such query")]
        broker.errors = (errors * 3)[:failures]
        stage = await next_day(broker, *left_open())
        await stage.advance(20)

        assert len(bought(stage)) == fills
        assert len(stage.heard(OrderExpired)) == 1

    scene()


@in_virtual_time
async def test_an_order_that_was_given_up_is_asked_about_on_the_next_day() -> None:
    broker = Remembering(state(930_000, owned(7, 70_000)))
    broker.days = {FRIDAY: (replace(listed(filled=7), time=at(FRIDAY, 15, 19)),)}
    stage = await next_day(broker, *left_open(number=""), *on(FRIDAY, unknown(), rejected()))

    assert bought(stage) == [(1, 7, 70_000)]


@in_virtual_time
async def test_the_next_start_of_the_day_asks_no_more() -> None:
    broker = Remembering(state(930_000, owned(7, 70_000)))
    broker.days = {FRIDAY: (listed(filled=7),)}
    first = await next_day(broker, *left_open())
    start = replace(opened(), time=at(THURSDAY, 9))
    second = await trading(broker, FakeJournal(start, *left_open(), *first.said))

    assert broker.asked_days == [FRIDAY]
    assert not second.heard(OrderFilled)
    assert not second.heard(OrderExpired)


EXPIRED = OrderExpired(
    order=1, symbol=CODE, strategy="s", time=NOON, broker_order="0000001", expired=Shares(10), venue=Venue.KRX
)


@pytest.mark.parametrize(
    "before",
    [[*left_open(), *on(FRIDAY, EXPIRED)], [*left_open(number=""), *on(FRIDAY, rejected())]],
    ids=["the day ended unseen", "an answer alone refused it"],
)
def test_what_was_over_on_friday_without_a_record_of_it_may_have_filled(before: list[Message]) -> None:
    @in_virtual_time
    async def scene() -> None:
        broker = Remembering(state(930_000, owned(7, 70_000)))
        broker.days = {FRIDAY: (replace(listed(filled=7), time=at(FRIDAY, 15, 19)),)}
        stage = await next_day(broker, *before)

        assert bought(stage) == [(1, 7, 70_000)]
        assert not stage.heard(PositionAdjusted)

    scene()
