"""What outlives a system in one seed: the exchange, its time, the weather, and the record of all that was sent."""

import datetime as dt
from bisect import bisect_left
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple, Protocol

import msgspec

from actors.campaigns.weather import SYMBOLS, Weather
from actors.exchange.accounts import Account, Lot
from actors.exchange.book import Order
from actors.exchange.exchange import Exchange
from actors.exchange.records import AccountState, OrderRecord, Refusal
from actors.gateways.kiwoom.twin.settings import TwinSettings
from actors.market.calendar import Calendar
from actors.market.time import SECOND, at, kst
from messages import Action, Kind, Side, Symbol, Validity, Won
from runtime.disk.errors import DatabaseError, DatabaseFull, DatabaseLocked

TRADING: Final = 600 * SECOND
"""How long a seed trades before its faults are over, all its days together."""
_LEAST: Final = 240 * SECOND
"""Of it each day has at least this, or an open would be over before it came."""
_TWO_DAYS: Final = 0.25
"""Part of the seeds that trade half of it on one day and half on the next."""
_TRANSFER: Final = 0.2
"""Part of the days on which money is laid in or taken out."""
_BY_HAND: Final = 0.2
"""Part of the days on which somebody trades in the same account at another terminal."""
_HTS: Final = "0000"
"""The screen of orders that come from there."""
_DAY: Final = dt.date(2026, 11, 18)
_FRIDAY: Final = dt.date(2026, 11, 20)
"""The night after it is a weekend."""
ACCOUNT: Final = "8000000011"
_CASH: Final = 20_000_000
_COMMISSION: Final = 0.00015
_UNSEEN: Final = 0.05
"""A close is wanted, not the day before it: the crowd is thin until then."""
_NOON: Final = dt.time(12)
_CLOSED: Final = dt.time(15, 31)
_EARLY: Final = dt.time(9, 3)
"""The end of a day between two nights: a whole day would be played for its last minutes alone."""
DISK: Final = "the disk of the swarm"
"""What a refusal of the journal names."""
_FAILURES: Final = (DatabaseError, DatabaseFull, DatabaseLocked)


class Numbered(NamedTuple):
    """An order's name at the broker, whose numbers begin anew each day."""

    date: dt.date
    number: str


class Sent(NamedTuple):
    """One request that reached the control."""

    order: int
    """Number of the intent."""
    action: Action
    number: str
    """What the broker called it; blank where it never took it."""
    date: dt.date

    @property
    def name(self) -> Numbered:
        return Numbered(self.date, self.number)


class Line(Protocol):
    """What connects a system to the world."""

    def heal(self) -> None:
        """Nothing goes wrong on it any more."""
        ...

    def unplug(self) -> None:
        """Nothing passes any more, in either direction."""
        ...


