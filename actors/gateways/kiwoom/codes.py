"""Kiwoom's codes and tables, read from the data files beside this one."""

from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec

from actors.gateways.port import Outcome
from messages import Action, Kind, Market, Record, Session, Side, Validity, Venue

FOLDER: Final = Path(__file__).parent


class Fid(IntEnum):
    """Numbers of the fields that are read by number."""

    PRICE = 10
    VOLUME = 13
    SIZE = 15
    TIME = 20
    ASK = 27
    BID = 28
    REMAINING = 214
    SESSION = 215
    NAME = 302
    STATIC_REFERENCE = 1236
    DYNAMIC_REFERENCE = 1237
    VI_TRIGGERED_AT = 1223
    VI_RELEASED_AT = 1224
    CODE = 9001
    ACCOUNT = 9201
    ORDER = 9203
    QUANTITY = 900
    ORDER_PRICE = 901
    OPEN = 902
    AMOUNT = 903
    ORIGINAL = 904
    ORDER_TEXT = 905
    KIND_TEXT = 906
    SIDE = 907
    ORDER_TIME = 908
    FILL = 909
    FILLED_PRICE = 910
    FILLED_QUANTITY = 911
    STATUS = 913
    FILL_PRICE = 914
    FILL_QUANTITY = 915
    REASON = 919
    SCREEN = 920
    COMMISSION = 938
    TAX = 939
    LAST_RECORD = 819
    HELD = 930
    AVERAGE_PRICE = 931
    COST = 932
    SELLABLE = 933


class RealType(Record):
    """One real type: its fields in the order of the tab-separated string."""

    name: str
    code: str
    fids: tuple[int, ...]
    names: tuple[str, ...]
    signs: tuple[str, ...]
    """none, direction, value, side, ratio_direction or unknown, a field each."""


class Tr(Record):
    """One query: inputs in the order they must be set, and the items of its answer."""

    code: str
    title: str
    rows: int
    """Rows a page; 0 where Kiwoom does not state it."""
    single_record: str
    multi_record: str
    inputs: tuple[str, ...]
    single: tuple[str, ...]
    multi: tuple[str, ...]


class ErrorCode(Record):
    """What a return value means and what to do about it."""

    code: int
    meaning: str
    outcome: Outcome
    mend: str


class SessionCode(Record):
    """What a value of FID 215 says; `venue` is None where it concerns derivatives only."""

    venue: Venue | None
    session: Session


class OrderType(Record):
    """What one nOrderType asks; `side` is None where one code serves both."""

    venue: Venue
    action: Action
    side: Side | None


class _RealRow(msgspec.Struct):
    code: str
    fids: dict[str, tuple[str, str]]


class _TrRow(msgspec.Struct):
    title: str
    rows: int
    single_record: str
    multi_record: str
    inputs: tuple[str, ...]
    single: tuple[str, ...]
    multi: tuple[str, ...]


class _ErrorRow(msgspec.Struct):
    meaning: str
    outcome: Outcome
    mend: str


def _real_type(name: str, row: _RealRow) -> RealType:
    return RealType(
        name=name,
        code=row.code,
        fids=tuple(map(int, row.fids)),
        names=tuple(field for field, _ in row.fids.values()),
        signs=tuple(sign for _, sign in row.fids.values()),
    )


def _real_types() -> Mapping[str, RealType]:
    rows = msgspec.json.decode((FOLDER / "realtypes.json").read_bytes(), type=dict[str, _RealRow])
    return MappingProxyType({name: _real_type(name, row) for name, row in rows.items()})


def _trs() -> Mapping[str, Tr]:
    rows = msgspec.json.decode((FOLDER / "trs.json").read_bytes(), type=dict[str, _TrRow])
    return MappingProxyType({code.lower(): Tr(code=code, **msgspec.structs.asdict(row)) for code, row in rows.items()})


def _errors() -> Mapping[int, ErrorCode]:
    rows = msgspec.json.decode((FOLDER / "errors.json").read_bytes(), type=dict[str, _ErrorRow])
    return MappingProxyType(
        {int(code): ErrorCode(code=int(code), **msgspec.structs.asdict(row)) for code, row in rows.items()}
    )


