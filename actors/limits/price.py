"""At which prices an order may stand."""

from actors.account.ledger import Ledger
from actors.limits.rule import Figures, Limits, Quote, Refusal, Rule, View, Wish
from actors.market import krx
from messages import Instrument, Kind, Session, Side

_PRICED = (Kind.LIMIT, Kind.CONDITIONAL)
_BUY = Side.BUY
_CLOSING = Session.CLOSING_AUCTION
_NEVER = 10**9
"""Percent of a band where there is none."""


def priced(wish: Wish, _ledger: Ledger, _view: View, _limits: Limits) -> Refusal | None:
    """Kiwoom refuses a market order with a price and a limit order without one."""
    if (wish.price > 0) if wish.kind in _PRICED else (wish.price == 0):
        return None
    limit = "a price" if wish.kind in _PRICED else "no price"
    return Refusal(rule="price and kind", figures={"kind": wish.kind, "price": wish.price}, limit=limit)


def known_instrument(wish: Wish, _ledger: Ledger, _view: View, _limits: Limits) -> Refusal | None:
    """Without the day's data there are no price limits, no steps and no reserve price."""
    if not wish.entry or wish.instrument is not None:
        return None
    return Refusal(rule="instrument", figures={"symbol": wish.symbol}, limit="known today")


def within_day(wish: Wish, _ledger: Ledger, _view: View, _limits: Limits) -> Refusal | None:
    instrument = wish.instrument
    if instrument is None or wish.kind not in _PRICED:
        return None
    low, high = instrument.lower_limit, instrument.upper_limit
    if low <= wish.price <= high:
        return None
    return Refusal(rule="price limits", figures={"price": wish.price}, limit=f"{low} to {high}")


def on_tick(wish: Wish, _ledger: Ledger, view: View, _limits: Limits) -> Refusal | None:
    instrument = wish.instrument
    if instrument is None or wish.kind not in _PRICED:
        return None
    step = krx.tick_size(wish.price, instrument.market, view.date)
    if wish.price % step == 0:
        return None
    return Refusal(rule="price step", figures={"price": wish.price, "over": wish.price % step}, limit=step)


def collar(wish: Wish, _ledger: Ledger, _view: View, limits: Limits) -> Refusal | None:
    """Only reaching through the last price can cost: an order far behind it just waits."""
    last = wish.quote.last
    if not wish.entry or wish.beyond <= 0 or wish.beyond * 100 <= limits.collar_percent * last:
        return None
    figures: Figures = {"price": _reach(wish), "last": last, "percent": round(wish.beyond * 100 / last, 2)}
    return Refusal(rule="price collar", figures=figures, limit=limits.collar_percent)


def collar_in_ticks(wish: Wish, _ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    last, instrument = wish.quote.last, wish.instrument
    if not wish.entry or wish.beyond <= 0 or instrument is None:
        return None
    price, buys, count = _reach(wish), wish.side is _BUY, limits.collar_ticks
    if wish.beyond <= count * krx.tick_size(min(price, last), instrument.market, view.date):
        return None  # steps only grow with the price, so these are no more than so many
    edge = krx.move(last, count if buys else -count, instrument.market, view.date)
    if price <= edge if buys else price >= edge:
        return None
    figures: Figures = {"price": price, "last": last, "edge": edge}
    return Refusal(rule="price collar in steps", figures=figures, limit=count)


def collar_at_interruption(wish: Wish, _ledger: Ledger, view: View, _limits: Limits) -> Refusal | None:
    """No entry may itself set off a volatility interruption; a band the price has left already is out of date."""
    last, instrument = wish.quote.last, wish.instrument
    if not wish.entry or wish.beyond <= 0 or instrument is None:
        return None
    price, auction = _reach(wish), wish.quote.reference
    if wish.beyond * 100 < krx.NARROWEST_VI * last and abs(price - auction) * 100 < krx.NARROWEST_VI * auction:
        return None  # within the narrowest of all bands
    for reference, percent in _bands(wish.quote, instrument, view):
        edge = percent * reference
        if reference and abs(last - reference) * 100 < edge <= abs(price - reference) * 100:
            low, high = krx.vi_prices(reference, percent, instrument.market, view.date)
            figures: Figures = {"price": price, "reference": reference, "percent": percent}
            return Refusal(rule="volatility band", figures=figures, limit=high if wish.side is _BUY else low)
    return None


def _reach(wish: Wish) -> int:
    return wish.quote.last + (wish.beyond if wish.side is _BUY else -wish.beyond)


def _bands(quote: Quote, instrument: Instrument, view: View) -> tuple[tuple[int, int], tuple[int, int]]:
    closing = view.sessions.get(instrument.venue) is _CLOSING
    static = krx.static_vi_percent(instrument.market) or _NEVER
    dynamic = krx.dynamic_vi_percent(instrument.market, instrument.kospi200, closing) or _NEVER
    return (quote.reference, static), (quote.last, dynamic)


RULES: tuple[Rule, ...] = (
    priced,
    known_instrument,
    within_day,
    on_tick,
    collar,
    collar_in_ticks,
    collar_at_interruption,
)
