"""Everything that can be said around an order has words of its own."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from actors.commands.told import Told
from actors.commands.why_order import way
from actors.commands.why_symbol import silence
from actors.commands.wording import Prices, describe
from messages import (
    Action,
    CashAdjusted,
    DayMatched,
    EquityPeaked,
    ExitDelayed,
    ExternalOrderSeen,
    HaltConfirmed,
    HaltTrading,
    HoldingPeaked,
    Kind,
    Message,
    Nanoseconds,
    OrderExpired,
    OrderIntent,
    PositionAdjusted,
    Purpose,
    ReconciliationWanted,
    ResumeTrading,
    Session,
    SessionChanged,
    Settlement,
    SettleOrder,
    Shares,
    StrategyDisabled,
    Venue,
    Won,
)
from runtime.bus import RUN_BITS
from runtime.clock import SECOND
from runtime.envelope import Envelope
from tests.account.records import (
    BUY,
    CODE,
    NOON,
    OTHER,
    SELL,
    about,
    accepted,
    approval,
    canceled,
    filled,
    opened,
    rejected,
    submitting,
    unknown,
)

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
    (
        CashAdjusted(time=NOON, cash=Won(-150), reason="found", costs=True),
        "-150 won as costs of trades that no record told: found",
    ),
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


def told(*messages: Message) -> Told:
    return all_of([Envelope(number, NOON, "somebody", 0, message) for number, message in enumerate(messages, 1)])


def all_of(envelopes: list[Envelope]) -> Told:
    return Told(Path("nowhere"), None, envelopes)


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


def wish(**changes: Any) -> OrderIntent:
    terms: dict[str, Any] = {"symbol": CODE, "side": BUY, "quantity": 10, "price": 10_000, "strategy": "momentum"}
    terms |= {"purpose": Purpose.ENTRY, "reason": "breakout"}
    return OrderIntent(**(terms | changes))


def test_the_end_of_an_order_is_told_on_the_days_after_too(prices: Prices) -> None:
    tomorrow = opened(899_900, time=Nanoseconds(NOON + 86_400 * SECOND))
    lines = way(told(opened(), approval(50), submitting(50), filled(10, 100_000, 50), tomorrow), 50, prices)

    assert lines[-5:-2] == [
        "  end         filled: 10 of 10 filled",
        "  amount      100,000 won, 10,000.00 a share on average",
        "  costs       commission 0 won, tax 0 won",
    ]


def test_an_intent_that_answered_a_message_of_the_journal_names_it(prices: Prices) -> None:
    halt = HaltTrading(reason="daily loss", by="guardian", flatten=True)
    sale = wish(side=SELL, purpose=Purpose.EXIT, reason="halted: daily loss")
    envelopes = told(opened(), halt, sale).envelopes
    envelopes[-1] = Envelope(3, NOON, "guardian", 2, sale)
    lines = way(all_of(envelopes), 3, prices)

    assert lines[1] == "  cause       12:00:00.000  halt        wanted by guardian: daily loss"


OUTCOMES: list[tuple[tuple[Message, ...], str]] = [
    ((), "approved, no answer yet"),
    ((accepted(2),), "approved, not filled"),
    ((rejected(2),), "approved, rejected: no"),
    ((unknown(2),), "approved, unknown: no answer"),
    ((accepted(2), canceled(2)), "approved, 10 canceled"),
    ((accepted(2), filled(4, 40_000, 2, asked=10)), "approved, 4 filled"),
    (
        (accepted(2), filled(4, 40_000, 2), OrderExpired(**about(2), broker_order="0000002", expired=Shares(6))),
        "approved, 4 filled, 6 expired",
    ),
]


@pytest.mark.parametrize(("after", "words"), OUTCOMES)
def test_what_became_of_an_intent_is_told_to_its_end(after: tuple[Message, ...], words: str, prices: Prices) -> None:
    lines = silence(told(opened(), wish(), approval(2), *after), CODE, NOON, 60.0, prices)

    assert next(line for line in lines if "  intent " in line).endswith(f"breakout > {words}")


def test_the_session_of_one_venue_hides_no_other(prices: Prices) -> None:
    sessions = (
        SessionChanged(session=Session.CLOSED_FOR_DAY, time=NOON),
        SessionChanged(venue=Venue.NXT, session=Session.CONTINUOUS, time=NOON),
    )
    lines = silence(told(opened(), *sessions), CODE, NOON, 60.0, prices)

    assert [line for line in lines if line.startswith("  session")] == [
        "  session     closed for the day since 12:00:00",
        "  session     continuous at NXT since 12:00:00",
    ]


def test_what_is_asked_of_the_broker_is_told_as_it_is_asked() -> None:
    market = submitting(kind=Kind.MARKET, price=0, side=SELL)
    taken_back = submitting(action=Action.CANCEL, price=0, quantity=7)

    assert [describe(message, NOON)[12:] for message in (submitting(), market, taken_back)] == [
        "new: buy 10 at 10,000",
        "new: sell 10 at market",
        "cancel: buy 7",
    ]


def test_a_fill_that_brought_costs_alone_is_called_so() -> None:
    late = filled(10, 100_000, last=0, source="recovery", commission=Won(15))

    assert describe(late, NOON)[12:].startswith("costs alone (10 filled, 0 open), commission 15, tax 0 so far")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-60, ["  running     no: run 0 began at 2025-09-02 12:00:00"]),
        (60, []),
        (600, ["  running     no: run 0 said nothing after 2025-09-02 12:00:00"]),
    ],
)
def test_when_nothing_ran_that_is_why_nothing_was_bought(seconds: int, words: list[str], prices: Prices) -> None:
    lines = silence(told(opened()), CODE, NOON + seconds * SECOND, 60.0, prices)

    assert [line for line in lines if line.startswith("  running")] == words


DISABLED = StrategyDisabled(strategy="momentum", symbol=OTHER, repeats=5)
IN_THE_WAY = "  in the way  "
NOTHING = "no halt, no interruption, no lost link or feed, no gap"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ((DISABLED,), "momentum may not enter since 12:00:00: it repeated itself in 900020; `resume` lets it"),
        ((DISABLED, ResumeTrading(by="kim")), NOTHING),
    ],
)
def test_a_strategy_that_may_not_enter_any_more_stands_in_the_way(
    said: tuple[Message, ...], words: str, prices: Prices
) -> None:
    lines = silence(told(opened(), *said), CODE, NOON, 60.0, prices)

    assert [line for line in lines if line.startswith(IN_THE_WAY)] == [IN_THE_WAY + words]


def test_it_does_so_on_the_days_and_runs_after_too(prices: Prices) -> None:
    day, run = 86_400 * SECOND, 1 << RUN_BITS
    said = [(run + 1, NOON, DISABLED), (2 * run + 1, NOON + day, opened(time=Nanoseconds(NOON + day)))]
    envelopes = [Envelope(number, time, "somebody", 0, message) for number, time, message in said]
    lines = silence(all_of(envelopes), CODE, NOON + day, 60.0, prices)

    assert [line.partition(":")[0] for line in lines if line.startswith(IN_THE_WAY)] == [
        IN_THE_WAY + "momentum may not enter since 2025-09-02 12"
    ]


def test_what_strangers_did_is_told_around_its_time(prices: Prices) -> None:
    adjusted = PositionAdjusted(
        symbol=CODE, time=NOON, quantity=Shares(3), cost=Won(30_000), cash=Won(-30_000), reason="a person"
    )
    seen = ExternalOrderSeen(symbol=CODE, time=NOON, broker_order="0000901", description="buy 3 at 10000: 3 filled")
    lines = silence(told(opened(), adjusted, seen), CODE, NOON, 60.0, prices)

    assert [line[28:] for line in lines if line.startswith("  around")] == [
        "adjusted    3 shares for 30,000 won, cash -30,000: a person",
        "stranger    0000901, not ours: buy 3 at 10000: 3 filled",
    ]