REAL_TYPES: Final = _real_types()
TRS: Final = _trs()
"""By the code in lower case: Kiwoom takes either."""
ERRORS: Final = _errors()

TRADE: Final = "주식체결"
BOOK: Final = "주식호가잔량"
BEST_QUOTE: Final = "주식우선호가"
EXPECTED: Final = "주식예상체결"
SESSION: Final = "장시작시간"
VI: Final = "VI발동/해제"
INDEX: Final = "업종지수"
AFTER_HOURS: Final = "주식시간외호가"

CHEJAN_ORDER: Final = "0"
CHEJAN_BALANCE: Final = "1"

CHEJAN_ORDER_FIDS: Final = (
    *(9201, 9203, 9205, 9001, 912, 913, 302, 900, 901, 902, 903, 904, 905, 906, 907, 908, 909, 910, 911, 10, 27, 28),
    *(914, 915, 938, 939, 919, 920, 921, 922, 923, 949, 10010, 969, 819),
)
"""The 35 fields of a recorded order event, in its order."""
CHEJAN_BALANCE_FIDS: Final = (
    *(9201, 9001, 917, 916, 302, 10, 930, 931, 932, 933, 945, 946, 950, 951, 27, 28, 307, 8019, 957, 958, 918),
    *(990, 991, 992, 993, 959, 924, 10010, 25, 11, 12, 306, 305, 970),
)
"""The 34 fields of a recorded balance event, in its order."""

ACCEPTED: Final = "접수"
CONFIRMED: Final = "확인"
FILLED: Final = "체결"
CANCELED: Final = "취소"
REFUSED: Final = "거부"

HOGA: Final[Mapping[tuple[Kind, Validity], str]] = MappingProxyType(
    {
        (Kind.LIMIT, Validity.DAY): "00",
        (Kind.MARKET, Validity.DAY): "03",
        (Kind.CONDITIONAL, Validity.DAY): "05",
        (Kind.BEST, Validity.DAY): "06",
        (Kind.PRIORITY, Validity.DAY): "07",
        (Kind.LIMIT, Validity.IOC): "10",
        (Kind.MARKET, Validity.IOC): "13",
        (Kind.BEST, Validity.IOC): "16",
        (Kind.LIMIT, Validity.FOK): "20",
        (Kind.MARKET, Validity.FOK): "23",
        (Kind.BEST, Validity.FOK): "26",
    }
)
"""What is not here cannot be ordered."""
KINDS: Final[Mapping[str, tuple[Kind, Validity]]] = MappingProxyType({code: pair for pair, code in HOGA.items()})
HOGA_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "00": "보통",
        "03": "시장가",
        "05": "조건부지정가",
        "06": "최유리지정가",
        "07": "최우선지정가",
        "10": "보통(IOC)",
        "13": "시장가(IOC)",
        "16": "최유리(IOC)",
        "20": "보통(FOK)",
        "23": "시장가(FOK)",
        "26": "최유리(FOK)",
        "28": "스탑지정가",
        "29": "중간가",
        "61": "장전시간외",
        "62": "시간외단일가",
        "81": "장후시간외",
    }
)
"""FID 906 of each code."""
PRICED: Final = frozenset({Kind.LIMIT, Kind.CONDITIONAL})
"""Kinds that carry a price; every other is sent with 0."""

ORDER_TYPES: Final[Mapping[int, OrderType]] = MappingProxyType(
    {
        1: OrderType(venue=Venue.KRX, action=Action.NEW, side=Side.BUY),
        2: OrderType(venue=Venue.KRX, action=Action.NEW, side=Side.SELL),
        3: OrderType(venue=Venue.KRX, action=Action.CANCEL, side=Side.BUY),
        4: OrderType(venue=Venue.KRX, action=Action.CANCEL, side=Side.SELL),
        5: OrderType(venue=Venue.KRX, action=Action.REPLACE, side=Side.BUY),
        6: OrderType(venue=Venue.KRX, action=Action.REPLACE, side=Side.SELL),
        11: OrderType(venue=Venue.SOR, action=Action.NEW, side=Side.BUY),
        12: OrderType(venue=Venue.SOR, action=Action.NEW, side=Side.SELL),
        13: OrderType(venue=Venue.SOR, action=Action.CANCEL, side=None),
        15: OrderType(venue=Venue.SOR, action=Action.REPLACE, side=None),
        21: OrderType(venue=Venue.NXT, action=Action.NEW, side=Side.BUY),
        22: OrderType(venue=Venue.NXT, action=Action.NEW, side=Side.SELL),
        23: OrderType(venue=Venue.NXT, action=Action.CANCEL, side=None),
        25: OrderType(venue=Venue.NXT, action=Action.REPLACE, side=None),
    }
)

