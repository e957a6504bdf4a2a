"""Answers to queries about the market: opt10001, opt10032, OPT10054, opt10080, opt10081, opt20002, OPTKWFID."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, overload

from actors.exchange.port import ExchangePort
from actors.exchange.records import Statistics, ViRecord
from actors.gateways.kiwoom.codes import bare_code
from actors.gateways.kiwoom.twin import values
from actors.gateways.kiwoom.twin.announcements import market_code, prefix
from actors.gateways.kiwoom.twin.board import Board
from actors.gateways.kiwoom.twin.venues import charted
from actors.market.bars import start_of
from actors.market.venues import spell, split
from messages import Bar, Instrument, Market, Venue

Inputs = Mapping[str, str]
Row = Mapping[str, str]

_DAY = 86_400
_MILLION = 1_000_000
_HUNDRED_MILLION = 100_000_000
_VI_FILTER = {"1": ("static",), "2": ("dynamic",), "3": ("both",)}
_VI_KINDS = {"static": "정적", "dynamic": "동적", "both": "동적+정적"}


class Desk(NamedTuple):
    """What answers are made of."""

    exchange: ExchangePort
    board: Board
    commission: float
    is_mock: bool


class Result(NamedTuple):
    """A whole answer, before it is cut into pages; `codes` are those whose real data follows."""

    single: Row = MappingProxyType({})
    rows: Sequence[Row] = ()
    codes: tuple[str, ...] = ()
    text: str = ""
    """Of the OnReceiveMsg before it; blank sends none."""


Query = Callable[[Desk, Inputs], Result]


class _Rows(Sequence[Row]):
    """A chart newest first, of which only what a page shows is put into words."""

    def __init__(self, bars: Sequence[Bar], word: Callable[[Bar, int], Row]) -> None:
        """`bars` oldest first; `word` gets a bar and its row's place."""
        self._bars = bars
        self._word = word

    def __len__(self) -> int:
        return len(self._bars)

    def __iter__(self) -> Iterator[Row]:
        return (self[place] for place in range(len(self)))

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Row]: ...
    def __getitem__(self, place: int | slice) -> Row | Sequence[Row]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        return self._word(self._bars[len(self._bars) - 1 - place], place)