class Notary(Exchange):
    """The exchange, remembering the number it gave last."""

    given = ""
    """Blank where the last request was refused."""
    earlier: tuple[OrderRecord, ...] = ()
    """Requests of the days before."""

    def __init__(self, **terms: Any) -> None:
        super().__init__(**terms)
        self.by_hand: dict[str, None] = {}
        """Numbers of orders that no system sent."""

    @property
    def date(self) -> dt.date:
        return kst(self.start).date()

    @property
    def books(self) -> Account:
        return self._broker.account

    def plan_by_hand(self, when: int, side: Side, symbol: Symbol, quantity: int) -> None:
        """Somebody will order at another terminal, near the last price."""
        self._market.plan(when, self._order_by_hand, side, symbol, quantity)

    def _order_by_hand(self, side: Side, symbol: Symbol, quantity: int) -> None:
        price = self._market.by_symbol[symbol].figures.last
        terms = (self.account, side, Kind.LIMIT, Validity.DAY, symbol, quantity, price, _HTS)
        number = super().place(*terms)
        if isinstance(number, str):
            self.by_hand[number] = None

    def succeed(self, before: "Notary") -> None:
        """Take over the account as the day before left it."""
        books, left = self.books, before.books
        books.deposit = left.settled
        books.lots = {symbol: Lot(lot.quantity, lot.cost) for symbol, lot in left.lots.items() if lot.quantity}
        self.earlier = (*before.earlier, *before.orders)

    def account_state(self, account: str) -> AccountState | Refusal:
        state = super().account_state(account)
        return state if isinstance(state, Refusal) else msgspec.structs.replace(state, earlier=self.earlier)

    def plan_transfer(self, when: int, won: int) -> None:
        """Money will be laid in or, below 0, taken out, as far as there is any to spare."""
        self._market.plan(when, self._transfer, won)

    def _transfer(self, won: int) -> None:
        books = self.books
        books.deposit += max(won, -books.orderable_deposit)

    def place(self, *terms: Any, **more: Any) -> str | Refusal:
        return self._note(super().place(*terms, **more))

    def cancel(self, *terms: Any, **more: Any) -> str | Refusal:
        return self._note(super().cancel(*terms, **more))

    def replace(self, *terms: Any, **more: Any) -> str | Refusal:
        return self._note(super().replace(*terms, **more))

    def plan_shock(self, when: int, symbol: Symbol, percent: int) -> None:
        """Somebody will take all there is, the last of it `percent` away: enough of that interrupts the issue."""
        self._market.plan(when, self._shock, symbol, percent)

    def _shock(self, symbol: Symbol, percent: int) -> None:
        issue = self._market.by_symbol[symbol]
        book, buy = issue.book, percent > 0
        wanted = issue.figures.last * (100 + percent) // 100
        target = min(bisect_left(book.prices, wanted), len(book.prices) - 1)
        if not issue.halted and issue.accepts():
            issue.enter(Order(not buy, target, 1), self.now)
            issue.enter(Order(buy, target, book.other(buy).available(target)), self.now)

    def _note(self, answer: str | Refusal) -> str | Refusal:
        self.given = answer if isinstance(answer, str) else ""
        return answer


