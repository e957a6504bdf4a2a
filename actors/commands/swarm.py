"""`swarm`: the whole system in simulated time, a seed at a time, held against what the exchange really did."""

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runtime.cli import FAILED, fail, placed

if TYPE_CHECKING:
    from actors.campaigns.swarm.flock import Tally


def swarm(
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds to play.")] = 10,
    first: Annotated[int, typer.Option(min=0, help="The first of them.")] = 1,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Where what is left of a failure stays; without it a new folder of the system's for temporary files."
        ),
    ] = None,
    days: Annotated[
        int, typer.Option(min=0, help="Days that one journal goes on for; 0 draws one or two.", show_default="drawn")
    ] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="Processes at a time.")] = 1,
    *,
    twice: Annotated[
        bool, typer.Option("--twice", help="Play each seed twice, under two hash seeds of Python.")
    ] = False,
    log: Annotated[bool, typer.Option("--log", help="Show what the systems log: for a single seed.")] = False,
) -> None:
    """Play seeds of 10 simulated minutes with every kind of fault and crash; exit 0 only if every invariant held.

    A quarter of them sleep over a weekend in the middle. With --days each goes on for so many, four minutes a day or
    more, a trailing stop and a rule against repetition switched on, which are remembered over days.

    A seed repeats exactly: the same records, whatever the machine.
    """
    from actors.campaigns.swarm.flock import Terms, fly  # noqa: PLC0415 - no other verb needs so much

    folder = data or Path(tempfile.mkdtemp(prefix="kiwoom-actors-swarm-"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(placed(folder, error))
    tally = fly(range(first, first + seeds), Terms(folder, days, log), jobs=jobs, twice=twice, say=_say)
    for line in report(tally):
        _say(line)
    if data is None and not tally.failed:
        shutil.rmtree(folder)
    raise typer.Exit(FAILED if tally.failed else 0)


def report(tally: "Tally") -> list[str]:
    """What was played, in a few lines."""
    counts, seeds = tally.counts, tally.seeds
    bound = f"the chance of a failure is below {min(300 / seeds, 100):.3g} % at 95 %"
    verdict = ", ".join(map(str, tally.failed)) or bound
    ends = f"{counts['crashes']:,} crashed, {counts['failures']:,} failed, {counts['stops']:,} were stopped"
    orders = f"{counts['sent']:,} requests sent, {counts['fills']:,} fills, {counts['unknown']:,} answers lost"
    lines = [
        f"{seeds:,} seeds, {len(tally.failed)} failed: {verdict}",
        f"{counts['lives']:,} systems started, {ends}, {counts['nights']:,} nights; {orders}",
        f"{counts['records']:,} journal records, {tally.cpu / seeds:.2f} s of CPU a seed",
    ]
    if tally.compared:
        lines.append(f"{tally.equal:,} of {tally.compared:,} brought the same records under another hash seed")
    return lines


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
