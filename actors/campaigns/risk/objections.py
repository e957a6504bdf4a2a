"""What speaks against an order, in the words of the rules but not in their code: every reason, not the first."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from actors.campaigns.risk.naive import Known, Naive, Seen, Wanted, age, allowed_sessions, forbidden, steps, tick
from messages import Kind, Session, Side

_SECOND: Final = 1_000_000_000
_PRICED: Final = (Kind.LIMIT, Kind.CONDITIONAL)


def objections(naive: Naive, wanted: Wanted, now: int) -> set[str]:
    """Names of all rules that this order breaks at this instant."""
    found = {*_terms(naive, wanted), *_own(naive, wanted)}
    if wanted.entry:
        found |= {
            *_states(naive, wanted, now),
            *_sizes(naive, wanted),
            *_reach(naive, wanted),
            *_rates(naive, wanted, now),
            *_alike(naive, wanted, now),
            *_exposures(naive, wanted),
            *_losses(naive),
        }
    return found


def _terms(naive: Naive, wanted: Wanted) -> Iterator[str]:
    if not naive.reconciled:
        yield "not reconciled"
    if naive.session not in allowed_sessions(naive, entry=wanted.entry):
        yield "session"
    instrument = naive.instruments.get(wanted.symbol)
    halted = instrument is not None and instrument.halted and wanted.symbol not in naive.resumed
    if wanted.symbol in naive.suspended or halted:
        yield "suspended"
    if wanted.quantity < 1:
        yield "quantity"
    if not wanted.entry and wanted.side is Side.BUY:
        yield "exit that buys"
    if (wanted.price <= 0) if wanted.kind in _PRICED else (wanted.price != 0):
        yield "price and kind"
    if instrument is None or wanted.kind not in _PRICED:
        return
    if wanted.price > instrument.upper_limit or wanted.price < instrument.lower_limit:
        yield "price limits"
    if wanted.price % tick(wanted.price, instrument.market):
        yield "price step"


def _own(naive: Naive, wanted: Wanted) -> Iterator[str]:
    """Against what we have and have asked for already, exits too."""
    others = [o for o in naive.orders if o.symbol == wanted.symbol and o.open and o.number != wanted.replaces]
    if wanted.side is Side.SELL:
        offered = sum(o.open for o in others if o.side is Side.SELL and o.strategy == wanted.strategy)
        mine = naive.shares(wanted.symbol, wanted.strategy) - offered
        if wanted.strategy == "" and not naive.limits["adopt"]:
            mine = 0
        if wanted.quantity > mine:
            yield "own lots"
    elif wanted.symbol in naive.instruments:
        price = wanted.price if wanted.kind in _PRICED else naive.instruments[wanted.symbol].upper_limit
        bound = sum(naive.bound(o) for o in naive.orders if o.number != wanted.replaces)
        if naive.cost(price * wanted.quantity) > naive.cash - bound:
            yield "buying power"
    if any(_meets(wanted, o) for o in others):
        yield "self-crossing"
    terms = (wanted.side, wanted.quantity, wanted.price)
    unheard = [o for o in others if not o.accepted and not o.filled]
    if not wanted.replaces and any(terms == (o.side, o.quantity, o.price) for o in unheard):
        yield "look-alike in flight"
    if wanted.entry and any(o.unknown for o in unheard):
        yield "unknown order"


def _meets(wanted: Wanted, other: Known) -> bool:
    if wanted.side is other.side:
        return False
    if not wanted.price or not other.price:
        return True
    its = (other.price, other.change or other.price)
    return wanted.price >= min(its) if wanted.side is Side.BUY else wanted.price <= max(its)


def _states(naive: Naive, wanted: Wanted, now: int) -> Iterator[str]:
    symbol, seen = wanted.symbol, wanted.symbol in naive.seen
    reasons = {
        "trading halted": naive.halted,
        "volatility interruption": symbol in naive.interrupted,
        "designation": forbidden(naive, symbol),
        "no price": not seen,
        "stale price": seen and age(naive, symbol, now) >= Fraction(naive.limits["stale_seconds"]),
        "order link": "link" in naive.down,
        "feed": "feed" in naive.down,
        "gap": symbol in naive.gaps,
        "instrument": symbol not in naive.instruments,
        "strategy disabled": wanted.strategy in naive.disabled,
    }
    yield from (reason for reason, holds in reasons.items() if holds)


def _value(naive: Naive, wanted: Wanted) -> int:
    seen = naive.seen.get(wanted.symbol, Seen())
    if wanted.kind is Kind.CONDITIONAL and seen.last > wanted.price:
        return seen.last * wanted.quantity
    return (wanted.price or seen.last or max(seen.ask, seen.bid)) * wanted.quantity


def _sizes(naive: Naive, wanted: Wanted) -> Iterator[str]:
    limits, volume = naive.limits, naive.seen.get(wanted.symbol, Seen()).volume
    if _value(naive, wanted) > limits["max_order_value"]:
        yield "order value"
    if wanted.quantity > limits["max_quantity"]:
        yield "order quantity"
    if Fraction(wanted.quantity * 100) > Fraction(limits["max_volume_percent"]) * volume:
        yield "share of volume"
    instrument = naive.instruments.get(wanted.symbol)
    listed = instrument.listed_shares if instrument else 0
    if listed and Fraction(wanted.quantity * 100, listed) > Fraction(limits["max_listed_percent"]):
        yield "share of the company"


def _reach(naive: Naive, wanted: Wanted) -> Iterator[str]:
    seen = naive.seen.get(wanted.symbol, Seen())
    buys, last = wanted.side is Side.BUY, seen.last
    price = wanted.price or (0 if wanted.kind is Kind.PRIORITY else seen.ask if buys else seen.bid)
    if not price or not last or (price <= last if buys else price >= last):
        return
    if Fraction(abs(price - last) * 100, last) > Fraction(naive.limits["collar_percent"]):
        yield "price collar"
    instrument = naive.instruments.get(wanted.symbol)
    if instrument is None:
        return
    count = naive.limits["collar_ticks"]
    edge = steps(last, count if buys else -count, instrument.market)
    if price > edge if buys else price < edge:
        yield "price collar in steps"
    dynamic = 3 if instrument.kospi200 else 6
    if naive.session is Session.CLOSING_AUCTION:
        dynamic = 2 if instrument.kospi200 else 4
    for reference, percent in ((seen.reference, 10), (last, dynamic)):
        if reference and _sets_off(reference, percent, last, price):
            yield "volatility band"


def _sets_off(reference: int, percent: int, last: int, price: int) -> bool:
    """A band that the last price has left already is out of date."""
    return abs(last - reference) * 100 < percent * reference and abs(price - reference) * 100 >= percent * reference


def _rates(naive: Naive, wanted: Wanted, now: int) -> Iterator[str]:
    del wanted
    limits = naive.limits
    if sum(now - time < _SECOND for time in naive.sent) >= limits["max_orders_second"] - limits["cancel_reserve"]:
        yield "orders a second"
    if sum(now - time < 60 * _SECOND for time in naive.sent) >= limits["max_orders_minute"]:
        yield "orders a minute"
    if len(naive.sent) >= limits["max_orders_day"]:
        yield "orders a day"


def _alike(naive: Naive, wanted: Wanted, now: int) -> Iterator[str]:
    if wanted.replaces:
        return
    limits = naive.limits
    terms = (wanted.symbol, wanted.side, wanted.quantity, wanted.price)
    times = [o.time for o in naive.orders if o.entry and o.approved_terms == terms]
    if any(Fraction(now - time, _SECOND) < Fraction(limits["duplicate_seconds"]) for time in times):
        yield "duplicate"
    if len(times) >= limits["max_alike_day"]:
        yield "alike a day"
    last = naive.seen.get(wanted.symbol, Seen()).last
    news = (wanted.strategy, wanted.symbol, wanted.side, last)
    fired = [o for o in naive.orders[naive.enabled_at :] if o.entry and (o.strategy, o.symbol, o.side, o.last) == news]
    recent = [o for o in fired if Fraction(now - o.time, _SECOND) < Fraction(limits["repeat_seconds"])]
    if len(recent) >= limits["max_repeats"]:
        yield "repeated execution"


def _exposures(naive: Naive, wanted: Wanted) -> Iterator[str]:
    if wanted.side is Side.SELL:
        return
    limits, value, worths = naive.limits, _value(naive, wanted), naive.worths
    bound = [(o.symbol, naive.bound(o)) for o in naive.orders if o.open and o.number != wanted.replaces]
    if (
        worths.get(wanted.symbol, 0) + sum(w for s, w in bound if s == wanted.symbol) + value
        > limits["max_position_value"]
    ):
        yield "position value"
    if sum(worths.values()) + sum(w for _, w in bound) + value > limits["max_gross_value"]:
        yield "gross value"
    sectors = {symbol: instrument.sector for symbol, instrument in naive.instruments.items()}
    sector = sectors.get(wanted.symbol, "")
    alike = sum(w for s, w in (*worths.items(), *bound) if sectors.get(s) == sector)
    if sector and alike + value > limits["max_sector_value"]:
        yield "sector value"
    held = {symbol for symbol in worths if naive.shares(symbol)}
    busy = held | {o.symbol for o in naive.orders if o.open and o.side is Side.BUY}
    if wanted.symbol not in busy and len(busy) >= limits["max_positions"]:
        yield "positions"


def _losses(naive: Naive) -> Iterator[str]:
    equity = naive.equity
    for rule, start, key in (
        ("daily loss", naive.opening, "max_daily_loss_percent"),
        ("drawdown", naive.high, "max_drawdown_percent"),
    ):
        if equity < start and Fraction((start - equity) * 100) >= Fraction(naive.limits[key]) * start:
            yield rule
    if naive.losers >= naive.limits["max_losers"]:
        yield "losers in a row"
