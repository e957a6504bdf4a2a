from typing import Any

import pytest

from actors.account.ledger import Booked, Ledger
from actors.limits.rule import Limits, Quote, View
from actors.market.time import SECOND
from messages import Designation, Kind, OrderIntent, Session, Side, Venue
from tests.account.records import (
    CODE,
    NOON,
    OTHER,
    SELL,
    accepted,
    approval,
    filled,
    folded,
    held,
    holding,
    listed,
    opened,
    unknown,
)
from tests.limits.world import LIMITS, entered, leave, limits, off, refusal, rich, sent, view, wish

Case = tuple[OrderIntent, Ledger, View, Limits, str, dict[str, Any], Any]


def test_an_ordinary_entry_and_an_ordinary_exit_pass() -> None:
    assert refusal(wish(), rich(), view()) is None
    assert refusal(leave(), holding(), view()) is None


SIZE: list[Case] = [
    (wish(quantity=0), rich(), view(), LIMITS, "quantity", {"quantity": 0}, 1),
    (leave(quantity=-5), holding(), view(), LIMITS, "quantity", {"quantity": -5}, 1),
    (leave(side=Side.BUY), rich(), view(), LIMITS, "exit that buys", {"side": "buy", "quantity": 10}, "sell"),
    (
        wish(quantity=501),
        rich(),
        view(),
        LIMITS,
        "order value",
        {"value": 5_010_000, "price": 10_000, "quantity": 501},
        5_000_000,
    ),
    (
        wish(quantity=501, kind=Kind.MARKET, price=0),
        rich(),
        view(),
        LIMITS,
        "order value",
        {"value": 5_010_000, "price": 10_000, "quantity": 501},
        5_000_000,
    ),
    (wish(quantity=101), rich(), view(), limits(max_quantity=100), "order quantity", {"quantity": 101}, 100),
    (
        wish(quantity=51),
        rich(),
        view(quotes={CODE: Quote(last=10_000, volume=1_000, received=NOON)}),
        LIMITS,
        "share of volume",
        {"quantity": 51, "volume": 1_000},
        5.0,
    ),
]

PRICE: list[Case] = [
    (wish(price=0), rich(), view(), LIMITS, "price and kind", {"kind": "limit", "price": 0}, "a price"),
    (
        leave(kind=Kind.MARKET, price=9_000),
        holding(),
        view(),
        LIMITS,
        "price and kind",
        {"kind": "market", "price": 9_000},
        "no price",
    ),
    (wish(), rich(), view(instruments={}), LIMITS, "instrument", {"symbol": CODE}, "known today"),
    (leave(price=6_990), holding(), view(), LIMITS, "price limits", {"price": 6_990}, "7000 to 13000"),
    (wish(price=13_010), rich(), view(), LIMITS, "price limits", {"price": 13_010}, "7000 to 13000"),
    (wish(price=10_005), rich(), view(), LIMITS, "price step", {"price": 10_005, "over": 5}, 10),
    (
        wish(price=10_310),
        rich(),
        view(),
        LIMITS,
        "price collar",
        {"price": 10_310, "last": 10_000, "percent": 3.1},
        3.0,
    ),
    (
        wish(price=10_110),
        rich(),
        view(),
        LIMITS,
        "price collar in steps",
        {"price": 10_110, "last": 10_000, "edge": 10_100},
        10,
    ),
]

RATE: list[Case] = [
    (wish(), rich(), view(activity=sent(*[NOON - 1] * 3)), LIMITS, "orders a second", {"sent": 3}, 3),
    (wish(), rich(), view(activity=sent(*[NOON - 59 * SECOND] * 20)), LIMITS, "orders a minute", {"sent": 20}, 20),
    (wish(), rich(), view(activity=sent(*[NOON - 3_600 * SECOND] * 100)), LIMITS, "orders a day", {"sent": 100}, 100),
    (
        wish(),
        rich(),
        view(activity=entered(NOON - 4 * SECOND)),
        LIMITS,
        "duplicate",
        {"quantity": 10, "price": 10_000, "seconds": 4.0},
        5.0,
    ),
]


def booked(*messages: Booked, cash: int = 100_000_000) -> Ledger:
    return folded([opened(cash), listed(), listed(OTHER), *messages])


