"""Cells of query answers as numbers: signed, padded and blank strings, refused where they are not numbers."""

from collections.abc import Mapping

from actors.gateways.kiwoom.records import MalformedError, number


def whole(row: Mapping[str, str], item: str) -> int:
    """The magnitude of a cell whose mark is a colour; blank or missing raises MalformedError."""
    return abs(signed(row, item))


def signed(row: Mapping[str, str], item: str) -> int:
    """A cell whose sign counts."""
    text = row.get(item, "").strip()
    if not text or not text.isascii() or "_" in text:
        raise MalformedError(f"{item} is not a number")
    return number(text)


def optional(row: Mapping[str, str], item: str) -> int:
    """The magnitude of a cell that Kiwoom leaves blank where there is nothing."""
    return whole(row, item) if row.get(item, "").strip() else 0


def text(row: Mapping[str, str], item: str) -> str:
    """A cell without its blanks."""
    return row.get(item, "").strip()
