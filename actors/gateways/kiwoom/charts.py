"""Chart queries as pages of bars, oldest bar first."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Final

import structlog

from actors.gateways.kiwoom.queries import Queries, Question
from actors.gateways.kiwoom.records import DAY, HIGHEST_PRICE, MalformedError, announced_seconds, at
from actors.gateways.kiwoom.values import optional, text, whole
from actors.gateways.pacer import Interrupted
from actors.gateways.port import Page, Urgency
from actors.market.time import SECOND
from messages import Bar, Nanoseconds, Shares, Symbol, Won

_LOG = structlog.get_logger("gateway.kiwoom")
_MILLION: Final = 1_000_000
_MINUTES: Final = (1, 3, 5, 10, 15, 30, 45, 60)
_NO_BAR_YET: Final = 2**63
_DAILY: Final = DAY // SECOND


class Charts:
    """opt10080 and opt10081, newest page first."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries
        self.rejected = 0
        """Rows that were no bars."""

    async def bars(self, symbol: Symbol, interval: int, since: int, today: str) -> AsyncIterator[Page]:
        """Pages until one reaches back to `since`; after an interruption those already given are read over.

        `today` is YYYYMMDD, the newest day wanted. Raises ValueError for an interval Kiwoom does not have,
        QueryRefused or TimeoutError.
        """
        question = _question(symbol, interval, today)
        oldest = _NO_BAR_YET
        while True:
            try:
                async with aclosing(self._queries.pages(question, Urgency.BACKFILL)) as answers:
                    async for answer in answers:
                        bars = self._parse(symbol, interval, answer.rows)
                        if not bars or bars[0].time < oldest or not answer.more:
                            yield Page(symbol=symbol, interval=interval, bars=bars, last=not answer.more)
                        oldest = min([oldest, *(one.time for one in bars[:1])])
                        if oldest <= since:
                            return
            except Interrupted:
                continue
            return

    def _parse(self, symbol: Symbol, interval: int, rows: Sequence[Mapping[str, str]]) -> tuple[Bar, ...]:
        bars: list[Bar] = []
        for row in reversed(rows):
            try:
                bars.append(bar(symbol, interval, row))
            except ValueError as error:
                self.rejected += 1
                _LOG.warning("chart row rejected", symbol=symbol, reason=str(error), so_far=self.rejected)
        return tuple(bars)


def bar(symbol: Symbol, interval: int, row: Mapping[str, str]) -> Bar:
    """One row of opt10080 (`interval` in seconds) or opt10081 (86,400). Raises ValueError."""
    first, high, low, close = (whole(row, item) for item in ("시가", "고가", "저가", "현재가"))
    if not 0 < low <= min(first, close) <= max(first, close) <= high <= HIGHEST_PRICE:
        raise MalformedError("open, high, low and close contradict each other")
    return Bar(
        symbol=symbol,
        interval=interval,
        time=Nanoseconds(_start(row, interval)),
        open=Won(first),
        high=Won(high),
        low=Won(low),
        close=Won(close),
        volume=Shares(whole(row, "거래량")),
        value=Won(optional(row, "거래대금") * _MILLION),
    )


def _start(row: Mapping[str, str], interval: int) -> int:
    if interval == _DAILY:
        return at(text(row, "일자"), 0)
    clock = text(row, "체결시간")
    return at(clock[:8], announced_seconds(clock[8:]))


def _question(symbol: Symbol, interval: int, today: str) -> Question:
    if interval == _DAILY:
        return Question(tr="opt10081", inputs={"종목코드": symbol, "기준일자": today, "수정주가구분": "1"})
    minutes, rest = divmod(interval, 60)
    if rest or minutes not in _MINUTES:
        known = ", ".join(str(count * 60) for count in _MINUTES)
        raise ValueError(f"Kiwoom has no bars of {interval} s; it has {known} and {_DAILY}")
    return Question(tr="opt10080", inputs={"종목코드": symbol, "틱범위": str(minutes), "수정주가구분": "1"})
