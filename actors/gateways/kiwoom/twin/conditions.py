"""Two condition searches, as if a person had saved them in the HTS."""

from collections.abc import Callable
from typing import Final

from actors.gateways.kiwoom.twin.limits import QueryLimit
from actors.gateways.kiwoom.twin.market_queries import Desk
from actors.gateways.kiwoom.twin.outbox import Event
from actors.gateways.kiwoom.twin.registrations import Registrations
from actors.market.time import SECOND

_TOP: Final = 10
_RISEN_PERCENT: Final = 3
_MINUTE: Final = 60 * SECOND
_MOST_LIVE: Final = 10
_PERIOD: Final = SECOND
_DELAY: Final = 0.1
_NAMES: Final = ("거래대금상위", "상승종목")
_ENTERED: Final = "I"
_LEFT: Final = "D"


class Conditions:
    """Answers SendCondition, and says each second who entered or left a live search."""

    def __init__(
        self,
        *,
        desk: Desk,
        registrations: Registrations,
        limit: QueryLimit,
        later: Callable[[float, Callable[[], None]], None],
        send: Callable[[Event], None],
    ) -> None:
        self._desk = desk
        self._registrations = registrations
        self._limit = limit
        self._later = later
        self._send = send
        self._loaded = False
        self._asked: dict[int, int] = {}
        self._live: dict[str, tuple[int, tuple[str, ...]]] = {}
        self._looked = 0

    def load(self) -> int:
        """GetConditionLoad."""
        self._loaded = True
        event = Event("condition", "OnReceiveConditionVer", (1, "사용자 조건식 로드 성공"))
        self._later(_DELAY, lambda: self._send(event))
        return 1

    def names(self) -> str:
        """GetConditionNameList."""
        return "".join(f"{index:03d}^{name};" for index, name in enumerate(_NAMES)) if self._loaded else ""

    def search(self, screen: str, name: str, index: int, live: int) -> int:
        """SendCondition: 1 where it was taken."""
        now = self._desk.exchange.now
        known = self._loaded and index in range(len(_NAMES)) and _NAMES[index] == name
        if not known or now - self._asked.get(index, -_MINUTE) < _MINUTE or self._limit.check():
            return 0
        if (live and len(self._live) >= _MOST_LIVE) or not self._registrations.use(screen):
            return 0
        self._asked[index] = now
        self._live.pop(screen, None)
        self._later(_DELAY, lambda: self._answer(screen, index, live > 0))
        return 1

    def stop(self, screen: str, name: str, index: int) -> None:
        """SendConditionStop."""
        if index in range(len(_NAMES)) and _NAMES[index] == name:
            self._live.pop(screen, None)

    def clear(self) -> None:
        """The connection is lost, and every live search with it."""
        self._live.clear()
        self._loaded = False

    def look(self) -> None:
        """Call it each slice."""
        now = self._desk.exchange.now
        if now - self._looked < _PERIOD:
            return
        self._looked = now
        for screen, (index, before) in list(self._live.items()):
            found = self._found(index)
            self._live[screen] = (index, found)
            self._tell(index, _ENTERED, [code for code in found if code not in before])
            self._tell(index, _LEFT, [code for code in before if code not in found])

    def _answer(self, screen: str, index: int, live: bool) -> None:
        found = self._found(index)
        if live:
            self._live[screen] = (index, found)
        listed = "".join(f"{code};" for code in found)
        self._send(Event("condition", "OnReceiveTrCondition", (screen, listed, _NAMES[index], index, 0)))

    def _tell(self, index: int, what: str, found: list[str]) -> None:
        for code in found:
            args = (code, what, _NAMES[index], str(index))
            self._send(Event("condition", "OnReceiveRealCondition", args, None, code))

    def _found(self, index: int) -> tuple[str, ...]:
        if index == 0:
            return tuple(row.symbol for row in self._desk.exchange.ranking()[:_TOP] if row.value)
        board = self._desk.board
        return tuple(
            code
            for code, issue in board.issues.items()
            if board.last(code) * 100 >= issue.base_price * (100 + _RISEN_PERCENT)
        )
