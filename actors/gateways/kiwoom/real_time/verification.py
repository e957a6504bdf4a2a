"""Whether a raw record has its fields where Kiwoom's table says, and the record made field by field where not."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from actors.gateways.kiwoom import codes

_READ: Final[Mapping[str, tuple[int, ...]]] = MappingProxyType(
    {
        codes.TRADE: (0, 1, *range(4, 12), 18),
        codes.BOOK: (*(place for place in range(61) if place % 3), 0, 61, 63),
        codes.BEST_QUOTE: (0, 1),
        codes.AFTER_HOURS: (0, 1, 3),
        codes.EXPECTED: (0, 1, 4),
        codes.SESSION: (0, 1, 2),
        codes.VI: (0, 4, 7, 8, 9, 10, 11, 12, 16, 17),
        codes.INDEX: (0, 1, 5, 6),
    }
)
"""The places of the fields that the parsers read."""


def answers_of(kind: str, read: Callable[[int], str]) -> Mapping[int, str]:
    """What the control says of each field that a parser reads."""
    fids = codes.REAL_TYPES[kind].fids
    return {fids[place]: read(fids[place]) for place in _READ[kind]}


def differing_fids(kind: str, data: str, read: Callable[[int], str]) -> tuple[int, ...]:
    """The FIDs a parser reads whose place in the raw string holds something else than the control says of them.

    Of which it says nothing nothing is known.
    """
    fields, fids = data.split("\t"), codes.REAL_TYPES[kind].fids
    pairs = ((fids[place], fields[place]) for place in _READ[kind] if place < len(fields))
    return tuple(fid for fid, field in pairs if read(fid).strip() not in ("", field.strip()))


def assembled(kind: str, read: Callable[[int], str]) -> str:
    """The raw string as the table has it, from the control's own answers; what no parser reads is blank."""
    answers = answers_of(kind, read)
    return "\t".join(answers.get(fid, "") for fid in codes.REAL_TYPES[kind].fids)
