"""How big an order may be."""

from actors.account.ledger import Ledger
from actors.limits.rule import Figures, Limits, Refusal, Rule, View, Wish, price_of
from messages import Purpose, Side


def positive(wish: Wish, _ledger: Ledger, _view: View, _limits: Limits) -> Refusal | None:
    if wish.quantity >= 1:
        return None
    return Refusal(rule="quantity", figures={"quantity": wish.quantity}, limit=1)


def exits_sell(wish: Wish, _ledger: Ledger, _view: View, _limits: Limits) -> Refusal | None:
    """Exits pass many rules, so nothing but a sale may be called one."""
    if wish.purpose is Purpose.ENTRY or wish.side is Side.SELL:
        return None
    return Refusal(rule="exit that buys", figures={"side": wish.side, "quantity": wish.quantity}, limit=Side.SELL)


def order_value(wish: Wish, _ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    price = price_of(wish, view)
    value = price * wish.quantity
    if not wish.entry or value <= limits.max_order_value:
        return None
    figures: Figures = {"value": value, "price": price, "quantity": wish.quantity}
    return Refusal(rule="order value", figures=figures, limit=limits.max_order_value)


def order_quantity(wish: Wish, _ledger: Ledger, _view: View, limits: Limits) -> Refusal | None:
    if not wish.entry or wish.quantity <= limits.max_quantity:
        return None
    return Refusal(rule="order quantity", figures={"quantity": wish.quantity}, limit=limits.max_quantity)


def share_of_volume(wish: Wish, _ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    volume = view.quote(wish.symbol).volume
    if not wish.entry or wish.quantity * 100 <= limits.max_volume_percent * volume:
        return None
    figures: Figures = {"quantity": wish.quantity, "volume": volume}
    return Refusal(rule="share of volume", figures=figures, limit=limits.max_volume_percent)


RULES: tuple[Rule, ...] = (positive, exits_sell, order_value, order_quantity, share_of_volume)
