"""The dead-man: what takes back open orders when the system that placed them is gone, over a connection of its own."""

from typing import Protocol

from messages import Record


class Cleared(Record):
    """What came of it."""

    canceled: int
    """Orders that were open and are not any more."""
    left: tuple[str, ...] = ()
    """Those that still are, a line each."""


class Canceller(Protocol):
    """A second way to the broker. Raises ConnectionError or TimeoutError where there is none just now."""

    async def cancel_all(self, account: str) -> Cleared:
        """Take back all that is open on an account, blank for the only one, and return when that is confirmed."""
        ...


class OffersCanceller(Protocol):
    """A gateway class whose broker lets somebody else in beside the system."""

    @classmethod
    def dead_man(cls, **keys: object) -> "Canceller | str":
        """From the keys of its table: a canceller, or in one line why there can be none."""
        ...


def canceller(maker: type[object], keys: dict[str, object]) -> Canceller | str:
    """What a gateway class offers."""
    offer = getattr(maker, "dead_man", None)
    if offer is None:
        return f"{maker.__name__} keeps no orders that outlive the system"
    return offer(**keys)
