"""Many seeds of the swarm, in processes of their own: what each brought, and whether twice brought the same."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from runtime.disk import faultpoints

_BLOCK: Final = 10
"""Seeds a process plays before the next one takes over."""
_HASH_SEEDS: Final = ("1", "4242")
_TAIL: Final = 3


class Terms(NamedTuple):
    """How each seed is played."""

    data: Path
    days: int = 0
    """How many one journal goes on for; 0 draws one or two."""
    log: bool = False


class Outcome(msgspec.Struct, kw_only=True):
    """What one seed brought."""

    seed: int
    digest: str
    """Of every journal record, and of the exchange's own record."""
    breaches: list[str]
    counts: dict[str, int]
    cpu: float


class Tally(msgspec.Struct, kw_only=True):
    """What all seeds brought together."""

    seeds: int = 0
    failed: list[int] = msgspec.field(default_factory=list[int])
    compared: int = 0
    equal: int = 0
    cpu: float = 0.0
    counts: Counter[str] = msgspec.field(default_factory=Counter[str])


def fly(seeds: range, terms: Terms, *, jobs: int, twice: bool, say: Callable[[str], None]) -> Tally:
    """Play every seed, `jobs` processes at a time; `say` gets a line for each breach and each block.

    With `twice` each seed is played again under another hash seed of Python's, and must bring the same records.
    """
    tally = Tally()
    size = min(_BLOCK, -(-len(seeds) // jobs))
    blocks = [seeds[at : at + size] for at in range(0, len(seeds), size)]
    with ThreadPoolExecutor(jobs) as pool:
        for block, runs in zip(blocks, pool.map(partial(_block, terms, twice=twice), blocks), strict=True):
            for line in _judge(tally, block, runs, terms):
                say(line)
            say(f"{tally.seeds} of {len(seeds)} seeds, {len(tally.failed)} failed")
    return tally


def _block(terms: Terms, block: range, *, twice: bool) -> list[dict[int, Outcome]]:
    hash_seeds = _HASH_SEEDS if twice else _HASH_SEEDS[:1]
    return [_run(block, terms, hash_seed) for hash_seed in hash_seeds]


def _run(block: range, terms: Terms, hash_seed: str) -> dict[int, Outcome]:
    program = [sys.executable, "-m", "actors.campaigns.swarm.seeds"]
    folder = terms.data.absolute() / f"hash-{hash_seed}"
    words = [*program, str(block.start), str(len(block)), str(folder), str(terms.days)]
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, faultpoints.VARIABLE: faultpoints.EVERY}
    done = subprocess.run(  # noqa: S603 - ourselves
        [*words, "log"] if terms.log else words, env=environment, capture_output=True, text=True, check=False
    )
    found: dict[int, Outcome] = {}
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            outcome = msgspec.json.decode(line, type=Outcome)
            found[outcome.seed] = outcome
        else:
            sys.stdout.write(line + "\n")
    missing = next((seed for seed in block if seed not in found), None)
    if missing is not None:
        tail = " | ".join(done.stderr.splitlines()[-_TAIL:])
        found[missing] = Outcome(
            seed=missing, digest="", breaches=[f"the process ended with {done.returncode}: {tail}"], counts={}, cpu=0.0
        )
    return found


def _judge(tally: Tally, block: range, runs: list[dict[int, Outcome]], terms: Terms) -> Iterator[str]:
    for seed in block:
        outcomes = [run[seed] for run in runs if seed in run]
        breaches = [breach for outcome in outcomes for breach in outcome.breaches]
        if len(outcomes) < len(runs):
            breaches.append("not played: a seed before it ended the process")
        if len(runs) > 1:
            tally.compared += 1
            same = len({outcome.digest for outcome in outcomes}) == 1 and len(outcomes) == len(runs)
            tally.equal += same
            breaches += [] if same else ["played twice, it brought other records"]
        tally.seeds += 1
        for outcome in outcomes[:1]:
            tally.cpu += outcome.cpu
            tally.counts.update(outcome.counts)
        if breaches:
            tally.failed.append(seed)
            days = f" --days {terms.days}" if terms.days else ""
            again = f"kiwoom-actors swarm --seeds 1 --first {seed}{days} --data {terms.data}"
            yield from (f"seed {seed}: {breach}  [{again}]" for breach in dict.fromkeys(breaches))
