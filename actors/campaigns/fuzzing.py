"""Feeds mangled real-time records to the gateway's line and holds what comes out to its declared types.

python -m actors.campaigns.fuzzing --records 1000000 --seed 1
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from functools import cache, partial
from math import isfinite
from random import Random
from typing import Any, Final, NewType, cast, get_args, get_origin, get_type_hints

import structlog
import typer

from actors.campaigns.outcomes import Outcomes
from actors.gateways.kiwoom import codes
from actors.gateways.kiwoom.control import Calls
from actors.gateways.kiwoom.real_time.feed import Intake
from actors.gateways.port import FeedMessage
from messages import FeedRestored, Message, Nanoseconds
from runtime.clock import SteppedClock

READ, REJECTED, SILENT, CRASHED, WRONG = "read", "rejected", "silent", "CRASHED", "WRONG TYPE"
_BEGIN: Final = 1_756_778_400 * 1_000_000_000
_LEVELS: Final = 10
_MOST: Final = 2**63
_USUAL: Final = 0.9
_MARK: Final = FeedRestored(feed="fuzz", time=Nanoseconds(_BEGIN))
_BARE: Final = {codes.INDEX: "001", codes.SESSION: "09"}
"""Codes under which these types come."""
_GOOD: Final[Mapping[str, Mapping[int, str]]] = {
    codes.TRADE: {20: "142942", 10: "-77100", 27: "-77100", 28: "-76900", 15: "+3", 13: "7884712", 14: "608869"}
    | {16: "+77600", 17: "+77800", 18: " 76600", 228: "61.12"},
    codes.BOOK: {21: "135622", 121: "4343", 125: "26747"}
    | {first + level: "+6510" for first in (40, 50) for level in range(1, _LEVELS + 1)}
    | {first + level: "20" for first in (60, 70) for level in range(1, _LEVELS + 1)},
    codes.BEST_QUOTE: {27: "-77000", 28: "-76900"},
    codes.AFTER_HOURS: {21: "165208", 131: "43955", 132: "+156", 135: "0", 136: "0"},
    codes.EXPECTED: {20: "110206", 10: "+60500", 11: "+200", 12: "+0.33", 15: "-7805", 13: "768293", 25: "2"},
    codes.SESSION: {215: "3", 20: "090000", 214: "000000"},
    codes.VI: {9001: "A094480", 302: "이름", 9068: "1", 1221: "4125", 1223: "111454", 1224: "111703", 1225: "정적"}
    | {1236: "3750", 1490: "1", 9069: "1"},
    codes.INDEX: {20: "110430", 10: "-1762.61", 15: "2800", 13: "725277", 14: "60711859"},
}
_CODES: Final = ("005930", "A005930", "005930_NX", "005930_AL", "00088K", "001", "", "_AL", "뷁", "5930", "09")
_CELLS: Final = (
    *("", " ", "+-", "--", "+", "0", "-0", "00", "+1", "-77000", "99999999999999999999", "1_000", "9" * 400, "0x10"),
    *("1e9", "1e400", "nan", "inf", "-inf", "1.", ".5", "1.234", "246060", "888888", "999999", "235959", "090000"),
    *("A005930", "٣٤", "９", "²", "뷁", "\ufffd", "\x00", "\r\n", "\xa0", "+ 7", "7 ", "거래정지"),
)


def _cell(rng: Random, fields: list[str]) -> str:
    fields[rng.randrange(len(fields))] = rng.choice(_CELLS)
    return "\t".join(fields)


def _number(rng: Random, fields: list[str]) -> str:
    mark = rng.choice(("", "+", "-", "+-", " "))
    fields[rng.randrange(len(fields))] = f"{mark}{rng.getrandbits(rng.randrange(1, 80))}"
    return "\t".join(fields)


def _cut(rng: Random, fields: list[str]) -> str:
    text = "\t".join(fields)
    return text[: rng.randrange(len(text) + 1)]


def _shift(rng: Random, fields: list[str]) -> str:
    place = rng.randrange(len(fields))
    if rng.random() < 0.5:
        del fields[place]
    else:
        fields.insert(place, rng.choice(_CELLS))
    return "\t".join(fields)


def _swap(rng: Random, fields: list[str]) -> str:
    first, second = rng.randrange(len(fields)), rng.randrange(len(fields))
    fields[first], fields[second] = fields[second], fields[first]
    return "\t".join(fields)


def _bytes(rng: Random, fields: list[str]) -> str:
    data = bytearray("\t".join(fields).encode("cp949", "replace"))
    for _ in range(rng.randrange(1, 5)):
        data[rng.randrange(len(data))] = rng.randrange(256)
    return data.decode("cp949", "replace")


def _noise(rng: Random, fields: list[str]) -> str:
    del fields
    return "".join(map(chr, rng.choices(range(0x2FF), k=rng.randrange(200))))


def _whole(rng: Random, fields: list[str]) -> str:
    del rng
    return "\t".join(fields)


MUTATIONS: Final[Mapping[str, Callable[[Random, list[str]], str]]] = {
    "nothing": _whole,
    "a cell": _cell,
    "a number": _number,
    "cut off": _cut,
    "a field more or less": _shift,
    "two fields swapped": _swap,
    "bytes": _bytes,
    "noise": _noise,
}


class _Silence:
    """A control that answers nothing, so that only the raw strings count."""

    @staticmethod
    def dynamicCall(signature: str, arguments: list[Any]) -> str:  # noqa: N802 - Qt's name
        del signature, arguments
        return ""


class Line:
    """The gateway's own line from event to message, one record at a time."""

    def __init__(self) -> None:
        self._intake = Intake(Calls(cast("Any", _Silence())), SteppedClock(_BEGIN), "fuzz", "none", lambda: None)
        self._stream = self._intake.stream()

    @property
    def counts(self) -> Mapping[str, int]:
        return self._intake.counts

    async def pass_on(self, code: str, kind: str, text: str) -> tuple[str, FeedMessage | None]:
        """How the record ended, and what came of it."""
        rejected = self._intake.rejected
        try:
            self._intake.add(code, kind, text)
            self._intake.say(_MARK)
            batch = await anext(self._stream)
        except Exception as error:  # noqa: BLE001 - whatever leaves the line is a finding
            self._stream = self._intake.stream()
            await anext(self._stream)
            return f"{CRASHED} {type(error).__name__}", None
        if len(batch) == 1:
            return (REJECTED if self._intake.rejected > rejected else SILENT), None
        return (READ if is_typed(batch[0]) else WRONG), batch[0]


