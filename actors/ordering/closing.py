"""The end of the day: no order outlives it, and journal, live records and statement are held against each other."""

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from actors.account.ledger import Ledger
from actors.market.time import kst
from actors.market.venues import HOME
from actors.ordering import requests
from actors.ordering.day_match import DayMatch, match_day
from actors.ordering.reconciler import PAUSES, Reconciler
from actors.ordering.statement import Statement
from messages import Message, Nanoseconds, OrderExpired, Venue
from runtime.actor import Log
from runtime.bus import RUN_BITS
from runtime.clock import Clock
from runtime.disk import faultpoints

_TABLES = ("match.txt", "match.csv")
_NOTHING: Final = (-1, -1)
_LAGS: Final = PAUSES[1:4]
"""Seconds between two looks at lists that lack what the broker has told."""
_CLOSED_WITH: Final[Mapping[Venue, tuple[Venue, ...]]] = MappingProxyType(
    {Venue.KRX: (Venue.KRX,), Venue.NXT: (Venue.KRX, Venue.NXT, Venue.SOR)}
)
"""Where nothing trades any more once a venue has closed: Nextrade closes last, and an order may go there from SOR."""

_over = faultpoints.point("end of day: reconciled, orders not expired")
_expired = faultpoints.point("end of day: orders expired, not matched")
_matched = faultpoints.point("end of day: matched, tables not written")


class Closing:
    """Done after the last venue where an order of ours stands.

    `say` publishes and returns the message's number, `data` is the run's folder.
    """

    def __init__(
        self,
        reconciler: Reconciler,
        ledger: Ledger,
        clock: Clock,
        log: Log,
        *,
        say: Callable[[Message], int],
        data: Path,
    ) -> None:
        self._reconciler = reconciler
        self._ledger = ledger
        self._clock = clock
        self._log = log
        self._say = say
        self._data = data
        self._day: dt.date | None = None
        self._closed: tuple[Venue, ...] = ()
        self._done: tuple[Venue, ...] = ()
        """The venues that count today and had closed when the day was ended last."""
        self._matched = _NOTHING
        """How many orders and shares that was about."""

    def ends(self, venue: Venue) -> bool:
        """A venue has closed for the day: whether the day is to be ended now.

        It is ended again where orders went to a venue that closed after the end, or were placed after hours, where
        a fill came late, and where the broker had not told the account.
        """
        self._begin_day()
        closed = _CLOSED_WITH.get(venue, ())
        self._closed = tuple(one for one in Venue if one in self._closed or one in closed)
        if self.goes_on():
            self._log.info("the day goes on: an order stands at a venue that is open", closed=venue.value)
            return False
        used = (HOME, *(order.venue for order in self._ledger.orders.values()))
        before = self._done, self._matched
        self._done, self._matched = tuple(one for one in self._closed if one in used), self._traded()
        return (self._done, self._matched) != before

    @property
    def matched(self) -> bool:
        """Whether the day was held against the broker's statement, and nothing was sent or filled since."""
        return self._matched == self._traded()

    def _begin_day(self) -> None:
        """A replay goes on over many days."""
        today = kst(self._clock.now()).date()
        if today != self._day:
            self._day, self._closed, self._done, self._matched = today, (), (), _NOTHING

    def _traded(self) -> tuple[int, int]:
        orders = self._ledger.orders.values()
        return sum(order.submitting for order in orders), sum(order.filled for order in orders)

    def goes_on(self) -> bool:
        """Whether an order of ours stands at a venue that has not closed today."""
        self._begin_day()
        return any(order.venue not in self._closed for order in self._ledger.live())

    async def run(self) -> None:
        """An order still open after the last look at the broker has expired; without one nothing is concluded."""
        if not await self._looked():
            self._log.error("the day is not matched: the broker does not tell the account")
            self._matched = _NOTHING
            return
        _over()
        await self._clock.sleep(1)
        await self._read_lagging()
        self._expire()
        _expired()
        self._match()

    async def _looked(self) -> bool:
        for pause in PAUSES:
            if await self._reconciler.look():
                return True
            await self._clock.sleep(pause)
        return await self._reconciler.look()

    async def _read_lagging(self) -> None:
        """The lists may be behind the last fills, which are none without evidence then."""
        for pause in _LAGS:
            state = self._reconciler.newest
            if state is None or not Statement(self._ledger, state).doubt():
                return
            await self._clock.sleep(pause)
            await self._reconciler.look()
            await self._clock.sleep(1)

    def _expire(self) -> None:
        for order in self._ledger.live():
            if order.venue not in self._closed:
                continue
            fields = requests.event(order, self._now())
            self._say(OrderExpired(**fields, broker_order=order.broker_order, expired=order.open))

    def _match(self) -> None:
        state = self._reconciler.newest
        assert state is not None
        found = match_day(self._ledger, state)
        self._matched = self._traded()
        _matched()
        for line in found.lines:
            self._log.warning("the day does not match", what=line)
        self._write(found, self._say(found.message(self._now())) >> RUN_BITS)

    def _write(self, found: DayMatch, run: int) -> None:
        folder = self._data / "runs" / f"{run:05d}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, content in zip(_TABLES, (found.text(), found.csv()), strict=True):
                (folder / name).write_text(content, encoding="utf-8")
        except OSError as error:
            self._log.error("the day's match is not written", reason=str(error))

    def _now(self) -> Nanoseconds:
        return Nanoseconds(self._clock.now())
