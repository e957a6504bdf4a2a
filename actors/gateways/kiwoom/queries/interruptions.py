"""Volatility interruptions: asked for until Kiwoom answers, which registers them and tells which run."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.queries.queries import Queries, QueryRefused, Question
from actors.gateways.kiwoom.queries.values import optional, text
from actors.gateways.kiwoom.real_time.records import MalformedError, midnight, seconds_of
from actors.gateways.kiwoom.screens import Screens
from actors.market import krx
from actors.market.time import SECOND
from runtime.clock import Clock

_LOG = structlog.get_logger("gateway.kiwoom")
_QUESTION: Final = Question(
    tr="opt10054",
    inputs={
        "시장구분": "000",
        "장전구분": "0",
        "종목코드": "",
        "발동구분": "0",
        "제외종목": "000000000",
        "거래량구분": "0",
        "최소거래량": "",
        "최대거래량": "",
        "거래대금구분": "0",
        "최소거래대금": "",
        "최대거래대금": "",
        "발동방향": "0",
        "거래소구분": "1",
    },
)
_AGAIN: Final = 10.0
_AGAIN_AT_MOST: Final = 300.0
"""Seconds after a question without an answer, doubling with each."""
_LONGEST: Final = krx.VI_AUCTION + 2 * krx.VI_EXTENSION
"""Seconds after which an interruption is over, though nobody said so."""
_DYNAMIC: Final = "동적"
_ITEMS: Final = {
    9001: "종목코드",
    302: "종목명",
    13: "누적거래량",
    1221: "발동가격",
    1223: "매매체결처리시각",
    1224: "VI해제시각",
    1225: "VI적용구분",
    1236: "정적기준가격",
    1237: "동적기준가격",
    1238: "정적괴리율",
    1239: "동적괴리율",
    1489: "시가대비등락률",
    1490: "VI발동횟수",
}
"""What a row says of the fields of a record."""
_EVENT: Final = 9068
_DIRECTION: Final = 9069


class Interruptions:
    """Asks on one screen, which keeps what an answer that never came may have registered."""

    def __init__(self, queries: Queries, clock: Clock, screens: Screens, tell: Callable[[str], None]) -> None:
        self._queries = queries
        self._clock = clock
        self._screens = screens
        self._tell = tell
        self._asking: asyncio.Task[None] | None = None
        self._stopped = False
        self.rejected = 0
        """Rows that cannot be read."""

    async def begin(self) -> None:
        """Ask once, and go on asking beside everything else where no answer came."""
        screen = self._screens.take("vi")
        if not await self._ask(screen, _AGAIN) and not self._stopped:
            self._asking = asyncio.get_running_loop().create_task(self._go_on(screen))

    def stop(self) -> None:
        """Ask no more."""
        self._stopped = True
        if self._asking is not None:
            self._asking.cancel()

    async def _go_on(self, screen: str) -> None:
        again, answered = _AGAIN, False
        while not answered:
            await self._clock.sleep(again)
            again = min(2 * again, _AGAIN_AT_MOST)
            answered = await self._ask(screen, again)

    async def _ask(self, screen: str, again: float) -> bool:
        """One page is enough: the newest come first."""
        try:
            answer = await self._queries.one(_QUESTION, screen=screen)
        except (QueryRefused, TimeoutError) as error:
            _LOG.warning("volatility interruptions are not seen yet", reason=str(error), again_in=again)
            return False
        now = self._clock.now()
        for row in reversed(answer.rows):
            self._take(row, (now - midnight(now)) // SECOND)
        return True

    def _take(self, row: Mapping[str, str], second: int) -> None:
        try:
            if _runs(row, second):
                self._tell(_as_record(row))
        except MalformedError as error:
            self.rejected += 1
            _LOG.warning("a row about an interruption cannot be read", reason=str(error))


def _runs(row: Mapping[str, str], second: int) -> bool:
    """Rows bear no date: what lies ahead is of an earlier day. The release is blank or, as in records, foreseen."""
    began, released = seconds_of(text(row, "매매체결처리시각")), text(row, "VI해제시각")
    return began <= second < (seconds_of(released) if released.strip("0") else began + _LONGEST)


def _as_record(row: Mapping[str, str]) -> str:
    """The text of its VI발동/해제, which alone says the direction."""
    dynamic = text(row, "VI적용구분") == _DYNAMIC
    reference = optional(row, "동적기준가격" if dynamic else "정적기준가격")
    upward = optional(row, "발동가격") > reference
    cells = {fid: text(row, item) for fid, item in _ITEMS.items()} | {_EVENT: "1", _DIRECTION: "1" if upward else "2"}
    return "\t".join(cells.get(fid, "") for fid in codes.REAL_TYPES[codes.VI].fids)
