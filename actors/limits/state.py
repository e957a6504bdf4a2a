"""In which states of the market and of ourselves orders are possible."""

from typing import Final

from actors.account.ledger import Ledger
from actors.account.order import Phase
from actors.limits.rule import Limits, Refusal, Rule, View, Wish, minute_of
from actors.market.time import SECOND
from messages import Session

_EXITS = (Session.OPENING_AUCTION, Session.CONTINUOUS, Session.CLOSING_AUCTION)


SUSPENDED: Final = "suspended"
"""The rule of issues whose trading stands still (거래정지)."""


def reconciled(_wish: Wish, _ledger: Ledger, view: View, _limits: Limits) -> Refusal | None:
    """Before the first match with the broker nobody trades."""
    return None if view.reconciled else _no("not reconciled", "state", "starting", "reconciled")


def halted(wish: Wish, _ledger: Ledger, view: View, _limits: Limits) -> Refusal | None:
    return _no("trading halted", "reason", view.halted, "a person resumes") if wish.entry and view.halted else None


def session(wish: Wish, _ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    now = view.sessions.get(wish.venue)
    allowed = limits.sessions if wish.entry else (*_EXITS, *limits.sessions)
    if now in allowed:
        return None
    return _no("session", "session", now or "unknown", ", ".join(dict.fromkeys(allowed)))


def closing_time(wish: Wish, _ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    if not wish.entry or not limits.entries_until:
        return None
    if view.minute < minute_of(limits.entries_until):
        return None
    return _no("late", "time", f"{view.minute // 60:02}:{view.minute % 60:02}", limits.entries_until)


def suspended(wish: Wish, _ledger: Ledger, view: View, _limits: Limits) -> Refusal | None:
    """Nothing trades, so not even an exit can be sent."""
    instrument = wish.instrument
    reason = view.suspended.get(wish.symbol)
    if reason is None and instrument is not None and instrument.halted:
        reason = "거래정지"
    return _no(SUSPENDED, "reason", reason, "trading") if reason else None


def interrupted(wish: Wish, _ledger: Ledger, view: View, _limits: Limits) -> Refusal | None:
    if not wish.entry or wish.symbol not in view.interrupted:
        return None
    seconds = (view.now - view.interrupted[wish.symbol]) // SECOND
    return _no("volatility interruption", "seconds", seconds, "released")


def designated(wish: Wish, _ledger: Ledger, _view: View, limits: Limits) -> Refusal | None:
    instrument = wish.instrument
    if not wish.entry or instrument is None or instrument.designation not in limits.forbidden:
        return None
    return _no("designation", "designation", instrument.designation, "none of " + ", ".join(limits.forbidden))


def stale(wish: Wish, _ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    """Of a price from the future nobody knows the age: the clock was set back since."""
    received = wish.quote.received
    age = abs(view.now - received)
    if not wish.entry or age < limits.stale_seconds * SECOND:
        return None
    if not received:
        return _no("no price", "symbol", wish.symbol, limits.stale_seconds)
    return _no("stale price", "seconds", round(age / SECOND, 3), limits.stale_seconds)


def clock_difference(wish: Wish, _ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    """Who does not know the time knows neither the age of a price nor that of an order; the exchange tells seconds."""
    ahead, limit = view.clocks.ahead, limits.max_clock_difference * SECOND
    if not wish.entry or not limit or -limit <= ahead <= limit + SECOND:
        return None
    return _no("clock difference", "seconds", round(ahead / SECOND, 3), limits.max_clock_difference)


def link(wish: Wish, _ledger: Ledger, view: View, _limits: Limits) -> Refusal | None:
    """An exit may wait in the outbox for the link; an entry would be late."""
    if not wish.entry or not view.links:
        return None
    gateway, reason = next(iter(view.links.items()))
    return _no("order link", gateway, reason or "lost", "up")


def feed(wish: Wish, _ledger: Ledger, view: View, _limits: Limits) -> Refusal | None:
    if not wish.entry or not view.feeds:
        return None
    name, reason = next(iter(view.feeds.items()))
    return _no("feed", name, reason or "lost", "complete")


def gap(wish: Wish, _ledger: Ledger, view: View, _limits: Limits) -> Refusal | None:
    """Whoever decided, or judges, has missed data of this issue and has not caught up, or prints are being lost."""
    lost = view.losses.get((wish.symbol, wish.venue), 0) if wish.entry and view.losses else 0
    if lost:
        return _no("gap", "lost shares", lost, 0)
    for actor in (wish.source, view.judge) if wish.entry and view.gaps else ():
        refused = view.gaps.get((actor, wish.symbol), 0)
        if refused:
            return _no("gap", actor, refused, 0)
    return None


def unknown_order(wish: Wish, ledger: Ledger, _view: View, _limits: Limits) -> Refusal | None:
    for order in ledger.about(wish.symbol) if wish.entry else ():
        if order.phase is Phase.UNKNOWN:
            return _no("unknown order", "order", order.number, "settled")
    return None


def _no(rule: str, figure: str, value: float | str, limit: float | str) -> Refusal:
    return Refusal(rule=rule, figures={figure: value}, limit=limit)


RULES: tuple[Rule, ...] = (
    reconciled,
    halted,
    session,
    closing_time,
    suspended,
    interrupted,
    designated,
    stale,
    clock_difference,
    link,
    feed,
    gap,
    unknown_order,
)