EXPOSURE: list[Case] = [
    (
        wish(),
        booked(cash=100_009),
        view(),
        LIMITS,
        "buying power",
        {"needed": 100_010, "price": 10_000, "cash": 100_009},
        100_009,
    ),
    (
        wish(kind=Kind.MARKET, price=0),
        booked(cash=130_009),
        view(),
        LIMITS,
        "buying power",
        {"needed": 130_010, "price": 13_000, "cash": 130_009},
        130_009,
    ),
    (
        wish(symbol=OTHER),
        booked(approval(), cash=200_019),
        view(),
        LIMITS,
        "buying power",
        {"needed": 100_010, "price": 10_000, "cash": 200_019},
        100_009,
    ),
    (leave(quantity=11), holding(), view(), LIMITS, "own lots", {"quantity": 11, "lots": 10}, 10),
    (leave(strategy="thief"), holding(), view(), LIMITS, "own lots", {"quantity": 10, "lots": 0}, 0),
    (
        leave(strategy=""),
        folded([opened(0, held(10, 100_000))]),
        view(),
        LIMITS,
        "own lots",
        {"quantity": 10, "lots": 10},
        0,
    ),
    (
        wish(quantity=300),
        booked(approval(quantity=400, price=9_990), approval(2, quantity=350), filled(350, 3_500_000, 2, asked=350)),
        view(),
        limits(max_gross_value=10**9),
        "position value",
        {"held": 3_500_000, "buying": 3_996_590, "value": 3_000_000},
        10_000_000,
    ),
    (
        wish(quantity=300),
        booked(approval(symbol=OTHER, quantity=800, price=9_990)),
        view(instruments={CODE: listed(sector="반도체"), OTHER: listed(OTHER, sector="반도체")}),
        limits(max_gross_value=10**9),
        "sector value",
        {"held": 0, "buying": 7_993_190, "value": 3_000_000},
        10_000_000,
    ),
    (
        wish(quantity=300),
        booked(approval(symbol=OTHER, quantity=800, price=9_990), unknown()),
        view(),
        LIMITS,
        "gross value",
        {"held": 0, "buying": 7_993_190, "value": 3_000_000},
        10_000_000,
    ),
    (wish(), booked(approval(symbol=OTHER)), view(), limits(max_positions=1), "positions", {"positions": 1}, 1),
    (
        wish(),
        folded([approval(5, SELL, 4, 9_990), accepted(5)], holding()),
        view(),
        LIMITS,
        "self-crossing",
        {"price": 10_000, "order": 5, "against": 9_990},
        "no open order it would meet",
    ),
    (
        leave(kind=Kind.MARKET, price=0),
        folded([approval(5, price=9_900), accepted(5)], holding()),
        view(),
        LIMITS,
        "self-crossing",
        {"price": 0, "order": 5, "against": 9_900},
        "no open order it would meet",
    ),
]


def lost(cash: int) -> Ledger:
    ledger = booked()
    ledger.cash = cash
    return ledger


def losing(rounds: int) -> Ledger:
    ledger = booked()
    ledger.losers = rounds
    return ledger


LOSS: list[Case] = [
    (
        wish(),
        lost(98_000_000),
        view(),
        LIMITS,
        "daily loss",
        {"equity": 98_000_000, "from": 100_000_000, "lost": 2_000_000},
        2.0,
    ),
    (
        wish(),
        lost(97_000_000),
        view(),
        limits(max_daily_loss_percent=5.0),
        "drawdown",
        {"equity": 97_000_000, "from": 100_000_000, "lost": 3_000_000},
        3.0,
    ),
    (wish(), losing(3), view(), LIMITS, "losers in a row", {"losers": 3}, 3),
]

