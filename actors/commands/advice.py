"""What of a config that trades is worth a look, though it may be meant: notes of `check`, warnings of `run`."""

import inspect
from collections.abc import Iterator, Sequence

from runtime.settings.parts import Part


def notes(parts: Sequence[Part]) -> list[str]:
    """A line each; empty where nothing is to be said."""
    return [*_bought_to_be_sold(parts), *_unconfirmed(parts)]


def _bought_to_be_sold(parts: Sequence[Part]) -> Iterator[str]:
    ends = [part.keywords["flatten_at"] for part in parts if part.keywords.get("flatten_at")]
    for part in parts:
        until = part.keywords.get("entries_until", "")
        if ends and _takes(part, "entries_until") and (not until or until > min(ends)):
            yield (
                f"[{part.where}] entries_until: {until or 'blank'}: what is bought from {min(ends)} on is sold at once "
                f'by flatten_at of the guardian; give a time before, e.g. entries_until = "{_before(min(ends))}"'
            )


def _unconfirmed(parts: Sequence[Part]) -> Iterator[str]:
    for part in parts:
        keys = part.keywords
        real = keys.get("control") == "activex" and keys.get("server") == "real"
        if real and not keys.get("live_confirmation"):
            yield (
                f"[{part.where}] live_confirmation: blank: nothing starts on the real server; "
                "give the last four digits of the account that shall trade"
            )


def _takes(part: Part, key: str) -> bool:
    return key in inspect.signature(part.maker).parameters


def _before(time: str) -> str:
    """Five minutes earlier, of a time as HH:MM."""
    minutes = max(int(time[:2]) * 60 + int(time[3:]) - 5, 0)
    return f"{minutes // 60:02}:{minutes % 60:02}"
