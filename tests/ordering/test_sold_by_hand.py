"""What was sold by hand while nothing ran is gone, and what a list has merely lost is not."""

import pytest
from msgspec.structs import replace

from actors.gateways.port import BrokerState
from actors.market.time import SECOND
from messages import Evidence, HaltTrading, Message, Nanoseconds, PositionAdjusted, Reconciled, Symbol, Won
from runtime.testing import START, Stage, in_virtual_time
from tests.account.records import CODE, OTHER, accepted, approval, filled, opened, submitting
from tests.ordering.fakes import FakeBroker, FakeJournal, owned, state
from tests.test_trader import trading

_DAY = 86_400 * SECOND
_THIRD = Symbol("900030")


def of_yesterday(message: Message) -> Message:
    time: int = getattr(message, "time", 0)
    return replace(message, time=Nanoseconds(time - _DAY)) if time else message


def holding(*symbols: Symbol) -> FakeJournal:
    """Ten shares of each, bought yesterday for 100,000 won of a million."""
    seen = Evidence(last=Won(10_000), time=Nanoseconds(START - _DAY))
    said: list[Message] = [opened()]
    for order, symbol in enumerate(symbols, 1):
        bought = approval(order, symbol=symbol, evidence=seen)
        said += [bought, submitting(order, symbol=symbol), accepted(order, f"{order:07d}", symbol=symbol)]
        said.append(filled(10, 100_000, order, symbol=symbol, last=10))
    return FakeJournal(*map(of_yesterday, said))


async def next_day(journal: FakeJournal, account: BrokerState) -> Stage:
    stage = await trading(FakeBroker(account), journal)
    await stage.advance(120)
    return stage


@pytest.mark.parametrize(
    ("held", "account", "left"),
    [
        ((CODE,), state(1_005_000), {CODE: 0}),
        ((CODE,), state(930_000), {CODE: 0}),
        ((CODE, OTHER, _THIRD), state(905_000, owned(10, 100_000, _THIRD)), {CODE: 0, OTHER: 0}),
        ((CODE,), state(885_000, owned(12, 120_000, OTHER)), {CODE: 0, OTHER: 12}),
    ],
    ids=["all of it", "at a loss", "two of three", "one for another"],
)
def test_what_was_sold_by_hand_in_the_evening_is_gone_in_the_morning(
    held: tuple[Symbol, ...], account: BrokerState, left: dict[Symbol, int]
) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage = await next_day(holding(*held), account)

        assert {found.symbol: found.quantity for found in stage.heard(PositionAdjusted)} == left
        assert sum(found.cash for found in stage.heard(PositionAdjusted)) == account.cash - 1_000_000 + 100_000 * len(
            held
        )
        assert stage.heard(Reconciled)[-1].differences == ()
        assert not stage.heard(HaltTrading)

    scene()


@pytest.mark.parametrize(
    ("held", "account"),
    [
        ((CODE,), state(900_500)),
        ((CODE, OTHER), state(801_000, owned(10, 100_000, OTHER))),
        ((CODE, OTHER), state(740_000, owned(16, 160_000, OTHER))),
    ],
    ids=["everything", "a page", "a page, beside a purchase"],
)
def test_shares_that_a_list_lacks_and_no_money_came_for_are_still_there(
    held: tuple[Symbol, ...], account: BrokerState
) -> None:
    @in_virtual_time
    async def scene() -> None:
        stage = await next_day(holding(*held), account)

        assert CODE not in {found.symbol for found in stage.heard(PositionAdjusted)}
        assert stage.heard(Reconciled)[-1].differences

    scene()
