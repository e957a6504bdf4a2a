"""Who is in the KOSPI 200: asked of Kiwoom once a day, and remembered so that a restart asks nothing."""

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import structlog
from msgspec.structs import replace

from actors.gateways.kiwoom.codes import bare_code
from actors.gateways.kiwoom.control import Calls
from actors.gateways.kiwoom.queries.queries import Queries, QueryRefused, Question
from actors.gateways.kiwoom.queries.values import text
from actors.gateways.port import Urgency
from actors.market.time import kst
from messages import Instrument, Market, Symbol
from runtime.clock import Clock

_LOG = structlog.get_logger("gateway.kiwoom")
# The names, and a hundred rows a page, are those of Kiwoom's own table of TRs as koapy carries it; that market 2 and
# index 201 go together is what its text says of the two inputs. Not seen at Kiwoom yet.
_QUESTION: Final = Question(tr="opt20002", inputs={"시장구분": "2", "업종코드": "201"})
_BOARD: Final = "0"
_FEWEST: Final = 190
"""Codes of an answer that is whole; the index has 200, a few more or less between a split and its next review."""
_PART: Final = 5
"""Of a board much smaller than Korea's a fifth is enough."""
_AFTER: Final = 30.0
"""Seconds left to what else a start asks, which is all of a window."""
_AGAIN: Final = 300.0
"""Seconds from an answer that did not come to the next question."""
_ORDINARY: Final = "0"
"""What the code of an ordinary share ends with; that of a preferred share ends otherwise."""
_FUNDS: Final = (Market.ETF, Market.ETN)


class Members:
    """Marks instruments whose dynamic bands are narrow.

    Until the members are known every ordinary share of the board is taken for one: for risk the narrow band is the
    safe side. What was marked wrongly is said anew then. They are asked for when they are first needed on a day,
    behind whatever else is asked, and again later where that fails.
    """

    def __init__(
        self, calls: Calls, queries: Queries, clock: Clock, file: Path, say: Callable[[Instrument], None]
    ) -> None:
        self._calls = calls
        self._queries = queries
        self._clock = clock
        self._file = file
        self._say = say
        self._day, self._codes = self._kept()
        self._guessed: dict[Symbol, tuple[str, Instrument]] = {}
        """By the day they were marked on."""
        self._asking: asyncio.Task[None] | None = None

    def mark(self, found: Sequence[Instrument]) -> tuple[Instrument, ...]:
        """The same with `kospi200` set; never waits."""
        marked = tuple(replace(issue, kospi200=self._is_narrow(issue)) for issue in found)
        if not self._known:
            today = self._today()
            self._guessed |= {issue.symbol: (today, issue) for issue in marked}
            self._ask()
        return marked

    def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()

    @property
    def _known(self) -> bool:
        return self._day == self._today()

    def _today(self) -> str:
        return kst(self._clock.now()).date().isoformat()

    def _is_narrow(self, issue: Instrument) -> bool:
        """A fund that moves a multiple of its index shows in its price limits; what it follows no query tells."""
        if issue.market in _FUNDS:
            return issue.upper_limit * 10 <= issue.base_price * 13
        member = issue.symbol in self._codes if self._known else issue.symbol.endswith(_ORDINARY)
        return issue.market is Market.KOSPI and member

    def _ask(self) -> None:
        if self._asking is None:
            self._asking = asyncio.get_running_loop().create_task(self._learn())
            self._asking.add_done_callback(self._asked)

    def _asked(self, _: asyncio.Task[None]) -> None:
        self._asking = None

    async def _learn(self) -> None:
        pause = _AFTER
        while not self._known:
            await self._clock.sleep(pause)
            try:
                self._day, self._codes = await self._answer()
            except (QueryRefused, TimeoutError) as error:
                if pause == _AFTER:
                    _LOG.warning("the KOSPI 200 is not known: all of its board counts as in it", reason=str(error))
                pause = _AGAIN
        self._keep()
        self._correct()

    async def _answer(self) -> tuple[str, frozenset[Symbol]]:
        day = self._today()
        rows = (await self._queries.whole(_QUESTION, Urgency.BACKFILL)).rows
        codes = frozenset(Symbol(code) for row in rows if (code := bare_code(text(row, "종목코드"))))
        if len(codes) < max(1, min(_FEWEST, len(self._calls.codes_of_market(_BOARD)) // _PART)):
            raise QueryRefused(f"opt20002: {len(codes)} codes are not the whole of it")
        return day, codes

    def _correct(self) -> None:
        for day, told in self._guessed.values():
            narrow = self._is_narrow(told)
            if day == self._day and narrow is not told.kospi200:
                self._say(replace(told, kospi200=narrow))
        self._guessed.clear()

    def _kept(self) -> tuple[str, frozenset[Symbol]]:
        """What is damaged counts as nothing."""
        try:
            page = self._file.read_text(encoding="ascii", errors="replace")
        except OSError:
            return "", frozenset()
        day, *codes = page.split()[:-1] or [""]
        return (day, frozenset(map(Symbol, codes))) if page == _page(day, codes) else ("", frozenset())

    def _keep(self) -> None:
        draft = self._file.with_suffix(".new")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(_page(self._day, sorted(self._codes)), encoding="ascii")
            draft.replace(self._file)
        except (OSError, UnicodeError) as error:
            _LOG.warning("the members of the KOSPI 200 are not kept: the next start asks again", reason=str(error))


def _page(day: str, codes: Iterable[str]) -> str:
    body = f"{day}\n{' '.join(codes)}\n"
    return f"{body}{hashlib.sha256(body.encode()).hexdigest()}\n"
