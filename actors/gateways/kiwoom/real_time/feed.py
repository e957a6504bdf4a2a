"""Real-time records from the control to messages: kept raw in one line, thinned only there, parsed in batches."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Container
from functools import partial
from typing import Final, final

import msgspec
import structlog
from msgspec.structs import replace

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.control import Calls
from actors.gateways.kiwoom.real_time.records import (
    PARSERS,
    VI_RELEASED,
    MalformedError,
    identity,
    midnight,
    vi_subject,
)
from actors.gateways.kiwoom.real_time.verification import answers_of, assembled, differing_fids
from actors.gateways.port import FeedMessage
from actors.market.venues import spell
from messages import FeedEnded, FeedLost, Nanoseconds, Session, SessionChanged, Tick, Venue
from runtime.clock import Clock

_LOG = structlog.get_logger("gateway.kiwoom")
_KRX: Final = Venue.KRX
_BATCH: Final = 100
_BATCH_NS: Final = 1_000_000
_LOOK: Final = 64
"""Records between two looks at the clock."""
FLOOD: Final = 150
"""Waiting records from which on a book holds only its newest."""
VERIFY_EVERY: Final = 10_000
UNTAKEN: Final = 20_000
"""Waiting records from which on the oldest make room, as long as nobody streams."""
_AUCTIONS: Final = {Session.OPENING_AUCTION: 1_800, Session.CLOSING_AUCTION: 600}
"""Seconds they take: what has longer to go has not begun."""
_NEXTRADE_ENDS: Final = ("V", "W")
_OF_ISSUES: Final = frozenset({codes.TRADE, codes.BOOK, codes.BEST_QUOTE, codes.EXPECTED, codes.AFTER_HOURS})
_RETOLD: Final = "opt10054"
_LASTING: Final = frozenset({codes.SESSION, codes.VI})
"""Types whose records hold until another comes: few, and kept for whoever streams later."""


@final
class _Raw(msgspec.Struct, gc=False):
    code: str
    kind: str
    data: str
    received: int


class Intake:
    """The one line between the slot and the stream. `add` is called inside the event and only appends.

    Of issues it takes what is `wanted`, where that is given: a query about an issue brings real data nobody asked for.
    """

    def __init__(  # noqa: PLR0917 - the gateway hands on what it has
        self,
        calls: Calls,
        clock: Clock,
        name: str,
        last_session: str,
        day_over: Callable[[], None],
        wanted: Container[str] | None = None,
    ) -> None:
        self._calls = calls
        self._clock = clock
        self._name = name
        self._last_session = last_session
        self._day_over = day_over
        self._wanted = wanted
        self._line: deque[_Raw | FeedMessage] = deque()
        self._books: dict[str, _Raw] = {}
        self._wake: asyncio.Future[None] | None = None
        self._taken = False
        self._field_by_field: set[str] = set()
        self._interruptions: set[tuple[str, str, str]] = set()
        self._newest: dict[str, int] = {}
        self._running: dict[Venue, SessionChanged] = {}
        """By what it was told."""
        self._now = clock.now
        self._seen: Counter[str] = Counter()
        self._passed = 0
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> Counter[str]:
        """Received = passed + conflated + rejected + silent + untaken + waiting; unused and unasked stand beside."""
        return self._counts + Counter(received=self._seen.total(), passed=self._passed)

    @property
    def rejected(self) -> int:
        return self._counts["rejected"]

    def add(self, code: str, kind: str, data: str) -> None:
        """One OnReceiveRealData, inside the event."""
        if kind not in PARSERS:
            self._counts["unused"] += 1
            return
        if self._wanted is not None and code not in self._wanted and self._is_stray(code, kind):
            self._counts["unasked"] += 1
            return
        seen = self._seen[kind] = self._seen[kind] + 1
        if seen % VERIFY_EVERY == 1:
            self._verify(code, kind, data)
        if self._field_by_field and kind in self._field_by_field:
            data = assembled(kind, partial(self._calls.real, code))
        if kind == codes.BOOK:
            self._add_book(code, data)
        else:
            self._line.append(_Raw(code, kind, data, self._now()))
        if self._wake is not None:
            self._wake_stream()
        elif not self._taken and len(self._line) >= UNTAKEN:
            self._make_room()

    def retell(self, data: str) -> None:
        """The text of an interruption that an answer told of, as if its record had come."""
        self._seen[_RETOLD] += 1
        self._line.append(_Raw("", codes.VI, data, self._now()))
        self._wake_stream()

    def say(self, message: FeedMessage) -> None:
        """Put a message of our own into the line."""
        self._line.append(message)
        self._wake_stream()

    @property
    def waiting(self) -> int:
        """Records not given to the stream yet."""
        return len(self._line)

    def stream(self) -> AsyncIterator[list[FeedMessage]]:
        """Batches in the order received; ends after a FeedEnded. From here on until it ends nothing is dropped."""
        self._taken = True
        return self._batches()

    async def _batches(self) -> AsyncIterator[list[FeedMessage]]:
        try:
            while True:
                batch = self._take()
                if batch:
                    yield batch
                    if isinstance(batch[-1], FeedEnded):
                        return
                if self._line:
                    await asyncio.sleep(0)
                else:
                    self._wake = asyncio.get_running_loop().create_future()
                    await self._wake
        finally:
            self._taken = False

    def _is_stray(self, code: str, kind: str) -> bool:
        """Whether nobody asked for it, however its code is written; what is no code the parser refuses."""
        assert self._wanted is not None
        try:
            return kind in _OF_ISSUES and spell(*identity(code)) not in self._wanted
        except MalformedError:
            return False

    def _add_book(self, code: str, data: str) -> None:
        waiting = self._books.get(code)
        if waiting is not None and len(self._line) > FLOOD:
            waiting.data, waiting.received = data, self._now()
            self._counts["conflated"] += 1
            return
        raw = self._books[code] = _Raw(code, codes.BOOK, data, self._now())
        self._line.append(raw)

    def _wake_stream(self) -> None:
        wake, self._wake = self._wake, None
        if wake is not None and not wake.done():
            wake.set_result(None)

    def _make_room(self) -> None:
        line, books = self._line, self._books
        oldest = [line.popleft() for _ in range(UNTAKEN // 2)]
        kept = [item for item in oldest if type(item) is not _Raw or item.kind in _LASTING]
        for item in oldest:
            if type(item) is _Raw and books.get(item.code) is item:
                del books[item.code]
        line.extendleft(reversed(kept))
        if not self._counts["untaken"]:
            _LOG.warning("nobody takes the feed: its oldest records are dropped", waiting=UNTAKEN)
        self._counts["untaken"] += len(oldest) - len(kept)

    def _verify(self, code: str, kind: str, data: str) -> None:
        answers = answers_of(kind, partial(self._calls.real, code))
        if not any(answer.strip() for answer in answers.values()):
            self._counts["unverified"] += 1
            return
        differing = differing_fids(kind, data, answers.__getitem__)
        if differing and kind not in self._field_by_field:
            self._field_by_field.add(kind)
            self._counts["fallbacks"] += 1
            _LOG.warning("raw string differs from the fields: read one by one now", type=kind, fids=differing)

    def _take(self) -> list[FeedMessage]:
        batch: list[FeedMessage] = []
        start = self._now()
        day = midnight(start)
        line = self._line
        for taken in range(min(len(line), _BATCH)):
            if taken % _LOOK == _LOOK - 1 and self._now() - start > _BATCH_NS:
                break
            item = line.popleft()
            if type(item) is _Raw:
                self._parse(item, day, batch)
            else:
                batch.append(item)
            if batch and type(batch[-1]) is FeedEnded:
                break
        return batch

    def _parse(self, raw: _Raw, day: int, batch: list[FeedMessage]) -> None:
        kind = raw.kind
        if kind == codes.BOOK and self._books.get(raw.code) is raw:
            del self._books[raw.code]
        try:
            message = PARSERS[kind](raw.code, raw.data, day, raw.received)
            known = kind == codes.VI and self._is_repeated(raw)
        except ValueError as error:
            self._reject(raw, error)
            return
        if message is None or known:
            self._counts["silent"] += 1
            return
        self._passed += 1
        batch.append(message)
        if type(message) is Tick:
            self._watch_order(message)
        elif isinstance(message, SessionChanged):
            self._announced(message, batch)

    def _announced(self, message: SessionChanged, batch: list[FeedMessage]) -> None:
        if message.remaining:
            batch[-1] = self._begun(message)
            return
        self._running[message.venue] = message
        if message.venue is Venue.KRX and message.session is Session.CLOSED_FOR_DAY:
            self._day_over()
        if self._is_last(message):
            batch.append(self._ended())

    def _is_last(self, message: SessionChanged) -> bool:
        """Kiwoom's texts disagree on whether V or W ends Nextrade's day: the one that comes in the evening does."""
        if message.code in _NEXTRADE_ENDS and self._last_session in _NEXTRADE_ENDS:
            return message.session is Session.CLOSED_FOR_DAY
        return message.code == self._last_session

    def _begun(self, message: SessionChanged) -> SessionChanged:
        """An auction is only ever announced by what is left of it, and runs when that comes first, if not late."""
        running = self._running.get(message.venue)
        known = running is not None and (running.session is message.session or running.time > message.time)
        if known or message.remaining > _AUCTIONS.get(message.session, 0):
            return message
        begun = self._running[message.venue] = replace(message, remaining=0)
        return begun

    def _is_repeated(self, raw: _Raw) -> bool:
        """A trigger is also where its release was told: an answer may be of the instant before."""
        subject = vi_subject(raw.data)
        known = not self._interruptions.isdisjoint((subject, (*subject[:2], VI_RELEASED)))
        self._interruptions.add(subject)
        return known

    def _reject(self, raw: _Raw, error: ValueError) -> None:
        self._counts["rejected"] += 1
        reason = str(error) if isinstance(error, MalformedError) else "not a number"
        if self._counts["rejected"] in (1, 10, 100, 1_000, 10_000, 100_000):
            _LOG.warning("real-time record rejected", type=raw.kind, reason=reason, so_far=self._counts["rejected"])

    def _watch_order(self, tick: Tick) -> None:
        line = tick.symbol if tick.venue is _KRX else spell(tick.symbol, tick.venue)
        if tick.time < self._newest.get(line, 0):
            self._counts["out_of_order"] += 1
        else:
            self._newest[line] = tick.time

    def lost(self, reason: str) -> None:
        """Say that the feed is no longer complete."""
        self.say(FeedLost(feed=self._name, time=Nanoseconds(self._clock.now()), reason=reason))

    def _ended(self) -> FeedEnded:
        return FeedEnded(
            feed=self._name,
            time=Nanoseconds(self._clock.now()),
            records=self._seen.total(),
            rejected=self._counts["rejected"],
            out_of_order=self._counts["out_of_order"],
        )
