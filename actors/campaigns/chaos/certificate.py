"""What a campaign came to, for machines and for people: counts, bounds, figures, proofs and each failure."""

import math
import platform
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import msgspec

_DISTRIBUTION = "kiwoom-actors"


class Failure(msgspec.Struct, frozen=True):
    """An invariant that did not hold, and where."""

    day: int
    life: int
    what: str
    repeat: str
    """The command that does the same again."""


class Certificate(msgspec.Struct, kw_only=True):
    """The figures of one campaign."""

    seed: int
    command: str
    kills: dict[str, int] = {}
    """By how they came: kill, early, point."""
    points: dict[str, int] = {}
    """Kills at each named point."""
    unreached: tuple[str, ...] = ()
    """Points at which it was to be killed, and was not."""
    faults: dict[str, int] = {}
    """Lives in which a kind of fault could strike."""
    troubles: dict[str, int] = {}
    exits: dict[str, int] = {}
    """Processes that ended by themselves, by code."""
    days: int = 0
    lives: int = 0
    recoveries: int = 0
    exact: int = 0
    """Recoveries at which shares and won were the exchange's at once."""
    orders: int = 0
    fills: int = 0
    unknown: int = 0
    lost_fills: int = 0
    doubled_orders: int = 0
    won: int = 0
    """Difference of cash at the ends of the days, added up."""
    seconds: list[float] = []
    """Of each recovery from a kill in calm weather, from process start to `Reconciled`."""
    stormy_seconds: list[float] = []
    """The same with faults."""
    journals: dict[str, str] = {}
    """Head of each day's journal."""
    failures: list[Failure] = []
    wall: float = 0.0
    finished: bool = False
    """Whether it came to its end: one that was cut short certifies nothing."""

    @property
    def killed(self) -> int:
        return sum(self.kills.values())

    @property
    def bound(self) -> float:
        """The most that can fail of kills like these, at 95 %: 3/n where none of n did."""
        return min(3 / self.killed, 1.0) if self.killed else 1.0

    @property
    def holds(self) -> bool:
        wrong = self.lost_fills or self.doubled_orders or self.won
        return self.finished and not (self.failures or self.unreached or wrong)

    @property
    def verdict(self) -> str:
        """In some words."""
        if self.holds:
            return "every invariant held"
        unreached = f", {len(self.unreached)} points never reached" if self.unreached else ""
        short = "" if self.finished else ", cut short"
        return f"{len(self.failures)} failures{unreached}{short}"


def write(certificate: Certificate, folder: Path) -> None:
    """certificate.json and certificate.md in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    versions = {"program": version(_DISTRIBUTION), "python": platform.python_version(), "system": sys.platform}
    figures = {
        "holds": certificate.holds,
        "killed": certificate.killed,
        "bound": certificate.bound,
        "versions": versions,
        "recovery": spread(certificate.seconds),
        "recovery in storms": spread(certificate.stormy_seconds),
    }
    content = figures | msgspec.to_builtins(certificate)
    (folder / "certificate.json").write_bytes(msgspec.json.format(msgspec.json.encode(content)))
    (folder / "certificate.md").write_text("\n".join(lines(certificate, versions)) + "\n", encoding="utf-8")


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """p50, p99 and the worst; empty for none."""
    if not seconds:
        return {}
    ordered = sorted(seconds)
    return {
        "p50": round(_part(ordered, 0.5), 3),
        "p99": round(_part(ordered, 0.99), 3),
        "worst": round(ordered[-1], 3),
    }


def lines(certificate: Certificate, versions: dict[str, str]) -> list[str]:
    """The certificate as Markdown."""
    c = certificate
    return [
        f"# {c.killed:,} kills: {c.verdict}",
        "",
        f"`{c.command}` ({', '.join(f'{name} {text}' for name, text in versions.items())}), {c.wall:,.0f} s",
        "",
        "| | |",
        "|---|---|",
        f"| fills lost | {c.lost_fills} of {c.fills:,} |",
        f"| orders doubled | {c.doubled_orders} of {c.orders:,} |",
        f"| won that differ | {c.won} |",
        f"| chance of a failure in one kill, at most (95 %) | {c.bound:.2%} |" if c.holds else "| | |",
        f"| kills | {_counts(c.kills)} |",
        f"| recoveries checked | {c.recoveries:,}, {c.exact:,} of them exact to the won at once |",
        f"| process start to Reconciled | {_seconds(c.seconds)} |",
        f"| the same with faults on the line | {_seconds(c.stormy_seconds)} |",
        f"| answers lost (unknown orders) | {c.unknown:,} |",
        f"| lives with faults | {_counts(c.faults)} |",
        f"| troubles | {_counts(c.troubles)} |",
        f"| ended by themselves, by exit code | {_counts(c.exits)} |",
        f"| named points | {_counts(c.points)} |",
        "",
        *(["## Points never reached", "", *(f"- {name}" for name in c.unreached), ""] if c.unreached else []),
        *(f"- journal {day}: {head}" for day, head in c.journals.items()),
        *(["", "## Failures", ""] if c.failures else []),
        *(f"- day {f.day}, life {f.life}: {f.what} (`{f.repeat}`)" for f in c.failures),
    ]


def _part(ordered: Sequence[float], part: float) -> float:
    return ordered[min(math.ceil(part * len(ordered)), len(ordered)) - 1]


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "none"


def _seconds(seconds: Sequence[float]) -> str:
    return ", ".join(f"{name} {value:.2f} s" for name, value in spread(seconds).items()) or "none"
