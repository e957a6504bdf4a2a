"""A world in which everything is allowed, to break one thing at a time."""

from typing import Any

import msgspec

from actors.account.ledger import Ledger
from actors.limits.activity import REPEATED, Activity
from actors.limits.clocks import Clocks
from actors.limits.rule import Limits, Quote, View, of_intent
from actors.market.time import SECOND
from actors.risk import RULES
from messages import CancelOrder, Designation, Kind, OrderIntent, OrderRefused, Purpose, Session, Side, Venue
from tests.account.records import CODE, NOON, OTHER, approval, folded, listed, opened

LIMITS = Limits(
    max_order_value=5_000_000,
    max_quantity=1_000,
    max_volume_percent=5.0,
    max_listed_percent=0.5,
    collar_percent=3.0,
    collar_ticks=10,
    max_orders_second=4,
    max_orders_minute=20,
    max_orders_day=100,
    cancel_reserve=1,
    duplicate_seconds=5.0,
    max_alike_day=3,
    max_repeats=5,
    repeat_seconds=600.0,
    max_position_value=10_000_000,
    max_sector_value=10_000_000,
    max_gross_value=10_000_000,
    max_positions=3,
    max_daily_loss_percent=2.0,
    max_drawdown_percent=3.0,
    max_losers=3,
    stale_seconds=10.0,
    max_clock_difference=2.0,
    sessions=(Session.CONTINUOUS,),
    entries_until="15:15",
    forbidden=(Designation.ALERT,),
    adopt=False,
)


def limits(**changes: Any) -> Limits:
    return msgspec.structs.replace(LIMITS, **changes)


def wish(**changes: Any) -> OrderIntent:
    fields: dict[str, Any] = {
        "strategy": "momentum",
        "symbol": CODE,
        "venue": Venue.KRX,
        "side": Side.BUY,
        "kind": Kind.LIMIT,
        "quantity": 10,
        "price": 10_000,
        "purpose": Purpose.ENTRY,
        "reason": "a test",
    }
    return OrderIntent(**(fields | changes))


def leave(**changes: Any) -> OrderIntent:
    return wish(**({"side": Side.SELL, "purpose": Purpose.EXIT} | changes))


def view(**changes: Any) -> View:
    quote = Quote(last=10_000, ask=10_010, bid=9_990, volume=100_000, received=NOON - SECOND)
    fields: dict[str, Any] = {
        "now": NOON,
        "reconciled": True,
        "sessions": {Venue.KRX: Session.CONTINUOUS},
        "quotes": {CODE: quote, OTHER: quote},
        "instruments": {CODE: listed(), OTHER: listed(OTHER)},
    }
    return View(**(fields | changes))


def off(*seconds: float) -> Clocks:
    """After prints that came so late, or so early, one a second."""
    clocks = Clocks()
    for number, late in enumerate(seconds):
        theirs = NOON + number * SECOND
        clocks.compare(theirs, theirs + round(late * SECOND))
    return clocks


def sent(*times: int) -> Activity:
    """Something that left at each of these instants, alike to nothing."""
    activity = Activity()
    for time in times:
        activity.fold(CancelOrder(order=1, symbol=CODE, strategy="momentum", reason="a test"), time)
    return activity


def entered(*times: int, **changes: Any) -> Activity:
    """Entries as `wish()` wants them, approved at each of these instants."""
    activity = Activity()
    for time in times:
        activity.fold(approval(**changes), time)
    return activity


def disabled(strategy: str = "momentum") -> Activity:
    """After that strategy repeated itself too often."""
    activity = Activity()
    refused = OrderRefused(
        order=1, symbol=CODE, strategy=strategy, side=Side.BUY, rule=REPEATED, figures={"times": 5}, limit=5
    )
    activity.fold(refused, NOON)
    return activity


def rich(cash: int = 100_000_000) -> Ledger:
    return folded([opened(cash), listed(), listed(OTHER)])


def refusal(
    asked: OrderIntent, ledger: Ledger, world: View, allowed: Limits = LIMITS
) -> tuple[str, dict[str, Any], Any] | None:
    """The first no of all rules together: rule, figures, limit."""
    weighed = of_intent(asked, asked.strategy, world)
    for rule in RULES:
        no = rule(weighed, ledger, world, allowed)
        if no is not None:
            return no.rule, no.figures, no.limit
    return None
