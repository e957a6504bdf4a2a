"""In which states of the market and of ourselves orders are possible."""

from actors.account.ledger import Ledger
from actors.account.order import Phase
from actors.limits.rule import Limits, Refusal, Rule, View, Wish, minute_of
from messages import Session

_EXITS = (Session.OPENING_AUCTION, Session.CONTINUOUS, Session.CLOSING_AUCTION)


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
    instrument = view.instruments.get(wish.symbol)
    reason = view.suspended.get(wish.symbol, "거래정지" if instrument and instrument.halted else "")
    return _no("suspended", "reason", reason, "trading") if reason else None


def interrupted(wish: Wish, _ledger: Ledger, view: View, _limits: Limits) -> Refusal | None:
    if not wish.entry or wish.symbol not in view.interrupted:
        return None
    seconds = (view.now - view.interrupted[wish.symbol]) // 1_000_000_000
    return _no("volatility interruption", "seconds", seconds, "released")


def designated(wish: Wish, _ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    instrument = view.instruments.get(wish.symbol)
    if not wish.entry or instrument is None or instrument.designation not in limits.forbidden:
        return None
    return _no("designation", "designation", instrument.designation, "none of " + ", ".join(limits.forbidden))


def stale(wish: Wish, _ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    received = view.quote(wish.symbol).received
    if not wish.entry or received > view.since(limits.stale_seconds):
        return None
    if not received:
        return _no("no price", "symbol", wish.symbol, limits.stale_seconds)
    return _no("stale price", "seconds", round((view.now - received) / 1e9, 3), limits.stale_seconds)


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
    """Whoever decided, or judges, has missed data of this issue and has not caught up."""
    for actor in (wish.source, view.judge):
        refused = view.gaps.get((actor, wish.symbol), 0)
        if wish.entry and refused:
            return _no("gap", actor, refused, 0)
    return None


def unknown_order(wish: Wish, ledger: Ledger, _view: View, _limits: Limits) -> Refusal | None:
    unknown = [order for order in ledger.live(wish.symbol) if order.phase is Phase.UNKNOWN]
    if not wish.entry or not unknown:
        return None
    return _no("unknown order", "order", unknown[0].number, "settled")


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
    link,
    feed,
    gap,
    unknown_order,
)