SESSIONS: Final[Mapping[str, SessionCode]] = MappingProxyType(
    {
        "0": SessionCode(venue=Venue.KRX, session=Session.OPENING_AUCTION),
        "3": SessionCode(venue=Venue.KRX, session=Session.CONTINUOUS),
        "2": SessionCode(venue=Venue.KRX, session=Session.CLOSING_AUCTION),
        "4": SessionCode(venue=Venue.KRX, session=Session.CLOSED),
        "8": SessionCode(venue=Venue.KRX, session=Session.CLOSED_FOR_DAY),
        "a": SessionCode(venue=Venue.KRX, session=Session.AFTER_HOURS_CLOSE),
        "b": SessionCode(venue=Venue.KRX, session=Session.CLOSED),
        "c": SessionCode(venue=Venue.KRX, session=Session.AFTER_HOURS_SINGLE),
        "d": SessionCode(venue=Venue.KRX, session=Session.CLOSED_FOR_DAY),
        "9": SessionCode(venue=Venue.KRX, session=Session.CLOSED_FOR_DAY),
        "e": SessionCode(venue=None, session=Session.CLOSING_AUCTION),
        "f": SessionCode(venue=None, session=Session.PRE_OPEN),
        "o": SessionCode(venue=None, session=Session.CONTINUOUS),
        "s": SessionCode(venue=None, session=Session.CLOSING_AUCTION),
        "P": SessionCode(venue=Venue.NXT, session=Session.CONTINUOUS),
        "Q": SessionCode(venue=Venue.NXT, session=Session.CLOSED),
        "R": SessionCode(venue=Venue.NXT, session=Session.CONTINUOUS),
        "S": SessionCode(venue=Venue.NXT, session=Session.CLOSED),
        "T": SessionCode(venue=Venue.NXT, session=Session.AFTER_HOURS_SINGLE),
        "U": SessionCode(venue=Venue.NXT, session=Session.CONTINUOUS),
        "V": SessionCode(venue=Venue.NXT, session=Session.CLOSED_FOR_DAY),
        "W": SessionCode(venue=Venue.NXT, session=Session.CLOSED_FOR_DAY),
    }
)
"""Values of FID 215. T to W are disputed between Kiwoom's own texts: hints, the clock decides."""

MARKETS: Final[Mapping[str, Market]] = MappingProxyType(
    {
        "0": Market.KOSPI,
        "10": Market.KOSDAQ,
        "50": Market.KONEX,
        "8": Market.ETF,
        "60": Market.ETN,
        "3": Market.ELW,
    }
)
"""Answers of GetStockMarketKind, and arguments of GetCodeListByMarket."""


def order_type(venue: Venue, action: Action, side: Side) -> int:
    """The nOrderType of a request."""
    return _ORDER_TYPE_CODES[venue, action, side]


def bare_code(text: str) -> str:
    """The issue code without blanks, the prefix A, J or Q of account data, or a venue suffix."""
    code = text.strip().partition("_")[0]
    return code[1:] if len(code) == 7 and code[0] in "AJQ" else code


def error_of(code: object) -> ErrorCode:
    """What a return value of the control means; UNKNOWN where none came, and for one that no table has."""
    if not isinstance(code, int):
        return ErrorCode(code=0, meaning="응답 없음", outcome=Outcome.UNKNOWN, mend="the control gave no return value")
    known = ERRORS.get(code)
    if known is not None:
        return known
    return ErrorCode(
        code=code,
        meaning=f"알 수 없는 코드 {code}",
        outcome=Outcome.UNKNOWN,
        mend="not in Kiwoom's table: nobody knows what it means",
    )


_ORDER_TYPE_CODES: Final = {
    (kind.venue, kind.action, side): code
    for code, kind in ORDER_TYPES.items()
    for side in Side
    if kind.side in (side, None)
}
