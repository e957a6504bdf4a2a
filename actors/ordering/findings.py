"""What one comparison of ledger and broker finds, and what of it two looks agree on."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from actors.gateways.port import BrokerOrder
from actors.market.time import SECOND
from messages import CashAdjusted, Message

QUIET = 10 * SECOND
"""After which an order without any answer is unknown, and one the broker does not list may be none.

One that was submitted in the future was so by a clock that was wrong: its age is not known, and two looks decide.
"""


class Finding(NamedTuple):
    """A difference in words, and the messages that book it once it is certain."""

    line: str
    messages: tuple[Message, ...] = ()
    certain: bool = False
    """The broker has a record of it; what is only missing must be missed twice."""
    same: str = ""
    """What both looks must say, where it is not the line: a trade between them changes both sides of that."""
    beside: str = ""
    """All that differs with it: where the looks do not agree on it, one saw half a trade, and nothing is booked yet."""
    blamed: frozenset[int] = frozenset()
    """Orders that may explain it yet."""
    later: tuple[Message, ...] = ()
    """What books it although some are blamed: once they cannot be, for the match before found the same without them."""

    @property
    def key(self) -> str:
        return self.same or self.line


class Match(NamedTuple):
    """The outcome of one comparison."""

    findings: tuple[Finding, ...]
    strangers: tuple[BrokerOrder, ...]
    """Orders nobody here placed."""
    doubt: str = ""
    """Why nothing may be concluded from what is missing."""

    @property
    def lines(self) -> tuple[str, ...]:
        return tuple(finding.line for finding in self.findings)


def confirmed(first: Match, second: Match) -> tuple[Finding, ...]:
    """What the second look says, as far as it is certain or the first one said the same."""
    said = {finding.key: finding for finding in first.findings}
    return tuple(_agreed(found, said) for found in second.findings if found.certain or found.key in said)


def _agreed(found: Finding, said: Mapping[str, Finding]) -> Finding:
    if found.certain:
        return found
    first = said[found.key]
    found = found._replace(blamed=found.blamed | first.blamed)
    return found if first.beside == found.beside else found._replace(messages=(), later=())


def lasting(found: Sequence[Finding], before: Sequence[Finding]) -> tuple[Finding, ...]:
    """What this match finds; what the one before found as well, and blamed other orders for, no order explains.

    What was booked then is no sign of as much again.
    """
    blamed = {(one.key, one.beside): one.blamed for one in before if one.blamed and not one.messages}
    return tuple(
        finding._replace(messages=finding.later)
        if finding.later and blamed.get((finding.key, finding.beside), finding.blamed).isdisjoint(finding.blamed)
        else finding
        for finding in found
    )


def alone(*looks: Match) -> dict[str, Finding]:
    """Cash that a look lacks, and nothing else, while no order of ours was at work: by its amount."""
    found = (finding for look in looks for finding in look.findings if finding.beside == finding.same)
    return {finding.key: finding for finding in found if any(isinstance(m, CashAdjusted) for m in finding.messages)}


def recurring(
    found: Sequence[Finding], now: Mapping[str, Finding], before: Mapping[str, Finding]
) -> tuple[Finding, ...]:
    """What this match finds, and the cash that a look of this match and one of the match before lacked alone.

    Who trades all the time has a fill in one of the two looks of every match; what went before the one and is still
    gone a match later, to the won, is no fill of ours. Of two such sums neither is believed.
    """
    booked = {finding.key for finding in found if finding.messages}
    again = [finding for key, finding in now.items() if key in before and key not in booked]
    if len(again) != 1:
        return tuple(found)
    return (*(finding for finding in found if finding.key != again[0].key), again[0])