class World:
    """The outside of the systems that one seed starts, kills and starts again.

    `days`: how many one journal goes on for; 0 draws one or two.
    """

    def __init__(self, seed: int, folder: Path, days: int = 0) -> None:
        self.seed = seed
        self.folder = folder
        self.rng = Random(f"swarm {seed}")
        self._days = Random(f"days {seed}")
        drawn = int(self._days.random() < _TWO_DAYS)
        self.nights = days - 1 if days else drawn
        """How many are still to come."""
        self.overrides = self._unforgetting() if days else []
        """Of the config of every system of this seed."""
        self.past: list[Notary] = []
        """The exchanges of days that are over."""
        self._open(_FRIDAY if self.nights else _DAY, self._hours())
        self.sent: list[Sent] = []
        self.breaches: list[str] = []
        self.healed = False
        self.line: Line | None = None
        """Of the system that lives now, once it has a gateway."""
        self.heard: Callable[[str], None] = _nobody
        """Told of each `send`, `record`, `answer` that passes the gateway, each piece of work of the `journal`,
        and of a `cut`."""

    @property
    def days(self) -> list[Notary]:
        """Every exchange so far, today's last."""
        return [*self.past, self.exchange]

    def sleep(self) -> None:
        """The day ends, whoever is there to see it, and the next one is about to begin."""
        self.exchange.advance(self.exchange.end)
        self.past.append(self.exchange)
        self.nights -= 1
        date = Calendar().next_day(self.exchange.date).date
        self._open(date, (_morning(self.rng), _EARLY if self.nights else _CLOSED))
        self.exchange.succeed(self.past[-1])

    def catch_up(self) -> None:
        """The exchange went on while nobody was connected; what it said then nobody heard."""
        self.exchange.advance(self.now)

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        self.healed = True
        if self.line is not None:
            self.line.heal()

    def hang_up(self) -> None:
        """The system that lived is dead to the world."""
        if self.line is not None:
            self.line.unplug()
        self.line, self.heard = None, _nobody

    def journal_delay(self) -> float:
        """Seconds until the journal's database answers."""
        self.heard("journal")
        if self.healed:
            return 0.001
        stalls = self.weather.stall and self.rng.random() < self.weather.stall
        return self.rng.uniform(0.5, 8.0) if stalls else self.rng.uniform(0.0002, 0.01)

    def journal_fault(self) -> None:
        """Raises a DatabaseError now and then."""
        if not self.healed and self.weather.failure and self.rng.random() < self.weather.failure:
            raise self.rng.choice(_FAILURES)(f"{DISK}: refused")

    def _open(self, date: dt.date, hours: tuple[dt.time, dt.time]) -> None:
        begin, finish = hours
        parts = 1 + self.nights + len(self.past)
        self.now: int = at(date, begin.hour, begin.minute, begin.second)
        self.until = self.now + max(TRADING // parts, _LEAST)
        """When the faults of this day end."""
        self.weather = Weather(self.rng, self.now, self.until)
        self.settings = TwinSettings(
            date=date.isoformat(),
            begin=begin.isoformat(),
            finish=finish.isoformat(),
            seed=self.rng.randrange(1 << 30),
            issues=3,
            intensity=self.rng.choice((0.1, 0.2, 0.5)),
            cash=_CASH,
            commission=_COMMISSION,
            account=ACCOUNT,
            server="real",
            answers=self.rng.choice(("mixed", "official", "recorded", "late")),
            clearing=self.rng.choice(("mixed", "after", "before", "none")),
            faults=(*self.weather.faults, *self.weather.breaks),
        )
        self.exchange = Notary(
            date=date,
            cash=Won(_CASH),
            commission=_COMMISSION,
            seed=self.settings.seed,
            account=ACCOUNT,
            latency_ms=self.settings.latency_ms,
            intensity=self.settings.intensity,
            unseen=_UNSEEN,
            begin=begin,
            finish=finish,
            issues=self.settings.issues,
            history_days=1,
            halts=self.weather.halts,
        )
        for when, symbol, percent in self.weather.shocks:
            self.exchange.plan_shock(when, symbol, percent)
        self._interfere()

    def _unforgetting(self) -> list[str]:
        """Over many days it is asked for what actors remember of days before: peaks, and who repeated itself."""
        trailing, repeats = self._days.choice((0.3, 0.6, 1.2)), self._days.choice((1, 2, 5))
        return [f"actor.guardian.trailing={trailing}", f"actor.risk.max_repeats={repeats}"]

    def _interfere(self) -> None:
        """What the account's owner does beside the system."""
        rng, exchange = self._days, self.exchange
        if rng.random() < _TRANSFER:
            exchange.plan_transfer(self._some_time(), rng.randrange(-_CASH // 4, _CASH // 4))
        if rng.random() < _BY_HAND:
            symbol = rng.choice(SYMBOLS)
            exchange.plan_by_hand(self._some_time(), Side.BUY, symbol, rng.randrange(101, 140))
            exchange.plan_by_hand(self._some_time(), Side.SELL, symbol, rng.randrange(70, 100))

    def _some_time(self) -> int:
        return self._days.randrange(self.now, self.until)

    def _hours(self) -> tuple[dt.time, dt.time]:
        """Ten minutes over the open, or to the end of the day's trading and over it; half of it before a night.

        A day that ends early lets a night come soon after an open.
        """
        second = self.rng.randrange(60)
        begin = self.rng.choice(
            (dt.time(8, 57, second), dt.time(8, 58, second), dt.time(15, 17, second), dt.time(15, 19, second // 2))
        )
        if not self.nights:
            return begin, _CLOSED
        if begin < _NOON:
            return begin, dt.time(9, 2, second)
        return begin.replace(minute=begin.minute + 7), _CLOSED


def _morning(rng: Random) -> dt.time:
    return dt.time(8, rng.choice((57, 58)), rng.randrange(60))


def _nobody(_: str) -> None:
    pass


WORLD: Final[ContextVar[World]] = ContextVar("world")
"""The world of the seed that runs here."""
