"""An archive over bars in memory, paged as Kiwoom does: newest first, so many rows, then older ones."""

import csv
import datetime as dt
import gzip
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from itertools import pairwise
from pathlib import Path

from actors.gateways.port import Page
from actors.market.charts.certificate import DAILY
from actors.market.time import SECOND, at
from messages import Bar, Instrument, Market, Nanoseconds, Ranked, Shares, Symbol, Won

DATA = Path(__file__).parents[2] / "shared" / "data" / "minute"


class FakeArchive:
    def __init__(self, charts: dict[tuple[str, int], list[Bar]], now: Callable[[], int], rows: int = 900) -> None:
        self.charts = charts
        self.now = now
        self.rows = rows
        self.asked: list[tuple[str, int, int | None]] = []
        """Code, seconds and the day begun at, of each page."""
        self.broken_after: list[int] = []
        """Counts of pages after which the next one begins anew."""
        self.failures: list[Exception] = []
        """Raised instead of the next pages."""
        self.skips = 0
        """How many times the third page of a paging is that after it."""
        self.torn: set[int] = set()
        """Times of bars whose rows cannot be read."""

    async def bars(
        self, symbol: Symbol, interval: int, since: Nanoseconds, until: Nanoseconds | None = None
    ) -> AsyncGenerator[Page, None]:
        place, above, served = 0, self._above(interval, until), 0
        while True:
            if self.failures:
                raise self.failures.pop(0)
            if self.broken_after and served == self.broken_after[0]:
                self.broken_after.pop(0)
                place, above, served = 0, self._above(interval, until), 0
            if served == 2 and self.skips:
                self.skips -= 1
                place += self.rows
            self.asked.append((symbol, interval, until))
            chart = [bar for bar in self.charts.get((symbol, interval), []) if bar.time < above or place]
            cut = chart[: len(chart) - place] if place else chart
            page = self._page(symbol, interval, cut[-self.rows :], above, len(cut) <= self.rows, first=not served)
            served += 1
            yield page
            if page.last or (page.bars and page.bars[0].time <= since):
                return
            place, above = place + self.rows, page.since

    async def instruments(self, symbols: Collection[Symbol]) -> Sequence[Instrument]:
        return [described(symbol) for symbol in symbols]

    async def ranking(self, count: int) -> Sequence[Ranked]:
        del count
        return []

    def _above(self, interval: int, until: int | None) -> int:
        return self.now() if until is None or interval != DAILY else until + DAILY * SECOND

    def _page(self, symbol: Symbol, interval: int, rows: list[Bar], above: int, last: bool, *, first: bool) -> Page:
        bars = [bar for bar in rows if bar.time not in self.torn]
        holes = [
            (Nanoseconds(one.time + 1), other.time)
            for one, other in pairwise(bars)
            if any(one.time < time < other.time for time in self.torn)
        ]
        since = bars[0].time if bars else Nanoseconds(above)
        return Page(
            symbol=symbol,
            interval=interval,
            bars=tuple(bars),
            last=last,
            since=since,
            until=Nanoseconds(max(above, since)),
            holes=tuple(holes),
            newest=first,
            rows=len(rows),
            digest=f"{symbol} {interval} {len(rows)}",
        )


def described(symbol: Symbol) -> Instrument:
    return Instrument(
        symbol=symbol,
        name=f"회사{symbol}",
        market=Market.KOSPI,
        base_price=Won(10_000),
        upper_limit=Won(13_000),
        lower_limit=Won(7_000),
    )


def bar(symbol: str, interval: int, time: int, price: int, volume: int = 10) -> Bar:
    return Bar(
        symbol=Symbol(symbol),
        interval=interval,
        time=Nanoseconds(time),
        open=Won(price),
        high=Won(price + price // 1_000),
        low=Won(price - price // 1_000),
        close=Won(price),
        volume=Shares(volume),
        value=Won(0),
    )


def real_minutes(code: str) -> list[Bar]:
    """The recorded minutes of an ETF; empty where they are not there."""
    return [_row(code, row) for path in DATA.glob(f"{code}_1m_*.csv.gz") for row in csv.DictReader(_open(path))]


def _open(path: Path) -> list[str]:
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def _row(code: str, row: dict[str, str]) -> Bar:
    stamp = row["date"]
    date = dt.date(int(stamp[:4]), int(stamp[4:6]), int(stamp[6:8]))
    return Bar(
        symbol=Symbol(code),
        interval=60,
        time=at(date, int(stamp[8:10]), int(stamp[10:12])),
        open=Won(int(row["open"])),
        high=Won(int(row["high"])),
        low=Won(int(row["low"])),
        close=Won(int(row["close"])),
        volume=Shares(int(row["volume"])),
        value=Won(0),
    )
