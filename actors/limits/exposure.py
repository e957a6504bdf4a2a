"""How much may be owned, bought and sold, counting what is sent, approved or unknown as done."""

from actors.account.ledger import FOREIGN, Ledger
from actors.account.order import Order
from actors.limits.rule import Figures, Limits, Refusal, Rule, View, Wish, others, price_of, unsettled
from actors.market import krx
from messages import Side


def buying_power(wish: Wish, ledger: Ledger, view: View, _limits: Limits) -> Refusal | None:
    """At the price the broker reserves: kinds without a price bind the upper limit."""
    instrument = view.instruments.get(wish.symbol)
    if wish.side is Side.SELL or instrument is None:
        return None
    price = krx.reserve_price(wish.kind, wish.price, instrument.upper_limit)
    needed = ledger.cost_of(price, wish.quantity)
    own = ledger.orders.get(wish.replaces)
    free = ledger.cash - ledger.reserved + (ledger.binds(own) if own else 0)
    if needed <= free:
        return None
    figures: Figures = {"needed": needed, "price": price, "cash": ledger.cash}
    return Refusal(rule="buying power", figures=figures, limit=free)


def own_lots(wish: Wish, ledger: Ledger, _view: View, limits: Limits) -> Refusal | None:
    if wish.side is Side.BUY:
        return None
    sellable = ledger.sellable(wish.strategy, wish.symbol, besides=wish.replaces)
    if wish.strategy == FOREIGN and not limits.adopt:
        sellable = 0
    if wish.quantity <= sellable:
        return None
    figures: Figures = {
        "quantity": wish.quantity,
        "lots": ledger.lots(wish.strategy, wish.symbol).quantity,
    }
    return Refusal(rule="own lots", figures=figures, limit=max(sellable, 0))


def position_value(wish: Wish, ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    if not _adds(wish):
        return None
    held = sum(ledger.worth(wish.symbol, holding) for holding in ledger.holdings.get(wish.symbol, {}).values())
    buying = sum(_ordered(order, view) for order in unsettled(wish, ledger, wish.symbol))
    return _over("position value", wish, view, (held, buying), limits.max_position_value)


def sector_value(wish: Wish, ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    sector = view.sector(wish.symbol)
    if not sector or not _adds(wish):
        return None
    held = sum(ledger.worth(symbol, holding) for symbol, _, holding in ledger.each() if view.sector(symbol) == sector)
    buying = sum(_ordered(order, view) for order in unsettled(wish, ledger) if view.sector(order.symbol) == sector)
    return _over("sector value", wish, view, (held, buying), limits.max_sector_value)


def gross_value(wish: Wish, ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    if not _adds(wish):
        return None
    buying = sum(_ordered(order, view) for order in unsettled(wish, ledger))
    return _over("gross value", wish, view, (ledger.equity - ledger.cash, buying), limits.max_gross_value)


def positions(wish: Wish, ledger: Ledger, _view: View, limits: Limits) -> Refusal | None:
    if not _adds(wish) or ledger.held(wish.symbol):
        return None
    symbols = {symbol for symbol, _, _ in ledger.each()}
    symbols |= {order.symbol for order in ledger.unsettled() if order.side is Side.BUY}
    if wish.symbol in symbols or len(symbols) < limits.max_positions:
        return None
    return Refusal(rule="positions", figures={"positions": len(symbols)}, limit=limits.max_positions)


def self_crossing(wish: Wish, ledger: Ledger, _view: View, _limits: Limits) -> Refusal | None:
    """An order must not trade with another one of this account (통정매매 by mistake)."""
    meets = [
        order for order in others(wish, ledger, wish.symbol) if order.side is not wish.side and _crosses(wish, order)
    ]
    if not meets:
        return None
    figures: Figures = {"price": wish.price, "order": meets[0].number, "against": meets[0].price}
    return Refusal(rule="self-crossing", figures=figures, limit="no open order it would meet")


def _adds(wish: Wish) -> bool:
    return wish.entry and wish.side is Side.BUY


def _over(rule: str, wish: Wish, view: View, so_far: tuple[int, int], limit: int) -> Refusal | None:
    (held, buying), value = so_far, price_of(wish, view) * wish.quantity
    if held + buying + value <= limit:
        return None
    return Refusal(rule=rule, figures={"held": held, "buying": buying, "value": value}, limit=limit)


def _ordered(order: Order, view: View) -> int:
    if order.side is Side.SELL:
        return 0
    return order.bound * (order.price or view.quote(order.symbol).last or order.reserve)


def _crosses(wish: Wish, order: Order) -> bool:
    if not wish.price or not order.price:
        return True
    return wish.price >= order.price if wish.side is Side.BUY else wish.price <= order.price


RULES: tuple[Rule, ...] = (
    buying_power,
    own_lots,
    position_value,
    sector_value,
    gross_value,
    positions,
    self_crossing,
)
