"""What goes wrong in one seed: the kinds of faults, how often each strikes, and when the line breaks."""

import datetime as dt
from random import Random
from typing import Any, Final

from actors.exchange.records import Halt
from actors.market.time import SECOND, kst
from messages import Symbol

SYMBOLS: Final = (Symbol("900010"), Symbol("900020"), Symbol("900030"))
"""The issues of every seed."""
Table = dict[str, Any]
_CHANCES: Final = (0.003, 0.01, 0.03, 0.1)
_RARE: Final = (0.001, 0.003, 0.01)
_QUERIES: Final = ("opw00001", "opw00018", "opt10075", "opt10076", "opt10030", "optkwfid")
_LATER: Final = (-308, -311)
_UNSURE: Final = (-307, -10, -22)


class Weather:
    """Draws the faults of one seed from `rng`; about half of the kinds are on in each."""

    def __init__(self, rng: Random, start: int, end: int) -> None:
        self._rng = rng
        self._start, self._end = start, end
        kinds = (*self._records(), *self._answers(), *self._calls(), *self._prices())
        self.faults: tuple[Table, ...] = tuple(fault for fault in kinds if rng.random() < 0.5)
        self.breaks = tuple(self._break(kind) for kind in ("disconnect", "stall") if rng.random() < 0.4)
        self.halts = tuple(self._halt() for _ in range(rng.choice((0, 0, 1))))
        self.shocks = tuple(self._shock() for _ in range(rng.choice((0, 0, 1, 3))))
        """When, of which issue and by how many percent somebody moves a price."""
        self.stall = rng.choice((0.0, 0.0, 0.002, 0.01))
        """Chance that an answer of the journal takes seconds."""
        self.failure = rng.choice((0.0, 0.0, 0.0, 0.0005, 0.002))
        """Chance that the journal refuses a piece of work."""
        self.lives = rng.choice((1, 2, 3, 4, 6))
        """How many systems the trading time is divided among, about."""

    def _records(self) -> list[Table]:
        return [
            self._fault("drop", "chejan", _CHANCES),
            self._fault("repeat", "chejan", _CHANCES),
            self._fault("reorder", "chejan", _CHANCES),
            self._fault("delay", "chejan", _CHANCES, seconds=self._rng.choice((0.05, 0.5, 3.0, 12.0, 40.0))),
            self._fault("stall", "chejan", _RARE, seconds=self._rng.choice((0.5, 5.0, 20.0))),
        ]

    def _answers(self) -> list[Table]:
        found = [
            self._fault(kind, record, _CHANCES, seconds=self._rng.choice((0.1, 2.0, 11.0)))
            for record in ("answer", "message")
            for kind in ("drop", "repeat", "reorder", "delay")
        ]
        query = self._rng.choice(_QUERIES)
        return [
            *found,
            self._fault("blank", "answer", _CHANCES),
            self._fault("drop", query, _CHANCES),
            self._fault("delay", query, _CHANCES, seconds=4.0),
        ]

    def _calls(self) -> list[Table]:
        rng = self._rng
        return [
            self._fault("refuse", "SendOrder", (*_CHANCES, 0.3), code=rng.choice(_LATER)),
            self._fault("refuse", "SendOrder", _CHANCES, code=rng.choice(_UNSURE)),
            self._fault("lose", "SendOrder", _CHANCES, code=rng.choice(_UNSURE)),
            self._fault("refuse", "CommRqData", _CHANCES, code=-200),
        ]

    def _prices(self) -> list[Table]:
        return [
            self._fault(kind, record, _RARE, seconds=2.0)
            for record in ("주식체결", "주식호가잔량", "장시작시간")
            for kind in ("drop", "repeat", "reorder", "delay")
        ]

    def _fault(self, kind: str, record: str, chances: tuple[float, ...], **more: Any) -> Table:
        return {"kind": kind, "record": record, "times": 0, "chance": self._rng.choice(chances), **more}

    def _break(self, kind: str) -> Table:
        at = self._rng.randrange(self._start, self._end)
        seconds = self._rng.choice((1.0, 5.0, 20.0, 45.0))
        return {"kind": kind, "record": "clock", "at": _clock(at), "until": _clock(at + SECOND), "seconds": seconds}

    def _halt(self) -> Halt:
        at = self._rng.randrange(self._start, self._end)
        until = at + self._rng.randrange(5, 200) * SECOND
        return Halt(symbol=self._rng.choice(SYMBOLS), at=_time(at), until=_time(until), reason="풍문")

    def _shock(self) -> tuple[int, Symbol, int]:
        when = self._rng.randrange(self._start, self._end)
        return when, self._rng.choice(SYMBOLS), self._rng.choice((-12, -7, -4, 4, 7, 12))


def _time(ns: int) -> dt.time:
    return kst(ns).time().replace(microsecond=0)


def _clock(ns: int) -> str:
    return _time(ns).isoformat()
