"""Queries: paced, correlated by screen and name, timed out, and read to the last page."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Final

import structlog

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.control import Calls
from actors.gateways.kiwoom.screens import CODES_A_SCREEN, Screens, ScreensExhausted
from actors.gateways.pacer import Interrupted, Pacer, Session
from actors.gateways.port import Outcome, Urgency
from messages import Record
from runtime.clock import Clock

_LOG = structlog.get_logger("gateway.kiwoom")
MOST_PAGES: Final = 200
_ATTEMPTS: Final = 4
_BACK_OFF: Final = 2.0
"""Seconds without a query after the first overload; twice that after each further one."""
_MANY: Final = "OPTKWFID"
_NOT_RECEIVED: Final = -205
"""What is in doubt of an order is no harm to a question: it is asked again."""


class QueryRefused(ConnectionError):
    """The control or the server would not answer a query; the text says why and what to do."""


class Question(Record):
    """What is asked: a TR, its inputs by name, and the single items wanted."""

    tr: str
    inputs: Mapping[str, str] = {}
    single: tuple[str, ...] = ()
    symbols: tuple[str, ...] = ()
    """For OPTKWFID, which takes codes instead of inputs."""
    told: bool = False
    """Whether the single items are always told: where all are blank the server would not answer."""


class Answer(Record):
    """One page: blanks stripped, rows by the table's item names."""

    single: Mapping[str, str]
    rows: tuple[Mapping[str, str], ...]
    more: bool


class _Pending:
    __slots__ = ("future", "question", "text")

    def __init__(self, question: Question) -> None:
        self.question = question
        self.future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.text = ""


