"""What happens around random orders: prices, states, fills and what the broker says, drawn from a seed."""

from random import Random
from typing import Final

from actors.campaigns.risk.bench import BEGIN, Bench
from actors.campaigns.risk.incidents import Incidents
from actors.campaigns.risk.naive import Known, Naive, Seen, Trade, steps, tick
from messages import (
    Aggressor,
    Designation,
    Instrument,
    Kind,
    Market,
    Nanoseconds,
    OrderBook,
    OrderIntent,
    Position,
    Purpose,
    Reconciled,
    ReplaceIntent,
    Session,
    SessionChanged,
    Shares,
    Side,
    Symbol,
    Tick,
    Won,
)

_CODES: Final = tuple(Symbol(f"9000{n}0") for n in range(1, 5))
_BASES: Final = (900, 1_990, 4_980, 19_900, 49_950, 150_000)


class Scenery:
    """Tells the bench and the second opinion the same."""

    def __init__(self, rng: Random, bench: Bench, naive: Naive) -> None:
        self._rng = rng
        self._bench = bench
        self._naive = naive
        self._incidents = Incidents(rng, bench, naive)
        self._last: OrderIntent | None = None

    def open(self) -> None:
        """The day as it is found; now and then something of it is missing."""
        rng = self._rng
        for code in _CODES:
            if rng.random() > 0.03:
                self._list(code)
        if rng.random() > 0.03:
            self._reconcile()
        if rng.random() > 0.03:
            self._naive.session = Session.CONTINUOUS
            self._bench.tell(SessionChanged(session=Session.CONTINUOUS, time=Nanoseconds(BEGIN)))
        for code in _CODES:
            if code in self._naive.instruments and rng.random() > 0.05:
                self._print(code)

    def step(self) -> list[OrderIntent | ReplaceIntent]:
        """Let something happen, or some time pass; then the orders that are asked for at once."""
        rng = self._rng
        if rng.random() < 0.6:
            self._bench.advance(round(10 ** rng.uniform(6, 10.5)))
            for code in _CODES:
                if rng.random() < 0.6:
                    self._print(code)
        self._incidents.go_on()
        for _ in range(rng.randint(0, 3)):
            self._happen(rng.random())
        return [self._order() for _ in range(rng.choice((0, 0, 1, 1, 1, 2)))]

    def _order(self) -> OrderIntent | ReplaceIntent:
        return self._change() if self._naive.orders and self._rng.random() < 0.1 else self._intent()

    def _happen(self, lot: float) -> None:
        if lot < 0.15:
            self._print(self._rng.choice(_CODES))
        elif lot < 0.25:
            self._book(self._rng.choice(_CODES))
        elif lot < 0.97:
            self._incidents.of_order()
        else:
            self._incidents.of_state(self._rng.choice(_CODES))

    def _list(self, code: Symbol) -> None:
        rng = self._rng
        market = rng.choice((Market.KOSPI, Market.KOSDAQ, Market.ETF))
        base = rng.choice(_BASES)
        base -= base % tick(base, market)
        low, high = base * 7 // 10, base * 13 // 10
        instrument = Instrument(
            symbol=code,
            name="가나전자",
            market=market,
            base_price=Won(base),
            lower_limit=Won(low + -low % tick(low, market)),
            upper_limit=Won(high - high % tick(high, market)),
            listed_shares=Shares(rng.choice((0, 5_000, 100_000_000))),
            kospi200=rng.random() < 0.3,
            sector=rng.choice(("", "반도체", "은행")),
            designation=Designation.ALERT if rng.random() < 0.03 else Designation.NONE,
            halted=rng.random() < 0.02,
        )
        self._naive.instruments[code] = instrument
        self._bench.tell(instrument)

    def _reconcile(self) -> None:
        """Shares of strangers may be there already."""
        rng, naive = self._rng, self._naive
        positions: list[Position] = []
        for code in naive.instruments:
            if rng.random() < 0.2:
                shares, last = rng.randint(1, 60), naive.instruments[code].base_price
                cost = shares * last * rng.randint(90, 110) // 100
                naive.trades.append(Trade(code, "", shares, cost, 0))
                naive.prices[code] = last
                position = Position(symbol=Symbol(code), quantity=Shares(shares), cost=Won(cost), last=last)
                positions.append(position)
        naive.cash = rng.choice((300_000, 3_000_000, 100_000_000))
        naive.reconciled = True
        naive.opening = naive.high = naive.equity
        self._bench.tell(
            Reconciled(
                time=Nanoseconds(BEGIN),
                cash=Won(naive.cash),
                positions=tuple(positions),
                open_orders=0,
                differences=(),
                start=True,
            )
        )

    def _print(self, code: Symbol) -> None:
        rng, naive, now = self._rng, self._naive, self._bench.now
        instrument = naive.instruments.get(code)
        if instrument is None:
            return
        first = code not in naive.seen or not naive.seen[code].last
        seen = naive.seen.setdefault(code, Seen())
        price = (
            instrument.base_price if first else steps(seen.last, rng.choice((-9, -1, 0, 0, 0, 1, 9)), instrument.market)
        )
        price = min(max(price, instrument.lower_limit), instrument.upper_limit)
        spread = rng.choice((1, 1, 1, 4, 20))
        seen.last, seen.received, seen.volume = price, now, seen.volume + rng.choice((10, 1_000, 50_000))
        seen.ask = steps(price, spread, instrument.market) if rng.random() < 0.97 else 0
        seen.bid = price
        seen.reference = seen.reference or (instrument.base_price if first else price)
        naive.prices[code] = price
        if now > BEGIN and code not in naive.suspended:
            naive.resumed.add(code)
        naive.peak()
        self._bench.tell(
            Tick(
                symbol=code,
                time=Nanoseconds(now),
                received=Nanoseconds(now),
                price=Won(price),
                size=Shares(1),
                side=Aggressor.BUYER,
                volume=Shares(seen.volume),
                value=Won(0),
                ask=Won(seen.ask),
                bid=Won(seen.bid),
                open=instrument.base_price,
                high=Won(price),
                low=Won(price),
                strength=100.0,
            )
        )

    def _book(self, code: Symbol) -> None:
        naive, now = self._naive, self._bench.now
        instrument = naive.instruments.get(code)
        if instrument is None:
            return
        seen = naive.seen.setdefault(code, Seen())
        middle = seen.last or instrument.base_price
        seen.ask = steps(middle, self._rng.choice((1, 2, 15)), instrument.market)
        seen.bid = steps(middle, -self._rng.choice((1, 2, 15)), instrument.market)
        seen.received = now
        self._bench.tell(
            OrderBook(
                symbol=code,
                time=Nanoseconds(now),
                received=Nanoseconds(now),
                ask_prices=(seen.ask,) + (0,) * 9,
                ask_sizes=(1,) + (0,) * 9,
                bid_prices=(seen.bid,) + (0,) * 9,
                bid_sizes=(1,) + (0,) * 9,
                ask_total=Shares(1),
                bid_total=Shares(1),
            )
        )

    def _intent(self) -> OrderIntent:
        rng = self._rng
        if self._last is not None and rng.random() < 0.15:
            return self._last
        code, strategy, side = rng.choice(_CODES), rng.choice(("fast", "fast", "slow", "")), Side.BUY
        held = self._naive.shares(code, strategy)
        if rng.random() < (0.6 if held else 0.03):
            side = Side.SELL
        usual = Purpose.ENTRY if side is Side.BUY else Purpose.EXIT
        odd = Purpose.EXIT if side is Side.BUY else Purpose.ENTRY
        kind = rng.choice((Kind.LIMIT,) * 6 + (Kind.MARKET, Kind.BEST, Kind.PRIORITY, Kind.CONDITIONAL))
        priced = (kind in (Kind.LIMIT, Kind.CONDITIONAL)) is (rng.random() < 0.98)
        self._last = OrderIntent(
            symbol=code,
            side=side,
            quantity=Shares(self._shares(held if side is Side.SELL else 0)),
            kind=kind,
            price=self._price(code) if priced else Won(0),
            purpose=usual if rng.random() < 0.95 else odd,
            strategy=strategy,
            reason="drawn",
        )
        return self._last

    def _shares(self, held: int) -> int:
        rng, lot = self._rng, self._rng.random()
        if held > 0 and lot < 0.8:
            return rng.randint(1, held)
        return rng.randint(1, 12) if lot < 0.9 else rng.randint(1, 400) if lot < 0.98 else rng.randint(-1, 20_000)

    def _price(self, code: Symbol) -> Won:
        rng, naive = self._rng, self._naive
        instrument, seen = naive.instruments.get(code), naive.seen.get(code)
        if instrument is None:
            return Won(10_000)
        start = seen.last if seen and seen.last else instrument.base_price
        price = steps(start, rng.choice((0, 0, 1, -1, rng.randint(-12, 12), rng.randint(-40, 40))), instrument.market)
        return Won(max(price + (rng.random() < 0.03), 1))

    def _change(self) -> ReplaceIntent:
        rng = self._rng
        order: Known = rng.choice(self._naive.orders[-6:])
        return ReplaceIntent(
            order=order.number if rng.random() < 0.95 else 7,
            symbol=Symbol(order.symbol),
            quantity=Shares(order.open if rng.random() < 0.8 else rng.randint(1, order.open + 1)),
            price=self._price(Symbol(order.symbol)),
            strategy=order.strategy if rng.random() < 0.95 else "thief",
            reason="drawn",
        )
