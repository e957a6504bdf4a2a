"""What Kiwoom says of issues: daily data and the ranking by trading value."""

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import structlog

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.control import Calls
from actors.gateways.kiwoom.queries.queries import Queries, Question
from actors.gateways.kiwoom.queries.values import optional, text, whole
from messages import Designation, Instrument, Ranked, Shares, Symbol, Won

_LOG = structlog.get_logger("gateway.kiwoom")
_MILLION: Final = 1_000_000
_THOUSAND: Final = 1_000
_LISTED_ON: Final = ("0", "10", "8", "60")
_WARNINGS: Final = MappingProxyType(
    {
        "2": Designation.LIQUIDATION,
        "3": Designation.OVERHEATED,
        "4": Designation.RISK,
        "5": Designation.ALERT,
    }
)
_CONSTRUCTIONS: Final = MappingProxyType(
    {
        "투자주의": Designation.CAUTION,
        "투자주의환기종목": Designation.CAUTION,
        "투자경고": Designation.ALERT,
        "투자위험": Designation.RISK,
    }
)


class Issues:
    """Answers about issues, from one query per hundred codes and from the master data in memory."""

    def __init__(self, calls: Calls, queries: Queries) -> None:
        self._calls = calls
        self._queries = queries
        self.rejected = 0

    async def instruments(self, symbols: Collection[Symbol]) -> tuple[Instrument, ...]:
        """Today's data of these codes, of every listed one where `symbols` is empty; unknown codes are left out."""
        wanted = sorted(set(symbols)) if symbols else self._listed()
        found = [self._instrument(row) for row in await self._rows(wanted)]
        return tuple(instrument for instrument in found if instrument is not None)

    async def ranking(self, count: int) -> tuple[Ranked, ...]:
        """The first `count` of opt10032, both boards, without issues under administration."""
        question = Question(tr="opt10032", inputs={"시장구분": "000", "관리종목포함": "0", "거래소구분": "1"})
        if count <= codes.TRS["opt10032"].rows:
            rows = (await self._queries.one(question)).rows
        else:
            rows = (await self._queries.whole(question)).rows
        return tuple(ranked for rank, row in enumerate(rows[:count], 1) for ranked in self._ranked(row, rank))

    def warning(self, symbol: Symbol) -> str:
        """Why Kiwoom would open a box, and wait, before it lets one buy this issue; blank where it would not."""
        stock = self._calls.function("IsOrderWarningStock", symbol)
        if stock not in ("", "0"):
            return _WARNINGS.get(stock, f"an issue with the warning {stock}")
        return "투자유의 ETF/ETN" if self._calls.function("IsOrderWarningETF", symbol) == "1" else ""

    def _listed(self) -> list[Symbol]:
        found = {code: None for market in _LISTED_ON for code in self._calls.codes_of_market(market)}
        return [Symbol(code) for code in found]

    async def _rows(self, wanted: Sequence[Symbol]) -> Sequence[Mapping[str, str]]:
        if len(wanted) == 1:
            answer = await self._queries.one(_single_question(wanted[0]))
            return [{**answer.single, "주식수": answer.single["상장주식"]}]
        return await self._queries.many(wanted)

    def _instrument(self, row: Mapping[str, str]) -> Instrument | None:
        symbol, name = Symbol(codes.bare_code(text(row, "종목코드"))), text(row, "종목명")
        if not symbol or not name:
            return None
        try:
            return self._described(symbol, name, row)
        except ValueError as error:
            self.rejected += 1
            _LOG.warning("issue left out", symbol=symbol, reason=str(error))
            return None

    def _described(self, symbol: Symbol, name: str, row: Mapping[str, str]) -> Instrument:
        state = self._calls.state(symbol)
        kind = self._calls.function("GetStockMarketKind", symbol)
        if kind not in codes.MARKETS:
            raise ValueError(f"market kind {kind!r} is not traded here")
        return Instrument(
            symbol=symbol,
            name=name,
            market=codes.MARKETS[kind],
            base_price=Won(whole(row, "기준가")),
            upper_limit=Won(whole(row, "상한가")),
            lower_limit=Won(whole(row, "하한가")),
            listed_shares=Shares(self._listed_shares(symbol, row)),
            sector=self._sector(symbol),
            designation=self._designation(symbol, state),
            halted="거래정지" in state,
        )

    def _listed_shares(self, symbol: Symbol, row: Mapping[str, str]) -> int:
        exact = self._calls.function("GetMasterListedStockCntEx", symbol)
        return int(exact) if exact.isascii() and exact.isdecimal() else optional(row, "주식수") * _THOUSAND

    def _sector(self, symbol: Symbol) -> str:
        pairs = (part.partition("|") for part in self._calls.function("GetMasterStockInfo", symbol).split(";"))
        return next((value for key, _, value in pairs if key == "업종구분"), "")

    def _designation(self, symbol: Symbol, state: str) -> Designation:
        warning = self._calls.function("IsOrderWarningStock", symbol)
        if warning in _WARNINGS:
            return _WARNINGS[warning]
        if "관리종목" in state:
            return Designation.ADMINISTRATIVE
        return _CONSTRUCTIONS.get(self._calls.construction(symbol), Designation.NONE)

    def _ranked(self, row: Mapping[str, str], rank: int) -> list[Ranked]:
        try:
            symbol, value = Symbol(codes.bare_code(text(row, "종목코드"))), whole(row, "거래대금")
        except ValueError:
            self.rejected += 1
            return []
        return [Ranked(symbol=symbol, rank=rank, value=Won(value * _MILLION))]


def _single_question(symbol: Symbol) -> Question:
    wanted = ("종목코드", "종목명", "기준가", "상한가", "하한가", "상장주식")
    return Question(tr="opt10001", inputs={"종목코드": symbol}, single=wanted)
