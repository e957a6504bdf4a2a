"""What the control knows by heart: the login, the accounts, and the master data of every issue."""

from collections.abc import Callable, Mapping
from typing import Final

from actors.exchange.port import ExchangePort
from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.twin.board import Board
from actors.gateways.kiwoom.twin.settings import TwinSettings
from actors.gateways.kiwoom.twin.values import long
from messages import Designation, Instrument, Market

_KINDS: Final = {market: code for code, market in codes.MARKETS.items()}
_WARNINGS: Final = {
    Designation.LIQUIDATION: "2",
    Designation.OVERHEATED: "3",
    Designation.RISK: "4",
    Designation.ALERT: "5",
}
_CONSTRUCTIONS: Final = (Designation.CAUTION, Designation.ALERT, Designation.RISK)
_MOCK: Final = "1"
_REAL: Final = "0"
_LISTED_SINCE: Final = "20000104"


class Master:
    """Answers at once, without traffic, once logged in."""

    def __init__(self, exchange: ExchangePort, board: Board, settings: TwinSettings) -> None:
        self._exchange = exchange
        self._issues = board.issues
        self._server = _MOCK if settings.server == "mock" else _REAL
        self._functions: Mapping[str, Callable[[str], str]] = {
            "GetServerGubun": lambda _: self._server,
            "GetMasterStockInfo": self._information,
            "GetStockMarketKind": self._kind,
            "IsOrderWarningStock": self._warning,
            "IsOrderWarningETF": lambda _: "0",
            "GetMasterListedStockCntEx": lambda code: str(self._listed(code)),
            "ShowAccountWindow": lambda _: "",
        }

    def login_info(self, tag: str) -> str:
        """GetLoginInfo."""
        account = self._exchange.account
        return {
            "ACCOUNT_CNT": "1",
            "ACCLIST": f"{account};",
            "ACCNO": f"{account};",
            "USER_ID": "twin",
            "USER_NAME": "모의투자자",
            "GetServerGubun": self._server,
            "KEY_BSECGB": "1",
            "FIREW_SECGB": "0",
        }.get(tag, "")

    def function(self, name: str, parameter: str) -> str:
        """KOA_Functions; blank for a name it doesn't know."""
        answer = self._functions.get(name)
        return answer(parameter) if answer else ""

    def codes_of_market(self, market: str) -> str:
        """GetCodeListByMarket: a blank is every market."""
        wanted = codes.MARKETS.get(market)
        listed = [code for code, issue in self._issues.items() if not market or issue.market is wanted]
        return "".join(f"{code};" for code in listed)

    def name(self, code: str) -> str:
        issue = self._issues.get(code)
        return issue.name if issue else ""

    def listed_long(self, code: str) -> int:
        """GetMasterListedStockCnt, which overflows for large issues."""
        return long(self._listed(code))

    def construction(self, code: str) -> str:
        """감리구분."""
        issue = self._issues.get(code)
        if issue is None:
            return ""
        return issue.designation.value if issue.designation in _CONSTRUCTIONS else "정상"

    def listed_since(self, code: str) -> str:
        return _LISTED_SINCE if code in self._issues else ""

    def last_price(self, code: str) -> str:
        """The base price of today, zero padded."""
        issue = self._issues.get(code)
        return f"{issue.base_price:08d}" if issue else ""

    def state(self, code: str) -> str:
        """Marks joined by a bar."""
        issue = self._issues.get(code)
        if issue is None:
            return ""
        marks = ["증거금40%", "담보대출", "신용가능"]
        if self._exchange.statistics(issue.symbol).halted or issue.halted:
            marks.append("거래정지")
        if issue.designation is Designation.ADMINISTRATIVE:
            marks.append("관리종목")
        return "|".join(marks)

    def _listed(self, code: str) -> int:
        issue = self._issues.get(code)
        return issue.listed_shares if issue else 0

    def _information(self, code: str) -> str:
        issue = self._issues.get(code)
        if issue is None:
            return ""
        board = "코스닥" if issue.market is Market.KOSDAQ else "코스피"
        return f"시장구분0|{board};시장구분1|{_size(issue)};업종구분|{issue.sector};"

    def _kind(self, code: str) -> str:
        issue = self._issues.get(code)
        return _KINDS[issue.market] if issue else ""

    def _warning(self, code: str) -> str:
        issue = self._issues.get(code)
        return _WARNINGS.get(issue.designation, "0") if issue else "0"


def _size(issue: Instrument) -> str:
    return "대형주" if issue.kospi200 else "중형주"
