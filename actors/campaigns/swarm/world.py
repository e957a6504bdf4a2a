"""What outlives a system in one seed: the exchange, its time, the weather, and the record of all that was sent."""

import datetime as dt
from bisect import bisect_left
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple, Protocol

from actors.campaigns.weather import Weather
from actors.exchange.book import Order
from actors.exchange.exchange import Exchange
from actors.exchange.records import Refusal
from actors.gateways.kiwoom.twin.settings import TwinSettings
from actors.market.time import SECOND, at
from messages import Action, Symbol, Won
from runtime.database import DatabaseError, DatabaseFull, DatabaseLocked

TRADING: Final = 600 * SECOND
"""How long a seed trades before its faults are over."""
DAY: Final = dt.date(2026, 11, 18)
ACCOUNT: Final = "8000000011"
_CASH: Final = 20_000_000
_COMMISSION: Final = 0.00015
_UNSEEN: Final = 0.05
"""A close is wanted, not the day before it: the crowd is thin until then."""
DISK: Final = "the disk of the swarm"
"""What a refusal of the journal names."""
_FAILURES: Final = (DatabaseError, DatabaseFull, DatabaseLocked)


class Sent(NamedTuple):
    """One request that reached the control."""

    order: int
    """Number of the intent."""
    action: Action
    number: str
    """What the broker called it; blank where it never took it."""


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
    """The outside of the systems that one seed starts, kills and starts again."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed = seed
        self.folder = folder
        self.rng = Random(f"swarm {seed}")
        begin, finish = self._hours()
        self.now: int = at(DAY, begin.hour, begin.minute, begin.second)
        self.until = self.now + TRADING
        """When the faults end."""
        self.weather = Weather(self.rng, self.now, self.until)
        self.settings = TwinSettings(
            date=DAY.isoformat(),
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
            date=DAY,
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
        self.sent: list[Sent] = []
        self.breaches: list[str] = []
        self.healed = False
        self.line: Line | None = None
        """Of the system that lives now, once it has a gateway."""
        self.heard: Callable[[str], None] = _nobody
        """Told of each `send`, `record`, `answer` that passes the gateway, each piece of work of the `journal`,
        and of a `cut`."""

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

    def _hours(self) -> tuple[dt.time, dt.time]:
        """Ten minutes over the open, or to the end of the day's trading and over it."""
        second = self.rng.randrange(60)
        begin = self.rng.choice(
            (dt.time(8, 57, second), dt.time(8, 58, second), dt.time(15, 17, second), dt.time(15, 19, second // 2))
        )
        return begin, dt.time(15, 31)


def _nobody(_: str) -> None:
    pass


WORLD: Final[ContextVar[World]] = ContextVar("world")
"""The world of the seed that runs here."""
