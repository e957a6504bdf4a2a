"""At which prices an order may stand."""

from actors.account.ledger import Ledger
from actors.limits.rule import Figures, Limits, Refusal, Rule, View, Wish
from actors.market import krx
from messages import Kind, Side

_PRICED = (Kind.LIMIT, Kind.CONDITIONAL)


def priced(wish: Wish, _ledger: Ledger, _view: View, _limits: Limits) -> Refusal | None:
    """Kiwoom refuses a market order with a price and a limit order without one."""
    if (wish.price > 0) if wish.kind in _PRICED else (wish.price == 0):
        return None
    limit = "a price" if wish.kind in _PRICED else "no price"
    return Refusal(rule="price and kind", figures={"kind": wish.kind, "price": wish.price}, limit=limit)


def known_instrument(wish: Wish, _ledger: Ledger, view: View, _limits: Limits) -> Refusal | None:
    """Without the day's data there are no price limits, no steps and no reserve price."""
    if not wish.entry or wish.symbol in view.instruments:
        return None
    return Refusal(rule="instrument", figures={"symbol": wish.symbol}, limit="known today")


def within_day(wish: Wish, _ledger: Ledger, view: View, _limits: Limits) -> Refusal | None:
    instrument = view.instruments.get(wish.symbol)
    if instrument is None or wish.kind not in _PRICED:
        return None
    low, high = instrument.lower_limit, instrument.upper_limit
    if low <= wish.price <= high:
        return None
    return Refusal(rule="price limits", figures={"price": wish.price}, limit=f"{low} to {high}")


def on_tick(wish: Wish, _ledger: Ledger, view: View, _limits: Limits) -> Refusal | None:
    instrument = view.instruments.get(wish.symbol)
    if instrument is None or wish.kind not in _PRICED:
        return None
    step = krx.tick_size(wish.price, instrument.market, view.date)
    if wish.price % step == 0:
        return None
    return Refusal(rule="price step", figures={"price": wish.price, "over": wish.price % step}, limit=step)


def collar(wish: Wish, _ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    """Only reaching through the last price can cost: an order far behind it just waits."""
    last = view.quote(wish.symbol).last
    beyond = wish.price - last if wish.side is Side.BUY else last - wish.price
    if not wish.entry or wish.kind not in _PRICED or not last or beyond * 100 <= limits.collar_percent * last:
        return None
    figures: Figures = {
        "price": wish.price,
        "last": last,
        "percent": round(beyond * 100 / last, 2),
    }
    return Refusal(rule="price collar", figures=figures, limit=limits.collar_percent)


def collar_in_ticks(wish: Wish, _ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    last, instrument = view.quote(wish.symbol).last, view.instruments.get(wish.symbol)
    if not wish.entry or wish.kind not in _PRICED or not last or instrument is None:
        return None
    ticks = limits.collar_ticks if wish.side is Side.BUY else -limits.collar_ticks
    edge = krx.move(last, ticks, instrument.market, view.date)
    if wish.price <= edge if wish.side is Side.BUY else wish.price >= edge:
        return None
    figures: Figures = {"price": wish.price, "last": last, "edge": edge}
    return Refusal(rule="price collar in steps", figures=figures, limit=limits.collar_ticks)


RULES: tuple[Rule, ...] = (priced, known_instrument, within_day, on_tick, collar, collar_in_ticks)
