"""How often orders may be sent, and how alike they may be."""

from bisect import bisect_right
from typing import Final

from actors.account.ledger import Ledger
from actors.account.order import Order, Phase
from actors.limits.activity import REPEATED
from actors.limits.rule import Figures, Limits, Refusal, Rule, View, Wish
from actors.market.time import SECOND

_UNBOUND = (Phase.APPROVED, Phase.SUBMITTING, Phase.SENT, Phase.UNKNOWN)
_MINUTE: Final = 60 * SECOND

LOOK_ALIKE: Final = "look-alike in flight"
"""The rule that lets an order go as soon as the broker's number of another one is known."""


def disabled(wish: Wish, _ledger: Ledger, view: View, _limits: Limits) -> Refusal | None:
    """Whoever repeated itself enters no more until a person has looked."""
    if not wish.entry or wish.strategy not in view.activity.disabled:
        return None
    figures: Figures = {"repeated in": view.activity.disabled[wish.strategy]}
    return Refusal(rule="strategy disabled", figures=figures, limit="a person resumes")


def duplicate(wish: Wish, _ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    """The same entry again within the window is a loop, not an idea, whoever asks for it."""
    times = _alike(wish, view) if wish.entry and not wish.replaces else None
    if not times or view.now - times[-1] >= limits.duplicate_seconds * SECOND:
        return None
    figures: Figures = {
        "quantity": wish.quantity,
        "price": wish.price,
        "seconds": round((view.now - times[-1]) / SECOND, 3),
    }
    return Refusal(rule="duplicate", figures=figures, limit=limits.duplicate_seconds)


def alike_a_day(wish: Wish, _ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    times = _alike(wish, view) if wish.entry and not wish.replaces else None
    if not times or not limits.max_alike_day or len(times) < limits.max_alike_day:
        return None
    figures: Figures = {"quantity": wish.quantity, "price": wish.price, "alike": len(times)}
    return Refusal(rule="alike a day", figures=figures, limit=limits.max_alike_day)


def repeated(wish: Wish, _ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    """A strategy that fires again and again while the last price tells nothing new is out of hand."""
    if not wish.entry or wish.replaces or not limits.max_repeats:
        return None
    last = wish.quote.last
    times = view.activity.fired.get((wish.strategy, wish.symbol, wish.side, last))
    if not times or len(times) < limits.max_repeats:
        return None
    since = view.now - times[-limits.max_repeats]
    if since >= limits.repeat_seconds * SECOND:
        return None
    figures: Figures = {"times": limits.max_repeats, "last": last, "seconds": round(since / SECOND, 3)}
    return Refusal(rule=REPEATED, figures=figures, limit=limits.max_repeats)


def look_alike(wish: Wish, ledger: Ledger, _view: View, _limits: Limits) -> Refusal | None:
    """Until the broker's number of an order is known, only its terms tell it from another."""
    for order in () if wish.replaces else ledger.about(wish.symbol):
        if order.phase in _UNBOUND and _like(wish, order):
            figures: Figures = {"order": order.number, "phase": order.phase}
            return Refusal(rule=LOOK_ALIKE, figures=figures, limit="one without a broker's number")
    return None


def per_second(wish: Wish, _ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    limit = limits.max_orders_second - limits.cancel_reserve
    return _rate("orders a second", view, SECOND, limit) if wish.entry else None


def per_minute(wish: Wish, _ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    return _rate("orders a minute", view, _MINUTE, limits.max_orders_minute) if wish.entry else None


def per_day(wish: Wish, _ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    sent = len(view.activity.sent)
    if not wish.entry or sent < limits.max_orders_day:
        return None
    return Refusal(rule="orders a day", figures={"sent": sent}, limit=limits.max_orders_day)


def _rate(rule: str, view: View, span: int, limit: int) -> Refusal | None:
    sent, since = view.activity.sent, view.now - span
    if len(sent) < limit or (limit and sent[-limit] <= since):
        return None
    return Refusal(rule=rule, figures={"sent": len(sent) - bisect_right(sent, since)}, limit=limit)


def _alike(wish: Wish, view: View) -> list[int] | None:
    return view.activity.alike.get((wish.symbol, wish.venue, wish.side, wish.quantity, wish.price))


def _like(wish: Wish, order: Order) -> bool:
    terms = wish.venue, wish.side, wish.quantity, wish.price
    return terms == (order.venue, order.side, order.quantity, order.price)


RULES: tuple[Rule, ...] = (disabled, duplicate, look_alike, alike_a_day, repeated, per_second, per_minute, per_day)
