"""How much may be owned, bought and sold, counting what is sent, approved or unknown as done."""

from actors.account.ledger import FOREIGN, Ledger
from actors.account.order import Order
from actors.limits.rule import Figures, Limits, Refusal, Rule, View, Wish
from actors.market import krx
from messages import Side

_BUY = Side.BUY
_SELL = Side.SELL


def buying_power(wish: Wish, ledger: Ledger, _view: View, _limits: Limits) -> Refusal | None:
    """At the price the broker reserves: kinds without a price bind the upper limit."""
    instrument = wish.instrument
    if wish.side is _SELL or instrument is None:
        return None
    price = krx.reserve_price(wish.kind, wish.price, instrument.upper_limit)
    needed = ledger.cost_of(price, wish.quantity)
    free = ledger.cash - ledger.reserved + wish.releases
    if needed <= free:
        return None
    figures: Figures = {"needed": needed, "price": price, "cash": ledger.cash}
    return Refusal(rule="buying power", figures=figures, limit=free)


def own_lots(wish: Wish, ledger: Ledger, _view: View, limits: Limits) -> Refusal | None:
    if wish.side is _BUY:
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


def position_value(wish: Wish, ledger: Ledger, _view: View, limits: Limits) -> Refusal | None:
    if not wish.entry or wish.side is _SELL:
        return None
    held, buying = ledger.worths.get(wish.symbol, 0), ledger.reserved_in(wish.symbol) - wish.releases
    return _over("position value", wish, held, buying, limits.max_position_value)


def sector_value(wish: Wish, ledger: Ledger, view: View, limits: Limits) -> Refusal | None:
    sector = wish.instrument.sector if wish.instrument else ""
    if not sector or not wish.entry or wish.side is _SELL:
        return None
    held, buying = 0, -wish.releases
    for symbol, worth in ledger.worths.items():
        instrument = view.instruments.get(symbol)
        if instrument is not None and instrument.sector == sector:
            held += worth
    for symbol in ledger.ordered():
        instrument = view.instruments.get(symbol)
        if instrument is not None and instrument.sector == sector:
            buying += ledger.reserved_in(symbol)
    return _over("sector value", wish, held, buying, limits.max_sector_value)


def gross_value(wish: Wish, ledger: Ledger, _view: View, limits: Limits) -> Refusal | None:
    if not wish.entry or wish.side is _SELL:
        return None
    held, buying = ledger.equity - ledger.cash, ledger.reserved - wish.releases
    return _over("gross value", wish, held, buying, limits.max_gross_value)


def positions(wish: Wish, ledger: Ledger, _view: View, limits: Limits) -> Refusal | None:
    if len(ledger.holdings) + len(ledger.ordered()) < limits.max_positions:
        return None
    if not wish.entry or wish.side is _SELL or ledger.held(wish.symbol):
        return None
    symbols = {symbol for symbol, _, _ in ledger.each()}
    symbols |= {order.symbol for order in ledger.unsettled() if order.side is _BUY}
    if wish.symbol in symbols or len(symbols) < limits.max_positions:
        return None
    return Refusal(rule="positions", figures={"positions": len(symbols)}, limit=limits.max_positions)


def self_crossing(wish: Wish, ledger: Ledger, _view: View, _limits: Limits) -> Refusal | None:
    """An order must not trade with another one of this account (통정매매 by mistake)."""
    for order in ledger.about(wish.symbol):
        if order.side is not wish.side and order.live and _crosses(wish, order):
            figures: Figures = {"price": wish.price, "order": order.number, "against": _meeting(order)}
            return Refusal(rule="self-crossing", figures=figures, limit="no open order it would meet")
    return None


def _over(rule: str, wish: Wish, held: int, buying: int, limit: int) -> Refusal | None:
    if held + buying + wish.value <= limit:
        return None
    return Refusal(rule=rule, figures={"held": held, "buying": buying, "value": wish.value}, limit=limit)


def _crosses(wish: Wish, order: Order) -> bool:
    if not wish.price or not order.price:
        return True
    price = _meeting(order)
    return wish.price >= price if wish.side is _BUY else wish.price <= price


def _meeting(order: Order) -> int:
    """The price at which another one meets it: of a change under way whichever of the two is met first."""
    wanted = order.wanted_price or order.price
    return min(order.price, wanted) if order.side is _SELL else max(order.price, wanted)


RULES: tuple[Rule, ...] = (
    buying_power,
    own_lots,
    position_value,
    sector_value,
    gross_value,
    positions,
    self_crossing,
)