def basic_information(desk: Desk, inputs: Inputs) -> Result:
    """opt10001."""
    issue = _issue(desk, inputs)
    if issue is None:
        return Result()
    statistics, book = desk.exchange.statistics(issue.symbol), desk.exchange.book(issue.symbol)
    days = desk.exchange.charts(issue.symbol, _DAY)
    highest = max((bar for bar in days), key=lambda bar: bar.high, default=None)
    lowest = min((bar for bar in days), key=lambda bar: bar.low, default=None)
    single = {
        "종목코드": issue.symbol,
        "종목명": issue.name,
        "결산월": "12",
        "액면가": "100",
        "자본금": str(issue.listed_shares * 100 // _HUNDRED_MILLION),
        "상장주식": str(issue.listed_shares // 1_000),
        "신용비율": "0.00",
        "시가총액": str(statistics.last * issue.listed_shares // _HUNDRED_MILLION),
        "외인소진률": "0.00",
        "대용가": str(issue.base_price * 7 // 10),
        **_extremes(issue, highest, lowest),
        "시가": _price(statistics.open, issue),
        "고가": _price(statistics.high, issue),
        "저가": _price(statistics.low, issue),
        "상한가": f"+{issue.upper_limit}",
        "하한가": f"-{issue.lower_limit}",
        "기준가": str(issue.base_price),
        "예상체결가": _price(book.expected_price, issue) if book.expected_price else "-0",
        "예상체결수량": str(book.expected_size),
        **_change(statistics, "대비기호"),
        "거래량": str(statistics.volume),
        "거래대비": _against_yesterday(desk, issue, statistics.volume),
        "액면가단위": "원",
        "유통주식": str(issue.listed_shares // 1_000),
        "유통비율": "100.0",
    }
    return Result(single=single, codes=(issue.symbol,))


def ranking(desk: Desk, inputs: Inputs) -> Result:
    """opt10032."""
    market = inputs.get("시장구분", "000")
    ranked = [desk.board.issues[row.symbol] for row in desk.exchange.ranking()]
    listed = [issue for issue in ranked if market in ("000", market_code(issue))]
    return Result(rows=[_ranked(desk, issue, rank) for rank, issue in enumerate(listed, 1)])


def interruptions(desk: Desk, inputs: Inputs) -> Result:
    """OPT10054, newest first; asking for it registers VI발동/해제."""
    kinds = _VI_FILTER.get(inputs.get("발동구분", "0"))
    direction, market = inputs.get("발동방향", "0"), inputs.get("시장구분", "000")
    code = inputs.get("종목코드", "").strip()
    rows = [
        _interruption(desk, record)
        for record in desk.exchange.vi_list()
        if (kinds is None or record.kind in kinds)
        and (direction not in ("1", "2") or record.upward is (direction == "1"))
        and market in ("000", market_code(desk.board.issues[record.symbol]))
        and code in ("", record.symbol)
    ]
    return Result(rows=rows)


def minute_chart(desk: Desk, inputs: Inputs) -> Result:
    """opt10080."""
    issue, minutes, venue = _issue(desk, inputs), inputs.get("틱범위", "1"), _venue(inputs)
    if issue is None or minutes not in ("1", "3", "5", "10", "15", "30", "45", "60"):
        return Result()
    closes = _closes_before(desk, issue)
    bars = charted(desk.exchange.charts(issue.symbol, int(minutes) * 60), venue)
    rows = _Rows(bars, lambda bar, _: _minute(bar, closes.get(start_of(bar.time, _DAY), 0)))
    code = spell(issue.symbol, venue)
    return Result(single={"종목코드": code}, rows=rows, codes=(code,))


def day_chart(desk: Desk, inputs: Inputs) -> Result:
    """opt10081; only the first row bears the code."""
    issue, until = _issue(desk, inputs), inputs.get("기준일자", "").strip()
    if issue is None:
        return Result()
    venue = _venue(inputs)
    code, all_bars = spell(issue.symbol, venue), charted(desk.exchange.charts(issue.symbol, _DAY), venue)
    bars = [bar for bar in all_bars if not until or values.yyyymmdd(bar.time) <= until]
    rows = _Rows(bars, lambda bar, place: _day(bar, "" if place else code))
    return Result(single={"종목코드": code}, rows=rows, codes=(code,))


def members(desk: Desk, inputs: Inputs) -> Result:
    """opt20002, for the KOSPI 200 alone: index funds have its bands and are none of it."""
    if (inputs.get("시장구분"), inputs.get("업종코드")) != ("2", "201"):
        return Result()
    issues = [one for one in desk.board.issues.values() if one.kospi200 and one.market is Market.KOSPI]
    return Result(rows=[_member(desk.exchange.statistics(issue.symbol)) for issue in issues])


def many(desk: Desk, inputs: Inputs) -> Result:
    """OPTKWFID, for the codes of CommKwRqData; unknown ones have no row."""
    listed = [desk.board.issues[code] for code in inputs["종목코드"].split(";") if code in desk.board.issues]
    return Result(rows=[_watched(desk, issue) for issue in listed], codes=tuple(issue.symbol for issue in listed))


def _issue(desk: Desk, inputs: Inputs) -> Instrument | None:
    return desk.board.issues.get(bare_code(inputs.get("종목코드", "")))


def _venue(inputs: Inputs) -> Venue:
    try:
        return split(inputs.get("종목코드", "").strip())[1]
    except ValueError:
        return Venue.KRX


def _price(price: int, issue: Instrument) -> str:
    return values.marked(price, issue.base_price)


def _change(statistics: Statistics, code_name: str) -> Row:
    issue, price = statistics.instrument, statistics.last
    return {
        "현재가": _price(price, issue),
        code_name: values.direction(price, issue),
        "전일대비": values.signed(price - issue.base_price),
        "등락율": values.percent(values.change_rate(price, issue.base_price)),
    }


def _against_yesterday(desk: Desk, issue: Instrument, volume: int) -> str:
    before = desk.board.yesterday[issue.symbol][0]
    return values.ratio(volume * 100 / before) if before else "0.00"


def _extremes(issue: Instrument, highest: Bar | None, lowest: Bar | None) -> Row:
    if highest is None or lowest is None:
        return {}
    high_rate = values.change_rate(issue.base_price, highest.high)
    low_rate = values.change_rate(issue.base_price, lowest.low)
    return {
        "연중최고": f"+{highest.high}",
        "연중최저": f"-{lowest.low}",
        "250최고": f"+{highest.high}",
        "250최저": f"-{lowest.low}",
        "250최고가일": values.yyyymmdd(highest.time),
        "250최저가일": values.yyyymmdd(lowest.time),
        "250최고가대비율": values.percent(high_rate),
        "250최저가대비율": values.percent(low_rate),
    }


def _quoted(statistics: Statistics) -> Row:
    issue = statistics.instrument
    change = dict(_change(statistics, "전일대비기호"))
    change["등락률"] = change.pop("등락율")
    return {
        "종목코드": issue.symbol,
        "종목명": issue.name,
        **change,
        "현재거래량": str(statistics.volume),
        "매도호가": _price(statistics.ask, issue),
        "매수호가": _price(statistics.bid, issue),
    }


def _member(statistics: Statistics) -> Row:
    issue = statistics.instrument
    return {
        **_quoted(statistics),
        "시가": _price(statistics.open, issue),
        "고가": _price(statistics.high, issue),
        "저가": _price(statistics.low, issue),
    }


def _ranked(desk: Desk, issue: Instrument, rank: int) -> Row:
    statistics = desk.exchange.statistics(issue.symbol)
    return {
        **_quoted(statistics),
        "현재순위": str(rank),
        "전일순위": str(rank),
        "전일거래량": str(desk.board.yesterday[issue.symbol][0]),
        "거래대금": str(statistics.value // _MILLION),
    }


def _interruption(desk: Desk, record: ViRecord) -> Row:
    issue, tape = desk.board.issues[record.symbol], desk.board.tapes[record.symbol]
    price = record.trigger_price
    static = record.static_reference if record.kind != "dynamic" else 0
    dynamic = record.dynamic_reference if record.kind != "static" else 0
    return {
        "종목코드": f"{prefix(issue)}{issue.symbol}",
        "종목명": issue.name,
        "누적거래량": str(tape.volume),
        "발동가격": str(price),
        "동적괴리율": values.percent(values.change_rate(price, dynamic)),
        "매매체결처리시각": values.hhmmss(record.started),
        "VI해제시각": values.hhmmss(record.ended or record.release),
        "VI적용구분": _VI_KINDS[record.kind],
        "동적기준가격": str(dynamic),
        "정적기준가격": str(static),
        "정적괴리율": values.percent(values.change_rate(price, static)),
        "시가대비등락률": values.percent(values.change_rate(price, tape.opening)),
        "VI발동횟수": str(record.count),
    }


def _closes_before(desk: Desk, issue: Instrument) -> Mapping[int, int]:
    """The close before each day, by the day's start."""
    today = start_of(desk.exchange.start, _DAY)
    closes: dict[int, int] = {}
    last = 0
    for bar in desk.exchange.charts(issue.symbol, _DAY):
        day = start_of(bar.time, _DAY)
        closes[day], last = last, bar.close
    closes[today] = issue.base_price
    return closes


def _minute(bar: Bar, base: int) -> Row:
    base = base or bar.open
    return {
        "현재가": values.marked(bar.close, base),
        "거래량": str(bar.volume),
        "체결시간": values.yyyymmdd(bar.time) + values.hhmmss(bar.time),
        "시가": values.marked(bar.open, base),
        "고가": values.marked(bar.high, base),
        "저가": values.marked(bar.low, base),
    }


def _day(bar: Bar, code: str) -> Row:
    return {
        "종목코드": code,
        "현재가": str(bar.close),
        "거래량": str(bar.volume),
        "거래대금": str(bar.value // _MILLION),
        "일자": values.yyyymmdd(bar.time),
        "시가": str(bar.open),
        "고가": str(bar.high),
        "저가": str(bar.low),
    }


def _watched(desk: Desk, issue: Instrument) -> Row:
    statistics, book = desk.exchange.statistics(issue.symbol), desk.exchange.book(issue.symbol)
    asks = {f"매도{n}차호가": _price(book.ask_prices[n - 1], issue) for n in range(1, 6)}
    bids = {f"매수{n}차호가": _price(book.bid_prices[n - 1], issue) for n in range(1, 6)}
    return {
        "종목코드": issue.symbol,
        "종목명": issue.name,
        **_change(statistics, "전일대비기호"),
        "기준가": str(issue.base_price),
        "거래량": str(statistics.volume),
        "거래대금": str(statistics.value // _MILLION),
        "체결량": str(statistics.last_size),
        "체결강도": f"{statistics.strength:.2f}",
        "전일거래량대비": _against_yesterday(desk, issue, statistics.volume),
        "매도호가": _price(statistics.ask, issue),
        "매수호가": _price(statistics.bid, issue),
        **asks,
        **bids,
        "상한가": f"+{issue.upper_limit}",
        "하한가": f"-{issue.lower_limit}",
        "시가": _price(statistics.open, issue),
        "고가": _price(statistics.high, issue),
        "저가": _price(statistics.low, issue),
        "종가": _price(statistics.last, issue),
        "체결시간": values.hhmmss(statistics.time) if statistics.time else "",
        "예상체결가": _price(book.expected_price, issue),
        "예상체결량": str(book.expected_size),
        "시가총액": str(statistics.last * issue.listed_shares // _HUNDRED_MILLION),
        "주식수": str(issue.listed_shares // 1_000),
        "호가시간": values.hhmmss(book.time),
        "일자": values.yyyymmdd(book.time),
        "우선매도잔량": str(book.ask_sizes[0]),
        "우선매수잔량": str(book.bid_sizes[0]),
        "총매도잔량": str(book.ask_total),
        "총매수잔량": str(book.bid_total),
    }
