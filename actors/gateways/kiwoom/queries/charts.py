"""Chart queries as pages of bars, oldest bar first, each with the time that it proves."""

import hashlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Final

import structlog

from actors.gateways.kiwoom.codes import bare_code
from actors.gateways.kiwoom.queries.queries import Answer, Queries, QueryRefused, Question
from actors.gateways.kiwoom.queries.values import optional, text, whole
from actors.gateways.kiwoom.real_time.records import DAY, HIGHEST_PRICE, MalformedError, announced_seconds, at, midnight
from actors.gateways.pacer import Interrupted
from actors.gateways.port import Page, Urgency
from actors.market.time import SECOND, kst
from actors.market.venues import split
from messages import Bar, Nanoseconds, Shares, Symbol, Won
from runtime.clock import Clock

_LOG = structlog.get_logger("gateway.kiwoom")
_MILLION: Final = 1_000_000
_MINUTES: Final = (1, 3, 5, 10, 15, 30, 45, 60)
_DAILY: Final = DAY // SECOND
_CODE: Final = "종목코드"
_PRICES: Final = ("시가", "고가", "저가", "현재가")
_MOST_PAGES: Final = 2_000
"""Of one code: what a query that never ends would take; minutes of ten years are half of it."""

_Hole = tuple[Nanoseconds, Nanoseconds]


class Charts:
    """opt10080 and opt10081, newest page first."""

    def __init__(self, queries: Queries, clock: Clock) -> None:
        self._queries = queries
        self._clock = clock
        self.rejected = 0
        """Rows that were no bars."""

    async def bars(
        self, symbol: Symbol, interval: int, since: int, until: int | None = None
    ) -> AsyncGenerator[Page, None]:
        """Pages until one reaches back to `since`; an interruption begins them anew, from the newest.

        opt10080 knows no date: `until` counts for days alone. Raises ValueError for an interval Kiwoom does not
        have, QueryRefused or TimeoutError.
        """
        while True:
            now = self._clock.now()
            newest = now if until is None or interval != _DAILY else min(now, until)
            question = _question(symbol, interval, kst(newest).strftime("%Y%m%d"))
            above = now if newest == now else midnight(newest) + DAY
            first, torn = True, False
            try:
                async with aclosing(self._queries.pages(question, Urgency.BACKFILL, _MOST_PAGES)) as answers:
                    async for answer in answers:
                        _refuse_other(symbol, question, answer)
                        found = self._parse(symbol, interval, answer.rows)
                        page = _page(symbol, interval, answer, found, above=above, newest=first, torn=torn)
                        yield page
                        if page.bars and page.bars[0].time <= since:
                            return
                        above, first, torn = page.since, False, found[:1] == [None] or (torn and not page.bars)
            except Interrupted:
                continue
            return

    def _parse(self, symbol: Symbol, interval: int, rows: Sequence[Mapping[str, str]]) -> list[Bar | None]:
        """None stands for a row that could not be read."""
        found: list[Bar | None] = []
        for row in reversed(rows):
            try:
                if not _is_idle(row):
                    found.append(bar(symbol, interval, row))
            except ValueError as error:
                self.rejected += 1
                found.append(None)
                _LOG.warning("chart row rejected", symbol=symbol, reason=str(error), so_far=self.rejected)
        return found


def _refuse_other(symbol: Symbol, question: Question, answer: Answer) -> None:
    """A continuation that something broke unseen may show another issue."""
    code = bare_code(answer.single.get(_CODE, "").strip())
    if code and code != bare_code(symbol):
        raise QueryRefused(f"{question.tr}: asked for {symbol} and answered with {code}")


def _page(
    symbol: Symbol,
    interval: int,
    answer: Answer,
    found: Sequence[Bar | None],
    *,
    above: int,
    newest: bool,
    torn: bool,
) -> Page:
    """`above` is where the page before began; `torn` says that its oldest row could not be read."""
    bars = tuple(bar for bar in found if bar is not None)
    since = bars[0].time if bars else above
    seam = [(Nanoseconds(bars[-1].time + 1), Nanoseconds(above))] if bars and torn else []
    return Page(
        symbol=symbol,
        interval=interval,
        bars=bars,
        last=not answer.more,
        since=Nanoseconds(since),
        until=Nanoseconds(max(above, since)),
        holes=(*_holes(found, above), *seam),
        newest=newest,
        rows=len(answer.rows),
        digest=_digest(answer.rows),
    )


def bar(symbol: Symbol, interval: int, row: Mapping[str, str]) -> Bar:
    """One row of opt10080 (`interval` in seconds) or opt10081 (86,400), of the venue the code names.

    Raises ValueError.
    """
    bare, venue = split(symbol)
    first, high, low, close = (whole(row, item) for item in _PRICES)
    if not 0 < low <= min(first, close) <= max(first, close) <= high <= HIGHEST_PRICE:
        raise MalformedError("open, high, low and close contradict each other")
    return Bar(
        symbol=bare,
        venue=venue,
        interval=interval,
        time=Nanoseconds(_start(row, interval)),
        open=Won(first),
        high=Won(high),
        low=Won(low),
        close=Won(close),
        volume=Shares(whole(row, "거래량")),
        value=Won(optional(row, "거래대금") * _MILLION),
    )


def _is_idle(row: Mapping[str, str]) -> bool:
    """A day on which nothing was traded: its last price stands, and everything else is 0."""
    opened = [row.get(item, "").strip().lstrip("+-0") for item in (*_PRICES[:3], "거래량")]
    return not any(opened) and bool(row.get("거래량", "").strip()) and whole(row, "현재가") > 0


def _holes(found: Sequence[Bar | None], above: int) -> list[_Hole]:
    """From the bar before a row that could not be read to the bar after it."""
    holes: list[_Hole] = []
    before = 0
    for place, item in enumerate(found):
        if item is not None:
            before = item.time + 1
            continue
        after = next((later.time for later in found[place:] if later is not None), above)
        if before and (not holes or holes[-1][1] != after):
            holes.append((Nanoseconds(before), Nanoseconds(after)))
    return holes


def _digest(rows: Sequence[Mapping[str, str]]) -> str:
    cells = "\n".join("\t".join(row.values()) for row in rows)
    return hashlib.sha256(cells.encode()).hexdigest()


def _start(row: Mapping[str, str], interval: int) -> int:
    if interval == _DAILY:
        return at(text(row, "일자"), 0)
    clock = text(row, "체결시간")
    return at(clock[:8], announced_seconds(clock[8:]))


def _question(symbol: Symbol, interval: int, today: str) -> Question:
    if interval == _DAILY:
        return Question(tr="opt10081", inputs={_CODE: symbol, "기준일자": today, "수정주가구분": "1"}, single=(_CODE,))
    minutes, rest = divmod(interval, 60)
    if rest or minutes not in _MINUTES:
        known = ", ".join(str(count * 60) for count in _MINUTES)
        raise ValueError(f"Kiwoom has no bars of {interval} s; it has {known} and {_DAILY}")
    return Question(tr="opt10080", inputs={_CODE: symbol, "틱범위": str(minutes), "수정주가구분": "1"}, single=(_CODE,))