def is_typed(message: Message) -> bool:
    """Whether each field holds exactly what its annotation says, whole numbers from 0 to below 2^63."""
    return all(check(getattr(message, name)) for name, check in _checks(type(message)))


def fuzz(records: int, seed: int) -> Outcomes:
    """Mangle so many records; each is read, rejected and counted, or says nothing new."""
    return asyncio.run(_fuzz(records, Random(seed)))


async def _fuzz(records: int, rng: Random) -> Outcomes:
    outcomes = Outcomes((READ, REJECTED, SILENT))
    line, kinds, mutations = Line(), list(_GOOD), list(MUTATIONS)
    for number in range(records):
        kind, mutation = rng.choice(kinds), rng.choice(mutations)
        fields = [_GOOD[kind].get(fid, "0") for fid in codes.REAL_TYPES[kind].fids]
        code = _BARE.get(kind, "005930") if rng.random() < _USUAL else rng.choice(_CODES)
        text = MUTATIONS[mutation](rng, fields)
        ending, _ = await line.pass_on(code, kind, text)
        repeat = "" if ending in (READ, REJECTED, SILENT) else f"record {number}: {code!r} {text[:200]!r}"
        outcomes.add(f"{kind}, {mutation}", ending, repeat)
    counts = line.counts
    told = counts["passed"] + counts["rejected"] + counts["silent"]
    outcomes.add("the books", READ if told == counts["received"] == records else "DO NOT BALANCE", str(dict(counts)))
    return outcomes


@cache
def _checks(kind: type[Message]) -> tuple[tuple[str, Callable[[Any], bool]], ...]:
    hints = get_type_hints(kind)
    return tuple((field, _check(hints[field])) for field in kind.__struct_fields__)


def _check(hint: Any) -> Callable[[Any], bool]:
    while isinstance(hint, NewType):
        hint = hint.__supertype__
    if hint is int:
        return lambda value: type(value) is int and 0 <= value < _MOST
    if hint is float:
        return lambda value: type(value) is float and isfinite(value)
    if get_origin(hint) is tuple:
        return partial(_are_levels, part=_check(get_args(hint)[0]))
    return lambda value: type(value) is hint


def _are_levels(value: object, part: Callable[[Any], bool]) -> bool:
    if type(value) is not tuple:
        return False
    levels = cast("tuple[Any, ...]", value)
    return len(levels) == _LEVELS and all(map(part, levels))


def main(records: int = 1_000_000, seed: int = 1) -> None:
    """Exit 0 only if nothing crashed, nothing came out wrong, and the books balance."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    outcomes = fuzz(records, seed)
    outcomes.show(f"{records:,} mangled records of {len(_GOOD)} real types, seed {seed}")
    raise typer.Exit(0 if outcomes.ok else 1)


if __name__ == "__main__":
    typer.run(main)
