"""How big an order may be."""

from actors.account.ledger import Ledger
from actors.limits.rule import Figures, Limits, Refusal, Rule, View, Wish
from messages import Side

_SELL = Side.SELL


def positive(wish: Wish, _ledger: Ledger, _view: View, _limits: Limits) -> Refusal | None:
    if wish.quantity >= 1:
        return None
    return Refusal(rule="quantity", figures={"quantity": wish.quantity}, limit=1)


def exits_sell(wish: Wish, _ledger: Ledger, _view: View, _limits: Limits) -> Refusal | None:
    """Exits pass many rules, so nothing but a sale may be called one."""
    if wish.entry or wish.side is _SELL:
        return None
    return Refusal(rule="exit that buys", figures={"side": wish.side, "quantity": wish.quantity}, limit=_SELL)


def order_value(wish: Wish, _ledger: Ledger, _view: View, limits: Limits) -> Refusal | None:
    if not wish.entry or wish.value <= limits.max_order_value:
        return None
    figures: Figures = {"value": wish.value, "price": wish.value // wish.quantity, "quantity": wish.quantity}
    return Refusal(rule="order value", figures=figures, limit=limits.max_order_value)


def order_quantity(wish: Wish, _ledger: Ledger, _view: View, limits: Limits) -> Refusal | None:
    if not wish.entry or wish.quantity <= limits.max_quantity:
        return None
    return Refusal(rule="order quantity", figures={"quantity": wish.quantity}, limit=limits.max_quantity)


def share_of_volume(wish: Wish, _ledger: Ledger, _view: View, limits: Limits) -> Refusal | None:
    volume = wish.quote.volume
    if not wish.entry or wish.quantity * 100 <= limits.max_volume_percent * volume:
        return None
    figures: Figures = {"quantity": wish.quantity, "volume": volume}
    return Refusal(rule="share of volume", figures=figures, limit=limits.max_volume_percent)


def share_of_company(wish: Wish, _ledger: Ledger, _view: View, limits: Limits) -> Refusal | None:
    """Kiwoom asks back at 1 % of the listed shares and refuses at 3 %; unknown counts are 0."""
    instrument = wish.instrument
    if not wish.entry or instrument is None or not instrument.listed_shares:
        return None
    if wish.quantity * 100 <= limits.max_listed_percent * instrument.listed_shares:
        return None
    figures: Figures = {"quantity": wish.quantity, "listed": instrument.listed_shares}
    return Refusal(rule="share of the company", figures=figures, limit=limits.max_listed_percent)


RULES: tuple[Rule, ...] = (positive, exits_sell, order_value, order_quantity, share_of_volume, share_of_company)
