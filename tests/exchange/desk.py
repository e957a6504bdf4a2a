"""A quiet exchange for tests: one issue, no crowd unless asked, orders that arrive at once."""

import datetime as dt
from collections.abc import Iterable

from actors.exchange.events import ExchangeEvent, OrderReport, Print
from actors.exchange.exchange import Exchange
from actors.exchange.records import AccountState
from actors.market import krx
from actors.market.time import SECOND, at
from messages import Instrument, Kind, Market, Side, Symbol, Validity, Won

DATE = dt.date(2025, 9, 2)
CODE = Symbol("900010")
DAY, IOC, FOK = Validity.DAY, Validity.IOC, Validity.FOK
BUY, SELL = Side.BUY, Side.SELL
LIMIT, MARKET = Kind.LIMIT, Kind.MARKET


def listed(
    *, symbol: str = "900010", base: int = 10_000, market: Market = Market.KOSDAQ, kospi200: bool = False
) -> Instrument:
    lower, upper = krx.price_limits(base, market, DATE)
    return Instrument(
        symbol=Symbol(symbol),
        name="시험",
        market=market,
        base_price=Won(base),
        upper_limit=upper,
        lower_limit=lower,
        kospi200=kospi200,
    )


class Desk:
    """An exchange without a crowd and a hand that places orders in it."""

    def __init__(
        self,
        *,
        cash: int = 100_000_000,
        held: int = 100_000,
        begin: dt.time = dt.time(9, 0, 1),
        latency_ms: tuple[int, int] = (0, 0),
        instrument: Instrument | None = None,
        commission: float = 0.00015,
    ) -> None:
        instrument = instrument or listed()
        self.exchange = Exchange(
            date=DATE,
            cash=Won(cash),
            commission=commission,
            instruments=(instrument,),
            positions=((instrument.symbol, held, Won(9_000)),) if held else (),
            intensity=0.0,
            begin=begin,
            latency_ms=latency_ms,
        )
        self.code = instrument.symbol
        self.said: list[ExchangeEvent] = []
        self._hear(self.exchange.start)

    def wait(self, seconds: float = 0.01) -> list[ExchangeEvent]:
        return self._hear(self.exchange.now + int(seconds * SECOND))

    def wait_until(self, hour: int, minute: int, second: int = 0) -> list[ExchangeEvent]:
        return self._hear(at(DATE, hour, minute, second))

    def order(  # noqa: PLR0917
        self, side: Side, quantity: int, price: int = 0, kind: Kind = LIMIT, validity: Validity = DAY, tag: str = "0101"
    ) -> str:
        number = self.exchange.place(self.exchange.account, side, kind, validity, self.code, quantity, price, tag)
        assert isinstance(number, str), number
        self.wait()
        return number

    def refused(self, side: Side, quantity: int, price: int = 0, kind: Kind = LIMIT, validity: Validity = DAY) -> str:
        answer = self.exchange.place(self.exchange.account, side, kind, validity, self.code, quantity, price, "0101")
        assert not isinstance(answer, str), "the order was taken"
        return answer.code

    def cancel(self, number: str, quantity: int = 0) -> str:
        request = self.exchange.cancel(self.exchange.account, number, quantity, "0102")
        assert isinstance(request, str), request
        self.wait()
        return request

    def replace(self, number: str, quantity: int, price: int) -> str:
        request = self.exchange.replace(self.exchange.account, number, quantity, price, "0103")
        assert isinstance(request, str), request
        self.wait()
        return request

    def state(self) -> AccountState:
        found = self.exchange.account_state(self.exchange.account)
        assert isinstance(found, AccountState)
        return found

    def prints(self) -> list[tuple[int, int]]:
        return [(event.price, event.size) for event in self.said if isinstance(event, Print)]

    def reports(self, *numbers: str) -> list[OrderReport]:
        found = [event for event in self.said if isinstance(event, OrderReport)]
        return [report for report in found if not numbers or report.number in numbers]

    def of(self, kind: type[ExchangeEvent]) -> list[ExchangeEvent]:
        return [event for event in self.said if isinstance(event, kind)]

    def _hear(self, until: int) -> list[ExchangeEvent]:
        events = self.exchange.advance(until)
        self.said.extend(events)
        return events


def filled(reports: Iterable[OrderReport]) -> list[tuple[int, int]]:
    return [(report.fill_price, report.fill_quantity) for report in reports if report.fill]
