from typing import Any

import pytest

from actors.limits.rule import Limits, Quote, View
from actors.market.time import SECOND
from messages import Instrument, Kind, Market, OrderIntent, Purpose, Session, Side, Venue, ViReleased
from runtime.testing import in_virtual_time
from tests.account.records import CODE, NOON, OTHER, holding, listed
from tests.limits.world import LIMITS, limits, refusal, rich, view, wish
from tests.test_risk import NOW, intent, ready, refusals, tick

WIDE = limits(collar_percent=30.0, collar_ticks=1_000, max_volume_percent=100.0)
Case = tuple[OrderIntent, View, Limits, str, dict[str, Any], Any]


def seen(last: int, ask: int, bid: int, reference: int = 10_000, instrument: Instrument | None = None) -> View:
    quote = Quote(last=last, ask=ask, bid=bid, volume=100_000, received=NOON - SECOND, reference=reference)
    return view(quotes={CODE: quote}, instruments={CODE: instrument or listed(), OTHER: listed(OTHER)})


REFUSED: list[Case] = [
    (
        wish(price=11_000),
        seen(10_900, 11_000, 10_890),
        WIDE,
        "volatility band",
        {"price": 11_000, "reference": 10_000, "percent": 10},
        11_000,
    ),
    (
        wish(price=10_600),
        seen(10_000, 10_010, 9_990),
        WIDE,
        "volatility band",
        {"price": 10_600, "reference": 10_000, "percent": 6},
        10_600,
    ),
    (
        wish(price=10_300),
        seen(10_000, 10_010, 9_990, instrument=listed(kospi200=True)),
        WIDE,
        "volatility band",
        {"price": 10_300, "reference": 10_000, "percent": 3},
        10_300,
    ),
    (
        wish(side=Side.SELL, purpose=Purpose.ENTRY, price=9_000),
        seen(9_200, 9_210, 9_190),
        WIDE,
        "volatility band",
        {"price": 9_000, "reference": 10_000, "percent": 10},
        9_000,
    ),
    (
        wish(kind=Kind.MARKET, price=0),
        seen(10_000, 10_310, 9_990),
        LIMITS,
        "price collar",
        {"price": 10_310, "last": 10_000, "percent": 3.1},
        3.0,
    ),
    (
        wish(kind=Kind.BEST, price=0),
        seen(10_000, 10_110, 9_990),
        LIMITS,
        "price collar in steps",
        {"price": 10_110, "last": 10_000, "edge": 10_100},
        10,
    ),
    (
        wish(quantity=50),
        view(instruments={CODE: listed(listed_shares=9_999), OTHER: listed(OTHER)}),
        LIMITS,
        "share of the company",
        {"quantity": 50, "listed": 9_999},
        0.5,
    ),
]


@pytest.mark.parametrize("case", REFUSED)
def test_an_entry_that_reaches_too_far_is_refused_by_its_own_figures(case: Case) -> None:
    asked, world, allowed, *no = case
    ledger = rich() if asked.side is Side.BUY else holding()

    assert refusal(asked, ledger, world, allowed) == tuple(no)


@pytest.mark.parametrize(
    ("asked", "world"),
    [
        (wish(price=10_990), seen(10_900, 11_000, 10_890)),
        (wish(price=11_500), seen(11_400, 11_500, 11_390)),
        (wish(price=10_900), seen(10_900, 11_000, 10_890, reference=10_900)),
        (wish(price=10_590), seen(10_000, 10_010, 9_990)),
        (wish(price=11_500), seen(11_000, 11_010, 10_990, 0, listed(market=Market.ELW))),
        (wish(kind=Kind.PRIORITY, price=0), seen(10_000, 12_900, 9_990)),
        (wish(kind=Kind.MARKET, price=0), seen(10_000, 0, 9_990)),
        (wish(quantity=50), view(instruments={CODE: listed(listed_shares=10_000), OTHER: listed(OTHER)})),
    ],
)
def test_what_stays_inside_a_band_or_meets_one_out_of_date_passes(asked: OrderIntent, world: View) -> None:
    assert refusal(asked, rich(), world, WIDE) is None


def test_the_dynamic_band_is_narrower_in_the_closing_auction() -> None:
    world = seen(10_000, 10_010, 9_990)
    world.sessions[Venue.KRX] = Session.CLOSING_AUCTION
    allowed = limits(
        collar_percent=30.0,
        collar_ticks=1_000,
        sessions=(Session.CLOSING_AUCTION,),
    )
    no = refusal(wish(price=10_400), rich(), world, allowed)

    assert no == ("volatility band", {"price": 10_400, "reference": 10_000, "percent": 4}, 10_400)


@in_virtual_time
async def test_the_first_price_after_an_interruption_is_the_middle_of_the_new_band() -> None:
    stage = await ready(cash=10_000_000, collar_percent=30.0, collar_ticks=1_000)
    stage.tell(tick(10_900, open=10_000), intent(price=11_000))
    assert refusals(stage) == ["volatility band"]
    stage.tell(ViReleased(symbol=CODE, time=NOW), tick(11_000, open=10_000), intent(price=11_010))

    assert refusals(stage) == ["volatility band"]


@in_virtual_time
async def test_who_comes_late_takes_the_opening_price_for_the_middle_of_the_band() -> None:
    stage = await ready(cash=10_000_000, collar_percent=30.0, collar_ticks=1_000)
    stage.tell(listed(OTHER), tick(11_900, symbol=OTHER, open=11_000), intent(symbol=OTHER, price=12_100))

    assert refusals(stage) == ["volatility band"]
