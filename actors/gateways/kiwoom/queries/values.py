"""Cells of query answers as numbers: signed, padded and blank strings, refused where they are not numbers."""

from collections.abc import Mapping
from typing import Final

from actors.gateways.kiwoom.real_time.records import MalformedError, number

_NAMES: Final = ("주문번호", "종목번호", "종목코드")
_SHOWN: Final = 20
"""Characters of a cell that a line about it shows."""


def whole(row: Mapping[str, str], item: str) -> int:
    """The magnitude of a cell whose mark is a colour; blank or missing raises MalformedError."""
    return abs(signed(row, item))


def signed(row: Mapping[str, str], item: str) -> int:
    """A cell whose sign counts."""
    text = row.get(item, "").strip()
    try:
        return number(text if text.isascii() and "_" not in text else "")
    except MalformedError:
        raise MalformedError(f"{item}{_owner(row)} is not a number: {text[:_SHOWN]!r}") from None


def optional(row: Mapping[str, str], item: str) -> int:
    """The magnitude of a cell that Kiwoom leaves blank where there is nothing."""
    return whole(row, item) if row.get(item, "").strip() else 0


def text(row: Mapping[str, str], item: str) -> str:
    """A cell without its blanks."""
    return row.get(item, "").strip()


def _owner(row: Mapping[str, str]) -> str:
    return next((f" of {name}" for item in _NAMES if (name := text(row, item))), "")