class Queries:
    """Asks through the control; each question has a screen and a name of its own while it is pending."""

    def __init__(self, calls: Calls, clock: Clock, pacer: Pacer, screens: Screens, timeout: float) -> None:
        self._calls = calls
        self._clock = clock
        self._pacer = pacer
        self._screens = screens
        self._timeout = timeout
        self._pending: dict[tuple[str, str], _Pending] = {}
        self._by_name: set[str] = set()
        self._serial = 0
        self.asked = 0
        self.timed_out = 0
        self.overloaded = 0

    async def one(self, question: Question, urgency: Urgency = Urgency.QUERY, *, screen: str = "") -> Answer:
        """The first page. A `screen` given stays the caller's, with what the query registered on it.

        Raises QueryRefused or TimeoutError.
        """
        if screen:
            return await self._ask(question, screen, 0, urgency, None)
        screen = self._screen(question)
        try:
            return await self._ask(question, screen, 0, urgency, None)
        finally:
            self._give_back(screen)

    async def pages(self, question: Question, urgency: Urgency, most: int = MOST_PAGES) -> AsyncGenerator[Answer, None]:
        """Page by page to the end. Raises Interrupted where a more urgent query broke the continuation."""
        screen = self._screen(question)
        try:
            async with self._pacer.session(urgency) as session:
                for page in range(most):
                    answer = await self._ask(question, screen, 2 if page else 0, urgency, session)
                    yield answer
                    if not answer.more:
                        return
                _LOG.warning("query stopped before its end", tr=question.tr, pages=most)
        finally:
            self._give_back(screen)

    async def whole(self, question: Question, urgency: Urgency = Urgency.QUERY) -> Answer:
        """All pages as one. Raises QueryRefused or TimeoutError."""
        for _ in range(_ATTEMPTS):
            try:
                pages = [page async for page in self.pages(question, urgency)]
            except Interrupted:
                continue
            if pages[-1].more:
                raise QueryRefused(f"{question.tr}: longer than {MOST_PAGES} pages")
            return Answer(single=pages[0].single, rows=_joined(pages), more=False)
        raise QueryRefused(f"{question.tr}: more urgent queries kept coming between its pages")

    async def many(self, symbols: Sequence[str]) -> list[Mapping[str, str]]:
        """A row of OPTKWFID for each code that Kiwoom knows, 100 codes a call."""
        rows: list[Mapping[str, str]] = []
        for first in range(0, len(symbols), CODES_A_SCREEN):
            portion = tuple(symbols[first : first + CODES_A_SCREEN])
            rows.extend((await self.one(Question(tr=_MANY, symbols=portion))).rows)
        return rows

    def read(self, screen: str, name: str, tr: str, following: str) -> Answer | None:
        """Inside OnReceiveTrData: everything the pending question of this screen and name wants, or None."""
        pending = self._pending.get((screen, name))
        if pending is None:
            return None
        table = codes.TRS[pending.question.tr.lower()]
        single = {item: self._calls.data(tr, name, 0, item) for item in pending.question.single}
        rows = self._rows(tr, name, table) if table.multi_record else []
        return Answer(single=single, rows=tuple(rows), more=following.strip() == "2")

    def deliver(self, screen: str, name: str, answer: Answer) -> None:
        """Hand an answer to who waits for it; nobody may, after a time-out."""
        pending = self._pending.get((screen, name))
        if pending is not None and not pending.future.done():
            pending.future.set_result(answer)

    def messaged(self, screen: str, name: str, text: str) -> None:
        """Keep the server's text on a question, for when no answer comes."""
        pending = self._pending.get((screen, name))
        if pending is not None:
            pending.text = text

    def _rows(self, tr: str, name: str, table: codes.Tr) -> list[Mapping[str, str]]:
        rows = self._calls.table(tr, table.multi_record)
        if rows and self._in_place(tr, name, table, rows[0]):
            return [dict(zip(table.multi, row, strict=False)) for row in rows]
        count = self._calls.repeat_count(tr, name) or len(rows)
        return [{item: self._calls.data(tr, name, row, item) for item in table.multi} for row in range(count)]

    def _in_place(self, tr: str, name: str, table: codes.Tr, first: Sequence[str]) -> bool:
        """Kiwoom adds columns now and then: a row of cells is believed as long as each is where its name is."""
        if table.code in self._by_name:
            return False
        placed = dict(zip(table.multi, first, strict=False))
        named = {item: self._calls.data(tr, name, 0, item) for item in table.multi if item not in table.single}
        moved = [item for item, cell in named.items() if cell and cell != placed.get(item, "")]
        if moved:
            self._by_name.add(table.code)
            _LOG.warning("columns are not where the table has them: read by their names now", tr=tr, items=moved)
        return not moved

    def _screen(self, question: Question) -> str:
        try:
            return self._screens.take("tr")
        except ScreensExhausted as error:
            raise QueryRefused(f"{question.tr}: {error}") from error

    async def _ask(
        self, question: Question, screen: str, following: int, urgency: Urgency, session: Session | None
    ) -> Answer:
        for attempt in range(_ATTEMPTS):
            await (self._pacer.turn(urgency) if session is None else session.turn())
            self._serial += 1
            key = (screen, f"{question.tr}-{self._serial}")
            pending = self._pending[key] = _Pending(question)
            try:
                error = codes.error_of(self._send(question, key[1], screen, following))
                if error.outcome is Outcome.SENT:
                    return await self._wait(question, pending)
            finally:
                del self._pending[key]
            if error.outcome is not Outcome.LATER and error.code != _NOT_RECEIVED:
                raise QueryRefused(f"{question.tr}: {error.code} {error.meaning}; {error.mend}")
            self.overloaded += 1
            self._pacer.hold(_BACK_OFF * 2**attempt)
        raise QueryRefused(
            f"{question.tr}: Kiwoom stays overloaded; if every query ends so, only a new start of the process helps"
        )

    async def _wait(self, question: Question, pending: _Pending) -> Answer:
        try:
            answer = await self._clock.wait(pending.future, self._timeout)
        except TimeoutError:
            self.timed_out += 1
            raise TimeoutError(f"{question.tr}: no answer within {self._timeout:g} s{_said(pending)}") from None
        if question.told and not any(answer.single.values()):
            raise QueryRefused(f"{question.tr}: an answer with nothing in it{_said(pending)}")
        return answer

    def _send(self, question: Question, name: str, screen: str, following: int) -> object:
        self.asked += 1
        if question.symbols:
            return self._calls.request_many(question.symbols, name, screen)
        for item in codes.TRS[question.tr.lower()].inputs:
            if item in question.inputs:
                self._calls.set_input(item, question.inputs[item])
        return self._calls.request(name, question.tr, following, screen)

    def _give_back(self, screen: str) -> None:
        self._calls.drop_screen(screen)
        self._screens.free(screen)


def _joined(pages: Sequence[Answer]) -> tuple[Mapping[str, str], ...]:
    """A row comes again on the next page where the list grew in between; alike rows of one page are two."""
    rows: list[Mapping[str, str]] = []
    before: Counter[tuple[tuple[str, str], ...]] = Counter()
    for page in pages:
        here: Counter[tuple[tuple[str, str], ...]] = Counter()
        for row in page.rows:
            cells = tuple(row.items())
            here[cells] += 1
            if here[cells] > before[cells]:
                rows.append(row)
        before |= here
    return tuple(rows)


def _said(pending: _Pending) -> str:
    return f"; the server said: {pending.text}" if pending.text else ""