STATE: list[Case] = [
    (leave(), holding(), view(reconciled=False), LIMITS, "not reconciled", {"state": "starting"}, "reconciled"),
    (wish(), rich(), view(halted="a person"), LIMITS, "trading halted", {"reason": "a person"}, "a person resumes"),
    (wish(), rich(), view(sessions={}), LIMITS, "session", {"session": "unknown"}, "continuous"),
    (
        wish(),
        rich(),
        view(sessions={Venue.KRX: Session.CLOSING_AUCTION}),
        LIMITS,
        "session",
        {"session": "closing auction"},
        "continuous",
    ),
    (
        leave(),
        holding(),
        view(sessions={Venue.KRX: Session.CLOSED_FOR_DAY}),
        LIMITS,
        "session",
        {"session": "closed for the day"},
        "opening auction, continuous, closing auction",
    ),
    (wish(), rich(), view(), limits(entries_until="12:00"), "late", {"time": "12:00"}, "12:00"),
    (leave(), holding(), view(suspended={CODE: "공시"}), LIMITS, "suspended", {"reason": "공시"}, "trading"),
    (
        wish(),
        rich(),
        view(instruments={CODE: listed(halted=True)}),
        LIMITS,
        "suspended",
        {"reason": "거래정지"},
        "trading",
    ),
    (
        wish(),
        rich(),
        view(interrupted={CODE: NOON - 30 * SECOND}),
        LIMITS,
        "volatility interruption",
        {"seconds": 30},
        "released",
    ),
    (
        wish(),
        rich(),
        view(instruments={CODE: listed(designation=Designation.ALERT)}),
        LIMITS,
        "designation",
        {"designation": "투자경고"},
        "none of 투자경고",
    ),
    (
        wish(),
        rich(),
        view(quotes={CODE: Quote(last=10_000, volume=100_000, received=NOON - 11 * SECOND)}),
        LIMITS,
        "stale price",
        {"seconds": 11.0},
        10.0,
    ),
    (wish(), rich(), view(quotes={}), LIMITS, "no price", {"symbol": CODE}, 10.0),
    (wish(), rich(), view(clocks=off(3.001)), LIMITS, "clock difference", {"seconds": 3.001}, 2.0),
    (wish(), rich(), view(clocks=off(-2.001)), LIMITS, "clock difference", {"seconds": -2.001}, 2.0),
    (wish(), rich(), view(links={"kiwoom": "-106"}), LIMITS, "order link", {"kiwoom": "-106"}, "up"),
    (wish(), rich(), view(feeds={"kiwoom": "silent"}), LIMITS, "feed", {"kiwoom": "silent"}, "complete"),
    (wish(), rich(), view(gaps={("momentum", CODE): 4}), LIMITS, "gap", {"momentum": 4}, 0),
    (wish(), rich(), view(gaps={("risk", CODE): 4}), LIMITS, "gap", {"risk": 4}, 0),
    (wish(), rich(), view(losses={(CODE, Venue.KRX): 9}), LIMITS, "gap", {"lost shares": 9}, 0),
    (
        wish(price=9_990),
        booked(approval(), unknown()),
        view(),
        LIMITS,
        "unknown order",
        {"order": 1},
        "settled",
    ),
]


@pytest.mark.parametrize("case", [*SIZE, *PRICE, *RATE, *EXPOSURE, *LOSS, *STATE])
def test_each_rule_refuses_by_its_own_figures(case: Case) -> None:
    asked, ledger, world, allowed, *no = case

    assert refusal(asked, ledger, world, allowed) == tuple(no)


@pytest.mark.parametrize(
    ("asked", "ledger", "world"),
    [
        (wish(quantity=500), rich(), view()),
        (wish(price=10_100), rich(), view()),
        (wish(price=8_000), rich(), view()),
        (wish(), booked(cash=100_010), view()),
        (wish(), rich(), view(activity=sent(*[NOON - 1] * 2))),
        (wish(), rich(), view(activity=entered(NOON - 5 * SECOND))),
        (wish(), lost(98_000_001), view()),
        (wish(), losing(2), view()),
        (wish(), rich(), view(gaps={("recorder", CODE): 4, ("momentum", OTHER): 1})),
        (wish(symbol=OTHER), booked(approval(), unknown()), view()),
        (wish(), rich(), view(interrupted={OTHER: NOON})),
        (wish(), rich(), view(clocks=off(3.0))),
        (wish(), rich(), view(clocks=off(-2.0))),
        (wish(), rich(), view(clocks=off(0.1, 3_600.0))),
        (wish(price=9_980), folded([approval(5, SELL, 4, 9_990), accepted(5)], holding()), view()),
    ],
)
def test_what_is_just_inside_a_limit_passes(asked: OrderIntent, ledger: Ledger, world: View) -> None:
    assert refusal(asked, ledger, world) is None


@pytest.mark.parametrize(
    "world",
    [
        view(halted="a person"),
        view(sessions={Venue.KRX: Session.CLOSING_AUCTION}),
        view(interrupted={CODE: NOON}),
        view(quotes={}),
        view(links={"kiwoom": ""}),
        view(feeds={"kiwoom": ""}),
        view(clocks=off(60.0)),
        view(gaps={("momentum", CODE): 1, ("risk", CODE): 1}),
        view(activity=sent(*[NOON - 1] * 200)),
        view(instruments={}),
        view(instruments={CODE: listed(designation=Designation.ALERT)}),
    ],
)
def test_an_exit_passes_where_an_entry_does_not(world: View) -> None:
    assert refusal(wish(), rich(), world) is not None
    assert refusal(leave(), holding(), world) is None


def test_an_exit_is_as_big_as_the_position_needs() -> None:
    ledger = folded([opened(0, held(5_000, 1)), listed()])

    assert refusal(leave(strategy="", quantity=5_000), ledger, view(), limits(adopt=True)) is None


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_of_two_look_alikes_the_second_waits_for_the_number_of_the_first(side: Side) -> None:
    first = approval(5, side, 5)
    second = wish(quantity=5) if side is Side.BUY else leave(quantity=5)
    ledger = folded([first], holding(10_000_000))
    no = refusal(second, ledger, view())

    assert no is not None
    assert no[0] == "look-alike in flight"
    assert refusal(second, folded([accepted(5)], ledger), view()) is None
