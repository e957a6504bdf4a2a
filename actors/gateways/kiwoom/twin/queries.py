"""Queries as the control takes them: inputs in order, limits, pages, and answers on a later turn."""

import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final, NamedTuple

from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.twin import account_queries as account
from actors.gateways.kiwoom.twin import market_queries as market
from actors.gateways.kiwoom.twin.limits import QueryLimit
from actors.gateways.kiwoom.twin.market_queries import Desk, Query, Result
from actors.gateways.kiwoom.twin.outbox import Answer, Event
from actors.gateways.kiwoom.twin.registrations import ISSUE_TYPES, MOST_CODES, VI, WHOLE_MARKET, Registrations

QUERIES: Final[Mapping[str, Query]] = MappingProxyType(
    {
        "opt10001": market.basic_information,
        "opt10032": market.ranking,
        "opt10054": market.interruptions,
        "opt10075": account.open_orders,
        "opt10076": account.fills,
        "opt10080": market.minute_chart,
        "opt10081": market.day_chart,
        "opt20002": market.members,
        "opw00001": account.deposit,
        "opw00007": account.orders_of_day,
        "opw00018": account.holdings,
        "optkwfid": market.many,
    }
)
_MANY: Final = "optkwfid"
_INTERRUPTIONS: Final = "opt10054"
_WRONG_INPUT: Final = -202
_TOO_MANY_CODES: Final = -204
_NEXT: Final = 2
_NO_PAGE: Final = 10_000
_DELAY: Final = (0.02, 0.08)
"""Seconds until an answer."""

Later = Callable[[float, Callable[[], None]], None]


_Inputs = tuple[tuple[str, str], ...]


class _Question(NamedTuple):
    tr: codes.Tr
    code: str
    inputs: _Inputs
    name: str
    screen: str


class QueryDesk:
    """Takes CommRqData and CommKwRqData; `later` runs an answer after so many seconds."""

    def __init__(
        self,
        *,
        desk: Desk,
        registrations: Registrations,
        limit: QueryLimit,
        rng: random.Random,
        later: Later,
        send: Callable[[Event], None],
    ) -> None:
        self._desk = desk
        self._registrations = registrations
        self._limit = limit
        self._rng = rng
        self._later = later
        self._send = send
        self._inputs: list[tuple[str, str]] = []
        self._following: tuple[tuple[str, _Inputs], int] | None = None
        """The last query, and where its next page begins."""

    def set_input(self, name: str, value: str) -> None:
        """SetInputValue."""
        self._inputs.append((name, value))

    def forget_inputs(self) -> None:
        """Every CommRqData uses them up, whatever it answers."""
        self._inputs.clear()

    def request(self, name: str, code: str, following: int, screen: str) -> int:
        """CommRqData."""
        inputs, self._inputs = self._inputs, []
        tr = codes.TRS.get(code.lower())
        if tr is None or code.lower() == _MANY or code.lower() not in QUERIES or not _in_order(inputs, tr.inputs):
            return _WRONG_INPUT
        return self._ask(_Question(tr, code, tuple(inputs), name, screen), following)

    def request_many(self, listed: str, following: int, count: int, kind: int, name: str, screen: str) -> int:  # noqa: PLR0917 - Kiwoom's arguments
        """CommKwRqData, for stocks."""
        asked = [code for code in listed.split(";") if code]
        if len(asked) > MOST_CODES or count > MOST_CODES:
            return _TOO_MANY_CODES
        if not asked or count != len(asked) or kind or following:
            return _WRONG_INPUT
        inputs = (("종목코드", ";".join(asked)),)
        return self._ask(_Question(codes.TRS[_MANY], "OPTKWFID", inputs, name, screen), 0)

    def _ask(self, question: _Question, following: int) -> int:
        refused = self._limit.check()
        if refused:
            return refused
        if not self._registrations.use(question.screen):
            return _WRONG_INPUT
        answer = partial(self._answer, question, self._start(question, following))
        self._later(self._rng.uniform(*_DELAY), answer)
        return 0

    def _start(self, question: _Question, following: int) -> int:
        """Where the page begins: a continuation that another query broke begins anew."""
        asked = (question.tr.code, question.inputs)
        before, self._following = self._following, None
        start = before[1] if following == _NEXT and before is not None and before[0] == asked else 0
        self._following = (asked, start + (question.tr.rows or _NO_PAGE))
        return start

    def _answer(self, question: _Question, start: int) -> None:
        tr, code, inputs, name, screen = question
        result = QUERIES[code.lower()](self._desk, dict(inputs))
        self._register(code, result, screen)
        page = tr.rows or _NO_PAGE
        following = "2" if len(result.rows) > start + page else "0"
        names = tuple(record for record in (name, tr.single_record, tr.multi_record) if record)
        answer = Answer(code.lower(), names, result.single, tr.multi, result.rows[start : start + page])
        if result.text:
            self._send(Event("message", "OnReceiveMsg", (screen, name, code, result.text)))
        args = (screen, name, code, "", following, 0, "0", "", "")
        self._send(Event(tr.code.lower(), "OnReceiveTrData", args, answer))

    def _register(self, code: str, result: Result, screen: str) -> None:
        """A query about an issue brings its real data on the screen it used."""
        if code.lower() == _INTERRUPTIONS:
            self._registrations.register(screen, [WHOLE_MARKET], VI, add=False)
        elif result.codes:
            self._registrations.register(screen, result.codes, ISSUE_TYPES, add=False)


def _in_order(given: Sequence[tuple[str, str]], wanted: Sequence[str]) -> bool:
    """Inputs must be of the table and in its order; some may be missing."""
    places = [wanted.index(name) if name in wanted else -1 for name, _ in given]
    return bool(places) and min(places) >= 0 and places == sorted(set(places))
