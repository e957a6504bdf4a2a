"""How often orders may be sent, and how alike they may be."""

from bisect import bisect_right

from actors.account.ledger import Ledger
from actors.account.order import Order, Phase
from actors.limits.rule import Figures, Limits, Refusal, Rule, View, Wish, others

_UNBOUND = (Phase.APPROVED, Phase.SUBMITTING, Phase.SENT, Phase.UNKNOWN)


def per_second(wish: Wish, _ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    limit = limits.max_orders_second - limits.cancel_reserve
    return _rate("orders a second", wish, _count(view, 1), limit)


def per_minute(wish: Wish, _ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    return _rate("orders a minute", wish, _count(view, 60), limits.max_orders_minute)


def per_day(wish: Wish, _ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    return _rate("orders a day", wish, len(view.sent), limits.max_orders_day)


def duplicate(wish: Wish, _ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    """The same entry again within the window is a loop, not an idea."""
    if not wish.entry or wish.replaces:
        return None
    time = _last_alike(wish, view, view.since(limits.duplicate_seconds))
    if time is None:
        return None
    figures: Figures = {
        "quantity": wish.quantity,
        "price": wish.price,
        "seconds": round((view.now - time) / 1e9, 3),
    }
    return Refusal(rule="duplicate", figures=figures, limit=limits.duplicate_seconds)


def look_alike(wish: Wish, ledger: Ledger, _view: View, _limits: Limits) -> Refusal | None:
    """Until the broker's number of an order is known, only its terms tell it from another."""
    alike = [order for order in others(wish, ledger, wish.symbol) if order.phase in _UNBOUND and _like(wish, order)]
    if wish.replaces or not alike:
        return None
    first = alike[0]
    figures: Figures = {"order": first.number, "phase": first.phase}
    return Refusal(rule="look-alike in flight", figures=figures, limit="one without a broker's number")


def _count(view: View, seconds: float) -> int:
    return len(view.sent) - bisect_right(view.sent, view.since(seconds))


def _rate(rule: str, wish: Wish, count: int, limit: int) -> Refusal | None:
    if not wish.entry or count < limit:
        return None
    return Refusal(rule=rule, figures={"sent": count}, limit=limit)


def _last_alike(wish: Wish, view: View, since: int) -> int | None:
    for time, past in reversed(view.entries):
        if time <= since:
            return None
        if past == wish:
            return time
    return None


def _like(wish: Wish, order: Order) -> bool:
    return all(getattr(wish, name) == getattr(order, name) for name in ("venue", "side", "quantity", "price"))


RULES: tuple[Rule, ...] = (duplicate, look_alike, per_second, per_minute, per_day)
