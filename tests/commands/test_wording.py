"""Everything that can be said around an order has words of its own."""

import pytest
from msgspec.structs import replace

from actors.commands.why_order import way
from actors.commands.why_symbol import silence
from actors.commands.wording import Prices, describe
from messages import (
    CashAdjusted,
    DayMatched,
    EquityPeaked,
    ExitDelayed,
    HaltConfirmed,
    HoldingPeaked,
    Message,
    ReconciliationWanted,
    Settlement,
    SettleOrder,
    Shares,
    StrategyDisabled,
    Won,
)
from runtime.envelope import Envelope
from tests.account.records import CODE, NOON, OTHER, SELL, approval, opened, submitting, unknown

DELAYED = ExitDelayed(symbol=CODE, strategy="momentum", left=Shares(10), attempts=4, reason="stop loss")
MATCHED = DayMatched(time=NOON, orders=7, fills=5, differences=(), unexplained=Won(0))
DEAD = SettleOrder(order=1, outcome=Settlement.DEAD, by="kim")
WORDS: list[tuple[Message, str]] = [
    (DELAYED, "10 still to sell after 4 attempts: stop loss"),
    (DEAD, "kim says that nothing of it is open"),
    (SettleOrder(order=1, outcome=Settlement.FILLED, by="kim"), "kim says that all of it filled"),
    (
        SettleOrder(order=1, outcome=Settlement.FILLED, quantity=Shares(3), price=Won(70_200), by="kim"),
        "kim says that 3 shares filled at 70,200",
    ),
    (CashAdjusted(time=NOON, cash=Won(-1_500), reason="a charge"), "-1,500 won without a trade: a charge"),
    (EquityPeaked(time=NOON, equity=Won(1_234_567)), "equity 1,234,567 won, the day's highest"),
    (
        HoldingPeaked(symbol=CODE, strategy="momentum", since=7, time=NOON, price=Won(11_000)),
        "900010 of momentum at 11,000",
    ),
    (ReconciliationWanted(reason="kim wants to resume"), "the broker shall be matched now: kim wants to resume"),
    (HaltConfirmed(time=NOON, reason="news"), "nothing it takes back is open any more: news"),
    (StrategyDisabled(strategy="momentum", symbol=CODE, repeats=5), "momentum: the same in 900010 5 times and more"),
    (MATCHED, "7 orders of the day, 5 filled: journal, records and statement agree to the won"),
    (
        DayMatched(time=NOON, orders=7, fills=5, differences=("lost fill: x", "y"), unexplained=Won(3)),
        "7 orders of the day, 5 filled; 2 differences, 3 won unexplained: lost fill: x",
    ),
]


def told(*messages: Message) -> list[Envelope]:
    return [Envelope(number, NOON, "somebody", 0, message) for number, message in enumerate(messages, 1)]


@pytest.fixture
def prices(tmp_path_factory: pytest.TempPathFactory) -> Prices:
    return Prices(tmp_path_factory.mktemp("nothing"))


@pytest.mark.parametrize(("message", "words"), WORDS)
def test_each_has_its_words(message: Message, words: str) -> None:
    assert describe(message, NOON)[12:] == words


def test_what_a_person_said_of_an_order_and_how_long_it_took_is_on_its_way(prices: Prices) -> None:
    ordered = (opened(), approval(50, SELL), submitting(50, side=SELL))
    lines = way(told(*ordered, DELAYED, unknown(50), replace(DEAD, order=50)), 50, prices)

    assert [line.split()[1] for line in lines if "12:00:00" in line] == [
        *("approved", "submitting", "delayed", "unknown", "settled"),
    ]


def test_what_happened_to_the_account_around_then_is_told_and_nothing_of_other_issues(prices: Prices) -> None:
    other = ExitDelayed(symbol=OTHER, strategy="momentum", left=Shares(1), attempts=1, reason="x")
    lines = silence(told(opened(), DELAYED, other, MATCHED), CODE, NOON, 60.0, prices)

    assert [line.split()[2] for line in lines if line.startswith("  around")] == ["delayed", "matched"]
